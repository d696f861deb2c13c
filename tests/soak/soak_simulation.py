"""Ten thousand worlds, on all cores."""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

import pytest
from tests.simulation.mutants import SUBTLE
from tests.simulation.run import run, violations

SEEDS = 10_000
PORTION = 50


@pytest.mark.timeout(3600)
def test_ten_thousand_seeds() -> None:
    """None violates an invariant; each that did is named, to be replayed."""
    began = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as processes:
        portions = processes.map(violations, range(1, SEEDS, PORTION), repeat(PORTION))
        failed = [one for some in portions for one in some]
    took = time.perf_counter() - began
    print(f"{SEEDS} seeds in {took:.0f} s, {SEEDS / took:.0f} a second")  # noqa: T201
    assert failed == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", SUBTLE)
def test_a_subtle_mistake_is_caught(mutant: str) -> None:
    """Mistakes that show only when several things go wrong together; within a thousand seeds."""
    seeds = range(1, 1001)
    caught = next((seed for seed in seeds if run(seed, SUBTLE[mutant]).violations), None)
    print(f"{mutant}: caught by seed {caught}")  # noqa: T201
    assert caught is not None
