"""The witness: sees every effect as it happens, writes it down, objects to what must not be."""

from collections.abc import Callable, Sequence

from tests.harness.fakes.broker import FakeBroker, FakeQueue, Stored
from tests.harness.fakes.queues import letter_key
from tests.simulation.requests import Request
from tests.simulation.tables import SimulatedTables
from tests.simulation.trace import Trace

from disconnect_fanout.adapters.broker.codec import decode_event
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.flow.letters import LetterKey
from disconnect_fanout.policy.change import Attempted, Change, LetterConfirmed
from disconnect_fanout.policy.delivery_row import DeliveryRow


class Witness:
    """Checks what can be checked while it happens: I4, I5, and half of I10."""

    def __init__(
        self,
        trace: Trace,
        tables: SimulatedTables,
        broker: FakeBroker,
        clock: Callable[[], float],
    ) -> None:
        self.violations: list[str] = []
        self._trace = trace
        self._tables = tables
        self._broker = broker
        self._clock = clock
        self._names: dict[str, str] = {}
        self._letters: set[LetterKey] = set()
        self._requests: dict[tuple[str, str, int], list[Request]] = {}
        tables.on_row = self._row
        tables.on_commit = self._commit
        broker.on_ack = self._ack
        broker.on_put = self._put

    def name(self, event_id: str, platform_id: str) -> None:
        """Give a delivery a name that people can read."""
        self._names[delivery_id(event_id, platform_id)] = f"{event_id}→{platform_id}"

    def named(self, delivery: str) -> str:
        """Return it."""
        return self._names.get(delivery, delivery)

    def object(self, invariant: str, what: str) -> None:
        """Write a violation down."""
        self._trace.say("!!", f"{invariant}: {what}")
        self.violations.append(f"{invariant}: {what}")

    def request(self, made: Request) -> None:
        """A request has reached a platform."""
        self._requests.setdefault((made.by, made.delivery_id, made.number), []).append(made)
        self._trace.say(made.by, f"request {self.named(made.delivery_id)} attempt {made.number}")

    def _row(self, who: str, before: DeliveryRow | None, after: DeliveryRow) -> None:
        name = self.named(after.id)
        self._trace.say(who, f"row {name}: {_told(before)} → {_told(after)}")
        if before is None:
            return
        if after.attempts < before.attempts:
            self.object("I5", f"{name}: attempts fell from {before.attempts} to {after.attempts}")
        if before.state == "delivered" != after.state:
            self.object("I1", f"{name}: was delivered and is {after.state} again")

    def _commit(self, who: str, changes: Sequence[Change]) -> None:
        for change in changes:
            if isinstance(change, Attempted):
                self._recorded(who, change)
            elif isinstance(change, LetterConfirmed):
                row = self._tables.deliveries.get(change.delivery_id)
                key = LetterKey(change.delivery_id, change.replays)
                if row is not None and row.state == "dead" and key not in self._letters:
                    name = self.named(row.id)
                    self.object("I4", f"{name}: the row is dead before the broker has its letter")

    def _recorded(self, who: str, change: Attempted) -> None:
        name, number = self.named(change.delivery_id), change.attempt.number
        result, status = change.attempt.result.value, change.attempt.status
        self._trace.say(who, f"recorded {name} attempt {number}: {result}")
        made = self._requests.get((who, change.delivery_id, number), [])
        same = [one for one in made if one.answered and one.status == status]
        if not same:
            self.object("I10", f"{name}: attempt {number} ({status}) was recorded and never made")
        # Written again after a lost answer it is no other attempt.
        for one in [one for one in same if one.recorded_at is None][:1]:
            one.recorded_at, one.verdict = self._clock(), change.verdict

    def _ack(self, queue: FakeQueue, message: Stored) -> None:
        if queue is not self._broker.events:
            return
        event = decode_event(message.body, message.content_type)
        name = event.id if isinstance(event, DisconnectEvent) else "a bad one"
        self._trace.say("broker", f"{name} was acked")
        known = isinstance(event, DisconnectEvent) and self._tables.on_disk(event.id)
        rejected = any(one.body == message.body for one in self._broker.rejected.ready)
        if not known and not rejected:
            self.object("I4", f"{name}: acked, and its deliveries are not on the disk")

    def _put(self, queue: FakeQueue, message: Stored) -> None:
        if queue is self._broker.dead:
            key = letter_key(message)
            assert key is not None
            self._letters.add(key)
            self._trace.say("broker", f"letter {self.named(key.delivery_id)} ({key.replays})")
        elif queue is self._broker.rejected:
            reason = message.headers.get("fanout-reason")
            self._trace.say("broker", f"rejected {message.message_id}: {reason}")


def _told(row: DeliveryRow | None) -> str:
    if row is None:
        return "nothing"
    lease = " leased" if row.lease else ""
    decided = " decided" if row.decided else ""
    due = f" due {(row.next_at - 1_763_740_000_000) / 1000:.3f}" if row.next_at else ""
    return f"{row.state}{decided}{lease}{due} (attempts {row.attempts}, replays {row.replays})"
