"""What an error of a connection means: foreign exceptions end here."""

import ssl

import aiohttp

from disconnect_fanout.adapters.http.failure_words import (
    BLOCKED,
    connect_failed,
    ended_words,
    lookup_failed,
    tls_words,
)
from disconnect_fanout.adapters.http.guard import Sightings
from disconnect_fanout.adapters.http.own_fault import own_fault
from disconnect_fanout.domain.outcome import Failure, FailureKind, Unable


class UnreadableAnswer(Exception):
    """Something came, and it is no answer to our request. Its words are plain, and our own."""


def failure_of(error: Exception, seen: Sightings) -> Failure | Unable:  # noqa: PLR0911 - a table
    """Name the failure. The words hold no URL: a path or query may be a secret."""
    if (shortage := own_fault(error, seen)) is not None:
        return Unable(shortage)
    if seen.only_blocked:
        return Failure(FailureKind.BLOCKED, BLOCKED)
    match error:
        case aiohttp.InvalidURL():
            return Failure(FailureKind.BLOCKED, "the host is no valid host name")
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Failure(FailureKind.TLS_FAILED, tls_words(error))
        case aiohttp.ClientConnectorDNSError(os_error=cause):
            return lookup_failed(cause)
        case aiohttp.ClientConnectorError(os_error=cause):
            return connect_failed(cause, seen)
        case _:
            words = str(error) if isinstance(error, UnreadableAnswer) else ended_words(error)
            return Failure(FailureKind.DISCONNECTED, words, reused=seen.stale)
