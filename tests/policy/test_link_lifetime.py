"""How long links last when events open and close them, in whatever order they are learnt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.link import Link
from disconnect_fanout.policy.link_lifetime import ended, opened, same_start
from disconnect_fanout.policy.plan import counts

START = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
GRACE = timedelta(seconds=2)
ALICE = User("Alice@Example.com", "105942374304")
LUMA, CAL = "plat_luma", "plat_cal"

Event: TypeAlias = ConnectEvent | DisconnectEvent


def at(second: int) -> datetime:
    """So many seconds after the start."""
    return START + timedelta(seconds=second)


def connect(second: int, platform_id: str = LUMA, user: User = ALICE) -> ConnectEvent:
    """A connect of a Google calendar."""
    name = f"c{second}-{platform_id}"
    return ConnectEvent(name, at(second), user, Provider.GOOGLE, at(second), platform_id)


def disconnect(second: int, *named: str, provider: Provider = Provider.GOOGLE) -> DisconnectEvent:
    """A disconnect, with a list of recipients if any are named."""
    return DisconnectEvent(
        id=f"d{second}-{provider}-{'-'.join(named)}",
        timestamp=at(second),
        user=ALICE,
        provider=provider,
        disconnected_at=at(second),
        reason=Reason.REVOKED,
        platform_ids=named or None,
    )


@dataclass
class Directory:
    """What the worker does with each event, over a list and a set."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.disconnects: list[DisconnectEvent] = []
        self.told: set[tuple[str, str]] = set()

    def learn(self, event: Event) -> None:
        """Take up one event."""
        if isinstance(event, ConnectEvent):
            if any(same_start(one, opened(event)) for one in self.links):
                return
            link = ended(opened(event), self.disconnects, GRACE)
            self.links.append(link)
            for one in self.disconnects:
                self._tell(link, one)
        else:
            self.disconnects.append(event)
            for link in self.links:
                self._tell(link, event)
            self.links = [ended(link, [event], GRACE) for link in self.links]

    def _tell(self, link: Link, event: DisconnectEvent) -> None:
        if event.platform_ids is None and counts(link, event, GRACE):
            self.told.add((link.platform_id, event.id))


def after(events: Sequence[Event]) -> Directory:
    """The directory once it has learnt them, in this order."""
    directory = Directory()
    for event in events:
        directory.learn(event)
    return directory


def in_time(event: Event) -> tuple[datetime, bool]:
    """Connects come before disconnects of the same second: such a link is told."""
    if isinstance(event, ConnectEvent):
        return event.connected_at, False
    return event.disconnected_at, True


events = st.lists(
    st.builds(connect, st.integers(0, 12), st.sampled_from([LUMA, CAL]))
    | st.builds(disconnect, st.integers(0, 12))
    | st.builds(disconnect, st.integers(0, 12), st.just(CAL))
    | st.builds(disconnect, st.integers(0, 12), provider=st.just(Provider.APPLE)),
    max_size=6,
    unique_by=lambda event: event.id,
)


def test_a_connect_opens_a_link_of_its_user_provider_and_instant() -> None:
    """The address is folded, the google id kept, and nothing is known of the end."""
    assert opened(connect(3)) == Link(
        email="alice@example.com",
        platform_id=LUMA,
        linked_at=at(3),
        unlinked_at=None,
        google_id="105942374304",
        provider=Provider.GOOGLE,
    )


def test_a_disconnect_ends_what_it_told_about_and_nothing_else() -> None:
    """Not a later link, another provider's, or one that its list leaves out; none later again."""
    link = opened(connect(5))
    assert ended(link, [disconnect(5)], GRACE).unlinked_at == at(5)
    assert ended(link, [disconnect(4)], GRACE) == link
    assert ended(link, [disconnect(9, provider=Provider.APPLE)], GRACE) == link
    assert ended(link, [disconnect(9, CAL)], GRACE) == link
    assert ended(link, [disconnect(9, CAL, LUMA)], GRACE).unlinked_at == at(9)
    closed = replace(link, unlinked_at=at(7))
    assert ended(closed, [disconnect(8)], GRACE) == closed
    assert ended(closed, [disconnect(6)], GRACE).unlinked_at == at(6)


def test_a_connect_learnt_late_is_told_then_and_closed() -> None:
    """A disconnect of the connect's second or later finds it, whichever comes first."""
    for second in (5, 6):
        late = after([disconnect(second), connect(5)])
        assert late.told == {(LUMA, disconnect(second).id)}
        assert [one.unlinked_at for one in late.links] == [at(second)]
    early = after([disconnect(4), connect(5)])
    assert (early.told, early.links[0].unlinked_at) == (set(), None)


def test_who_comes_back_is_told_of_the_next_end() -> None:
    """In all orders: two connects, two disconnects, each end told once, nothing left open."""
    story: list[Event] = [connect(1), disconnect(3), connect(6), disconnect(9)]
    for order in permutations(story):
        directory = after(order)
        assert {(LUMA, story[1].id), (LUMA, story[3].id)} == directory.told
        assert sorted(one.unlinked_at or START for one in directory.links) == [at(3), at(9)]


@given(events, st.randoms(use_true_random=False))
def test_the_order_leaves_the_links_as_they_are(story: list[Event], chance: object) -> None:
    """The same events leave the same links; whoever is told in order is told in any order."""
    shuffled = list(story)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = after(sorted(story, key=in_time)), after(shuffled)
    assert set(one.links) == set(other.links)
    assert one.told <= other.told


@given(events)
def test_nobody_is_told_who_was_not_connected(story: list[Event]) -> None:
    """A platform that is told of a disconnect had connected by then."""
    seconds = {event.id: in_time(event)[0] for event in story}
    for platform_id, event_id in after(story).told:
        assert any(
            isinstance(event, ConnectEvent)
            and event.platform_id == platform_id
            and event.connected_at <= seconds[event_id]
            for event in story
        )
