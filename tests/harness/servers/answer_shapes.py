"""Answers in every shape that platforms, gateways and old servers give them, as one table.

Each is the first answer of a platform; whatever comes after it, the second request is answered 200.
"""

from dataclasses import dataclass
from enum import Enum

from tests.harness.servers.raw_server import ok

from disconnect_fanout.domain.outcome import FailureKind

_KIB = 1024


class Then(Enum):
    """What the platform does when it has said its answer."""

    STAYS = "stays"
    HANGS_UP = "hangs up"
    RESETS = "resets"


@dataclass(frozen=True, slots=True)
class Shape:
    """One first answer, and what has to come of it.

    Attributes:
        says: the bytes, in so many pieces.
        heard: the status, or the kind of failure.
        connections: made by two requests.
        requests: received, of two.
        then: what the platform does next.
        retry_after: what is heard of it.
        greets: said when the connection is made, before the request.
        later: said after the exchange, in the moment in which the next request is made.
        tls: the client believes that it is to speak TLS.
        early: answered before the request's body was read.
        timeout_s: of the first request.
    """

    says: tuple[bytes, ...]
    heard: int | FailureKind
    connections: int = 2
    requests: int = 2
    then: Then = Then.STAYS
    retry_after: str | None = None
    greets: bytes = b""
    later: bytes = b""
    tls: bool = False
    early: bool = False
    timeout_s: float = 20.0


