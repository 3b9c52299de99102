"""Bytes that never arrive though later ones do: a box that picks packets, or a path that is too narrow for some."""

import numpy as np

from netinterf.analyzers.unanswered.silences import TCP, WAIT_NS, Kind, Silences, waiting_shown
from netinterf.arrays import I64
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["find_holes", "lost_answers"]


def lost_answers(trace: Trace, silences: Silences) -> tuple[I64, I64]:
    """Find answers that were given and never arrived: the other end's own numbers count bytes of which none was seen.

    A host acknowledges from where its stream has got to (RFC 9293 §3.4). Blind where the capture lost packets.

    Returns:
        Bytes that the other end had sent, 0 for none, and the row in Packets that shows it, -1 for none.
    """
    packets = trace.packets
    size, witness = np.zeros(len(silences), np.int64), np.full(len(silences), -1)
    unanswered = np.flatnonzero(
        silences.is_kind(Kind.UNANSWERED_REQUEST) & (trace.recording.loss_share[silences.flow] == 0)
    )
    if not len(unanswered):
        return size, witness
    near = trace.by_flow.take(silences.flow[unanswered])
    owner, row = unanswered[near.parents()], near.values.astype(np.int64)
    theirs = packets.outbound[row] != (silences.side[owner] % 2 == 0)
    theirs &= (packets.tcp_flags[row] & TcpFlag.RST == 0) & (packets.relative_seq[row] > 1)
    owner, row = owner[theirs][::-1], row[theirs][::-1]
    size[owner], witness[owner] = packets.relative_seq[row] - 1, row  # the last write wins: the first that shows it
    return size, witness


def find_holes(trace: Trace) -> Silences:
    """Find streams with a hole that was never filled or acknowledged, though the far end went on behind it.

    A hole that the receiver acknowledged is one of the capture only; where there are such, no hole tells anything.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    row = np.flatnonzero((packets.marks & Mark.GAP_BEFORE != 0) & (packets.protocol == TCP) & (packets.flow >= 0))
    row = row[packets.marks[row] & Mark.DUPLICATE_FRAME == 0]
    if not len(row):
        return Silences.none()
    row = row[trace.recording.loss_share[packets.flow[row]] == 0]
    far = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    waits = waiting_shown(trace).reshape(-1)[far ^ 1]
    open_ = waits & (sides.acked[far] >= 1) & (packets.relative_seq[row] > sides.acked[far]) & (sides.rst[far] < 0)
    far, first = np.unique(far[open_], return_index=True)
    row, near = row[open_][first], far ^ 1
    since, end = packets.time[row], trace.heard_until(packets.time[row])
    last = sides.last[near].astype(np.int64)
    until = np.where(packets.time[last] - since >= WAIT_NS, packets.time[last], np.minimum(since + WAIT_NS, end))
    keep = (until - since >= WAIT_NS) & (sides.packets[near] > 0) & (end - flows.first[far // 2] >= WAIT_NS)
    keep &= trace.heard_throughout(since, packets.time[last])
    far, near, row, last, since, until = (column[keep] for column in (far, near, row, last, since, until))
    return Silences(
        flow=far // 2,
        side=near,
        kind=np.full(len(far), Kind.HOLE, np.int64),
        row=row,
        last=np.maximum(last, row),
        since=since,
        until=until,
        tries=np.ones(len(far), np.int64),
        unanswered_payload=packets.relative_seq[row] - sides.acked[far],
        first_data=sides.acked[far] <= 1,
        heard_deaf=np.full(len(far), -1),
        paused=np.zeros(len(far), np.int64),
    )
