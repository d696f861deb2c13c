"""Which URLs may be registered: nothing that a parser and a socket could read differently."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

_LONGEST_URL = 2048
_LONGEST_HOST = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_BRACKETED = re.compile(r"\[[0-9a-f:.]+\](:[0-9]*)?", re.IGNORECASE)
_BRACKETS = re.compile(r"//[^/?#]*\[[^/?#]*\]")
_MORE_THAN_BRACKETS = "names an address in brackets with more around it, or with a zone"
_NUMERIC = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)


def endpoint_problem(url: str, *, allow_http: bool) -> str | None:
    """Return what is wrong with a webhook URL in plain words, or None if it may be registered."""
    if len(url) > _LONGEST_URL:
        return f"is longer than {_LONGEST_URL} characters"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "holds a space, a backslash, a control or a non-ASCII character; percent-encode it"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Some Pythons already refuse to split what others split and we refuse below.
        return _MORE_THAN_BRACKETS if _BRACKETS.search(url) else "can't be parsed"
    if port == 0:
        return "has port 0"
    return _scheme_problem(parts, allow_http=allow_http) or _host_problem(parts)


def is_numeric(host: str) -> bool:
    """Tell whether a host is some form of an IPv4 address: names don't end in a number."""
    return _NUMERIC.fullmatch(host.rstrip(".").rsplit(".", 1)[-1]) is not None


def _scheme_problem(parts: SplitResult, *, allow_http: bool) -> str | None:
    if parts.scheme == "https" or (parts.scheme == "http" and allow_http):
        return None
    if parts.scheme == "http":
        return "is not https (FANOUT_ALLOW_HTTP=true permits http, for tests only)"
    return "is not an https URL"


def _host_problem(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "holds a user name or password; use a signing secret instead"
    if parts.fragment:
        return "holds a fragment (#…), which is never sent"
    return _name_problem(parts.netloc, parts.hostname or "")


def _name_problem(netloc: str, host: str) -> str | None:
    if not host or len(host) > _LONGEST_HOST:
        return "names no host" if not host else "names a host that is too long"
    if "[" in netloc:
        return _bracket_problem(netloc, host)
    if is_numeric(host):
        return _literal_problem(IPv4Address, host)
    if not all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split(".")):
        return "names a host that is no valid host name"
    return None


def _bracket_problem(netloc: str, host: str) -> str | None:
    if not _BRACKETED.fullmatch(netloc):  # urlsplit reads [::1]evil as ::1
        return _MORE_THAN_BRACKETS
    return _literal_problem(IPv6Address, host)


def _literal_problem(kind: type[IPv4Address | IPv6Address], host: str) -> str | None:
    """Accept only the canonical form: 0x7f.1, 017700000001 and 2130706433 are 127.0.0.1 too."""
    try:
        canonical = str(kind(host))
    except AddressValueError:
        return "names a non-canonical numeric host; write a host name or a plain address"
    return None if canonical == host.lower() else "names an address in a non-canonical form"
