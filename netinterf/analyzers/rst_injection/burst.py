"""The shape of a burst: several resets at once, and fields that no end-host would write that way.

Injectors send several resets so that one lands in the window. A host that answers every segment of a flight also sends
several, but each from its own send call: with its own IP ID, equal hop limits and, without ACK, an equal sequence
number.
"""

import attrs
import numpy as np

from netinterf.analyzers.forgery.counter import counted_together
from netinterf.analyzers.forgery.sequence import echoes_unseen, lossy, may_answer
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.arrays import I64, Mask
from netinterf.numbering import combined, ordered
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["BurstSigns", "answer_late_data", "burst_signs"]

BURST_NS = 50_000_000
"""Resets of one side closer than this form one burst: parts of one injector's answer lay 0.2-9 ms apart in captures."""

EXCESS = 3  # two may be an abort and the answer to what was under way

DEFAULT_MSS = 536  # RFC 9293 §3.7.1, where no option says more

CLONE_NS = 5_000_000  # copies of one packet come within 5 ms (triples within 0.2 ms in public captures)


@frozen(eq=False, kw_only=True)
class BurstSigns:
    """One entry per suspect."""

    size: I64  # resets of this side in the burst
    mixed: Mask  # with and without ACK, or several ack fields, unless each answers one segment
    excess: Mask  # three or more resets, and more than segments that can have drawn them
    per_segment: Mask  # several resets, but no more than one for each segment of a flight
    cloned: Mask  # an equal non-zero IP ID on another reset of the burst
    counting: Mask  # hop limit and window climb together, over the burst or from flow to flow


def burst_signs(trace: Trace, suspects: Suspects) -> BurstSigns:
    """Describe the burst that each suspect belongs to."""
    packets = trace.packets
    count = len(suspects)
    order = ordered(suspects.side)  # packets rise
    row, side = suspects.row[order], suspects.side[order]
    time = packets.time[row]
    apart = np.append(True, (side[1:] != side[:-1]) | (time[1:] - time[:-1] > BURST_NS))[:count]
    burst = np.cumsum(apart) - 1
    sizes = np.bincount(burst) if count else np.empty(0, np.int64)
    ack_and_flag = packets.relative_ack[row] + suspects.acks[order] * (np.int64(1) << 42)
    starts = np.flatnonzero(apart)
    mixed = _spread(ack_and_flag, starts) > 0
    flight = outstanding(trace, suspects)[order]
    # an abort acknowledges each segment once, in whatever order, before the bare answers to what was still under way
    acks = np.flatnonzero(suspects.acks[order])
    number = combined(burst[acks], ack_and_flag[acks])
    twice = acks[np.bincount(number)[number] > 1]
    like_abort = np.bincount(burst[twice], minlength=len(sizes)) == 0 if count else sizes > 0
    bare_first = np.append(False, ~apart[1:] & suspects.acks[order][1:] & ~suspects.acks[order][:-1])[:count]
    like_abort &= np.bincount(burst[bare_first], minlength=len(sizes)) == 0 if count else like_abort
    may_have_drawn = np.zeros(len(sizes), np.int64)
    np.maximum.at(may_have_drawn, burst, flight)
    sent = suspects.base.at(suspects.base.top, suspects.previous)
    # a server that has no room for a connection may refuse the end of its handshake, too (Linux, accept queue full)
    opened = np.bincount(burst[(sent == 1)[order]], minlength=len(sizes)) > 0 if count else like_abort
    may_have_drawn += like_abort & opened
    # a bare reset behind its side's data that repeats an ack field answers just that segment: injectors aim ahead
    stale = (~suspects.acks & may_answer(trace, suspects) & (packets.relative_seq[suspects.row] < sent))[order]
    answers = np.bincount(burst[stale], minlength=len(sizes)) > 0 if count else like_abort
    per_segment = (sizes >= 2) & (((sizes <= may_have_drawn) & like_abort) | answers)
    lost = (suspects.previous_other < 0) | echoes_unseen(trace, suspects)  # what was answered is not in the capture
    unseen = np.bincount(burst[lost[order]], minlength=len(sizes)) > 0 if count else like_abort
    follows = ~apart
    ids = packets.ip_id[row].astype(np.int64)
    close = follows & (np.diff(time, prepend=time[:1]) <= CLONE_NS) & (packets.version[row] == 4)
    clone = close & (ids == np.roll(ids, 1)) & (ids > 0)
    clone |= np.append(clone[1:], False)[:count]
    ttl, window = packets.ttl[row].astype(np.int64), packets.window[row].astype(np.int64)
    locked = _spread(window - ttl, starts) == 0
    climbs = (_spread(ttl, starts) > 0) & locked & (_spread(window, starts) > 0)
    again = repeats(trace, suspects)[order]
    repeated = np.bincount(burst[again], minlength=len(sizes)) > 0 if count else like_abort
    counted = (may_have_drawn > 0) & ~unseen
    excess = (sizes >= EXCESS) & (((sizes > may_have_drawn) & counted) | repeated) & ~answers
    signs = BurstSigns(
        size=sizes[burst] if count else burst,
        mixed=(mixed & ~per_segment & ~(unseen & like_abort))[burst] if count else np.zeros(0, np.bool_),
        excess=excess[burst],
        per_segment=per_segment[burst],
        cloned=clone,
        counting=(climbs[burst] if count else np.zeros(0, np.bool_)) | counted_on(trace, suspects)[order],
    )
    back = np.argsort(order)
    columns = {name: column[back] for name, column in attrs.asdict(signs, recurse=False).items()}
    return BurstSigns(**columns)


