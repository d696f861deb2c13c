"""The program ``fanout``: its first lines."""

import gc

_RARELY = 50_000  # of 700: importing makes a hundred thousand objects, and none is garbage


def main() -> int:
    """Run the command that this process was started with; return the exit code.

    Sweeping through what is being imported took a sixth of the time of a short command.
    """
    gc.set_threshold(_RARELY)
    from disconnect_fanout.cli.main import main as command_line  # noqa: PLC0415 - not before that

    return command_line()
