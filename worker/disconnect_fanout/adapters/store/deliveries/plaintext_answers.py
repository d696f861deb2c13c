"""Answers that an earlier version stored in clear: sealed where they are, a batch at a time."""

from sqlalchemy import bindparam, select, update

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import attempts, clear_answer
from disconnect_fanout.adapters.store.seals.answer_seals import answer_columns

_MOST_AT_ONCE = 500
_SEAL = (
    update(attempts)
    .where(
        attempts.c.delivery_id == bindparam("_delivery_id"),
        attempts.c.number == bindparam("_number"),
    )
    .values(answer=bindparam("_answer"), sealed=bindparam("_sealed"))
)


class PlaintextAnswers:
    """``flow.housekeeping.PeriodicJob``: an answer reads the same before, while and after."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def do_some(self) -> int:
        """Seal some answers; return how many, 0 when none is left.

        A row that somebody else is changing is left for the next time.
        """
        named = (attempts.c.delivery_id, attempts.c.number)
        some = select(*named, attempts.c.answer).where(clear_answer).order_by(*named)
        async with self._database.intend() as connection:
            rows = await connection.execute(
                some.limit(_MOST_AT_ONCE).with_for_update(skip_locked=True)
            )
            sealed = [
                {
                    "_delivery_id": row.delivery_id,
                    "_number": row.number,
                    **{f"_{k}": v for k, v in answer_columns(self._vault, row.answer).items()},
                }
                for row in rows
            ]
            if sealed:
                await connection.execute(_SEAL, sealed)
        return len(sealed)
