"""The contract of ``flow.resolver.EventStore``."""

import asyncio
from collections import Counter
from dataclasses import replace

from tests.harness.store.examples import (
    LEASE_S,
    attempted,
    claimed,
    due,
    event,
    intent,
    link,
    planned,
    registered,
)
from tests.harness.store.world import Ports, World

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import Reason
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.policy.decide import Delivered

NEW, KNOWN, CONFLICT = Registration.NEW, Registration.KNOWN, Registration.CONFLICT


async def test_links_are_found_by_folded_address_or_google_id(world: World) -> None:
    """Each event is given the links of its address in any case, and those of its google id."""
    by_email, by_id = link("alice@example.com", "luma"), link("old@example.com", "cal", "42")
    await world.add_links(by_email, by_id, link("bob@example.com", "boardy", "7"))
    found = await world.worker.events.links(
        [event(email="ALICE@example.com", google_id="42"), event(email="x@y", google_id=None)]
    )
    assert set(found[0]) == {by_email, by_id}
    assert list(found[1]) == []


async def test_a_link_that_matches_twice_is_found_once(world: World) -> None:
    """A link with the event's address and its google id is one candidate."""
    both = link("alice@example.com", "luma", "42")
    await world.add_links(both)
    found = await world.worker.events.links([event(email="alice@example.com", google_id="42")])
    assert list(found[0]) == [both]


async def test_links_of_thousands_of_users_are_one_look_up(world: World) -> None:
    """A batch has no more addresses than it likes: no limit on bound parameters is met."""
    await world.add_links(*(link(f"u{n}@example.com", "luma") for n in range(0, 3000, 300)))
    events = [event(email=f"u{n}@example.com", google_id=f"g{n}") for n in range(3000)]
    found = await world.worker.events.links(events)
    assert [n for n, links in enumerate(found) if links] == list(range(0, 3000, 300))


async def test_strange_characters_in_an_address_match_nothing_and_break_nothing(
    world: World,
) -> None:
    """A NUL, which PostgreSQL refuses, an emoji and a quote are an address like any other."""
    odd = link("ünï'🎉\"@example.com", "luma")
    await world.add_links(odd)
    found = await world.worker.events.links(
        [event(email="a\0b@example.com", google_id="4\0"), event(email="ÜNÏ'🎉\"@example.com")]
    )
    assert [list(links) for links in found] == [[], [odd]]


async def test_a_user_comes_back_from_the_store_as_they_went_in(worker: Ports) -> None:
    """What is claimed later is the event that was registered, to the last character."""
    one = event(email="Zoë+\0🎉\"'@Example.COM", google_id=None)
    await worker.events.register([intent(one)])
    assert (await claimed(worker)).event == one


async def test_an_event_is_new_once(worker: Ports) -> None:
    """The same event again is known, and writes nothing."""
    one = intent(event())
    assert list(await worker.events.register([one])) == [NEW]
    assert list(await worker.events.register([one])) == [KNOWN]
    await claimed(worker)


async def test_copies_within_one_batch_are_known(worker: Ports) -> None:
    """Of several copies in one batch the first is new, the others are known."""
    one, other = event(), event()
    answers = await worker.events.register([intent(one), intent(other), intent(one)])
    assert list(answers) == [NEW, NEW, KNOWN]


async def test_another_event_under_the_same_id_is_a_conflict(worker: Ports) -> None:
    """The content decides, within one batch and between batches; nothing is written for it."""
    one, other = event("evt_1"), event("evt_1", reason=Reason.REVOKED)
    assert list(await worker.events.register([intent(one), intent(other)])) == [NEW, CONFLICT]
    assert list(await worker.events.register([intent(other), intent(one)])) == [CONFLICT, KNOWN]
    assert (await claimed(worker)).event == one


async def test_an_event_for_nobody_is_recorded(worker: Ports) -> None:
    """An event without recipients is new once, too."""
    nobody = replace(intent(event()), deliveries=())
    assert list(await worker.events.register([nobody])) == [NEW]
    assert list(await worker.events.register([nobody])) == [KNOWN]


async def test_a_leased_delivery_is_its_workers_until_the_lease_ends(world: World) -> None:
    """What is sent at once is not due to others; the lease holds by the database's clock."""
    name = await registered(world.worker, lease="mine")
    row = await world.row(name)
    assert (row.state, row.lease, row.attempts) == ("pending", "mine", 0)
    assert row.next_at is not None
    assert abs(row.next_at - row.read_at - LEASE_S * 1000) < 5000
    assert await due(world.worker) == []


async def test_a_dead_delivery_is_decided_from_the_start(world: World) -> None:
    """What can't be sent has a reason and an open letter, and is never due."""
    one = event()
    delivery = planned(one, "gone", dead=DeadReason.UNKNOWN_PLATFORM)
    await world.worker.events.register([intent(one, delivery)])
    row = await world.row(delivery.id)
    assert (row.decided, row.reason, row.next_at) == (True, "unknown_platform", None)
    (letter,) = await world.worker.letters.decided([delivery.id])
    assert (letter.event_id, letter.attempts, letter.replays) == (one.id, 0, 0)


async def test_platform_ids_may_be_as_long_as_the_contract_says(worker: Ports) -> None:
    """An explicit recipient of 128 characters, known or not, has a row of its own."""
    assert await registered(worker, "p" * 128)


async def test_two_workers_with_the_same_events_each_send_only_their_own(world: World) -> None:
    """The same 200 events registered twice at once, in opposite order: each is new exactly once."""
    events = [event() for _ in range(200)]
    intents = [intent(one, *(planned(one, p) for p in ("boardy", "cal", "luma"))) for one in events]
    other = await world.another_worker()
    mine, theirs = await asyncio.gather(
        world.worker.events.register(intents), other.events.register(intents[::-1])
    )
    for pair in zip(mine, list(theirs)[::-1], strict=True):
        assert Counter(pair) == {NEW: 1, KNOWN: 1}


async def test_a_thousand_events_are_registered_in_about_a_second(worker: Ports) -> None:
    """Five batches of 200 events, three recipients each; the bound is wide for a busy machine."""
    clock = asyncio.get_running_loop().time
    started = clock()
    for _ in range(5):
        batch = [event() for _ in range(200)]
        await worker.events.register(
            [intent(one, *(planned(one, p, lease="x") for p in "abc")) for one in batch]
        )
    assert clock() - started < 3


async def test_an_event_is_known_whatever_became_of_its_deliveries(worker: Ports) -> None:
    """A redelivery after the end of everything is known, and makes nothing due again."""
    one = event()
    delivery = planned(one, "luma", lease="mine")
    await worker.events.register([intent(one, delivery)])
    await worker.ledger.commit([attempted(delivery.id, "mine", Delivered())])
    again = planned(one, "luma", lease="other")
    assert list(await worker.events.register([intent(one, again)])) == [KNOWN]
    assert await due(worker) == []


async def test_near_misses_are_recorded_with_the_event(world: World) -> None:
    """As they were counted when the event came; none where none was."""
    missed, whole = event(), event()
    await world.worker.events.register([replace(intent(missed), near_misses=2), intent(whole)])
    assert [await world.near_misses(one.id) for one in (missed, whole)] == [2, 0]
