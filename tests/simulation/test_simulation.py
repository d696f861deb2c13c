"""A thousand worlds in which everything goes wrong, and in each of them I1 to I10 hold."""

import os
import subprocess
import sys

import pytest
from tests.simulation.draw import MOMENTS, among_hung, draw
from tests.simulation.mutants import MUTANTS
from tests.simulation.run import run, run_world
from tests.simulation.scenario import Deed, DeedPlan, FaultPlan, Manner, Trouble

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


def test_hung_platforms_do_not_hold_up_the_one_that_is_well() -> None:
    """I6: three of four hang, and the fourth hears of every event within its bound."""
    for seed in SEEDS[:40]:
        verdict = run_world(among_hung(seed))
        assert not verdict.violations, verdict


def test_the_seeds_leave_nothing_out() -> None:
    """Every trouble, deed and manner is among the first hundred, and each kind of moment too."""
    scenarios = [draw(seed) for seed in SEEDS[:100]]
    acts = [one for world in scenarios for one in (*world.faults, *world.deeds, *world.second_act)]
    faults = [one for one in acts if isinstance(one, FaultPlan)]
    manners = {one.manner for world in scenarios for one in world.platforms}
    assert {one.trouble for one in faults} == set(Trouble)
    assert {one.deed for one in acts if isinstance(one, DeedPlan)} == set(Deed)
    assert manners == set(Manner)
    assert {one.moment[0] for one in faults if one.moment} == set(MOMENTS)


def test_faults_bite() -> None:
    """Workers die holding events and requests, answers are lost, and something is repeated."""
    traces = [str(run(seed).trace) for seed in SEEDS[:60]]
    for sign in (
        "is killed",
        "thaws",
        "cut off",
        "no answer",
        "rejected",
        "are left",
        "has left",
        "back: ",
    ):
        assert sum(sign in trace for trace in traces) >= 2, sign


def test_a_seed_is_replayed_byte_for_byte() -> None:
    """In another process, with other hashes, the trace is the same: so a failure can be studied."""
    traces = [_traces("1"), _traces("2")]
    assert traces[0] == traces[1]
    assert len(traces[0].splitlines()) > 1000


def _traces(hash_seed: str) -> str:
    words = "from tests.simulation.run import run\nfor seed in range(1, 16): print(run(seed))"
    return subprocess.run(
        [sys.executable, "-c", words],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
