"""The unsuspicious replies that suspects are held against: those of their own servers, and how many of them do what.

All contrasts are counts within one server, drawn for all suspects of all servers at once.
"""

import attrs
import numpy as np

from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import ordered, ordered_within, risen
from netinterf.table import spans
from netinterf.values import frozen

__all__ = ["Baseline", "sample_of_servers"]

SAMPLE = 1000
"""Unsuspicious replies compared with, per server; the likelihood ratios saturate far below."""

DENSE = 4
"""Values are counted, each in a place of its own, where there are so many times as many places as values at most."""


@frozen(eq=False, kw_only=True)
class Baseline:
    """Unsuspicious replies, m of them, by server and then in order of packets, beside n suspects."""

    rows: I64  # m rows in Replies
    server: I64  # m rows in Hosts, rising
    asked: I64  # row in Hosts of each suspect's server, n
    hosts: int  # how many hosts there are

    def only(self, which: Mask) -> "Baseline":
        """Keep some of the m replies."""
        return attrs.evolve(self, rows=self.rows[which], server=self.server[which])

    @property
    def size(self) -> I64:
        """How many there are of each suspect's server, n."""
        return np.bincount(self.server, minlength=self.hosts)[self.asked]

    @property
    def first(self) -> I64:
        """Place among the m where those of each suspect's server begin, n."""
        size = np.bincount(self.server, minlength=self.hosts)
        return (np.cumsum(size) - size)[self.asked]

    def count(self, which: Mask) -> I64:
        """Count, for each suspect, those of its server that do; *which* has m entries, the result n."""
        return np.bincount(self.server[which], minlength=self.hosts)[self.asked]

    def count_between(self, values: I64, low: I64 | int, high: I64) -> I64:
        """Count, for each suspect, those of its server whose value lies from *low* to *high*, both included.

        Args:
            values: Of the m replies, from 0 and below 2^40.
            low: Of the n suspects, or one for all.
            high: Of the n suspects, not below *low* - 1.
        """
        place = np.zeros(self.hosts, np.int64)
        place[self.server] = place[self.asked] = 1
        place = np.cumsum(place) - 1  # of these servers, without gaps
        top, floor = int(values.max(initial=0)) + 1, np.asarray(low)
        if top <= len(values):  # of few different values, their places among these
            less = np.append(0, np.cumsum(np.bincount(values, minlength=top) > 0))
            values, floor, high = less[values], less[np.clip(floor, 0, top)], less[np.clip(high + 1, 0, top)] - 1
            top = int(less[-1])
        size = (int(place.max(initial=-1)) + 1) * (top + 1)
        keys = place[self.server] * (top + 1) + values
        first, last = (place[self.asked] * (top + 1) + np.clip(border, 0, top) for border in (floor, high + 1))
        if size <= DENSE * (len(values) + len(self.asked)):  # small values are counted, large ones sorted
            before: I64 = np.append(0, np.cumsum(np.bincount(keys, minlength=size)))
            count: I64 = before[last] - before[first]
        else:
            keys = risen(keys)
            count = np.searchsorted(keys, last) - (np.searchsorted(keys, first) if floor.any() else self.first)
        return count

    def least(self, values: I64) -> F64:
        """Find the least value of each suspect's server, n; NaN where there is none."""
        least = np.full(self.hosts, np.nan)
        np.fmin.at(least, self.server, values.astype(np.float64))
        return least[self.asked]

    def most_common(self, values: I64) -> F64:
        """Find the most common value of each suspect's server, n: of several the least, NaN where there is none.

        Args:
            values: Of the m replies, from 0 and below 2^16.
        """
        keys, counts = np.unique(self.server << 16 | values, return_counts=True)
        order = np.lexsort((-keys, counts))  # the last write wins
        common = np.full(self.hosts, np.nan)
        common[keys[order] >> 16] = keys[order] & 0xFFFF
        return common[self.asked]


def sample_of_servers(replies: Replies, suspects: I64, clean: Mask, hosts: int) -> Baseline:
    """Sample the unsuspicious replies of the servers of some suspects, evenly over the capture.

    Args:
        replies: All replies.
        suspects: Rows in *replies*, n of them.
        clean: Which replies are unsuspicious; aligned with *replies*.
        hosts: How many hosts the capture has.
    """
    asked = np.zeros(hosts, np.bool_)
    asked[replies.server[suspects]] = True
    rows = np.flatnonzero(clean & asked[replies.server])
    rows = rows[ordered(replies.server[rows])]
    size = np.bincount(replies.server[rows], minlength=hosts)
    taken = np.minimum(size, SAMPLE)
    nth = spans(np.zeros(hosts, np.int64), taken)
    step = np.where(size > SAMPLE, (size - 1) / (SAMPLE - 1), 1.0)
    place = np.where(nth == np.repeat(taken - 1, taken), np.repeat(size - 1, taken), nth * np.repeat(step, taken))
    rows = rows[np.repeat(np.cumsum(size) - size, taken) + place.astype(np.int64)]
    rows = rows[ordered_within(replies.server[rows], replies.packet[rows])]
    return Baseline(rows=rows, server=replies.server[rows], asked=replies.server[suspects], hosts=hosts)
