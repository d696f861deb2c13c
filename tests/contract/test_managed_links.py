"""The contract of ``flow.links.store.LinkStore``, seen through ``ManagedLinks``."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

from tests.harness.store.examples import DISCONNECTED_AT, due, event, intent, link
from tests.harness.store.world import Ports, World

from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent, Provider, User
from disconnect_fanout.domain.identity import content_hash, delivery_id
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.intent import Intent, PlannedDelivery, Registration
from disconnect_fanout.flow.links.keeper import Linked
from disconnect_fanout.flow.links.managed import ManagedLinks
from disconnect_fanout.flow.planner import Planner

ALICE = User("Alice@Example.com", "105942374304")
GRACE = timedelta(seconds=2)
MINUTE = timedelta(minutes=1)
BEFORE, AFTER = DISCONNECTED_AT - MINUTE, DISCONNECTED_AT + MINUTE


def connect(
    event_id: str, platform_id: str = "luma", at: datetime = BEFORE, user: User = ALICE
) -> ConnectEvent:
    """A connect of Alice's Google calendar."""
    return ConnectEvent(event_id, at, user, Provider.GOOGLE, at, platform_id)


class Worker:
    """What one worker does with events, without the broker and the requests."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._directory = Directory(ports.platforms)
        self._planner = Planner(self._directory, GRACE)
        self.links = ManagedLinks(ports.links, self._planner)

    async def disconnect(self, *events: DisconnectEvent) -> Sequence[Registration]:
        """Plan, register, and end what was told."""
        plans = await self._planner.recipients(events, await self.ports.events.links(events))
        intents = [
            Intent(one, content_hash(one), tuple(_planned(one, who.platform_id) for who in plan))
            for one, plan in zip(events, plans, strict=True)
        ]
        return await self._write(intents)

    async def overlook(self, one: DisconnectEvent) -> None:
        """Register an event whose links were looked up before anybody was linked."""
        await self._write([Intent(one, content_hash(one), ())])

    async def ready(self) -> "Worker":
        """Learn of the platforms."""
        await self._directory.refresh()
        return self

    async def _write(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        answers = await self.ports.events.register(intents)
        await self.links.end(intents, answers)
        return answers


async def worker(world: World, *platform_ids: str) -> Worker:
    """A worker that knows these platforms."""
    for one in platform_ids or ("luma",):
        await world.add_platform(one)
    return await Worker(world.worker).ready()


async def stored(world: World, user: User = ALICE) -> list[Link]:
    """The links of a user, the oldest first."""
    (found,) = await world.worker.links.of_users([user])
    return sorted(found.values(), key=lambda one: (one.linked_at, one.platform_id))


def _planned(one: DisconnectEvent, platform_id: str) -> PlannedDelivery:
    return PlannedDelivery(delivery_id(one.id, platform_id), platform_id)


async def test_a_connect_opens_a_link(world: World) -> None:
    """It is learnt once: the same again is known, and another content under its id a conflict."""
    at_work = await worker(world)
    assert await at_work.links.learn(connect("c1")) == Linked(recipients=0)
    assert await at_work.links.learn(connect("c1")) is Registration.KNOWN
    assert await at_work.links.learn(connect("c1", "cal")) is Registration.CONFLICT
    assert await stored(world) == [
        Link("alice@example.com", "luma", BEFORE, None, "105942374304", Provider.GOOGLE)
    ]


async def test_many_connects_at_once_are_each_learnt(world: World) -> None:
    """A batch with copies: the first of each is new, and each user has one link."""
    at_work = await worker(world)
    users = [User(f"u{n}@example.com", None) for n in range(50)]
    events = [connect(f"c{n}", user=user) for n, user in enumerate(users)]
    learnt = await asyncio.gather(*(at_work.links.learn(one) for one in [*events, *events]))
    assert learnt == [Linked(0)] * 50 + [Registration.KNOWN] * 50
    assert [len(await stored(world, user)) for user in users] == [1] * 50


async def test_two_events_that_say_the_same_open_one_link(world: World) -> None:
    """Another id, or a link that its owner imported: it is there already."""
    at_work = await worker(world)
    known = Link("alice@example.com", "luma", BEFORE, None, "105942374304", Provider.GOOGLE)
    await world.add_links(known)
    await asyncio.gather(*(at_work.links.learn(connect(name)) for name in ("c1", "c2")))
    assert await stored(world) == [known]


async def test_a_disconnect_ends_the_links_that_it_told_about(world: World) -> None:
    """At its own instant; not those of another user, or that began later."""
    at_work = await worker(world)
    bob = User("bob@example.com", None)
    for one in (connect("c1"), connect("c2", at=AFTER), connect("c3", user=bob)):
        await at_work.links.learn(one)
    await at_work.disconnect(event("d1"))
    assert [one.unlinked_at for one in await stored(world)] == [DISCONNECTED_AT, None]
    assert [one.unlinked_at for one in await stored(world, bob)] == [None]


async def test_a_list_of_recipients_ends_only_their_links(world: World) -> None:
    """Who is left out of the list was not told, and stays linked."""
    at_work = await worker(world, "luma", "cal")
    for one in (connect("c1"), connect("c2", "cal")):
        await at_work.links.learn(one)
    await at_work.disconnect(replace(event("d1"), platform_ids=("cal",)))
    ends = {one.platform_id: one.unlinked_at for one in await stored(world)}
    assert ends == {"luma": None, "cal": DISCONNECTED_AT}


async def test_a_connect_learnt_after_its_disconnect_is_told_then(world: World) -> None:
    """Its link is closed, its platform has a delivery that is due, and the balance closes."""
    at_work = await worker(world)
    await at_work.disconnect(event("d1"))
    assert await at_work.links.learn(connect("c1", at=DISCONNECTED_AT)) == Linked(recipients=1)
    assert await due(world.worker) == [delivery_id("d1", "luma")]
    assert [one.unlinked_at for one in await stored(world)] == [DISCONNECTED_AT]
    assert await at_work.links.learn(connect("c2", at=AFTER)) == Linked(recipients=0)
    assert await world.worker.balance.difference() == 0


async def test_a_late_connect_is_found_by_its_google_id(world: World) -> None:
    """The address may have changed since; the account is the same."""
    at_work = await worker(world)
    await at_work.disconnect(event("d1", email="old@example.com"))
    assert await at_work.links.learn(connect("c1")) == Linked(recipients=1)
    other = User("old@example.com", "another account")
    assert await at_work.links.learn(connect("c2", user=other)) == Linked(recipients=0)


async def test_a_redelivery_tells_nobody_twice(world: World) -> None:
    """Each event again, in each order, leaves one delivery and one closed link."""
    at_work = await worker(world)
    await at_work.disconnect(event("d1"))
    await at_work.links.learn(connect("c1"))
    assert await at_work.links.learn(connect("c1")) is Registration.KNOWN
    assert await at_work.disconnect(event("d1")) == [Registration.KNOWN]
    assert await due(world.worker) == [delivery_id("d1", "luma")]
    assert await world.worker.balance.difference() == 0
    assert len(await stored(world)) == 1


async def test_a_disconnect_whose_worker_ended_before_the_links_did_ends_them(
    world: World,
) -> None:
    """It was registered, and not acked: the copy that comes again does what is left."""
    at_work = await worker(world)
    await at_work.links.learn(connect("c1"))
    one = event("d1")
    await world.worker.events.register([intent(one, _planned(one, "luma"))])
    assert [one.unlinked_at for one in await stored(world)] == [None]
    assert await at_work.disconnect(one) == [Registration.KNOWN]
    assert [one.unlinked_at for one in await stored(world)] == [DISCONNECTED_AT]


async def test_a_connect_between_look_up_and_registration_is_told(world: World) -> None:
    """The disconnect looked before, the connect found nothing: the second look sees both."""
    at_work = await worker(world)
    await at_work.links.learn(connect("c1"))
    await at_work.overlook(event("d1"))
    assert await due(world.worker) == [delivery_id("d1", "luma")]
    assert [one.unlinked_at for one in await stored(world)] == [DISCONNECTED_AT]


async def test_connects_and_disconnects_at_once_in_two_workers_lose_nobody(world: World) -> None:
    """Sixty users connect and disconnect in the same moment: each platform is told of each."""
    one = await worker(world)
    other = await Worker(await world.another_worker()).ready()
    users = [User(f"u{n}@example.com", None) for n in range(60)]
    await asyncio.gather(
        *(one.links.learn(connect(f"c{n}", user=user)) for n, user in enumerate(users)),
        *(
            other.disconnect(event(f"d{n}", email=user.email, google_id=None))
            for n, user in enumerate(users)
        ),
    )
    names = [delivery_id(f"d{n}", "luma") for n in range(60)]
    assert sorted(await due(world.worker, limit=100)) == sorted(names)
    assert await world.worker.balance.difference() == 0
    ends = [link.unlinked_at for user in users for link in await stored(world, user)]
    assert ends == [DISCONNECTED_AT] * 60


async def test_the_order_of_the_events_changes_nothing(world: World) -> None:
    """Connect, disconnect, connect again, in all six orders: the same links, and one telling."""
    at_work = await worker(world)
    for number, order in enumerate(permutations(("first", "end", "again"))):
        user = User(f"u{number}@example.com", None)
        for step in order:
            if step == "end":
                await at_work.disconnect(event(f"d{number}", email=user.email, google_id=None))
            else:
                at = BEFORE if step == "first" else AFTER
                await at_work.links.learn(connect(f"{step}{number}", at=at, user=user))
        links = await stored(world, user)
        assert [one.unlinked_at for one in links] == [DISCONNECTED_AT, None]
        assert await due(world.worker) == [delivery_id(f"d{number}", "luma")]


async def test_a_platform_that_is_not_registered_becomes_a_dead_letter(world: World) -> None:
    """Late or not, it is never silence."""
    at_work = await worker(world)
    await at_work.disconnect(event("d1"))
    assert await at_work.links.learn(connect("c1", "plat_gone")) == Linked(recipients=1)
    row = await world.row(delivery_id("d1", "plat_gone"))
    assert (row.state, row.reason) == ("pending", "unknown_platform")


async def test_connects_are_forgotten_with_the_history(world: World) -> None:
    """An id is an idempotency key for as long as the history is kept; the link stays."""
    at_work = await worker(world)
    await at_work.links.learn(connect("c1"))
    await world.pass_time(100)
    chore = world.worker.retention(60)
    while await chore.do_some():
        pass
    assert await at_work.links.learn(connect("c1")) == Linked(recipients=0)
    assert len(await stored(world)) == 1


async def test_links_without_a_provider_end_with_any(world: World) -> None:
    """What the owner added without one is closed by whoever was told about it."""
    at_work = await worker(world)
    await world.add_links(link("alice@example.com", "luma"))
    await at_work.disconnect(event("d1"))
    assert [one.unlinked_at for one in await stored(world)] == [DISCONNECTED_AT]
