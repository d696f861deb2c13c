"""The examples that a stranger pastes: each publishes, or verifies, the real thing."""

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import aiohttp
import pytest
from standardwebhooks import Webhook
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.running_broker import running_broker
from tests.harness.servers.vhost import Vhost, Vhosts
from tests.harness.worker.example import EXAMPLES, ReceiverExample, receiving, run, with_packages
from tests.harness.worker.installation import Installation

from disconnect_fanout.adapters.crypto.webhook_secret import new_secret
from disconnect_fanout.domain.platform import Scheme

PYTHON, SHELL = EXAMPLES / "python", EXAMPLES / "shell"
RECEIVERS = {
    "python": (sys.executable, str(PYTHON / "receive_webhook.py")),
    "node": ("node", str(EXAMPLES / "node" / "receive_webhook.js")),
}
BODY = json.dumps({"data": {"disconnected_at": "2025-11-21T15:45:00Z"}})


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateRabbitMQ]:
    """A broker that rabbitmqadmin can speak to."""
    with running_broker(management=True) as broker:
        yield broker


@pytest.fixture(scope="module")
def vhosts(broker: PrivateRabbitMQ) -> Vhosts:
    """Its vhosts."""
    return Vhosts(broker)


@pytest.fixture
async def vhost(vhosts: Vhosts) -> Vhost:
    """A vhost of that broker, in the place of the session's."""
    return await vhosts.fresh()


Published: TypeAlias = tuple[int, str, str]
Publish: TypeAlias = Callable[[Vhost, PrivateRabbitMQ, Path], Awaitable[Published]]


async def by_python(vhost: Vhost, _broker: PrivateRabbitMQ, _folder: Path) -> Published:
    """Publish with Python."""
    example = str(PYTHON / "publish_event.py")
    return await run(sys.executable, example, "alice@example.com", env={"AMQP_URL": vhost.url})


async def by_node(vhost: Vhost, _broker: PrivateRabbitMQ, folder: Path) -> Published:
    """Publish with Node."""
    example = str(await with_packages(EXAMPLES / "node", folder) / "publish_event.js")
    return await run("node", example, "alice@example.com", env={"AMQP_URL": vhost.url})


async def by_shell(vhost: Vhost, broker: PrivateRabbitMQ, folder: Path) -> Published:
    """Publish with rabbitmqadmin, taken from the broker as its documentation says."""
    where = f"http://127.0.0.1:{broker.management_port}/cli/rabbitmqadmin"
    async with aiohttp.ClientSession() as client, client.get(where) as answer:
        (folder / "rabbitmqadmin").write_bytes(await answer.read())
    name = urlsplit(vhost.url).path.removeprefix("/")
    admin = f"{sys.executable} {folder / 'rabbitmqadmin'} --port={broker.management_port}"
    env = {"RABBITMQADMIN": f"{admin} --vhost={name}"}
    return await run("sh", str(SHELL / "publish_event.sh"), "alice@example.com", env=env)


PUBLISHERS = pytest.mark.parametrize(
    "publish", [by_python, by_node, by_shell], ids=["python", "node", "shell"]
)


