"""What a Google id is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.google_id import account, is_google_id
from disconnect_fanout.domain.link import Link
from disconnect_fanout.policy.http_api.disconnection import Disconnection, events_of
from disconnect_fanout.policy.plan import counts

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
GRACE = timedelta(0)
EVENT = DisconnectEvent(
    "evt_1", AT, User("alice@example.com", "105942374304"), Provider.GOOGLE, AT, Reason.REVOKED
)
LINK = Link("alice@example.com", "luma", AT, google_id="105942374304")
ODD = [
    "1.05942E+11", "105942374304.0", "'105942374306", "12 34", "+105", "-105", "1_0", "", " ",
    "\uff11\uff10\uff15", "\u0663", "²",
    "0x1f", "1e5", "105,942", "105942374304\n", " 105", "1" * 129, "105\0",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_what_is_not_digits_is_no_google_id(text: str) -> None:
    """ASCII digits alone, and not more than 128 of them."""
    assert not is_google_id(text)
    assert account(text) is None


@given(st.from_regex(r"[0-9]{1,128}", fullmatch=True))
def test_digits_are_one(text: str) -> None:
    """Leading zeros and all; nothing is taken off."""
    assert account(text) == text


@pytest.mark.parametrize("text", [one for one in ODD if one])
def test_what_is_stored_already_and_is_none_leaves_it_to_the_address(text: str) -> None:
    """On either side: the right address is told, and it overrules nothing."""
    assert counts(replace(LINK, google_id=text), EVENT, GRACE)
    assert counts(LINK, replace(EVENT, user=User(EVENT.user.email, text)), GRACE)
    assert not counts(replace(LINK, google_id=text, email="bob@example.com"), EVENT, GRACE)


def test_nothing_odd_is_published() -> None:
    """An end of links with an odd Google id is told by the address."""
    ended = [replace(LINK, google_id="1.05942E+11"), Link(LINK.email, "cal", AT)]
    what = Disconnection(LINK.email, "105942374304.0", ended, Provider.GOOGLE, AT, None)
    (event,) = events_of(what, lambda: "evt_1")
    assert event.user.google_id is None
