"""What clients sent and heard, packet by packet: the beginning of every connection, as reads and writes.

A probe notes what its sockets did; a capture shows the packets behind that, so one packet with new data is one event.
Repeats are left out, since no socket sees them.
"""

from typing import Any

import numpy as np

from netinterf.arrays import I64
from netinterf.export.archival.outcomes import NEVER, Outcomes
from netinterf.schema import Mark, TcpFlag
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["MOST_EVENTS", "Events", "connection_events", "find_events"]

MOST_EVENTS = 32
"""Packets with data that are written of one connection (judgement): a handshake, a request and the beginning of its
answer take about ten, and interference that a packet sets off follows within these; the others are counted only."""

TCP = 6
NO_DATA = Mark.REPEAT | Mark.DUPLICATE_FRAME

Operation = dict[str, Any]


@frozen(eq=False)
class Events:
    """Packets with new data of each connection, by row in Flows."""

    packets: Ragged  # rows in Packets of the first of them
    left_out: I64  # how many more there are


def find_events(trace: Trace) -> Events:
    """Find the first packets with data of every connection, and count the others."""
    packets, by_flow = trace.packets, trace.by_flow
    rows = by_flow.values
    carries = (packets.payload_length[rows] > 0) & (packets.marks[rows] & NO_DATA == 0)
    carries &= packets.tcp_flags[rows] & TcpFlag.RST == 0  # nobody reads what a reset carries
    before = np.concatenate([[0], np.cumsum(carries)])
    place = before[:-1] - np.repeat(before[by_flow.offsets[:-1]], by_flow.lengths)  # among those of the flow
    count = np.diff(before[by_flow.offsets])
    listed = np.minimum(count, MOST_EVENTS)
    return Events(Ragged.from_lengths(listed, rows[carries & (place < MOST_EVENTS)]), count - listed)


def connection_events(trace: Trace, outcomes: Outcomes, events: Events, flow: int, address: str) -> list[Operation]:
    """Write the events of one connection in the order of time, without transaction.

    Args:
        trace: The capture.
        outcomes: How its operations ended.
        events: Its packets with data.
        flow: Row in Flows.
        address: The server, as ``host:port``.

    Returns:
        Objects of ``network_events`` with times in ns since 1970 UTC.
    """
    tcp = bool(trace.flows.protocol[flow] == TCP)
    proto, kind = ("tcp", "tls") if tcp else ("udp", "quic")
    listed: list[Operation] = []

    def add(operation: str, begin: int | None, end: int, failure: str | None = None, size: int | None = None) -> None:
        event = {"address": address, "failure": failure, "operation": operation, "proto": proto, "t0": begin, "t": end}
        listed.append(event if size is None else event | {"num_bytes": size})

    connect, handshake, ending = outcomes.connect, outcomes.handshake, outcomes.ending
    if connect.known[flow]:
        add("connect", connect.began(flow), int(connect.end[flow]), connect.failed(flow))
    if handshake.known[flow]:
        begin = int(handshake.begin[flow])
        add(f"{kind}_handshake_start", begin, begin)
    writes, reads = ("write", "read") if tcp else ("write_to", "read_from")
    over = int(ending.end[flow]) if ending.known[flow] and ending.failed(flow) == "connection_reset" else NEVER
    for row in events.packets[flow].tolist():
        time = int(trace.packets.time[row])
        if time > over:  # what comes behind a reset reaches no socket
            break
        operation = writes if trace.packets.outbound[row] else reads
        add(operation, time, time, size=int(trace.packets.payload_length[row]))
    if handshake.known[flow]:
        end = int(handshake.end[flow])
        add(f"{kind}_handshake_done", end, end, handshake.failed(flow))
    if ending.known[flow]:
        end = int(ending.end[flow])
        add(reads, end, end, ending.failed(flow))
    return sorted(listed, key=lambda event: int(event["t"]))
