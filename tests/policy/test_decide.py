"""What becomes of a delivery after an attempt: the only place that decides a retry."""

from dataclasses import replace
from itertools import pairwise, repeat
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import Progress
from disconnect_fanout.domain.outcome import (
    Accepted,
    Forbidden,
    Gone,
    Outcome,
    Refused,
    Unanswered,
)
from disconnect_fanout.policy.backoff import wait_seconds
from disconnect_fanout.policy.decide import (
    DeadLettered,
    Delivered,
    RetryIn,
    RetryPolicy,
    Send,
    TryAgainNow,
    Verdict,
    before_attempt,
    decide,
)

DAY = 86_400.0
POLICY = RetryPolicy(schedule=(1.0, 2.0, 4.0), max_age_s=100.0)
STALE = Unanswered(stale=True)

schedules = st.lists(st.floats(0.1, 1e5), max_size=5).map(sorted).map(tuple)
chances = st.floats(0, 1, exclude_max=True)
outcomes = st.one_of(
    st.builds(Refused, st.floats(0, DAY)),
    st.builds(Unanswered, st.booleans()),
    st.sampled_from([Accepted(), Gone(), Forbidden()]),
)
failures = st.one_of(st.builds(Refused, st.floats(0, DAY)), st.just(Unanswered()))

Story: TypeAlias = list[tuple[Outcome, Verdict]]


def live(outcomes: list[Outcome], policy: RetryPolicy, chance: float = 0.5) -> Story:
    """Send a delivery through these outcomes, as the flow does, until it ends or they do."""
    progress, fresh, story = Progress(), False, Story()
    for outcome in outcomes:
        verdict = decide(outcome, progress, policy, chance, fresh=fresh)
        story.append((outcome, verdict))
        progress = replace(progress, attempts=progress.attempts + 1)
        match verdict:
            case TryAgainNow():
                fresh = True
            case RetryIn(wait_s=wait, step=step):
                fresh = False
                progress = replace(progress, step=step, age_s=progress.age_s + wait)
            case _:
                break
    return story


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Accepted(), Delivered()),
        (Gone(), DeadLettered(DeadReason.GONE, disables_platform=True)),
        (Forbidden(), DeadLettered(DeadReason.BLOCKED)),
        (STALE, TryAgainNow()),
        (Unanswered(), RetryIn(1.0, at_least_s=0.0, step=1)),
        (Refused(), RetryIn(1.0, at_least_s=0.0, step=1)),
        (Refused(wait_s=0.5), RetryIn(1.0, at_least_s=0.5, step=1)),
        (Refused(wait_s=1.5), RetryIn(1.5, at_least_s=1.5, step=1)),
        (Refused(wait_s=DAY), RetryIn(DAY, at_least_s=DAY, step=1)),
    ],
)
def test_each_outcome_has_its_verdict(outcome: Outcome, verdict: Verdict) -> None:
    """The first attempt's outcomes lead where the contract says."""
    assert decide(outcome, Progress(), POLICY, 0.5) == verdict


@given(chances, st.integers(0, 9), st.floats(0, 1e9), st.booleans())
def test_final_outcomes_are_final_at_any_age(
    chance: float,
    step: int,
    age_s: float,
    fresh: bool,  # noqa: FBT001 - Hypothesis passes by position
) -> None:
    """A 2xx delivers, a 410 ends it and a block ends it, however late they come."""
    progress = Progress(attempts=step, step=step, age_s=age_s)
    verdicts = [decide(one, progress, POLICY, chance, fresh=fresh) for one in (Accepted(), Gone())]
    assert verdicts == [Delivered(), DeadLettered(DeadReason.GONE, disables_platform=True)]
    blocked = decide(Forbidden(), progress, POLICY, chance, fresh=fresh)
    assert blocked == DeadLettered(DeadReason.BLOCKED, disables_platform=False)


@pytest.mark.parametrize("failure", [Refused(), Refused(wait_s=9.0), Unanswered()])
def test_attempts_are_one_more_than_the_schedule_is_long(failure: Outcome) -> None:
    """A platform that always fails is asked 1 + 3 times, then the delivery is exhausted."""
    story = live(list(repeat(failure, 99)), POLICY)
    assert len(story) == 4
    assert story[-1][1] == DeadLettered(DeadReason.EXHAUSTED)
    steps = [verdict.step for _, verdict in story if isinstance(verdict, RetryIn)]
    assert steps == [1, 2, 3]


def test_the_default_policy_makes_ten_attempts_and_is_patient_for_a_week_more() -> None:
    """Nine waits, ten attempts; the age limit is the schedule's sum and seven days."""
    assert len(live(list(repeat(Refused(), 99)), RetryPolicy())) == 10
    assert RetryPolicy().max_age_s == 272_105 + 7 * DAY


@given(st.lists(outcomes, max_size=40), schedules, chances)
def test_attempts_are_bounded_whatever_a_platform_does(
    outcomes: list[Outcome], schedule: tuple[float, ...], chance: float
) -> None:
    """No sequence makes more than 1 + len(schedule) attempts, not counting quick second tries."""
    story = live(outcomes, RetryPolicy(schedule), chance)
    quick = sum(isinstance(verdict, TryAgainNow) for _, verdict in story)
    assert len(story) - quick <= 1 + len(schedule)
    assert quick <= 1 + len(schedule)


