"""IPv6 addresses that carry an IPv4 address, to which something on the way may lead."""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TypeAlias

_Read: TypeAlias = Callable[[bytes], Sequence[bytes]]


def _last(packed: bytes) -> Sequence[bytes]:
    return (packed[12:],)


def _after_prefix(packed: bytes) -> Sequence[bytes]:
    return (packed[2:6],)


def _own_nat64(packed: bytes, least_length: int = 0) -> Sequence[bytes]:
    """Read it as every length of prefix that a translator may have (RFC 6052, section 2.2).

    Which one it has is not in the address; an operator who allows its prefix says how short it is
    at least. A reading in 0.0.0.0/8 is no destination: so looks one with a wrong length.
    """
    octets = packed[:8] + packed[9:]  # bits 64 to 71 are left out
    readings = {48: octets[6:10], 56: octets[7:11], 64: octets[8:12], 96: packed[12:]}
    fitting = [one for length, one in readings.items() if length >= min(least_length, 96)]
    return [one for one in fitting if one[0]] or [packed[12:]]


def _teredo(packed: bytes) -> Sequence[bytes]:
    """The server, and the client's, which is written inverted (RFC 4380, section 4)."""
    return (packed[4:8], bytes(octet ^ 0xFF for octet in packed[12:]))


_OWN_NAT64 = IPv6Network("64:ff9b:1::/48")  # of one's own network (RFC 8215)
TRANSLATED: tuple[tuple[IPv6Network, _Read], ...] = (
    (IPv6Network("::ffff:0:0/96"), _last),  # IPv4-mapped
    (IPv6Network("64:ff9b::/96"), _last),  # NAT64 (RFC 6052)
    (_OWN_NAT64, _own_nat64),
    (IPv6Network("2002::/16"), _after_prefix),  # 6to4
)
"""Addresses that are nothing but another way to write the one that they carry."""

_ALSO_CARRIED: tuple[tuple[IPv6Network, _Read], ...] = (
    (IPv6Network("::/96"), _last),  # IPv4-compatible
    (IPv6Network("::ffff:0:0:0/96"), _last),  # IPv4-translated (RFC 2765)
    (IPv6Network("2001::/32"), _teredo),
)
_NONE = (IPv6Address("::"), IPv6Address("::1"))  # in ::/96, but addresses of their own
_ISATAP = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")  # in any network (RFC 5214, section 6.1)


def is_translated(address: IPv6Address) -> bool:
    """Tell whether an address is but another way to write the one that it carries."""
    return any(address in network for network, _ in TRANSLATED)


def carried(address: IPv6Address, allowed_length: int = 0) -> tuple[IPv4Address, ...]:
    """Return all IPv4 addresses that something on the way may take an address for.

    Args:
        address: any.
        allowed_length: of the longest prefix of it that an operator allows by name.
    """
    if address in _NONE:
        return ()
    if address in _OWN_NAT64:
        return tuple(map(IPv4Address, _own_nat64(address.packed, allowed_length)))
    found = [
        reading
        for network, read in (*TRANSLATED, *_ALSO_CARRIED)
        if address in network
        for reading in read(address.packed)
    ]
    if address.packed[8:12] in _ISATAP:
        found.append(address.packed[12:])
    return tuple(map(IPv4Address, found))
