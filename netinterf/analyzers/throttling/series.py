"""The wire packets of directions between two hosts.

Segmentation offload hands the capture packets that the wire never carried. They are cut into segments of the maximum
size before anything is counted. Which of them the network lost is told by `losses`.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.throttling.ways import Ways, least_of
from netinterf.analyzers.wire import wire_pieces
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Mark
from netinterf.stats.bucket.following import Fates
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = [
    "COLUMNS",
    "ETHERNET",
    "Series",
    "at_client",
    "fates_together",
    "seconds",
    "wire_packets",
]

NOT_COUNTED = Mark.KEEP_ALIVE | Mark.DUPLICATE_FRAME
"""Packets that move no data: probes of one old byte, and second captures of one packet."""

ETHERNET = 14
"""Bytes that a policer on an Ethernet port counts besides the IP packet (the laboratory's median rate estimate was
95.4 % of the configured rate from payload alone, and 1448/1514 = 95.6 %)."""

NEAR_SHARE = 0.1
"""A side is next to the tap when its half of the round trip is below this share of the whole."""

CLEARLY = 4
"""One kind of mark prevails clearly when it is so many times as frequent as the other, and as often there at least."""

COLUMNS = ("time", "size", "lost", "row", "flow", "start", "payload", "delay", "lane")


@frozen(eq=False, kw_only=True)
class Series:
    """Wire packets of one direction, in time order; what was lost unseen stands where it was dropped.

    Several directions of one kind may be laid out one after the other.
    """

    time: F64  # seconds since the first packet of the capture
    size: F64  # bytes on the wire, Ethernet header included
    lost: Mask
    row: I64  # row in Packets; of a lost packet never seen, the row behind the hole it left
    flow: I64  # row in Flows
    start: I64  # relative sequence number
    payload: I64
    delay: F64  # of its way in seconds, NaN where unknown; the zero is arbitrary at the receiver
    lane: I64 = attrs.field()  # of `Ways` where several directions are laid out; else the flow
    upstream: bool  # losses happened before the tap: it sits on the receiver's side of the limit

    @lane.default
    def _one_lane_per_flow(self) -> I64:
        return self.flow

    @cached_property
    def fates(self) -> Fates:
        """What became of the packets, for a search of the bucket that explains it."""
        return Fates(self.time, self.size, self.lost)

    def __len__(self) -> int:
        return len(self.time)

    def with_columns(self, columns: dict[str, NDArray[Any]]) -> "Series":
        """Replace columns, all of one length."""
        return Series(upstream=self.upstream, **columns)

    def take(self, rows: Mask | I64 | slice) -> "Series":
        """Select packets, in the order given."""
        if isinstance(rows, np.ndarray) and rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        return self.with_columns({name: getattr(self, name)[rows] for name in COLUMNS})

    def between(self, begin: float, end: float) -> "Series":
        """Select the packets of a stretch of time, in seconds; the first and the last moment are part of it."""
        low, high = np.searchsorted(self.time, begin), np.searchsorted(self.time, end, side="right")
        return self.take(slice(int(low), int(high)))

    def parted(self, key: I64) -> list["Series"]:
        """Part by a value of each packet, such as its flow, in order of the values."""
        order, edges = by_value(key)
        ordered = self.take(order)
        return [ordered.take(slice(begin, end)) for begin, end in pairwise(edges)]

    def fates_of(self, key: I64) -> list[Fates]:
        """Tell what became of the packets, parted in the same way."""
        order, edges = by_value(key)
        time, size, lost = self.time[order], self.size[order], self.lost[order]
        return [Fates(time[begin:end], size[begin:end], lost[begin:end]) for begin, end in pairwise(edges)]

    def of_each(self, ways: Ways) -> list["Series"]:
        """Part by direction: one series for each, also where it has no packets."""
        edges = np.searchsorted(ways.way[self.lane], np.arange(len(ways) + 1))
        return [self.take(slice(begin, end)) for begin, end in pairwise(edges.tolist())]

    def joined(self, others: Sequence["Series"], ways: Ways | None = None) -> "Series":
        """Merge with others of the same capture, in order of time; what was lost comes first among equal times.

        Args:
            others: Series of the same direction, or laid out in the same way.
            ways: The directions, where several are laid out.
        """
        every = (self, *others)
        columns = {name: np.concatenate([getattr(series, name) for series in every]) for name in COLUMNS}
        keys = (~columns["lost"], columns["time"])
        order = np.lexsort(keys if ways is None else (*keys, ways.way[columns["lane"]]))
        return self.with_columns({name: column[order] for name, column in columns.items()})


def by_value(key: I64) -> tuple[I64, list[int]]:
    """Put in order of a value, of equal ones as they stood: places, and where each value begins, and the last ends."""
    order = np.argsort(key, kind="stable")
    return order, np.flatnonzero(np.diff(key[order], prepend=-1, append=-1)).tolist() if len(key) else [0]


def fates_together(parts: Sequence[Series]) -> Fates:
    """Tell what became of the packets of several series of the same direction, in the order of `Series.joined`."""
    time, size, lost = (np.concatenate([getattr(part, name) for part in parts]) for name in ("time", "size", "lost"))
    order = np.lexsort((~lost, time))
    return Fates(time[order], size[order], lost[order])


def data_rows(trace: Trace, ways: Ways) -> tuple[I64, I64]:
    """List the packets with payload, direction by direction and in time order: rows, and their lanes."""
    (rows, lane, along), packets = ways.packets(trace), trace.packets
    keep = along & (packets.payload_length[rows] > 0)
    keep &= (packets.marks[rows] & NOT_COUNTED == 0) & (packets.relative_seq[rows] > 0)
    rows, lane = rows[keep], lane[keep]
    order = np.lexsort((rows, ways.way[lane]))
    return rows[order], lane[order]


def wire_packets(trace: Trace, ways: Ways) -> tuple[Series, Mask]:
    """Lay out the captured data packets of directions, cut into what the wire carried; none is lost so far.

    Returns:
        The packets, direction by direction; and of which directions the tap sits on the receiver's side of the limit.
    """
    packets = trace.packets
    rows, lane = data_rows(trace, ways)
    pieces, most = wire_pieces(trace, rows)
    payload = packets.payload_length[rows].astype(np.int64)
    parent = np.repeat(np.arange(len(rows)), pieces)
    place = np.arange(len(parent)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    cut = np.where(pieces[parent] > 1, most[parent], payload[parent])
    length = np.minimum(cut, payload[parent] - place * cut)
    header = (packets.payload_at[rows].astype(np.int64) - packets.ip_at[rows]) + ETHERNET
    series = Series(
        time=at_client(trace, rows)[parent],
        size=(length + header[parent]).astype(np.float64),
        lost=np.zeros(len(parent), np.bool_),
        row=rows[parent],
        flow=packets.flow[rows].astype(np.int64)[parent],
        start=packets.relative_seq[rows][parent] + place * cut,
        payload=length,
        delay=np.full(len(parent), np.nan),
        lane=lane[parent],
        upstream=False,
    )
    return series.take(np.lexsort((series.time, ways.way[series.lane]))), behind_limit(trace, rows, lane, ways)


def seconds(trace: Trace, time: I64) -> F64:
    """Turn capture times into seconds since the first packet of the capture."""
    since: F64 = (time - trace.began) / 1e9
    return since


def at_client(trace: Trace, rows: I64) -> F64:
    """Give the times of packets as at the client's end of their path, in seconds.

    What limits several servers of one client sits on the way that they share. Where the tap does not, their packets
    meet there at other times than at the tap: half the round trip between tap and client later, or earlier.
    """
    packets = trace.packets
    half = np.maximum(trace.sides.rtt[2 * packets.flow[rows].astype(np.int64)], 0) // 2
    return seconds(trace, packets.time[rows] + np.where(packets.outbound[rows], -half, half))


def behind_limit(trace: Trace, rows: I64, lane: I64, ways: Ways) -> Mask:
    """Say of which directions the tap sits on the receiver's side, so that what was lost was never captured.

    The kind of mark tells that clearly prevails: what is seen again was seen before it was lost, what fills a hole was
    not. Else the halves of the round trip where both are known and one is small, and else the more frequent mark.

    Args:
        trace: The capture.
        rows: Data packets.
        lane: The lane of each.
        ways: The directions.
    """
    marks, way = trace.packets.marks[rows], ways.way[lane]
    again, filled = (
        np.bincount(way[(marks & kind != 0) & (marks & other == 0)], minlength=len(ways))
        for kind, other in ((Mark.REPEAT, Mark.SPURIOUS), (Mark.FILL, Mark.REORDERED))
    )
    clear = np.maximum(again, filled) >= CLEARLY * np.maximum(np.minimum(again, filled), 1)
    sender, receiver = trace.sides.rtt[ways.sender], trace.sides.rtt[ways.receiver]
    known = (sender >= 0) & (receiver >= 0)
    near_sender, near_receiver = (least_of(half[known], ways.way[known], len(ways)) for half in (sender, receiver))
    near = np.minimum(near_sender, near_receiver) < NEAR_SHARE * (near_sender + near_receiver)
    behind: Mask = np.where(~clear & near, near_receiver < near_sender, filled > again)
    return behind
