"""Who is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform, Scheme
from disconnect_fanout.policy.plan import Recipient, counts, plan, returned, said_again

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
GRACE = timedelta(seconds=2)
EVENT = DisconnectEvent(
    id="evt_1",
    timestamp=AT,
    user=User("Alice@Example.com", "105942374304"),
    provider=Provider.GOOGLE,
    disconnected_at=AT,
    reason=Reason.USER_REQUESTED,
    initiated_by="plat_boardy",
)
LINK = Link(
    email="alice@example.com",
    platform_id="plat_luma",
    linked_at=AT - timedelta(days=9),
    google_id="105942374304",
)


def platform(name: str, *, enabled: bool = True, paused: bool = False) -> Platform:
    """A registered platform."""
    return Platform(
        id=name,
        name=name,
        url="https://example.com/",
        scheme=Scheme.STANDARD,
        keys=(),
        revision=1,
        timeout_s=30.0,
        enabled=enabled,
        paused=paused,
    )


def ids(event: DisconnectEvent, links: Sequence[Link]) -> list[str]:
    """Who is told when every platform is registered."""
    platforms = {link.platform_id: platform(link.platform_id) for link in links}
    return [recipient.platform_id for recipient in plan(event, links, platforms, GRACE)]


LINKED: list[tuple[float, float | None, bool]] = [
    (-1000, None, True),
    (-1000, 1000, True),
    (0, None, True),  # linked in the same second
    (0.999999, None, True),
    (1, None, False),  # a second later
    (1000, None, False),
    (-1000, 0.999999, True),  # unlinked in the same second
    (-1000, 0, True),
    (-1000, -1, True),  # within the grace
    (-1000, -2, True),
    (-1000, -2.000001, False),  # its second is the third one before
    (-1000, -3, False),
    (0, 0, True),  # linked and unlinked within the second
    (1, 1, False),
]


def test_the_link_must_hold_at_the_second_of_the_disconnect() -> None:
    """Whole seconds, both ends included, and an end up to two seconds before still counts."""
    for linked_s, unlinked_s, told in LINKED:
        link = replace(
            LINK,
            linked_at=AT + timedelta(seconds=linked_s),
            unlinked_at=None if unlinked_s is None else AT + timedelta(seconds=unlinked_s),
        )
        assert counts(link, EVENT, GRACE) is told, (linked_s, unlinked_s)


@pytest.mark.parametrize(
    ("grace_s", "ended_s", "told"), [(0, 0, True), (0, -1, False), (5, -5, True)]
)
def test_the_grace_is_what_the_operator_says(grace_s: int, ended_s: int, *, told: bool) -> None:
    """Without grace the link's own last second is the last one that counts."""
    link = replace(LINK, unlinked_at=AT + timedelta(seconds=ended_s))
    assert counts(link, EVENT, timedelta(seconds=grace_s)) is told


instants = st.integers(-6_000_000, 6_000_000).map(lambda us: AT + timedelta(microseconds=us))
zones = st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours)))


@given(instants, instants, st.none() | instants, st.integers(0, 3), zones)
def test_as_of_is_a_comparison_of_unix_seconds(
    at: datetime, linked: datetime, unlinked: datetime | None, grace_s: int, zone: timezone
) -> None:
    """Fractions and zones count for nothing: begun <= at <= ended + grace, each cut to a second."""
    event = replace(EVENT, disconnected_at=at)
    link = replace(
        LINK,
        linked_at=linked.astimezone(zone),
        unlinked_at=None if unlinked is None else unlinked.astimezone(zone),
    )
    second = at.timestamp() // 1
    begun = linked.timestamp() // 1 <= second
    over = unlinked is not None and unlinked.timestamp() // 1 + grace_s < second
    assert counts(link, event, timedelta(seconds=grace_s)) is (begun and not over)


@pytest.mark.parametrize(
    ("link_google", "link_email", "event_google", "told"),
    [
        ("1", "alice@example.com", "1", True),
        ("1", "other@example.com", "1", True),  # the id decides, the address may have changed
        ("2", "alice@example.com", "1", False),  # someone else took over the address
        (None, "alice@example.com", "1", True),
        ("1", "alice@example.com", None, True),
        (None, "alice@example.com", None, True),
        (None, "other@example.com", "1", False),
        ("1", "other@example.com", None, False),
        (None, "other@example.com", None, False),
    ],
)
def test_the_google_id_decides_where_both_sides_have_one(
    link_google: str | None, link_email: str, event_google: str | None, *, told: bool
) -> None:
    """Both have an id: it alone counts. Else the address does."""
    link = replace(LINK, google_id=link_google, email=link_email)
    event = replace(EVENT, user=User("alice@example.com", event_google))
    assert counts(link, event, GRACE) is told


