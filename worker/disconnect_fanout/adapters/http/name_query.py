"""One question to the name servers, on a c-ares channel that lives as long as the question.

A channel that many names share lets them harm each other: time-outs of one name make c-ares avoid
the server that answers the others, answers are kept for as long as their server likes, and a
question can't be taken back. A channel for each question costs some 120 µs (measured), reads
``/etc/resolv.conf`` and ``/etc/hosts`` as they are now, and is gone when nobody waits any more.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

import pycares
from pycares import errno as ares

_FIRST_WAIT_S = 1.0
"""Until a question is asked again, of the next server; from round to round it doubles."""
_ROUNDS = 4
_NO_SERVER = 26  # ARES_ENOSERVER, which pycares does not name
_BAD = pycares.ARES_SOCKET_BAD

_Hear: TypeAlias = Callable[[pycares.AddrInfoResult | None, int | None], None]

_NEVER = ".invalid"
"""Nobody is to be asked about these (RFC 6761, section 6.4)."""
DOES_NOT_RESOLVE = "the host name does not resolve"
SILENT = "its name server did not answer"
_WORDS = {
    ares.ARES_ENOTFOUND: DOES_NOT_RESOLVE,
    ares.ARES_ENODATA: DOES_NOT_RESOLVE,
    ares.ARES_EBADNAME: DOES_NOT_RESOLVE,
    ares.ARES_ETIMEOUT: SILENT,
    ares.ARES_ESERVFAIL: "its name server answered that it failed (SERVFAIL)",
    ares.ARES_EREFUSED: "its name server refused to answer (REFUSED)",
    ares.ARES_ECONNREFUSED: "no name server can be reached",
    _NO_SERVER: "no name server is configured",
}
_NONSENSE = "its name server gave no valid answer"


class NoAddress(OSError):
    """A name that led nowhere; says why, in words for the operator."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class NameQuery:
    """Asks once, then is used up. Its channel runs on the event loop, without a thread.

    Args:
        servers: ``host:port`` of the name servers; none given, those of this machine.

    Raises:
        NoAddress: this machine's settings can't be read.
        OSError: this process has no file descriptor left.
    """

    def __init__(self, servers: Sequence[str] = ()) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._channel: pycares.Channel | None = None
        try:
            self._channel = pycares.Channel(
                sock_state_cb=self._watch, timeout=_FIRST_WAIT_S, tries=_ROUNDS, servers=servers
            )
        except pycares.AresError:
            raise _failure(_NO_SERVER) from None

    async def answer(self, host: str, family: socket.AddressFamily) -> pycares.AddrInfoResult:
        """Return what the hosts file or a name server says.

        Raises:
            NoAddress: nobody knows an address.
            OSError: this process has no file descriptor left.
        """
        heard: asyncio.Future[tuple[pycares.AddrInfoResult | None, int | None]]
        heard = self._loop.create_future()

        def hear(result: pycares.AddrInfoResult | None, status: int | None) -> None:
            if not heard.done():
                heard.set_result((result, status))

        try:
            self._ask(_without_dot(host), family, hear)
            result, status = await heard
        finally:
            self._end()
        if result is None or not result.nodes:
            raise _failure(status or ares.ARES_ENODATA)
        return result

    def _ask(self, host: str, family: socket.AddressFamily, hear: _Hear) -> None:
        assert self._channel is not None  # noqa: S101 - asked once
        if host.rstrip(".").lower().endswith(_NEVER):
            raise NoAddress(DOES_NOT_RESOLVE)
        try:
            self._channel.getaddrinfo(
                host, None, family=family, type=socket.SOCK_STREAM, callback=hear
            )
        except (pycares.AresError, UnicodeError):
            raise NoAddress(DOES_NOT_RESOLVE) from None
        self._wind()

    def _process(self, readable: int, writable: int) -> None:
        if self._channel is not None:
            self._channel.process_fd(readable, writable)
            self._wind()

    def _wind(self) -> None:
        """Come back when the next question has to be asked again."""
        if self._timer is not None:
            self._timer.cancel()
        if self._channel is not None:
            wait_s: float = max(self._channel.timeout(), 0.001)  # type: ignore[no-untyped-call]
            self._timer = self._loop.call_later(wait_s, self._process, _BAD, _BAD)

    def _watch(self, fd: int, readable: bool, writable: bool) -> None:  # noqa: FBT001 - c-ares'
        """Watch a socket as c-ares wishes; called also by its destructor, on another thread."""
        if self._channel is None:
            return
        self._sockets.add(fd)
        if readable:
            self._loop.add_reader(fd, self._process, fd, _BAD)
        else:
            self._loop.remove_reader(fd)
        if writable:
            self._loop.add_writer(fd, self._process, _BAD, fd)
        else:
            self._loop.remove_writer(fd)
        if not (readable or writable):
            self._sockets.discard(fd)

    def _end(self) -> None:
        """Take the question back and close its sockets."""
        channel, timer = self._channel, self._timer
        if channel is None:
            return
        channel.cancel()  # here, since the destructor would do it on another thread
        self._channel = None
        for fd in self._sockets:
            self._loop.remove_reader(fd)
            self._loop.remove_writer(fd)
        if timer is not None:
            timer.cancel()
        channel.close()


def _without_dot(host: str) -> str:
    """Return ``localhost`` for ``localhost.``, which c-ares would ask a name server about."""
    bare = host.rstrip(".")
    return bare if bare.lower().rpartition(".")[2] == "localhost" else host


def _failure(status: int) -> OSError:
    """Say why; what we lack ourselves is no fault of any name."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError as error:
        return error
    return NoAddress(_WORDS.get(status, _NONSENSE))
