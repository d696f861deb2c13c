"""How a message of ``fanout.rejected`` is read, whoever put it there and whatever it holds."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from aiormq.abc import DeliveredMessage

from disconnect_fanout.adapters.broker.cloud_attributes import attributes_of
from disconnect_fanout.adapters.broker.codec import event_id_of
from disconnect_fanout.domain.rejection import RejectReason
from disconnect_fanout.flow.incoming import DELIVERY_LIMIT

REASON, DETAIL = "fanout-reason", "fanout-detail"
EVENT_ID, RECEIVED_AT = "fanout-event-id", "fanout-received-at"
_COUNTED_BY_LOOKING = ("x-delivery-count", "x-acquired-count")
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_OUR_REASONS = {one.value for one in RejectReason}
_WORDS_OF_THE_BROKER = (
    f"returned more than {DELIVERY_LIMIT} times: a worker ended while it held this event, or "
    "events next to it; replay it once that is understood"
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejected event.

    Attributes:
        id: a digest of the body: copies of one message share it.
        detail: plain words.
        size: bytes of the body.
    """

    id: str
    reason: str
    detail: str
    event_id: str | None
    received_at: datetime | None
    size: int


def headers_of(message: DeliveredMessage) -> Mapping[str, object]:
    """As published, and what the broker added."""
    return message.header.properties.headers or {}


def rejected_id(message: DeliveredMessage) -> str:
    """Two CloudEvents may have one body; what tells them apart are their attributes."""
    attributes = sorted(attributes_of(headers_of(message)).items())
    told_apart = repr(attributes).encode(errors="backslashreplace") if attributes else b""
    digest = sha256(message.body)
    digest.update(told_apart)
    return f"rej_{digest.hexdigest()[:16]}"


def same_rejection(message: DeliveredMessage) -> str:
    """Tell one rejection of a message from another one, however often it was looked at.

    An event that is replayed and rejected again has the same id; it came at another time.
    """
    headers = sorted((key, repr(value)) for key, value in headers_of(message).items()
                     if key not in _COUNTED_BY_LOOKING)  # fmt: skip
    digest = sha256(message.body)
    digest.update(repr(headers).encode(errors="backslashreplace"))
    return digest.hexdigest()


def rejected_of(message: DeliveredMessage) -> Rejected:
    """Read a message; its body, which may be as large as the broker takes, is not kept."""
    headers = headers_of(message)
    reason, detail = headers.get(REASON), headers.get(DETAIL)
    event_id = headers.get(EVENT_ID)
    if (
        str(reason) not in _OUR_REASONS or "x-death" in headers
    ):  # the broker moved it here by itself
        reason, detail = _reason_of_the_broker(headers).value, _words_of_the_broker(headers)
        encoding = message.header.properties.content_encoding
        event_id = event_id_of(message.body, headers, encoding)
    return Rejected(
        id=rejected_id(message),
        reason=str(reason),
        detail=str(detail),
        event_id=None if event_id is None else str(event_id),
        received_at=_received_at(headers),
        size=len(message.body),
    )


def age(one: Rejected) -> datetime:
    """The oldest first; of whom nobody knows when it came is the oldest."""
    return one.received_at or _BEFORE_ALL


def _reason_of_the_broker(headers: Mapping[str, object]) -> RejectReason:
    """No worker is at fault where a time to live ended; what else the broker moves was returned."""
    if headers.get("x-first-death-reason") == "expired":
        return RejectReason.EXPIRED
    return RejectReason.REDELIVERED_TOO_OFTEN


def _words_of_the_broker(headers: Mapping[str, object]) -> str:
    match headers.get("x-first-death-reason"):
        case "expired":
            return (
                "its time to live, its publisher's or a policy's, ended before a worker took it; "
                "replay it"
            )
        case "maxlen":
            return "a policy of the broker bounds the queue, and it was full; replay it"
        case _:
            return _WORDS_OF_THE_BROKER


def _received_at(headers: Mapping[str, object]) -> datetime | None:
    """When we or the broker put it here; None if somebody else did, in words of his own."""
    stated = headers.get(RECEIVED_AT)
    if isinstance(stated, str) and "x-death" not in headers:
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(stated).astimezone(UTC)
    deaths = headers.get("x-death")
    if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict):
        at = deaths[0].get("time")
        return at.astimezone(UTC) if isinstance(at, datetime) else None
    return None
