"""What operators read of a failure: plain words, whatever a library said."""

import errno
import os
import ssl

import aiohttp
import pytest
from aiohttp import http_exceptions

from disconnect_fanout.adapters.http import failure_words
from disconnect_fanout.adapters.http.guard import Sightings
from disconnect_fanout.adapters.http.name_query import NoAddress

ALSO_BLOCKED = "; another address of the host is not a public one"
ERRORS: dict[str, Exception] = {
    **{
        name: OSError(number, "as some library puts it") for number, name in errno.errorcode.items()
    },
    "no number": OSError("Multiple exceptions: this, that"),
    "permission": PermissionError("the address is not a public one"),
    "look-up": OSError(-2, "Name or service not known"),
    "reset": ConnectionResetError("Cannot write to closing transport"),
    "disconnected": aiohttp.ServerDisconnectedError(),
    "connection": aiohttp.ClientConnectionError("Connection closed"),
    "writing": aiohttp.ClientConnectionResetError("Cannot write to closing transport"),
    "payload": aiohttp.ClientPayloadError("Response payload is not completed"),
    "head": http_exceptions.BadStatusLine("HTTP/1.1 two hundred"),
    "chunk": http_exceptions.TransferEncodingError("bad chunk"),
    "value": ValueError("http://s3cret@luma.test/"),
    "uvloop": RuntimeError("unable to perform operation on <TCPTransport closed=True>"),
    "tls": ssl.SSLError(),
    "tls reason": ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
    "no such name": NoAddress("the host name does not resolve"),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("blocked", [0, 1])
def test_no_word_for_the_operator_is_a_class_of_a_library(error: Exception, blocked: int) -> None:
    """Nor what a library says, which may hold an address or a URL; and there always is a word."""
    seen = Sightings(blocked=blocked, permitted=1)
    said = [failure_words.ended_words(error), failure_words.tls_words(error)]
    if isinstance(error, OSError):
        said.append(failure_words.connect_failed(error, seen).detail)
        said.append(failure_words.lookup_failed(error).detail)
    for words in said:
        for name in (one.__name__ for one in type(error).__mro__):
            assert name not in words
        assert "s3cret" not in words
        assert "Unknown error" not in words
        assert words == words.strip(" :;,")
        assert "()" not in words


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], "no connection could be made"),
        ([errno.ECONNREFUSED], "Connection refused"),
        ([errno.ECONNREFUSED, errno.ECONNREFUSED], "Connection refused"),
        ([errno.ENETUNREACH, errno.ECONNREFUSED], "Network is unreachable, Connection refused"),
        ([errno.EHOSTUNREACH], "No route to host"),
        ([errno.ETIMEDOUT, 0], "Connection timed out"),
    ],
)
def test_each_address_that_failed_is_told(numbers: list[int], words: str) -> None:
    """Of several errors aiohttp keeps the last, or one that says several things at once."""
    seen = Sightings(permitted=len(numbers), failed=numbers)
    flattened = OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] …")
    assert failure_words.connect_failed(flattened, seen).detail == words
    seen.blocked = 1
    assert failure_words.connect_failed(flattened, seen).detail == words + ALSO_BLOCKED


def test_the_systems_words_are_used() -> None:
    """They can be looked up, whatever the library made of them."""
    error = OSError(errno.EHOSTUNREACH, "Connect call failed ('203.0.113.9', 443)")
    words = failure_words.connect_failed(error, Sightings()).detail
    assert words == os.strerror(errno.EHOSTUNREACH)
