"""A private PgBouncer in front of a PostgreSQL, on loopback, for the tests."""

import asyncio
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

from tests.harness.servers.pgbouncer_install import ensure_pgbouncer
from tests.harness.servers.postgres_install import unprivileged_user

from disconnect_fanout.demo.child_process import ChildProcess, free_ports
from disconnect_fanout.demo.process_reaper import ProcessReaper

PoolMode = Literal["session", "transaction", "statement"]


class PgBouncer:
    """From entry to exit.

    Args:
        url: of a database; the same one is reached through here.
        mode: for how long a client has a session.
    """

    def __init__(self, url: str, mode: PoolMode) -> None:
        self._behind = urlsplit(url)
        self._folder = Path(tempfile.mkdtemp(prefix="fanout-pgbouncer-"))
        (self._port,) = free_ports(1)
        self._mode = mode
        self._reaper = ProcessReaper(self._folder)
        user = unprivileged_user()
        self._configure(user)
        self._server = ChildProcess(
            [str(ensure_pgbouncer()), str(self._folder / "pgbouncer.ini")],
            env={"HOME": str(self._folder)},
            log=self._folder / "log",
            reaper=self._reaper,
            user=user,
        )

    @property
    def url(self) -> str:
        """The database's, through here."""
        user, _, _ = self._behind.netloc.rpartition("@")
        return urlunsplit(self._behind._replace(netloc=f"{user}@127.0.0.1:{self._port}"))

    async def __aenter__(self) -> Self:
        try:
            self._server.start()
            await self._server.wait_until(self._listens, within=15)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._server.kill()
        finally:
            await asyncio.to_thread(self._reaper.close)

    def _configure(self, user: str | None) -> None:
        users = self._folder / "users"
        users.write_text(f'"{self._behind.username}" "{self._behind.password}"\n')
        (self._folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={self._behind.hostname} port={self._behind.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self._port}\nunix_socket_dir =\n"
            f"auth_type = plain\nauth_file = {users}\npool_mode = {self._mode}\n"
            "default_pool_size = 60\nmax_client_conn = 200\n"
        )
        if user is not None:
            shutil.chown(self._folder, user)

    async def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0
