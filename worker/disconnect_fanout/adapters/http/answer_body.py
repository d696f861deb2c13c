"""The body of an answer, read for its first words only, and for where it ends."""

import re
from enum import Enum, auto
from typing import Protocol

MOST_OF_AN_ANSWER = 64 * 1024
EXCERPT = 1024
_LONGEST_LINE = 4096
_SIZE = re.compile(rb"[0-9a-f]{1,16}", re.IGNORECASE)


class Ending(Enum):
    """How a body ended."""

    WHOLE = auto()
    EXCESS = auto()  # whole, and there were bytes behind it
    TOO_LONG = auto()  # the rest was not read
    SHORT = auto()  # the connection ended first
    BROKEN = auto()  # where it would end can't be known
    LATE = auto()  # the rest did not come


class Excerpt:
    """The first 1 KiB of a body, and a count of all of it."""

    __slots__ = ("kept", "size")

    def __init__(self) -> None:
        self.kept = b""
        self.size = 0

    def add(self, data: bytes) -> bool:
        """Keep what is among the first; return whether the body is longer than we read."""
        if len(self.kept) < EXCERPT:
            self.kept += data[: EXCERPT - len(self.kept)]
        self.size += len(data)
        return self.size > MOST_OF_AN_ANSWER

    def text(self) -> str:
        """Return what was kept, in a form that can be stored (PostgreSQL takes no NUL)."""
        return self.kept.decode(errors="replace").replace("\x00", "\ufffd")


class Body(Protocol):
    """Finds the end of a body."""

    def feed(self, data: bytes, excerpt: Excerpt) -> Ending | None:
        """Take the next bytes; return how it ended, or None if it goes on."""
        ...

    def eof(self) -> Ending:
        """Return what it means that the platform says no more."""
        ...


class MeasuredBody:
    """As long as ``Content-Length`` says.

    Args:
        length: in bytes, at least 1.
    """

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def feed(self, data: bytes, excerpt: Excerpt) -> Ending | None:
        """Count down."""
        left, self._left = self._left, self._left - len(data)
        if excerpt.add(data[:left]):
            return Ending.TOO_LONG
        if self._left > 0:
            return None
        return Ending.EXCESS if self._left else Ending.WHOLE

    def eof(self) -> Ending:
        """It was to be longer."""
        return Ending.SHORT


class OpenBody:
    """Goes on until the connection ends."""

    __slots__ = ()

    def feed(self, data: bytes, excerpt: Excerpt) -> Ending | None:
        """Keep what is among the first."""
        return Ending.TOO_LONG if excerpt.add(data) else None

    def eof(self) -> Ending:
        """That is how it ends."""
        return Ending.WHOLE


class BrokenBody:
    """Nobody can tell where it ends, so what came with the head is all that is read."""

    __slots__ = ()

    def feed(self, data: bytes, excerpt: Excerpt) -> Ending | None:
        """Keep it, and go no further."""
        excerpt.add(data)
        return Ending.BROKEN

    def eof(self) -> Ending:
        """There is no telling."""
        return Ending.BROKEN


class _Part(Enum):
    SIZE = auto()
    DATA = auto()
    AFTER = auto()
    TRAILER = auto()


class ChunkedBody:
    """In chunks (RFC 9112, 7.1); extensions and trailers are skipped."""

    __slots__ = ("_left", "_line", "_overhead", "_part")

    def __init__(self) -> None:
        self._part = _Part.SIZE
        self._left = 0
        self._line = b""
        self._overhead = 0

    def feed(self, data: bytes, excerpt: Excerpt) -> Ending | None:
        """Take chunks apart, wherever the bytes were cut."""
        at = 0
        while at < len(data):
            if self._part is _Part.DATA:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                if excerpt.add(piece):
                    return Ending.TOO_LONG
                self._part = _Part.DATA if self._left else _Part.AFTER
                continue
            end = data.find(b"\n", at)
            self._line += data[at : end if end >= 0 else None]
            if len(self._line) > _LONGEST_LINE:
                return Ending.BROKEN
            if end < 0:
                return None
            at = end + 1
            line, self._line = self._line, b""
            ending = self._read(line.rstrip(b"\r"))
            if ending is not None:
                return Ending.EXCESS if ending is Ending.WHOLE and at < len(data) else ending
        return None

    def _read(self, line: bytes) -> Ending | None:
        """Take a line that is no data."""
        self._overhead += len(line)
        if self._overhead > MOST_OF_AN_ANSWER:
            return Ending.TOO_LONG
        match self._part:
            case _Part.TRAILER:
                return None if line else Ending.WHOLE
            case _Part.AFTER:
                self._part = _Part.SIZE
                return Ending.BROKEN if line else None
            case _:
                size = line.partition(b";")[0].strip()
                if not _SIZE.fullmatch(size):
                    return Ending.BROKEN
                self._left = int(size, 16)
                self._part = _Part.DATA if self._left else _Part.TRAILER
                return None

    def eof(self) -> Ending:
        """The last chunk is missing."""
        return Ending.SHORT