def _head(*lines: bytes, status: bytes = b"200 OK", version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([version + b" " + status, *lines]) + b"\r\n\r\n"


def _bytewise(whole: bytes) -> tuple[bytes, ...]:
    return tuple(bytes([one]) for one in whole)


_TE = b"transfer-encoding: chunked"
_NONE = b"content-length: 0"
_TEN = b"content-length: 10"
_UP, _RESET = Then.HANGS_UP, Then.RESETS
_GONE = b"410 Gone"
_NO_HTTP = FailureKind.DISCONNECTED

WHOLE = {
    "plain": Shape((ok(b"thanks"),), 200, 1),
    "without a body": Shape((ok(),), 200, 1),
    "in two pieces": Shape((ok(b"ok")[:30], ok(b"ok")[30:]), 200, 1),
    "byte by byte": Shape(_bytewise(ok(b"ok")), 200, 1),
    "chunked": Shape((_head(_TE) + b"2\r\nok\r\n0\r\n\r\n",), 200, 1),
    "chunked, byte by byte": Shape(_bytewise(_head(_TE) + b"2\r\nok\r\n0\r\n\r\n"), 200, 1),
    "chunked, extension, trailer": Shape(
        (_head(_TE) + b"0002;a=b\r\nok\r\n0\r\nx: y\r\n\r\n",), 200, 1
    ),
    "204": Shape((_head(status=b"204 No Content"),), 204, 1),
    "204 with a length of 0": Shape((_head(_NONE, status=b"204 No Content"),), 204, 1),
    "205": Shape((_head(_NONE, status=b"205 Reset Content"),), 205, 1),
    "until the end": Shape((_head() + b"ok",), 200, then=_UP),
    "says close": Shape((_head(b"Connection: close", _NONE),), 200),
    "says close among others": Shape((_head(b"connection: x, Close", _NONE),), 200),
    "HTTP/1.0": Shape((_head(version=b"HTTP/1.0") + b"ok",), 200, then=_UP),
    "HTTP/1.0, kept alive": Shape(
        (_head(b"connection: keep-alive", _NONE, version=b"HTTP/1.0"),), 200
    ),
    "HTTP/2 in words": Shape((_head(_NONE, version=b"HTTP/2"),), 200),
}

HEADS = {
    "a header of 9 KB": Shape((_head(b"csp: " + b"x" * 9000, _NONE),), 200, 1),
    "200 header lines": Shape((_head(*[b"x-a: b"] * 200, _NONE),), 200, 1),
    "a head of 63 KiB": Shape((_head(b"x: " + b"h" * 63 * _KIB, _NONE),), 200, 1),
    "a head of 63 KiB, in pieces": Shape(
        (b"HTTP/1.1 200 OK\r\nx: ", *[b"h" * _KIB] * 62, b"\r\ncontent-length: 0\r\n\r", b"\n"),
        200,
        1,
    ),
    "a head of 65 KiB": Shape((_head(b"x: " + b"h" * 65 * _KIB, _NONE),), _NO_HTTP),
    "a head without end": Shape((b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 9000,), _NO_HTTP),
    "no reason": Shape((_head(_NONE, status=b"200"),), 200, 1),
    "no reason, a space": Shape((_head(_NONE, status=b"200 "),), 200, 1),
    "two spaces": Shape((_head(_NONE, status=b" 200  OK"),), 200, 1),
    "small letters": Shape((_head(_NONE, version=b"http/1.1"),), 200, 1),
    "lines end in LF": Shape((b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",), 200, 1),
    "lines end in both": Shape((b"HTTP/1.1 200 OK\r\ncontent-length: 0\n\r\n",), 200, 1),
    "an empty line before": Shape((b"\r\n" + ok(),), 200, 1),
    "a folded header": Shape((_head(b"x: a", b"\tb", _NONE),), 200, 1),
    "a folded Retry-After": Shape(
        (_head(b"retry-after:", b"  120", _NONE, status=b"503 Busy"),), 503, retry_after="120"
    ),
    "odd white space": Shape(
        (_head(b"Retry-After \t:\t 7 \t", _NONE, status=b"429 Slow"),), 429, retry_after="7"
    ),
    "bytes that no header holds": Shape((_head(b"x\xff\x00: \x01\xfe", b"none", _NONE),), 200, 1),
    "headers without a name": Shape((_head(b": x", b"no colon", _NONE),), 200, 1),
}

BODIES = {
    "cut short": Shape((_head(_TEN) + b"half",), 200, then=_UP),
    "cut short by a reset": Shape((_head(_TEN) + b"half",), 200, then=_RESET),
    "cut behind the head": Shape((_head(_TEN),), 200, then=_UP),
    "stalled": Shape((_head(_TEN) + b"half",), 200),
    "stalled, longer than its time": Shape((_head(_TEN) + b"half",), 200, timeout_s=0.2),
    "neither length nor end": Shape((_head(),), 200),
    "a chunk cut short": Shape((_head(_TE) + b"a\r\nhalf",), 200, then=_UP),
    "chunks without the last": Shape((_head(_TE) + b"2\r\nok\r\n",), 200, then=_UP),
    "chunks that stall": Shape((_head(_TE) + b"2\r\nok\r\n",), 200),
    "a bad chunk": Shape((_head(_TE) + b"ZZ\r\nx\r\n0\r\n\r\n",), 200),
    "a chunk longer than told": Shape((_head(_TE) + b"2\r\nlong\r\n0\r\n\r\n",), 200),
    "a negative chunk": Shape((_head(_TE) + b"-1\r\n",), 200),
    "a chunk of 2^64": Shape((_head(_TE) + b"1" + b"0" * 16 + b"\r\n",), 200),
    "a length twice": Shape((_head(_NONE, _NONE),), 200),
    "a length twice in one": Shape((_head(b"content-length: 2, 2") + b"ok",), 200),
    "two lengths": Shape((_head(b"content-length: 1", b"content-length: 2") + b"ab",), 200),
    "a negative length": Shape((_head(b"content-length: -1"),), 200),
    "a length in words": Shape((_head(b"content-length: two") + b"ok",), 200),
    "a length of 5,000 digits": Shape((_head(b"content-length: " + b"9" * 5000),), 200),
    "a length and chunks": Shape((_head(b"content-length: 2", _TE) + b"0\r\n\r\n",), 200),
    "chunked twice": Shape((_head(_TE, _TE) + b"0\r\n\r\n",), 200),
    "packed, then chunked": Shape(
        (_head(b"transfer-encoding: gzip, chunked") + b"0\r\n\r\n",), 200
    ),
    "an unknown coding": Shape((_head(b"transfer-encoding: zip") + b"ok",), 200, then=_UP),
    "204 with a body": Shape((_head(status=b"204 No Content") + b"ok",), 204),
    "204 with a length": Shape((_head(_TEN, status=b"204 No Content"),), 204),
    "204 with chunks": Shape((_head(_TE, status=b"204 No Content") + b"0\r\n\r\n",), 204),
    "304 with a body": Shape((_head(_TEN, status=b"304 Not Modified") + b"0123456789",), 304),
    "410 cut short": Shape((_head(_TEN, status=_GONE) + b"half",), 410, then=_UP),
    "410 stalled": Shape((_head(_TEN, status=_GONE) + b"half",), 410),
    "410 with a bad chunk": Shape((_head(_TE, status=_GONE) + b"!",), 410, then=_RESET),
    "503 cut short": Shape(
        (_head(b"retry-after: 9", _TEN, status=b"503 Busy"),), 503, then=_UP, retry_after="9"
    ),
    "longer than we read": Shape(
        (_head(b"content-length: 99999999") + b"x" * 70 * _KIB,), 200, then=_RESET
    ),
}

ORDER = {
    "100 before": Shape((_head(status=b"100 Continue") + ok(),), 200, 1),
    "100 before, apart": Shape((_head(status=b"100 Continue"), ok()), 200, 1),
    "103 before, 9 KB": Shape(
        (_head(b"link: " + b"x" * 9000, status=b"103 Early Hints") * 3 + ok(),), 200, 1
    ),
    "only promises": Shape((_head(status=b"103 Early Hints") * 3,), _NO_HTTP, then=_UP),
    "101": Shape((_head(b"upgrade: x", status=b"101 Switching Protocols") + b"x",), 101),
    "early": Shape((_head(_NONE, status=b"413 Too Large"),), 413, early=True),
    "early, and gone": Shape((_head(_NONE, status=_GONE),), 410, early=True, then=_UP),
    "late": Shape((), FailureKind.TIMED_OUT, later=ok(), timeout_s=0.2),
    "half a head, the rest late": Shape(
        (ok()[:20],), FailureKind.TIMED_OUT, later=ok()[20:], timeout_s=0.2
    ),
    "another behind it": Shape((ok() + _head(_NONE, status=_GONE),), 200),
    "another later": Shape((ok(),), 200, later=_head(_NONE, status=_GONE)),
    "a 408 while idle": Shape((ok(),), 200, later=_head(_NONE, status=b"408 Timeout")),
    "half a head while idle": Shape((ok(),), 200, later=_head(_NONE, status=_GONE)[:9]),
    "a byte while idle": Shape((ok(),), 200, later=b"\n"),
    "100 while idle": Shape((ok(),), 200, later=_head(status=b"100 Continue")),
    "504, then a late 200": Shape((_head(_NONE, status=b"504 Late"),), 504, later=ok()),
    "504 and 200 at once": Shape((_head(_NONE, status=b"504 Late") + ok(),), 504),
    "500": Shape((_head(_NONE, status=b"500 Oops"),), 500),
    "302": Shape((_head(b"location: /", _NONE, status=b"302 Found"),), 302),
    "408": Shape((_head(_NONE, status=b"408 Timeout"),), 408),
    "unasked": Shape((), _NO_HTTP, requests=1, greets=ok()),
    "unasked, and gone": Shape((), _NO_HTTP, requests=1, greets=ok(), then=_UP),
}

GARBAGE = {
    "nothing": Shape((), _NO_HTTP, then=_UP),
    "a reset": Shape((), _NO_HTTP, then=_RESET),
    "half a head": Shape((ok()[:30],), _NO_HTTP, then=_UP),
    "another protocol": Shape((b"SSH-2.0-OpenSSH_9.6\r\n",), _NO_HTTP),
    "noise": Shape((bytes(range(256)) * 8,), _NO_HTTP),
    "TLS": Shape((b"\x15\x03\x01\x00\x02\x02\x46",), _NO_HTTP),
    "a status in words": Shape((_head(status=b"two hundred"),), _NO_HTTP),
    "a status of four digits": Shape((_head(status=b"2000"),), _NO_HTTP),
    "a status of two digits": Shape((_head(status=b"99 X"),), _NO_HTTP),
    "no status": Shape((b"HTTP/1.1\r\n\r\n",), _NO_HTTP),
    "HTTP behind https": Shape(
        (), FailureKind.TLS_FAILED, requests=0, greets=_head(status=b"400 Bad"), tls=True
    ),
    "noise behind https": Shape(
        (), FailureKind.TLS_FAILED, requests=0, greets=bytes(range(256)), tls=True
    ),
}

SHAPES = WHOLE | HEADS | BODIES | ORDER | GARBAGE
