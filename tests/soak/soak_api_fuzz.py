"""Some thousand requests that schemathesis makes up."""

from pathlib import Path

import pytest
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.api_fuzz import fuzz
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.installation import Installation


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_fuzzer_finds_no_violation_in_thousands(
    vhost: Vhost, database_url: str, tmp_path: Path, seed: int
) -> None:
    """Documented answers only, whatever is asked."""
    installation = Installation(vhost, database_url, tmp_path, FANOUT_API_RATE="100000/s")
    await installation.migrate()
    await installation.register("plat_luma", "http://127.0.0.1:1/hook")
    async with ApiProcess(installation.settings, tmp_path) as api:
        fuzzed = await fuzz(installation, api, examples=2000, seed=seed)
    print(f"{fuzzed.answers.total()} requests: {dict(fuzzed.answers)}")  # noqa: T201
    assert fuzzed.found == ""
    assert fuzzed.answers.total() > 2000
