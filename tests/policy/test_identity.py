"""Names that are computed: the same on every worker, in every version, for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.identity import content_hash, delivery_id, webhook_event_id

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
EVENT = DisconnectEvent(
    id="evt_8f14e45fceea",
    timestamp=AT,
    user=User("alice@example.com", "105942374304"),
    provider=Provider.GOOGLE,
    disconnected_at=AT,
    reason=Reason.USER_REQUESTED,
    initiated_by="plat_boardy",
)

texts = st.text(max_size=8)


def test_the_names_never_change() -> None:
    """Receivers dedupe on them and the history is keyed by them: others would tell all again."""
    assert webhook_event_id("evt_8f14e45fceea") == "wh_c2eab5cafbb049f18cd85cdbe34b9c8d"
    delivery = delivery_id("evt_8f14e45fceea", "plat_luma")
    assert delivery == "wh_del_77a47a3394d15128108f7db2c5edf989"
    assert content_hash(EVENT) == "d3c5c9dfee4861530cd105312bcebc64"


@given(texts, texts, texts, texts)
def test_each_event_and_platform_has_its_own_delivery(
    event: str, platform: str, other_event: str, other_platform: str
) -> None:
    """Two deliveries share a name only if event and platform are the same."""
    same = (event, platform) == (other_event, other_platform)
    assert (delivery_id(event, platform) == delivery_id(other_event, other_platform)) is same
    assert (webhook_event_id(event) == webhook_event_id(other_event)) is (event == other_event)


def test_the_seam_between_event_and_platform_counts() -> None:
    """("ab", "c") and ("a", "bc") are different deliveries."""
    assert delivery_id("ab", "c") != delivery_id("a", "bc")
    assert delivery_id("1:a", "b") != delivery_id("1", "a1:b")


CHANGES: list[dict[str, Any]] = [
    {"id": "evt_other"},
    {"timestamp": AT + timedelta(seconds=1)},
    {"disconnected_at": AT + timedelta(seconds=1)},
    {"user": User("Alice@example.com", "105942374304")},
    {"user": User("alice@example.com", None)},
    {"user": User("alice@example.com", "null")},
    {"provider": Provider.APPLE},
    {"reason": Reason.REVOKED},
    {"initiated_by": None},
    {"initiated_by": "null"},
    {"platform_ids": ("plat_luma",)},
    {"platform_ids": ("*",)},
    {"platform_ids": ("null",)},
]


def test_every_part_of_the_content_counts() -> None:
    """The same id with anything else different is a conflict."""
    hashes = [content_hash(replace(EVENT, **change)) for change in CHANGES]
    assert len({content_hash(EVENT), *hashes}) == 1 + len(CHANGES)


@pytest.mark.parametrize("name", ["null", "*", "", "=null"])
def test_absent_is_not_the_same_as_a_word_for_it(name: str) -> None:
    """None and a string never hash alike, whatever the string."""
    user = User("alice@example.com", None)
    absent = replace(EVENT, user=user, initiated_by=None, platform_ids=None)
    named = [
        replace(absent, user=User("alice@example.com", name)),
        replace(absent, initiated_by=name),
        replace(absent, platform_ids=(name,)),
    ]
    assert len({content_hash(one) for one in [absent, *named]}) == 4


def test_the_same_content_hashes_alike() -> None:
    """A second copy of the event is the same event."""
    assert content_hash(replace(EVENT)) == content_hash(EVENT)


def test_a_user_is_silent() -> None:
    """Neither repr nor str of a user, or of an event, holds the address or the id."""
    shown = f"{EVENT!r} {EVENT} {EVENT.user!r} {EVENT.user}"
    assert "alice" not in shown
    assert "105942374304" not in shown
