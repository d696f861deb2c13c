"""RabbitMQ in a Docker container, for a machine that has Docker and nothing better."""

import asyncio
import shutil
import subprocess
import time
from typing import Self

from disconnect_fanout.demo.child_process import ChildFailedError, free_ports
from disconnect_fanout.demo.rabbitmq import speaks_amqp

_IMAGE = "rabbitmq:4"
_PULL_AND_START = 300.0  # seconds; the image has some 100 MB


def docker_answers() -> bool:
    """Whether there is a Docker daemon; a client alone does not run anything."""
    if shutil.which("docker") is None:
        return False
    try:
        version = _docker("info", "--format", "{{.ServerVersion}}", within=10)
    except ChildFailedError:
        return False
    return version != ""


class RabbitMQContainer:
    """One broker in a container that removes itself when it ends.

    The container is the Docker daemon's child, not ours: after a ``kill -9`` of this process it
    goes on, named ``fanout-rabbitmq-PORT``, until ``docker rm -f``.
    """

    def __init__(self) -> None:
        (self._port,) = free_ports(1)
        self._name = f"fanout-rabbitmq-{self._port}"

    @property
    def url(self) -> str:
        """The AMQP URL of the default vhost."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    async def __aenter__(self) -> Self:
        publish = f"127.0.0.1:{self._port}:5672"
        run = ("run", "-d", "--rm", "--name", self._name, "-p", publish, _IMAGE)
        try:
            await asyncio.to_thread(_docker, *run, within=_PULL_AND_START)
            await self._ready()
        except BaseException:
            await self._remove()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._remove()

    async def _ready(self) -> None:
        deadline = time.monotonic() + 90
        while not await speaks_amqp(self._port):
            if time.monotonic() > deadline:
                raise ChildFailedError(f"{_IMAGE} in Docker does not speak AMQP after 90 s")
            await asyncio.sleep(0.2)

    async def _remove(self) -> None:
        await asyncio.to_thread(_docker, "rm", "--force", "--volumes", self._name, within=30)


def _docker(*args: str, within: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - arguments of this file only
            ["docker", *args],  # noqa: S607 - wherever the user's docker is
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChildFailedError(f"docker {args[0]} did not end within {within:g} s") from None
    if done.returncode != 0:
        raise ChildFailedError(f"docker {args[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()
