"""The address check, made where the socket is made: on the final address, at every connect.

A resolver is no guard: aiohttp does not ask it about literal addresses, and what a name resolves to
may change between a check and the connect. The socket factory sees every address that is about to
be used. Of several addresses aiohttp tells only how the last one failed, the others' errors are
flattened or lost: so the factory and its sockets also write down what they saw.
"""

import socket
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeAlias

from aiohttp.connector import AddrInfoType

from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.policy.endpoints.address import Network, permitted
from disconnect_fanout.policy.faults.own_fault import shortage_of

Target: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
"""A socket's address."""


@dataclass(slots=True)
class Sightings:
    """What was seen during one exchange.

    Attributes:
        permitted: sockets that were made, or would have been.
        blocked: addresses that were refused.
        failed: the system's error numbers of sockets that led nowhere.
        looking_up: a name server was asked and has not answered.
        written: a request was about to be written; from then on the platform may know.
        answered: the head of an answer came.
        shortage: what was wanting for a socket.
        targets: families and addresses for which sockets were made.
    """

    permitted: int = 0
    blocked: int = 0
    failed: list[int] = field(default_factory=list)
    looking_up: bool = False
    written: bool = False
    answered: bool = False
    shortage: Shortage | None = None
    targets: list[tuple[int, Target]] = field(default_factory=list)

    @property
    def only_blocked(self) -> bool:
        """Every address that was about to be used is a forbidden one."""
        return self.blocked > 0 and self.permitted == 0

    @property
    def stale(self) -> bool:
        """No socket was made and nothing came back: a kept-alive connection had ended."""
        return self.permitted == 0 and not self.answered


sightings: ContextVar[Sightings | None] = ContextVar("sightings", default=None)


class AddressGuard:
    """A socket factory that makes sockets for permitted addresses only.

    Args:
        allowed: networks permitted beside the public ones.
    """

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = tuple(allowed)

    def permits(self, address: str) -> bool:
        """Tell whether an address may be reached; a zone is no part of it."""
        return permitted(ip_address(address.partition("%")[0]), self._allowed)

    def __call__(self, info: AddrInfoType) -> socket.socket:
        """Return a socket for the address.

        Raises:
            PermissionError: the address must not be reached.
            OSError: the system gives no socket.
        """
        family, kind, protocol, _, target = info
        seen = sightings.get() or Sightings()
        if not self.permits(str(target[0])):
            seen.blocked += 1
            raise PermissionError("the address is not a public one")
        seen.permitted += 1
        try:
            made = _Watched(seen, family, kind, protocol)
        except OSError as error:
            seen.failed.append(error.errno or 0)
            seen.shortage = shortage_of(error)  # flattened with others on the way out
            raise
        seen.targets.append((family, target))
        return made


class _Watched(socket.socket):
    """A socket that notes how connecting ended, in the two places where event loops learn of it."""

    __slots__ = ("_seen",)

    def __init__(self, seen: Sightings, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._seen = seen

    def connect(self, address: object, /) -> None:
        try:
            super().connect(address)  # type: ignore[arg-type]  # typeshed keeps its name private
        except (BlockingIOError, InterruptedError):
            raise  # under way; SO_ERROR will tell
        except OSError as error:
            self._seen.failed.append(error.errno or 0)
            raise

    def getsockopt(self, *which: int) -> int:  # type: ignore[override]  # of bytes nobody asks
        value: int = super().getsockopt(*which)
        if value and which == (socket.SOL_SOCKET, socket.SO_ERROR):
            self._seen.failed.append(value)
        return value
