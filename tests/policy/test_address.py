"""Which addresses may be reached."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.endpoints.address import permitted
from disconnect_fanout.policy.endpoints.carried_address import is_translated

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
    "64:ff9b::8.8.8.8",
    "64:ff9b::808:808",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b:1:808:8:800::",
    "2002:808:808::1",
    "2002:808:808:ffff:ffff:ffff:ffff:ffff",
    "2606:4700::5efe:8.8.8.8",
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
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::168.63.129.16",
    "64:ff9b::192.88.99.1",
    "64:ff9b::255.255.255.255",
    "64:ff9b::",
    # the network's own NAT64, whose prefix may be of 48, 56, 64 or 96 bits
    "64:ff9b:1::1",
    "64:ff9b:1::",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "64:ff9b:1:a9fe:a9:fe00:808:808",
    "64:ff9b:1:ff:00a9:fea9:fe00:0",
    "64:ff9b:1:aa:a9:fea9:fe00:0",
    "64:ff9b:1:aabb:00a9:fea9:fe08:0808",
    "64:ff9b:2::8.8.8.8",
    "2002::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:c0a8:101::c0a8:101",
    # ISATAP, in any network; beside another disguise too
    "2606:4700::5efe:169.254.169.254",
    "2606:4700::200:5efe:10.0.0.1",
    "2002:808:808::5efe:127.0.0.1",
    "fe80::5efe:8.8.8.8",
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
        ("64:ff9b::10.0.0.1", False),
    ],
)
def test_an_operator_may_allow_networks_by_name(text: str, *, expected: bool) -> None:
    """What is allowed by name is permitted, a mapped address as the address it is; nothing else."""
    assert permitted(ip_address(text), LOOPBACK) is expected


PREFIXES = [
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "64:ff9b:1:ffff::/96",
    "2002::/16",
    "::/96",
    "::ffff:0:0:0/96",
    "2001::/32",
    "2606:4700::5efe:0:0/96",
    "::/0",
]
BEHIND = {  # what the operator's translators lead to
    "::ffff:{}": "mapped",
    "64:ff9b::{}": "NAT64",
    "64:ff9b:1::{}": "NAT64 of one's own",
    "64:ff9b:1:ffff::{}": "NAT64 of one's own, further in",
    "::{}": "compatible",
    "::ffff:0:{}": "translated",
    "2606:4700::5efe:{}": "ISATAP",
}
LOCAL = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "168.63.129.16", "224.0.0.1"]


@pytest.mark.parametrize("form", BEHIND, ids=BEHIND.values())
@pytest.mark.parametrize("inner", LOCAL)
def test_to_allow_a_translator_is_not_to_allow_what_lies_behind(form: str, inner: str) -> None:
    """With every such prefix allowed only public ones are open, and those allowed themselves."""
    prefixes = [ip_network(one) for one in PREFIXES]
    address = ip_address(form.format(inner))
    assert not permitted(address, prefixes)
    assert permitted(ip_address(form.format("8.8.8.8")), prefixes)
    assert permitted(address, [*prefixes, ip_network(inner)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2002:a9fe:a9fe::1", False),
        ("2002:808:808::1", True),
        ("2001:0:808:808::f7f7:f7f7", True),
        ("2001:0:a9fe:a9fe::f7f7:f7f7", False),  # Teredo's server
        ("2001:0:808:808::5601:5601", False),  # Teredo's client, 169.254.169.254 inverted
        ("64:ff9b:1:a9fe:a9:fe00::", False),
        ("64:ff9b:1:808:8:800::", True),
        ("64:ff9b:1:ffff::8.8.8.8", True),  # by the allowed /96, not as 255.255.0.0 of a /48
        ("64:ff9b:1:fffe::8.8.8.8", False),
        ("2606:4700::200:5efe:127.0.0.1", False),
        ("fd00::1", True),
        ("fd00::5efe:169.254.169.254", False),
        ("::1", True),
    ],
)
def test_what_an_allowed_prefix_opens(text: str, *, expected: bool) -> None:
    """Wherever in the address the other one stands."""
    allowed = [ip_network(one) for one in (*PREFIXES, "fd00::/8")]
    assert permitted(ip_address(text), allowed) is expected


@pytest.mark.parametrize("text", ["64:ff9b::10.0.0.1", "2002:a00:1::1", "64:ff9b:1::10.0.0.1"])
def test_a_private_network_is_not_that_of_a_translator(text: str) -> None:
    """What is allowed here is another machine there, unless the translator is allowed as well."""
    here = ip_network("10.0.0.0/8")
    assert not permitted(ip_address(text), [here])
    assert permitted(ip_address(text), [here, *(ip_network(one) for one in PREFIXES)])
    assert permitted(ip_address("::ffff:10.0.0.1"), [here])  # the same, written otherwise


CARRIERS = st.sampled_from(
    [
        lambda v4, _: b"\x00" * 10 + b"\xff\xff" + v4,
        lambda v4, _: b"\x00" * 12 + v4,
        lambda v4, _: b"\x00" * 8 + b"\xff\xff\x00\x00" + v4,
        lambda v4, _: bytes.fromhex("0064ff9b0000000000000000") + v4,
        lambda v4, rest: bytes.fromhex("0064ff9b0001") + v4[:2] + b"\x00" + v4[2:] + rest[:5],
        lambda v4, rest: (
            bytes.fromhex("0064ff9b0001") + rest[:1] + v4[:1] + b"\x00" + v4[1:] + rest[:4]
        ),
        lambda v4, rest: bytes.fromhex("0064ff9b0001") + rest[:2] + b"\x00" + v4 + rest[:3],
        lambda v4, rest: bytes.fromhex("0064ff9b0001") + rest[:6] + v4,
        lambda v4, rest: b"\x20\x02" + v4 + rest,
        lambda v4, rest: b"\x20\x01\x00\x00" + v4 + rest[:8],
        lambda v4, rest: b"\x20\x01\x00\x00" + rest[:8] + bytes(one ^ 255 for one in v4),
        lambda v4, rest: rest[:8] + b"\x00\x00\x5e\xfe" + v4,
        lambda v4, rest: rest[:8] + b"\x02\x00\x5e\xfe" + v4,
    ]
)


@given(
    CARRIERS,
    st.ip_addresses(v=4),
    st.binary(min_size=10, max_size=10),
    st.lists(st.sampled_from([ip_network(one) for one in PREFIXES if ":ffff::/" not in one])),
)
def test_no_way_of_carrying_reaches_what_is_forbidden(
    carrier: Callable[[bytes, bytes], bytes], inner: IPv4Address, rest: bytes, allowed: list[Any]
) -> None:
    """A forbidden address is forbidden however it is wrapped, whichever prefixes are allowed.

    Of 0.0.0.0/8, where no translator leads, that is claimed only of prefixes of a known length.
    """
    address = IPv6Address(carrier(inner.packed, rest))
    if address in (IPv6Address("::"), IPv6Address("::1")):
        return
    if address in ip_network("64:ff9b:1::/48") and not inner.packed[0]:
        return
    if not permitted(inner, ()):
        assert not permitted(address, allowed)


@given(st.ip_addresses(v=4))
def test_a_translated_address_is_judged_as_the_one_that_it_carries(inner: IPv4Address) -> None:
    """Public or not, and allowed or not where the translator is allowed, they get one answer."""
    address = ip_address(f"64:ff9b::{inner}")
    assert permitted(address, ()) is permitted(inner, ())
    nat64 = (*LOOPBACK, ip_network("64:ff9b::/96"))
    assert permitted(address, nat64) is permitted(inner, nat64)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_what_it_is(address: IPv4Address) -> None:
    """::ffff:a.b.c.d leads to a.b.c.d, so both get the same answer, allowed by name or not."""
    mapped = IPv6Address(b"\x00" * 10 + b"\xff\xff" + address.packed)
    assert permitted(mapped, ()) is permitted(address, ())
    assert permitted(mapped, LOOPBACK) is permitted(address, LOOPBACK)


@given(st.ip_addresses(v=6))
def test_no_ipv6_outside_global_unicast_is_public(address: IPv6Address) -> None:
    """Whatever is neither in 2000::/3 nor a translated IPv4 address is refused."""
    if not is_translated(address) and address.packed[0] >> 5 != 1:
        assert not permitted(address, ())
