"""One fault of each class, on real parts; all of them are part of ``make soak``."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.place import Servers
from tests.faults.proof import prove
from tests.faults.report import PROPERTY
from tests.faults.row import Row, matrix

QUICK = [row for row in matrix() if row.suite == "test"]


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
async def test_a_fault_breaks_no_promise(
    row: Row, servers: Servers, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """It has bitten; nothing is lost, unexpected or unrecorded; twice only what I3 allows."""
    finding = await prove(row, servers, tmp_path)
    record_property(PROPERTY, str(finding))
    assert finding.holds, finding.verdict
