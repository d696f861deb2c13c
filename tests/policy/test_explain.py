"""Why a platform is told or not: the rule of the plan, link by link."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform, Scheme
from disconnect_fanout.policy.explain import Explanation, explain
from disconnect_fanout.policy.plan import Bearing, Recipient, bearing, counts, plan

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
GRACE = timedelta(seconds=2)
EVENT = DisconnectEvent(
    "evt_1", AT, User("alice@example.com", "1"), Provider.GOOGLE, AT, Reason.REVOKED
)
LINK = Link("alice@example.com", "luma", AT - timedelta(days=9), google_id="1")
PLATFORM = Platform("luma", "Luma", "https://example.com/", Scheme.STANDARD, (), 1, 30.0)

HELD = LINK
AFTER = replace(LINK, linked_at=AT + timedelta(seconds=1))
ENDED = replace(LINK, unlinked_at=AT - timedelta(seconds=3))
GRACED = replace(LINK, unlinked_at=AT - timedelta(seconds=2))
APPLE = replace(LINK, provider=Provider.APPLE)
OTHER = replace(LINK, google_id="2")


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (HELD, Bearing.HELD),
        (GRACED, Bearing.HELD),
        (AFTER, Bearing.LINKED_AFTER),
        (ENDED, Bearing.ENDED_BEFORE),
        (APPLE, Bearing.ANOTHER_PROVIDER),
        (OTHER, Bearing.ANOTHER_ACCOUNT),
        (replace(OTHER, email="bob@example.com"), Bearing.ANOTHER_USER),
        (replace(OTHER, linked_at=AFTER.linked_at), Bearing.ANOTHER_USER),
        (replace(OTHER, provider=Provider.APPLE), Bearing.ANOTHER_USER),
    ],
)
def test_a_link_bears_on_an_event_in_one_way(link: Link, expected: Bearing) -> None:
    """And only a link that held makes a recipient."""
    assert bearing(link, EVENT, GRACE) is expected
    assert counts(link, EVENT, GRACE) is (expected is Bearing.HELD)


@pytest.mark.parametrize(
    ("links", "decides"),
    [
        ([AFTER, HELD, ENDED], HELD),
        ([AFTER, ENDED], ENDED),
        ([OTHER, APPLE], OTHER),
        ([OTHER, HELD], HELD),
        ([APPLE, AFTER], AFTER),
        ([HELD, GRACED], HELD),
        ([replace(ENDED, linked_at=AT - timedelta(days=99)), ENDED], ENDED),
    ],
)
def test_the_link_that_comes_closest_decides(links: list[Link], decides: Link) -> None:
    """What held; else what missed by least; of equals the latest, in whichever order they come."""
    for order in (links, links[::-1]):
        (found,) = explain(EVENT, order, {"luma": PLATFORM}, GRACE)
        assert found.link is not None
        assert found.link.linked_at == decides.linked_at
        assert found.bearing is bearing(decides, EVENT, GRACE)


def test_every_platform_is_explained() -> None:
    """Recipients, those that the user is linked to, and those of which nothing is known."""
    platforms = {
        "boardy": replace(PLATFORM, id="boardy"),
        "luma": replace(PLATFORM, enabled=False),
    }
    gone = replace(LINK, platform_id="gone")
    assert explain(EVENT, [LINK, gone], platforms, GRACE) == (
        Explanation("boardy", None),
        Explanation("gone", Recipient("gone", DeadReason.UNKNOWN_PLATFORM), gone, Bearing.HELD),
        Explanation("luma", Recipient("luma", DeadReason.ENDPOINT_DISABLED), LINK, Bearing.HELD),
    )


def test_explicit_recipients_are_explained_as_such() -> None:
    """The links are still shown, though they say nothing."""
    event = replace(EVENT, platform_ids=("boardy",))
    boardy, luma = explain(event, [LINK], {"luma": PLATFORM}, GRACE)
    assert boardy.recipient == Recipient("boardy", DeadReason.UNKNOWN_PLATFORM)
    assert luma == Explanation("luma", None, LINK, Bearing.HELD)


links = st.lists(
    st.sampled_from([HELD, AFTER, ENDED, GRACED, APPLE, OTHER]).flatmap(
        lambda link: st.sampled_from(["boardy", "calcom", "luma"]).map(
            lambda name: replace(link, platform_id=name)
        )
    )
)


@given(links, st.none() | st.just(("calcom", "nobody")))
def test_what_is_explained_is_what_is_planned(
    found: list[Link], explicit: tuple[str, ...] | None
) -> None:
    """One rule: the recipients are the plan's, and each was made by a link that held."""
    event = replace(EVENT, platform_ids=explicit)
    explained = explain(event, found, {"luma": PLATFORM}, GRACE)
    recipients = tuple(one.recipient for one in explained if one.recipient is not None)
    assert recipients == plan(event, found, {"luma": PLATFORM}, GRACE)
    if explicit is None:
        for one in explained:
            assert (one.recipient is not None) is (one.bearing is Bearing.HELD)
