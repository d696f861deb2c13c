"""The program ``fanout``: its first lines and its last."""

import gc
import os
import sys
from typing import NoReturn

_RARELY = 50_000  # of 700: importing makes a hundred thousand objects, and none is garbage
_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command that this process was started with, and end the process.

    Sweeping through what is being imported took a sixth of the time of a short command, and taking
    it apart again at the end another sixth: the operating system does that at once.

    Raises:
        Exception: a bug; its traceback is what whoever mends it needs.
    """
    gc.set_threshold(_RARELY)
    try:
        from disconnect_fanout.cli.main import main as command_line  # noqa: PLC0415 - see above

        code = command_line()
    except KeyboardInterrupt:  # before or after the command itself, which knows more to say
        code = _INTERRUPTED
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End the process. All data is out by now: whoever printed it also flushed it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                continue  # the command has said so, and ended with a code of its own
    os._exit(code)