def counted_on(trace: Trace, suspects: Suspects) -> Mask:
    """Find resets in one server's name to one client whose hop limits and windows come out of one counter."""
    flows, row = trace.flows, suspects.row
    path = combined(flows.client[suspects.flow], flows.server[suspects.flow], suspects.side % 2)
    together = counted_together(path, trace.packets.ttl[row], trace.packets.window[row])
    return together & trace.recording.ttl_informative[suspects.flow]


def repeats(trace: Trace, suspects: Suspects) -> Mask:
    """Find resets with ACK that say the same at once more often than anything can have drawn them.

    Who answers each segment with a reset acknowledges what had come by then (RFC 9293 §3.10.7.1), so that `EXCESS` and
    more with one number need as many packets that reach it. Blind where the capture has holes.
    """
    packets, base = trace.packets, suspects.base
    place = np.flatnonzero(suspects.acks)
    fields = np.stack([suspects.side, packets.relative_seq[suspects.row], packets.relative_ack[suspects.row]])[:, place]
    order = np.lexsort((suspects.row[place], *fields))
    fields, place = fields[:, order], place[order]
    time = packets.time[suspects.row[place]]
    apart = (np.diff(fields, axis=1) != 0).any(axis=0) | (np.diff(time) > BURST_NS)
    group = np.cumsum(np.append(True, apart)[: len(place)]) - 1
    total = np.append(0, np.cumsum(wire_segments(trace, suspects)))
    reached = base.first_above(base.top, suspects.other[place], np.maximum(fields[2], 0) - 1)
    until = np.searchsorted(base.side << 32 | base.row, suspects.other[place] << 32 | suspects.row[place])
    drew = np.where((reached >= 0) & (reached < until), total[until] - total[np.maximum(reached, 0)], 0)
    often = np.bincount(group) if len(place) else group
    most = np.zeros(len(often), np.int64)
    np.maximum.at(most, group, drew)
    repeated = np.zeros(len(suspects), np.bool_)
    repeated[place] = ((often >= EXCESS) & (most > 0) & (often > most))[group]
    return repeated & ~lossy(trace, suspects)


