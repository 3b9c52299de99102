"""The packets worth a question, resets above all, and what their claimed sender's other packets look like.

Everything here is narrowed to flows that hold one. A *suspect* is a packet, mostly a RST, that the network could have
forged: one that arrived at the tap, not one that the machine at the tap sent itself. The *base* is what both sides of
these flows sent besides; without resets unless said otherwise, since an injector may have written several.
"""

import numpy as np

from netinterf.analyzers.sides import SidePackets, side_packets
from netinterf.arrays import I64, Mask
from netinterf.numbering import distinct, one_of
from netinterf.recording import INITIAL_TTLS
from netinterf.schema import Mark, TcpFlag
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Suspects", "aimed_at", "arrived", "beside", "couples", "find_suspects", "left_over", "witnesses"]

TCP = 6


@frozen(eq=False, kw_only=True)
class Suspects:
    """One row per suspect packet; all columns are aligned."""

    row: I64  # rows in Packets, in time order
    flow: I64  # rows in Flows
    side: I64  # rows in Sides: the claimed sender
    other: I64  # rows in Sides: who it is addressed to
    acks: Mask  # the ACK flag is set
    previous: I64  # place in the base of the claimed sender's last packet before, -1 for none
    previous_other: I64  # place in the base of the other side's last packet before, -1 for none
    gap: I64  # ns since the claimed sender's last packet, -1 for none
    base: SidePackets

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def none(cls) -> "Suspects":
        """Suspect no packet."""
        nothing = np.empty(0, np.int64)
        columns = dict.fromkeys(("row", "flow", "side", "other", "previous", "previous_other", "gap"), nothing)
        return cls(**columns, acks=np.empty(0, np.bool_), base=SidePackets.none())


def find_suspects(trace: Trace) -> Suspects:
    """Select the resets that somebody on the path could have forged.

    A RST seen where its sender sits is the sender's own; a copy of a frame captured twice is no second reset; one with
    a wrong checksum resets nothing: it is damaged, or a decoy of somebody who evades a censor; and one far outside the
    receiver's window is left over from an older connection, unless such resets follow one request after the other.
    """
    packets = trace.packets
    is_rst = (packets.protocol == TCP) & ((packets.tcp_flags & TcpFlag.RST) != 0) & (packets.flow >= 0)
    row = arrived(trace, np.flatnonzero(is_rst))
    row = row[trace.checksum_ok(row)]
    if not len(row):
        return Suspects.none()
    base = side_packets(trace, distinct(packets.flow[row]))
    stale = left_over(trace, base, row)
    stale[stale] = ~(aimed_at(trace, base, row[stale]) > 0)
    return beside(trace, row[~stale], base)


def arrived(trace: Trace, row: I64) -> I64:
    """Keep the packets that somebody on the path may have written: those that did not begin at the tap, once each."""
    packets = trace.packets
    if not len(row):
        return row
    row = row[(packets.marks[row] & Mark.DUPLICATE_FRAME) == 0]
    flow, outbound = packets.flow[row], packets.outbound[row]
    own = np.where(outbound, trace.recording.at_client[flow], trace.recording.at_server[flow])
    return row[~own | router_away(trace, row)]


def router_away(trace: Trace, row: I64) -> Mask:
    """Say which packets claim a sender whose SYN had crossed routers before the tap: a box may stand between them."""
    packets = trace.packets
    syn = trace.sides.syn[2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]].astype(np.int64)
    if not len(row):
        return np.zeros(0, np.bool_)
    away: Mask = (syn >= 0) & trace.recording.ttl_informative[packets.flow[row]]
    away &= ~one_of(packets.ttl[np.maximum(syn, 0)], INITIAL_TTLS)
    return away


def beside(trace: Trace, row: I64, base: SidePackets) -> Suspects:
    """Put suspects beside the other packets of their flows."""
    packets = trace.packets
    flow = packets.flow[row].astype(np.int64)
    side = 2 * flow + ~packets.outbound[row]
    previous = base.before(side, row)
    last_time = base.at(packets.time[base.row], previous, missing=0)
    return Suspects(
        row=row,
        flow=flow,
        side=side,
        other=side ^ 1,
        acks=(packets.tcp_flags[row] & TcpFlag.ACK) != 0,
        previous=previous,
        previous_other=base.before(side ^ 1, row),
        gap=np.where(previous >= 0, packets.time[row] - last_time, -1),
        base=base,
    )


def left_over(trace: Trace, base: SidePackets, row: I64) -> Mask:
    """Find resets with the numbers of another connection: beyond the receiver's window, or below the whole stream.

    Hosts ignore them (RFC 9293 §3.10.7.4, RFC 5961 §3). Blind where the receiver said nothing before.
    """
    packets = trace.packets
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    here, edge = packets.relative_seq[row], base.at(base.edge, base.before(side ^ 1, row))
    opened = base.before(side, row) >= 0
    return opened & (((edge >= 0) & (here > edge)) | ((trace.sides.syn[side] >= 0) & (here < 0)))


def aimed_at(trace: Trace, base: SidePackets, row: I64) -> I64:
    """Find ignored resets that no older connection explains, since one request after the other draws them.

    An injector that guesses numbers, or takes them from elsewhere, misses the window, and the connection goes on. Each
    of its resets comes within `PROMPT_TRIPS` round trips behind the first data of the other side, and the side whose
    name it bears goes on. `SEVERAL` connections of a client are no accident: a left-over belongs to one pair of ports.

    Args:
        trace: The capture.
        base: The other packets of their flows.
        row: Rows in Packets of resets with numbers outside their receiver's window.

    Returns:
        Number of connections of that client which met such resets; 0 for others.
    """
    packets, sides = trace.packets, trace.sides
    flow = packets.flow[row].astype(np.int64)
    side = 2 * flow + ~packets.outbound[row]
    request = sides.first_payload[side ^ 1].astype(np.int64)
    whole = sides.rtt[side] + sides.rtt[side ^ 1]
    known = (request >= 0) & (request < row) & (sides.rtt[side] >= 0) & (sides.rtt[side ^ 1] >= 0)
    since = packets.time[row] - packets.time[np.maximum(request, 0)] if len(packets) else row
    went_on = base.before(side, np.full(len(row), len(packets))) > base.before(side, row)
    drawn = known & went_on & (since <= PROMPT_TRIPS * whole)
    client = trace.flows.client[flow]
    met = np.unique(np.stack([client[drawn], flow[drawn]]), axis=1)
    count = np.bincount(met[0], minlength=len(trace.hosts))[client]
    return np.where(drawn & (count >= SEVERAL), count, 0)


PROMPT_TRIPS, SEVERAL = 2, 3
"""One round trip for the data to reach whoever resets and for the answer, one for queues; and connections beside each
other of which a left-over would explain one. Judgement, not fitted."""


def witnesses(suspects: Suspects, rows: I64, compared: I64 | None) -> Ragged:
    """List the packets that show a sign: the suspect, and the packet it was compared with where there is one."""
    own = suspects.row[rows]
    if compared is None:
        return Ragged.from_lengths(np.ones(len(rows), np.int64), own.astype(np.int32))
    return couples(own, compared[rows])


def couples(left: I64, right: I64) -> Ragged:
    """List two packets per row, the earlier first."""
    pairs = np.sort(np.stack([left, right], axis=1), axis=1).reshape(-1)
    return Ragged.from_lengths(np.full(len(left), 2), pairs.astype(np.int32))
