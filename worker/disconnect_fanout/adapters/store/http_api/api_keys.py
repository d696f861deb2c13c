"""Keys at rest: a digest each. A key is 256 random bits, so that its digest can't be guessed."""

import hmac
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.http_api.token_digest import token_digest
from disconnect_fanout.adapters.store.rows.legible import legible
from disconnect_fanout.adapters.store.schema.api_tables import api_keys
from disconnect_fanout.domain.api_key import ApiKey, KeyKind
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.instant import from_ms, maybe_from_ms
from disconnect_fanout.domain.not_found import NotFound

_PREFIXES = {
    KeyKind.PLATFORM: "sk_",
    KeyKind.CAL_API_KEY: "cal_",
    KeyKind.MANAGED_USER: "mut_",
    KeyKind.OAUTH: "oat_",
}

_SHOWN = ("kind", "platform_id", "user_id", "scopes", "created_at", "revoked_at")


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as its operator sees it; the key itself is known to its owner alone."""

    id: str
    kind: str
    platform_id: str | None
    user_id: int | None
    scopes: str | None
    created_at: datetime
    revoked_at: datetime | None


class SqlApiKeys:
    """``flow.disconnection.ApiKeys`` on SQLite and PostgreSQL, and the operator's side of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, token: str) -> ApiKey | None:
        """Return the key, or None if there is no such one or it was revoked."""
        digest = token_digest(token)
        wanted = select(api_keys).where(
            api_keys.c.digest == digest, api_keys.c.revoked_at.is_(None)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None or not hmac.compare_digest(row.digest, digest):
            return None
        if row.kind not in set(KeyKind):  # a newer version's: whom it lets in is not known here
            what = "kind: this version knows no such one"
            self._database.set_aside.note(BadRow(RowKind.API_KEYS, row.id, what))
            return None
        scopes = frozenset(row.scopes.split())
        return ApiKey(row.id, KeyKind(row.kind), row.platform_id, row.user_id, scopes)

    async def create(
        self,
        kind: KeyKind,
        *,
        platform_id: str | None = None,
        user_id: int | None = None,
        scopes: Sequence[str] = (),
    ) -> tuple[str, str]:
        """Make a key; return its id, and itself, this once."""
        name = f"key_{uuid.uuid4().hex[:16]}"
        token = f"{_PREFIXES[kind]}{secrets.token_urlsafe(32)}"
        row = {
            "id": name,
            "kind": kind.value,
            "digest": token_digest(token),
            "platform_id": platform_id,
            "user_id": user_id,
            "scopes": " ".join(scopes),
            "created_at": self._database.now_ms,
        }
        async with self._database.record() as connection:
            await connection.execute(insert(api_keys).values(row))
        return name, token

    async def all(self) -> list[ListedKey]:
        """Return all of them, the newest first."""
        newest = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(newest)).all()
        return [_listed(row) for row in legible(self._database, api_keys, rows, _SHOWN)]

    async def revoke(self, name: str) -> ListedKey:
        """Let nobody in with it any more; return it.

        Raises:
            NotFound: no such key.
        """
        mine = api_keys.c.id == name
        ended = update(api_keys).where(mine, api_keys.c.revoked_at.is_(None))
        async with self._database.record() as connection:
            await connection.execute(ended.values(revoked_at=self._database.now_ms))
            row = (await connection.execute(select(api_keys).where(mine))).one_or_none()
        if row is None:
            raise NotFound("key", name)
        return _listed(row)


def _listed(row: Row[Any]) -> ListedKey:
    return ListedKey(
        id=row.id,
        kind=row.kind,
        platform_id=row.platform_id,
        user_id=row.user_id,
        scopes=row.scopes or None,
        created_at=from_ms(row.created_at),
        revoked_at=maybe_from_ms(row.revoked_at),
    )
