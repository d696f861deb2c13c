"""``fanout explain``: per platform notified or not, by which link, in which state, and why."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.deliveries.known_names import require_known
from disconnect_fanout.adapters.store.events.explainer import Explained, Explainer
from disconnect_fanout.adapters.store.events.recorded import RecordedEvents
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter
from disconnect_fanout.cli.arguments.filters import LimitOption, PlatformsOption, UserOption, first
from disconnect_fanout.cli.arguments.link_line import SINCE_EVER
from disconnect_fanout.cli.runtime.session import Session, execute, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_list
from disconnect_fanout.cli.screen.reasons import because, instant
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.event import DisconnectEvent, Provider
from disconnect_fanout.domain.link import Link


@dataclass(frozen=True, slots=True)
class LinkInterval:
    """The link that decides.

    Attributes:
        linked_at: None if it was imported without one: it holds since ever.
        unlinked_at: None while it holds.
    """

    linked_at: datetime | None
    unlinked_at: datetime | None
    provider: Provider | None

    def __str__(self) -> str:
        """Say it in one cell."""
        begun = "ever" if self.linked_at is None else instant(self.linked_at)
        ended = "now" if self.unlinked_at is None else instant(self.unlinked_at)
        return f"{begun} … {ended}" + (f" ({self.provider})" if self.provider else "")


@dataclass(frozen=True, slots=True)
class ExplainedPlatform:
    """One platform and one event.

    Attributes:
        told: the platform has accepted it.
        state: of the delivery, None if there is none.
        next_at: of the next attempt.
        near_miss: not notified, because the address is linked to it under another Google id.
    """

    event_id: str
    platform_id: str
    told: bool
    state: str | None
    next_at: datetime | None
    last_result: str | None
    near_miss: bool
    link: LinkInterval | None
    because: str


def explain(
    *,
    event: Annotated[str | None, typer.Argument(metavar="[EVENT]", help="The event's id.")] = None,
    user: UserOption = None,
    platform: PlatformsOption = None,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Explain who was notified of an event, or of a user's events, and why the others were not.

    \b
    Examples:
      fanout explain evt_8f14e45fceea
      fanout explain --user alice@example.com --platform plat_luma
    """
    if (event is None) is (user is None):
        raise UsageError("give the id of an event, or --user")
    wanted = _Wanted(event, user, frozenset(platform or ()), limit)
    show_list(execute(_explain(wanted)), output)


@dataclass(frozen=True, slots=True)
class _Wanted:
    event: str | None
    user: str | None
    platforms: frozenset[str]
    limit: int


async def _explain(wanted: _Wanted) -> list[ExplainedPlatform]:
    async with reading() as session:
        named = DeliveryFilter(platforms=tuple(sorted(wanted.platforms)))
        await require_known(session.database, named)
        settings, seals = session.settings, await session.seals()
        grace = timedelta(seconds=settings.link_grace)
        source = SqlPlatformSource(session.database, session.vault, settings.timeout)
        explainer = Explainer(session.database, seals, source, grace)
        explained = await explainer.explain(await _events(session, wanted))
    now = datetime.now(UTC)
    return [
        _record(one, because(one, grace, now))
        for one in explained
        if not wanted.platforms or one.explanation.platform_id in wanted.platforms
    ]


async def _events(session: Session, wanted: _Wanted) -> list[DisconnectEvent]:
    recorded = RecordedEvents(session.database, await session.seals())
    if wanted.user is not None:
        found = await recorded.of_user(wanted.user, wanted.limit + 1)
        return first(wanted.limit, list(found))
    event = await recorded.one(wanted.event or "")
    if event is None:
        say("the user of this event was forgotten: who was linked is not known any more")
    return [] if event is None else [event]


def _record(one: Explained, words: str) -> ExplainedPlatform:
    delivery = one.delivery
    return ExplainedPlatform(
        event_id=one.event.id,
        platform_id=one.explanation.platform_id,
        told=delivery is not None and delivery.state == DeliveryState.DELIVERED,
        state=None if delivery is None else delivery.state,
        next_at=None if delivery is None else delivery.next_at,
        last_result=None if delivery is None else delivery.last_result,
        near_miss=one.near_miss,
        link=None if one.explanation.link is None else _interval(one.explanation.link),
        because=words,
    )


def _interval(link: Link) -> LinkInterval:
    return LinkInterval(
        linked_at=None if link.linked_at == SINCE_EVER else link.linked_at,
        unlinked_at=link.unlinked_at,
        provider=link.provider,
    )
