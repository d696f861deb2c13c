"""Which text is one e-mail address: a shape, written as one pattern that the schemas publish.

It refuses what is no address (a name or brackets around it, a list, a link, a comma left over) and
nothing that may exist, because a refused event is a user of whom nobody is told: two dots in a row
(``a..b@docomo.ne.jp``), an emoji or an underscore in a domain, a bare host, a name of special use,
a local part of more than 64 characters. Whether mail arrives there is not asked.
"""

import re
from unicodedata import normalize

LONGEST_ADDRESS = 320  # RFC 5321: 64 for the local part, the @, 255 for the domain

_DOTS = ".\u3002\uff0e\uff61"  # IDNA reads each of these as a full stop
_QUOTES = "\u00ab\u00bb\u201c-\u201f\u2039\u203a\u2329\u232a\u3008-\u3011\u3014-\u301b"
_NOT_IN_LOCAL = f'"(),:;<>@\\[\\]\\\\{_QUOTES}'
_NOT_IN_DOMAIN = f"\x00-,/:-@\\[-\\^`{{-\x7f{_DOTS}{_QUOTES}\u2018\u2019\u3001"

_LOCAL = f'(?:[^.{_NOT_IN_LOCAL}][^{_NOT_IN_LOCAL}]*|"[^"@]+")'
_LABEL = f"[^{_NOT_IN_DOMAIN}-](?:[^{_NOT_IN_DOMAIN}]*[^{_NOT_IN_DOMAIN}-])?"
_DOMAIN = f"{_LABEL}(?:[{_DOTS}]{_LABEL})*[{_DOTS}]?"
_LITERAL = "\\[(?:[0-9.]+|[Ii][Pp][Vv]6:[0-9A-Fa-f:.]+)\\]"

ADDRESS = f"^{_LOCAL}@(?:{_DOMAIN}|{_LITERAL})$"
"""A class of characters is all that an escape is used for, so that every dialect reads it alike."""

_ADDRESS = re.compile(ADDRESS)
_MAPPED_DOMAIN = re.compile(_DOMAIN)
_IGNORED_BY_IDNA = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef]"
)


def is_address(text: str) -> bool:
    """Tell whether the text is one address, and nothing around it."""
    if not _ADDRESS.fullmatch(text):
        return False
    return text.isascii() or bool(_MAPPED_DOMAIN.fullmatch(_mapped(text)) or text[-1] == "]")


def compared_length(address: str) -> int:
    """Return how long the address is where it is compared: composed, its domain in ASCII."""
    if address.isascii():
        return len(address)
    local = normalize("NFC", address.rpartition("@")[0])
    labels = re.split(f"[{_DOTS}]", _mapped(address))
    return len(local) + sum(1 + _ascii_length(label) for label in labels)


def _mapped(address: str) -> str:
    """Return the domain as IDNA maps it: some characters stand for several, or for a comma."""
    return _IGNORED_BY_IDNA.sub("", normalize("NFKC", address.rpartition("@")[2])).lower()


def _ascii_length(label: str) -> int:
    return len(label) if label.isascii() else len(f"xn--{label.encode('punycode').decode()}")
