"""The breaker: stops giving slots to a platform that only holds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.breaker import (
    Breaker,
    abandoned,
    answered,
    failed,
    probe_due,
    started,
)


def opened(now: float = 100.0) -> Breaker:
    """A breaker that five failures at ``now`` have opened."""
    breaker = Breaker()
    for _ in range(5):
        breaker = failed(breaker, now, probe=False)
    return breaker


def test_it_opens_at_the_fifth_failure_in_a_row() -> None:
    """Four failures leave it closed, the fifth opens it for two seconds."""
    breaker = Breaker()
    for _ in range(4):
        breaker = failed(breaker, 100.0, probe=False)
        assert breaker.closed
    breaker = failed(breaker, 100.0, probe=False)
    assert not breaker.closed
    assert breaker.open_until == 102.0


@pytest.mark.parametrize("failures", range(5))
def test_an_answer_starts_the_count_anew(failures: int) -> None:
    """In a row means in a row: any HTTP answer between failures forgets them."""
    breaker = Breaker()
    for _ in range(failures):
        breaker = failed(breaker, 100.0, probe=False)
    assert answered(breaker) == Breaker()


@pytest.mark.parametrize(("now", "due"), [(100.0, False), (101.999, False), (102.0, True)])
def test_the_probe_is_due_when_the_wait_is_over(now: float, *, due: bool) -> None:
    """Not before the two seconds are over, and from then on."""
    assert probe_due(opened(), now) is due


def test_a_closed_breaker_needs_no_probe() -> None:
    """Closed lets everything through and marks nothing."""
    assert not probe_due(Breaker(), 1e9)
    assert started(Breaker(failures=3)) == Breaker(failures=3)


def test_only_one_probe_goes() -> None:
    """Once the probe is under way no other is due, however long it takes."""
    probing = started(opened())
    assert not probe_due(probing, 1e9)


def test_failing_probes_double_the_wait_up_to_thirty_seconds() -> None:
    """2, 4, 8, 16, 30, 30: each counted from the failure of its probe."""
    breaker, now, waits = opened(0.0), 0.0, []
    for _ in range(6):
        assert breaker.open_until is not None
        waits.append(breaker.open_until - now)
        now = breaker.open_until + 1
        breaker = failed(started(breaker), now, probe=True)
    assert waits == [2, 4, 8, 16, 30, 30]
    assert not breaker.probing


def test_any_answer_closes_it_for_good() -> None:
    """A probe or a straggler that is answered closes it; the next wait is two seconds again."""
    lengthened = failed(started(opened()), 102.0, probe=True)
    assert answered(lengthened) == Breaker()
    assert answered(started(lengthened)).closed


def test_stragglers_do_not_lengthen_the_wait() -> None:
    """Requests that were under way when it opened fail without consequence, probing or not."""
    breaker = opened()
    assert failed(breaker, 101.0, probe=False) == breaker
    assert failed(started(breaker), 103.0, probe=False) == started(breaker)


def test_an_abandoned_probe_makes_room_for_another() -> None:
    """A probe that says nothing is as if it had not gone; other requests change nothing."""
    probing = started(opened())
    assert abandoned(probing, probe=True) == opened()
    assert abandoned(probing, probe=False) == probing
    assert abandoned(Breaker(failures=3), probe=False) == Breaker(failures=3)


@given(st.lists(st.sampled_from(["pass", "failed", "answered", "abandoned"]), max_size=60))
def test_a_wait_is_never_longer_than_thirty_seconds_and_always_ends(steps: list[str]) -> None:
    """Whatever happens, an open breaker lets a probe go within thirty seconds."""
    breaker, now = Breaker(), 0.0
    for step in steps:
        probe = probe_due(breaker, now)
        if probe:
            breaker = started(breaker)
        if step == "failed":
            breaker = failed(breaker, now, probe=probe)
        elif step == "answered":
            breaker = answered(breaker)
        else:
            breaker = abandoned(breaker, probe=probe)
        if not breaker.closed:
            assert probe_due(breaker, now + 30.0)
        now += 1.0 if step == "pass" else 0.1
