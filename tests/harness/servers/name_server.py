"""A name server on loopback that answers, refuses, or says nothing, as it is told name by name."""

import asyncio
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum
from ipaddress import ip_address
from typing import Any, Self, TypeAlias


class Odd(Enum):
    """What a name server may do beside answering."""

    SILENT = "silent"
    SILENT_ON_IPV6 = "silent on IPv6"
    """127.0.0.1 at once, and to the question for IPv6 nothing, as some firewalls do."""
    TOO_LONG = "too long for a datagram"
    """Cut off over UDP; 127.0.0.1 over TCP."""


class Refusal(IntEnum):
    """What it may say in place of an address."""

    SERVFAIL = 2
    NXDOMAIN = 3
    REFUSED = 5


Says: TypeAlias = Sequence[str] | Odd | Refusal
PROMPT_S = 0.5
"""Half of what passes until a silent name server is asked again: who waited for one took longer."""
_AAAA = 28
_ANSWER, _CUT_OFF = 0x8180, 0x0200


class NameServer:
    """Listens on 127.0.0.1, counts questions, answers from ``names``; any other name is unknown.

    Args:
        names: in lower case; may be changed while it runs.
        ttl: of every answer, in seconds.
    """

    def __init__(self, names: Mapping[str, Says] | None = None, ttl: int = 300) -> None:
        self.names: dict[str, Says] = dict(names or {})
        self.ttl = ttl
        self.questions: Counter[str] = Counter()
        """How often it was asked for each name, all types of question together."""
        self.address = ""
        """Where it listens, as resolvers want to be told."""
        self._asked = asyncio.Event()
        self._open: list[Any] = []

    async def __aenter__(self) -> Self:
        while not self._open:
            await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._open:
            one.close()

    async def _listen(self) -> None:
        """Listen on one port over UDP and TCP, unless another program has one half of it."""
        udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=("127.0.0.1", 0)
        )
        port = udp.get_extra_info("sockname")[1]
        try:
            tcp = await asyncio.start_server(self._serve, "127.0.0.1", port)
        except OSError:
            udp.close()
            return
        self._open = [udp, tcp]
        self.address = f"127.0.0.1:{port}"

    async def asked(self, names: int) -> None:
        """Wait until so many names were asked for."""
        while len(self.questions) < names:
            self._asked.clear()
            await self._asked.wait()

    def reply(self, query: bytes, *, tcp: bool) -> bytes | None:
        """Return the answer to a question; None is silence."""
        name, kind, question = _question(query)
        self.questions[name] += 1
        self._asked.set()
        says = self.names.get(name, Refusal.NXDOMAIN)
        match says:
            case Odd.SILENT:
                return None
            case Odd.SILENT_ON_IPV6:
                return None if kind == _AAAA else self._addresses(query, ["127.0.0.1"])
            case Odd.TOO_LONG:
                if tcp:
                    return self._addresses(query, ["127.0.0.1"])
                return _head(query, _ANSWER | _CUT_OFF, 0) + question
            case Refusal():
                return _head(query, _ANSWER | says, 0) + question
            case _:
                return self._addresses(query, says)

    def _addresses(self, query: bytes, says: Sequence[str]) -> bytes:
        _, kind, question = _question(query)
        packed = [ip_address(one).packed for one in says if (":" in one) is (kind == _AAAA)]
        records = [
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, self.ttl, len(one)) + one for one in packed
        ]
        return _head(query, _ANSWER, len(records)) + question + b"".join(records)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                if (said := self.reply(await reader.readexactly(length), tcp=True)) is not None:
                    writer.write(len(said).to_bytes(2) + said)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if (said := self._server.reply(data, tcp=False)) is not None:
            self._transport.sendto(said, addr)


def _question(query: bytes) -> tuple[str, int, bytes]:
    """Return the name, the type of question, and the question as it stood (RFC 1035, 4.1.2)."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    (kind,) = struct.unpack_from(">H", query, at + 1)
    return ".".join(labels).lower(), kind, query[12 : at + 5]


def _head(query: bytes, flags: int, answers: int) -> bytes:
    return query[:2] + struct.pack(">HHHHH", flags, 1, answers, 0, 0)
