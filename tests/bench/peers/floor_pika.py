"""The floor with a queue: aio-pika, a tuned aiohttp session, an ack when all have answered."""

import asyncio
import json
import os

import aio_pika
import aiohttp
import uvloop
from aio_pika.abc import AbstractIncomingMessage
from tests.bench.peers.hooks import PREFETCH, Hook, hooks, say_ready, webhook


async def main() -> None:
    """Consume for ever."""
    told = hooks()
    connection = await aio_pika.connect(os.environ["BENCH_AMQP_URL"])
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=PREFETCH)
    queue = await channel.declare_queue(os.environ["BENCH_QUEUE"], durable=True)
    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:

        async def post(hook: Hook, event: dict[str, object]) -> None:
            body, headers = webhook(hook, event)
            async with session.post(hook.url, data=body, headers=headers) as answer:
                await answer.read()
                assert answer.status == 200

        async def handle(message: AbstractIncomingMessage) -> None:
            event = json.loads(message.body)
            await asyncio.gather(*(post(one, event) for one in told))
            await message.ack()

        await queue.consume(handle)
        say_ready()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
