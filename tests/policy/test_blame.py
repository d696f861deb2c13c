"""Who is to blame: an event alone, or what hits everything."""

import pytest

from disconnect_fanout.policy.faults.blame import Crashes, Fault, blamed, crashed
from disconnect_fanout.policy.faults.let_go import LONGEST_REST_S, rest_s

_HOUR = 3600.0
_HOLD_S = 60.0
_LIMIT = 20


@pytest.mark.parametrize(
    ("sqlstate", "fault"),
    [
        ("42501", Fault.EVERYBODY),  # no privilege; also what row level security says
        ("42P01", Fault.EVERYBODY),  # no such table
        ("42703", Fault.EVERYBODY),  # no such column
        ("42883", Fault.EVERYBODY),  # no such function
        ("P0001", Fault.EVERYBODY),  # a trigger raises
        ("P0002", Fault.EVERYBODY),
        ("0A000", Fault.EVERYBODY),
        ("3F000", Fault.EVERYBODY),  # no such schema
        ("28P01", Fault.EVERYBODY),  # the password was changed
        ("25P02", Fault.EVERYBODY),
        ("XX001", Fault.EVERYBODY),  # corrupt
        ("26000", Fault.EVERYBODY),
        ("", Fault.EVERYBODY),
        ("25006", Fault.ANSWER),  # read only
        ("53100", Fault.ANSWER),  # disk full
        ("55P03", Fault.ANSWER),  # lock time-out
        ("57014", Fault.ANSWER),  # statement time-out
        ("40P01", Fault.ANSWER),
        ("08006", Fault.ANSWER),
        ("22021", Fault.DATA),
        ("22003", Fault.DATA),
        ("23514", Fault.DATA),
        ("23502", Fault.DATA),
    ],
)
def test_only_two_classes_are_the_datas_fault(sqlstate: str, fault: Fault) -> None:
    """Everything else, the unknown included, is an outage and is booked on no event."""
    assert blamed(sqlstate) is fault


def test_three_different_events_in_a_row_are_no_coincidence() -> None:
    """The same event thrice is one; another failure, or a success, begins anew."""
    row = Crashes()
    for _ in range(5):
        row = crashed(row, "KeyError", "a")
    assert not row.hits_everything
    assert not crashed(crashed(row, "ValueError", "b"), "ValueError", "c").hits_everything
    row = crashed(crashed(row, "KeyError", "b"), "KeyError", "c")
    assert row.hits_everything
    assert len(crashed(row, "KeyError", "d").events) == len(row.events)  # bounded


def test_an_hour_of_an_outage_that_the_gate_cant_see_stays_below_the_delivery_limit() -> None:
    """Held for a minute, given back, rested, and again: well below twenty times."""
    clock, given_back = 0.0, 0
    while clock < _HOUR:
        clock += _HOLD_S
        given_back += 1
        clock += rest_s(given_back)
    assert given_back <= _LIMIT * 2 / 3


def test_rests_double_and_are_bounded() -> None:
    """Five seconds at first, so that what passes soon costs little."""
    assert [rest_s(n) for n in range(5)] == [0.0, 5.0, 10.0, 20.0, 40.0]
    assert rest_s(10_000) == LONGEST_REST_S
