"""Names that are computed, so that every worker, attempt and replay computes the same."""

from hashlib import sha256

from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent

_DIGEST_CHARS = 32  # 128 bits: no collision among all disconnects that will ever be


def _digest(*parts: str) -> str:
    """Hash parts with their lengths, so that ("ab", "c") and ("a", "bc") differ."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]


def webhook_event_id(event_id: str) -> str:
    """Return the body's ``id``: the same for every platform and attempt of this event."""
    return f"wh_{_digest('event', event_id)}"


def delivery_id(event_id: str, platform_id: str) -> str:
    """Return the ``webhook-id``: the same for every attempt and every replay of this delivery."""
    return f"wh_del_{_digest('delivery', event_id, platform_id)}"


def _heading(event: DisconnectEvent | ConnectEvent) -> tuple[str, ...]:
    """What every upstream event says: which it is, and whose calendar it is about."""
    return (
        event.id,
        event.timestamp.isoformat(),
        event.user.email,
        "null" if event.user.google_id is None else f"={event.user.google_id}",
        event.provider,
    )


def content_hash(event: DisconnectEvent) -> str:
    """Return a hash of all that the event says; the same id with another hash is a conflict."""
    recipients = "null" if event.platform_ids is None else f"={' '.join(event.platform_ids)}"
    return _digest(
        *_heading(event),
        event.disconnected_at.isoformat(),
        event.reason,
        "null" if event.initiated_by is None else f"={event.initiated_by}",
        recipients,
    )


def connect_hash(event: ConnectEvent) -> str:
    """Return the same for a connect event."""
    return _digest(
        *_heading(event),
        event.connected_at.isoformat(),
        event.platform_id,
    )
