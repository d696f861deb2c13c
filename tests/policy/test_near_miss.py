"""Near misses: the address matches, and both Google ids differ."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.link import Link
from disconnect_fanout.policy.near_miss import near_misses
from disconnect_fanout.policy.plan import plan

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
GRACE = timedelta(seconds=2)
EVENT = DisconnectEvent(
    "evt_1", AT, User("Alice@Example.com", "1"), Provider.GOOGLE, AT, Reason.REVOKED
)
OTHER = Link("alice@example.com", "luma", AT - timedelta(days=9), google_id="2")
TOLD = replace(OTHER, google_id="1")

CASES: dict[str, tuple[list[Link], tuple[str, ...]]] = {
    "another google id": ([OTHER], ("luma",)),
    "two accounts on one platform": ([OTHER, replace(OTHER, google_id="3")], ("luma",)),
    "two platforms": ([OTHER, replace(OTHER, platform_id="cal")], ("cal", "luma")),
    "ended within the grace": ([replace(OTHER, unlinked_at=AT - GRACE)], ("luma",)),
    "told by another link": ([OTHER, TOLD], ()),
    "told elsewhere": ([OTHER, replace(TOLD, platform_id="cal")], ("luma",)),
    "another address": ([replace(OTHER, email="bob@example.com")], ()),
    "without a google id it is told": ([replace(OTHER, google_id=None)], ()),
    "what is no google id is told": ([replace(OTHER, google_id="1.05E+11")], ()),
    "another provider": ([replace(OTHER, provider=Provider.APPLE)], ()),
    "linked after": ([replace(OTHER, linked_at=AT + timedelta(seconds=1))], ()),
    "ended before": ([replace(OTHER, unlinked_at=AT - timedelta(seconds=3))], ()),
}


@pytest.mark.parametrize(("links", "missed"), CASES.values(), ids=CASES.keys())
def test_only_the_google_id_stands_between(links: list[Link], missed: tuple[str, ...]) -> None:
    """Whoever is missed is not told, and would be if the link had no Google id."""
    assert near_misses(EVENT, links, GRACE) == missed
    told = {one.platform_id for one in plan(EVENT, links, {}, GRACE)}
    unknown = [replace(one, google_id=None) for one in links]
    would = {one.platform_id for one in plan(EVENT, unknown, {}, GRACE)}
    assert set(missed) == would - told


def test_an_event_without_a_google_id_misses_nobody() -> None:
    """The address alone decides."""
    assert near_misses(replace(EVENT, user=User("alice@example.com", None)), [OTHER], GRACE) == ()


def test_an_event_with_a_list_of_its_own_misses_nobody() -> None:
    """It names whom it wants told."""
    assert near_misses(replace(EVENT, platform_ids=("cal",)), [OTHER], GRACE) == ()
