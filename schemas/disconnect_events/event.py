"""The event that upstream publishes when a user's calendar connection ends."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from disconnect_events.google_id import GoogleId
from disconnect_events.identifier import Email, Identifier
from disconnect_events.instant import Instant

EventType = Literal["user.calendar.disconnected"]
ApiVersion = Literal["v1"]
Reason = Literal["user_requested", "token_expired", "revoked"]
Provider = Literal["google", "office365", "apple"]

MOST_RECIPIENTS = 10_000
LARGEST_EVENT = 1024 * 1024
"""Bytes on the wire; a larger one is rejected."""


class DisconnectDataV1(BaseModel):
    """Whose connection ended, when and why."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        title="Disconnect data, v1",
    )

    user_email: Email = Field(
        repr=False,
        description="The user's e-mail address, and nothing around it (no name, no brackets). Told "
        "to platforms as written here; compared without regard to case.",
        examples=["alice@example.com"],
    )
    google_id: GoogleId | None = Field(
        default=None,
        repr=False,
        description="The user's Google account id: digits, always as a string (real ones exceed "
        "2^53), or null: users of Apple and Office 365 have none. Absent means null.",
        examples=["105942374304", None],
    )
    provider: Provider = Field(
        default="google",
        description="Whose calendar was disconnected. Absent means google.",
        examples=["google"],
    )
    disconnected_at: Instant = Field(
        description="When the connection ended. Platforms linked to the user at this instant are "
        "told. RFC 3339 with an offset.",
        examples=["2025-11-21T15:45:00Z"],
    )
    reason: Reason = Field(
        description="user_requested: the user explicitly disconnected. token_expired: the OAuth "
        "token could not be refreshed. revoked: the user revoked access at the provider. "
        "Anything else is rejected.",
        examples=["user_requested"],
    )
    initiated_by: Identifier | None = Field(
        default=None,
        description="The platform through which the user disconnected, if one did. It is told too.",
        examples=["plat_boardy"],
    )


class DisconnectEventV1(BaseModel):
    """A user's calendar connection ended; every platform that had it connected must be told.

    Publish it persistent, as UTF-8 JSON of at most 1 MiB, with the event type as routing key.
    Fields that are not named here are ignored, whatever is in them; a key that stands twice, a
    byte-order mark and a compressed body are rejected.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        title="Disconnect event, v1",
    )

    id: Identifier = Field(
        description="Unique per disconnect: the idempotency key. The same id published twice is "
        "told once; the same id with other content is rejected. 1 to 128 printable characters "
        "without spaces.",
        examples=["evt_8f14e45fceea"],
    )
    event_type: EventType = Field(
        description="Always user.calendar.disconnected.",
        examples=["user.calendar.disconnected"],
    )
    timestamp: Instant = Field(
        description="When the event was made. RFC 3339 with an offset; a leap second is the second "
        "before it, and a fraction may have any number of digits.",
        examples=["2025-11-21T15:45:00Z"],
    )
    api_version: ApiVersion = Field(
        description="The version of this format: v1.",
        examples=["v1"],
    )
    data: DisconnectDataV1 = Field(description="Whose connection ended, when and why.")
    platform_ids: list[Identifier] = Field(
        default_factory=list,
        min_length=1,
        max_length=MOST_RECIPIENTS,
        fail_fast=True,
        exclude_if=lambda ids: not ids,
        description="An explicit list of recipients that overrides the directory of links. Leave "
        "it out to tell every linked platform; empty or null is rejected.",
        examples=[["plat_boardy", "plat_luma"]],
    )
    """Empty when it was left out."""
