"""The timeline: one row for each request that was made."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import attempts
from disconnect_fanout.adapters.store.seals.answer_seals import answer_columns
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.instant import to_ms
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.transition import Transition


async def write_attempts(
    connection: AsyncConnection,
    database: Database,
    vault: Vault,
    made: Iterable[tuple[str, Attempt]],
) -> None:
    """Insert attempts under their delivery's id, with the answers sealed."""
    rows = [_row(name, one) | answer_columns(vault, one.answer) for name, one in made]
    await _insert(connection, database, rows)


async def write_cut_off(
    connection: AsyncConnection, database: Database, changes: Iterable[Transition]
) -> None:
    """Insert the attempts that ended with their workers."""
    made = [(one.after.id, one.cut_off) for one in changes]
    await _insert(connection, database, [_row(name, cut) for name, cut in made if cut is not None])


async def _insert(
    connection: AsyncConnection, database: Database, rows: Sequence[dict[str, Any]]
) -> None:
    """Insert rows.

    One that is there already stays as it is, so that writing it twice is harmless; only a guess
    gives way: *interrupted*, when the worker that was thought dead reports after all.
    """
    if not rows:
        return
    insert = database.insert(attempts)
    replaced = {
        name: insert.excluded[name]
        for name in ("at", "result", "status", "duration_ms", "answer", "sealed", "replay")
    }
    statement = insert.on_conflict_do_update(
        index_elements=["delivery_id", "number"],
        set_=replaced,
        where=attempts.c.result == Result.INTERRUPTED,
    )
    await connection.execute(statement, rows)


def _row(delivery_id: str, attempt: Attempt) -> dict[str, Any]:
    return {
        "delivery_id": delivery_id,
        "number": attempt.number,
        "at": to_ms(attempt.at),
        "result": attempt.result,
        "status": attempt.status,
        "duration_ms": attempt.duration_ms,
        "answer": attempt.answer,
        "sealed": None,
        "replay": attempt.replay,
    }
