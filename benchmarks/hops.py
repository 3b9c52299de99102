"""How unevenly long the ways there and back are: ``python -m benchmarks hops``.

Route traces over TCP show the way to a server: the least hop limit with which a request got there, where routers report
those that did not. The hop limit of the server's greeting shows the way back. What both differ by bounds what
``drop.before_server`` may weigh.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.reality.reserve import reserved
from benchmarks.truth import load
from netinterf.analyzers.silence.probes import way_back
from netinterf.arrays import I64
from netinterf.errors import NetinterfError
from netinterf.numbering import combined
from netinterf.trace import Trace, read

__all__ = ["measure", "uneven"]

LEAST = 8
"""Hop limits that were tried between two hosts for it to be a route trace."""

TCP = 6


def uneven(trace: Trace) -> I64:
    """Say by how many hops the way back is longer than the way there, for each pair of hosts with a route trace."""
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    asked, greeting = sides.first_payload[0::2].astype(np.int64), sides.syn[1::2].astype(np.int64)
    flow = np.flatnonzero((flows.protocol == TCP) & (asked >= 0) & (greeting >= 0))
    row, expired = asked[flow], np.isin(flow, trace.quotes.flow)
    if not len(flow):
        return np.empty(0, np.int64)
    arrived = sides.acked[2 * flow] >= packets.relative_seq[row] + packets.payload_length[row]
    ttl, back = packets.ttl[row].astype(np.int64), way_back(packets.ttl[greeting[flow]])
    pair = combined(flows.client[flow], flows.server[flow])
    found = []
    for one in np.unique(pair[arrived]).tolist():
        mine = pair == one
        there = int(ttl[mine & arrived].min())
        if there > 1 and expired[mine].any() and len(np.unique(ttl[mine])) >= LEAST:
            found.append(int(np.median(back[mine])) - there)
    return np.array(found, np.int64)


def measure(captures: Path) -> dict[str, Counter[int]]:
    """Count differences by repository, over a labelled folder without its reserve."""
    found: dict[str, Counter[int]] = {}
    for row in load(captures).files:
        if reserved(row.repo):
            continue
        try:
            differ = uneven(read(captures / row.file))
        except (NetinterfError, FileNotFoundError):
            continue
        if len(differ):
            found.setdefault(row.repo, Counter()).update(differ.tolist())
    return found
