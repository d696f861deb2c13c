"""Nothing secret and nobody's name leaves by a side door, whatever goes wrong."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.harness.servers import amqp
from tests.harness.servers.answer import Answer
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhosts
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation
from tests.harness.worker.process import WorkerProcess

EMAIL = "canary.person@nest.example"
GOOGLE_ID = "480011223344556677"
PASSWORD = "canary-broker-password"  # noqa: S105 - what must not be shown
TOKEN = "canary-url-token"  # noqa: S105 - likewise


def forms(secret: str) -> set[str]:
    """Return how a text may be written so that a person can read it back."""
    raw = secret.encode()
    base64 = {one(raw).decode().rstrip("=") for one in (b64encode, urlsafe_b64encode)}
    return {secret, quote(secret, safe=""), raw.hex(), *base64}


def leaks(places: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """Return what is seen where, without showing it again."""
    return [
        f"{name} in {place}"
        for place, text in places.items()
        for name, secret in secrets.items()
        if any(form in text for form in forms(secret))
    ]


async def places(installation: Installation, worker: WorkerProcess) -> dict[str, str]:
    """Return everything that a stranger may come to read."""
    found = {
        "/metrics": await worker.exposition(),
        "/readyz": (await worker.readyz())[1],
        "process list": Path(f"/proc/{worker.pid}/cmdline").read_text(),  # noqa: ASYNC240 - a moment
    }
    for queue in ("dead", "rejected"):
        for message in await amqp.browse(installation.vhost.url, installation.vhost.queue(queue)):
            found[f"properties in {queue}"] = repr(message.info())
    return found


async def test_no_canary_is_seen_outside(
    rabbitmq: PrivateRabbitMQ, postgres_url: str, tmp_path: Path
) -> None:
    """Told, refused, rejected, killed, with the chattiest log: the canaries stay in their cages."""
    vhost = await Vhosts(rabbitmq).fresh()
    name = urlsplit(vhost.url).path[1:]
    await rabbitmq.rabbitmqctl("add_user", "canary", PASSWORD)
    await rabbitmq.rabbitmqctl("set_permissions", "-p", name, "canary", ".*", ".*", ".*")
    installation = Installation(vhost, postgres_url, tmp_path, FANOUT_LOG_LEVEL="debug")
    url = installation.settings["FANOUT_AMQP_URL"]
    installation.settings["FANOUT_AMQP_URL"] = url.replace("guest:guest", f"canary:{PASSWORD}")
    said: dict[str, str] = {}

    async def command(*args: str) -> str:
        result = await installation.fanout(*args)
        said[f"stderr of {args[:2]}"] = result.stderr
        return result.stdout

    await installation.migrate()
    echo = Answer(status=500, body=f"who is {EMAIL}, {GOOGLE_ID}?".encode())
    async with Receiver() as luma, Receiver(echo) as boardy:
        secrets = {
            "the address": EMAIL,
            "the google id": GOOGLE_ID,
            "the broker's password": PASSWORD,
            "the database's password": urlsplit(postgres_url).password or "",
            "the secret key": installation.settings["FANOUT_SECRET_KEY"],
            "a URL's token": TOKEN,
        }
        for platform, receiver in (("luma", luma), ("boardy", boardy)):
            address = f"{receiver.url}?token={TOKEN}"
            secrets[f"{platform}'s secret"] = await installation.register(platform, address)
        await installation.link(EMAIL, "luma", "boardy", "nobody-knows")
        async with installation.worker(FANOUT_RETRY_SCHEDULE="200ms") as worker:
            await installation.publish(disconnect("evt_1", EMAIL, google_id=GOOGLE_ID))
            broken = disconnect("evt_2", EMAIL, google_id=GOOGLE_ID, reason=f"because of {EMAIL}")
            await installation.publish(broken)
            await installation.publish_raw(f'{{"user_email": "{EMAIL}"'.encode())
            await installation.publish(disconnect("evt_1", EMAIL, google_id="1"))
            await installation.depth_becomes("dead", 2)
            await installation.depth_becomes("rejected", 3)
            for args in (("dlq", "list"), ("dlq", "groups"), ("rejected", "list"), ("check",)):
                await command(*args)
            await command("dlq", "replay", "--platform", "boardy", "--yes")
            await command("links", "list", "--email", f"not{EMAIL}")
            seen = await places(installation, worker)
            await worker.sigkill()
            await worker.start()
            seen |= {"the log": worker.stderr, "standard output": worker.stdout, **said}
    assert EMAIL.encode() in luma.requests[0].body, "the canary never flew"
    assert boardy.requests, "nothing was refused"
    assert leaks({"control": f"x {EMAIL} y"}, secrets) == ["the address in control"]
    assert leaks(seen, secrets) == []
