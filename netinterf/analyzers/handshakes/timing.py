"""Which TLS handshakes there were, how long they took, and what went wrong in them and elsewhere on their way.

The handshake is the one exchange that every TLS connection makes, and it is always about as large; how long it takes
measures a path without asking for any transfer (OONI, methodology dd-007). It begins when the client's hello is first
captured and is over when the client's first data after it shows that the server's flight has arrived.

Time alone does not tell whose it was: a server thinks, a client looks certificates up. What is counted instead are the
packets that the network kept: those that were sent again before the handshake was over, because they or what answers
them had not come in time, and those that came after packets which had been sent later. Ends that think make nobody
repeat anything, since kernels acknowledge at once (RFC 9293 §3.8.6.3: within half a second).
"""

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, SegmentKind, TlsKind
from netinterf.table import spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["LEAST_NS", "Handshakes", "Resent", "count_resent", "durations", "find_handshakes", "first_rows"]

LEAST_NS = 200_000_000
"""Least time beyond a round trip after which anything is sent again (Linux TCP_RTO_MIN; RFC 6298 §2.4 says 1 s)."""

AGAIN = Mark.REPEAT | Mark.PARTIAL_REPEAT | Mark.FILL

LONGEST = 200
"""Packets of a flow among which its handshake is looked for; one takes about ten."""


@frozen(eq=False, kw_only=True)
class Handshakes:
    """One row per TCP flow whose client said hello; all columns are aligned."""

    flow: I64  # rows in Flows, ascending
    hello: I64  # rows in Packets: where the hello begins
    done: I64  # rows in Packets: the client's first data after the server's flight, -1 for none
    over: I64  # … the server's first data after that, or the last packet of the flow

    def __len__(self) -> int:
        return len(self.flow)

    def take(self, rows: I64 | Mask) -> "Handshakes":
        """Select rows."""
        return Handshakes(**{field.name: getattr(self, field.name)[rows] for field in attrs.fields(Handshakes)})


def find_handshakes(trace: Trace) -> Handshakes:
    """Find the hello of each TCP flow, what the client said next, having heard the server, and the answer to that."""
    packets, tls, pieces, sides = trace.packets, trace.tls, trace.segments, trace.sides
    hellos = np.flatnonzero(tls.outbound & (tls.kind == TlsKind.CLIENT_HELLO))
    if not len(hellos):
        return Handshakes(flow=hellos, hello=hellos, done=hellos, over=hellos)
    flow, first = np.unique(tls.flow[hellos].astype(np.int64), return_index=True)  # of a flow's hellos the first
    hello, whole = (column[hellos[first]].astype(np.int64) for column in (tls.packet, tls.last_packet))
    place = np.full(len(trace.flows), -1)
    place[flow] = np.arange(len(flow))
    data = np.flatnonzero(pieces.kind == SegmentKind.FRESH)
    which, row = place[pieces.side[data] // 2], pieces.packet[data].astype(np.int64)
    known = which >= 0
    which, row, by_client = which[known], row[known], pieces.side[data[known]] % 2 == 0
    heard = (row > whole[which]) & (packets.relative_ack[row] > packets.relative_ack[hello[which]])
    done = earliest(which[by_client & heard], row[by_client & heard], len(flow))
    after = ~by_client & (done[which] >= 0) & (row > done[which])
    over = earliest(which[after], row[after], len(flow))
    over = np.where(over >= 0, over, sides.last.reshape(-1, 2)[flow].max(axis=1, initial=-1))
    return Handshakes(flow=flow, hello=hello, done=done, over=over)


def earliest(place: I64, row: I64, count: int) -> I64:
    """Give the least row of each of *count* places, -1 where there is none."""
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, place, row)
    least[least == np.iinfo(np.int64).max] = -1
    return least


def first_rows(trace: Trace, handshakes: Handshakes, disturbed: Mask) -> tuple[I64, I64]:
    """List the first `LONGEST` packets of the flows of some handshakes: which handshake each is of, and its row."""
    length = np.where(disturbed, np.minimum(trace.by_flow.lengths[handshakes.flow], LONGEST), 0)
    row = trace.by_flow.values[spans(trace.by_flow.offsets[handshakes.flow], length)].astype(np.int64)
    return np.repeat(np.arange(len(handshakes)), length), row


@frozen(eq=False, kw_only=True)
class Resent:
    """What was sent again of each handshake; aligned with its `Handshakes`."""

    count: I64  # segments
    rounds: I64  # times at which some came, told apart by the least timeout
    first: I64  # rows in Packets: the first that came again or late, -1 for none
    last: I64


def count_resent(trace: Trace, handshakes: Handshakes, disturbed: Mask) -> Resent:
    """Count segments of handshakes that came again, or late for having been lost before the tap.

    Args:
        trace: The capture.
        handshakes: Which ones.
        disturbed: Those worth a look: something was sent again in their flows.
    """
    packets = trace.packets
    owner, row = first_rows(trace, handshakes, disturbed)
    marks = packets.marks[row]
    resent = (marks & AGAIN != 0) & (marks & (Mark.REORDERED | Mark.DUPLICATE_FRAME | Mark.KEEP_ALIVE) == 0)
    resent &= (packets.payload_length[row] > 0) & (row >= handshakes.hello[owner]) & (row <= handshakes.over[owner])
    done = handshakes.done[owner]
    within = (done < 0) | (row <= done)  # what the client said last may have to be said again
    resent &= within | (packets.outbound[row] & (packets.relative_seq[row] <= packets.relative_seq[done]))
    row, owner = row[resent], owner[resent]
    first, last = np.full(len(handshakes), -1), np.full(len(handshakes), -1)
    last[owner] = row  # of equal indices the last write wins
    first[owner[::-1]] = row[::-1]
    time = packets.time[row]
    fresh = np.ones(len(row), np.bool_)
    fresh[1:] = (owner[1:] != owner[:-1]) | (np.diff(time) >= LEAST_NS)
    count, rounds = (np.bincount(which, minlength=len(handshakes)) for which in (owner, owner[fresh]))
    return Resent(count=count, rounds=rounds, first=first, last=last)


def durations(trace: Trace, handshakes: Handshakes, resent: Resent) -> I64:
    """Give how long each handshake took, ns: until the client went on, and until that had not to be said again."""
    last = np.where(handshakes.done >= 0, np.maximum(handshakes.done, resent.last), handshakes.over)
    took: I64 = trace.packets.time[last] - trace.packets.time[handshakes.hello]
    return took
