"""Acknowledgements that were dropped on their way, told by the timestamps that come back.

A policer may let the data pass and drop what acknowledges it: then the sender repeats what had arrived long ago. Nobody
repeats an acknowledgement, but the sender echoes the timestamp of the last one that it heard (RFC 7323 §4.3). An
acknowledgement whose timestamp comes back has passed. One was lost when it is older than the round trip and what comes
back is still older. Of the others, overtaken before the sender spoke, nothing is known, and they are left out.

Without timestamps the retransmission timer tells: it repeats the first segment that the sender holds to be missing
(RFC 6298 §5.4), so all that acknowledged more, a round trip before, was lost, and what acknowledged just that passed.
"""

import numpy as np

from netinterf.analyzers.throttling.series import ETHERNET, Series, seconds
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Mark, TcpFlag, TcpOption
from netinterf.trace import Trace

__all__ = ["acknowledgement_series", "needless_repeats"]


TRIPS, SLACK = 2, 20_000_000
"""Least round trips, and nanoseconds, after which an acknowledgement would have been heard: paths jitter and queue."""

CONTROL = TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST
EXTRA = Mark.DUPLICATE_FRAME | Mark.KEEP_ALIVE


def needless_repeats(trace: Trace) -> I64:
    """Count, for each row of Sides, its packets that repeated what the other side had acknowledged already."""
    packets = trace.packets
    rows = np.flatnonzero(packets.marks & Mark.SPURIOUS)
    return np.bincount(2 * packets.flow[rows].astype(np.int64) + ~packets.outbound[rows], minlength=len(trace.sides))


def acknowledgement_series(trace: Trace, flows: I64, outbound: bool) -> Series:
    """Lay out the bare acknowledgements of one way of some flows, as far as their fate is known.

    Args:
        trace: The capture.
        flows: Rows in Flows.
        outbound: The way of the acknowledgements.

    Returns:
        The series; the payload of an acknowledgement is what it acknowledges for the first time, its delay the round
        trip until its timestamp came back, unknown without timestamps.
    """
    nothing = laid_out(trace, np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0))
    return nothing.joined([one_flow(trace, flow, outbound) for flow in flows.reshape(-1, 1)])


def one_flow(trace: Trace, flow: I64, outbound: bool) -> Series:
    """Lay out the acknowledgements of one flow."""
    packets, rows = trace.packets, trace.by_flow[int(flow[0])].astype(np.int64)
    rows = rows[(packets.tcp_flags[rows] & CONTROL == 0) & (packets.marks[rows] & EXTRA == 0)]
    stamped = packets.tcp_options[rows] & TcpOption.TIMESTAMPS != 0
    mine = packets.outbound[rows] == outbound
    if not stamped.any():
        return by_repeats(trace, flow, rows[mine & (packets.payload_length[rows] == 0)], rows[~mine], outbound)
    sent, heard = rows[stamped & mine & (packets.payload_length[rows] == 0)], rows[stamped & ~mine]
    if len(sent) == 0 or len(heard) == 0:
        return laid_out(trace, sent[:0], np.empty(0, np.bool_), np.empty(0))
    base = packets.tsval[sent[0]]
    stamp, echo = (
        (part - base).view(np.int32).astype(np.int64) for part in (packets.tsval[sent], packets.tsecr[heard])
    )
    echoes, first = np.unique(echo, return_index=True)
    place = np.minimum(np.searchsorted(echoes, stamp), len(echoes) - 1)
    leads = np.append(True, np.diff(stamp) != 0)  # of several with one timestamp only the first is known to have passed
    passed = (echoes[place] == stamp) & leads
    delay = np.where(passed, (packets.time[heard[first[place]]] - packets.time[sent]) / 1e9, np.nan)
    due = packets.time[sent] + TRIPS * max(int(trace.sides.rtt[2 * int(flow[0]) + outbound]), 0) + SLACK
    answer = np.searchsorted(packets.time[heard], due)
    newest = np.maximum.accumulate(echo)[np.minimum(answer, len(heard) - 1)]
    lost = (answer < len(heard)) & (newest < stamp) & (echoes[place] != stamp)
    known = passed | lost
    return laid_out(trace, sent[known], lost[known], delay[known])


def by_repeats(trace: Trace, flow: I64, sent: I64, heard: I64, outbound: bool) -> Series:
    """Lay out the acknowledgements of one flow without timestamps, by what its sender repeats needlessly.

    What it repeats tells how much it has heard acknowledged. A probe of its last segment (RFC 8985 §7) tells more than
    it has heard; later repeats of less give that away, so the least of what follows counts.

    Args:
        trace: The capture.
        flow: Row in Flows.
        sent: Acknowledgements, in time order.
        heard: Packets of the other side, in time order.
        outbound: The way of the acknowledgements.
    """
    packets = trace.packets
    again = heard[(packets.marks[heard] & Mark.SPURIOUS != 0) & (packets.payload_length[heard] > 0)]
    if len(sent) == 0 or len(again) == 0:
        return laid_out(trace, sent[:0], np.empty(0, np.bool_), np.empty(0))
    known = np.minimum.accumulate(packets.relative_seq[again][::-1])[::-1]
    acked = np.maximum.accumulate(packets.relative_ack[sent])
    fresh = np.diff(acked, prepend=-1) > 0  # the first with its number; of the others nothing is known
    due = packets.time[sent] + max(int(trace.sides.rtt[2 * int(flow[0]) + outbound]), 0) + SLACK
    answer = np.searchsorted(packets.time[again], due)
    heard_ack = known[np.minimum(answer, len(known) - 1)]
    passed = fresh & np.isin(acked, known)
    lost = fresh & (answer < len(again)) & (heard_ack < acked) & ~passed
    return laid_out(trace, sent[passed | lost], lost[passed | lost], np.full(int((passed | lost).sum()), np.nan))


def laid_out(trace: Trace, rows: I64, lost: Mask, delay: F64) -> Series:
    """Make a series of acknowledgements of one flow."""
    packets = trace.packets
    acked = np.maximum(packets.relative_ack[rows], 0)
    size = packets.payload_at[rows].astype(np.float64) - packets.ip_at[rows] + ETHERNET
    return Series(
        time=seconds(trace, packets.time[rows]),
        size=size,
        lost=lost,
        row=rows,
        flow=packets.flow[rows].astype(np.int64),
        start=acked,
        payload=np.maximum(np.diff(np.maximum.accumulate(acked), prepend=acked[:1]), 0),
        delay=delay,
        upstream=False,
    )
