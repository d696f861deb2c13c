"""A rate: so many requests a second, evenly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.rate import next_token_at, spend, tokens

rates = st.floats(0.01, 1000)
instants = st.floats(0, 1e6)


def burst(per_s: float, due: float, now: float) -> int:
    """Spend all that may go at ``now``, one by one."""
    spent = 0
    while tokens(per_s, due, now) > 0:
        due, spent = spend(per_s, due, now), spent + 1
    return spent


@pytest.mark.parametrize(
    ("per_s", "burst_size"), [(0.1, 1), (1, 1), (10, 1), (20, 2), (50, 5), (100, 10), (1000, 100)]
)
def test_a_rested_platform_gets_a_tenth_of_a_second_at_once(per_s: float, burst_size: int) -> None:
    """The burst is a tenth of a second's worth, and at least one."""
    assert tokens(per_s, 0.0, 1000.0) == burst_size
    assert burst(per_s, 0.0, 1000.0) == burst_size


def test_after_the_burst_requests_are_evenly_spaced() -> None:
    """At 50 a second the sixth request goes 20 ms after the burst, and not sooner."""
    due = 0.0
    for _ in range(5):
        due = spend(50, due, 1000.0)
    assert tokens(50, due, 1000.0) == 0
    assert tokens(50, due, 990.0) == 0
    assert tokens(50, due, 1000.0199) == 0
    assert tokens(50, due, 1000.0201) == 1
    assert tokens(50, due, 1000.0401) == 2


def test_rest_is_not_saved_up() -> None:
    """An hour of silence allows no more than the burst."""
    due = spend(50, 0.0, 1000.0)
    assert tokens(50, due, 4600.0) == 5
    assert spend(50, due, 4600.0) == pytest.approx(4600.02)


@given(rates, instants, st.integers(0, 200))
def test_the_named_instant_is_the_first_with_a_token(per_s: float, now: float, spent: int) -> None:
    """At next_token_at one may go; a hundredth of an interval before, none may."""
    due = now
    for _ in range(spent):
        due = spend(per_s, due, now)
    at = next_token_at(per_s, due)
    assert tokens(per_s, due, max(at, now)) >= 1
    if at > now:
        assert tokens(per_s, due, at - 0.01 / per_s) == 0


@given(st.floats(0.5, 200), st.lists(st.floats(0, 0.5), min_size=1, max_size=30))
def test_no_stretch_of_time_sees_more_than_the_rate_and_one_burst(
    per_s: float, pauses: list[float]
) -> None:
    """However greedily one asks, n seconds let through at most n times the rate plus the burst."""
    due, now, sent = 0.0, 1000.0, 0
    for pause in pauses:
        now += pause
        while tokens(per_s, due, now) > 0:
            due, sent = spend(per_s, due, now), sent + 1
    elapsed = now - 1000.0 - pauses[0]
    assert sent <= elapsed * per_s + max(0.1 * per_s, 1) + 0.001
