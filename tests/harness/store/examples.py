"""Events, intents and changes as the store's tests need them."""

import uuid
from datetime import UTC, datetime

from tests.harness.store.world import LONG_AGO, Ports

from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import LeasedDelivery
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.identity import content_hash, delivery_id
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.flow.intent import Intent, PlannedDelivery
from disconnect_fanout.policy.change import Attempted, LetterConfirmed
from disconnect_fanout.policy.decide import DeadLettered, Delivered, RetryIn, Verdict

DISCONNECTED_AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
LEASE_S = 45.0
RETRY = RetryIn(300.0, at_least_s=0.0, step=1)
EXHAUSTED = DeadLettered(DeadReason.EXHAUSTED)

_RESULTS: dict[type[Verdict], tuple[Result, int]] = {Delivered: (Result.DELIVERED, 200)}


def event(
    event_id: str | None = None,
    email: str = "Alice@Example.com",
    google_id: str | None = "105942374304",
    reason: Reason = Reason.USER_REQUESTED,
) -> DisconnectEvent:
    """Return an event; a fresh id if none is given."""
    return DisconnectEvent(
        id=event_id or f"evt_{uuid.uuid4().hex}",
        timestamp=DISCONNECTED_AT,
        user=User(email, google_id),
        provider=Provider.GOOGLE,
        disconnected_at=DISCONNECTED_AT,
        reason=reason,
        initiated_by="boardy",
    )


def link(email: str, platform_id: str, google_id: str | None = None) -> Link:
    """Return a link that holds for long."""
    return Link(email, platform_id, LONG_AGO, google_id=google_id)


def planned(
    one: DisconnectEvent,
    platform_id: str,
    *,
    lease: str | None = None,
    dead: DeadReason | None = None,
) -> PlannedDelivery:
    """Return one recipient: due now, leased, or dead."""
    held = LEASE_S if lease else 0.0
    return PlannedDelivery(delivery_id(one.id, platform_id), platform_id, lease, held, dead)


def intent(one: DisconnectEvent, *deliveries: PlannedDelivery) -> Intent:
    """Return an intent; without deliveries, one that is due at ``luma``."""
    return Intent(one, content_hash(one), deliveries or (planned(one, "luma"),))


async def registered(ports: Ports, platform_id: str = "luma", lease: str | None = None) -> str:
    """Register an event for one platform and return the delivery's id."""
    one = event()
    delivery = planned(one, platform_id, lease=lease)
    await ports.events.register([intent(one, delivery)])
    return delivery.id


async def due(
    ports: Ports, platform_id: str = "luma", *, reclaim: bool = True, limit: int = 10
) -> list[str]:
    """Claim what is due and return its ids."""
    claims = await ports.due.claim(
        platform_id, limit=limit, lease_s=LEASE_S, holding=(), reclaim=reclaim
    )
    return [claim.delivery.id for claim in claims]


async def claimed(ports: Ports, platform_id: str = "luma") -> LeasedDelivery:
    """Claim the one delivery that is due."""
    (claim,) = await ports.due.claim(
        platform_id, limit=10, lease_s=LEASE_S, holding=(), reclaim=True
    )
    return claim.delivery


async def dead(ports: Ports, platform_id: str = "luma") -> str:
    """Register a delivery, let it die, confirm its letter, and return its id."""
    name = await registered(ports, platform_id, lease="mine")
    await ports.ledger.commit([attempted(name, "mine", EXHAUSTED, platform_id=platform_id)])
    await ports.ledger.commit([LetterConfirmed(name, replays=0)])
    return name


def attempted(
    name: str,
    lease: str,
    verdict: Verdict,
    *,
    number: int = 1,
    answer: str = "",
    platform_id: str = "luma",
    revision: int = 1,
    replay: bool = False,
) -> Attempted:
    """Return the change that records one attempt."""
    result, status = _RESULTS.get(type(verdict), (Result.REFUSED, 500))
    attempt = Attempt(number, DISCONNECTED_AT, result, status, 12, answer, replay)
    return Attempted(name, platform_id, lease, attempt, verdict, revision)
