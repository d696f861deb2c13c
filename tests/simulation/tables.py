"""The store's tables, which look at every write as it is made."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.harness.flow.stage import LoopTables

from disconnect_fanout.policy.change import Change
from disconnect_fanout.policy.delivery_row import DeliveryRow


@dataclass(slots=True)
class SimulatedTables(LoopTables):
    """Tables that tell what happens to them.

    Attributes:
        user: who writes.
        crashes: how often the database crashed.
        on_row: told who wrote, the row before (None if it is new) and after.
        on_commit: told who committed what, once it is on the disk.
    """

    user: str = ""
    crashes: int = 0
    on_row: Callable[[str, DeliveryRow | None, DeliveryRow], None] = lambda *_: None
    on_commit: Callable[[str, Sequence[Change]], None] = lambda *_: None

    def save(self, rows: Iterable[DeliveryRow]) -> None:
        for row in rows:
            self.commits += 1
            before = self.deliveries.get(row.id)
            self.deliveries[row.id] = row
            if before != row:
                self.on_row(self.user, before, row)

    def fall(self, kept: int) -> None:
        """Crash, and come back with what was on the disk."""
        self.crash(kept)
        self.crashes += 1
