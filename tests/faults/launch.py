"""``fanout run`` with faults built in: the worker that the fault tests start.

``FAULT_POINT``, ``FAULT_AFTER``, ``FAULT_TIMES`` and ``FAULT_MARKER`` set a fail point,
``FAULT_NAMES`` names a file of host names, ``FAULT_CLOCK`` one with seconds to add to the clock.
``FAULT_DESCRIPTORS`` is how many may be open.
"""

import os
import resource
import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

from aiohttp import connector
from tests.faults import fail_point
from tests.faults.resolver import FileResolver

from disconnect_fanout.adapters.broker import consumer
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.app import parts, worker
from disconnect_fanout.app.stores import Stores, sql_stores
from disconnect_fanout.cli.main import main


def _set_fail_point(environment: dict[str, str]) -> None:
    point = fail_point.FailPoint(
        name=environment["FAULT_POINT"],
        after=int(environment.get("FAULT_AFTER", "1")),
        times=int(environment.get("FAULT_TIMES", "1")),
        marker=Path(environment["FAULT_MARKER"]),
    )

    def stores_with_point(*args: Any) -> Stores:
        return fail_point.stores_with(sql_stores(*args), point)

    _replace(worker, "sql_stores", stores_with_point)
    _replace(parts, "AiohttpSender", fail_point.sender_with(point))
    _replace(parts, "AmqpLetterQueue", fail_point.letter_queue_with(point))
    _replace(consumer, "AmqpMessage", fail_point.message_with(point))


def _shift_clocks(file: Path) -> None:
    """Move the wall clock of the worker, and the database's as this worker reads it."""

    def offset_s() -> int:
        return int(file.read_text() or "0")

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(seconds=offset_s())

    read: Any = vars(Database)["now_ms"].fget
    _replace(Database, "now_ms", property(lambda self: read(self) + offset_s() * 1000))
    _replace(parts, "datetime", Shifted)


def _replace(where: object, name: str, by: object) -> None:
    """Put a part in the place of another; a name that is gone is an error, not a fault unset."""
    getattr(where, name)
    setattr(where, name, by)


if __name__ == "__main__":
    given = dict(os.environ)
    if "FAULT_POINT" in given:
        _set_fail_point(given)
    if "FAULT_NAMES" in given:
        names = FileResolver.reading(Path(given["FAULT_NAMES"]))
        _replace(connector, "DefaultResolver", names)
    if "FAULT_CLOCK" in given:
        _shift_clocks(Path(given["FAULT_CLOCK"]))
    if "FAULT_DESCRIPTORS" in given:
        most = int(given["FAULT_DESCRIPTORS"])
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.argv = ["fanout", "run"]
    main()
