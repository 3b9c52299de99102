"""The wire packets of one direction between two hosts.

Segmentation offload hands the capture packets that the wire never carried. They are cut into segments of the maximum
size before anything is counted. Which of them the network lost is told by `losses`.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.wire import wire_pieces
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Mark
from netinterf.stats.bucket.following import Fates
from netinterf.table import spans
from netinterf.trace import Trace

__all__ = [
    "COLUMNS",
    "ETHERNET",
    "SEQ_BITS",
    "UNKNOWN_RTT",
    "Series",
    "at_client",
    "data_rows",
    "flow_rows",
    "path_rtt",
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

UNKNOWN_RTT = 0.1
"""Seconds taken for a round trip that was not measured."""

SEQ_BITS = 42
"""Room for a relative sequence number (4 TB) beside the number of the flow in one sortable key."""

COLUMNS = ("time", "size", "lost", "row", "flow", "start", "payload", "delay")


@attrs.frozen(eq=False, kw_only=True)
class Series:
    """Wire packets of one direction, in time order; what was lost unseen stands where it was dropped."""

    time: F64  # seconds since the first packet of the capture
    size: F64  # bytes on the wire, Ethernet header included
    lost: Mask
    row: I64  # row in Packets; of a lost packet never seen, the row behind the hole it left
    flow: I64  # row in Flows
    start: I64  # relative sequence number
    payload: I64
    delay: F64  # of its way in seconds, NaN where unknown; the zero is arbitrary at the receiver
    upstream: bool  # losses happened before the tap: it sits on the receiver's side of the limit

    @property
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
        return self.with_columns({name: getattr(self, name)[rows] for name in COLUMNS})

    def parted(self, key: I64) -> list["Series"]:
        """Part by a value of each packet, such as its flow, in order of the values."""
        return [self.take(key == value) for value in np.unique(key)]

    def joined(self, others: Sequence["Series"]) -> "Series":
        """Merge with others of the same capture, in order of time; what was lost comes first among equal times."""
        every = (self, *others)
        columns = {name: np.concatenate([getattr(series, name) for series in every]) for name in COLUMNS}
        order = np.lexsort((~columns["lost"], columns["time"]))
        return self.with_columns({name: column[order] for name, column in columns.items()})


def flow_rows(trace: Trace, flows: I64) -> I64:
    """List the packets of some flows, flow by flow and in time order."""
    return trace.by_flow.values[spans(trace.by_flow.offsets[flows], trace.by_flow.lengths[flows])].astype(np.int64)


def data_rows(trace: Trace, flows: I64, outbound: bool) -> I64:
    """List the packets with payload of one direction of some flows, in time order."""
    rows, packets = flow_rows(trace, flows), trace.packets
    keep = (packets.outbound[rows] == outbound) & (packets.payload_length[rows] > 0)
    keep &= (packets.marks[rows] & NOT_COUNTED == 0) & (packets.relative_seq[rows] > 0)
    return np.sort(rows[keep])


def path_rtt(trace: Trace, flows: I64) -> float:
    """Give the round trip between the ends of some flows in seconds: both halves at the tap; 0.1 when unknown."""
    halves = trace.sides.rtt.reshape(-1, 2)[flows]
    known = (halves >= 0).any(axis=1)
    whole = np.maximum(halves[known], 0).sum(axis=1)
    return float(whole.min()) / 1e9 if len(whole) and whole.min() > 0 else UNKNOWN_RTT


def wire_packets(trace: Trace, flows: I64, outbound: bool) -> Series:
    """Lay out the captured data packets of one direction, cut into what the wire carried; none is lost so far."""
    packets = trace.packets
    rows = data_rows(trace, flows, outbound)
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
        upstream=behind_limit(trace, rows, flows, outbound),
    )
    return series.take(np.argsort(series.time, kind="stable"))


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


def behind_limit(trace: Trace, rows: I64, flows: I64, outbound: bool) -> bool:
    """Say whether the tap sits on the receiver's side, so that what was lost was never captured.

    The kind of mark tells that clearly prevails: what is seen again was seen before it was lost, what fills a hole was
    not. Else the halves of the round trip where both are known and one is small, and else the more frequent mark.
    """
    marks = trace.packets.marks[rows]
    again = int(np.count_nonzero((marks & Mark.REPEAT != 0) & (marks & Mark.SPURIOUS == 0)))
    filled = int(np.count_nonzero((marks & Mark.FILL != 0) & (marks & Mark.REORDERED == 0)))
    if max(again, filled) >= CLEARLY * max(min(again, filled), 1):
        return filled > again
    sender = trace.sides.rtt[2 * flows + (not outbound)]
    receiver = trace.sides.rtt[2 * flows + outbound]
    known = (sender >= 0) & (receiver >= 0)
    if known.any():
        near_sender, near_receiver = int(sender[known].min()), int(receiver[known].min())
        if min(near_sender, near_receiver) < NEAR_SHARE * (near_sender + near_receiver):
            return near_receiver < near_sender
    return filled > again
