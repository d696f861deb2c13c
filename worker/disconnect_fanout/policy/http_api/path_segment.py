"""One segment of a path, percent-decoded exactly once; a plus sign stays one (RFC 3986)."""

import re
from urllib.parse import unquote_to_bytes

_ENCODED = re.compile(r"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*")  # a % only before two digits
LONGEST = 2048


def decoded(segment: str) -> str | None:
    """Return the text of a raw segment, or None if it is not well encoded UTF-8, or too long."""
    if len(segment) > LONGEST or not _ENCODED.fullmatch(segment):
        return None
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None
