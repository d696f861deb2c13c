"""What an answer, or the lack of one, means for a delivery."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.outcome import (
    Accepted,
    Answer,
    Exchange,
    Failure,
    FailureKind,
    Forbidden,
    Gone,
    Outcome,
    Refused,
    Result,
    Unanswered,
)
from disconnect_fanout.policy.classify import classify, held_a_slot, result_of

NOW = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)

exchanges = st.one_of(
    st.builds(Answer, st.integers(100, 999), st.none() | st.just("7")),
    st.builds(Failure, st.sampled_from(FailureKind), st.just("why"), st.booleans()),
)


def test_every_2xx_is_accepted() -> None:
    """Any 2xx is delivered, whatever Retry-After it carries."""
    assert {classify(Answer(status, "60"), NOW) for status in range(200, 300)} == {Accepted()}


def test_other_answers_are_refusals_and_their_retry_after_means_nothing() -> None:
    """Every other answer, a redirect included, is tried again; its Retry-After is not honoured."""
    others = {*range(100, 200), *range(300, 1000)} - {410, 429, 503}
    outcomes = {status: classify(Answer(status, "60"), NOW) for status in others}
    assert outcomes == dict.fromkeys(others, Refused(wait_s=0.0))


@pytest.mark.parametrize("status", [429, 503])
def test_429_and_503_may_ask_for_time(status: int) -> None:
    """429 and 503 are refusals whose Retry-After counts, and need not have one."""
    assert classify(Answer(status, "60"), NOW) == Refused(wait_s=60.0)
    assert classify(Answer(status), NOW) == Refused(wait_s=0.0)


def test_the_date_form_of_retry_after_is_measured_from_now() -> None:
    """An HTTP date is turned into seconds from the instant of the answer."""
    assert classify(Answer(503, "Fri, 21 Nov 2025 15:46:30 GMT"), NOW) == Refused(wait_s=90.0)


@pytest.mark.parametrize(
    ("status", "expected"), [(409, Refused()), (410, Gone()), (411, Refused())]
)
def test_only_410_is_gone(status: int, expected: Outcome) -> None:
    """410 is final and its neighbours are not."""
    assert classify(Answer(status), NOW) == expected


@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("kind", FailureKind)
def test_only_a_dropped_pooled_connection_is_stale(kind: FailureKind, *, reused: bool) -> None:
    """A failure is unanswered, stale only if a reused connection dropped; blocked is forbidden."""
    expected: Outcome = Unanswered(stale=reused and kind is FailureKind.DISCONNECTED)
    if kind is FailureKind.BLOCKED:
        expected = Forbidden()
    assert classify(Failure(kind, "why", reused=reused), NOW) == expected


def test_the_history_has_one_word_for_each_status() -> None:
    """2xx is delivered, 410 is gone, every other status is refused."""
    words = dict.fromkeys(range(100, 1000), Result.REFUSED)
    words |= dict.fromkeys(range(200, 300), Result.DELIVERED) | {410: Result.GONE}
    assert {status: result_of(Answer(status)) for status in words} == words


@given(exchanges)
def test_the_word_for_an_exchange_agrees_with_its_outcome(exchange: Exchange) -> None:
    """History and decision never tell two stories about one attempt."""
    words = {
        Accepted: {Result.DELIVERED},
        Gone: {Result.GONE},
        Refused: {Result.REFUSED},
        Forbidden: {Result.BLOCKED},
        Unanswered: {
            Result.TIMED_OUT,
            Result.UNREACHABLE,
            Result.TLS_FAILED,
            Result.DISCONNECTED,
        },
    }
    assert result_of(exchange) in words[type(classify(exchange, NOW))]


@pytest.mark.parametrize("kind", FailureKind)
def test_each_failure_keeps_its_name(kind: FailureKind) -> None:
    """A failure's word in the history is its kind."""
    assert result_of(Failure(kind, "why")).value == kind.value


@given(exchanges)
def test_the_breaker_counts_what_held_a_slot(exchange: Exchange) -> None:
    """Time-outs and failures to connect count; an answer, a disconnect and a block do not."""
    counted = {FailureKind.TIMED_OUT, FailureKind.UNREACHABLE, FailureKind.TLS_FAILED}
    assert held_a_slot(exchange) is (isinstance(exchange, Failure) and exchange.kind in counted)
