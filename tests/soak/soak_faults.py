"""Every fault of the matrix, on real parts. ARGS='-k "broker"' picks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.conftest import servers
from tests.faults.place import Servers
from tests.faults.proof import prove
from tests.faults.report import PROPERTY
from tests.faults.row import Row, matrix

__all__ = ["servers"]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("row", matrix(), ids=lambda row: f"{row.kind}: {row.name}")
async def test_a_fault_breaks_no_promise(
    row: Row, servers: Servers, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """It has bitten; nothing is lost, unexpected or unrecorded; twice only what I3 allows."""
    finding = await prove(row, servers, tmp_path)
    record_property(PROPERTY, str(finding))
    assert finding.holds, finding.verdict
