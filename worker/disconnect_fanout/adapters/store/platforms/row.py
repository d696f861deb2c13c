"""What may be wrong with a platform's row: written past the command, or by a newer version."""

import math
import ssl
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from disconnect_fanout.domain.platform import Scheme

_LIMITS = ("timeout_s", "max_in_flight")  # 0 stands for the worker's own, as NULL does


def platform_flaw(row: Any) -> str | None:  # noqa: ANN401 - a row of ``platforms``
    """Return what makes a row unusable: the column, and what is wrong, in plain words.

    A secret that does not open is none of it: a key may only be missing here.
    """
    if row.scheme not in set(Scheme):
        return "scheme: this version knows no such one"
    for column in _LIMITS:
        if getattr(row, column) != 0 and not _positive(getattr(row, column)):
            return f"{column}: is no positive number"
    if not _positive(row.rate_per_s):
        return "rate_per_s: is no positive number"
    if not isinstance(row.revision, int):
        return "revision: is no whole number"
    return _url_flaw(str(row.url)) or _authority_flaw(row.authority)


def _positive(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _url_flaw(url: str) -> str | None:
    """What may be registered is judged by the command; here only whether it leads anywhere."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url
        parts.port  # noqa: B018 - raises for one that is none
    except ValueError:
        named = False
    return None if named else "url: leads nowhere"


@lru_cache(maxsize=1024)  # asked every second, for all platforms
def _authority_flaw(pem: str | None) -> str | None:
    if pem is None:
        return None
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError):
        return "authority: holds no certificate in PEM"
    return None if pem.strip() else "authority: is empty"
