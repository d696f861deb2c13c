"""Which addresses may be reached."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.address import permitted

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "192.0.1.0",
    "192.88.98.255",
    "192.88.100.0",
    "168.63.129.15",
    "168.63.129.17",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
]
PRIVATE = [
    # this host, private, loopback
    "0.0.0.0",  # noqa: S104 - nothing binds here
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    # carrier-grade NAT; Alibaba's metadata service lives there
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    # link-local; the metadata service of AWS, Google and Azure
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    # other addresses that clouds answer on
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    # protocol assignments, documentation, benchmarks, 6to4 relay
    "192.0.0.0",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.0",
    "192.88.99.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    # multicast, reserved, broadcast
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    # IPv6: this host, unique-local, link-local (with a zone too), site-local, multicast
    "::",
    "::1",
    "fc00::1",
    "fdff::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
    # IPv4 in disguise: mapped, compatible, translated, NAT64, 6to4, Teredo
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:224.0.0.1",
    "::ffff:168.63.129.16",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "2002::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:1::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    # documentation, discard, segment routing, never given out
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "4000::1",
    "5f00::1",
    "1fff::1",
    "e000::1",
]


def test_public_addresses_may_be_reached() -> None:
    """Public addresses, the direct neighbours of forbidden blocks among them, are permitted."""
    assert [text for text in PUBLIC if not permitted(ip_address(text), ())] == []


def test_everything_else_may_not() -> None:
    """First and last address of each block, and each disguise that we know, are refused."""
    assert [text for text in PRIVATE if permitted(ip_address(text), ())] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.255.255", True),
        ("::ffff:127.0.0.1", True),
        ("::1", True),
        ("::2", False),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("8.8.8.8", True),
        ("64:ff9b::127.0.0.1", False),
    ],
)
def test_an_operator_may_allow_networks_by_name(text: str, *, expected: bool) -> None:
    """What is allowed by name is permitted, a mapped address as the address it is; nothing else."""
    assert permitted(ip_address(text), LOOPBACK) is expected


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_what_it_is(address: IPv4Address) -> None:
    """::ffff:a.b.c.d leads to a.b.c.d, so both get the same answer, allowed by name or not."""
    mapped = IPv6Address(b"\x00" * 10 + b"\xff\xff" + address.packed)
    assert permitted(mapped, ()) is permitted(address, ())
    assert permitted(mapped, LOOPBACK) is permitted(address, LOOPBACK)


@given(st.ip_addresses(v=6))
def test_no_ipv6_outside_global_unicast_is_public(address: IPv6Address) -> None:
    """Whatever is neither in 2000::/3 nor a mapped IPv4 address is refused."""
    if address.ipv4_mapped is None and address.packed[0] >> 5 != 1:
        assert not permitted(address, ())
