"""The head of an answer, read for its status first: nothing else in it can take that away.

RFC 9112 would have us refuse many heads. But the platform has acted on the webhook by the time we
read them, and a refusal only tells it again. What is odd decides about the connection alone.
"""

import re
from dataclasses import dataclass
from typing import Final

from disconnect_fanout.adapters.http.answer_body import (
    Body,
    BrokenBody,
    ChunkedBody,
    MeasuredBody,
    OpenBody,
)

HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/(\d+)(?:\.(\d+))?[ \t]+([1-9]\d\d)(?!\d)", re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]+")
_FIELD = re.compile(
    rb"^(retry-after|content-length|transfer-encoding|connection)[ \t]*:([^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_LENGTH = re.compile(rb"\d{1,18}")
_LONGEST_RETRY_AFTER = 100  # neither a date nor a sane number is longer
_BODILESS = frozenset({101, 204, 304})
_SWITCHING = 101


@dataclass(frozen=True, slots=True)
class Head:
    """What the head says.

    Attributes:
        retry_after: the header, verbatim.
        keeps_alive: the next request may follow on this connection.
        body: reads what follows; None if nothing does.
    """

    status: int
    retry_after: str | None
    keeps_alive: bool
    body: Body | None

    @property
    def interim(self) -> bool:
        """Another head follows (RFC 9110, 15.2). We asked for no switch, so 101 is an answer."""
        return self.status < 200 and self.status != _SWITCHING  # noqa: PLR2004


def read_head(head: bytes) -> Head | None:
    """Read the bytes up to the empty line; None if they begin with no status line."""
    line = _STATUS.match(head)
    if line is None:
        return None
    version = (int(line[1][:4]), int((line[2] or b"0")[:4]))
    status = int(line[3])
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(_FOLD.sub(b" ", head)):
        fields.setdefault(name.lower(), []).append(value.strip())
    body, clean = _framing(status, fields)
    closes = b"close" in _tokens(fields.get(b"connection", []))
    return Head(
        status=status,
        retry_after=_retry_after(fields.get(b"retry-after")),
        keeps_alive=clean and not closes and version == (1, 1),
        body=body,
    )


def _framing(status: int, fields: dict[bytes, list[bytes]]) -> tuple[Body | None, bool]:
    """Return how the body is framed, and whether nothing about that is odd."""
    lengths, codings = fields.get(b"content-length"), fields.get(b"transfer-encoding")
    if status in _BODILESS:
        return None, codings is None and lengths in (None, [b"0"])
    if codings is not None:
        if _tokens(codings)[-1:] != [b"chunked"]:
            return OpenBody(), False
        return ChunkedBody(), lengths is None and [one.lower() for one in codings] == [b"chunked"]
    if lengths is None:
        return OpenBody(), False
    said = set(_tokens(lengths))
    length = said.pop() if len(said) == 1 else b""
    if not _LENGTH.fullmatch(length):
        return BrokenBody(), False
    body = MeasuredBody(int(length)) if int(length) else None
    return body, len(lengths) == 1 and lengths[0] == length


def _tokens(values: list[bytes]) -> list[bytes]:
    return [token.strip().lower() for value in values for token in value.split(b",")]


def _retry_after(values: list[bytes] | None) -> str | None:
    if values is None or len(values[0]) > _LONGEST_RETRY_AFTER:
        return None
    return values[0].decode("latin-1")
