"""The message in the dead-letter queue: a delivery that ended undelivered."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from disconnect_events.identifier import Identifier
from disconnect_events.instant import Instant

DeadReason = Literal[
    "exhausted", "gone", "blocked", "endpoint_disabled", "unknown_platform", "expired"
]
DeliveryId = Annotated[str, StringConstraints(pattern="^wh_del_[0-9a-z_]+$", max_length=64)]


class DeadLetterV1(BaseModel):
    """A delivery that ended undelivered and waits for an operator. It names no user.

    Browse the queue, don't consume it: the number of messages in it is the number of open dead
    letters. ``fanout dlq show`` tells the rest.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        title="Dead letter, v1",
    )

    delivery_id: DeliveryId = Field(
        description="The webhook-id of the delivery; fanout dlq replay takes it.",
        examples=["wh_del_7d793037a0760186574b0282f2f435e7"],
    )
    event_id: Identifier = Field(
        description="The id under which upstream published the event.",
        examples=["evt_8f14e45fceea"],
    )
    platform_id: Identifier = Field(
        description="The platform that was not told.",
        examples=["plat_luma"],
    )
    reason: DeadReason = Field(
        description="exhausted: the retry schedule is used up. gone: the endpoint answered 410. "
        "blocked: its address must not be reached. endpoint_disabled: the platform is disabled. "
        "unknown_platform: no such platform is registered. expired: it outlived FANOUT_MAX_AGE.",
        examples=["exhausted"],
    )
    attempts: int = Field(
        ge=0,
        description="Requests made, over all replays.",
        examples=[10],
    )
    last_result: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        description="What the last attempt came to, in one word, such as refused or timed_out; "
        "null if there was none.",
        examples=["refused"],
    )
    last_status: Annotated[int, Field(ge=100, le=999)] | None = Field(
        description="The last HTTP status; null if the last attempt had no answer.",
        examples=[503],
    )
    first_failed_at: Instant | None = Field(
        description="When the first attempt failed; null if there was none.",
        examples=["2025-11-21T15:45:01Z"],
    )
    dead_at: Instant = Field(
        description="When it was given up.",
        examples=["2025-11-25T01:20:06Z"],
    )
    replays: int = Field(
        ge=0,
        description="How often it had been replayed by then.",
        examples=[0],
    )

    def body(self) -> bytes:
        """Return the message body: compact UTF-8 JSON, keys as declared."""
        return self.model_dump_json().encode()
