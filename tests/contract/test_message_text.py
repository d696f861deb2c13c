"""What is not plain UTF-8 JSON is called by its name, and what merely looks odd is read."""

import bz2
import codecs
import gzip
import lzma
import zlib

import pytest
from tests.harness.worker.disconnect import body, disconnect

from disconnect_fanout.adapters.broker.codec import decode_event
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.rejection import Rejection, RejectReason

CANARY = "canary@example.com"
TEXT = body(disconnect("evt_1", CANARY)).decode()
GOOD = TEXT.encode()


def detail(content: bytes, encoding: str | None = None) -> str:
    """The words with which it is rejected as malformed."""
    found = decode_event(content, "application/json", None, encoding)
    assert isinstance(found, Rejection), found
    assert found.reason is RejectReason.MALFORMED
    assert "canary" not in found.detail
    return found.detail


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (codecs.BOM_UTF8 + GOOD, "UTF-8"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "UTF-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "UTF-32"),
        (codecs.BOM_UTF8, "UTF-8"),
        (codecs.BOM_UTF8 + b"\n" + GOOD, "UTF-8"),
    ],
)
def test_a_byte_order_mark_is_rejected_by_that_name(content: bytes, name: str) -> None:
    """Whatever comes behind it; the words say what to publish instead."""
    words = f"body: starts with a byte-order mark ({name}); publish UTF-8 without one"
    assert detail(content) == words


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_another_unicode_is_rejected_by_its_name(name: str) -> None:
    """Also without a mark: its zeros give it away."""
    assert detail(TEXT.encode(name)) == f"body: is {name[:6].upper()}; publish it as UTF-8"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(GOOD), "gzip"),
        (zlib.compress(GOOD, 1), "deflate"),
        (zlib.compress(GOOD), "deflate"),
        (zlib.compress(GOOD, 9), "deflate"),
        (bz2.compress(GOOD), "bzip2"),
        (lzma.compress(GOOD), "xz"),
        (b"\x28\xb5\x2f\xfd" + GOOD, "zstd"),
        (b"\x04\x22\x4d\x18" + GOOD, "lz4"),
        (b"PK\x03\x04" + GOOD, "zip"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("label", [None, "utf-8", "identity"])
def test_a_compressed_body_is_rejected_by_that_name(
    content: bytes, name: str, label: str | None
) -> None:
    """It tells so itself, whatever the property says."""
    assert detail(content, label) == f"body: is compressed ({name}); publish it uncompressed"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("application/x-gzip", "gzip"),
        ("deflate", "deflate"),
        ("br", "brotli"),
        ("zstd", "zstd"),
        ("identity, br", "brotli"),
    ],
)
@pytest.mark.parametrize("content", [b"\x0b\x02\x80", zlib.compress(GOOD)[2:-4], GOOD])
def test_a_compression_that_is_only_labelled_is_rejected_too(
    label: str, name: str, content: bytes
) -> None:
    """Brotli and raw deflate begin with any byte; the property ``content_encoding`` names them."""
    assert detail(content, label) == f"body: is compressed ({name}); publish it uncompressed"


@pytest.mark.parametrize(
    "label", [None, "", "identity", "utf-8", "UTF-8", "utf8", "binary", "8bit", "application/json"]
)
def test_a_label_that_is_no_compression_does_not_matter(label: str | None) -> None:
    """Some clients write the charset there, some write anything; the bytes are JSON."""
    assert isinstance(decode_event(GOOD, "application/json", None, label), DisconnectEvent)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"id":"\xff canary"}', "body: is not valid JSON (byte 8 is not UTF-8)"),
        (b'{"id":"\xc3"}', "body: is not valid JSON (byte 8 is not UTF-8)"),
        (b'{"id":"\xed\xa0\x80"}', "body: is not valid JSON (byte 8 is not UTF-8)"),
        (b'{"note":"\xc0\xaf"}', "body: is not valid JSON (byte 10 is not UTF-8)"),
        (TEXT.replace("canary", "canarü").encode("latin-1"), "body: is not valid JSON (byte "),
        (b'{"id":"canary', "body: is not valid JSON (line 1, column 7)"),
        (b'{"id":1', "body: is not valid JSON (line 1, column 8 where it ends)"),
        (b"\n{'canary':1}", "body: is not valid JSON (line 2, column 2)"),
        (b"id=canary", "body: is not valid JSON (line 1, column 1)"),
        (b'{"canary\x01":1}', "body: is not valid JSON (line 1, column "),
        (b"", "body: is not valid JSON (line 1, column 1 where it ends)"),
        (b"\x00", "body: is "),
    ],
)
def test_what_is_no_json_is_said_with_its_place(content: bytes, words: str) -> None:
    """A byte, or line and column; never a word of it."""
    assert detail(content).startswith(words)
