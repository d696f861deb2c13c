"""The flow made worse on purpose. A simulation that does not notice is worth nothing."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from tests.simulation.database import LinedDue
from tests.simulation.worker import Mutation

from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.outcome import Exchange, Failure, FailureKind, Unable
from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.deliver import Sender
from disconnect_fanout.flow.due import Claim, DueStore, Expedited
from disconnect_fanout.flow.fan_out import FanOut
from disconnect_fanout.flow.incoming import Incoming
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.flow.outage import DataRefused, StoreRefuses, StoreUnreachable
from disconnect_fanout.flow.recorder import Ledger
from disconnect_fanout.flow.resolver import EventStore
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.flow.wiring import Kinds, Ports
from disconnect_fanout.policy.change import Attempted, Barrier, Change, LetterConfirmed
from disconnect_fanout.policy.delivery_row import DeliveryRow
from disconnect_fanout.policy.lease import MARGIN_S


class AcksFirst(FanOut):
    """Acks an event and then looks what it is."""

    async def handle(self, message: Incoming) -> None:
        await message.ack()
        await super().handle(message)


class DeadAtOnce(DeadLetterOffice):
    """Calls a row dead, and publishes its letter afterwards."""

    async def _publish_one(self, letter: DeadLetter) -> None:
        await self._recorder.record(LetterConfirmed(letter.delivery_id, letter.replays))
        await self._queue.publish(letter)


class Forgetful:
    """A ledger that loses each fifth attempt: sent, and never recorded."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._attempts = 0

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        kept = [one for one in changes if not self._loses(one)]
        return await self._ledger.commit(kept)

    def _loses(self, change: Change) -> bool:
        self._attempts += isinstance(change, Attempted)
        return isinstance(change, Attempted) and self._attempts % 5 == 0


class ShortIntents:
    """Registers under leases that end before the time-out."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    @property
    def outages(self) -> int:
        return self._store.outages

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        return await self._store.links(events)

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        return await self._store.register([_hurried(one) for one in intents])

    async def probe(self) -> None:
        await self._store.probe()


class ShortClaims:
    """Claims under leases that end before the time-out."""

    def __init__(self, store: DueStore) -> None:
        self._store = store

    async def due_platforms(self, platform_ids: Collection[str]) -> Collection[str]:
        return await self._store.due_platforms(platform_ids)

    async def expedite(self, platform_id: str, limit: int) -> Expedited:
        return await self._store.expedite(platform_id, limit)

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        return await self._store.claim(
            platform_id, limit=limit, lease_s=_short(lease_s), holding=holding, reclaim=reclaim
        )


class Unlocked(LinedDue):
    """Looks at the rows in one transaction and takes them in another: so may somebody else."""

    def __init__(self, due: DueStore) -> None:
        assert isinstance(due, LinedDue)
        self._line = due._line
        self._store = due._store
        self._unheard = []

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        async def look() -> list[DeliveryRow]:
            return self._store.free(platform_id, holding, reclaim=reclaim)[:limit]

        rows = await self._line.ask("read", look)

        async def take() -> Sequence[Claim]:
            return self._store.take(rows, lease_s)

        return await self._line.ask("claim", take)


class Serene(ShortIntents):
    """Never hears of an outage, and so never looks whether an event was lost in one."""

    @property
    def outages(self) -> int:
        return 0

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        return await self._store.register(intents)


class Unflushed(Forgetful):
    """A ledger that writes nothing for a wish: what waits for it is not on the disk."""

    def _loses(self, change: Change) -> bool:
        return isinstance(change, Barrier)

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        kept = [one for one in changes if not self._loses(one)]
        return await self._ledger.commit(kept) if kept else ()


class Impatient(FanOut):
    """Acks an event that could not be decided about, instead of letting go of it."""

    async def handle(self, message: Incoming) -> None:
        try:
            await super().handle(message)
        except StoreUnreachable:
            await message.ack()


class BooksItsOwn:
    """A sender that says of a request which it could not make that the platform failed."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def send(self, request: WebhookRequest) -> Exchange | Unable:
        exchange = await self._sender.send(request)
        if isinstance(exchange, Unable):
            return Failure(FailureKind.UNREACHABLE, exchange.shortage.words)
        return exchange


class Blaming(FanOut):
    """Books what the database refuses on the event that met it."""

    async def _settle(self, message: Incoming) -> None:
        try:
            await super()._settle(message)
        except StoreRefuses as error:
            raise DataRefused(str(error), error.sqlstate) from error


class Credulous(Serene):
    """Believes a constraint's code, and asks nobody whether others would be refused as well."""

    @property
    def outages(self) -> int:
        return self._store.outages

    async def probe(self) -> None:
        pass


def _short(lease_s: float) -> float:
    return (lease_s - MARGIN_S) / 3


def _hurried(intent: Intent) -> Intent:
    planned = [replace(one, lease_s=_short(one.lease_s)) if one.lease else one
               for one in intent.deliveries]  # fmt: skip
    return replace(intent, deliveries=tuple(planned))


def _with_short_leases(ports: Ports) -> Ports:
    return replace(ports, events=ShortIntents(ports.events), due=ShortClaims(ports.due))


MUTANTS = {
    "ack before commit": Mutation(Kinds(fan_out=AcksFirst)),
    "sent but never recorded": Mutation(
        worsen=lambda ports: replace(ports, ledger=Forgetful(ports.ledger))
    ),
    "a lease shorter than the time-out": Mutation(worsen=_with_short_leases),
    "a claim without the lock": Mutation(
        worsen=lambda ports: replace(ports, due=Unlocked(ports.due))
    ),
    "a refusal booked on the event": Mutation(Kinds(fan_out=Blaming)),
    "a refusal believed without a probe": Mutation(
        worsen=lambda ports: replace(ports, events=Credulous(ports.events))
    ),
    "dead before the letter's confirm": Mutation(Kinds(office=DeadAtOnce)),
    "our own fault booked as an attempt": Mutation(
        worsen=lambda ports: replace(ports, sender=BooksItsOwn(ports.sender))
    ),
}
SUBTLE = {
    "no second look after an outage": Mutation(
        worsen=lambda ports: replace(ports, events=Serene(ports.events))
    ),
    "an ack without a flush": Mutation(
        worsen=lambda ports: replace(ports, ledger=Unflushed(ports.ledger))
    ),
    "ack in an outage": Mutation(Kinds(fan_out=Impatient)),
}
"""They need more to go wrong together, and so more seeds."""
