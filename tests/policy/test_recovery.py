"""Recovery: what waits goes out when its platform is back, and little is risked to find out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.recovery import (
    LARGEST_CREDIT,
    MOST_NEEDED,
    Recovery,
    allowance,
    expedited,
    failed,
    invited,
    succeeded,
)


def after(steps: str, recovery: Recovery | None = None, every: float = 0.01) -> Recovery:
    """Return a recovery after failures (``f``) and successes (``s``), so many seconds apart."""
    found = recovery or Recovery()
    for number, step in enumerate(steps):
        found = (succeeded if step == "s" else failed)(found, number * every)
    return found


@pytest.mark.parametrize("steps", ["", "s", "sssss", "fs", "ffs", "sfsffsfsffs"])
def test_a_platform_that_was_not_down_does_not_recover(steps: str) -> None:
    """A failure or two in a row, within a second, among successes, is no outage."""
    assert allowance(after(steps), 1.0) == 0


@pytest.mark.parametrize(("steps", "every"), [("fffs", 0.01), ("fs", 1.0), ("ffs", 0.5)])
def test_a_success_after_nothing_but_failures_hastens_one_row(steps: str, every: float) -> None:
    """Three failures in a row are an outage, and so is a second of failures."""
    assert allowance(after(steps, every=every), 9.0) == 1


def test_nothing_is_hastened_while_it_fails() -> None:
    """The first failure of a recovery ends it; what was allowed and not used is gone."""
    assert allowance(after("ffffff"), 9.0) == 0
    assert allowance(after("fffsssssf"), 9.0) == 0


def test_each_success_allows_two_more() -> None:
    """1, 3, 5, … rows in all, never more than 64 at a time."""
    found, total = after("fffs"), []
    for _ in range(5):
        total.append(allowance(found, 1.0))
        found = succeeded(found, 1.0)
    assert total == [1, 3, 5, 7, 9]
    assert allowance(after("fff" + 200 * "s"), 9.0) == LARGEST_CREDIT


def test_hastened_rows_are_used_up() -> None:
    """What was expedited is not expedited twice on the strength of one success."""
    found = expedited(after("fffss"), 1.0, asked=2, found=2, more_in_s=None)
    assert allowance(found, 1.0) == 1


def test_it_is_over_when_nothing_waits_any_more() -> None:
    """Fewer than asked for, and none later: successes then mean nothing."""
    found = expedited(after("fffss"), 1.0, asked=3, found=1, more_in_s=None)
    assert found == Recovery()
    assert allowance(succeeded(found, 2.0), 2.0) == 0


def test_it_waits_for_what_may_go_later() -> None:
    """Rows with a Retry-After keep the recovery open until then."""
    found = expedited(after("fffss"), 1.0, asked=3, found=1, more_in_s=60.0)
    assert allowance(found, 60.9) == 0
    assert allowance(found, 61.0) == 2


def test_a_failure_meanwhile_is_not_forgotten() -> None:
    """Rows are expedited while others fail: the answer of the store does not make it well."""
    assert expedited(after("fffsf"), 1.0, 1, 0, None) == after("fffsf")


def test_each_recovery_in_vain_needs_twice_the_successes() -> None:
    """1, 2, 4 … 64 in a row before the first row is expedited again."""
    found, needed = after("fff"), []
    for _ in range(9):
        for count in range(1, 200):
            found = succeeded(found, 1.0)
            if allowance(found, 1.0):
                needed.append(count)
                break
        found = failed(found, 1.0)
    assert needed == [1, 2, 4, 8, 16, 32, MOST_NEEDED, MOST_NEEDED, MOST_NEEDED]


def test_an_operator_may_say_that_it_is_back() -> None:
    """One row finds out, also without any failure known here; if it fails, that is a failure."""
    assert allowance(invited(Recovery()), 1.0) == 1
    assert allowance(invited(after("fff")), 1.0) == 1
    assert allowance(expedited(invited(after("fff")), 1.0, 1, 1, None), 1.0) == 0
    assert allowance(failed(invited(after("fff")), 1.0), 1.0) == 0


@given(st.lists(st.sampled_from("fsh"), max_size=300))
def test_no_more_is_at_risk_than_was_delivered(steps: list[str]) -> None:
    """On n successes since the last failure at most 2n - 1 rows are expedited.

    So at most n of them are unanswered when the next failure comes.
    """
    found, good, used = Recovery(), 0, 0
    for number, step in enumerate(steps):
        now = number * 0.3
        if step == "f":
            found, good, used = failed(found, now), 0, 0
        elif step == "s":
            found, good = succeeded(found, now), good + 1
        elif asked := min(allowance(found, now), 16):
            found, used = expedited(found, now, asked, asked, None), used + asked
        assert used + allowance(found, now) <= max(2 * good - 1, 0)


@given(st.integers(1, 400), st.floats(1.0, 3600.0))
def test_flapping_costs_one_row_and_no_more(cycles: int, period_s: float) -> None:
    """Down, one success, down again: after the first time a single success expedites nothing."""
    found, used, now = Recovery(), 0, 0.0
    for _ in range(cycles):
        found = failed(found, now)
        now += period_s
        found = succeeded(found, now)
        if asked := allowance(found, now):
            found, used = expedited(found, now, asked, asked, None), used + asked
    assert used == 1
