"""Forged resets by the races they lose: sequence numbers that the host itself would not have sent.

Source: Weaver, Sommer, Paxson, "Detecting Forged TCP Reset Packets", NDSS 2009. An injector beside the path cannot take
packets back, so its resets meet data under way, or it sends several with growing numbers to hit. RST_SEQ_CHANGE follows
the exact conditions of Khattak's published re-implementation; the others follow the published descriptions.
"""

from itertools import pairwise

import attrs
import numpy as np

from benchmarks.rivals.base import Call, Rival, segments
from benchmarks.rivals.resets import reset_rows, reset_word
from netinterf.arrays import I64, U16, Mask
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["TESTS", "WEAVER", "weaver"]

SLACK = 2  # numbers that SYN and FIN may take; the paper's margin
WINDOW = 2_000_000_000  # ns between two packets of one race: 2.0 s
OVERTAKEN = 3_000_000  # ns; a reset so shortly behind data may have been overtaken by it. No margin was published

Rows = Mask


@attrs.frozen(eq=False)
class Side:
    """The packets of one flow as arrays in time order, seen from the side whose resets are tested."""

    time: I64
    seq: I64  # relative to the sender's first number
    end: I64  # seq and payload
    ack: I64  # -1 without the ACK flag
    flags: U16
    mine: Rows  # sent by the side under test

    @property
    def reset(self) -> Rows:
        """Say of each packet whether it is a reset."""
        resets: Rows = self.flags & TcpFlag.RST != 0
        return resets

    @property
    def data(self) -> Rows:
        """Say of each packet whether it is no reset and carries payload."""
        return ~self.reset & (self.end > self.seq)

    @property
    def sent(self) -> Rows:
        """Say of each packet whether the side under test sent it and it is no reset."""
        return self.mine & ~self.reset


def rst_seq_data(side: Side) -> Rows:
    """Find resets below the end of data that the same side sent before: a host resets at the end of what it sent."""
    sent = np.where(side.sent & side.data, side.end, -1)
    highest = np.maximum.accumulate(sent)
    at = np.where(sent == highest, side.time, np.iinfo(np.int64).min)
    since = side.time - np.maximum.accumulate(at)
    return side.mine & side.reset & (side.seq < highest) & (since >= OVERTAKEN) & (since <= WINDOW)


def data_seq_rst(side: Side) -> Rows:
    """Find resets that new data of the same side follows, at or above the reset's number and all it sent before."""
    found = np.zeros(len(side.time), np.bool_)
    new = side.sent & side.data
    highest = np.maximum.accumulate(np.where(side.sent, side.end, -1))
    for place in np.flatnonzero(side.mine & side.reset):
        later = np.flatnonzero(new[place + 1 :]) + place + 1
        fresh = (side.seq[later] >= max(side.seq[place], highest[place])) & (
            side.time[later] - side.time[place] <= WINDOW
        )
        found[place] = bool(fresh.any())
    return found


def rst_seq_change(side: Side) -> Rows:
    """Find pairs of resets of which the second lies beyond everything that was sent and acknowledged before the first.

    Both directions must have been seen, and before the first reset neither a FIN nor a reset of the other side.
    """
    found = np.zeros(len(side.time), np.bool_)
    ended = (side.flags & TcpFlag.FIN != 0) | (side.reset & ~side.mine)
    for first, second in pairwise(np.flatnonzero(side.mine & side.reset).tolist()):
        sent = side.seq[:first][side.sent[:first]].max(initial=-1)
        acked = side.ack[:first][(~side.mine & ~side.reset)[:first]].max(initial=-1)
        jump = side.seq[second] > max(side.seq[first] + SLACK, acked + SLACK, sent)
        near = side.time[second] - side.time[first] < WINDOW
        if jump and near and min(sent, acked) >= 0 and not ended[:first].any():
            found[[first, second]] = True
    return found


def rst_ack_change(side: Side) -> Rows:
    """Find resets of one side that acknowledge differently, of which one acknowledges what was never sent."""
    resets = np.flatnonzero(side.mine & side.reset & (side.ack >= 0))
    found = np.zeros(len(side.time), np.bool_)
    if len(resets) < 2 or len(np.unique(side.ack[resets])) < 2:
        return found
    theirs = np.maximum.accumulate(np.where(~side.mine & ~side.reset, side.end, -1))
    found[resets] = side.ack[resets] > theirs[resets] + SLACK
    return found


def syn_rst(side: Side) -> Rows:
    """Find resets and a SYN/ACK of the same side that answer one SYN: it was both refused and accepted.

    The published description gives no numbers. Asked for are a SYN/ACK behind the reset within the window, and no
    further SYN of the other side between them, which a port that just opened would answer differently.
    """
    found = np.zeros(len(side.time), np.bool_)
    syn = side.flags & TcpFlag.SYN != 0
    accepted = np.flatnonzero(side.sent & syn & (side.flags & TcpFlag.ACK != 0))
    for place in np.flatnonzero(side.mine & side.reset):
        later = accepted[(accepted > place) & (side.time[accepted] - side.time[place] <= WINDOW)]
        found[place] = len(later) > 0 and not np.any(syn[place : later[0]] & ~side.mine[place : later[0]])
    return found


TESTS = {
    "RST_SEQ_DATA": rst_seq_data,
    "DATA_SEQ_RST": data_seq_rst,
    "RST_SEQ_CHANGE": rst_seq_change,
    "RST_ACK_CHANGE": rst_ack_change,
    "SYN_RST": syn_rst,
}


def weaver(trace: Trace) -> list[Call]:
    """Call every flow of which a reset fails one of the tests, each side by itself; the resets that fail are named."""
    packets, headed, calls = trace.packets, segments(trace), []
    for flow in np.unique(packets.flow[reset_rows(trace)]).tolist():
        rows = trace.by_flow[flow]
        rows = rows[headed[rows]]
        seq, load = packets.relative_seq[rows], packets.payload_length[rows].astype(np.int64)
        acks = np.where(packets.tcp_flags[rows] & TcpFlag.ACK != 0, packets.relative_ack[rows], -1)
        failed: dict[str, Rows] = {}
        for mine in (packets.outbound[rows], ~packets.outbound[rows]):
            side = Side(packets.time[rows], seq, seq + load, acks, packets.tcp_flags[rows], mine)
            for name, test in TESTS.items():
                failed[name] = failed.get(name, np.zeros(len(rows), np.bool_)) | test(side)
        names = [name for name, resets in failed.items() if resets.any()]
        if names:
            forged = rows[np.logical_or.reduce([failed[name] for name in names])]
            frames = tuple(sorted(packets.frame[forged].tolist()))
            word = reset_word(trace, flow)
            calls.append(Call(kind="flow", row=flow, mechanism=word, frames=frames, says=", ".join(names)))
    return calls


WEAVER = Rival(
    name="Weaver's tests",
    source="Weaver, Sommer, Paxson, NDSS 2009; conditions of RST_SEQ_CHANGE from InjectedResetDetector (Khattak)",
    home=("tcp.reset", "tcp.connect.reset"),
    judge=weaver,
)
