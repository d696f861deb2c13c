"""The text of a message: UTF-8, or a word for what was sent instead.

What can be distinguished from JSON by its first bytes is called by its name, so that its publisher
learns which switch to turn: a byte-order mark, another encoding of Unicode, a compression.
"""

from disconnect_fanout.adapters.broker.amqp1_body import unwrapped
from disconnect_fanout.adapters.broker.unreadable import Unreadable

# Longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = {
    b"\xef\xbb\xbf": "UTF-8",
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x78\x01": "deflate",
    b"\x78\x5e": "deflate",
    b"\x78\x9c": "deflate",
    b"\x78\xda": "deflate",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xff\x06\x00\x00sNaPpY": "snappy",
    b"PK\x03\x04": "zip",
}
# As publishers label them; "utf-8" and "identity" are no compression, and what nobody knows is
# judged by the bytes.
_LABELS = {
    "gzip": "gzip", "x-gzip": "gzip", "gz": "gzip",
    "deflate": "deflate", "zlib": "deflate",
    "br": "brotli", "brotli": "brotli",
    "zstd": "zstd", "x-zstd": "zstd", "zstandard": "zstd",
    "compress": "compress", "x-compress": "compress",
    "bzip2": "bzip2", "x-bzip2": "bzip2", "bz2": "bzip2", "x-bz2": "bzip2",
    "xz": "xz", "lzma": "xz", "lz4": "lz4", "snappy": "snappy", "x-snappy": "snappy", "zip": "zip",
}  # fmt: skip


def text_of(body: bytes, content_encoding: str | None = None) -> str | Unreadable:
    """Return the text.

    Args:
        body: as it came from the broker.
        content_encoding: the message's property.
    """
    content = unwrapped(body)
    if isinstance(content, Unreadable):
        return content
    if (name := _labelled(content_encoding) or _starting(content, _MAGIC)) is not None:
        return Unreadable(f"is compressed ({name}); publish it uncompressed")
    if (name := _starting(content, _MARKS)) is not None:
        return Unreadable(f"starts with a byte-order mark ({name}); publish UTF-8 without one")
    if (name := _other_unicode(content)) is not None:
        return Unreadable(f"is {name}; publish it as UTF-8")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        return Unreadable(f"is not valid JSON (byte {error.start + 1} is not UTF-8)")


def _labelled(content_encoding: str | None) -> str | None:
    if content_encoding:
        for one in content_encoding.lower().split(","):
            if (name := _LABELS.get(one.strip().removeprefix("application/"))) is not None:
                return name
    return None


def _starting(content: bytes, names: dict[bytes, str]) -> str | None:
    if content.startswith(b"{"):  # as nearly all do, and none of these
        return None
    return next((name for start, name in names.items() if content.startswith(start)), None)


def _other_unicode(content: bytes) -> str | None:
    """Tell by the zeros around the first character, which is ASCII in every JSON (RFC 4627, 3)."""
    if 0 not in content[:2]:
        return None
    return "UTF-32" if content[:4].count(0) == 3 else "UTF-16"  # noqa: PLR2004 - of four bytes
