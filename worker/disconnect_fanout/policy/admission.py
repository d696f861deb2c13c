"""Admission: may this platform be given a slot now? Answered at once; waiting is a row's business.

A platform gets a slot while its own requests in flight are fewer than both its cap and the free
slots of the worker. The second half is what keeps many hung platforms together from taking all:
the more slots are taken, the less any one platform may hold.

Rows that wait are claimed from the database, and meanwhile new events come. Half of the room is
kept for the claim: else, under load, whoever came last would always be first, and the rows would be
claimed and given back again and again. Where no event has come for a while all of it is: half would
only make a claim from a database that is far away cost twice as many round trips.
"""

import math
from dataclasses import dataclass

from disconnect_fanout.policy.breaker import Breaker, probe_due
from disconnect_fanout.policy.rate import next_token_at, tokens

QUIET_S = 10.0
"""No newcomer for so long, and none is expected while a claim lasts."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """What one platform occupies and may occupy, in one worker.

    Attributes:
        rate_per_s: None for no limit.
        rate_due: see ``policy.rate``.
        rests_until: nothing starts before this instant, for our own want.
        kept: so much of the room is kept for rows that are being claimed.
        newcomer_at: when an event last asked for a slot.
    """

    in_flight: int
    cap: int
    free_slots: int
    breaker: Breaker
    rate_per_s: float | None = None
    rate_due: float = 0.0
    rests_until: float = 0.0
    kept: int = 0
    newcomer_at: float = -math.inf


def room(pressure: Pressure, now: float) -> int:
    """Return how many requests may start now, one after the other.

    The k-th of them still finds in-flight + k - 1 below both the cap and free - (k - 1).
    """
    if now < pressure.rests_until:
        return 0
    slots = _slots(pressure)
    if not pressure.breaker.closed:
        slots = min(slots, 1) if probe_due(pressure.breaker, now) else 0
    if slots > 0 and pressure.rate_per_s is not None:
        slots = min(slots, tokens(pressure.rate_per_s, pressure.rate_due, now))
    return max(slots - pressure.kept, 0)


def to_keep(pressure: Pressure, now: float) -> int:
    """Return how much of the room is for rows that wait, and so how many of them to claim."""
    whole = room(pressure, now)
    return whole if now - pressure.newcomer_at > QUIET_S else (whole + 1) // 2


def opens_at(pressure: Pressure) -> float | None:
    """Return the instant at which time alone makes room, or None if only a freed slot can."""
    if _slots(pressure) < 1 or pressure.breaker.probing:
        return None
    instants = [pressure.rests_until] if pressure.rests_until else []
    if pressure.breaker.open_until is not None:
        instants.append(pressure.breaker.open_until)
    if pressure.rate_per_s is not None:
        instants.append(next_token_at(pressure.rate_per_s, pressure.rate_due))
    return max(instants, default=None)


def _slots(pressure: Pressure) -> int:
    return min(
        pressure.cap - pressure.in_flight,
        (pressure.free_slots - pressure.in_flight + 1) // 2,
    )
