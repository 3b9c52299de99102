"""Reserved and bogus address ranges: what an address cannot be, by the registries alone.

The ranges are those of the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, kept current by IANA), of
the IANA IPv6 Address Space registry (only 2000::/3 is global unicast), and, for images of IPv4 inside IPv6, of the
transition mechanisms' own documents. An address is given as two halves; IPv4 lies in its IPv4-mapped form
(RFC 4291 §2.5.5.2).
"""

from enum import IntFlag
from functools import cache
from ipaddress import IPv4Address, ip_network

import numpy as np

from netinterf.arrays import U16, U64, Mask

__all__ = ["BLOCKS", "Special", "embedded_ipv4", "is_ipv4", "prefix_halves", "special_bits"]

MAPPED_HIGH_WORD = np.uint64(0xFFFF)
"""Bits 32-47 of the lower half of an IPv4-mapped address."""

FULL = (1 << 64) - 1


class Special(IntFlag):
    """What the registries say of an address; no bit is set for ordinary global unicast."""

    PRIVATE = 1 << 0  # RFC 1918, unique local RFC 4193, site local RFC 3879
    LOOPBACK = 1 << 1  # RFC 1122 §3.2.1.3, RFC 4291 §2.5.3
    LINK_LOCAL = 1 << 2  # RFC 3927, RFC 4291 §2.5.6
    MULTICAST = 1 << 3  # RFC 5771, RFC 4291 §2.7
    BROADCAST = 1 << 4  # RFC 919 §7
    DOCUMENTATION = 1 << 5  # RFC 5737, RFC 3849, RFC 9637
    CGNAT = 1 << 6  # RFC 6598
    BENCHMARK = 1 << 7  # RFC 2544, RFC 5180; also the usual pool of fake-address proxies
    BOGON = 1 << 8  # not globally reachable: no public service can live there
    TEREDO = 1 << 9  # RFC 4380: an endpoint behind a NAT, never a published service
    SIX_TO_FOUR = 1 << 10  # RFC 3056
    NAT64 = 1 << 11  # RFC 6052 §2.1, RFC 8215
    UNSPECIFIED = 1 << 12  # RFC 1122 §3.2.1.3, RFC 4291 §2.5.2
    RESERVED = 1 << 13  # RFC 1112 §4, RFC 6890, or outside 2000::/3
    THIS_NETWORK = 1 << 14  # RFC 791 §3.2: 0.0.0.0/8


_BOGUS_V4: tuple[tuple[str, Special], ...] = (
    ("0.0.0.0/8", Special.THIS_NETWORK),
    ("0.0.0.0/32", Special.UNSPECIFIED),
    ("10.0.0.0/8", Special.PRIVATE),
    ("100.64.0.0/10", Special.CGNAT),
    ("127.0.0.0/8", Special.LOOPBACK),
    ("169.254.0.0/16", Special.LINK_LOCAL),
    ("172.16.0.0/12", Special.PRIVATE),
    ("192.0.0.0/24", Special.RESERVED),
    ("192.0.2.0/24", Special.DOCUMENTATION),
    ("192.168.0.0/16", Special.PRIVATE),
    ("198.18.0.0/15", Special.BENCHMARK),
    ("198.51.100.0/24", Special.DOCUMENTATION),
    ("203.0.113.0/24", Special.DOCUMENTATION),
    ("224.0.0.0/4", Special.MULTICAST),
    ("240.0.0.0/4", Special.RESERVED),
    ("255.255.255.255/32", Special.BROADCAST),
)

_BOGUS_V6: tuple[tuple[str, Special], ...] = (
    ("::/128", Special.UNSPECIFIED),
    ("::1/128", Special.LOOPBACK),
    ("2001:2::/48", Special.BENCHMARK),
    ("2001:10::/28", Special.RESERVED),  # ORCHID, RFC 4843, expired
    ("2001:20::/28", Special.RESERVED),  # ORCHIDv2, RFC 7343: identifiers, not locators
    ("2001:db8::/32", Special.DOCUMENTATION),
    ("3fff::/20", Special.DOCUMENTATION),
    ("fc00::/7", Special.PRIVATE),
    ("fe80::/10", Special.LINK_LOCAL),
    ("fec0::/10", Special.PRIVATE),
    ("ff00::/8", Special.MULTICAST),
)

_MARKED_V6: tuple[tuple[str, Special], ...] = (
    ("2001::/32", Special.TEREDO),
    ("2002::/16", Special.SIX_TO_FOUR),
    ("64:ff9b::/96", Special.NAT64),
    ("64:ff9b:1::/48", Special.NAT64),
)

UNICAST = "2000::/3"
"""What is allocated as global unicast (RFC 4291 §2.4, IANA IPv6 Address Space registry)."""

BLOCKS = (*_BOGUS_V4, *_BOGUS_V6, *_MARKED_V6, (UNICAST, Special(0)))
"""All blocks that decide what `special_bits` says of an address, and what each is."""


