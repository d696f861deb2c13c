"""A RabbitMQ for the demo, from wherever this machine can have one."""

import asyncio
import os
import platform
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from disconnect_fanout.demo import debian
from disconnect_fanout.demo.broker_choice import (
    Container,
    Given,
    InstallFirst,
    Machine,
    Nowhere,
    PrivateChild,
    choose_broker,
)
from disconnect_fanout.demo.rabbitmq import PrivateRabbitMQ
from disconnect_fanout.demo.rabbitmq_container import RabbitMQContainer, docker_answers
from disconnect_fanout.demo.rabbitmq_install import NoBrokerError, ensure_server, find_server


def survey() -> Machine:
    """Look at what this machine offers."""
    return Machine(
        amqp_url=os.environ.get("FANOUT_AMQP_URL"),
        server=find_server(),
        can_install=debian.can_install(),
        docker=docker_answers(),
        system=platform.system(),
    )


@asynccontextmanager
async def rabbitmq(tell: Callable[[str], None]) -> AsyncIterator[str]:
    """Provide a RabbitMQ's AMQP URL, and take away afterwards what was started for it.

    Args:
        tell: called, in a few words, where the broker comes from.

    Raises:
        NoBrokerError: There is no way; the message says what to do.
        ChildFailedError: The way that was chosen failed.
    """
    match choose_broker(await asyncio.to_thread(survey)):
        case Given(url):
            tell("the RabbitMQ of FANOUT_AMQP_URL")
            yield url
        case PrivateChild(server):
            tell("a private RabbitMQ, as a child process")
            async with PrivateRabbitMQ(server) as broker:
                yield broker.url
        case InstallFirst():
            tell("installing RabbitMQ with apt-get; no service is started or left enabled")
            async with PrivateRabbitMQ(await asyncio.to_thread(ensure_server)) as broker:
                yield broker.url
        case Container():
            tell("RabbitMQ in a Docker container")
            async with RabbitMQContainer() as container:
                yield container.url
        case Nowhere(advice):
            raise NoBrokerError(advice)
