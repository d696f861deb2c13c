"""Whether a request could not be made for our own want, as the sender sees it."""

import errno
import os
import socket
import ssl

import aiohttp

from disconnect_fanout.adapters.http.guard import Sightings, Target
from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.policy.faults.own_fault import shortage_of


def own_fault(error: BaseException, seen: Sightings) -> Shortage | None:
    """Return what was wanting, or None if this is no fault of ours.

    Once a request has been written it is an attempt, whatever happens then.
    """
    if seen.written:
        return None
    if seen.shortage is not None:
        return seen.shortage
    found = shortage_of(error)
    if found is Shortage.PORTS and not any(_has_source(*one) for one in seen.targets):
        return None
    return found or _hidden(error)


def _has_source(family: int, target: Target) -> bool:
    """Tell whether this machine has an address from which the target is reached.

    A machine without IPv6 says the same of an IPv6 address as one without a free port. A datagram
    socket knows the difference, and connecting one sends nothing.
    """
    try:
        probe = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:
        return True
    with probe:
        try:
            probe.connect(target)
        except OSError:
            return False
    return True


def _hidden(error: BaseException) -> Shortage | None:
    """Name resolution and OpenSSL open files and swallow why they could not: ask for ourselves."""
    match error:
        case aiohttp.ClientConnectorDNSError(os_error=socket.gaierror(errno=socket.EAI_MEMORY)):
            return Shortage.MEMORY
        case aiohttp.ClientConnectorDNSError() | aiohttp.ClientSSLError() | ssl.SSLError():
            return None if _descriptor_left() else Shortage.DESCRIPTORS
        case _:
            return None


def _descriptor_left() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in (errno.EMFILE, errno.ENFILE)
    return True
