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
    data = DisconnectDataV1(
        user_email=email,
        google_id=google_id,
        provider=provider.value,
        disconnected_at=(at or now()).replace(microsecond=0),
        reason=reason.value,
        initiated_by=initiated_by,
    )
    event = _event(event_id or f"evt_{uuid.uuid4().hex}", data, platform)
    execute(_publish(event))
    if output is Output.TABLE:
        show_text(event.id)
    else:
        show_one(Published(event.id), output)


def _event(event_id: str, data: DisconnectDataV1, platforms: list[str] | None) -> DisconnectEventV1:
    explicit = {"platform_ids": [parse_identifier(one) for one in platforms]} if platforms else {}
    return DisconnectEventV1(
        id=event_id,
        event_type="user.calendar.disconnected",
        timestamp=data.disconnected_at,
        api_version="v1",
        data=data,
        **explicit,
    )


async def _publish(event: DisconnectEventV1) -> None:
    settings = configuration()
    async with publishing(settings, "fanout publish") as (publisher, topology):
        await declare(await publisher.connection(), topology)
        await publisher.publish_event(event.model_dump_json().encode(), event.id)
