"""Addresses under a key: one to one, prefixes preserved, special blocks where they were."""

from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.context.special import BLOCKS, Special, special_bits
from netinterf.privacy.addresses import map_halves, map_network

KEY, OTHER = b"a key for tests.", b"another key, too"
IN_BLOCKS = [ip_network(prefix) for prefix, _ in BLOCKS] + [ip_network("::ffff:0:0/96")]
MOVED = [ip_network(prefix) for prefix, kind in BLOCKS if kind == Special.DOCUMENTATION or prefix == "192.0.0.0/24"]
STILL = [network for network in IN_BLOCKS if network not in MOVED]


def halves(addresses):
    """Write addresses as halves, IPv4 as mapped into IPv6."""
    whole = [int(one) | (0xFFFF << 32 if one.version == 4 else 0) for one in addresses]
    return np.array([w >> 64 for w in whole], np.uint64), np.array([w & (1 << 64) - 1 for w in whole], np.uint64)


def mapped(*addresses, key=KEY):
    """Map addresses, as objects."""
    high, low = map_halves(key, *halves(addresses))
    whole = [IPv6Address(int(h) << 64 | int(w)) for h, w in zip(high, low, strict=True)]
    return [one.ipv4_mapped if given.version == 4 else one for one, given in zip(whole, addresses, strict=True)]


def slowly(address, key=KEY):
    """Walk down the tree bit by bit, as the scheme is published; addresses inside 6to4 and NAT64 on their own."""
    if address.version == 6 and address.ipv4_mapped:
        return IPv6Address(0xFFFF << 32 | int(slowly(address.ipv4_mapped, key)))
    width, bits = address.max_prefixlen, f"{int(address):0{address.max_prefixlen}b}"
    above = {f"{int(net.network_address):0{width}b}"[:depth] for net in STILL if net.max_prefixlen == width
             for depth in range(net.prefixlen)}  # fmt: skip
    out = ""
    for place in range(width):
        before, inside = bits[: place // 8 * 8], bits[place // 8 * 8 : place]
        octets = int("1" + before, 2).to_bytes(1 + len(before) // 8)[1:]
        digest = blake2b(octets, digest_size=32, key=key, person=f"netinterf.addr{width // 8}".encode()).digest()
        node = int("1" + inside, 2)
        swap = digest[node // 8] >> (7 - node % 8) & 1 and bits[:place] not in above
        out += str(int(bits[place]) ^ int(swap))
    result = type(address)(int(out, 2))
    for block, shift in (("2002::/16", 80), ("64:ff9b::/96", 0)):
        if address.version == 6 and address in ip_network(block):
            inner = int(slowly(IPv4Address(int(address) >> shift & 0xFFFFFFFF), key))
            result = IPv6Address(int(result) & ~(0xFFFFFFFF << shift) | inner << shift)
    return result


def common(one, other):
    """Count the leading bits that two addresses share."""
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length()


inside = st.sampled_from(IN_BLOCKS).flatmap(
    lambda net: st.integers(0, net.num_addresses - 1).map(lambda place: net[place])
)
four = st.integers(0, 2**32 - 1).map(IPv4Address)
six = st.integers(0, 2**128 - 1).map(IPv6Address)
address = st.one_of(four, six, inside)


@given(st.lists(address, max_size=6))
def test_the_fast_mapping_is_the_published_one(addresses):
    """Many at once give what a walk down the tree gives, bit by bit."""
    assert mapped(*addresses) == [slowly(one) for one in addresses]


@given(address, st.integers(0, 128), st.integers(0, 2**128 - 1))
def test_prefixes_are_preserved(one, length, noise):
    """Two addresses share as many leading bits afterwards as before, so different ones stay different."""
    free = one.max_prefixlen - min(length, one.max_prefixlen)
    other = type(one)(int(one) >> free << free | noise & (1 << free) - 1)
    assert common(*mapped(one, other)) == common(one, other)


@given(address)
def test_special_blocks_stay_where_they_are(one):
    """What the registries say of an address, they say of the new one, but for blocks that count as ordinary space."""
    (new,) = mapped(one)
    if not any(one in block or new in block for block in MOVED):
        assert special_bits(*halves([new])) == special_bits(*halves([one]))
    for block in STILL:
        assert (new in block) == (one in block)


def test_every_address_of_a_block_is_used_once():
    """Mapping is one to one: /16 onto /16, and a private one onto itself."""
    for block in (ip_network("192.168.0.0/16"), ip_network("93.184.0.0/16")):
        new = mapped(*block)
        there = map_network(KEY, block)
        assert len(set(new)) == block.num_addresses
        assert all(one in there for one in new)
    assert map_network(KEY, ip_network("192.168.0.0/16")) == ip_network("192.168.0.0/16")


@given(address, st.integers(0, 128))
def test_prefixes_are_mapped_with_what_they_hold(one, length):
    """The new prefix of an address is the prefix of the new address."""
    network = ip_network(f"{one}/{min(length, one.max_prefixlen)}", strict=False)
    new = map_network(KEY, network)
    assert new.prefixlen == network.prefixlen
    assert mapped(one)[0] in new


def test_the_key_decides():
    """The same key maps alike whatever else is mapped with it, another key otherwise."""
    some = [ip_address(f"93.184.{place}.{place}") for place in range(200)]
    assert mapped(*some) == [mapped(one)[0] for one in some]
    differs = [one != other for one, other in zip(mapped(*some), mapped(*some, key=OTHER), strict=True)]
    assert sum(differs) > 190
    assert sum(one != new for one, new in zip(some, mapped(*some), strict=True)) > 190


def test_addresses_inside_addresses_are_mapped_alike():
    """What 6to4 and NAT64 carry is what the IPv4 address is mapped to (RFC 3056, RFC 6052)."""
    plain, tunnelled, translated = mapped(
        ip_address("93.184.216.34"), ip_address("2002:5db8:d822::1"), ip_address("64:ff9b::5db8:d822")
    )
    assert tunnelled.sixtofour == plain
    assert IPv4Address(int(translated) & 0xFFFFFFFF) == plain


def test_no_addresses_give_none():
    """Empty in, empty out."""
    high, low = map_halves(KEY, *halves([]))
    assert (len(high), len(low)) == (0, 0)


def known_bits(one):
    """Count the leading bits that no key changes."""
    above = [net for net in STILL if net.version == one.version]
    return max(min(net.prefixlen, common(one, net.network_address) + 1) for net in above)


@pytest.mark.parametrize("shown", ["8.8.8.8", "93.184.216.34", "203.0.113.77", "2a00:1450:4001::5", "2001:470::1"])
def test_what_is_known_of_an_address_is_what_it_shares_with_special_blocks(shown):
    """Every bit behind the block that it leaves last is changed by about half of all keys, none before by any."""
    one = ip_address(shown)
    news = [mapped(one, key=bytes([number]) * 16)[0] for number in range(64)]
    changed = np.array([[int(bit) for bit in f"{int(new) ^ int(one):0{one.max_prefixlen}b}"] for new in news]).mean(0)
    known = known_bits(one)
    assert changed[:known].max(initial=0) == 0
    assert ((changed[known:] > 0.2) & (changed[known:] < 0.8)).all()


def test_of_most_public_addresses_eight_bits_are_known_at_most():
    """The figures that the manual names."""
    rng = np.random.default_rng(8)
    some = [IPv4Address(int(number)) for number in rng.integers(0, 2**32, 4000)]
    bits = np.array([known_bits(one) for one in some if not special_bits(*halves([one]))[0]])
    assert np.mean(bits <= 8) > 0.965
    assert np.mean(bits <= 16) > 0.999
