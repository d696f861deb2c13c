"""Faults of PostgreSQL: it dies, freezes, refuses, moves to another server."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import asyncpg
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.postgres_install import ensure_binaries
from tests.harness.store.outage import lasts

_IN_FLIGHT_S = 2.0


@dataclass
class PostgresRestarted(Fault):
    """It ends and comes back: killed, which forgets what was not on its disk, or in order.

    Args:
        how: ``SIGKILL`` or ``SIGINT``.
        seconds: how long it is away.
    """

    how: Literal["SIGKILL", "SIGINT"]
    seconds: float = 5.0

    async def bite(self, scene: Scene) -> str:
        server = _own(scene)
        await scene.told(0.2)
        began = time.monotonic()
        if self.how == "SIGKILL":
            await server.crash()
            await scene.forgets(since=began - _IN_FLIGHT_S, exact=False)
        else:
            await server.halt()
        await lasts(self.seconds)
        await server.start()
        return await _noticed(scene, f"{self.how}, away for {time.monotonic() - began:.1f} s")


@dataclass
class PostgresFrozen(Fault):
    """SIGSTOP to the server and all its backends: connections stay, nobody answers.

    Args:
        seconds: how long.
    """

    seconds: float = 10.0

    async def bite(self, scene: Scene) -> str:
        server = _own(scene)
        await scene.told(0.2)
        server.freeze()
        told = len(scene.platforms[0].requests)
        stat = (server.folder / "data/postmaster.pid").read_text().split()[0]
        state = (await _ps(stat)).strip()
        await lasts(self.seconds)
        later = len(scene.platforms[0].requests)
        server.thaw()
        assert state.startswith("T"), f"it was not stopped but {state!r}"
        assert later < len(scene.ids), "everything was told without a database"
        return (
            f"process state {state} for {self.seconds:g} s; told before {told}, "
            f"at its end {later} of {len(scene.ids)}"
        )


@dataclass
class NoConnections(Fault):
    """All of PostgreSQL's connections are taken by others, and the worker's are ended.

    Args:
        seconds: how long.
    """

    seconds: float = 8.0

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.2)
        url = scene.place.database_url.replace("+asyncpg", "")
        async with AsyncExitStack() as stack:
            taken = await _take_all(url, stack)
            await lasts(self.seconds)
            refused = scene.worker.stderr.count("too many clients")
        assert refused, "the worker had all the connections that it wanted"
        return f"{taken} connections taken by others; the worker's log has {refused} refusals"


@dataclass
class FailedOver(Fault):
    """Killed; another server, on another port, goes on with its disk; the wire leads there."""

    async def bite(self, scene: Scene) -> str:
        old, wire = _own(scene), scene.wires["database"]
        await scene.told(0.2)
        began = time.monotonic()
        await old.crash()
        await scene.forgets(since=began - _IN_FLIGHT_S, exact=False)
        wire.cut()
        new = PrivatePostgres(ensure_binaries())
        scene.stack.push_async_callback(new.stop)
        await asyncio.to_thread(_move_disk, old, new)
        await new.start()
        port = urlsplit(new.url).port
        assert port is not None
        wire.targets = (port,)
        scene.books_of.database_url = wire.through(scene.place.database_url)
        took = time.monotonic() - began
        return await _noticed(scene, f"another server on its disk after {took:.1f} s")


def _own(scene: Scene) -> PrivatePostgres:
    server = scene.place.postgres
    assert server is not None, "this fault needs a PostgreSQL of its own"
    return server


async def _noticed(scene: Scene, what: str) -> str:
    """Add what the worker says of it."""
    await scene.worker.metric_becomes("fanout_outages_total", 1, within=30, what="database")
    count = (await scene.worker.metrics()).value("fanout_outages_total", what="database")
    return f"{what}; fanout_outages_total {count:g}"


async def _ps(pid: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "ps", "-o", "state=", "-p", pid, stdout=asyncio.subprocess.PIPE
    )
    return (await process.communicate())[0].decode()


async def _take_all(url: str, stack: AsyncExitStack) -> int:
    """Connect until the server refuses, end the worker's backends, and take their places too."""
    first = await asyncpg.connect(url)
    stack.push_async_callback(first.close)
    taken, refused = 1, 0
    ends = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = 'fanout'"
    )
    while refused < 3:
        try:
            one = await asyncpg.connect(url, timeout=5)
        except asyncpg.TooManyConnectionsError:
            refused += 1
            with suppress(asyncpg.PostgresError):
                await first.execute(ends)
            continue
        stack.push_async_callback(one.close)
        taken += 1
    return taken