def prefix_halves(prefix: str) -> tuple[int, int, int, int]:
    """Write a prefix as address halves and mask halves ``(high, low, high mask, low mask)``, IPv4 as mapped."""
    if "/" not in prefix and ":" not in prefix:  # most in lists are IPv4 addresses, which are read quickest as such
        return 0, 0xFFFF << 32 | int(IPv4Address(prefix)), FULL, FULL
    network = ip_network(prefix, strict=False)
    address, length = int(network.network_address), network.prefixlen
    if network.version == 4:
        address, length = 0xFFFF << 32 | address, length + 96
    mask = ((1 << length) - 1) << (128 - length)
    return address >> 64, address & FULL, mask >> 64, mask & FULL


def is_ipv4(high: U64, low: U64) -> Mask:
    """Say which addresses are IPv4, that is IPv4-mapped."""
    mapped: Mask = (high == 0) & (low >> np.uint64(32) == MAPPED_HIGH_WORD)
    return mapped


def embedded_ipv4(high: U64, low: U64) -> U64:
    """Take the IPv4 address out of 6to4 and NAT64 addresses, as its mapped lower half; others give 0.

    6to4 holds it in bits 16-47 (RFC 3056 §2), the well-known NAT64 prefix in the last 32 (RFC 6052 §2.2).
    """
    mapped = MAPPED_HIGH_WORD << np.uint64(32)
    word = np.uint64(0xFFFFFFFF)
    six_to_four = high >> np.uint64(48) == 0x2002
    nat64 = (high == 0x0064FF9B << 32) & (low >> np.uint64(32) == 0)
    inner: U64 = np.where(
        six_to_four, mapped | high >> np.uint64(16) & word, np.where(nat64, mapped | low & word, np.uint64(0))
    )
    return inner


def special_bits(high: U64, low: U64) -> U16:
    """Look addresses up in the special-purpose registries.

    Args:
        high: Upper halves, n of them.
        low: Lower halves, same length.

    Returns:
        n words of `Special` bits. Empty in, empty out.
    """
    high, low = np.asarray(high, np.uint64), np.asarray(low, np.uint64)
    bits = np.zeros(len(high), np.uint16)
    mapped = is_ipv4(high, low)
    four, six = np.flatnonzero(mapped), np.flatnonzero(~mapped)
    four = four[_special_blocks()[low[four] >> np.uint64(16) & np.uint64(0xFFFF)]]  # few
    if len(four):
        bits[four] = _matched(high[four], low[four], _BOGUS_V4, Special.BOGON)
    if len(six):
        bits[six] = _six(high[six], low[six])
    return bits


def _six(high: U64, low: U64) -> U16:
    """Judge addresses that are not IPv4."""
    bits = _matched(high, low, _BOGUS_V6, Special.BOGON) | _matched(high, low, _MARKED_V6, Special(0))
    # Outside `UNICAST` nothing is global unicast; 5f00::/16 and 0000::/8 fall under it, the NAT64 prefixes are the
    # exception.
    unallocated = (high >> np.uint64(61) != 1) & (bits == 0)
    bits[unallocated] |= np.uint16(Special.RESERVED | Special.BOGON)
    inner = embedded_ipv4(high, low)
    tunnelled = (bits & np.uint16(Special.SIX_TO_FOUR) != 0) & (inner != 0)
    if tunnelled.any():
        bogus = _matched(np.zeros_like(high), inner, _BOGUS_V4, Special.BOGON) & np.uint16(Special.BOGON)
        bits[tunnelled] |= bogus[tunnelled]
    return bits


def _matched(high: U64, low: U64, ranges: tuple[tuple[str, Special], ...], extra: Special) -> U16:
    """Collect the bits of every range an address lies in; *extra* is added to each."""
    bits = np.zeros(len(high), np.uint16)
    for (first, second, high_mask, low_mask), flag in _halved(ranges):
        inside = (high & np.uint64(high_mask) == first) & (low & np.uint64(low_mask) == second)
        bits[inside] |= np.uint16(flag | extra)
    return bits


@cache
def _special_blocks() -> Mask:
    """Say of each /16 of IPv4, by its number, whether some special-purpose range lies in it, or holds it."""
    block, special = np.arange(1 << 16), np.zeros(1 << 16, np.bool_)
    for (_, second, _, low_mask), _ in _halved(_BOGUS_V4):
        special |= block & (low_mask >> 16) == second >> 16 & low_mask >> 16 & 0xFFFF
    return special


@cache
def _halved(ranges: tuple[tuple[str, Special], ...]) -> tuple[tuple[tuple[int, int, int, int], Special], ...]:
    """Write the prefixes of one of the tables above as halves."""
    return tuple((prefix_halves(prefix), flag) for prefix, flag in ranges)
