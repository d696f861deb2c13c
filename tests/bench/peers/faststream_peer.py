"""FastStream: the subscriber that a team would write, with aiohttp; acked when all answered."""

import asyncio
import os
from typing import Any

import aiohttp
import uvloop
from faststream import FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from tests.bench.peers.hooks import PREFETCH, Hook, hooks, say_ready, webhook

broker = RabbitBroker(
    os.environ["BENCH_AMQP_URL"], default_channel=Channel(prefetch_count=PREFETCH), logger=None
)
app = FastStream(broker, logger=None)
told = hooks()
sessions: list[aiohttp.ClientSession] = []


@app.on_startup
async def open_session() -> None:
    """One session for all."""
    sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))


@app.after_startup
async def started() -> None:
    """The subscriber consumes."""
    say_ready()


async def post(hook: Hook, event: dict[str, Any]) -> None:
    """Notify one platform."""
    body, headers = webhook(hook, event)
    async with sessions[0].post(hook.url, data=body, headers=headers) as answer:
        await answer.read()
        answer.raise_for_status()


@broker.subscriber(RabbitQueue(os.environ["BENCH_QUEUE"], durable=True))
async def handle(event: dict[str, Any]) -> None:
    """Notify all."""
    await asyncio.gather(*(post(one, event) for one in told))


if __name__ == "__main__":
    uvloop.run(app.run())
