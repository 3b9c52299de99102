"""Greetings of one server that announce ever other windows.

A host opens all connections to a port with the buffer that the port was given, so that its SYN/ACKs to one client
announce one window, and a few where several machines share the address. Some injectors draw the window of what they
forge at random (Wang et al., IMC 2017, type 1; seen for resets), others count it up together with the hop limit.
"""

import numpy as np

from netinterf.analyzers.forgery.counter import counted_together
from netinterf.arrays import I64
from netinterf.numbering import combined
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["find_counted", "find_varied"]

FEWEST = 3
"""Greetings, no two of them alike, from which their windows are no accident of a few machines behind one address.
Judgement, not fitted; what the sign is worth is fitted."""

VARIED_SHARE = 0.8
"""Share of distinct windows among the greetings: injectors draw from 65,536, machines repeat themselves.
Judgement, not fitted."""


def find_varied(trace: Trace) -> tuple[I64, I64]:
    """Find SYN/ACKs of a server to a client whose windows differ from connection to connection.

    Only greetings with the same options are compared, since the window may depend on them.

    Returns:
        Rows in Packets, one per flow, and how many different windows the server announced.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    synack = sides.syn[1::2].astype(np.int64)
    flow = np.flatnonzero((synack >= 0) & (sides.syn[0::2] >= 0) & (packets.window[np.maximum(synack, 0)] > 0))
    if len(flow) < FEWEST:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    side, row = 2 * flow + 1, synack[flow]
    server = combined(
        flows.client[flow], flows.server[flow], flows.server_port[flow], sides.syn_options[side], sides.mss[side]
    )
    counts = np.bincount(server)
    kinds = np.unique(server << 16 | packets.window[row])
    windows = np.bincount(kinds >> 16, minlength=len(counts))
    varied = (windows >= FEWEST) & (windows >= VARIED_SHARE * counts)
    pick = varied[server]
    return row[pick], windows[server[pick]]


def find_counted(trace: Trace) -> I64:
    """Find SYN/ACKs to a client in a server's name whose hop limits and windows come out of one counter.

    All greetings of a connection count, since the genuine one may stand beside the forged one.

    Returns:
        Rows in Packets, the first of each flow.
    """
    packets, flows = trace.packets, trace.flows
    synack = TcpFlag.SYN | TcpFlag.ACK
    row = np.flatnonzero(
        (packets.tcp_flags & (synack | TcpFlag.RST) == synack) & (packets.flow >= 0) & ~packets.outbound
    )
    if not len(row):
        return row
    flow = packets.flow[row]
    telling = trace.recording.ttl_informative[flow] & (packets.marks[row] & Mark.DUPLICATE_FRAME == 0)
    row, flow = row[telling], flow[telling]
    path = combined(flows.client[flow], flows.server[flow])
    row = row[counted_together(path, packets.ttl[row], packets.window[row])]
    _, first = np.unique(packets.flow[row], return_index=True)
    rows: I64 = row[first]
    return rows
