"""A proxy in the environment: webhooks do not go through it.

A proxy resolves names itself, so behind one nobody knows which address a webhook goes to: the
check that keeps them away from this network would check nothing.
"""

from collections.abc import Mapping

_NAMES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SOCKS_PROXY"})
MEANING = (
    "webhooks do not go through a proxy, but directly to each platform's address; this machine, or "
    "the gateway that it is routed through, must reach them (port 443, as a rule)"
)


def ignored_proxies(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that name a proxy, as they are written; their values are secrets.

    ``NO_PROXY`` names none, and an empty variable switches one off.
    """
    return sorted(name for name, url in environment.items() if name.upper() in _NAMES and url)


def proxy_warning(environment: Mapping[str, str]) -> str | None:
    """Return what a person should know, None without a proxy."""
    names = ignored_proxies(environment)
    if not names:
        return None
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not used: {MEANING}"
