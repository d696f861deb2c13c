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
        return f"{local}{at}{domain.rstrip('.')}".lower()
    return f"{_local(local)}{at}{_domain(domain)}"


def readable(box: str) -> str:
    """Return a mailbox as people write it: its domain in letters instead of A-labels.

    Args:
        box: as ``mailbox`` returns it.
    """
    local, at, domain = box.rpartition("@")
    return f"{local}{at}{'.'.join(_letters(label) for label in domain.split('.'))}"


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
    labels = text.translate(_DOTS).split(".")
    mapped = ".".join(map(_mapped, labels)).rstrip(".")  # a few letters are mapped to a full stop
    return ".".join(map(_a_label, mapped.split(".")))


def _mapped(label: str) -> str:
    """Map a label as UTS 46 does, also what the rules of today do not register: it exists."""
    try:
        return idna.uts46_remap(label, std3_rules=False, transitional=False)
    except (idna.IDNAError, IndexError):
        return normalize("NFC", label).lower()


def _a_label(label: str) -> str:
    ascii_ = label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
    return ascii_.lower()


def _letters(label: str) -> str:
    """Return the U-label of an A-label, if that is what makes this A-label."""
    if not label.startswith("xn--"):
        return label
    try:
        letters = label.removeprefix("xn--").encode().decode("punycode")
        return letters if _domain(letters) == label else label
    except (UnicodeError, ValueError, OverflowError):
        return label
