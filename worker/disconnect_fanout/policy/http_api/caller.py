"""Which key a caller has shown, by the headers alone."""

from collections.abc import Sequence

_BEARER = "bearer "
_PUBLISHABLE = "pk_"
_LONGEST = 512


def shown_to_v1(authorization: Sequence[str], x_api_key: Sequence[str]) -> str | None:
    """Return a platform's key: in either header, or the same one in both. Publishable ones not."""
    tokens = {_bearer(one) for one in authorization} | {one.strip() for one in x_api_key}
    key = _the_one(tokens)
    return None if key is None or key.startswith(_PUBLISHABLE) else key


def shown_to_v2(authorization: Sequence[str]) -> str | None:
    """Return a user's key or token; here no other header counts."""
    return _the_one({_bearer(one) for one in authorization})


def _the_one(tokens: set[str]) -> str | None:
    """Two different ones are as good as none: nobody guesses which was meant."""
    if len(tokens) != 1:
        return None
    (token,) = tokens
    return token if 0 < len(token) <= _LONGEST and token.isascii() else None


def _bearer(header: str) -> str:
    scheme, token = header[: len(_BEARER)], header[len(_BEARER) :].strip()
    return token if scheme.lower() == _BEARER else ""
