"""Why a platform was notified or not, in words."""

from datetime import UTC, datetime, timedelta
from typing import assert_never

from disconnect_fanout.adapters.store.deliveries.record import DeliveryStory
from disconnect_fanout.adapters.store.events.explainer import Explained
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.duration import format_duration
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.policy.plan import Bearing


def because(one: Explained, grace: timedelta, now: datetime) -> str:
    """Return why this platform is a recipient or not and, if it is, how far it has come."""
    if one.delivery is None:
        return _not_planned(one, grace)
    return f"{_planned(one)}; {_progress(one, one.delivery, now)}"


def _not_planned(one: Explained, grace: timedelta) -> str:
    event, explanation = one.event, one.explanation
    if explanation.recipient is not None:
        command = f"fanout events resolve {event.id}"
        return f"its link was recorded after the event had come; to tell it: {command}"
    if event.platform_ids is not None:
        return "the event names its recipients, and this is none of them"
    if explanation.link is None or explanation.bearing is None:
        return "no link of this user to it is recorded"
    return _missed(explanation.link, explanation.bearing, event, grace)


def _missed(link: Link, bearing: Bearing, event: DisconnectEvent, grace: timedelta) -> str:
    at = instant(event.disconnected_at)
    match bearing:
        case Bearing.ANOTHER_USER:
            return "the link with this address or account is another user's"
        case Bearing.ANOTHER_PROVIDER:
            return f"its link is for {link.provider}, and the event is {event.provider}'s"
        case Bearing.LINKED_AFTER:
            return f"it was linked at {instant(link.linked_at)}, after the disconnect at {at}"
        case Bearing.ENDED_BEFORE:
            ended = instant(link.unlinked_at or link.linked_at)
            length = format_duration(grace.total_seconds())
            return f"its link ended at {ended}, over {length} before the disconnect at {at}"
        case Bearing.ANOTHER_ACCOUNT:
            return (
                "not notified: the address is linked to it, but under another Google account; "
                "if that is a mistake: import the link with the right Google id, then: "
                f"fanout events resolve {event.id}"
            )
        case Bearing.HELD:
            return "its link held at the disconnect"
        case _:
            assert_never(bearing)


def _planned(one: Explained) -> str:
    link = one.explanation.link
    if one.event.platform_ids is not None:
        return "the event names it as a recipient"
    if link is None or one.explanation.bearing is not Bearing.HELD:
        return "it was planned when the event came, by a link that is not recorded any more"
    if link.unlinked_at is not None and link.unlinked_at < one.event.disconnected_at:
        return f"its link ended at {instant(link.unlinked_at)}, within the grace"
    return "its link held at the disconnect"


def _progress(one: Explained, delivery: DeliveryStory, now: datetime) -> str:
    if delivery.state not in set(DeliveryState):
        return f"it is {delivery.state}, which this version does not know"
    match DeliveryState(delivery.state):
        case DeliveryState.DELIVERED:
            return f"it accepted at {instant(delivery.settled_at)}"
        case DeliveryState.DEAD:
            replay = f"fanout dlq replay {delivery.delivery_id}"
            return f"a dead letter ({delivery.reason}){_last(delivery)}; to send it: {replay}"
        case DeliveryState.DISCARDED:
            return f"discarded by an operator: {delivery.because or 'no reason is kept'}"
        case DeliveryState.PENDING:
            return f"{_waiting(one, delivery, now)}{_last(delivery)}"
        case state:
            assert_never(state)


def _waiting(one: Explained, delivery: DeliveryStory, now: datetime) -> str:
    if delivery.reason is not None:
        return f"its dead letter is on the way ({delivery.reason})"
    if delivery.next_at is None:
        return "an attempt is under way"
    return _held_up(one.platform) or _due(delivery.next_at, now)


def _held_up(platform: Platform | None) -> str | None:
    if platform is None:
        return "the platform is not registered, so it becomes a dead letter"
    if not platform.enabled:
        return "the platform is disabled, so it becomes a dead letter"
    if platform.paused:
        return f"the platform is paused; to let it go: fanout platforms resume {platform.id}"
    return None


def _due(at: datetime, now: datetime) -> str:
    if at > now:
        return f"the next attempt is at {instant(at)}"
    return "it is due; only the workers know if the platform's breaker or rate holds it back"


def _last(delivery: DeliveryStory) -> str:
    if delivery.last_result is None:
        return ", no attempt so far"
    status = "" if delivery.last_status is None else f" {delivery.last_status}"
    return f", attempt {delivery.attempts}: {delivery.last_result}{status}"


def instant(at: datetime | None) -> str:
    """Return a time as all commands print it in words."""
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
