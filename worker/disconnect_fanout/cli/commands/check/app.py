"""``fanout check``: is everything there that a worker needs? Changes nothing that anybody sees."""

import os
import time
from collections.abc import Awaitable, Callable, Sequence

import typer
from sqlalchemy import select

from disconnect_fanout.adapters.crypto.vault import Unsealable, Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.inspection.bad_rows import survey
from disconnect_fanout.adapters.store.inspection.missing_parts import missing_parts
from disconnect_fanout.adapters.store.inspection.privileges import (
    API,
    MANAGED,
    NEEDED,
    lacking_privileges,
)
from disconnect_fanout.adapters.store.inspection.trial import try_out, try_rows
from disconnect_fanout.adapters.store.links.odd_google_ids import odd_google_ids
from disconnect_fanout.adapters.store.migration.migrate import check_schema
from disconnect_fanout.adapters.store.seals.event_seals import load_seals
from disconnect_fanout.adapters.store.seals.secret_keys import SecretKeys
from disconnect_fanout.adapters.store.seals.unreadable_rows import unreadable
from disconnect_fanout.app.descriptors import of_worker, problem
from disconnect_fanout.app.proxy import proxy_warning
from disconnect_fanout.app.settings import Settings, SettingsError, load_configuration
from disconnect_fanout.cli.commands.check.broker import look_at_broker
from disconnect_fanout.cli.commands.check.finding import Finding
from disconnect_fanout.cli.exit_code import ExitCode
from disconnect_fanout.cli.runtime.session import execute
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_list
from disconnect_fanout.domain.bad_row import RowKind
from disconnect_fanout.flow.outage import StoreFull, StoreRefuses, StoreUnreachable

_SKEW_S = 2.0  # as much as FANOUT_LINK_GRACE forgives by default


class _Wrong(Exception):
    """Something is there, but not as it must be; says what to do."""


def check(output: OutputOption = Output.TABLE) -> None:
    r"""Check configuration, broker, database and clock: each line says ok or what to do.

    \b
    Example:
      fanout check
    """
    findings = _findings()
    show_list(findings, output)
    results = {one.result for one in findings}
    if "unreachable" in results:
        raise typer.Exit(ExitCode.UNREACHABLE)
    if "wrong" in results:
        raise typer.Exit(ExitCode.CONFIGURATION)


def _findings() -> list[Finding]:
    try:
        found = load_configuration()
    except SettingsError as error:
        wrong = [Finding("configuration", "wrong", one) for one in error.problems]
        return [*wrong, *_warnings(error.warnings)]
    configuration, *parts = execute(_check(found.settings))
    return [configuration, *_warnings(found.warnings), *parts]


def _warnings(warnings: Sequence[str]) -> list[Finding]:
    found = [Finding("variables", "warning", one) for one in warnings]
    proxy = proxy_warning(os.environ)
    return found if proxy is None else [*found, Finding("proxy", "warning", proxy)]


async def _check(settings: Settings) -> list[Finding]:
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        found = [
            Finding("configuration", "ok", "all settings are valid"),
            *await look_at_broker(settings),
            await _finding("database", lambda: _database(database, settings)),
        ]
        if found[-1].result == "ok":
            found.append(await _finding("clock", lambda: _clock(database)))
            found += [*await _schema(database), *await _rows(database)]
            found += [*await _unreadable(database), *await _api(database)]
        if (words := problem(of_worker(settings.max_in_flight))) is not None:
            found.append(Finding("descriptors", "warning", words))
        return found
    finally:
        await database.close()


async def _finding(name: str, look: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(name, "ok", await look())
    except StoreRefuses as error:
        return Finding(name, "wrong", f"the database refuses: {error}")
    except StoreFull as error:
        return Finding(name, "unreachable", f"its disk takes nothing more: {error}")
    except StoreUnreachable as error:
        return Finding(name, "unreachable", f"{error}; is FANOUT_DATABASE_URL right?")
    except (_Wrong, Unsealable) as error:
        return Finding(name, "wrong", str(error))


async def _database(database: Database, settings: Settings) -> str:
    problem = await check_schema(database)
    if problem is not None:
        raise _Wrong(problem)
    vault = Vault(settings.secret_keys)
    seals = await load_seals(database, vault)
    if (lacking := await SecretKeys(database, vault).missing()) is not None:
        raise _Wrong(lacking)
    needed = MANAGED if settings.learns_links else NEEDED
    if refused := await lacking_privileges(database, needed):
        raise _Wrong(f"the role may not {', '.join(refused)}; grant it what a worker needs")
    await try_out(database)
    await try_rows(database)
    await SqlEventStore(database, seals, by_google_id=settings.learns_links).probe()
    kind = "SQLite" if database.sqlite else "PostgreSQL"
    odd = await _odd_links(database)
    return f"{kind} takes commits, its schema fits, and FANOUT_SECRET_KEY opens it{odd}"


async def _odd_links(database: Database) -> str:
    """What is stored already hinders no worker; it is said, so that it can be mended."""
    count = await odd_google_ids(database)
    if not count:
        return ""
    words = "google_id is not digits, so that their address alone counts; import the right ones"
    return f"; of {count} links the {words}"


async def _schema(database: Database) -> list[Finding]:
    """Nothing of ours needs an index to be right; but a key is what makes a row one row."""
    try:
        missing = await missing_parts(database)
    except StoreUnreachable as error:
        return [Finding("schema", "unreachable", str(error))]
    found = [
        Finding("schema", "wrong", f"{table} has lost its primary key; create it again")
        for table in missing.keys
    ]
    if missing.indexes:
        names = ", ".join(missing.indexes)
        found.append(
            Finding("schema", "warning", f"lost, so that looks take long; create again: {names}")
        )
    return found


async def _api(database: Database) -> list[Finding]:
    """No worker needs it; ``fanout api`` may have a role of its own, and is checked as that."""
    try:
        refused = await lacking_privileges(database, API)
    except StoreUnreachable as error:
        return [Finding("api", "unreachable", str(error))]
    words = f"fanout api would not work in this role, which may not {', '.join(refused)}"
    return [Finding("api", "warning", words)] if refused else []


async def _rows(database: Database) -> list[Finding]:
    """A worker starts and works beside bad rows; but it is not ready while a platform's is bad."""
    try:
        bad = await survey(database)
    except StoreUnreachable as error:
        return [Finding("rows", "unreachable", str(error))]
    return [
        Finding(
            "rows",
            "wrong" if one.table is RowKind.PLATFORMS else "warning",
            f"{one.table.value} {one.id} is set aside: {one.what}",
        )
        for one in bad
    ]


async def _unreadable(database: Database) -> list[Finding]:
    """Rows that a worker has set aside; it works, but for them."""
    return [
        Finding(
            "unreadable rows",
            "warning",
            f"{row.count} of {row.of_table} can't be opened and wait, for example {row.example}; "
            "no secret key in use opens them, or a newer version wrote them: "
            "bring back the key or the rows, or upgrade",
        )
        for row in await unreadable(database)
    ]


async def _clock(database: Database) -> str:
    before = time.time()
    async with database.read() as connection:
        theirs = (await connection.execute(select(database.now_ms))).scalar_one() / 1000
    ours = (before + time.time()) / 2
    offset = theirs - ours
    if abs(offset) > _SKEW_S:
        raise _Wrong(
            f"the database's clock is {offset:+.1f} s from this machine's; set both by NTP"
        )
    return f"the database's clock is {offset:+.3f} s from this machine's"
