"""What follows from a change of a row: the attempt that was cut off, the end of a round."""

from dataclasses import replace

import pytest

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.delivery_row import (
    DeliveryRow,
    called_off,
    doomed,
    expedited,
    given_back,
    lapsed,
    leased,
    put_off,
    replayed,
    retried,
    returned,
    taken_over,
)
from disconnect_fanout.policy.transition import Transition

NOW = 1_700_000_000_000
WAITING = DeliveryRow(
    id="wh_del_1", event_id="evt_1", platform_id="luma", state="pending", attempts=2, step=2,
    replays=0, next_at=NOW - 1, not_before=None, hastened=False, lease=None, born_at=NOW - 9,
    reason=None, decided_at=None, last_result=Result.REFUSED, last_status=500, last_error="500",
    first_failed_at=NOW - 8, settled_at=None, job=None, forgotten=None, interruptions=0,
    read_at=NOW,
)  # fmt: skip
LAPSED = leased(replace(WAITING, read_at=NOW - 60_000), "theirs", 1000)
LAPSED = replace(LAPSED, read_at=NOW)
AGAIN = replace(
    WAITING, state="delivered", last_result=Result.DELIVERED, replays=1, job="job", settled_at=NOW
)


@pytest.mark.parametrize(
    "after",
    [
        leased(lapsed(LAPSED), "mine", 1000),
        taken_over(lapsed(LAPSED), NOW, "job"),
        doomed(lapsed(LAPSED), DeadReason.EXPIRED),
        put_off(lapsed(LAPSED)),
        called_off(lapsed(LAPSED)),
        returned(lapsed(LAPSED), "exhausted", None),
    ],
    ids=["claimed", "taken over", "doomed", "put off", "called off", "returned"],
)
def test_an_expired_lease_is_an_attempt_that_was_cut_off(after: DeliveryRow) -> None:
    """Whatever becomes of the row: the next number, at the reading, in the round that it was of."""
    cut = Transition(LAPSED, after).cut_off
    assert cut is not None
    assert (cut.number, cut.result, cut.replay) == (3, Result.INTERRUPTED, False)
    assert cut.at.timestamp() * 1000 == NOW


@pytest.mark.parametrize(
    "after",
    [
        leased(WAITING, "mine", 1000),
        given_back(WAITING),
        expedited(WAITING),
        replayed(WAITING, NOW, "job"),
        leased(replace(lapsed(LAPSED), lease=None), "mine", 1000),
    ],
    ids=["claimed", "given back", "expedited", "replayed", "claimed after one"],
)
def test_what_no_lease_was_on_was_cut_off_by_nobody(after: DeliveryRow) -> None:
    """Nor twice: the row that counts it already has been written with its attempt."""
    before = WAITING if after.attempts == WAITING.attempts else lapsed(LAPSED)
    assert Transition(before, after).cut_off is None


def test_an_end_says_whether_it_was_delivered() -> None:
    """In a first round by the state, in a later one by the attempt that ended it."""
    first = replace(WAITING, state="delivered", next_at=None, attempts=3)
    assert Transition(WAITING, first).delivered is True
    assert Transition(WAITING, doomed(WAITING, DeadReason.GONE)).delivered is False
    heard = replace(AGAIN, next_at=None, attempts=3, last_result=Result.DELIVERED)
    assert Transition(AGAIN, heard).delivered is True
    refused = replace(AGAIN, next_at=None, attempts=3, last_result=Result.REFUSED)
    assert Transition(AGAIN, refused).delivered is False
    given_up = doomed(AGAIN, DeadReason.EXPIRED)
    assert Transition(AGAIN, given_up).delivered is False, "without an attempt nobody was notified"


def test_what_goes_on_or_had_ended_before_has_no_end() -> None:
    """A retry, a claim, and a row that waited for nothing."""
    assert Transition(WAITING, retried(WAITING, 1000, 0, 3)).delivered is None
    assert Transition(WAITING, leased(WAITING, "mine", 1000)).delivered is None
    ended = doomed(WAITING, DeadReason.GONE)
    assert Transition(ended, replace(ended, state="dead")).delivered is None


def test_an_end_closes_items_unless_its_job_gave_the_row_back() -> None:
    """What a cancelled job takes back waits for no end any more."""
    ridden = replace(WAITING, job="job")
    assert Transition(ridden, doomed(ridden, DeadReason.GONE)).closes_items
    assert Transition(ridden, called_off(ridden)).closes_items
    assert not Transition(ridden, returned(ridden, "exhausted", None)).closes_items
    assert not Transition(WAITING, doomed(WAITING, DeadReason.GONE)).closes_items
