"""What a command ends with (CONTRACT section 6)."""

from enum import IntEnum


class ExitCode(IntEnum):
    """And what each code means."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4
    NOT_FOUND = 5
    INTERRUPTED = 130
