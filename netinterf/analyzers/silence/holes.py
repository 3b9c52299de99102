"""Bytes that never arrive though later ones do: a box that picks packets, or a path that is too narrow for some."""

import numpy as np

from netinterf.analyzers.silence.silences import TCP, WAIT_NS, Kind, Silences, end_of_capture, witnessed
from netinterf.schema import Mark
from netinterf.trace import Trace

__all__ = ["find_holes"]


def find_holes(trace: Trace) -> Silences:
    """Find streams with a hole that was never filled or acknowledged, though the far end went on behind it.

    A hole that the receiver acknowledged is one of the capture only; where there are such, no hole tells anything.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    row = np.flatnonzero((packets.marks & Mark.GAP_BEFORE != 0) & (packets.protocol == TCP) & (packets.flow >= 0))
    row = row[packets.marks[row] & Mark.DUPLICATE_FRAME == 0]
    if trace.facts.capture_loss_share > 0:
        row = row[:0]
    far = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    waits = np.array(witnessed(trace))[(far ^ 1) % 2]
    open_ = waits & (sides.acked[far] >= 1) & (packets.relative_seq[row] > sides.acked[far]) & (sides.rst[far] < 0)
    far, first = np.unique(far[open_], return_index=True)
    row, near = row[open_][first], far ^ 1
    since, end = packets.time[row], end_of_capture(trace)
    last = sides.last[near].astype(np.int64)
    until = np.where(packets.time[last] - since >= WAIT_NS, packets.time[last], np.minimum(since + WAIT_NS, end))
    kept = (until - since >= WAIT_NS) & (sides.packets[near] > 0) & (end - flows.first[far // 2] >= WAIT_NS)
    far, near, row, last, since, until = (column[kept] for column in (far, near, row, last, since, until))
    return Silences(
        flow=far // 2,
        side=near,
        kind=np.full(len(far), Kind.HOLED, np.int64),
        row=row,
        last=np.maximum(last, row),
        since=since,
        until=until,
        tries=np.ones(len(far), np.int64),
        size=packets.relative_seq[row] - sides.acked[far],
        first=sides.acked[far] <= 1,
        heard=np.full(len(far), -1),
        paused=np.zeros(len(far), np.int64),
    )
