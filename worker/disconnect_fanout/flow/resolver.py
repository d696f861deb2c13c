"""From an event to its deliveries: who is notified, written down before the first request.

Concurrent events share one look-up and one short transaction. Whoever writes an event first owns
its deliveries; everyone else learns that they are recorded.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol, TypeAlias

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import LeasedDelivery
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.identity import content_hash, delivery_id
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.batcher import Batcher
from disconnect_fanout.flow.bulkheads import Bulkheads, Ticket
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.intent import Intent, PlannedDelivery, Registration
from disconnect_fanout.flow.links.keeper import LinkKeeper
from disconnect_fanout.flow.outage import DataRefused
from disconnect_fanout.flow.planner import Planner
from disconnect_fanout.policy.lease import lease_s
from disconnect_fanout.policy.plan import Recipient

LARGEST_BATCH = 200


class EventStore(Protocol):
    """Where links are found and events are registered."""

    @property
    def outages(self) -> int:
        """How often the database has failed us so far."""
        ...

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        """Return the candidate links for each event: those of its address or its google id."""
        ...

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        """Insert those events that are new, with their deliveries, in one transaction.

        The commit need not reach the disk; a later one of the recorder takes it along.

        Raises:
            StoreUnreachable: nothing is known to be written.
            DataRefused: nothing is written, perhaps because of what one of them holds.
        """
        ...

    async def probe(self) -> None:
        """Try all that an event needs, and leave nothing behind.

        Raises:
            StoreUnreachable: the database takes no event now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """A delivery that has a slot and a lease: to be sent now."""

    delivery: LeasedDelivery
    platform: Platform
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class FannedOut:
    """A new event, written down.

    Attributes:
        dead: ids of deliveries that were dead before any request, with the reasons.
        near_misses: platforms that are not notified because of another Google id alone.
    """

    recipients: int
    admitted: tuple[Admitted, ...]
    dead: tuple[tuple[PlannedDelivery, DeadReason], ...]
    near_misses: int = 0


Resolution: TypeAlias = FannedOut | Registration


@dataclass(frozen=True, slots=True)
class _Draft:
    intent: Intent
    admitted: tuple[Admitted, ...]


class Resolver:
    """Resolves events in batches.

    Args:
        links: hears of every event that is written down.
        new_lease: makes a token that nobody else has; it fences the writes of one delivery.
    """

    def __init__(
        self,
        *,
        store: EventStore,
        directory: Directory,
        bulkheads: Bulkheads,
        planner: Planner,
        links: LinkKeeper,
        new_lease: Callable[[], str],
    ) -> None:
        self._store = store
        self._directory = directory
        self._bulkheads = bulkheads
        self._planner = planner
        self._links = links
        self._new_lease = new_lease
        self._batcher: Batcher[DisconnectEvent, Resolution] = Batcher(self._resolve, LARGEST_BATCH)

    @property
    def outages(self) -> int:
        """How often the database has failed; what was resolved before may be lost with it."""
        return self._store.outages

    async def resolve(self, event: DisconnectEvent) -> Resolution:
        """Return the event's deliveries, or that it was recorded before.

        Raises:
            StoreUnreachable: nothing is known to be written; a redelivery finds what was.
            DataRefused: the database takes others, and not this one.
        """
        try:
            return await self._batcher.submit(event)
        except DataRefused:  # even alone; but a constraint may refuse everything
            await self._store.probe()
            return await self._batcher.submit(event)

    async def _resolve(self, events: Sequence[DisconnectEvent]) -> Sequence[Resolution]:
        links = await self._store.links(events)
        recipients = await self._planner.recipients(events, links)
        missed = self._planner.near_misses(events, links)
        drafts: list[_Draft] = []
        registrations: Sequence[Registration] = []
        try:
            for one in zip(events, recipients, missed, strict=True):
                drafts.append(self._draft(*one))  # noqa: PERF401 - kept if the next one fails
            intents = [draft.intent for draft in drafts]
            answers = await self._store.register(intents)
            await self._links.end(intents, answers)  # before anyone is notified that they ended
            registrations = answers
        finally:
            self._hand_back(drafts, registrations)
        return [
            _resolution(draft, answer) for draft, answer in zip(drafts, registrations, strict=True)
        ]

    def _draft(
        self, event: DisconnectEvent, recipients: Sequence[Recipient], near_misses: int
    ) -> _Draft:
        admitted: list[Admitted] = []
        try:
            planned = self._planned(event, recipients, admitted)
        except BaseException:
            self._release(admitted)
            raise
        intent = Intent(event, content_hash(event), planned, near_misses)
        return _Draft(intent, tuple(admitted))

    def _planned(
        self, event: DisconnectEvent, recipients: Sequence[Recipient], admitted: list[Admitted]
    ) -> tuple[PlannedDelivery, ...]:
        """Plan the deliveries; those that get a slot are added to ``admitted``."""
        planned: list[PlannedDelivery] = []
        for one in recipients:
            name = delivery_id(event.id, one.platform_id)
            platform = self._directory.platforms.get(one.platform_id)
            lease = self._new_lease()  # before the slot: nothing may fail while it is nobody's
            ticket = self._bulkheads.admit(platform) if platform and not one.dead else None
            if platform is None or ticket is None:
                planned.append(PlannedDelivery(name, one.platform_id, dead=one.dead))
                continue
            held = lease_s(platform.timeout_s)
            planned.append(PlannedDelivery(name, one.platform_id, lease, held))
            job = LeasedDelivery(name, one.platform_id, event, lease)
            admitted.append(Admitted(job, platform, ticket))
        return tuple(planned)

    def _hand_back(self, drafts: Sequence[_Draft], registrations: Sequence[Registration]) -> None:
        """Free the slots of deliveries that are not ours to send after all."""
        for draft, answer in zip_longest(drafts, registrations):
            if answer is not Registration.NEW:
                self._release(draft.admitted)

    def _release(self, jobs: Iterable[Admitted]) -> None:
        for job in jobs:
            self._bulkheads.release(job.ticket, None)


def _resolution(draft: _Draft, answer: Registration) -> Resolution:
    if answer is not Registration.NEW:
        return answer
    deliveries = draft.intent.deliveries
    dead = tuple((one, one.dead) for one in deliveries if one.dead is not None)
    return FannedOut(len(deliveries), draft.admitted, dead, draft.intent.near_misses)
