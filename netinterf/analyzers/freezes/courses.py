"""How far connections got, each time that they moved: what passed until they were stopped, or until they ended.

A box that counts lets a connection begin, and swallows all of it once it is over its limit. What passed is what the
waiting side heard of the other: nearest to where it was stopped is the last packet with which the other end went on,
together with what this packet acknowledged. Connections that ended by themselves got at least as far as they did.

A stop counts only while the client was alive: it was heard, or got something, in other connections. Without such a
witness a silence is only the end of what is known: the connection got at least that far.
"""

from itertools import pairwise
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.contrast import Contrast
from netinterf.analyzers.freezes.breaks import Breaks, find_ends, joined_breaks, under_way
from netinterf.analyzers.freezes.stalls import find_stalls
from netinterf.analyzers.wire import wire_pieces
from netinterf.arrays import I64, Mask
from netinterf.numbering import among, ordered
from netinterf.schema import Mark, TcpFlag
from netinterf.stats.concentration import PLACES
from netinterf.table import spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Courses", "Stops", "find_stops", "follow_courses"]

TCP = 6

NEVER = np.iinfo(np.int64).max

UNKNOWN_TRIP_NS = 100_000_000
"""Round trip that is assumed where none was measured, as for QUIC: a usual one across a continent."""

WITNESS_NS, WITNESS_TRIPS = 200_000_000, 3
"""How long after a stop the client must be heard of elsewhere, at least, for its line to have outlived it: by then a
stalled sender has tried again (common stacks wait 200 ms at least, RFC 6298 §2.4 wants a second), and what was on its
way has arrived."""

ALIVE_NS = 10_000_000_000
"""For how long after a silence the client may be heard again for it to have been there: who probes one connection at a
time opens the next within the patience of common probes, 10 to 15 s (dpi-checkers, dpi-detector)."""


@frozen(eq=False, kw_only=True)
class Stops:
    """One row per time that a connection was stopped; all columns are aligned."""

    flow: I64  # rows in Flows
    row: I64  # rows in Packets: the last packet that passed
    last: I64  # rows in Packets: the last packet of the side that waited
    since: I64  # ns since 1970
    until: I64  # until when it is known to have lasted
    client_left: Mask  # the client was no longer heard, rather than the server
    client_alive: Mask  # the client was alive meanwhile, in other connections
    pushed: Mask  # the other end had sent all that it was given, and had acknowledged all that it got
    heard: I64  # rows in Packets: a packet of the side that no longer answered, long after; -1 for none
    packets: I64  # of both directions that had passed, at least, for each place of the box: shape (rows, places)
    packets_most: I64  # the same, at most
    bytes: I64  # of payload from the server that had passed, at least
    bytes_most: I64

    def __len__(self) -> int:
        return len(self.flow)

    @classmethod
    def none(cls) -> "Stops":
        """Give no stop."""
        columns: dict[str, Any] = dict.fromkeys(
            ("flow", "row", "last", "since", "until", "heard"), np.empty(0, np.int64)
        )
        columns |= dict.fromkeys(("client_left", "client_alive", "pushed"), np.empty(0, np.bool_))
        counts = np.empty((0, len(PLACES)), np.int64)
        return cls(**columns, packets=counts, packets_most=counts, bytes=counts, bytes_most=counts)

    def take(self, rows: I64 | Mask) -> "Stops":
        """Select rows."""
        return Stops(**{name: column[rows] for name, column in attrs.asdict(self, recurse=False).items()})


@frozen(eq=False, kw_only=True)
class Courses:
    """One row per time that a connection moved, if it was captured from its beginning; all columns are aligned."""

    flow: I64  # rows in Flows
    packets: I64  # of both directions that were captured
    bytes: I64  # of payload from the server that were captured
    stop: I64  # row in Stops, -1 where nobody is known to have stopped it

    def __len__(self) -> int:
        return len(self.flow)

    def take(self, rows: I64 | Mask | slice) -> "Courses":
        """Select rows."""
        return Courses(flow=self.flow[rows], packets=self.packets[rows], bytes=self.bytes[rows], stop=self.stop[rows])

    def of_clients(self, trace: Trace, clients: I64) -> "Courses":
        """Select those of some clients, rising rows in Hosts."""
        return self.take(among(trace.flows.client[self.flow], clients))

    def by_client(self, trace: Trace) -> list["Courses"]:
        """Part them by client."""
        client = trace.flows.client[self.flow]
        order = ordered(client)
        every, edges = self.take(order), np.flatnonzero(np.diff(client[order], prepend=-1))
        return [every.take(slice(begin, end)) for begin, end in pairwise([*edges.tolist(), len(every)])]


