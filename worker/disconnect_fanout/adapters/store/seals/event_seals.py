"""Events and users at rest: sealed JSON, and keyed hashes under which a user is found unread."""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from disconnect_fanout.adapters.crypto.vault import Unsealable, Vault, lookup_hash
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import installation
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.policy.secret_key import SAFE_ORDER


class Seals:
    """Seals events and users, opens them, and hashes addresses with this installation's key.

    Args:
        lookup_key: 32 random bytes, the same for all workers of the installation.
    """

    def __init__(self, vault: Vault, lookup_key: bytes) -> None:
        self._vault = vault
        self._lookup_key = lookup_key

    def __repr__(self) -> str:
        """Say nothing."""
        return "Seals(…)"

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Of the secret keys that are held; the first one's is of the key that seals."""
        return self._vault.fingerprints

    def seal_event(self, event: DisconnectEvent) -> bytes:
        """Return the event as encrypted JSON."""
        return self._vault.seal(orjson.dumps(_as_json(event)))

    def open_event(self, sealed: bytes) -> DisconnectEvent:
        """Return the event that was sealed.

        Raises:
            Unsealable: none of the configured keys opens it.
            UnreadableRow: it holds what this version does not know.
        """
        plain = self._vault.open(sealed)
        try:
            return _from_json(orjson.loads(plain))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise UnreadableRow("sealed: holds no event that this version can read") from None

    def seal(self, plain: bytes) -> bytes:
        """Return anything else that must not be read at rest, encrypted."""
        return self._vault.seal(plain)

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            Unsealable: none of the configured keys opens it.
        """
        return self._vault.open(sealed)

    def user_hash(self, folded_email: str) -> bytes:
        """Return the keyed hash of a case-folded address."""
        return lookup_hash(self._lookup_key, folded_email)

    def text_hash(self, text: str) -> str:
        """Return the keyed hash of a text as 32 hexadecimal digits."""
        return lookup_hash(self._lookup_key, text).hex()

    def seal_user(self, email: str, google_id: str | None) -> bytes:
        """Return who a link is about, encrypted."""
        return self._vault.seal(orjson.dumps([email, google_id]))

    def open_user(self, sealed: bytes) -> tuple[str, str | None]:
        """Return the address and the google id that were sealed.

        Raises:
            Unsealable: none of the configured keys opens them.
            UnreadableRow: what is sealed is something else.
        """
        match _json(self._vault.open(sealed)):
            case [str(email), str() | None as google_id]:
                return email, google_id
            case _:
                raise UnreadableRow("sealed: holds no address that this version can read")


async def load_seals(database: Database, vault: Vault) -> Seals:
    """Read the installation's key.

    Raises:
        Unsealable: the database was set up with a secret key that is not configured.
        StoreUnreachable: the database does not answer.
    """
    async with database.read() as connection:
        sealed = (await connection.execute(select(installation.c.lookup_key))).scalar_one()
    try:
        return Seals(vault, vault.open(sealed))
    except Unsealable:
        raise Unsealable(
            "FANOUT_SECRET_KEY does not open this database: the key with which it was set up is "
            f"not among them, put it in; {SAFE_ORDER}"
        ) from None


def _json(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _as_json(event: DisconnectEvent) -> dict[str, object]:
    return {
        "id": event.id,
        "timestamp": event.timestamp,
        "email": event.user.email,
        "google_id": event.user.google_id,
        "provider": event.provider,
        "disconnected_at": event.disconnected_at,
        "reason": event.reason,
        "initiated_by": event.initiated_by,
        "platform_ids": event.platform_ids,
    }


def _from_json(fields: dict[str, Any]) -> DisconnectEvent:
    recipients = fields["platform_ids"]
    return DisconnectEvent(
        id=fields["id"],
        timestamp=datetime.fromisoformat(fields["timestamp"]),
        user=User(fields["email"], fields["google_id"]),
        provider=Provider(fields["provider"]),
        disconnected_at=datetime.fromisoformat(fields["disconnected_at"]),
        reason=Reason(fields["reason"]),
        initiated_by=fields["initiated_by"],
        platform_ids=None if recipients is None else tuple(recipients),
    )
