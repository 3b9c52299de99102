"""TCP segments followed one by one in C, flow by flow: what is left to numpy, and what numpy need not look at.

Functions that list flows list those of which their twin in numpy has to be asked: all, where nothing is compiled.
"""

from typing import Any

import numpy as np

from netinterf.arrays import I32, I64, U8, U16
from netinterf.compiled import call, is_there
from netinterf.schema import Packets, Sides
from netinterf.table import Ragged
from netinterf.values import frozen

__all__ = ["COLUMNS", "SUMS", "Trips", "cut_heads", "mark", "round_trips", "sum_sides", "with_copies"]

COLUMNS = (
    *("time", "status", "protocol", "payload_length", "ttl", "ip_id", "tcp_flags", "seq", "ack", "window"),
    *("tcp_options", "mss", "window_shift", "tsval", "tsecr", "outbound"),
)
"""Columns of packets that are read, in the order that ``packets.h`` has them."""

SUMS = tuple(known.name for known in Sides.schema())[:-2]
"""Columns of sides that are written, in the order that ``sides.c`` has them: all but the round trips."""

UNKNOWN = {
    **dict.fromkeys(("first", "last", "syn", "fin", "rst", "first_payload", "sent", "acked", "rtt"), -1),
    "window_shift": 255,
}
"""What these columns hold of a side that sent nothing, where that is not 0."""


def with_copies(packets: Packets, by_flow: Ragged) -> I64:
    """List the flows in which a segment agrees with one of the few before it (see `duplicates`)."""
    return _asked("with_copies", packets, by_flow)


def mark(packets: Packets, by_flow: Ragged, seq: I64, ack: I64, marks: U16) -> I64:
    """Number and mark the segments of flows in which everything came in order or was only sent again.

    Args:
        packets: Packets with flow and outbound.
        by_flow: Rows of packets of each flow, in time order.
        seq: Relative sequence numbers, which are written; one for each packet.
        ack: Relative acknowledgement numbers, as well.
        marks: Marks that are added to; so far of copies alone.

    Returns:
        The flows that are left; what was written of them does not count.
    """
    return _asked("mark", packets, by_flow, seq, ack, marks)


def sum_sides(packets: Packets, by_flow: Ragged) -> Sides:
    """Sum up what each side of each flow sent (see `sides`); there has to be something compiled."""
    dtypes = {known.name: known.dtype for known in Sides.schema()}
    table = {name: np.full(2 * len(by_flow), UNKNOWN.get(name, 0), dtypes[name]) for name in dtypes}
    numbers = map(np.ascontiguousarray, (packets.relative_seq, packets.relative_ack, packets.marks))
    written = tuple(table[name] for name in SUMS)
    call("sum_sides", len(by_flow), by_flow.offsets, by_flow.values, columns(packets), *numbers, written)
    return Sides(**table)


@frozen(eq=False)
class Trips:
    """Pairs of rows of packets: what asked, and what answered."""

    covered: tuple[tuple[I32, I32], tuple[I32, I32]]  # what clients asked, what servers asked
    echoed: tuple[I32, I32]  # by a timestamp, in the order of flows
    left: I64  # flows, counted from the first one, whose timestamps were not looked at


def round_trips(packets: Packets, by_flow: Ragged, start: int, stop: int, sent: I64) -> Trips | None:
    """Find the round trips of the flows from *start* to *stop* (see `rtt`); there has to be something compiled.

    Args:
        packets: Packets with relative numbers and marks.
        by_flow: Rows of packets of each flow, in time order.
        start: The first flow.
        stop: Behind the last one.
        sent: Highest relative number of each side of all flows.

    Returns:
        Round trips of all flows and those of timestamps that rise; None where everything is left to numpy.
    """
    first = by_flow.offsets[start : stop + 1]
    total, room = int(first[-1] - first[0]), int(np.diff(first).max(initial=0))
    asked, answer = np.empty((2, 3, total), np.int32)
    counts, left, found = np.zeros(3, np.int64), np.empty(stop - start, np.int64), np.zeros(1, np.int64)
    numbers = map(np.ascontiguousarray, (packets.relative_seq, packets.relative_ack, packets.marks))
    reading = (stop - start, first, by_flow.values, columns(packets), *numbers, sent[2 * start : 2 * stop])
    call("round_trips", *reading, room, np.empty(4 * room, np.int32), total, asked, answer, counts, left, found)
    if found[0] < 0:
        return None
    client, server, echoed = (
        (asks[:count], answers[:count]) for asks, answers, count in zip(asked, answer, counts, strict=True)
    )
    return Trips((client, server), echoed, left[: int(found[0])])


def cut_heads(buffer: U8, packets: Packets, by_flow: Ragged, flows: int, limit: int) -> tuple[I64, ...]:
    """Cut the first payload bytes of each side into pieces (see `stream`); there has to be something compiled.

    Args:
        buffer: Bytes of the capture.
        packets: All packets.
        by_flow: Rows of packets of some flows, ascending.
        flows: How many flows there are in all.
        limit: Bytes of each side.

    Returns:
        The columns of `overlap.Pieces`.
    """
    number = np.ascontiguousarray(packets.flow)
    names = ("at", "captured", "ip_at", "payload_at", "relative_seq")
    places = [np.ascontiguousarray(getattr(packets, name)) for name in names]
    pieces, count = np.empty((5, len(by_flow.values)), np.int64), np.zeros(1, np.int64)
    rows = (len(by_flow), by_flow.offsets, by_flow.values, columns(packets))
    call("cut_heads", *rows, number, flows, *places, buffer, len(buffer), limit, tuple(pieces), count)
    return tuple(column[: int(count[0])] for column in pieces)


def _asked(name: str, packets: Packets, by_flow: Ragged, *others: Any) -> I64:
    """Call a function that lists flows."""
    if not is_there():
        return np.arange(len(by_flow))
    found, count = np.empty(len(by_flow), np.int64), np.zeros(1, np.int64)
    call(name, len(by_flow), by_flow.offsets, by_flow.values, columns(packets), *others, found, count)
    return found[: int(count[0])]


def columns(packets: Packets) -> tuple[Any, ...]:
    """Lay out the columns that are read."""
    return tuple(np.ascontiguousarray(getattr(packets, name)) for name in COLUMNS)
