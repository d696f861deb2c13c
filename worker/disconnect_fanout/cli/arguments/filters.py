"""The filters that ``deliveries`` and ``dlq`` share (CONTRACT section 6)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter
from disconnect_fanout.adapters.store.rows.user_match import match_events
from disconnect_fanout.cli.arguments.person import parse_stored_email
from disconnect_fanout.cli.arguments.timestamps import SinceOption, UntilOption
from disconnect_fanout.cli.runtime.session import Session
from disconnect_fanout.cli.screen.output import say
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import DeliveryState

Row = TypeVar("Row")

_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
_MOST_ROWS = 100_000_000
_STATUS = re.compile(r"[1-5]\d\d")


@dataclass(frozen=True, slots=True)
class StatusRange:
    """HTTP statuses, both ends included."""

    lowest: int
    highest: int


def parse_status(text: str) -> StatusRange:
    """Return the range of ``5xx`` or of one status."""
    if match := _CLASS.fullmatch(text):
        hundreds = int(match[1]) * 100
        return StatusRange(hundreds, hundreds + 99)
    if _STATUS.fullmatch(text):
        return StatusRange(int(text), int(text))
    raise typer.BadParameter(f"{text!r} is no status; write it as 503 or 5xx")


PlatformsOption = Annotated[
    list[str] | None, typer.Option("--platform", metavar="ID", help="May be given repeatedly.")
]
WhyOption = Annotated[DeadReason | None, typer.Option("--why", help="The dead letter's reason.")]
StatusOption = Annotated[
    StatusRange | None,
    typer.Option("--status", parser=parse_status, metavar="5xx|503", help="The last answer's."),
]
UserOption = Annotated[
    str | None,
    typer.Option("--user", parser=parse_stored_email, metavar="EMAIL", help="The user's address."),
]
EventOption = Annotated[str | None, typer.Option("--event", metavar="ID", help="The event's id.")]
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, max=_MOST_ROWS, help="At most so many.")
]
MostOption = Annotated[
    int | None,
    typer.Option("--limit", min=1, max=_MOST_ROWS, help="At most so many; by default all."),
]


def first(limit: int, found: list[Row]) -> list[Row]:
    """Return the first of what was found with a limit of one more, and say if there are more."""
    if len(found) > limit:
        say(f"there are more than these {limit}; --limit shows more of them")
    return found[:limit]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters as they were given; a user still by address."""

    ids: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    why: DeadReason | None = None
    status: StatusRange | None = None
    user: str | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def named(self, ids: Iterable[str] | None) -> "Wanted":
        """Return the same filters with ids beside them."""
        return replace(self, ids=tuple(ids or ()))

    @property
    def everything(self) -> bool:
        """No filter was given."""
        return self == Wanted()

    async def chosen(self, session: Session, *states: DeliveryState) -> DeliveryFilter:
        """Return the filter for the store.

        Raises:
            Unsealable: the keys to this database are not configured, so no user can be found.
        """
        user = None
        if self.user is not None:
            user = await match_events(session.database, await session.seals(), self.user)
        return DeliveryFilter(
            ids=self.ids,
            platforms=self.platforms,
            states=states,
            reason=self.why,
            statuses=None if self.status is None else (self.status.lowest, self.status.highest),
            user=user,
            event_id=self.event,
            since=self.since,
            until=self.until,
        )


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared filters as options; it takes them together, as ``wanted``."""
    hints = get_type_hints(command, include_extras=True)
    parameters: list[Parameter] = []
    for own in signature(command).parameters.values():
        parameters += _FILTERS if own.name == "wanted" else [_hinted(own, hints)]

    @wraps(command)
    def with_options(**given: Any) -> None:  # noqa: ANN401 - typer's, by the signature below
        filters = {one.name: given.pop(one.name) for one in _FILTERS}
        command(wanted=_wanted(**filters), **given)

    with_options.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options


def _wanted(
    *,
    platform: PlatformsOption = None,
    why: WhyOption = None,
    status: StatusOption = None,
    user: UserOption = None,
    event: EventOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
) -> Wanted:
    return Wanted((), tuple(platform or ()), why, status, user, event, since, until)


def _hinted(parameter: Parameter, hints: Mapping[str, Any]) -> Parameter:
    return parameter.replace(annotation=hints[parameter.name])


_FILTERS = [
    _hinted(one, get_type_hints(_wanted, include_extras=True))
    for one in signature(_wanted).parameters.values()
]
