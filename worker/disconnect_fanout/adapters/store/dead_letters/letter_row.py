"""A dead delivery's row as the letter that is published about it."""

from typing import Any

from sqlalchemy import Row

from disconnect_events.identifier import is_identifier
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.dead_letter import DeadLetter, DeadReason
from disconnect_fanout.domain.instant import from_ms, maybe_from_ms

_LONGEST_RESULT = 64
_STATUSES = range(100, 1000)


def letter_of(row: Row[Any]) -> DeadLetter:
    """Return the letter; what only describes the last attempt is left out where it is nonsense.

    Raises:
        UnreadableRow: it would be no letter: the reason is not known here, or a name is none.
    """
    return DeadLetter(
        delivery_id=row.id,
        event_id=_name("event_id", row.event_id),
        platform_id=_name("platform_id", row.platform_id),
        reason=reason_of(row.reason),
        attempts=max(row.attempts, 0),
        last_result=None if row.last_result is None else row.last_result[:_LONGEST_RESULT],
        last_status=row.last_status if row.last_status in _STATUSES else None,
        first_failed_at=maybe_from_ms(row.first_failed_at),
        dead_at=from_ms(row.decided_at or 0),
        replays=max(row.replays, 0),
    )


def reason_of(text: str | None) -> DeadReason:
    """Return a dead letter's reason.

    Raises:
        UnreadableRow: this version does not know it.
    """
    try:
        return DeadReason(text or "")
    except ValueError:
        raise UnreadableRow("reason: this version knows no such one") from None


def _name(column: str, text: str) -> str:
    if not is_identifier(text):
        raise UnreadableRow(f"{column}: can't be named in a message")
    return text
