"""What older versions made of an address: they folded its case in full, and kept only that.

Their rows must be found until the last of them is gone (decision 0015). ``casefold`` loses letters
(``ß``, ``ς``, the Kelvin sign), so what it made may be of several mailboxes.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from unicodedata import normalize

from disconnect_fanout.domain.mailbox import mailbox, readable


@lru_cache(maxsize=4096)
def old_spellings(address: str) -> frozenset[str]:
    """Return the texts of which an older version may have kept the hash: few, and bounded.

    For nearly every address it is one: its mailbox.

    Args:
        address: as anybody wrote it.
    """
    if _plain(address):
        return frozenset({address.lower()})
    return frozenset(one.casefold() for one in (address, *_spellings(mailbox(address))))


@lru_cache(maxsize=4096)
def folds(box: str) -> frozenset[str]:
    """Return the other mailboxes whose name an older version may have given to this one.

    Args:
        box: as ``mailbox`` returns it.
    """
    if _plain(box):
        return frozenset()
    local, at, domain = box.rpartition("@")
    locals_ = (local, local.casefold())
    domains = (domain, readable(box).rpartition("@")[2].casefold())
    written = (f"{one}{at}{other}" for one, other in product(locals_, domains))
    return frozenset(map(mailbox, written)) - {box}


def _plain(address: str) -> bool:
    return address.isascii() and "xn--" not in address.lower() and not address.endswith(".")


def _spellings(box: str) -> Iterator[str]:
    local, at, domain = box.rpartition("@")
    unicode_domain = readable(box).rpartition("@")[2]
    locals_ = {local, normalize("NFD", local)}
    domains = {domain, unicode_domain, normalize("NFD", unicode_domain)}
    for one, other, dot in product(locals_, domains, ("", ".")):
        yield f"{one}{at}{other}{dot}"
