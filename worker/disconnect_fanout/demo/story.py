"""The story, in four chapters. Each line is printed after it was seen to hold."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from disconnect_fanout.adapters.broker.browse import depth
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.demo.broker import rabbitmq
from disconnect_fanout.demo.child_process import ChildFailedError
from disconnect_fanout.demo.narrator import Narrator
from disconnect_fanout.demo.process_reaper import ProcessReaper
from disconnect_fanout.demo.rabbitmq_install import NoBrokerError
from disconnect_fanout.demo.sample_platform import SamplePlatform, Webhook
from disconnect_fanout.demo.stage import Stage, StepFailed
from disconnect_fanout.demo.swept_broker import swept
from disconnect_fanout.flow.outage import BrokerUnreachable

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
_LOOK_EVERY_S = 0.2
_SHOWN = ("fanout_events_total", "fanout_deliveries_total", "fanout_dead_letters_total")


async def demo() -> int:
    """Tell the whole story on this machine; return 0 if every step held, else 1."""
    narrator = Narrator()
    began = time.monotonic()
    try:
        async with asyncio.timeout(300), AsyncExitStack() as props:
            narrator.chapter("Setting the stage")
            await _play(props, narrator)
    except (StepFailed, ChildFailedError, NoBrokerError, BrokerUnreachable) as error:
        narrator.fails(str(error))
        return 1
    except TimeoutError:
        narrator.fails("something that should have happened did not happen in time")
        return 1
    narrator.chapter(
        f"Every step held, in {time.monotonic() - began:.0f} s. Nothing is left running."
    )
    return 0


async def _play(props: AsyncExitStack, narrator: Narrator) -> None:
    url = await props.enter_async_context(rabbitmq(narrator.tell))
    folder = Path(props.enter_context(TemporaryDirectory(prefix="fanout-demo-")))
    reaper = ProcessReaper()
    props.callback(reaper.close)
    platforms = [
        await props.enter_async_context(SamplePlatform(one, name))
        for one, name in (
            ("plat_boardy", "Boardy"),
            ("plat_luma", "Luma"),
            ("plat_calcom", "Cal.com"),
        )
    ]
    stage = Stage(folder, url, reaper)
    await props.enter_async_context(swept(url, stage.topology))
    await props.enter_async_context(stage)
    for platform in platforms:
        await _register(stage, platform)
    await stage.start_worker()
    narrator.holds("RabbitMQ, a database, three platforms that had three users connected, a worker")

    await _told(stage, narrator, platforms)
    await _told_on_the_third_attempt(stage, narrator, platforms)
    await _dead_letter_and_replay(stage, narrator, platforms, url)
    await _metrics(stage, narrator)
    _hold(await stage.stop_worker() == 0, "the worker did not drain cleanly")


async def _register(stage: Stage, platform: SamplePlatform) -> None:
    added = await stage.fanout(
        "platforms", "add", platform.id, "--name", platform.name, "--url", platform.url
    )
    platform.secret = added["secret"]
    for email in (ALICE, BOB, CAROL):
        await stage.fanout("links", "add", "--email", email, "--platform", platform.id)


async def _told(stage: Stage, narrator: Narrator, platforms: list[SamplePlatform]) -> None:
    narrator.chapter("Alice disconnects her calendar")
    event = await stage.fanout("publish", "--email", ALICE, "--reason", "user_requested")
    narrator.tell(f"published {event['id']} once")
    heard = [(await platform.hears(1))[0] for platform in platforms]
    for platform, webhook in zip(platforms, heard, strict=True):
        _hold(webhook.verified, f"{platform.name}'s signature did not verify")
        _hold(webhook.body["platform_id"] == platform.id, f"{platform.name} got another's webhook")
        narrator.holds(f"{platform.name:8} notified, signature verified   {webhook.webhook_id}")
    _hold(len({webhook.body["id"] for webhook in heard}) == 1, "the webhooks differ in their id")
    narrator.holds(f"one id for all three                   {heard[0].body['id']}")


async def _told_on_the_third_attempt(
    stage: Stage, narrator: Narrator, platforms: list[SamplePlatform]
) -> None:
    narrator.chapter("Bob disconnects; Luma answers 500, 500, and then listens")
    luma = platforms[1]
    luma.answers = [500, 500]
    await stage.fanout("publish", "--email", BOB, "--reason", "revoked")
    attempts = (await luma.hears(4))[1:]
    for webhook in attempts:
        narrator.holds(f"attempt {webhook.attempt}: Luma answered {webhook.status}")
    _hold(_same_delivery(attempts), "the attempts are not of one delivery")
    narrator.holds(f"the same webhook-id each time          {attempts[0].webhook_id}")
    for other in (platforms[0], platforms[2]):
        _hold(len(other.webhooks) == 2, f"{other.name} was notified more than once")  # noqa: PLR2004
    narrator.holds("Boardy and Cal.com notified once each, without waiting for Luma")


async def _dead_letter_and_replay(
    stage: Stage, narrator: Narrator, platforms: list[SamplePlatform], url: str
) -> None:
    narrator.chapter("Carol disconnects; Cal.com is down for good")
    calcom = platforms[2]
    calcom.otherwise = 503
    await stage.fanout("publish", "--email", CAROL, "--reason", "token_expired")
    await calcom.hears(5)
    letter = await _dead_letter(stage)
    _hold(letter["platform_id"] == calcom.id, "the dead letter is another platform's")
    narrator.holds(f"three attempts, then a dead letter     {letter['delivery_id']}")
    await _depth_becomes(url, stage.topology.dead_queue, 1)
    narrator.holds(f"one message in the queue {stage.topology.dead_queue}")

    narrator.chapter("Cal.com is back; the operator replays")
    calcom.otherwise = 204
    job = await stage.fanout("dlq", "replay", "--all", "--yes")
    _hold(job["delivered"] == 1, "the replay did not deliver")
    replayed = (await calcom.hears(6))[-1]
    _hold(replayed.webhook_id == letter["delivery_id"], "the replay has another webhook-id")
    _hold(replayed.verified, "the replay's signature did not verify")
    narrator.holds(f"Cal.com notified, with the same webhook-id {replayed.webhook_id}")
    await _depth_becomes(url, stage.topology.dead_queue, 0)
    narrator.holds("the dead-letter queue is empty again")


async def _metrics(stage: Stage, narrator: Narrator) -> None:
    narrator.chapter("What Prometheus sees")
    lines = [line for line in (await stage.metrics()).splitlines() if line.startswith(_SHOWN)]
    for line in lines:
        narrator.tell(line)
    delivered = sum(float(line.split()[-1]) for line in lines if 'outcome="delivered"' in line)
    _hold(delivered == 9, f"the metrics count {delivered:g} deliveries, not 9")  # noqa: PLR2004
    narrator.holds("three users, three platforms: nine notified, none silently lost")


async def _dead_letter(stage: Stage) -> dict[str, str]:
    async with asyncio.timeout(20):
        while not (letters := await stage.fanout("dlq", "list")):  # noqa: ASYNC110 - a command
            await asyncio.sleep(_LOOK_EVERY_S)
    _hold(len(letters) == 1, "there is more than one dead letter")
    letter: dict[str, str] = letters[0]
    return letter


async def _depth_becomes(url: str, queue: str, count: int) -> None:
    """Ask the broker itself; rows and queue agree within ten seconds."""
    async with await open_connection(url, "fanout demo") as connection, asyncio.timeout(15):
        while await depth(connection, queue) != count:  # noqa: ASYNC110 - the broker does not call
            await asyncio.sleep(_LOOK_EVERY_S)


def _same_delivery(webhooks: list[Webhook]) -> bool:
    return len({webhook.webhook_id for webhook in webhooks}) == 1


def _hold(held: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not held:
        raise StepFailed(otherwise)
