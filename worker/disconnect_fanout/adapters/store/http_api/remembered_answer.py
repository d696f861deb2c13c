"""Answers that are given again: a request that comes twice with one ``Idempotency-Key``.

The row is written first and the outcome last, both in the transaction of the change. So a second
copy that comes meanwhile waits for the first one's end, and finds its outcome.

The request and its key are hashed with the installation's key, for both may hold an address. Rows
of an earlier version hold bare digests: they are found as they are, and are hashed again, which
needs nothing but the digest, by the workers and by whoever forgets a person.
"""

from dataclasses import asdict, replace
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.http_api.token_digest import token_digest
from disconnect_fanout.adapters.store.schema.api_tables import answers
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import require_keys
from disconnect_fanout.domain.credential import Credential
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.flow.disconnection import Ended, Memo, NotConnected, Outcome, Reused

KEPT_S = 86_400.0
_MOST_AT_ONCE = 500
_BARE = 64  # hexadecimal digits of a digest without a key; a keyed hash has half of them
_HASHED = ("token", "request")
_FORGOTTEN = ""


class RememberedAnswers:
    """Remembers outcomes for a day."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def before(self, connection: AsyncConnection, memo: Memo | None) -> Outcome | None:
        """Return what was answered before; None if it is new, and then keep its place."""
        if memo is None:
            return None
        known = await self._known(connection, memo)
        if known is None:
            if await self._is_new(connection, memo):
                return None
            known = await self._known(connection, memo)  # there since: its transaction has ended
        assert known is not None  # noqa: S101 - only a day ends it
        if known.request not in {_FORGOTTEN, memo.request, self._seals.text_hash(memo.request)}:
            return Reused()
        return await self._opened(connection, known.sealed)

    async def remember(
        self,
        connection: AsyncConnection,
        memo: Memo | None,
        outcome: Outcome,
        email: str | None,
    ) -> None:
        """Keep the outcome.

        Args:
            connection: of the transaction that began with ``before``.
            memo: None keeps nothing.
            outcome: the answer.
            email: as anybody wrote it; whose connection it was about, None if that is not known.
        """
        if memo is not None:
            user = None if email is None else self._seals.text_hash(mailbox(email))
            outcome_columns = {"sealed": self._seals.seal(_text(outcome)), "user_hash": user}
            await connection.execute(
                update(answers).where(self._place(memo)).values(outcome_columns)
            )

    async def forget(self, email: str) -> None:
        """Keep the outcomes about an address, and nothing that tells whose they are.

        What was asked with such a key before is still not done twice, whatever it was.
        """
        theirs = answers.c.user_hash == self._seals.text_hash(mailbox(email))
        emptied = update(answers).where(theirs).values(request=_FORGOTTEN, user_hash=None)
        async with self._database.record() as connection:
            await connection.execute(emptied)
        while await self._key_some():
            pass

    async def _opened(self, connection: AsyncConnection, sealed: bytes) -> Outcome | None:
        """An answer that is damaged is as good as none: what was asked is done, or is done already.

        Raises:
            SecretKeyMissing: it is sealed with a key that is not here.
        """
        try:
            return _outcome(self._seals.open(sealed))
        except Unsealable:
            await require_keys(connection, self._seals)
            return None

    async def do_some(self) -> int:
        """Hash bare digests again, then end some that are older than a day.

        ``flow.housekeeping.PeriodicJob``.
        """
        return await self._key_some() or await self._end_some()

    async def _key_some(self) -> int:
        """Where a request came to both versions at once, the answer of this one stays."""
        some = select(answers).where(func.length(answers.c.token) == _BARE).limit(_MOST_AT_ONCE)
        async with self._database.record() as connection:
            rows = (await connection.execute(some.with_for_update(skip_locked=True))).all()
            for row in rows:
                mine = and_(answers.c.caller == row.caller, answers.c.token == row.token)
                await connection.execute(delete(answers).where(mine))
                keyed = {name: self._seals.text_hash(getattr(row, name)) for name in _HASHED}
                again = self._database.insert(answers).values(row._asdict() | keyed)
                await connection.execute(again.on_conflict_do_nothing())
        return len(rows)

    async def _known(self, connection: AsyncConnection, memo: Memo) -> Row[Any] | None:
        """Return the row, by whichever version it was written."""
        digest = token_digest(memo.token)
        places = (digest, self._seals.text_hash(digest))
        wanted = select(answers).where(answers.c.caller == memo.caller, answers.c.token.in_(places))
        return (await connection.execute(wanted.limit(1))).one_or_none()

    async def _is_new(self, connection: AsyncConnection, memo: Memo) -> bool:
        """Keep its place, waiting for whoever else is about to."""
        row = {
            "caller": memo.caller,
            "token": self._seals.text_hash(token_digest(memo.token)),
            "request": self._seals.text_hash(memo.request),
        }
        new = self._database.insert(answers).values(**row, created_at=self._database.now_ms)
        return bool((await connection.execute(new.on_conflict_do_nothing())).rowcount)

    def _place(self, memo: Memo) -> ColumnElement[bool]:
        token = self._seals.text_hash(token_digest(memo.token))
        return and_(answers.c.caller == memo.caller, answers.c.token == token)

    async def _end_some(self) -> int:
        old = answers.c.created_at < self._database.now_ms - span_ms(KEPT_S)
        some = select(answers.c.caller, answers.c.token).where(old).limit(_MOST_AT_ONCE)
        async with self._database.intend() as connection:
            rows = (await connection.execute(some)).all()
            for caller, token in rows:
                mine = and_(answers.c.caller == caller, answers.c.token == token)
                await connection.execute(delete(answers).where(mine))
        return len(rows)


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
