"""One row, proven: set up, harmed under load, settled, judged."""

from dataclasses import dataclass
from pathlib import Path

from tests.faults.ledger import Verdict, judge
from tests.faults.place import Servers
from tests.faults.row import Row
from tests.faults.scene import Scene


@dataclass(frozen=True, slots=True)
class Finding:
    """A row, what was seen, and what the ledger says.

    Attributes:
        requests: how many the platforms had.
    """

    row: Row
    evidence: str
    verdict: Verdict
    requests: int

    @property
    def holds(self) -> bool:
        """Whether the fault has bitten and every promise was kept, as this row says."""
        allowed = self.row.duplicates == "in-flight" or not self.verdict.excused
        return bool(self.evidence) and self.verdict.holds and allowed

    def __str__(self) -> str:
        sign = "holds " if self.holds else "BROKEN"
        return (
            f"{sign} [{self.row.kind}] {self.row.name}\n"
            f"       evidence: {self.evidence}\n"
            f"       {self.requests} requests: {self.verdict}; "
            f"duplicates allowed: {self.row.duplicates}"
        )


async def prove(row: Row, servers: Servers, folder: Path) -> Finding:
    """Let the fault happen, and judge.

    Raises:
        AssertionError: the fault has not bitten, or upstream did not get its confirms.
    """
    fault = row.fault()
    async with Scene(row, servers, folder) as scene:
        await fault.prepare(scene)
        await scene.start()
        scene.publish()
        evidence = await fault.bite(scene)
        await scene.settle()
        assert scene.upstream.confirmed == set(scene.ids), "upstream is not done"
        books = await scene.books()
    return Finding(row, evidence, judge(books), len(books.received))
