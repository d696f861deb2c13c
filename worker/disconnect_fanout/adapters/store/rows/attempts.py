"""The timeline: one row for each request that was made."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import attempts
from disconnect_fanout.adapters.store.seals.answer_seals import answer_columns
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.instant import from_ms, to_ms
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.delivery_row import DeliveryRow

_CUT_OFF = "its worker ended before it could record the outcome"


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
    connection: AsyncConnection, database: Database, rows: Iterable[DeliveryRow]
) -> None:
    """Insert the attempts that ended with their workers; each row counts its own already."""
    await _insert(connection, database, [_row(*cut_off(row)) for row in rows])


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


def cut_off(row: DeliveryRow) -> tuple[str, Attempt]:
    """Return the attempt of a worker whose lease expired. ``row`` counts it already."""
    attempt = Attempt(
        number=row.attempts,
        at=from_ms(row.read_at),
        result=Result.INTERRUPTED,
        status=None,
        duration_ms=0,
        answer=_CUT_OFF,
        replay=row.replays > 0,
    )
    return row.id, attempt


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