def find_stops(trace: Trace) -> Stops:
    """Find where connections were stopped in the middle, for good or for long."""
    breaks = joined_breaks([find_ends(trace), find_stalls(trace)])
    if not len(breaks):
        return Stops.none()
    return Stops(
        flow=breaks.flow,
        row=breaks.passed,
        last=breaks.last,
        since=trace.packets.time[breaks.passed],
        until=breaks.until,
        client_left=breaks.side % 2 == 1,
        client_alive=alive_meanwhile(trace, breaks) > 0,
        pushed=pushed(trace, breaks),
        heard=breaks.heard,
        **counted(trace, breaks),
    )


def pushed(trace: Trace, breaks: Breaks) -> Mask:
    """Say whether a program that hangs would look the same: its host pushed its last data and acknowledges everything.

    A sender sets PSH where its program gave it no more (RFC 9293 §3.9.1.2); a counter on the way stops anywhere.
    """
    packets, sides, last = trace.packets, trace.sides, breaks.passed
    theirs = packets.outbound[last] == (breaks.side % 2 == 1)
    ended = (packets.payload_length[last] > 0) & (packets.tcp_flags[last] & TcpFlag.PSH != 0)
    all_sent: Mask = theirs & ended & (sides.acked[breaks.side] >= sides.sent[breaks.side])
    return all_sent


