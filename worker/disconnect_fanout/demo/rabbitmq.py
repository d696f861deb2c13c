"""A private RabbitMQ: a real broker as a child process, on loopback, for a demo or a test.

It touches nothing of a RabbitMQ that the machine may run: own folder, own ports, own node name
server (epmd), own cookie, no plugin unless asked. Several run side by side, as root or not.
"""

import asyncio
import contextlib
import os
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from disconnect_fanout.demo.child_process import ChildFailedError, ChildProcess, free_ports
from disconnect_fanout.demo.process_reaper import ProcessReaper

_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"

# Idle schedulers otherwise spin for work, which on a small machine costs the programs under test.
_QUIET = "+sbwt none +sbwtdcpu none +sbwtdio none"
_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"


class PrivateRabbitMQ:
    """One broker, from start to stop.

    Args:
        server: The ``rabbitmq-server`` to run; ``rabbitmqctl`` lies beside it.
        management: Whether it also speaks HTTP, on ``management_port``.
    """

    def __init__(self, server: Path, *, management: bool = False) -> None:
        self._server = server
        self._management = management
        self._folder = Path(tempfile.mkdtemp(prefix="fanout-rabbitmq-"))
        self._port, self._dist_port, epmd_port, self.management_port = free_ports(4)
        self._env = self._environment(epmd_port)
        self._reaper = ProcessReaper(self._folder)
        self._epmd = self._child(
            ["epmd", "-port", str(epmd_port), "-address", "127.0.0.1", "-relaxed_command_check"]
        )
        self._broker = self._child([str(server)])

    @property
    def url(self) -> str:
        """The AMQP URL of the default vhost."""
        return f"{self.base_url}/"

    @property
    def base_url(self) -> str:
        """The AMQP URL without a vhost: append ``/`` and a percent-encoded vhost name."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}"

    @property
    def folder(self) -> Path:
        """Everything that this broker writes; ``log`` in it is its output."""
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

    async def start(self) -> None:
        """Start, and return when it speaks AMQP.

        Raises:
            ChildFailedError: It ended or was not ready in time; the message has its log's end.
        """
        if not self._epmd.running:
            self._prepare()
            self._epmd.start()
        self._broker.start()
        await self._broker.wait_until(lambda: speaks_amqp(self._port), within=90)

    async def stop(self) -> None:
        """End it in order, then remove its folder; nothing of it is left running."""
        try:
            await self._broker.stop()
            await self._epmd.kill()
        finally:
            await asyncio.to_thread(self._reaper.close)

    def freeze(self) -> None:
        """Stop its clock: connections stay open and nobody answers."""
        self._broker.freeze()

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        self._broker.thaw()

    async def rabbitmqctl(self, *args: str) -> str:
        """Run ``rabbitmqctl`` against this broker and return what it printed.

        Raises:
            ChildFailedError: It failed; the message has what it said.
        """
        command = [str(self._server.with_name("rabbitmqctl")), "--quiet", *args]
        done = await asyncio.to_thread(
            subprocess.run, command, env=self._env, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ChildFailedError(f"rabbitmqctl {' '.join(args)}: {done.stderr or done.stdout}")
        return done.stdout

    async def eval(self, expression: str) -> str:
        """Evaluate an Erlang expression (it ends with a full stop) inside the broker."""
        return await self.rabbitmqctl("eval", expression)

    def _child(self, argv: list[str]) -> ChildProcess:
        return ChildProcess(argv, env=self._env, log=self._folder / "log", reaper=self._reaper)

    def _environment(self, epmd_port: int) -> dict[str, str]:
        at = self._folder
        # Beside a Homebrew rabbitmq-server lies an erl that may not be on the PATH of an IDE.
        path = f"{os.environ.get('PATH', os.defpath)}:/opt/homebrew/bin:/usr/local/bin"
        return {
            "PATH": path,
            "LANG": "C.UTF-8",
            "HOME": str(at),
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": str(at / "env.conf"),
            "RABBITMQ_NODENAME": "private@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(at / "data"),
            "RABBITMQ_LOG_BASE": str(at / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(at / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(at / "advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(at / "generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(at / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(at / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{_QUIET} {_LOOPBACK}",
            # Makes the start script become the broker instead of its parent: the process that is
            # waited for after a crash is then the one that held the port and the files.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }

    def _prepare(self) -> None:
        cookie = self._folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        settings = {"listeners.tcp.1": f"127.0.0.1:{self._port}"}
        if self._management:
            settings |= {"management.tcp.port": f"{self.management_port}"}
            settings |= {"management.tcp.ip": "127.0.0.1"}
        for name, text in {
            "env.conf": "",
            "advanced.config": "[].\n",
            "enabled_plugins": "[rabbitmq_management].\n" if self._management else "[].\n",
            "rabbitmq.conf": "".join(f"{key} = {one}\n" for key, one in settings.items()),
        }.items():
            (self._folder / name).write_text(text)


async def speaks_amqp(port: int, *, within: float = 1.0) -> bool:
    """Whether what listens on this loopback port answers the AMQP 0-9-1 greeting.

    An open port is not enough: Docker's proxy accepts before there is a broker behind it.
    """
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(_PROTOCOL_HEADER)
                return await reader.readexactly(1) == _METHOD_FRAME
            finally:
                writer.close()
    return False
