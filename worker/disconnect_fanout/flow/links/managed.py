"""Links that events open and close (FANOUT_DIRECTORY=managed).

A connect and the disconnect that ends it may be at work in two workers at once, or come in the
wrong order. So each side first writes down what it knows, and then looks for the other: whatever
the timing, one of the two sees both, ends the link and has its platform notified.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.identity import connect_hash
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.batcher import Batcher
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.flow.links.keeper import Learnt, Linked
from disconnect_fanout.flow.links.store import LinkStore, Opening, Owed
from disconnect_fanout.flow.planner import Planner
from disconnect_fanout.policy.link_lifetime import ended, opened, same_start
from disconnect_fanout.policy.plan import Recipient

_LARGEST_BATCH = 200


@dataclass(slots=True)
class _Settlement:
    """What is to be written: ends by row, and whom to tell of which event."""

    ends: dict[int, datetime] = field(default_factory=dict)
    owed: dict[Owed, str] = field(default_factory=dict)  # because of which event

    def end(self, row: int, at: datetime) -> None:
        self.ends[row] = min(at, self.ends.get(row, at))

    def owe(self, event_id: str, recipients: Iterable[Recipient], because: str) -> None:
        self.owed |= dict.fromkeys((Owed(event_id, one) for one in recipients), because)

    async def write(self, store: LinkStore) -> Sequence[Owed]:
        return await store.settle(self.ends, self.owed) if self.ends or self.owed else ()


class ManagedLinks:
    """``flow.links.keeper.LinkKeeper``."""

    def __init__(self, store: LinkStore, planner: Planner) -> None:
        self._store = store
        self._planner = planner
        self._batcher: Batcher[ConnectEvent, Learnt] = Batcher(self._learn, _LARGEST_BATCH)

    async def learn(self, event: ConnectEvent) -> Learnt:
        """Open a link; if its disconnect came first, close it and have its platform notified."""
        return await self._batcher.submit(event)

    async def end(self, intents: Sequence[Intent], answers: Sequence[Registration]) -> None:
        """End the links of these disconnects, once these are written down."""
        recorded = [
            (one.event, _told(one) if answer is Registration.NEW else frozenset())
            for one, answer in zip(intents, answers, strict=True)
            if answer is not Registration.CONFLICT
        ]
        events = [event for event, _ in recorded]
        found = await self._store.of_users([event.user for event in events])
        plans = await self._planner.recipients(events, [links.values() for links in found])
        todo = _Settlement()
        for (event, known), links, recipients in zip(recorded, found, plans, strict=True):
            todo.owe(event.id, (one for one in recipients if one.platform_id not in known), "")
            for row, link in links.items():
                left = ended(link, [event], self._planner.grace)
                if left != link and left.unlinked_at is not None:
                    todo.end(row, left.unlinked_at)
        await todo.write(self._store)

    async def _learn(self, events: Sequence[ConnectEvent]) -> Sequence[Learnt]:
        openings = [Opening(one, opened(one), connect_hash(one)) for one in events]
        answers = await self._store.open(openings)
        sound = [
            opening
            for opening, answer in zip(openings, answers, strict=True)
            if answer is not Registration.CONFLICT
        ]
        known = await self._catch_up(sound)
        return [
            Linked(known[event.id]) if answer is Registration.NEW else answer
            for event, answer in zip(events, answers, strict=True)
        ]

    async def _catch_up(self, openings: Sequence[Opening]) -> Counter[str]:
        """End the links whose disconnect came first; count its recipients, by connect event."""
        earlier = await self._store.disconnects([one.event.user for one in openings])
        late = [pair for pair in zip(openings, earlier, strict=True) if pair[1]]
        found = await self._store.of_users([opening.event.user for opening, _ in late])
        todo = _Settlement()
        for (opening, disconnects), links in zip(late, found, strict=True):
            await self._settle(opening, disconnects, links, todo)
        added = await todo.write(self._store)
        return Counter(todo.owed[one] for one in added)

    async def _settle(
        self,
        opening: Opening,
        disconnects: Sequence[DisconnectEvent],
        links: Mapping[int, Link],
        todo: _Settlement,
    ) -> None:
        link = ended(opening.link, disconnects, self._planner.grace)
        if link.unlinked_at is None:
            return
        for row in (row for row, one in links.items() if same_start(one, link)):
            todo.end(row, link.unlinked_at)
        # One with a list of its own has named whom it wanted.
        by_directory = [event for event in disconnects if event.platform_ids is None]
        plans = await self._planner.recipients(by_directory, [[link]] * len(by_directory))
        for event, recipients in zip(by_directory, plans, strict=True):
            todo.owe(event.id, recipients, opening.event.id)


def _told(intent: Intent) -> frozenset[str]:
    return frozenset(one.platform_id for one in intent.deliveries)
