"""The address check, made where the socket is made: on the final address, at every connect.

A resolver is no guard: aiohttp does not ask it about literal addresses, and what a name resolves to
may change between a check and the connect. The socket factory sees every address that is about to
be used. Its exception is flattened with others on the way out, so it also writes down what it saw.
"""

import socket
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeAlias

from aiohttp.connector import AddrInfoType

from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.policy.address import Network, permitted
from disconnect_fanout.policy.own_fault import shortage_of

Target: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
"""A socket's address."""


@dataclass(slots=True)
class Sightings:
    """What was seen during one exchange.

    Attributes:
        permitted: sockets that were made.
        blocked: addresses that were refused.
        written: a request was about to be written; from then on the platform may know.
        answered: the head of an answer came.
        shortage: what was wanting for a socket.
        targets: families and addresses for which sockets were made.
    """

    permitted: int = 0
    blocked: int = 0
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

    def __call__(self, info: AddrInfoType) -> socket.socket:
        """Return a socket for the address.

        Raises:
            PermissionError: the address must not be reached.
            OSError: no socket is to be had.
        """
        family, kind, protocol, _, target = info
        seen = sightings.get() or Sightings()
        if not permitted(ip_address(str(target[0]).partition("%")[0]), self._allowed):
            seen.blocked += 1
            raise PermissionError("the address is not a public one")
        seen.permitted += 1
        try:
            made = socket.socket(family, kind, protocol)
        except OSError as error:
            seen.shortage = shortage_of(error)  # flattened with others on the way out
            raise
        seen.targets.append((family, target))
        return made