@given(st.lists(outcomes, max_size=40), schedules, chances)
def test_a_quick_try_never_follows_a_quick_try(
    outcomes: list[Outcome], schedule: tuple[float, ...], chance: float
) -> None:
    """One fresh connection per step: if that fails too, the schedule decides."""
    verdicts = [verdict for _, verdict in live(outcomes, RetryPolicy(schedule), chance)]
    for before, after in pairwise(verdicts):
        assert not (isinstance(before, TryAgainNow) and isinstance(after, TryAgainNow))


@given(st.lists(outcomes, max_size=40), schedules, chances)
def test_delivered_is_final_and_only_a_2xx_delivers(
    outcomes: list[Outcome], schedule: tuple[float, ...], chance: float
) -> None:
    """A delivery is delivered exactly by its first 2xx, and nothing comes after it."""
    story = live(outcomes, RetryPolicy(schedule), chance)
    for outcome, verdict in story:
        assert isinstance(verdict, Delivered) is isinstance(outcome, Accepted)
    assert all(not isinstance(outcome, Accepted) for outcome, _ in story[:-1])


@given(failures, schedules, st.integers(0, 5), chances)
def test_retry_after_only_lengthens(
    failure: Outcome, schedule: tuple[float, ...], step: int, chance: float
) -> None:
    """The wait is the schedule's or the platform's, whichever is longer; it adds no attempt."""
    verdict = decide(failure, Progress(attempts=step, step=step), RetryPolicy(schedule), chance)
    planned = wait_seconds(schedule, step, chance)
    asked = failure.wait_s if isinstance(failure, Refused) else 0.0
    if planned is None:
        assert verdict == DeadLettered(DeadReason.EXHAUSTED)
    else:
        assert verdict == RetryIn(max(planned, asked), at_least_s=asked, step=step + 1)


def test_a_stale_connection_gets_one_quick_try_even_at_the_end_of_the_schedule() -> None:
    """The quick try belongs to the attempt, so the last step has one too, and only one."""
    last = Progress(attempts=3, step=3)
    assert decide(STALE, last, POLICY, 0.5) == TryAgainNow()
    exhausted = decide(STALE, last, POLICY, 0.5, fresh=True)
    assert exhausted == DeadLettered(DeadReason.EXHAUSTED)
    assert decide(STALE, Progress(), POLICY, 0.5, fresh=True) == RetryIn(1.0, 0.0, 1)


@pytest.mark.parametrize(("age_s", "dead"), [(99.9, False), (100.0, False), (100.1, True)])
def test_a_failure_beyond_the_age_limit_expires(age_s: float, *, dead: bool) -> None:
    """At the limit we still try, beyond it the delivery is expired."""
    verdict = decide(Refused(), Progress(attempts=1, step=1, age_s=age_s), POLICY, 0.5)
    expected = DeadLettered(DeadReason.EXPIRED) if dead else RetryIn(2.0, 0.0, 2)
    assert verdict == expected


def test_a_used_up_schedule_is_exhausted_rather_than_expired() -> None:
    """The platform had all its chances: the reason says so, even past the age limit."""
    verdict = decide(Refused(), Progress(attempts=4, step=3, age_s=1e9), POLICY, 0.5)
    assert verdict == DeadLettered(DeadReason.EXHAUSTED)


@pytest.mark.parametrize(
    ("attempts", "age_s", "gone"),
    [(0, 1e9, False), (1, 100.0, False), (1, 100.1, True), (2, 1e9, True)],
)
def test_nothing_expires_before_one_attempt(attempts: int, age_s: float, *, gone: bool) -> None:
    """However late a delivery is first sent, it gets its one attempt."""
    expected = DeadLettered(DeadReason.EXPIRED) if gone else Send()
    assert before_attempt(Progress(attempts=attempts, age_s=age_s), POLICY) == expected


@pytest.mark.parametrize(
    ("progress", "reason"),
    [
        (Progress(attempts=9, replays=1, age_s=1e9), None),
        (Progress(attempts=9, replays=1, age_s=1e9, interruptions=1), DeadReason.EXPIRED),
        (Progress(attempts=9, replays=1, age_s=100.0, interruptions=1), None),
        (Progress(attempts=9, replays=1, age_s=1e9, step=1), DeadReason.EXPIRED),
        (
            Progress(attempts=9, replays=1, age_s=1e9, interruptions=1, delivered=True),
            DeadReason.EXPIRED,
        ),
        (Progress(attempts=99, replays=1, interruptions=99), None),
        (Progress(attempts=100, replays=1, interruptions=100), DeadReason.EXHAUSTED),
        (Progress(attempts=100, interruptions=100), DeadReason.EXHAUSTED),
        (Progress(attempts=100, age_s=1e9, interruptions=100), DeadReason.EXPIRED),
    ],
)
def test_a_round_in_which_every_attempt_is_cut_off_ends(
    progress: Progress, reason: DeadReason | None
) -> None:
    """A replay that was interrupted once was tried; a hundred interruptions end any round."""
    expected = Send() if reason is None else DeadLettered(reason)
    assert before_attempt(progress, POLICY) == expected


@given(st.integers(0, 3), st.floats(1.0, 500.0), st.floats(0.0, 1e4))
def test_interruptions_are_bounded_in_number_and_age(
    replays: int, lease_s: float, max_age_s: float
) -> None:
    """However long a lease is, and whatever was replayed: at most a hundred, at most the age."""
    policy = replace(POLICY, max_age_s=max_age_s)
    progress, count = Progress(replays=replays, attempts=replays), 0
    while before_attempt(progress, policy) == Send():
        count += 1
        progress = replace(
            progress,
            attempts=progress.attempts + 1,
            interruptions=count,
            age_s=progress.age_s + lease_s,
        )
    assert count <= min(policy.most_interruptions, max_age_s // lease_s + 2)
