"""``fanout api``: the two upstream operations over HTTP."""

import asyncio

import typer

from disconnect_fanout.app.settings import SettingsError
from disconnect_fanout.cli.runtime.event_loop import loop_factory
from disconnect_fanout.cli.runtime.session import configuration


def api() -> None:
    r"""Serve the two documented ways to disconnect a calendar, on FANOUT_API_HOST:FANOUT_API_PORT.

    A disconnect and the event that tells of it are written together, so that the broker may be
    down; `fanout run` tells the platforms. SIGTERM finishes the requests under way.

    \b
    Examples:
      fanout keys create --platform plat_boardy
      fanout api
      curl -X DELETE -H "X-API-Key: sk_…" 127.0.0.1:8080/v1/calendars/alice@example.com
    """
    # Imported here: a server needs what no other command waits for.
    from disconnect_fanout.adapters.http.listening import AddressTaken  # noqa: PLC0415
    from disconnect_fanout.app.api_process import run_api  # noqa: PLC0415
    from disconnect_fanout.app.worker import SchemaProblem  # noqa: PLC0415

    settings = configuration()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            code = runner.run(run_api(settings))
    except (AddressTaken, SchemaProblem) as error:
        raise SettingsError([str(error)]) from None
    if code:
        raise typer.Exit(code)
