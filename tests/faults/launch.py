"""``fanout run`` with faults built in: the worker that the fault tests start.

``FAULT_POINT``, ``FAULT_AFTER``, ``FAULT_TIMES`` and ``FAULT_MARKER`` set a fail point,
``FAULT_RAISES`` lets duties raise so often, with ``FAULT_SEED`` and the marker;
``FAULT_NAMES`` names a file of host names, ``FAULT_NAME_SERVER`` is the address of a name server,
``FAULT_CLOCK`` names a file with seconds to add to the clock, ``FAULT_DESCRIPTORS`` is how many may
be open.
"""

import os
import resource
import sys
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Self

from tests.faults import fail_point
from tests.faults.resolver import FileResolver
from tests.faults.struck_duties import struck_duties

from disconnect_fanout.adapters.broker import consumer
from disconnect_fanout.adapters.http.resolver import NameResolver
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.app import parts, worker
from disconnect_fanout.app.stores import Stores, sql_stores
from disconnect_fanout.cli.main import main
from disconnect_fanout.policy.faults import restart


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


def _strike_duties(environment: dict[str, str]) -> None:
    _replace(restart, "FIRST_REST_S", 0.02)  # a hundred failures in seconds
    _replace(restart, "SOUND_AFTER_S", 0.0)
    kind = struck_duties(
        times=int(environment["FAULT_RAISES"]),
        chance=Random(int(environment["FAULT_SEED"])),  # noqa: S311 - instants, no secrets
        marker=Path(environment["FAULT_MARKER"]),
    )
    _replace(worker, "Duties", kind)


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
    if "FAULT_RAISES" in given:
        _strike_duties(given)
    if "FAULT_NAMES" in given:
        names = FileResolver.reading(Path(given["FAULT_NAMES"]))
        _replace(parts, "NameResolver", names)
    if "FAULT_NAME_SERVER" in given:
        _replace(parts, "NameResolver", partial(NameResolver, [given["FAULT_NAME_SERVER"]]))
    if "FAULT_CLOCK" in given:
        _shift_clocks(Path(given["FAULT_CLOCK"]))
    if "FAULT_DESCRIPTORS" in given:
        most = int(given["FAULT_DESCRIPTORS"])
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.argv = ["fanout", "run"]
    main()
