"""Whom to believe: a TLS context for this machine's authorities, one for each platform's own."""

import ssl

MOST_PEM = 64 * 1024


class BadAuthority(Exception):
    """What was given is no certificate authority in PEM."""


class Trust:
    """Makes contexts and keeps them: reading the machine's authorities takes milliseconds.

    A platform's own authority stands in the place of the machine's, so that nobody else can vouch.
    """

    def __init__(self) -> None:
        self._default = tls_context()
        self._own: dict[str, ssl.SSLContext] = {}

    def context(self, authority: str | None) -> ssl.SSLContext:
        """Return the context for a platform.

        Raises:
            BadAuthority: the PEM can't be read.
        """
        if authority is None:
            return self._default
        if authority not in self._own:
            self._own[authority] = tls_context(authority)
        return self._own[authority]


def tls_context(authority: str | None = None) -> ssl.SSLContext:
    """Return a context that verifies the peer's certificate and name, with TLS 1.2 at least.

    Raises:
        BadAuthority: the PEM can't be read, holds no certificate, or is too long.
    """
    if authority is not None and len(authority) > MOST_PEM:
        raise BadAuthority(f"is longer than {MOST_PEM} bytes")
    if authority is not None and not authority.strip():
        raise BadAuthority("is empty")
    try:
        context = ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise BadAuthority("holds no certificate in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