def counted(trace: Trace, breaks: Breaks) -> dict[str, I64]:
    """Count packets of both directions, and payload bytes of the server, that had passed the box before each break.

    All that the other end said was heard, and data that it acknowledged had passed. The rest depends on where the box
    stands, which is tried at several places: a share of the round trip lies behind it. When the last packet of the
    other end passed it, acknowledgements had passed that were sent before by as much as lies in front. And it had
    stopped the connection when it should have passed the first acknowledgement that never came; without data that asks
    for one, all that was on its way may have been counted.

    Returns:
        Counts of packets and bytes, at least and at most, each of shape (breaks, places).
    """
    packets, count = trace.packets, len(breaks)
    owner, row = moved_in(trace, breaks)
    waits = packets.outbound[row] == (breaks.side[owner] % 2 == 0)
    keep = ((row <= breaks.passed[owner]) | waits) & (packets.marks[row] & Mark.DUPLICATE_FRAME == 0)
    owner, row, waits = owner[keep], row[keep], waits[keep]
    payload, time = packets.payload_length[row].astype(np.int64), packets.time[row]
    data = waits & (payload > 0) & (packets.protocol[row] == TCP)
    reached = np.clip(packets.relative_ack[breaks.passed[owner]] - packets.relative_seq[row], 0, payload)
    trip = trace.sides.rtt[breaks.side ^ 1]
    trip = np.where(trip >= 0, trip, UNKNOWN_TRIP_NS)
    since = packets.time[breaks.passed]
    first = np.full(count, NEVER)  # the oldest data that was never acknowledged
    np.minimum.at(first, owner[data & (reached < payload)], time[data & (reached < payload)])
    pieces, most = wire_pieces(trace, row)
    least = np.where(pieces > 1, np.maximum(most, 1), np.maximum(payload, 1))
    acked = np.where(data, -(-reached // least), ~waits * pieces), np.where(data, reached, ~waits * payload)
    inbound = ~packets.outbound[row]
    counts: dict[str, list[NDArray[Any]]] = {"packets": [], "bytes": [], "packets_most": [], "bytes_most": []}
    for place in PLACES:
        behind = np.where(breaks.side % 2 == 1, place, 1.0 - place)
        low = since - ((1.0 - behind) * trip).astype(np.int64)
        high = np.where(first < breaks.until, first + (behind * trip).astype(np.int64) - 1, since + trip)
        for suffix, due, who in (("", low, waits & ~data), ("_most", np.maximum(low, high), waits)):
            passed = who & (time <= due[owner])
            counts["packets" + suffix].append(np.bincount(owner, np.where(passed, pieces, acked[0]), count))
            through = np.where(passed, payload, acked[1])
            counts["bytes" + suffix].append(np.bincount(owner, inbound * through, count))
    return {name: np.stack(columns, axis=1).astype(np.int64) for name, columns in counts.items()}


def moved_in(trace: Trace, breaks: Breaks) -> tuple[I64, I64]:
    """List the packets of each break: from where its connection moved (again) to where it did so the next time.

    The breaks of a connection follow each other, so their packets are as many as those of the connection, however often
    it stalled.

    Returns:
        Place among the breaks and row in Packets of each packet.
    """
    keys = trace.by_flow.parents() << 32 | trace.by_flow.values
    first, end = breaks.flow << 32, (breaks.flow + 1) << 32
    low = np.searchsorted(keys, first | breaks.began)
    high = np.searchsorted(keys, np.where(breaks.resumed >= 0, first | breaks.resumed, end))
    return np.repeat(np.arange(len(breaks)), high - low), trace.by_flow.values[spans(low, high - low)].astype(np.int64)


def alive_meanwhile(trace: Trace, breaks: Breaks) -> I64:
    """Count packets that show each client alive beside the silent connection while it lasted, or soon after.

    Near the client these are packets that it got; near the server, packets that it sent.
    """
    packets, flows = trace.packets, trace.flows
    asking = np.zeros(len(trace.hosts), np.bool_)
    asking[flows.client[breaks.flow]] = True
    rows = np.flatnonzero(packets.flow >= 0)
    rows = rows[asking[flows.client[packets.flow[rows]]]]
    counts = np.zeros(len(breaks), np.int64)
    for place, outbound in enumerate((False, True)):
        chosen = rows[packets.outbound[rows] == outbound]
        moved, mine = Contrast(trace.contacts, packets.flow[chosen], packets.time[chosen]), breaks.side % 2 == place
        late = np.maximum(WITNESS_NS, WITNESS_TRIPS * np.maximum(trace.sides.rtt[breaks.side[mine] ^ 1], 0))
        begin, end = packets.time[breaks.passed[mine]] + late, breaks.until[mine] + ALIVE_NS
        counts[mine] = moved.others(breaks.flow[mine], "client", but="flow", begin=begin, end=end)
    return counts


def follow_courses(trace: Trace, stops: Stops) -> Courses:
    """List how far every connection got that was captured from its beginning, each time that it moved."""
    sides, flows, packets = trace.sides, trace.flows, trace.packets
    begun = (flows.protocol == TCP) & (sides.syn[0::2] >= 0) & (sides.syn[1::2] >= 0)
    begun[trace.quic.flow] = True
    flow = np.flatnonzero(begun & under_way(trace))
    near = trace.by_flow.take(flow)
    owner, row = near.parents(), near.values.astype(np.int64)
    since = np.full(len(flows), -1)
    since[stops.flow] = stops.last  # the last write wins: the last stop
    keep = (packets.marks[row] & Mark.DUPLICATE_FRAME == 0) & (row > since[flow[owner]])
    owner, row = owner[keep], row[keep]
    pieces, _ = wire_pieces(trace, row)
    count = np.bincount(owner, pieces, len(flow)).astype(np.int64)
    size = np.bincount(owner, np.where(packets.outbound[row], 0, packets.payload_length[row]), len(flow))
    moved = size > 0
    return Courses(
        flow=np.concatenate([flow[moved], stops.flow]),
        packets=np.concatenate([count[moved], stops.packets.min(axis=1)]),
        bytes=np.concatenate([size.astype(np.int64)[moved], stops.bytes.min(axis=1)]),
        stop=np.concatenate([np.full(int(moved.sum()), -1), np.where(stops.client_alive, np.arange(len(stops)), -1)]),
    )
