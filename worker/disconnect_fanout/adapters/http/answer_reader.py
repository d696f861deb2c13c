"""Reads one answer from bytes. It does no I/O: it is fed, and says when it has heard enough.

What a platform wants to say is in the head, and it has acted on the webhook by the time it says
it. So the head decides as soon as its empty line is read; what goes wrong behind it is a remark
for the operator, and a reason not to use the connection again, never another outcome.
"""

from disconnect_fanout.adapters.http.answer_body import Ending, Excerpt
from disconnect_fanout.adapters.http.answer_head import HEAD_END, Head, read_head

MOST_OF_A_HEAD = 64 * 1024
_REMARKS = {
    Ending.SHORT: "the rest of its answer was cut short",
    Ending.BROKEN: "the rest of its answer is not well formed",
    Ending.LATE: "the rest of its answer did not come in time",
}
_NO_HTTP = "what came back is no HTTP answer"
_TOO_LONG = f"the head of its answer is longer than {MOST_OF_A_HEAD // 1024} KiB"


class AnswerReader:
    """Takes the bytes that follow one request.

    Attributes:
        began: any byte came.
        head: of the answer, once it was read; interim ones are skipped.
        failure: in plain words, why no head can be read any more.
        ending: how the answer ended, once it did.
    """

    __slots__ = ("_excerpt", "_held", "_interim", "began", "ending", "failure", "head")

    def __init__(self) -> None:
        self.began = False
        self.head: Head | None = None
        self.failure: str | None = None
        self.ending: Ending | None = None
        self._held = bytearray()
        self._interim = 0
        self._excerpt = Excerpt()

    @property
    def heard(self) -> bool:
        """The head was read, or can't be."""
        return self.head is not None or self.failure is not None

    @property
    def over(self) -> bool:
        """There is nothing more to read."""
        return self.ending is not None or self.failure is not None

    @property
    def reusable(self) -> bool:
        """A whole, clean 2xx, and not a byte more: only then is the connection worth keeping.

        A gateway's 504 may be followed by the answer that it did not wait for, an idle 408 says
        that the connection ends.
        """
        head = self.head
        if head is None or self.ending is not Ending.WHOLE:
            return False
        return head.keeps_alive and 200 <= head.status < 300  # noqa: PLR2004

    @property
    def remark(self) -> str | None:
        """What was wrong behind the head, in plain words."""
        return None if self.ending is None else _REMARKS.get(self.ending)

    def excerpt(self) -> str:
        """Return the first 1 KiB of the body."""
        return self._excerpt.text()

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.began = True
        if self.over:
            self.ending = Ending.EXCESS if self.ending is Ending.WHOLE else self.ending
        elif self.head is not None:
            self._follow(self.head, data)
        else:
            self._seek(data)

    def eof(self) -> None:
        """The platform says no more."""
        if self.head is not None and self.ending is None:
            self.ending = self.head.body.eof() if self.head.body else Ending.WHOLE

    def cut(self, how: Ending) -> None:
        """The rest can't be read."""
        if self.head is not None and self.ending is None:
            self.ending = how

    def _seek(self, data: bytes) -> None:
        held = self._held
        searched = max(0, len(held) - 3)  # an empty line is at most four bytes
        held += data if held else data.lstrip(b"\r\n")
        head: Head | None = None
        while (end := HEAD_END.search(held, searched)) is not None:
            size, searched = end.end(), 0
            head = read_head(bytes(held[: end.start()])) if size <= MOST_OF_A_HEAD else None
            if head is None or not head.interim:
                break
            self._interim += size
            held = held[size:].lstrip(b"\r\n")
        self._held = held
        if end is None:
            self._expect()
        elif head is None:
            self.failure = _TOO_LONG if end.end() > MOST_OF_A_HEAD else _NO_HTTP
        else:
            self.head, self._held = head, bytearray()
            self._follow(head, bytes(held[end.end() :]))

    def _expect(self) -> None:
        """Give up on what can't become a head."""
        if not b"HTTP/".startswith(bytes(self._held[:5]).upper()):
            self.failure = _NO_HTTP
        elif max(len(self._held), self._interim) > MOST_OF_A_HEAD:
            self.failure = _TOO_LONG

    def _follow(self, head: Head, data: bytes) -> None:
        if head.body is None:
            self.ending = Ending.EXCESS if data else Ending.WHOLE
        elif data:
            self.ending = head.body.feed(data, self._excerpt)
