"""A trace as facts are read from it: counts over the packets of every side, made once for all facts.

Row 2 f is the client of conversation f, row 2 f + 1 its server, as in `netinterf.schema.Sides`.
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.schema import IpFlag, Mark, TcpFlag, TcpOption
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["CLIENT", "SERVER", "View"]


CLIENT, SERVER = 0, 1

UNSEEN = 255
"""Above every hop limit that a packet can have, where no packet is."""


class View:
    """What the packets of each side have in common, and what not; second captures of a frame left out."""

    def __init__(self, trace: Trace) -> None:
        packets = trace.packets
        self.trace, self.count = trace, 2 * len(trace.flows)
        self.row = np.flatnonzero((packets.flow >= 0) & (packets.marks & Mark.DUPLICATE_FRAME == 0))
        self.side: I64 = 2 * packets.flow[self.row].astype(np.int64) + ~packets.outbound[self.row]

    def number(self, of: Mask | None = None) -> I64:
        """Count the packets of each side, or those *of* them."""
        side = self.side if of is None else self.side[of]
        return np.bincount(side, minlength=self.count)

    def mixed(self, of: Mask, among: Mask) -> Mask:
        """Say which sides have some packets *of* a kind *among* others that are not."""
        some, all_of_them = self.number(of & among), self.number(among)
        result: Mask = (some > 0) & (some < all_of_them)
        return result

    @cached_property
    def first_query(self) -> I64:
        """Row in Dns of the first query of each exchange, -1 for none."""
        return first(self.trace.exchanges.queries)

    @cached_property
    def first_reply(self) -> I64:
        """Row in Dns of the first reply to each exchange, -1 for none."""
        return first(self.trace.exchanges.replies)

    @cached_property
    def flags(self) -> NDArray[Any]:
        """TCP flags of the packets."""
        return self.trace.packets.tcp_flags[self.row]

    @cached_property
    def resets(self) -> I64:
        """Packets with RST, by side."""
        return self.number(self.flags & TcpFlag.RST != 0)

    @cached_property
    def hops_apart(self) -> I64:
        """Difference between the largest and the smallest hop limit, by side."""
        hops = self.trace.packets.ttl[self.row].astype(np.int64)
        low, high = np.full(self.count, UNSEEN), np.zeros(self.count, np.int64)
        np.minimum.at(low, self.side, hops)
        np.maximum.at(high, self.side, hops)
        apart: I64 = np.maximum(high - low, 0)
        return apart

    @cached_property
    def fragment_bits_differ(self) -> Mask:
        """Some packets of a side may be fragmented, and others not (RFC 791 §3.1)."""
        packets = self.trace.packets
        old = packets.version[self.row] == 4
        return self.mixed(packets.ip_flags[self.row] & IpFlag.DONT_FRAGMENT != 0, old)

    @cached_property
    def stamps_differ(self) -> Mask:
        """Some segments of a side carry timestamps and others not; resets need none (RFC 7323 §3.2)."""
        stamped = self.trace.packets.tcp_options[self.row] & TcpOption.TIMESTAMPS != 0
        return self.mixed(stamped, self.flags & TcpFlag.RST == 0)

    @cached_property
    def after_reset(self) -> I64:
        """Packets of a side behind its own first reset that are no resets."""
        first = np.append(self.trace.sides.rst, -1)[self.side]
        return self.number((first >= 0) & (self.row > first) & (self.flags & TcpFlag.RST == 0))

    @cached_property
    def longest_gap(self) -> F64:
        """Longest time between two packets of a conversation, in seconds, by flow; 0 for a single packet."""
        packets = self.trace.packets
        row = self.trace.by_flow.values.astype(np.int64)
        flow = packets.flow[row].astype(np.int64)
        waited = np.where(flow[1:] == flow[:-1], np.diff(packets.time[row]), 0) / 1e9
        longest = np.zeros(len(self.trace.flows))
        np.maximum.at(longest, flow[1:], waited)
        return longest


def first(lists: Ragged) -> I64:
    """Give the first number of each list, -1 for none."""
    numbers = np.append(lists.values, -1).astype(np.int64)
    return np.where(lists.lengths > 0, numbers[np.minimum(lists.offsets[:-1], len(lists.values))], -1)
