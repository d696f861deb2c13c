"""``fanout publish``: one event, as upstream would publish it."""

import uuid
from dataclasses import dataclass
from typing import Annotated

import typer

from disconnect_events import DisconnectDataV1, DisconnectEventV1
from disconnect_fanout.adapters.broker.topology import declare
from disconnect_fanout.cli.arguments.person import EmailOption, GoogleIdOption, parse_identifier
from disconnect_fanout.cli.arguments.timestamps import AtOption, now
from disconnect_fanout.cli.runtime.broker_session import publishing
from disconnect_fanout.cli.runtime.session import configuration, execute
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_one, show_text
from disconnect_fanout.domain.event import Provider, Reason


@dataclass(frozen=True, slots=True)
class Published:
    """What the broker has confirmed."""

    id: str


def publish(
    *,
    email: EmailOption,
    google_id: GoogleIdOption = None,
    reason: Annotated[Reason, typer.Option("--reason")] = Reason.USER_REQUESTED,
    provider: Annotated[Provider, typer.Option("--provider")] = Provider.GOOGLE,
    event_id: Annotated[
        str | None,
        typer.Option("--id", parser=parse_identifier, help="By default a fresh one: evt_…"),
    ] = None,
    at: AtOption = None,
    initiated_by: Annotated[
        str | None,
        typer.Option("--initiated-by", parser=parse_identifier, metavar="ID"),
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", metavar="ID", help="Tell these instead of the linked ones."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Publish one disconnect event and print its id once the broker has confirmed it.

    The same --id again is notified once.

    \b
    Example:
      fanout publish --email alice@example.com --google-id 105942374304 --reason revoked
    """
    ended = (at or now()).replace(microsecond=0)
    explicit = {"platform_ids": [parse_identifier(one) for one in platform]} if platform else {}
    event = DisconnectEventV1(
        id=event_id or f"evt_{uuid.uuid4().hex}",
        event_type="user.calendar.disconnected",
        timestamp=ended,
        api_version="v1",
        data=DisconnectDataV1(
            user_email=email,
            google_id=google_id,
            provider=provider.value,
            disconnected_at=ended,
            reason=reason.value,
            initiated_by=initiated_by,
        ),
        **explicit,
    )
    execute(_publish(event))
    if output is Output.TABLE:
        show_text(event.id)
    else:
        show_one(Published(event.id), output)


async def _publish(event: DisconnectEventV1) -> None:
    settings = configuration()
    async with publishing(settings, "fanout publish") as (publisher, topology):
        await declare(await publisher.connection(), topology)
        await publisher.publish_event(event.model_dump_json().encode(), event.id)
