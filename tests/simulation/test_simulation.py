"""A thousand worlds in which everything goes wrong, and in each of them I1 to I10 hold."""

import os
import subprocess
import sys

import pytest
from tests.simulation.mutants import MUTANTS
from tests.simulation.run import run

SEEDS = range(1, 1001)
PORTION = 100


@pytest.mark.parametrize("first", range(SEEDS.start, SEEDS.stop, PORTION))
def test_no_seed_violates_an_invariant(first: int) -> None:
    """Whatever is killed, frozen, cut off, lost or delayed; the first that fails says how."""
    for seed in range(first, first + PORTION):
        verdict = run(seed)
        assert not verdict.violations, f"{verdict}\nagain: make simulate SEED={seed}"


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_worse_flow_is_caught(mutant: str) -> None:
    """Each of the classic mistakes shows within a thousand seeds; nearly always within tens."""
    caught = next((seed for seed in SEEDS if run(seed, MUTANTS[mutant]).violations), None)
    print(f"{mutant}: caught by seed {caught}")  # noqa: T201 - shown by pytest -rP, and in the soak
    assert caught is not None


def test_a_seed_is_replayed_byte_for_byte() -> None:
    """In another process, with other hashes, the trace is the same: so a failure can be studied."""
    traces = [_traces("1"), _traces("2")]
    assert traces[0] == traces[1]
    assert len(traces[0].splitlines()) > 1000


def _traces(hash_seed: str) -> str:
    words = "from tests.simulation.run import run\nfor seed in range(1, 26): print(run(seed))"
    return subprocess.run(
        [sys.executable, "-c", words],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
