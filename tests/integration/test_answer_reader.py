"""The reader of answers: no I/O, so every way of cutting the bytes can be tried."""

import random
import time

import pytest
from tests.harness.servers.answer_shapes import BODIES, HEADS, ORDER, WHOLE

from disconnect_fanout.adapters.http.answer_body import EXCERPT, MOST_OF_AN_ANSWER, Ending
from disconnect_fanout.adapters.http.answer_reader import MOST_OF_A_HEAD, AnswerReader

SAID = {
    name: b"".join(shape.says)
    for name, shape in (WHOLE | HEADS | BODIES | ORDER).items()
    if sum(map(len, shape.says)) < 2000
}
OK = b"HTTP/1.1 200 OK\r\n"


def read(*pieces: bytes, eof: bool = False) -> AnswerReader:
    """Feed a reader."""
    reader = AnswerReader()
    for piece in pieces:
        reader.feed(piece)
    if eof:
        reader.eof()
    return reader


def heard(reader: AnswerReader) -> tuple[object, ...]:
    """What a reader has heard, but for the excerpt of what is broken."""
    head = reader.head and (reader.head.status, reader.head.retry_after, reader.head.keeps_alive)
    return head, reader.failure, reader.remark, reader.reusable


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_it_does_not_matter_how_the_bytes_are_cut(said: bytes) -> None:
    """As a whole, byte by byte, or in pieces by chance: the same is heard."""
    whole = heard(read(said))
    assert heard(read(*(bytes([one]) for one in said))) == whole
    chance = random.Random(len(said))  # noqa: S311 - to be repeated, not to be secret
    for _ in range(20):
        cuts = sorted(chance.randrange(len(said) + 1) for _ in range(4))
        pieces = [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]
        assert heard(read(*(one for one in pieces if one))) == whole


@pytest.mark.parametrize("cut", range(len(OK) + 20))
def test_a_head_is_heard_exactly_when_its_empty_line_was_read(cut: int) -> None:
    """Not before, and whatever follows can't take it back."""
    said = OK + b"content-length: 9\r\n\r\n"
    reader = read(said[:cut], eof=True)
    assert (reader.head is not None) == (cut >= len(said))


@pytest.mark.parametrize(("size", "heard"), [(MOST_OF_A_HEAD, True), (MOST_OF_A_HEAD + 1, False)])
def test_a_head_of_64_kib_is_the_longest(size: int, heard: bool) -> None:  # noqa: FBT001
    """Its empty line included."""
    said = OK + b"x: " + b"h" * (size - len(OK) - 7) + b"\r\n\r\n"
    assert len(said) == size
    reader = read(said)
    assert (reader.head is not None) is heard
    assert heard or reader.failure == "the head of its answer is longer than 64 KiB"


@pytest.mark.parametrize(
    ("rest", "remark"),
    [
        (b"content-length: 9\r\n\r\nhalf", "the rest of its answer was cut short"),
        (b"transfer-encoding: chunked\r\n\r\n4\r\nhalf", "the rest of its answer was cut short"),
        (b"transfer-encoding: chunked\r\n\r\nno", "the rest of its answer was cut short"),
        (b"transfer-encoding: chunked\r\n\r\nno\r\n", "the rest of its answer is not well formed"),
        (b"content-length: no\r\n\r\nx", "the rest of its answer is not well formed"),
        (b"\r\nall of it", None),
        (b"content-length: 1\r\n\r\nxx", None),
    ],
)
def test_what_is_wrong_behind_the_head_is_a_remark(rest: bytes, remark: str | None) -> None:
    """The operator reads what is true; the status stays."""
    reader = read(OK + rest, eof=True)
    assert reader.head is not None
    assert reader.head.status == 200
    assert reader.remark == remark


def test_the_first_kib_is_kept_and_64_are_read() -> None:
    """Of a body in 1-byte chunks as well, and it costs no more than its length."""
    head = OK + b"transfer-encoding: chunked\r\n\r\n"
    began = time.perf_counter()
    reader = read(head, b"1\r\nx\r\n" * 200_000)
    assert time.perf_counter() - began < 2
    assert reader.ending is Ending.TOO_LONG
    assert reader.excerpt() == "x" * EXCERPT
    assert MOST_OF_AN_ANSWER < 200_000


@pytest.mark.parametrize(
    "hostile",
    [
        OK + b"connection: " + b" " * 60_000 + b"x\r\n\r\n",
        OK + b"retry-after:" + b"\t" * 60_000 + b"\r\n\r\n",
        OK + b"x: a\r\n " * 9_000 + b"\r\n\r\n",
        OK + b"connection: ," + b"," * 60_000 + b"\r\n\r\n",
        OK + b"connection" + b" " * 60_000 + b"\r\n\r\n",
        OK + b"\r\r\r\r\n " * 9_000 + b"\r\n\r\n",
        b"HTTP/" + b"1" * 60_000 + b" 200\r\n\r\n",
    ],
    ids=["spaces", "tabs", "folds", "commas", "no colon", "returns", "digits"],
)
def test_no_head_takes_long(hostile: bytes) -> None:
    """64 KiB are read in milliseconds, also a byte at a time."""
    began = time.perf_counter()
    assert read(hostile).heard
    read(*(bytes([one]) for one in hostile))
    assert time.perf_counter() - began < 2
