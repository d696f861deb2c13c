"""Which deliveries a command is about: the filters of CONTRACT section 6 as SQL conditions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, literal_column, or_, select

from disconnect_fanout.adapters.store.rows.user_match import UserMatch
from disconnect_fanout.adapters.store.schema.tables import (
    FIRST_REFUSAL,
    deliveries,
    refused,
)
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.instant import to_ms


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """All that is given must hold; within a tuple one is enough.

    Attributes:
        statuses: of the last answer, an inclusive range.
        user: whose events they are.
        since: an instant of the delivery's creation, or of its death for dead letters.
    """

    ids: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    states: tuple[DeliveryState, ...] = ()
    reason: DeadReason | None = None
    statuses: tuple[int, int] | None = None
    user: UserMatch | None = None
    event_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def in_state(*states: DeliveryState) -> ColumnElement[bool]:
    """Return the condition with its values spelled out, as the partial indexes have them."""
    return or_(*(_is(state) for state in states))


def _is(state: DeliveryState) -> ColumnElement[bool]:
    condition = deliveries.c.state == literal_column(f"'{state.value}'")
    if state is not DeliveryState.PENDING:
        return condition
    # What is pending waits or is decided. No index has both, and SQLite uses two only like this.
    row = deliveries.alias("row")
    waits = and_(row.c.next_at.is_not(None), row.c.state == literal_column("'pending'"))
    ends = and_(row.c.state == literal_column("'pending'"), row.c.reason.is_not(None))
    return deliveries.c.id.in_(
        select(row.c.id).where(waits).union_all(select(row.c.id).where(ends))
    )


def conditions(chosen: DeliveryFilter) -> Sequence[ColumnElement[bool]]:
    """Return what a row of ``deliveries`` must satisfy."""
    return [*_naming(chosen), *_judging(chosen), *_dating(chosen)]


def _naming(chosen: DeliveryFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.ids:
        found.append(deliveries.c.id.in_(chosen.ids))
    if chosen.platforms:
        found.append(deliveries.c.platform_id.in_(chosen.platforms))
    if chosen.event_id is not None:
        found.append(deliveries.c.event_id == chosen.event_id)
    if chosen.user is not None:
        found.append(deliveries.c.event_id.in_(chosen.user.keys()))
    return found


def _judging(chosen: DeliveryFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.states:
        found.append(in_state(*chosen.states))
    if chosen.reason is not None:
        found.append(deliveries.c.reason == chosen.reason.value)
    if chosen.statuses is not None:
        found.append(deliveries.c.last_status.between(*chosen.statuses))
        if chosen.statuses[0] >= FIRST_REFUSAL:
            found.append(refused)  # implied, and it leads to an index
    return found


def _dating(chosen: DeliveryFilter) -> list[ColumnElement[bool]]:
    only_dead = chosen.states == (DeliveryState.DEAD,)
    at = deliveries.c.decided_at if only_dead else deliveries.c.created_at
    found: list[ColumnElement[bool]] = []
    if chosen.since is not None:
        found.append(at >= to_ms(chosen.since))
    if chosen.until is not None:
        found.append(at <= to_ms(chosen.until))
    return found
