"""On which event loop the servers run."""

import asyncio
import os
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's, where there is one.

    It resolves names in threads of which there are four unless it is set: a few platforms with a
    hanging name server would stall the look-ups of all others.
    """
    os.environ.setdefault("UV_THREADPOOL_SIZE", "64")
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:  # pragma: no cover - Windows, PyPy
        return None
    return uvloop.new_event_loop
