"""TCP packets flow by flow, a bounded number at a time, and running maxima along each flow.

Marks, sides and round trips all walk the same rows: the packets of whole flows, in time order, about `BLOCK` of them at
once so that temporaries stay in cache and memory stays bounded. Per-flow running maxima need no loop: the flow number
goes into the high bits of a 64-bit key, so one cumulative maximum over the block restarts by itself at every flow.
"""

from collections.abc import Iterator
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, Mask
from netinterf.flows.grouping import BLOCK
from netinterf.schema import Packets, Status
from netinterf.table import Ragged
from netinterf.values import frozen

__all__ = [
    "BITS",
    "NOTHING",
    "TcpBlock",
    "last_before",
    "packed",
    "running_top",
    "tcp_blocks",
    "top_before",
    "top_of",
    "usable",
]

TCP = 6
BITS = 45  # of a value in a packed key: 2**44 bytes of one stream, leaving 2**18 flows in a block
NOTHING = -(1 << 40)  # running maximum where nothing has counted yet; below every relative sequence number


@frozen(eq=False)
class TcpBlock:
    """The usable TCP packets of consecutive flows, flow by flow and in time order inside each."""

    first_flow: int
    flows: int
    rows: I32  # rows in Packets
    flow: I64  # flow of each row, counted from first_flow
    outbound: Mask

    @property
    def side(self) -> I64:
        """Side that sent each row, counted from ``2 * first_flow``."""
        side: I64 = (self.flow << 1) + ~self.outbound
        return side

    def part(self, mask: Mask) -> Self:
        """Keep some rows."""
        return attrs.evolve(self, rows=self.rows[mask], flow=self.flow[mask], outbound=self.outbound[mask])


def usable(packets: Packets, rows: I32 | slice = slice(None)) -> Mask:
    """Say which packets are TCP segments that were captured as far as their flags."""
    status = packets.status[rows]
    kept: Mask = (packets.protocol[rows] == TCP) & (status & Status.FRAGMENT_LATER.value == 0)
    if (status & Status.HEADER_CUT.value).any():
        kept &= (status & Status.HEADER_CUT.value == 0) | (packets.tcp_flags[rows] != 0)
    return kept


def flow_spans(by_flow: Ragged, limit: int = BLOCK) -> Iterator[tuple[int, int]]:
    """Cut flows into spans of about *limit* packets: the first flow of each, and the one behind its last.

    A flow of more packets is a span of its own.
    """
    offsets, start = by_flow.offsets, 0
    while start < len(by_flow):
        stop = max(int(np.searchsorted(offsets, offsets[start] + limit, side="right")) - 1, start + 1)
        yield start, stop
        start = stop


def tcp_blocks(packets: Packets, by_flow: Ragged, limit: int = BLOCK) -> Iterator[TcpBlock]:
    """Walk the TCP packets of whole flows.

    Left out is what is not usable: later fragments have no TCP header.

    Args:
        packets: Packets with flow and outbound.
        by_flow: Rows of packets of each flow.
        limit: Packets per block; a longer flow is a block of its own.
    """
    for start, stop in flow_spans(by_flow, limit):
        block = tcp_block(packets, by_flow, start, stop)
        if len(block.rows):
            yield block


def tcp_block(packets: Packets, by_flow: Ragged, start: int, stop: int) -> TcpBlock:
    """Give the usable TCP packets of the flows from *start* to *stop*."""
    offsets = by_flow.offsets
    rows = by_flow.values[offsets[start] : offsets[stop]]
    flow = np.repeat(np.arange(stop - start, dtype=np.int64), np.diff(offsets[start : stop + 1]))
    kept = usable(packets, rows)
    if not kept.all():
        rows, flow = rows[kept], flow[kept]
    return TcpBlock(start, stop - start, rows, flow, packets.outbound.take(rows))


def packed(group: NDArray[np.integer[Any]], values: I64) -> I64:
    """Put group and value into one integer that sorts by group, then value."""
    key: I64 = (group.astype(np.int64, copy=False) << BITS) + np.clip(values - NOTHING, 0, (1 << BITS) - 1)
    return key


def running_top(group: I64, values: I64, counts: Mask) -> I64:
    """Take the highest value so far in each group, the row itself included.

    Args:
        group: Ascending group numbers.
        values: Values above `NOTHING` and below 2**44.
        counts: Rows that take part; the others only carry the maximum on.

    Returns:
        The packed running maxima, ascending over all rows; :func:`top_of` unpacks them.
    """
    key = packed(group, np.where(counts, values, NOTHING))
    return np.maximum.accumulate(key, out=key)


def top_of(key: I64, group: I64) -> I64:
    """Unpack running maxima, the row itself included; `NOTHING` where no row has counted."""
    top: I64 = key - (group << BITS) + NOTHING
    return top


def top_before(key: I64, group: I64) -> I64:
    """Unpack running maxima of the rows before each row; `NOTHING` where no earlier row of the group has counted."""
    top = np.empty_like(key)
    if len(key):
        top[0] = NOTHING
        np.subtract(key[:-1], group[1:] << BITS, out=top[1:])
        np.maximum(top, 0, out=top)
        top += NOTHING
        top[0] = NOTHING
    return top


def last_before(counts: Mask) -> I64:
    """Give the index of the nearest earlier row that counts, -1 where there is none."""
    index = np.where(counts, np.arange(len(counts)), -1)
    last = np.full(len(counts), -1, np.int64)
    np.maximum.accumulate(index[:-1], out=last[1:])
    return last
