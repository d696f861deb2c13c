"""``fanout run``: the worker."""

import asyncio

import typer

from disconnect_fanout.app.settings import SettingsError
from disconnect_fanout.cli.runtime.event_loop import loop_factory
from disconnect_fanout.cli.runtime.session import configuration


def run() -> None:
    r"""Consume events, fan them out, deliver; serve /livez, /readyz and /metrics.

    SIGTERM stops it: it takes no more events, finishes what it has in hand and leaves. A second
    one leaves at once.

    \b
    Example:
      fanout run
    """
    # Imported here: a worker needs what no other command waits for.
    from disconnect_fanout.adapters.http.listening import AddressTaken  # noqa: PLC0415
    from disconnect_fanout.app.run_lock import AlreadyRunning  # noqa: PLC0415
    from disconnect_fanout.app.worker import SchemaProblem, run_worker  # noqa: PLC0415

    settings = configuration()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            code = runner.run(run_worker(settings))
    except (AlreadyRunning, AddressTaken, SchemaProblem) as error:
        raise SettingsError([str(error)]) from None
    if code:
        raise typer.Exit(code)
