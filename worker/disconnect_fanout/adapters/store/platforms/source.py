"""The registered platforms as workers see them, with keys that sign."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, select

from disconnect_fanout.adapters.crypto.vault import Unsealable, Vault
from disconnect_fanout.adapters.crypto.webhook_secret import BadSecret, signing_key
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.platforms.row import platform_flaw
from disconnect_fanout.adapters.store.schema.tables import platforms
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.platform import Platform, Scheme, SigningKey


class SqlPlatformSource:
    """``flow.directory.PlatformSource`` on SQLite and PostgreSQL.

    Args:
        timeout_s: for the whole exchange; a platform may have a shorter one, never a longer.
    """

    def __init__(self, database: Database, vault: Vault, timeout_s: float) -> None:
        self._database = database
        self._vault = vault
        self._timeout_s = timeout_s
        self._known: dict[tuple[str, bytes], SigningKey] = {}

    async def platforms(self) -> Sequence[Platform]:
        """Return all of them, secrets decrypted; one whose secret does not decrypt has no keys.

        One whose row can't be used has none either, and says its flaw.
        """
        overlap = and_(
            platforms.c.old_secret.is_not(None),
            platforms.c.old_secret_until > self._database.now_ms,
        )
        statement = select(platforms, overlap.label("overlap")).order_by(platforms.c.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        before, self._known = self._known, {}
        return [self._platform(row, before) for row in rows]

    def _platform(self, row: Any, before: dict[tuple[str, bytes], SigningKey]) -> Platform:  # noqa: ANN401
        flaw = platform_flaw(row)
        if flaw is not None:
            self._database.set_aside.note(BadRow(RowKind.PLATFORMS, str(row.id), flaw))
            return self._unusable(row, flaw)
        sealed = [row.old_secret, row.secret] if row.overlap else [row.secret]
        return Platform(
            id=row.id,
            name=row.name,
            url=row.url,
            scheme=Scheme(row.scheme),
            keys=self._keys(row.scheme, sealed, before),
            revision=row.revision,
            timeout_s=min(row.timeout_s or self._timeout_s, self._timeout_s),
            max_in_flight=row.max_in_flight,
            rate_per_s=row.rate_per_s,
            authority=row.authority,
            enabled=row.enabled,
            paused=row.paused_at is not None,
        )

    def _unusable(self, row: Any, flaw: str) -> Platform:  # noqa: ANN401
        """It is registered, so that what is for it waits instead of dying; it can't be asked."""
        return Platform(
            id=row.id,
            name=str(row.name),
            url="",
            scheme=Scheme.STANDARD,
            keys=(),
            revision=0,
            timeout_s=self._timeout_s,
            enabled=bool(row.enabled),
            paused=row.paused_at is not None,
            flaw=flaw,
        )

    def _keys(
        self, scheme: str, sealed: Sequence[bytes], before: dict[tuple[str, bytes], SigningKey]
    ) -> tuple[SigningKey, ...]:
        """All keys or none: half of a rotation would be refused by half of the receivers.

        Keys opened for the last snapshot are taken from it, for this runs every second.
        """
        try:
            for one in sealed:
                key = before.get((scheme, one)) or self._open(scheme, one)
                self._known[scheme, one] = key
        except (Unsealable, BadSecret, UnicodeDecodeError):
            return ()
        return tuple(self._known[scheme, one] for one in sealed)

    def _open(self, scheme: str, sealed: bytes) -> SigningKey:
        return signing_key(Scheme(scheme), self._vault.open(sealed).decode())
