"""How long to wait before the next attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.duration import parse_duration
from disconnect_fanout.policy.backoff import DEFAULT_SCHEDULE, wait_seconds

chances = st.floats(0, 1, exclude_max=True)


def test_the_default_schedule_is_the_one_of_standard_webhooks() -> None:
    """5s 5m 30m 2h 5h 10h 14h 20h 24h: nine waits, so ten attempts."""
    text = "5s 5m 30m 2h 5h 10h 14h 20h 24h"
    assert tuple(parse_duration(wait) for wait in text.split()) == DEFAULT_SCHEDULE


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.9), (0.25, 0.95), (0.5, 1.0), (1.0, 1.1)])
def test_jitter_spreads_a_wait_by_a_tenth_either_way(chance: float, factor: float) -> None:
    """Chance 0 shortens each wait by exactly 10 %, 1/2 leaves it, 1 lengthens it by 10 %."""
    waits = [wait_seconds(DEFAULT_SCHEDULE, step, chance) for step in range(9)]
    assert waits == pytest.approx([wait * factor for wait in DEFAULT_SCHEDULE])


@given(st.lists(st.floats(0.001, 1e6), max_size=6), st.integers(0, 9), chances)
def test_there_is_a_wait_for_each_step_and_none_after(
    schedule: list[float], step: int, chance: float
) -> None:
    """Step n takes the n-th wait; when all are used up there is none."""
    wait = wait_seconds(schedule, step, chance)
    if step < len(schedule):
        assert wait is not None
        assert schedule[step] * 0.8999 <= wait <= schedule[step] * 1.1001
    else:
        assert wait is None


def test_an_empty_schedule_means_one_attempt() -> None:
    """No waits: nothing is tried again."""
    assert wait_seconds((), 0, 0.5) is None
