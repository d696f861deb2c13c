"""From what went wrong to an exit code and one or two plain lines (CONTRACT section 6)."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

import typer

from disconnect_fanout.adapters.broker.topology import TopologyConflict
from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.crypto.webhook_secret import BadSecret
from disconnect_fanout.adapters.store.not_found import NotFound
from disconnect_fanout.adapters.store.platform_registry import PlatformExists
from disconnect_fanout.app.settings import SettingsError
from disconnect_fanout.cli.link_file import BadLinkFile
from disconnect_fanout.flow.outage import BrokerUnreachable, StoreUnreachable


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4
    NOT_FOUND = 5
    INTERRUPTED = 130


_CODES: Mapping[type[BaseException], ExitCode] = {
    BadLinkFile: ExitCode.USAGE,
    BadSecret: ExitCode.USAGE,
    PlatformExists: ExitCode.USAGE,
    SettingsError: ExitCode.CONFIGURATION,
    TopologyConflict: ExitCode.CONFIGURATION,
    Unsealable: ExitCode.CONFIGURATION,
    StoreUnreachable: ExitCode.UNREACHABLE,
    BrokerUnreachable: ExitCode.UNREACHABLE,
    NotFound: ExitCode.NOT_FOUND,
    typer.Abort: ExitCode.INTERRUPTED,
    KeyboardInterrupt: ExitCode.INTERRUPTED,
}


def failure(error: BaseException) -> tuple[int, Sequence[str]] | None:
    """Return the exit code and the lines for an expected failure, None for a bug."""
    if isinstance(error, typer.TyperException):
        return error.exit_code, [line for line in [error.format_message()] if line]
    code = _CODES.get(type(error))
    return None if code is None else (code, _words(error))


def _words(error: BaseException) -> Sequence[str]:
    match error:
        case SettingsError(problems=problems) | BadLinkFile(problems=problems):
            return problems
        case StoreUnreachable():
            return [f"the database can't be reached: {error}"]
        case BrokerUnreachable():
            return [f"the broker can't be reached: {error}"]
        case _:
            return [str(error) or "interrupted"]
