"""What went wrong, in words for the operator: never a class of ours or of a library, never a URL.

A path or query of a URL may be a secret, and these words are stored and logged.
"""

import os

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from disconnect_fanout.adapters.http.guard import Sightings
from disconnect_fanout.adapters.http.name_query import DOES_NOT_RESOLVE, SILENT, NoAddress
from disconnect_fanout.domain.outcome import Failure, FailureKind

BLOCKED = "the host's address is not a public one"
_ALSO_BLOCKED = "; another address of the host is not a public one"
_ENDED = "the connection ended without a complete answer"
_HANDSHAKE = "the handshake failed"
_NO_CERTIFICATE = frozenset(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_NO_CERTIFICATE",
    }
)
"""Alerts of the platform about our certificate, and we show none. TLS 1.3 sends them late."""


def timed_out(seen: Sightings, timeout_s: float) -> Failure:
    """Say what the time was spent on: looking the name up, or waiting for an answer."""
    if seen.looking_up:
        return Failure(FailureKind.UNREACHABLE, f"{SILENT} within {timeout_s:g} s")
    return Failure(FailureKind.TIMED_OUT, f"no complete answer within {timeout_s:g} s")


def lookup_failed(error: OSError) -> Failure:
    """Say why a name led to no address."""
    if isinstance(error, NoAddress):
        words = error.words
    else:
        words = _system_words(error.errno) or DOES_NOT_RESOLVE
    return Failure(FailureKind.UNREACHABLE, words)


def connect_failed(error: OSError, seen: Sightings) -> Failure:
    """Say why no connection came about, at every address that was tried."""
    numbers = dict.fromkeys(seen.failed or [error.errno or 0])
    words = ", ".join(filter(None, map(_system_words, numbers))) or "no connection could be made"
    return Failure(FailureKind.UNREACHABLE, words + (_ALSO_BLOCKED if seen.blocked else ""))


def tls_words(error: Exception) -> str:
    """Say why there was no secure connection: OpenSSL's reason, where it has one."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    reason = getattr(cause, "verify_message", None) or getattr(cause, "reason", None)
    if reason in _NO_CERTIFICATE:
        return "TLS: the platform asks for a client certificate"
    return f"TLS: {reason or _HANDSHAKE}"[:200]


def ended_words(error: Exception) -> str:
    """Say how a connection ended that had been made."""
    return f"{_ENDED} ({_how_it_ended(error)})"


def _how_it_ended(error: Exception) -> str:
    match error:
        case aiohttp.ServerDisconnectedError():
            return "the platform closed it"
        case OSError() if (words := _system_words(error.errno)) is not None:
            return words
        case aiohttp.ClientPayloadError():
            return "the answer broke off"
        case aiohttp.ClientResponseError() | HttpProcessingError() | ValueError():
            return "what came is no valid HTTP"
        case _:
            return "it had just ended"


def _system_words(number: int | None) -> str | None:
    """Return the system's words for an error number, None if it is none of the system's."""
    return os.strerror(number) if number is not None and number > 0 else None
