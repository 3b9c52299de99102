"""Addresses under a key: other addresses, among which the same networks are neighbours.

A mapping preserves prefixes when two addresses that share exactly *k* leading bits are mapped to two that share exactly
*k*. Xu, Fan, Ammar and Moon (*Prefix-Preserving IP Address Anonymization*, ICNP 2002) show that all such mappings look
alike: bit *i* is flipped or not, as decided by the *i* - 1 bits before it. Addresses are the leaves of a binary tree,
and at every node the mapping swaps both branches or leaves them. In Crypto-PAn a block cipher under a key decides; all
that is asked of it is to be a pseudorandom function, so here it is keyed BLAKE2b (RFC 7693), which Python brings along.

**Special blocks stay where they are.** A private address must not become a public one, nor a public one private:
analyzers and readers would draw wrong conclusions. A mapping that preserves prefixes maps a block onto itself if and
only if it swaps at none of the nodes above it. So the nodes above the blocks of the registries
(`netinterf.context.special.BLOCKS`) never swap; all others, inside the blocks as well as outside, do as the key says.
Being one to one, it then maps what is outside the blocks to the outside. The price cannot be avoided: of an address
that has bits in common with a block, those bits and the next one are known. Of 97 in 100 public IPv4 addresses these
are eight bits or fewer.

Blocks for documentation are no such blocks: they stand for public addresses, in examples and simulated captures. Nor is
192.0.0.0/24 (RFC 6890 §2.2.2): 256 addresses are too few to hide among, and holding it would give its neighbours away.
In turn a public address can land in these, at 4 in 2**24 for IPv4 (four blocks of /24).

**Addresses inside addresses.** 6to4 and NAT64 addresses hold an IPv4 address, which is mapped as such, so that it can
still be compared. What follows the prefix of the block is mapped alike for equal beginnings: prefixes are preserved
there too.

What must change together: `flips` and the slow twin in the tests.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network, ip_network

import numpy as np

from netinterf.arrays import U8, U64
from netinterf.context.special import BLOCKS, Special, is_ipv4

__all__ = ["map_halves", "map_network"]

MAPPED_BLOCK = "::ffff:0:0/96"
"""Images of IPv4 (RFC 4291 §2.5.5.2): nothing else may land among them."""

MOVED = ("192.0.0.0/24", *(prefix for prefix, kind in BLOCKS if kind == Special.DOCUMENTATION))
"""Blocks that are mapped like public addresses."""

FIXED = (MAPPED_BLOCK, *(prefix for prefix, _ in BLOCKS if prefix not in MOVED))
"""Blocks that are mapped onto themselves."""

SIX_TO_FOUR, NAT64 = b"\x20\x02", b"\x00\x64\xff\x9b" + bytes(8)
"""What comes before an IPv4 address in those of 6to4 (RFC 3056 §2) and NAT64 (RFC 6052 §2.1)."""


def map_halves(key: bytes, high: U64, low: U64) -> tuple[U64, U64]:
    """Map addresses.

    Args:
        key: 16 to 64 bytes.
        high: Upper halves, n of them (IPv4 as mapped into IPv6).
        low: Lower halves, same length.

    Returns:
        Halves of the new addresses, in the same order. Empty in, empty out.
    """
    octets = np.stack([high, low], axis=1).astype(">u8").view(np.uint8).reshape(len(high), 16)
    result = octets.copy()
    four = is_ipv4(high, low)
    result[four, 12:] = map_octets(key, octets[four, 12:])
    result[~four] = map_wide(key, octets[~four])
    halves = result.view(">u8").astype(np.uint64)
    return halves[:, 0], halves[:, 1]


def map_network(key: bytes, network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Map a prefix: to the one that holds the new addresses of all its addresses."""
    whole = int(network.network_address) | (0xFFFF << 32 if network.version == 4 else 0)
    high, low = map_halves(key, np.array([whole >> 64], np.uint64), np.array([whole & (1 << 64) - 1], np.uint64))
    mapped = int(high[0]) << 64 | int(low[0])
    address = mapped & 0xFFFFFFFF if network.version == 4 else mapped
    size = network.max_prefixlen - network.prefixlen
    return type(network)((address >> size << size, network.prefixlen))


def map_wide(key: bytes, octets: U8) -> U8:
    """Map addresses that are not IPv4, n rows of 16 bytes; IPv4 addresses inside them are mapped as such."""
    result = map_octets(key, octets)
    for before in (SIX_TO_FOUR, NAT64):
        inner = slice(len(before), len(before) + 4)
        rows = np.flatnonzero((octets[:, : len(before)] == np.frombuffer(before, np.uint8)).all(axis=1))
        result[rows, inner] = map_octets(key, octets[rows, inner])
    return result


def map_octets(key: bytes, octets: U8) -> U8:
    """Map addresses of one family, n rows of 4 or 16 bytes, a byte at a time: eight levels of the tree."""
    count, width = octets.shape
    result = octets.copy()
    group = np.zeros(count, np.int64)  # rows that begin alike
    for place in range(width):
        first = np.unique(group, return_index=True)[1]
        swaps = flips(key, [octets[row, :place].tobytes() for row in first.tolist()], width)
        value = octets[:, place].astype(np.int64)
        for bit in range(8):
            node = 1 << bit | value >> 8 - bit
            result[:, place] ^= swaps[group, node] << np.uint8(7 - bit)
        group = np.unique(group << 8 | value, return_inverse=True)[1].reshape(-1)
    return result


def flips(key: bytes, before: Sequence[bytes], width: int) -> U8:
    """Decide for the next eight bits which nodes swap their branches.

    Args:
        key: The key.
        before: Ways through the tree up to here: the first bytes of n addresses.
        width: Bytes of a whole address, which tells the families apart.

    Returns:
        n rows of 256 bits. That of a node stands at its number in the tree of the next byte, whose root is 1 and where
        the branches of node *i* are ``2 i`` and ``2 i + 1``.
    """
    person, fixed = b"netinterf.addr%d" % width, fixed_nodes(width)
    digests = b"".join(blake2b(way, digest_size=32, key=key, person=person).digest() for way in before)
    bits = np.unpackbits(np.frombuffer(digests, np.uint8).reshape(-1, 32), axis=1)
    for row, way in enumerate(before):
        if way in fixed:
            bits[row, fixed[way]] = 0
    return bits


@cache
def fixed_nodes(width: int) -> dict[bytes, list[int]]:
    """List the nodes above special blocks, which never swap: for the bytes before them, their numbers as in `flips`."""
    nodes_at: dict[bytes, set[int]] = {}
    for prefix in FIXED:
        network = ip_network(prefix)
        octets = network.network_address.packed
        if len(octets) == width:
            for depth in range(network.prefixlen):
                place, bit = divmod(depth, 8)
                nodes_at.setdefault(octets[:place], set()).add(1 << bit | octets[place] >> 8 - bit)
    return {way: sorted(nodes) for way, nodes in nodes_at.items()}
