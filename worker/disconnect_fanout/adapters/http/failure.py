"""What an error of a connection means: foreign exceptions end here."""

import os
import ssl

import aiohttp

from disconnect_fanout.adapters.http.guard import Sightings
from disconnect_fanout.domain.outcome import Failure, FailureKind

_NO_CERTIFICATE = frozenset(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_NO_CERTIFICATE",
    }
)
"""Alerts of the platform about our certificate, and we show none. TLS 1.3 sends them late."""


class UnreadableAnswer(Exception):
    """Something came, and it is no answer to our request. Its words are plain, and our own."""


def failure_of(error: Exception, seen: Sightings) -> Failure:
    """Name the failure. The words hold no URL: a path or query may be a secret."""
    if seen.only_blocked:
        return Failure(FailureKind.BLOCKED, "the host's address is not a public one")
    match error:
        case aiohttp.InvalidURL():
            return Failure(FailureKind.BLOCKED, "the host is no valid host name")
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Failure(FailureKind.TLS_FAILED, _tls_words(error))
        case aiohttp.ClientConnectorDNSError():
            return Failure(FailureKind.UNREACHABLE, "the host name does not resolve")
        case aiohttp.ClientConnectorError(os_error=cause):
            words = os.strerror(cause.errno) if cause.errno else type(cause).__name__
            return Failure(FailureKind.UNREACHABLE, words)
        case _:
            words = f"the connection ended without a complete answer ({type(error).__name__})"
            words = str(error) if isinstance(error, UnreadableAnswer) else words
            return Failure(FailureKind.DISCONNECTED, words, reused=seen.stale)


def _tls_words(error: Exception) -> str:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    reason = getattr(cause, "verify_message", None) or getattr(cause, "reason", None)
    if reason in _NO_CERTIFICATE:
        return "TLS: the platform asks for a client certificate"
    return f"TLS: {reason or type(cause).__name__}"[:200]
