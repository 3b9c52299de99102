"""Segments that came late and had not been lost: somebody held them.

A path that loses makes the ends send again; what is lost never comes. A queue, or a box that delays, hands over what
was sent long ago. The packets say so themselves: their timestamps, or the identifications of a sender that counts, tell
in which order they left (RFC 7323 §3.2), and answers repeat the timestamp of what they answer (ibid., §4).
"""

import numpy as np

from netinterf.analyzers.handshakes.timing import LEAST_NS, Handshakes, first_rows
from netinterf.analyzers.sides import running_top
from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, TcpFlag, TcpOption
from netinterf.trace import Trace

__all__ = ["find_delayed", "overtaken_by"]

DELAYED_NS = 1_000_000_000
"""Least time beyond a round trip after which an answer was held: acknowledgements wait for half a second at most
(RFC 9293 §3.8.6.3)."""

ID_STEP = 16
"""Largest step between identifications of a sender that counts its packets (as in `netinterf.flows.holes`)."""


def find_delayed(trace: Trace, handshakes: Handshakes, trip: I64, disturbed: Mask) -> Mask:
    """Say in which handshakes some segment was held.

    Either its answer came a second late, and names it: by its timestamp, or because nothing was sent again. Or it came
    itself, long after what its sender had sent later.

    Args:
        trace: The capture.
        handshakes: Which ones.
        trip: Least round trip of the way of each, ns.
        disturbed: Those worth a look: something was sent again in their flows.
    """
    packets, delayed = trace.packets, answered_late(trace, handshakes, trip)
    owner, row = first_rows(trace, handshakes, disturbed)
    keep = (row >= handshakes.hello[owner]) & (packets.tcp_flags[row] & TcpFlag.RST == 0)
    keep &= packets.marks[row] & Mark.DUPLICATE_FRAME == 0
    owner, row = owner[keep], row[keep]
    done = handshakes.done[owner]
    # also what comes after the end, as long as it had been said before
    end = np.where(packets.outbound[row], packets.relative_seq[done] + 1, packets.relative_ack[done])
    opening = (done < 0) | (packets.relative_seq[row] < end)
    delayed[owner[opening & (overtaken_by(trace, owner, row) >= LEAST_NS)]] = True
    return delayed


def answered_late(trace: Trace, handshakes: Handshakes, trip: I64) -> Mask:
    """Say in which handshakes an answer took a second beyond the round trip."""
    rtts, delayed = trace.rtts, np.zeros(len(handshakes), np.bool_)
    late = np.flatnonzero(rtts.value >= DELAYED_NS)
    place = np.full(len(trace.flows), -1)
    place[handshakes.flow] = np.arange(len(handshakes))
    which = place[rtts.side[late] // 2]
    late, which = late[which >= 0], which[which >= 0]
    within = (rtts.asked[late] >= handshakes.hello[which]) & (rtts.packet[late] <= handshakes.over[which])
    delayed[which[within & (rtts.value[late] >= DELAYED_NS + trip[which])]] = True
    return delayed


def overtaken_by(trace: Trace, owner: I64, row: I64) -> I64:
    """Give how long before each packet another of its sender had come that left after it, ns, 0 for never.

    Args:
        trace: The capture.
        owner: Which conversation each packet is of.
        row: Rows in Packets, in time order within each.
    """
    packets = trace.packets
    side = 2 * owner + packets.outbound[row]
    order = np.argsort(side, kind="stable")
    row, late = row[order], np.zeros(len(row), np.int64)
    if not len(row):
        return late
    begins = np.flatnonzero(np.diff(side[order], prepend=-1))
    place = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(row)))
    sent = sending_order(trace, row, begins, place) + (1 << 32)
    reached = place << 40 | running_top(sent, place)
    passed = np.searchsorted(reached, place << 40 | sent + 1)
    inside = np.minimum(passed, len(row) - 1)
    overtaken = (place[inside] == place) & (passed < np.arange(len(row)))
    late[order] = np.where(overtaken, packets.time[row] - packets.time[row[inside]], 0)
    return late


def sending_order(trace: Trace, row: I64, begins: I64, place: I64) -> I64:
    """Number packets in the order in which their sides sent them; all 0 for sides that do not tell.

    Args:
        trace: The capture.
        row: Rows in Packets, side after side.
        begins: Where each side begins.
        place: The side of each packet, from 0.
    """
    packets, count = trace.packets, len(begins)
    step = np.diff(packets.ip_id[row], prepend=np.uint16(0)).astype(np.int16).astype(np.int64)  # modulo 2**16
    step[begins] = 0
    wild = (np.abs(step) > ID_STEP) | (packets.ip_id[row] == 0)
    counts = np.bincount(place, wild, count) == 0
    stamped = np.bincount(place, packets.tcp_options[row] & TcpOption.TIMESTAMPS == 0, count) == 0
    first = packets.tsval[row[begins]][place]
    stamp = (packets.tsval[row] - first).view(np.int32).astype(np.int64)
    number = np.cumsum(step)
    order: I64 = np.where(stamped[place], stamp, np.where(counts[place], number - number[begins][place], 0))
    return order
