"""The event that upstream publishes when a platform connects a user's calendar."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from disconnect_events.event import ApiVersion, Provider
from disconnect_events.google_id import GoogleId
from disconnect_events.identifier import Email, Identifier
from disconnect_events.instant import Instant

ConnectEventType = Literal["user.calendar.connected"]


class ConnectDataV1(BaseModel):
    """Who connected whose calendar, and when."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        title="Connect data, v1",
    )

    user_email: Email = Field(
        repr=False,
        description="The user's e-mail address, compared without regard to case.",
        examples=["alice@example.com"],
    )
    google_id: GoogleId | None = Field(
        default=None,
        repr=False,
        description="The user's Google account id: digits, always as a string, or null. Absent "
        "means null.",
        examples=["105942374304", None],
    )
    provider: Provider = Field(
        default="google",
        description="Whose calendar was connected. Absent means google. Only disconnects of the "
        "same provider end it.",
        examples=["google"],
    )
    connected_at: Instant = Field(
        description="When the connection began. Disconnects of this instant or later are told to "
        "the platform, whichever event is learnt first. RFC 3339 with an offset.",
        examples=["2025-11-01T09:30:00Z"],
    )
    platform_id: Identifier = Field(
        description="The platform that connected it.",
        examples=["plat_luma"],
    )


class ConnectEventV1(BaseModel):
    """A platform connected a user's calendar; taken with FANOUT_DIRECTORY=managed only.

    Publish it persistent, as UTF-8 JSON of at most 1 MiB, with the event type as routing key.
    Fields that are not named here are ignored.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        title="Connect event, v1",
    )

    id: Identifier = Field(
        description="Unique per connect: the idempotency key. 1 to 128 printable characters "
        "without spaces.",
        examples=["evt_45c48cce2e2d"],
    )
    event_type: ConnectEventType = Field(
        description="Always user.calendar.connected.",
        examples=["user.calendar.connected"],
    )
    timestamp: Instant = Field(
        description="When the event was made. RFC 3339 with an offset.",
        examples=["2025-11-01T09:30:00Z"],
    )
    api_version: ApiVersion = Field(
        description="The version of this format: v1.",
        examples=["v1"],
    )
    data: ConnectDataV1 = Field(description="Who connected whose calendar, and when.")
