"""From what went wrong to an exit code and one or two plain lines (CONTRACT section 6)."""

import errno
from collections.abc import Mapping, Sequence

import typer

from disconnect_fanout.adapters.broker.queue_in_use import QueueInUse
from disconnect_fanout.adapters.broker.topology_conflict import TopologyConflict
from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.crypto.webhook_secret import BadSecret
from disconnect_fanout.adapters.store.migration.migration_refused import MigrationRefused
from disconnect_fanout.adapters.store.migration.still_locked import StillLocked
from disconnect_fanout.adapters.store.platforms.registry import PlatformExists
from disconnect_fanout.adapters.store.postgres.pooler import SHARED_SESSION
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.app.settings import SettingsError
from disconnect_fanout.cli.arguments.import_file import BadImportFile
from disconnect_fanout.cli.exit_code import ExitCode
from disconnect_fanout.cli.screen.standard_output import Unread, Unwritable
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.replay import WrongState
from disconnect_fanout.flow.outage import (
    BrokerRefuses,
    BrokerUnreachable,
    DataRefused,
    OutOfMeans,
    SecretKeyMissing,
    StoreFull,
    StoreRefuses,
    StoreUnreachable,
)
from disconnect_fanout.policy.wording.error_words import first_line, system_words

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EDQUOT)


_CODES: Mapping[type[BaseException], ExitCode] = {
    BadImportFile: ExitCode.USAGE,
    BadSecret: ExitCode.USAGE,
    PlatformExists: ExitCode.USAGE,
    WrongState: ExitCode.USAGE,
    SettingsError: ExitCode.CONFIGURATION,
    TopologyConflict: ExitCode.CONFIGURATION,
    UnreadableRow: ExitCode.SOME_FAILED,
    Unsealable: ExitCode.CONFIGURATION,
    StoreRefuses: ExitCode.UNREACHABLE,
    DataRefused: ExitCode.UNREACHABLE,
    SecretKeyMissing: ExitCode.CONFIGURATION,
    MigrationRefused: ExitCode.CONFIGURATION,
    StillLocked: ExitCode.UNREACHABLE,
    StoreFull: ExitCode.UNREACHABLE,
    StoreUnreachable: ExitCode.UNREACHABLE,
    BrokerRefuses: ExitCode.CONFIGURATION,
    BrokerUnreachable: ExitCode.UNREACHABLE,
    QueueInUse: ExitCode.UNREACHABLE,
    OutOfMeans: ExitCode.SOME_FAILED,
    NotFound: ExitCode.NOT_FOUND,
    Unread: ExitCode.DONE,
    Unwritable: ExitCode.SOME_FAILED,
    typer.Abort: ExitCode.INTERRUPTED,
    KeyboardInterrupt: ExitCode.INTERRUPTED,
}


def failure(error: BaseException) -> tuple[int, Sequence[str]] | None:
    """Return the exit code and the lines for an expected failure, None for a bug."""
    if isinstance(error, typer.TyperException):
        return error.exit_code, _usage_words(error)
    code = _CODES.get(type(error))
    if isinstance(error, StoreRefuses) and _not_let_in(error):
        code = ExitCode.CONFIGURATION
    return None if code is None else (code, _words(error))


def unwritable(error: BaseException) -> tuple[int, Sequence[str]] | None:
    """Return the same for what typer itself could not print: a help page, a version."""
    if not isinstance(error, OSError) or error.errno not in _FULL:
        return None
    return ExitCode.SOME_FAILED, [f"standard output can't be written: {system_words(error)}"]


def _usage_words(error: typer.TyperException) -> Sequence[str]:
    """Typer's words without pydantic's prefix; none if it has shown a help page already."""
    words = error.format_message().replace("Value error, ", "")
    return [words] if words else []


def _not_let_in(error: StoreRefuses) -> bool:
    """A URL that names another's file, no database, a wrong password, or an unfit pooler."""
    known = ("28", "3D000", SHARED_SESSION)
    return error.sqlstate.startswith(known) or "not a database" in str(error)


def _words(error: BaseException) -> Sequence[str]:
    match error:
        case SettingsError(problems=problems, warnings=warnings):
            return [*problems, *(f"warning: {one}" for one in warnings)]
        case BadImportFile(problems=problems):
            return problems
        case Unread():
            return []
        case typer.Abort() | KeyboardInterrupt():
            return ["interrupted"]
        case _:
            return [_about(error) + (str(error).strip() or first_line(error))]


_ABOUT: Mapping[type[BaseException], str] = {
    DataRefused: "the database refuses what was to be written: ",
    MigrationRefused: "FANOUT_DATABASE_URL: ",
    StoreFull: "the database's disk takes nothing more: ",
    StoreUnreachable: "the database can't be reached: ",
    BrokerRefuses: "FANOUT_AMQP_URL: the broker refuses: ",
    BrokerUnreachable: "the broker can't be reached: ",
    Unwritable: "standard output can't be written: ",
}
"""What a cause is the cause of."""


def _about(error: BaseException) -> str:
    if isinstance(error, StoreRefuses):
        return "FANOUT_DATABASE_URL: " if _not_let_in(error) else "the database refuses: "
    return _ABOUT.get(type(error), "")
