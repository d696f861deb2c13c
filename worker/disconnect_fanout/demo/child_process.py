"""One server as a child process: started in a group of its own, and leashed to this process."""

import asyncio
import contextlib
import secrets
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from disconnect_fanout.demo.process_reaper import ProcessReaper, freeze_family, signal_family


class ChildFailedError(RuntimeError):
    """A child process did not start, ended too early, or a command of its kind failed."""


class ChildProcess:
    """A program in a session and process group of its own.

    Nothing in here is tied to an event loop: a server may be started under one loop (a session
    fixture) and stopped under another.

    Args:
        argv: The program and its arguments.
        env: Its whole environment.
        log: The file to which its output is appended; it runs in the folder of this file.
        stdout: A file of its own for what is not an error.
        reaper: What ends it when this process is killed.
        user: The user to run as; only root can name one.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        reaper: ProcessReaper,
        user: str | None = None,
        stdout: Path | None = None,
    ) -> None:
        self._argv, self._env, self._reaper, self._user = argv, env, reaper, user
        self._log, self._stdout = log, stdout or log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the program was started and has not ended (a frozen one is running)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self._started().pid

    def start(self) -> None:
        """Start the program; a second start of a running one is an error."""
        if self.running:
            raise ChildFailedError(f"{self._argv[0]} runs already, as process {self.pid}")
        if self._process is not None:  # it ended by itself and nobody asked
            self._forget(self._process)
        with self._log.open("ab") as log, self._stdout.open("ab") as stdout:
            self._process = subprocess.Popen(  # noqa: S603 - the caller's own program
                self._argv,
                env=dict(self._env),
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=log,
                start_new_session=True,
                user=self._user,
                extra_groups=None if self._user is None else [],
            )
        self._reaper.hold(self._process.pid)

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], *, within: float) -> None:
        """Wait until ``ready`` says yes.

        Raises:
            ChildFailedError: The program ended, or took longer than ``within`` seconds; the
                message has the end of its log.
        """
        try:
            async with asyncio.timeout(within):
                while self.running:
                    if await ready():
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise ChildFailedError(f"not ready after {within:g} s: {self.log_tail()}") from None
        raise ChildFailedError(f"ended while it was starting: {self.log_tail()}")

    def freeze(self) -> None:
        """Stop its clock: connections stay open and nobody answers."""
        freeze_family(self.pid)

    def thaw(self) -> None:
        """Let it go on."""
        signal_family(self.pid, signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self._started().send_signal(number)

    async def wait(self, *, within: float) -> int:
        """Return its exit code once it has ended by itself; negative if a signal ended it.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        process = self._started()
        code = await asyncio.to_thread(process.wait, within)
        self._forget(process)
        return code

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = 15.0) -> None:
        """Ask the program to end; kill its group if it has not after ``within`` seconds."""
        if self.running:
            self.thaw()  # a frozen process would not hear the other signal
            self.send(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._started().wait, within)
        await self.kill()

    async def kill(self) -> None:
        """End it as a power cut would, with whatever outlived its leader."""
        if self._process is None:
            return
        signal_family(self.pid, signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)
        self._forget(self._process)

    def log_tail(self, lines: int = 20) -> str:
        """The end of the program's output, for an error message."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return f"{' '.join(self._argv)}\n" + "\n".join(text.splitlines()[-lines:])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ChildFailedError(f"{self._argv[0]} is not running")
        return self._process

    def _forget(self, ended: subprocess.Popen[bytes]) -> None:
        self._reaper.release(ended.pid)
        self._process = None  # the number may soon be another's: never signal it again


def free_ports(count: int) -> list[int]:
    """Return ``count`` loopback TCP ports on which nobody listens.

    They lie below the range from which Linux and macOS take ports for outgoing connections. A port
    out of that range can be taken by anybody's outgoing connection while a server is down, even by
    its own clients: one that keeps trying to reconnect over loopback ends up connected to itself,
    and the server can never bind its port again.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            ports = [*ports, port] if port not in ports else ports
    return ports
