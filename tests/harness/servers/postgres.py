"""A private PostgreSQL: a real server as a child process, on loopback, for the tests."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.harness.servers.postgres_install import unprivileged_user

from disconnect_fanout.demo.child_process import ChildFailedError, ChildProcess, free_ports
from disconnect_fanout.demo.process_reaper import ProcessReaper

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "timezone": "UTC",
}


class PrivatePostgres:
    """One PostgreSQL server, from start to stop.

    As root it runs as an unprivileged user, because PostgreSQL refuses to run as root.

    Args:
        binaries: The folder with ``postgres``, ``initdb``, ``createdb`` and ``pg_isready``.
    """

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="fanout-postgres-"))
        (self._port,) = free_ports(1)
        self._password = secrets.token_hex(8)
        self._user = unprivileged_user()
        self._env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder),
            "LC_ALL": "C",
            "PGHOST": str(self._folder),
            "PGPORT": str(self._port),
            "PGUSER": "fanout",
            "PGPASSWORD": self._password,
        }
        settings = {**_SETTINGS, "port": str(self._port), "unix_socket_directories": self._folder}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._reaper = ProcessReaper(self._folder)
        self._server = ChildProcess(
            [str(binaries / "postgres"), "-D", str(self._folder / "data"), *options],
            env=self._env,
            log=self._folder / "log",
            reaper=self._reaper,
            user=self._user,
        )

    @property
    def url(self) -> str:
        """The URL of the maintenance database; tests take one from ``create_database``."""
        return self._url("postgres")

    @property
    def folder(self) -> Path:
        """Everything that this server writes; ``log`` in it is its output."""
        return self._folder

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._server.pid

    async def start(self) -> None:
        """Start (the first time on a fresh cluster), and return when it takes connections."""
        if not (self._folder / "data").exists():
            await asyncio.to_thread(self._initialise)
        self._server.start()
        await self._server.wait_until(self._is_ready, within=60)

    async def stop(self) -> None:
        """End it in order, then remove its folder; nothing of it is left running."""
        try:
            await self._end()
        finally:
            await asyncio.to_thread(self._reaper.close)

    async def crash(self) -> None:
        """Kill it as a power cut would; ``restart`` brings it back with what was on its disk."""
        await self._server.kill()

    async def halt(self) -> None:
        """End it in order, as for an upgrade; ``start`` brings it back on folder and port."""
        await self._end()

    async def restart(self) -> None:
        """Start it again on the same folder and port, ending it in order first if it runs."""
        await self._end()
        await self.start()

    def freeze(self) -> None:
        """Stop its clock: connections stay open and nobody answers."""
        self._server.freeze()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._server.thaw()

    async def create_database(self) -> str:
        """Create an empty database and return its URL; some 50 ms, so one for each test."""
        name = f"test_{secrets.token_hex(6)}"
        await asyncio.to_thread(self._run, "createdb", "--template=template0", name)
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql+asyncpg://fanout:{self._password}@127.0.0.1:{self._port}/{database}"

    async def _end(self) -> None:
        await self._server.stop(signal.SIGINT)  # "fast": does not wait for clients to leave

    async def _is_ready(self) -> bool:
        try:
            await asyncio.to_thread(self._run, "pg_isready", "--quiet")
        except ChildFailedError:
            return False
        return True

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(self._password)
        if self._user is not None:
            shutil.chown(self._folder, self._user)
            shutil.chown(password, self._user)
        data, secret = f"--pgdata={self._folder / 'data'}", f"--pwfile={password}"
        # "password" and not "scram-sha-256": the hashing would cost each connection 10 ms.
        how = ("--auth=password", "--username=fanout", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._run("initdb", data, secret, *how)

    def _run(self, program: str, *args: str) -> None:
        done = subprocess.run(
            [self._binaries / program, *args],
            env=self._env,
            cwd=self._folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ChildFailedError(f"{program}: {done.stderr or done.stdout}")
