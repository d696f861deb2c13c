"""The vigil: deaf is not the same as idle, and what can't be seen is not judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.faults.silence import (
    LONGEST_SILENCE_S,
    Sample,
    Silence,
    hopeless,
    looked,
)

WELL = Sample(wanted=True, attached=True, taken=7, ready=0)
DEAF = Sample(wanted=True, attached=True, taken=7, ready=3)
LOOSE = Sample(wanted=True, attached=False, taken=7, ready=0)


def after(*sights: Sample, every_s: float = 10.0) -> tuple[Silence, float]:
    """Look so often; return what is known, and when."""
    vigil, now = Silence(), 0.0
    for sight in sights:
        vigil, now = looked(vigil, sight, now), now + every_s
    return vigil, now - every_s


@pytest.mark.parametrize(
    "sights",
    [
        (WELL, WELL),
        (DEAF,),
        (DEAF, Sample(wanted=True, attached=True, taken=8, ready=900)),
        (DEAF, Sample(wanted=True, attached=True, taken=7, ready=0)),
        (LOOSE, WELL),
        (DEAF, DEAF, Sample(wanted=False, attached=False, taken=7, ready=3)),
        (DEAF, DEAF, Sample(wanted=True, attached=False, taken=7, ready=None)),
    ],
    ids=["idle", "first look", "slow", "emptied", "attached again", "nobody to tell", "no broker"],
)
def test_all_is_well(sights: tuple[Sample, ...]) -> None:
    """An idle, a slow, a waiting worker, and one whose broker is away, are not deaf."""
    assert after(*sights)[0].problem is None


@pytest.mark.parametrize(
    ("sights", "words"),
    [((DEAF, DEAF), "none comes"), ((WELL, LOOSE), "no consumer is attached")],
)
def test_a_silence_is_named(sights: tuple[Sample, ...], words: str) -> None:
    """Messages wait and none came since the last look, or there is no consumer at all."""
    assert words in (after(*sights)[0].problem or "")


@pytest.mark.parametrize("sight", [DEAF, LOOSE])
def test_it_is_hopeless_after_two_minutes_and_not_before(sight: Sample) -> None:
    """Counted from the look that found it."""
    vigil, now = after(WELL, *[sight] * 12)
    assert not hopeless(vigil, now)
    assert hopeless(vigil, now + 20)
    assert hopeless(vigil, (vigil.since or 0) + LONGEST_SILENCE_S)


def test_one_message_is_enough_to_begin_anew() -> None:
    """A silence that was broken is counted from its next beginning."""
    heard = Sample(wanted=True, attached=True, taken=8, ready=3)
    vigil, now = after(*[DEAF] * 12, heard, *[heard] * 3)
    assert vigil.problem
    assert not hopeless(vigil, now)


SIGHTS = st.builds(
    Sample,
    wanted=st.booleans(),
    attached=st.booleans(),
    taken=st.integers(0, 3),
    ready=st.none() | st.integers(0, 2),
)


@given(st.lists(SIGHTS, max_size=30))
def test_only_an_unbroken_silence_ends_a_worker(sights: list[Sample]) -> None:
    """Whatever else is seen, the clock runs only while each look finds a problem."""
    vigil, now, since = Silence(), 0.0, None
    for sight in sights:
        vigil = looked(vigil, sight, now)
        since = (now if since is None else since) if vigil.problem else None
        assert vigil.since == since
        assert hopeless(vigil, now) is (since is not None and now - since >= LONGEST_SILENCE_S)
        now += 10
