"""A delivery's request as a command to copy: everything but the signature, which is a secret's."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict

import disconnect_fanout
from disconnect_fanout.adapters.store.deliveries.record import DeadStory, DeliveryStory
from disconnect_fanout.adapters.store.events.recorded import RecordedEvents
from disconnect_fanout.adapters.store.platforms.registered import RegisteredPlatform
from disconnect_fanout.adapters.store.platforms.registry import PlatformRegistry
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.cli.runtime.session import Session
from disconnect_fanout.cli.screen.output import Output, say, show_one, show_text
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.platform import Scheme
from disconnect_fanout.flow.left_out import LeftOutRow

_VERSIONS: Mapping[str, str] = {
    Scheme.STANDARD: "v1",
    Scheme.STANDARD_ED25519: "v1a",
    Scheme.CAL: "v1",
}


async def curl_of(session: Session, story: DeliveryStory | DeadStory) -> str | None:
    """Return the command, None if the event's user was forgotten or the platform was removed.

    What of them can't be read is noted.

    Raises:
        SecretKeyMissing: the event was sealed with a key that is not here.
    """
    try:
        event = await RecordedEvents(session.database, await session.seals()).one(story.event_id)
        platforms = PlatformRegistry(session.database, session.vault)
        platform = await platforms.get(story.platform_id)
    except NotFound:
        return None
    except UnreadableRow as error:  # the delivery is shown all the same
        words = str(error)
        session.database.left_out.note(LeftOutRow("events", story.event_id, words))
        return None
    if event is None:
        return None
    # Its models take longer to make than most commands that share this module take at all.
    from disconnect_fanout.adapters.broker.codec import encode_webhook  # noqa: PLC0415

    body = encode_webhook(event, platform.id)
    return curl(platform.url, _headers(story, platform), body)


def curl(url: str, headers: Mapping[str, str], body: bytes) -> str:
    """Return one line for a shell that posts this body."""
    flags = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    words = ["curl", "-sS", "-i", *flags, "--data-binary", body.decode(), "--url", url]
    return " ".join(shlex.quote(one) for one in words)


def show_story(story: DeliveryStory | DeadStory, command: str | None, output: Output) -> None:
    """Print a delivery with its request: to copy it, a person needs it unfolded."""
    if lost := sum(one.answer is None for one in story.timeline):
        say(f"fanout: note: {lost} answers can't be shown: FANOUT_SECRET_KEY does not open them")
    if output is not Output.TABLE:
        show_one({**asdict(story), "curl": command}, output)
        return
    show_one(story, output)
    if command is not None:
        show_text(f"\n{command}")


def _headers(story: DeliveryStory | DeadStory, platform: RegisteredPlatform) -> Mapping[str, str]:
    headers = {
        "content-type": "application/json",
        "user-agent": f"disconnect-fanout/{disconnect_fanout.__version__}",
        "webhook-id": story.delivery_id,
        "webhook-timestamp": "<unix seconds>",
        "webhook-signature": f"{_VERSIONS.get(platform.scheme, 'v1')},<signature>",
        "fanout-attempt": str(max(1, story.attempts)),
    }
    if platform.scheme is Scheme.CAL:
        headers["X-Cal-Signature-256"] = "<signature>"
    return headers
