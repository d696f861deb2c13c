"""The body of the webhook that each linked platform receives."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from disconnect_events.event import ApiVersion, EventType, Provider, Reason
from disconnect_events.identifier import Email, Identifier
from disconnect_events.instant import WholeSecond

WebhookEventId = Annotated[str, StringConstraints(pattern="^wh_[0-9a-z_]+$", max_length=64)]


class WebhookDataV1(BaseModel):
    """Whose connection ended, when and why."""

    model_config = ConfigDict(
        strict=True, frozen=True, hide_input_in_errors=True, title="Webhook data, v1"
    )

    user_email: Email = Field(
        repr=False,
        description="The user's e-mail address, as upstream wrote it. Compare it without regard "
        "to case.",
        examples=["alice@example.com"],
    )
    google_id: Identifier | None = Field(
        repr=False,
        description="The user's Google account id as a string, or null.",
        examples=["105942374304", None],
    )
    disconnected_at: WholeSecond = Field(
        description="When the connection ended, in UTC.",
        examples=["2025-11-21T15:45:00Z"],
    )
    reason: Reason = Field(
        description="user_requested: the user explicitly disconnected. token_expired: the OAuth "
        "token could not be refreshed. revoked: the user revoked access at the provider.",
        examples=["user_requested"],
    )
    provider: Provider = Field(
        default="google",
        exclude_if=lambda provider: provider == "google",
        description="Whose calendar was disconnected; there only when it is not google.",
        examples=["office365"],
    )


class WebhookV1(BaseModel):
    """A user's calendar connection ended; stop using it.

    Verify the signature over the raw bytes first, and remember the header ``webhook-id``: it is
    the same for every attempt and replay of this delivery. Ignore fields that you don't know.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        title="Disconnect webhook, v1",
    )

    id: WebhookEventId = Field(
        description="Names the disconnect: the same for every platform and attempt.",
        examples=["wh_5d41402abc4b2a76b9719d911017c592"],
    )
    event_type: EventType = Field(
        description="Always user.calendar.disconnected.",
        examples=["user.calendar.disconnected"],
    )
    timestamp: WholeSecond = Field(
        description="When the event was made, in UTC; the time of the attempt is in the header "
        "webhook-timestamp.",
        examples=["2025-11-21T15:45:00Z"],
    )
    platform_id: Identifier = Field(
        description="The recipient: you.",
        examples=["plat_luma"],
    )
    api_version: ApiVersion = Field(
        description="The version of this format: v1.",
        examples=["v1"],
    )
    data: WebhookDataV1 = Field(description="Whose connection ended, when and why.")

    def body(self) -> bytes:
        """Return the exact bytes to sign and to send: compact UTF-8 JSON, keys as declared."""
        return self.model_dump_json().encode()