@PUBLISHERS
async def test_an_example_publishes_what_is_told(
    installation: Installation,
    broker: PrivateRabbitMQ,
    tmp_path: Path,
    publish: Publish,
) -> None:
    """It prints the event's id, and each linked platform is told of that event."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker():
            code, out, err = await publish(installation.vhost, broker, tmp_path)
            assert (code, err) == (0, "")
            await luma.received(1)
            (told,) = await installation.settled("delivered", 1)
    assert told["event_id"] == out.strip()
    assert luma.requests[0].json()["data"]["user_email"] == "alice@example.com"


@PUBLISHERS
async def test_an_example_says_that_nobody_listens(
    vhost: Vhost, broker: PrivateRabbitMQ, tmp_path: Path, publish: Publish
) -> None:
    """In a vhost where nothing was declared: an error, no id."""
    code, out, _ = await publish(vhost, broker, tmp_path)
    assert code != 0
    assert out == ""


@pytest.mark.parametrize("language", RECEIVERS)
async def test_an_example_receives_what_the_worker_sends(
    installation: Installation, language: str
) -> None:
    """The real webhook is ours, and answered with success at the first attempt."""
    secret = new_secret(Scheme.STANDARD)
    (installation.folder / "secret").write_text(secret)
    async with receiving(*RECEIVERS[language], secret=secret) as example:
        await installation.register(
            "plat_luma", example.url, "--secret-file", str(installation.folder / "secret")
        )
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker():
            await installation.fanout("publish", "--email", "alice@example.com")
            (told,) = await installation.settled("delivered", 1)
            assert (await example.says()).split()[:2] == ["told", told["delivery_id"]]
    assert told["attempts"] == 1


@pytest.fixture(params=list(RECEIVERS))
async def example(request: pytest.FixtureRequest) -> AsyncIterator[ReceiverExample]:
    """Each receiver, knowing one secret."""
    async with receiving(*RECEIVERS[request.param], secret=SECRET) as one:
        yield one


SECRET, OTHER = new_secret(Scheme.STANDARD), new_secret(Scheme.STANDARD)


def signature(body: str, *secrets: str, name: str = "wh_del_1", age_s: float = 0) -> dict[str, str]:
    """What the public library signs."""
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(one).sign(name, at, body) for one in secrets),
    }


def wrong() -> list[tuple[str, dict[str, str]]]:
    """Bodies and headers that are not ours, signed at this moment."""
    right = signature(BODY, SECRET)
    return [
        (BODY + " ", right),
        (BODY, signature(BODY, OTHER)),
        (BODY, signature(BODY, SECRET, age_s=330)),
        (BODY, signature(BODY, SECRET, age_s=-900)),
        (BODY, {**right, "webhook-id": "wh_del_2"}),
        (BODY, {**right, "webhook-signature": ""}),
        (BODY, {**right, "webhook-timestamp": "now"}),
    ]


async def post(url: str, body: str, headers: dict[str, str]) -> int:
    """Return the status of the answer."""
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data=body.encode(), headers=headers) as answer,
    ):
        return answer.status


async def test_a_receiver_takes_what_is_ours_once(example: ReceiverExample) -> None:
    """During a rotation too; a copy is answered with success and not told again."""
    rotating = signature(BODY, OTHER, SECRET)
    assert await post(example.url, BODY, rotating) == 204
    assert await post(example.url, BODY, rotating) == 204
    assert await post(example.url, BODY, signature(BODY, SECRET, name="wh_del_2")) == 204
    said = [await example.says(), await example.says()]
    assert [line.split()[1] for line in said] == ["wh_del_1", "wh_del_2"]


async def test_a_receiver_refuses_what_is_not_ours(example: ReceiverExample) -> None:
    """Whatever is wrong about it; and takes what is ours afterwards."""
    for body, headers in wrong():
        assert await post(example.url, body, headers) == 400, headers
    assert await post(example.url, BODY, signature(BODY, SECRET)) == 204
    assert (await example.says()).split()[1] == "wh_del_1"


async def test_the_shell_verifies_alike() -> None:
    """Ours, in a rotation too, exits with 0; everything else does not."""

    async def verify(body: str, headers: dict[str, str]) -> int:
        code, _, _ = await run(
            "sh",
            str(SHELL / "verify_webhook.sh"),
            *(headers[f"webhook-{one}"] for one in ("id", "timestamp", "signature")),
            env={"WEBHOOK_SECRET": SECRET},
            stdin=body.encode(),
        )
        return code

    assert await verify(BODY, signature(BODY, OTHER, SECRET)) == 0
    assert 0 not in [await verify(*one) for one in wrong()]
