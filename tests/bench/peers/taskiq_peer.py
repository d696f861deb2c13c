"""taskiq on AMQP with aiohttp: one task for an event. Run by ``taskiq worker``."""

import asyncio
import os
from typing import Any

import aiohttp
from taskiq import TaskiqEvents, TaskiqState
from taskiq_aio_pika import AioPikaBroker, Queue
from tests.bench.peers.hooks import PREFETCH, Hook, hooks, say_ready, webhook

broker = AioPikaBroker(
    os.environ["BENCH_AMQP_URL"],
    task_queues=[Queue(name=os.environ["BENCH_QUEUE"])],
    qos=PREFETCH,
)
told = hooks()
sessions: list[aiohttp.ClientSession] = []


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def open_session(_state: TaskiqState) -> None:
    """One session for all; the worker listens right after this."""
    sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    asyncio.get_running_loop().call_later(1.0, say_ready)


async def post(hook: Hook, event: dict[str, Any]) -> None:
    """Notify one platform."""
    body, headers = webhook(hook, event)
    async with sessions[0].post(hook.url, data=body, headers=headers) as answer:
        await answer.read()
        answer.raise_for_status()


@broker.task(task_name="fan_out")
async def fan_out(event: dict[str, Any]) -> None:
    """Notify all."""
    await asyncio.gather(*(post(one, event) for one in told))