@pytest.mark.parametrize(
    ("published", "stored"),
    [
        ("ALICE@EXAMPLE.COM", "alice@example.com"),
        ("STRA\u1e9eE@example.com", "straße@example.com"),
        ("JOSÉ@BÜCHER.example", "josé@xn--bcher-kva.example"),
        ("ΣΊΣΥΦΟΣ@example.com", "σίσυφοσ@example.com"),
        ("alice@BÜCHER.example", "alice@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_compared_as_mailboxes(published: str, stored: str) -> None:
    """Letter by letter in lower case, and the domain as A-labels."""
    link = replace(LINK, google_id=None, email=stored)
    assert counts(link, replace(EVENT, user=User(published, None)), GRACE)


def test_a_link_with_a_provider_matches_only_its_events() -> None:
    """A link without a provider matches every event of its user."""
    for mine, its in product([None, *Provider], Provider):
        link, event = replace(LINK, provider=mine), replace(EVENT, provider=its)
        assert counts(link, event, GRACE) is (mine in {None, its}), (mine, its)


def test_every_linked_platform_is_told_once_the_caller_included() -> None:
    """Several links to one platform make one recipient; the initiator gets no exception."""
    names = ["plat_luma", "plat_boardy", "plat_luma", "plat_cal"]
    links = [replace(LINK, platform_id=name) for name in names]
    links.append(replace(LINK, platform_id="plat_other", google_id="9"))
    assert ids(EVENT, links) == ["plat_boardy", "plat_cal", "plat_luma"]


def test_nobody_is_told_when_nobody_was_linked() -> None:
    """No matching link: no recipient."""
    assert ids(EVENT, []) == []
    assert ids(EVENT, [replace(LINK, google_id="9")]) == []


@pytest.mark.parametrize("links", [[], [LINK]])
def test_explicit_recipients_override_the_directory(links: list[Link]) -> None:
    """With platform_ids the links say nothing, and an unknown platform is a dead letter."""
    event = replace(EVENT, platform_ids=("plat_cal", "plat_x", "plat_cal"))
    recipients = plan(event, links, {"plat_cal": platform("plat_cal")}, GRACE)
    assert recipients == (
        Recipient("plat_cal"),
        Recipient("plat_x", DeadReason.UNKNOWN_PLATFORM),
    )


@pytest.mark.parametrize("explicit", [False, True])
def test_a_platform_that_cannot_be_told_is_a_dead_letter_never_silence(*, explicit: bool) -> None:
    """Disabled and unregistered recipients stay in the plan with their reason; paused ones wait."""
    links = [replace(LINK, platform_id=name) for name in ("off", "gone", "paused")]
    platforms = {"off": platform("off", enabled=False), "paused": platform("paused", paused=True)}
    event = replace(EVENT, platform_ids=("off", "gone", "paused")) if explicit else EVENT
    assert plan(event, links, platforms, GRACE) == (
        Recipient("gone", DeadReason.UNKNOWN_PLATFORM),
        Recipient("off", DeadReason.ENDPOINT_DISABLED),
        Recipient("paused"),
    )


@pytest.mark.parametrize(
    ("linked_s", "came_back"), [(-1000, False), (0, False), (0.999999, False), (1, True), (9, True)]
)
def test_a_user_who_linked_again_has_returned(linked_s: float, *, came_back: bool) -> None:
    """A link made in a later second than the disconnect is a return, and never a recipient."""
    link = replace(LINK, linked_at=AT + timedelta(seconds=linked_s))
    assert returned(link, EVENT) is came_back
    assert counts(link, EVENT, GRACE) is not came_back
    ended = replace(link, unlinked_at=AT + timedelta(days=1))
    assert returned(ended, EVENT) is came_back


@pytest.mark.parametrize(("later_s", "came_back"), [(0, False), (1, True), (9, True)])
def test_a_start_that_was_said_of_an_open_link_counts(later_s: float, *, came_back: bool) -> None:
    """Nobody ended it at the disconnect; whoever comes back is there. Fails before: he was not."""
    again = EVENT.disconnected_at + timedelta(seconds=later_s)
    link = replace(LINK, linked_at=EVENT.disconnected_at - timedelta(days=9), latest_start=again)
    assert said_again(link, EVENT) is came_back
    assert not returned(link, EVENT), "what was never sent is judged by the start alone"
    assert counts(link, EVENT, GRACE), "a new event is planned as ever"


@pytest.mark.parametrize("other", [{"google_id": "9"}, {"provider": Provider.APPLE}])
def test_someone_elses_link_is_no_return(other: dict[str, Any]) -> None:
    """Another user, or another provider's calendar: a late telling would cut off nobody."""
    later = replace(LINK, linked_at=AT + timedelta(days=1))
    assert returned(later, EVENT)
    assert not returned(replace(later, **other), EVENT)
