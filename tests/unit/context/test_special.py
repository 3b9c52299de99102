"""Special address ranges."""

import ipaddress

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.context.special import Special, embedded_ipv4, is_ipv4, prefix_halves, special_bits


def halves(*texts):
    """Write addresses as two columns."""
    values = [ipaddress.ip_address(text) for text in texts]
    whole = [int(value) | (0xFFFF << 32 if value.version == 4 else 0) for value in values]
    return np.array([w >> 64 for w in whole], np.uint64), np.array([w & (2**64 - 1) for w in whole], np.uint64)


def bits(text):
    """Look one address up."""
    return Special(int(special_bits(*halves(text))[0]))


def test_ranges_carry_their_names():
    """Each range of the registries sets its own bit, and BOGON when nothing public can live there."""
    expected = {
        "8.8.8.8": Special(0),
        "10.1.2.3": Special.PRIVATE | Special.BOGON,
        "100.64.0.1": Special.CGNAT | Special.BOGON,
        "127.0.0.1": Special.LOOPBACK | Special.BOGON,
        "169.254.9.9": Special.LINK_LOCAL | Special.BOGON,
        "172.31.255.255": Special.PRIVATE | Special.BOGON,
        "172.32.0.0": Special(0),
        "198.18.0.9": Special.BENCHMARK | Special.BOGON,
        "203.0.113.7": Special.DOCUMENTATION | Special.BOGON,
        "224.0.0.1": Special.MULTICAST | Special.BOGON,
        "255.255.255.255": Special.RESERVED | Special.BROADCAST | Special.BOGON,
        "0.0.0.0": Special.THIS_NETWORK | Special.UNSPECIFIED | Special.BOGON,
        "2606:4700::1": Special(0),
        "::": Special.UNSPECIFIED | Special.BOGON,
        "::1": Special.LOOPBACK | Special.BOGON,
        "2001::1": Special.TEREDO,
        "2001:db8::1": Special.DOCUMENTATION | Special.BOGON,
        "64:ff9b::808:808": Special.NAT64,
        "d0::11": Special.RESERVED | Special.BOGON,
        "fd00::1": Special.PRIVATE | Special.BOGON,
        "fe80::1": Special.LINK_LOCAL | Special.BOGON,
        "ff02::1": Special.MULTICAST | Special.BOGON,
        "5f00::1": Special.RESERVED | Special.BOGON,
    }
    assert expected == {text: bits(text) for text in expected}


def test_six_to_four_inherits_the_address_inside():
    """A 6to4 address is as bogus as the IPv4 address it holds (RFC 3056 section 2)."""
    assert Special.BOGON in bits("2002:a00:1::1")
    assert Special.BOGON not in bits("2002:808:808::1")


def test_embedded_addresses_are_found():
    """6to4 and NAT64 give up their IPv4 address, others give none."""
    high, low = halves("2002:808:808::1", "64:ff9b::a00:1", "2606:4700::1")
    expected = [0xFFFF_0808_0808, 0xFFFF_0A00_0001, 0]
    assert expected == embedded_ipv4(high, low).tolist()


def test_nothing_in_nothing_out():
    """Empty columns give empty columns."""
    empty = np.empty(0, np.uint64)
    assert len(special_bits(empty, empty)) == 0


@given(st.integers(0, 2**32 - 1))
def test_ipv4_agrees_with_the_standard_library(number):
    """Whatever Python calls private, multicast or reserved is a bogon here, save the few global exceptions."""
    address = ipaddress.IPv4Address(number)
    high, low = np.zeros(1, np.uint64), np.array([0xFFFF << 32 | number], np.uint64)
    ours = bool(special_bits(high, low)[0] & np.uint16(Special.BOGON))
    in_protocol_block = address in ipaddress.ip_network("192.0.0.0/24")
    assert is_ipv4(high, low)[0]
    shared = address in ipaddress.ip_network("100.64.0.0/10")
    theirs = address.is_private or address.is_multicast or address.is_reserved or shared
    assert ours == theirs or in_protocol_block


def test_prefixes_become_masks():
    """IPv4 prefixes are mapped, IPv6 ones kept."""
    assert prefix_halves("10.0.0.0/8") == (0, 0xFFFF << 32 | 10 << 24, 2**64 - 1, 2**64 - 2**24)
    assert prefix_halves("10.1.2.3") == prefix_halves("10.1.2.3/32") == prefix_halves("::ffff:10.1.2.3")
    assert prefix_halves("2001::/32") == (0x2001 << 48, 0, 0xFFFFFFFF << 32, 0)
