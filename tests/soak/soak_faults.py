"""Every fault of the matrix, on real parts. ARGS='-k "broker"' picks."""

from pathlib import Path

import pytest
from tests.faults.conftest import report, servers
from tests.faults.place import Servers
from tests.faults.proof import prove
from tests.faults.report import Report
from tests.faults.row import Row, matrix

__all__ = ["report", "servers"]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("row", matrix(), ids=lambda row: f"{row.kind}: {row.name}")
async def test_a_fault_breaks_no_promise(
    row: Row, servers: Servers, tmp_path: Path, report: Report
) -> None:
    """It has bitten; nothing is lost, unexpected or unrecorded; twice only what I3 allows."""
    finding = await prove(row, servers, tmp_path)
    report.note(finding)
    assert finding.holds, finding.verdict
