"""The fault matrix, read: one row for each fault that was thought of."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

from tests.faults.scene import Scene

MATRIX = Path(__file__).with_name("matrix.toml")
CLASSES = (
    "worker", "broker", "network", "database", "receiver", "dns", "clock", "replay", "means",
    "cluster",
)  # fmt: skip


class Fault(Protocol):
    """Something that goes wrong, and how we know that it did."""

    async def prepare(self, scene: Scene) -> None:
        """Set it up, before the worker starts."""

    async def bite(self, scene: Scene) -> str:
        """Let it happen while the load runs; return what proves that it has bitten.

        Raises:
            AssertionError: it has not.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is published, and told to how many platforms; all at once if no rate is given."""

    events: int = 200
    per_s: float = 0.0
    platforms: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault.

    Attributes:
        name: what goes wrong, in the words of the report.
        kind: its class.
        injection: file and class in ``injections``, made with ``arguments``.
        evidence: what proves that it has bitten, in words; the injection looks for it.
        duplicates: none, or what I3 allows: what was in flight when somebody forgot.
        suite: whether it is part of ``make test``; all are part of ``make soak``.
        broker, database, wires: what it needs to itself.
        within_s: until all is told, after the fault.
    """

    name: str
    kind: str
    injection: str
    evidence: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    load: Load = Load()
    duplicates: Literal["none", "in-flight"] = "none"
    suite: Literal["test", "soak"] = "soak"
    broker: Literal["shared", "own", "cluster"] = "shared"
    database: Literal["sqlite", "small-disk", "postgresql", "own-postgresql"] = "sqlite"
    wires: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    within_s: float = 60.0

    def fault(self) -> Fault:
        """Make what is to be injected."""
        file, _, name = self.injection.partition(".")
        made: Fault = getattr(import_module(f"tests.faults.injections.{file}"), name)(
            **self.arguments
        )
        return made


def matrix() -> list[Row]:
    """Read all rows."""
    rows = tomllib.loads(MATRIX.read_text("utf-8"))["fault"]
    return [_row(dict(one)) for one in rows]


def _row(given: dict[str, Any]) -> Row:
    load = Load(**given.pop("load", {}))
    wires = tuple(given.pop("wires", ()))
    return Row(kind=given.pop("class"), load=load, wires=wires, **given)
