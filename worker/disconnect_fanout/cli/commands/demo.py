"""``fanout demo``: the whole story on this machine."""

import asyncio

import typer

from disconnect_fanout.demo.story import demo as tell


def demo() -> None:
    r"""Tell the whole story on this machine, on real parts, in under a minute.

    A private RabbitMQ, a database, three platforms and a worker are started and stopped again; your
    configuration is not touched. Exits 1 if any step does not hold.

    \b
    Example:
      fanout demo
    """
    raise typer.Exit(asyncio.run(tell()))
