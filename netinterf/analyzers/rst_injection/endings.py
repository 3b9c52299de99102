"""Templates of genuine endings: what a reset looks like when nobody interfered.

Every sign here argues against forgery and names the benign cause. The templates are those of RFC 9293 §3.10.7, of
RFC 2525 §2.17 (close with unread data) and of the kernels' own sources.
"""

import numpy as np

from netinterf.analyzers.forgery.header import HeaderSigns
from netinterf.analyzers.forgery.sequence import first_echoed
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.arrays import F64, I32, I64, Mask
from netinterf.schema import TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["EndingSigns", "ending_signs", "rested"]

RESUMED_NS = 1_000_000_000
"""Silence after which a packet speaks to a state that a box on the way may have lost. Requests follow their answers
within a second unless a person or a timer comes between (RFC 6298 §2.4 takes 1 s as the least retransmission timeout,
so a packet that was merely lost comes again at that age too)."""

IDLE_NS = 60_000_000_000  # clean-up resets of NAT, load balancers and firewalls come after 60 s and more of silence
ANSWER_SHARE = 0.8  # an answer takes the round trip; a fifth less is jitter of the estimate


@frozen(eq=False, kw_only=True)
class EndingSigns:
    """One entry per suspect."""

    abort: Mask  # RST/ACK with the sender's own timestamps: the application closed with data unread
    refused: Mask  # the only answer to a SYN, with the numbers of a closed port
    after_fin: Mask  # its own side had sent FIN before: the socket was gone
    answers_reset: Mask  # the other side had reset before: a closed socket answers late packets
    stray: Mask  # bare R that repeats the ack field of a segment one round trip old
    after_close: Mask  # it answers nothing but the other side's FIN: who is leaving needs no cutting off
    resumed: Mask  # it answers the first packet after a second of silence of both sides
    idle: Mask  # its side had been silent for a minute or more
    rested: F64  # seconds since everything that was asked had been answered; NaN: something was not
    closed_before: Mask  # after a reset that is certainly its side's own


def ending_signs(trace: Trace, suspects: Suspects, headers: HeaderSigns, forged_fins: I64) -> EndingSigns:
    """Compare every suspect with the templates of genuine endings; a forged FIN ended nothing."""
    packets, base, row = trace.packets, suspects.base, suspects.row
    fin = np.where(np.isin(suspects.side, forged_fins), -1, trace.sides.fin[suspects.side])
    rst = trace.sides.rst[suspects.other]
    other_row = base.at(base.row, suspects.previous_other)
    waited = np.where(other_row >= 0, packets.time[row] - packets.time[np.maximum(other_row, 0)], -1)
    rtt = trace.sides.rtt[suspects.side]
    in_time = (rtt < 0) | (waited >= ANSWER_SHARE * rtt)
    bare = ~suspects.acks & (packets.payload_length[row] == 0)
    closed = (packets.seq[row] == 0) & (packets.relative_ack[row] == 1)
    echoed = first_echoed(trace, suspects)
    return EndingSigns(
        abort=suspects.acks & headers.own_timestamps,
        refused=suspects.acks & (suspects.previous < 0) & closed,
        after_fin=((fin >= 0) & (fin < row)) | unseen_fin(trace, suspects),
        answers_reset=(rst >= 0) & (rst < row) & soon_after(trace, suspects, rst, rtt),
        stray=bare & (packets.window[row] == 0) & (echoed >= 0) & (echoed < row) & in_time,
        after_close=answers_fin(trace, suspects),
        resumed=breaks_silence(trace, suspects),
        idle=suspects.gap >= IDLE_NS,
        rested=rested(trace, suspects),
        closed_before=after_own_reset(trace, suspects, headers),
    )


