"""Answers that are given again: a request that comes twice with one ``Idempotency-Key``.

The row is written first and the outcome last, both in the transaction of the change. So a second
copy that comes meanwhile waits for the first one's end, and finds its outcome.
"""

from dataclasses import asdict, replace

import orjson
from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.api_tables import answers
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.instant import span_ms
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.token_digest import token_digest
from disconnect_fanout.domain.credential import Credential
from disconnect_fanout.flow.disconnection import Ended, Memo, NotConnected, Outcome, Reused

KEPT_S = 86_400.0
_MOST_AT_ONCE = 500


class RememberedAnswers:
    """Remembers outcomes for a day."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def before(self, connection: AsyncConnection, memo: Memo | None) -> Outcome | None:
        """Return what was answered before; None if it is new, and then keep its place."""
        if memo is None:
            return None
        row = {"caller": memo.caller, "token": token_digest(memo.token), "request": memo.request}
        new = self._database.insert(answers).values(**row, created_at=self._database.now_ms)
        if (await connection.execute(new.on_conflict_do_nothing())).rowcount:
            return None
        found = await connection.execute(select(answers).where(_place(memo)))
        known = found.one()
        if known.request != memo.request:
            return Reused()
        return _outcome(self._seals.open(known.sealed))

    async def remember(
        self, connection: AsyncConnection, memo: Memo | None, outcome: Outcome
    ) -> None:
        """Keep the outcome."""
        if memo is not None:
            sealed = self._seals.seal(_text(outcome))
            await connection.execute(update(answers).where(_place(memo)).values(sealed=sealed))

    async def do_some(self) -> int:
        """Forget some that are older than a day; ``flow.housekeeping.Chore``."""
        old = answers.c.created_at < self._database.now_ms - span_ms(KEPT_S)
        some = select(answers.c.caller, answers.c.token).where(old).limit(_MOST_AT_ONCE)
        async with self._database.intend() as connection:
            rows = (await connection.execute(some)).all()
            for caller, token in rows:
                mine = and_(answers.c.caller == caller, answers.c.token == token)
                await connection.execute(delete(answers).where(mine))
        return len(rows)


def _place(memo: Memo) -> ColumnElement[bool]:
    return and_(answers.c.caller == memo.caller, answers.c.token == token_digest(memo.token))


def _text(outcome: Outcome) -> bytes:
    if isinstance(outcome, Credential):
        return orjson.dumps(
            asdict(replace(outcome, email="", google_id=None))
        )  # answers need neither
    return orjson.dumps(isinstance(outcome, Ended))


def _outcome(text: bytes) -> Outcome:
    known = orjson.loads(text)
    if isinstance(known, dict):
        return Credential(**known)
    return Ended() if known else NotConnected()
