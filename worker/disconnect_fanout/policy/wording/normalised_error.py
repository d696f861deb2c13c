"""What a failure has in common with others like it: its words without what differs each time."""

import re

LONGEST = 120
_NO_WORDS = "no answer"
_GONE = "…"

# Each is what one occurrence has and the next one has not: addresses, names in quotes, numbers.
_DIFFERS = re.compile(
    r"""
      \b[a-z][a-z0-9+.-]*://\S+           # a URL
    | \S+(?:@|%40|\uff20|\ufe6b)\S+       # an e-mail address, escaped or wide
    | '[^']*' | "[^"]*"                   # whatever is quoted
    | \[?(?:[0-9a-f]{0,4}:){2,}[0-9a-f.:]*\]?(?::\d+)?  # IPv6
    | \b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?  # IPv4
    | \b(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?\b  # a host name
    | \b0x[0-9a-f]+\b | \b(?=[a-f]*\d)[0-9a-f]{8,}\b  # pointers, hashes
    | -?\d+(?:[.,]\d+)*\s*(?:(?:ms|s|m|h|d|bytes|%)(?!\w))?  # a number and its unit
    """,
    re.IGNORECASE | re.VERBOSE,
)
_REPEATED = re.compile(r"…(?:[\s,:;()\[\]-]*…)+")


def normalised_error(status: int | None, words: str) -> str:
    """Return what failures are grouped by.

    Args:
        status: of the answer; its class says enough.
        words: for why there was no answer.
    """
    if status is not None:
        return f"{status // 100}xx"
    text = _REPEATED.sub(_GONE, _DIFFERS.sub(_GONE, words))
    return " ".join(text.split()).strip(" .,:;")[:LONGEST] or _NO_WORDS
