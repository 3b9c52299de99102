"""Longest-prefix lookup: which of many prefixes holds an address (RFC 4632 §5.1)."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, U8, U64, Mask
from netinterf.context.special import is_ipv4, prefix_halves
from netinterf.numbering import combined, numbered
from netinterf.values import frozen

__all__ = ["WHOLE", "PrefixIndex", "joined_halves", "prefix_masks"]

SIXTEEN = 1 << 16
MAPPED = np.uint64(0xFFFF)  # third and fourth byte before an IPv4 address written as IPv6 (RFC 4291 §2.5.5.2)
WHOLE = 128  # bits of an address
HALF = (1 << 64) - 1


def prefix_masks(length: NDArray[np.integer]) -> tuple[U64, U64]:
    """Write lengths of prefixes, 0 to 128, as halves of masks."""
    high, low = _masks()
    return high[length], low[length]


@cache
def _masks() -> U64:
    """Write all lengths as halves of masks, shape (2, 129)."""
    masks = [((1 << bits) - 1) << (WHOLE - bits) for bits in range(WHOLE + 1)]
    return np.array([(mask >> 64, mask & HALF) for mask in masks], np.uint64).T.copy()


@frozen(eq=False)
class PrefixIndex:
    """Longest-prefix lookup over two-halved addresses, one sorted array per prefix length."""

    masks: tuple[tuple[np.uint64, np.uint64], ...]  # longest first
    keys: tuple[NDArray[np.bytes_], ...]
    rows: tuple[I32, ...]
    near: Mask  # 65,536: which /16 of IPv4 have anything in common with a prefix

    @classmethod
    def of(cls, prefixes: Sequence[str]) -> "PrefixIndex":
        """Index prefixes and addresses as people write them; of equal ones the first wins."""
        halves = np.array([prefix_halves(prefix) for prefix in prefixes], np.uint64).reshape(-1, 4)
        high, low, high_mask, low_mask = halves.T
        return cls.of_halves(high, low, (np.bitwise_count(high_mask) + np.bitwise_count(low_mask)))

    @classmethod
    def of_halves(cls, high: U64, low: U64, length: U8) -> "PrefixIndex":
        """Index prefixes that are written as tables hold them; of equal ones the first wins.

        Args:
            high: Upper halves, n of them (IPv4 as mapped), zero behind the prefix.
            low: Lower halves.
            length: Bits of each prefix, of 128.
        """
        keys, masks, rows = [], [], []
        for bits in np.flatnonzero(np.bincount(length, minlength=1))[::-1]:  # longest first
            mine = np.flatnonzero(length == bits)
            different, first = np.unique(joined_halves(high[mine], low[mine]), return_index=True)
            keys.append(different)
            masks.append(tuple(mask[0] for mask in prefix_masks(np.array([bits]))))
            rows.append(mine[first].astype(np.int32))
        return cls(tuple(masks), tuple(keys), tuple(rows), _near(high, low, length))

    def find(self, high: U64, low: U64) -> I32:
        """Name the row of the longest prefix that holds each address, -1 for none."""
        result = np.full(len(high), -1, np.int32)
        sixteen = (low >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.intp)
        possible = np.flatnonzero(self.near[sixteen] | ~is_ipv4(high, low))
        high, low = high[possible], low[possible]
        number, first = numbered(combined(high.view(np.int64), low.view(np.int64)))
        result[possible] = self._find(high[first], low[first])[number]
        return result

    def _find(self, high: U64, low: U64) -> I32:
        """Name the row of the longest prefix that holds each of some different addresses, -1 for none."""
        longest, possible = np.full(len(high), -1, np.int32), np.arange(len(high))
        for (high_mask, low_mask), keys, rows in zip(self.masks, self.keys, self.rows, strict=True):
            wanted = joined_halves(high[possible] & high_mask, low[possible] & low_mask)
            place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            hit = keys[place] == wanted
            longest[possible[hit]] = rows[place[hit]]
            possible = possible[~hit]
        return longest


def _near(high: U64, low: U64, length: U8) -> Mask:
    """Say which /16 of IPv4 have anything in common with a prefix: it holds mapped addresses, or is one."""
    _, mask = prefix_masks(length)
    mapped = (high == 0) & (low >> np.uint64(32) == MAPPED & mask >> np.uint64(32))
    first = (low[mapped] >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.int64)
    others = (~mask[mapped] >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.int64)
    begun, ended = (np.bincount(place, minlength=SIXTEEN + 1) for place in (first, first + others + 1))
    near: Mask = np.cumsum(begun - ended)[:SIXTEEN] > 0
    return near


def joined_halves(high: U64, low: U64) -> NDArray[np.bytes_]:
    """Join halves into one sortable 16-byte key per address."""
    joined = np.empty((len(high), 2), ">u8")
    joined[:, 0], joined[:, 1] = high, low
    return joined.view("S16").reshape(-1) if len(high) else np.empty(0, "S16")