def unseen_fin(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether the other side had acknowledged an end of its stream that the capture lacks.

    A FIN takes one number behind the data (RFC 9293 §3.4), so that whoever acknowledges one beyond all data that were
    captured has seen it, or a lone byte: a capture that lost that one packet does not say which, and excuses.
    """
    base, low = suspects.base, (1 << 40) - 1
    holds = trace.packets.payload_length[base.row] > 0 if len(base.row) else base.row > 0
    data = np.maximum.accumulate(base.side << 40 | np.where(holds, np.clip(base.end, 1, low), 1)) & low
    sent, heard = base.at(data, suspects.previous), base.at(base.acked, suspects.previous_other)
    unseen: Mask = (trace.sides.fin[suspects.side] < 0) & (heard == sent + 1)
    return unseen


def rested(trace: Trace, suspects: Suspects) -> F64:
    """Tell for how many seconds nobody had been owed anything; NaN where somebody was, or for less than a second.

    The server had the last word, and everything was acknowledged: front ends end such connections after a round number
    of seconds, and who cuts off has nothing to cut.
    """
    packets, base, row = trace.packets, suspects.base, suspects.row
    if not len(base.row):
        return np.full(len(suspects), np.nan)
    place = np.where(packets.payload_length[base.row] > 0, np.arange(len(base.row)), -1)
    place = np.maximum.accumulate(place)

    def word(side: I64, last: I64) -> I64:
        """Row of the last payload of a side up to a place in the base, -1 for none."""
        spoke = base.at(place, last)
        return np.where((spoke >= 0) & (base.at(base.side, spoke) == side), base.at(base.row, spoke), -1)

    mine, theirs = word(suspects.side, suspects.previous), word(suspects.other, suspects.previous_other)
    of_server = suspects.side % 2 == 1
    server, client = np.where(of_server, mine, theirs), np.where(of_server, theirs, mine)
    done = (base.at(base.acked, suspects.previous, missing=0) >= base.at(base.top, suspects.previous_other)) & (
        base.at(base.acked, suspects.previous_other, missing=0) >= base.at(base.top, suspects.previous)
    )
    quiet = packets.time[row] - packets.time[np.maximum(server, 0)]
    known = done & (server > client) & (client >= 0) & (quiet >= RESUMED_NS)
    seconds: F64 = np.where(known, quiet / 1e9, np.nan)
    return seconds


def answers_fin(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether all that the claimed sender had yet to answer was the other side's FIN."""
    packets, base = trace.packets, suspects.base
    heard = base.at(base.acked, suspects.previous, missing=0)
    last = base.at(base.row, suspects.previous_other)
    closing = (packets.tcp_flags[np.maximum(last, 0)] & TcpFlag.FIN) != 0 if len(packets) else last >= 0
    answers: Mask = (last >= 0) & closing & (base.at(base.top, suspects.previous_other) == heard + 1)
    return answers


def breaks_silence(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether the packets that a suspect may answer came after a second in which nobody spoke.

    Where the other side was not recorded, what it answers is not seen: then the silence of its own side tells.
    """
    packets, base = trace.packets, suspects.base
    heard = base.at(base.acked, suspects.previous, missing=0)
    place = base.first_above(base.top, suspects.other, np.maximum(heard, 0))  # the oldest that was not acknowledged
    row = base.at(base.row, place)
    own = np.where(place > 0, base.at(base.row, place - 1), -1)
    same = (place > 0) & (base.at(base.side, place - 1) == suspects.other)
    quiet = np.maximum(np.where(same, own, -1), base.at(base.row, base.before(suspects.side, np.maximum(row, 0))))
    known = (row >= 0) & (row < suspects.row) & (quiet >= 0)
    gap = packets.time[np.maximum(row, 0)] - packets.time[np.maximum(quiet, 0)] if len(packets) else row
    before = base.at(base.row, suspects.previous)
    alone = (trace.sides.packets[suspects.other] == 0) & (before >= 0)
    if len(packets):
        gap = np.where(alone, packets.time[suspects.row] - packets.time[np.maximum(before, 0)], gap)
    resumed: Mask = (known | alone) & (gap >= RESUMED_NS)
    return resumed


def soon_after(trace: Trace, suspects: Suspects, first: I32, rtt: I64) -> Mask:
    """Say whether the time since packet *first* was enough for it to reach the claimed sender and draw an answer."""
    since = trace.packets.time[suspects.row] - trace.packets.time[np.maximum(first, 0)]
    enough: Mask = (rtt < 0) | (since >= ANSWER_SHARE * rtt)
    return enough


def after_own_reset(trace: Trace, suspects: Suspects, headers: HeaderSigns) -> Mask:
    """Find resets behind one that continues the counters of its side: that one closed the connection already.

    Such late ones come from boxes in front of a host that answer for connections they saw closed.
    """
    own = (headers.in_counter | headers.own_timestamps) & (np.nan_to_num(headers.ttl_jump) == 0)
    first = np.full(len(trace.sides), np.iinfo(np.int64).max)
    np.minimum.at(first, suspects.side[own], suspects.row[own])
    return suspects.row > first[suspects.side]