def _move_disk(old: PrivatePostgres, new: PrivatePostgres) -> None:
    """Give the dead server's disk to another one; as it was at the crash."""
    copy = [shutil.which("cp") or "cp", "-a", str(old.folder / "data"), str(new.folder / "data")]
    subprocess.run(copy, check=True)
    status = old.folder.stat()
    shutil.chown(new.folder, status.st_uid, status.st_gid)
    (new.folder / "data/postmaster.pid").unlink(missing_ok=True)


@dataclass
class TableLocked(Fault):
    """Somebody holds a table for long: an index that is built, a forgotten BEGIN.

    Args:
        table: which.
        seconds: how long; more than the minute for which an event is held.
    """

    table: str = "events"
    seconds: float = 75.0

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.2)
        url = scene.place.database_url.replace("+asyncpg", "")
        holder = await asyncpg.connect(url)
        try:
            async with holder.transaction():
                await holder.execute(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE")
                told = len(scene.platforms[0].requests)
                await lasts(self.seconds)
                status, words = await scene.worker.readyz()
                later = len(scene.platforms[0].requests)
        finally:
            await holder.close()
        return await _held(scene, status, words, f"told before {told}, at its end {later}")


@dataclass
class Refused(Fault):
    """The database refuses whoever inserts an event, and then takes it again.

    Args:
        refuse: the statement that makes it refuse; ``{role}`` is the worker's.
        allow: the one that ends it.
        seconds: how long.
    """

    refuse: Sequence[str]
    allow: Sequence[str]
    seconds: float = 8.0

    async def prepare(self, scene: Scene) -> None:
        """A superuser may do everything: the worker gets a role of its own."""
        admin = await asyncpg.connect(scene.place.database_url.replace("+asyncpg", ""))
        try:
            await admin.execute(_ROLE.format(name=_NAME))
        finally:
            await admin.close()
        there = urlsplit(scene.place.database_url)
        netloc = f"{_NAME}:{_NAME}@{there.hostname}:{there.port}"
        url = there._replace(netloc=netloc).geturl()
        scene.worker_settings["FANOUT_DATABASE_URL"] = url

    async def bite(self, scene: Scene) -> str:
        admin = await asyncpg.connect(scene.place.database_url.replace("+asyncpg", ""))
        try:
            await scene.told(0.2)
            for one in self.refuse:
                await admin.execute(one.format(role=_NAME))
            await lasts(self.seconds)
            status, words = await scene.worker.readyz()
            rejected = await scene.books_of.waiting_in("rejected")
            for one in self.allow:
                await admin.execute(one.format(role=_NAME))
        finally:
            await admin.close()
        return await _held(scene, status, words, f"{rejected} rejected")


_NAME = "fanout_worker"
_NOT_READY = 503
_ROLE = """
CREATE ROLE {name} LOGIN PASSWORD '{name}';
GRANT USAGE ON SCHEMA public TO {name};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {name};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO {name};
"""


async def _held(scene: Scene, status: int, words: str, more: str) -> str:
    """Claim that the worker said why it holds events; return that as the evidence."""
    assert status == _NOT_READY, f"/readyz was {status} meanwhile: {words}"
    assert "database" in words, words
    assert len(scene.platforms[0].requests) < len(scene.ids), "all was told meanwhile"
    await scene.worker.ready(within=10)
    return f"/readyz {status}: {words.strip()[:200]}; {more}"
