"""Who is who: one mailbox, however its address is spelled (CONTRACT section 4).

Two addresses are one mailbox if their local parts are equal in Unicode NFC after lower-casing
letter by letter, and their domains are equal as IDNA A-labels. What search engines do, full case
folding, makes strangers one person: ``straße`` is not ``strasse``, and the Kelvin sign is no ``k``.
"""

from functools import lru_cache
from itertools import groupby
from unicodedata import normalize

import idna

_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")  # IDNA reads each of these as a full stop


@lru_cache(maxsize=4096)
def mailbox(address: str) -> str:
    """Return the one form of an address in which it is compared, hashed and looked up.

    Every text has one: what is no address stays apart from every address by its missing ``@``.

    Args:
        address: as anybody wrote it.
    """
    local, at, domain = address.rpartition("@")
    if address.isascii() and "xn--" not in domain:  # the form of nearly all, and a short way to it
        return f"{local}{at}{domain.removesuffix('.')}".lower()
    return f"{_local(local)}{at}{_domain(domain)}"


def _local(text: str) -> str:
    """Compose, lower letter by letter, compose what that made.

    A few characters are canonically an ASCII one (the Kelvin sign ``K``, the Greek question mark
    ``;``): composing would make a stranger of them, so they stand between what is composed.
    """
    runs = groupby(text, key=_turns_ascii)
    return "".join("".join(run) if turns else _lowered("".join(run)) for turns, run in runs)


def _turns_ascii(char: str) -> bool:
    return not char.isascii() and normalize("NFC", char).isascii()


def _lowered(text: str) -> str:
    composed = normalize("NFC", text)
    return normalize("NFC", "".join(_lower(char) for char in composed))


def _lower(char: str) -> str:
    low = char.lower()
    return low if char.isascii() or not any(one.isascii() for one in low) else char


def _domain(text: str) -> str:
    name = text.translate(_DOTS).removesuffix(".")
    return ".".join(_label(label) for label in name.split("."))


def _label(text: str) -> str:
    """Return the A-label, also of what the rules of today do not register (``☕``): it exists."""
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
    except (idna.IDNAError, IndexError):
        mapped = normalize("NFC", text).lower()
    if mapped.isascii():
        return mapped.lower()
    return f"xn--{mapped.encode('punycode').decode()}".lower()
