"""schemathesis: what the OpenAPI document says is what the running API does."""

from tests.harness.worker.api_fuzz import fuzz
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.installation import Installation


async def test_a_fuzzer_finds_no_violation(any_installation: Installation) -> None:
    """Hundreds of requests, valid and invalid: documented answers, and never a 500."""
    settings = {**any_installation.settings, "FANOUT_API_RATE": "100000/s"}
    await any_installation.register("plat_luma", "http://127.0.0.1:1/hook")
    async with ApiProcess(settings, any_installation.folder) as api:
        fuzzed = await fuzz(any_installation, api, examples=100, seed=1)
        assert "@example.com" not in api.stderr
    assert fuzzed.found == ""
    assert {"delete 200", "delete 404", "post 200", "post 400", "post 404"} <= set(fuzzed.answers)
    assert not any(one.endswith("500") for one in fuzzed.answers)
    assert fuzzed.answers.total() > 200
