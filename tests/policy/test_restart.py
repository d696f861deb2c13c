"""When a duty is begun again, and when that is of no use."""

from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.faults.restart import (
    LONGEST_REST_S,
    MOST_IN_A_ROW,
    SOUND_AFTER_S,
    Failures,
    failed,
)


def test_the_rest_doubles_up_to_a_minute() -> None:
    """One second, then twice as long each time, never more than a minute."""
    rests, failures = [], Failures()
    for _ in range(MOST_IN_A_ROW):
        failures = failed(failures, ran_s=0.0)
        rests.append(failures.rest_s)
    assert rests == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_REST_S, LONGEST_REST_S]


def test_it_is_hopeless_after_two_minutes_of_nothing_else() -> None:
    """The last of so many failures in a row says so, and none before it."""
    failures = Failures()
    for number in range(1, MOST_IN_A_ROW + 1):
        failures = failed(failures, ran_s=SOUND_AFTER_S - 1)
        assert failures.hopeless is (number == MOST_IN_A_ROW)


@given(st.integers(min_value=0, max_value=100))
def test_a_sound_run_is_a_new_beginning(before: int) -> None:
    """Whoever has done its duty for a minute fails for the first time again."""
    assert failed(Failures(before), ran_s=SOUND_AFTER_S) == Failures(1)
