"""When the dead-letter queue is compared with the rows: soon, and not all the time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.sweep import Look, compare_now


@pytest.mark.parametrize("rested_s", [0.0, 1e9])
def test_what_agrees_is_not_compared(rested_s: float) -> None:
    """Nor is a difference that was not there at the last look, or is gone at this one."""
    agree, differ = Look(100, 0), Look(100, 1)
    assert not compare_now(agree, agree, rested_s)
    assert not compare_now(agree, differ, rested_s)
    assert not compare_now(differ, agree, rested_s)


@pytest.mark.parametrize("surplus", [1, 100_000, -3])
def test_a_difference_that_stays_is_looked_into_at_once(surplus: int) -> None:
    """Everything has settled: whatever it costs, queue and rows must agree within seconds."""
    assert compare_now(Look(200_000, surplus), Look(200_000, surplus), 0.0)


def test_a_queue_that_is_being_emptied_is_compared_now_and_then() -> None:
    """When half of it is stale, or after a rest; a short queue at nearly every look."""
    before = Look(100_000, 10_000)
    assert not compare_now(before, Look(100_000, 10_040), 10.0)
    assert compare_now(before, Look(100_000, 50_000), 10.0)
    assert compare_now(before, Look(100_000, 10_040), 200.0)
    assert compare_now(Look(500, 1), Look(500, 2), 1.0)


@given(st.integers(1, 300_000), st.integers(1, 2000))
def test_emptying_a_queue_looks_at_each_letter_twice(letters: int, per_look: int) -> None:
    """However fast or slowly: all comparisons together show no more than that, and the rests."""
    depth, stale, shown, before = letters, 0, 0, Look()
    compared_at, now = 0.0, 0.0
    for _ in range(2 * letters // per_look + 10):
        now += 2.0
        stale = min(stale + per_look, depth)
        look = Look(depth, stale)
        if compare_now(before, look, now - compared_at):
            shown, depth, stale, compared_at = shown + depth, depth - stale, 0, now
            look = Look()
        before = look
        if not depth:
            break
    assert depth == 0
    assert shown <= 2 * letters + now * 10_000 / 20 + 2 * per_look
