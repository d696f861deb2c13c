"""Which addresses may be reached: public ones, and those that the operator allows by name.

An address that carries another is judged by the one that it carries, also where its own prefix is
allowed: to allow a translator is not to allow what lies behind it. What is allowed by name here,
127.0.0.1 or 10.0.0.1, is somebody else's behind a translator, and open there if both are allowed.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

from disconnect_fanout.policy.endpoints.carried_address import carried, is_translated

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# All of IPv6 that IANA has given out as public. ``is_global`` of Python 3.11 also lets through what
# lies outside (measured): IPv4-compatible ::/96 and IPv4-translated ::ffff:0:0:0/96, which nobody
# uses any more, and site-local fec0::/10.
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# These it lets through as well, or other versions of Python do; each leads somewhere not public.
_DENIED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "2002::/16",  # 6to4, but of a public address
        "2001::/23",  # protocol assignments: Teredo, anycast to the nearest gateway
        "3fff::/20",  # documentation
        "192.0.0.0/24",  # protocol assignments, a metadata service of old among them
        "192.88.99.0/24",  # 6to4 relay
        "168.63.129.16/32",  # Azure's host: a public address that is the machine's own
    )
)


def permitted(address: Address, allowed: Sequence[Network]) -> bool:
    """Tell whether a socket may be opened to this address."""
    by_name = [one for one in allowed if one.version == address.version and address in one]
    if isinstance(address, IPv6Address):
        inner = carried(address, max((one.prefixlen for one in by_name), default=0))
        if not all(permitted(one, allowed) for one in inner):
            return False
        if address.ipv4_mapped is not None or (is_translated(address) and all(map(_public, inner))):
            return True
    return bool(by_name) or _public(address)


def _public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _DENIED if network.version == address.version)
