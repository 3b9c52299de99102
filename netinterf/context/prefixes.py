"""Longest-prefix lookup: which of many prefixes holds an address (RFC 4632 §5.1)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, U64, Mask
from netinterf.context.special import is_ipv4, prefix_halves
from netinterf.numbering import combined, numbered
from netinterf.values import frozen

__all__ = ["PrefixIndex"]

SIXTEEN = 1 << 16
MAPPED = 0xFFFF  # third and fourth byte before an IPv4 address written as IPv6 (RFC 4291 §2.5.5.2)


@frozen(eq=False)
class PrefixIndex:
    """Longest-prefix lookup over two-halved addresses, one sorted array per prefix length."""

    masks: tuple[tuple[int, int], ...]  # longest first
    keys: tuple[NDArray[np.bytes_], ...]
    rows: tuple[I32, ...]
    near: Mask  # 65,536: which /16 of IPv4 have anything in common with a prefix

    @classmethod
    def of(cls, prefixes: Sequence[str]) -> "PrefixIndex":
        """Index prefixes and addresses; of equal ones the first wins."""
        groups: dict[tuple[int, int], dict[tuple[int, int], int]] = {}
        near = np.zeros(SIXTEEN, np.bool_)
        for row, prefix in enumerate(prefixes):
            high, low, high_mask, low_mask = prefix_halves(prefix)
            groups.setdefault((high_mask, low_mask), {}).setdefault((high, low), row)
            if high == 0 and low >> 32 == MAPPED & low_mask >> 32:  # it holds mapped addresses, or is one
                first, others = low >> 16 & 0xFFFF, ~low_mask >> 16 & 0xFFFF
                near[first : first + others + 1] = True
        masks = sorted(groups, reverse=True)
        keys, rows = [], []
        for mask in masks:
            pairs = np.array(sorted(groups[mask]), np.uint64).reshape(-1, 2)
            keys.append(_joined(pairs[:, 0], pairs[:, 1]))
            rows.append(np.array([groups[mask][key] for key in sorted(groups[mask])], np.int32))
        return cls(tuple(masks), tuple(keys), tuple(rows), near)

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
            wanted = _joined(high[possible] & np.uint64(high_mask), low[possible] & np.uint64(low_mask))
            place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            hit = keys[place] == wanted
            longest[possible[hit]] = rows[place[hit]]
            possible = possible[~hit]
        return longest


def _joined(high: U64, low: U64) -> NDArray[np.bytes_]:
    """Join halves into one sortable 16-byte key per address."""
    joined = np.empty((len(high), 2), ">u8")
    joined[:, 0], joined[:, 1] = high, low
    return joined.view("S16").reshape(-1) if len(high) else np.empty(0, "S16")