def wire_segments(trace: Trace, suspects: Suspects) -> I64:
    """Count the segments that each packet of the base was on the wire: several where offload joined them."""
    base = suspects.base
    mss = trace.sides.mss[base.side].astype(np.int64)
    other_mss = trace.sides.mss[base.side ^ 1].astype(np.int64)
    usual = np.where((mss > 0) & (other_mss > 0), np.minimum(mss, other_mss), np.maximum(mss, other_mss))
    size = trace.packets.payload_length[base.row].astype(np.int64)
    count: I64 = np.maximum(1, -(-size // np.where(usual > 0, usual, DEFAULT_MSS)))
    return count


def outstanding(trace: Trace, suspects: Suspects) -> I64:
    """Count the other side's segments that may each have drawn a reset.

    Those are the segments since the claimed sender's last word of its own (payload, SYN or FIN), and what it had not
    acknowledged before.
    """
    base = suspects.base
    # who keeps silent on the handshake answers what comes after it
    handshake = (trace.packets.payload_length[base.row] == 0) & (base.end <= 1)
    total = np.append(0, np.cumsum(np.where(handshake, 0, wire_segments(trace, suspects))))
    word = base.end > np.append(-1, base.top[:-1]) if len(base.row) else base.end > 0
    word |= np.append(True, base.side[1:] != base.side[:-1])[: len(base.row)]
    place = np.where(word, np.arange(len(base.row)), -1)
    own = np.maximum.accumulate(place) if len(place) else place
    spoke = np.where(suspects.previous >= 0, base.at(base.row, base.at(own, suspects.previous)), -1)
    keys = base.side << 32 | base.row
    since = np.searchsorted(keys, suspects.other << 32 | (spoke + 1))
    acked = base.at(base.acked, suspects.previous, missing=0)
    unseen = base.first_above(base.top, suspects.other, np.maximum(acked - 1, 0))
    first = np.where(unseen >= 0, np.minimum(since, unseen), since)
    until = np.searchsorted(keys, suspects.other << 32 | suspects.row)
    count: I64 = np.maximum(total[until] - total[np.minimum(first, until)], 0)
    return count


def answer_late_data(trace: Trace, suspects: Suspects, closed: Mask) -> Mask:
    """Find resets behind their side's own FIN of which there are no more than segments of data that it did not take.

    Whoever closed, or a device before it, answers each of them, and may build the answer from it: that there are many,
    and whose window and identification they carry, tells nobody apart.

    Args:
        trace: The capture.
        suspects: Its resets.
        closed: Those whose side had ended its stream before.
    """
    packets, base = trace.packets, suspects.base
    if not len(suspects):
        return closed
    data = packets.payload_length[base.row] > 0
    total = np.append(0, np.cumsum(np.where(data, wire_segments(trace, suspects), 0)))
    keys = base.side << 32 | base.row
    fin = np.maximum(trace.sides.fin[suspects.side].astype(np.int64), 0)
    first, until = (np.searchsorted(keys, suspects.other << 32 | row) for row in (fin + 1, suspects.row))
    # what had passed the tap before the end and is not acknowledged by it was on its way, and late as well
    ahead = base.first_above(base.top, suspects.other, np.maximum(packets.relative_ack[fin], 0))
    first = np.where(ahead >= 0, np.minimum(first, ahead), first)
    order = ordered(suspects.side)  # packets rise
    mine = closed[order].astype(np.int64)
    starts = np.append(True, suspects.side[order][1:] != suspects.side[order][:-1])
    before = np.cumsum(mine) - mine
    rank = np.empty(len(suspects), np.int64)
    rank[order] = before + mine - np.maximum.accumulate(np.where(starts, before, 0))
    answers: Mask = closed & (rank <= total[until] - total[first])
    return answers


def _spread(values: I64, starts: I64) -> I64:
    """Greatest minus least value of each run that begins at *starts*."""
    if not len(values):
        return values
    return np.maximum.reduceat(values, starts) - np.minimum.reduceat(values, starts)
