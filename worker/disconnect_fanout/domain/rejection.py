"""A rejection: an event that can't be processed goes to ``fanout.rejected`` with its reason."""

from dataclasses import dataclass
from enum import StrEnum


class RejectReason(StrEnum):
    """Why an event was rejected. A closed set of codes."""

    MALFORMED = "malformed"
    UNSUPPORTED_VERSION = "unsupported_version"
    TOO_LARGE = "too_large"
    ID_CONFLICT = "id_conflict"
    REDELIVERED_TOO_OFTEN = "redelivered_too_often"
    EXPIRED = "expired"
    UNPROCESSABLE = "unprocessable"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one message is no event.

    Attributes:
        detail: plain words for the publisher, without any value that could name a user.
        event_id: where one could be read.
    """

    reason: RejectReason
    detail: str
    event_id: str | None = None
