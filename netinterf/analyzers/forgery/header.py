"""Provenance: does a packet look like the others of its claimed sender?

Each field is compared with the sender's own packets in the same flow, never with a list of known values. No field
proves anything alone: load balancers, firewalls and stacks write resets that differ from data packets (28 % of genuine
ones carry another hop limit, Weaver et al. 2009, appendix C).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.analyzers.sides import SidePackets, stamps_agreed
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import among, distinct, risen
from netinterf.schema import IpFlag, TcpFlag, TcpOption
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["PADDING", "HeaderSigns", "SideGroups", "compare_headers"]

COUNTER_STEP, COUNTER_SHARE = 200, 0.8  # successive IP IDs 1..200 apart in 80 % of the steps make a counter
COUNTER_JUMP, COUNTER_JUMP_FACTOR = 16, 20  # out of the counter: beyond 16, and beyond 20 typical steps
NOTHING = np.empty(0, np.int64)
COUNTER_NEXT = 4  # steps that a host may have sent elsewhere in between
MAX_SHIFT = 14  # RFC 7323 §2.3
LEAST_MSS = 536  # RFC 9293 §3.7.1
PADDING = 6  # zero bytes that fill a 40-byte packet to the least Ethernet payload of 46 bytes (IEEE 802.3 §3.2.7)


@frozen(eq=False, kw_only=True)
class HeaderSigns:
    """What the headers of the suspects say; one entry per suspect."""

    ttl_jump: F64  # hop limit minus the sender's usual one; NaN when unknown
    ttl_class: Mask  # the hop limit started from another initial value (32, 64, 128, 255)
    no_timestamps: Mask  # RST/ACK without the option although the sender's other packets carry it
    own_timestamps: Mask  # timestamps that continue the sender's
    ip_id_jump: F64  # distance from the sender's IP ID counter; NaN when it is no counter
    in_counter: Mask  # the IP ID is the next of the sender's counter
    fragment_flag: Mask  # DF differs from all of the sender's other packets
    copied_id: Mask  # the IP ID is that of a packet that was answered, or one more
    copied_window: Mask  # the window field is the addressee's own, not the sender's
    odd_window: Mask  # RST/ACK whose window is unlike all of the sender's


def compare_headers(trace: Trace, suspects: Suspects) -> HeaderSigns:
    """Compare every suspect with the base of its claimed sender; fields without a baseline say nothing."""
    packets, base, row = trace.packets, suspects.base, suspects.row
    group = SideGroups(base, suspects.side)
    ttl = usual_ttl(trace, suspects, group)
    v4 = packets.version[row] == 4
    stamped = (packets.tcp_options & TcpOption.TIMESTAMPS) != 0
    base_data = (packets.tcp_flags[base.row] & TcpFlag.SYN) == 0
    always_stamps = group.least(np.where(base_data, stamped[base.row], True)) == 1
    negotiated = stamps_agreed(trace, suspects.side)
    df = (packets.ip_flags & IpFlag.DONT_FRAGMENT) != 0
    df_low, df_high = group.least(df[base.row]), group.most(df[base.row])
    data_only = df[row] & (packets.payload_length[row] > 0) & (group.most(packets.payload_length[base.row]) == 0)
    window = packets.window[row].astype(np.int64)
    base_window = packets.window[base.row].astype(np.int64)
    other_row = base.at(base.row, suspects.previous_other)
    other_window = np.where(other_row >= 0, packets.window[np.maximum(other_row, 0)].astype(np.int64), -1)
    ip_id = packets.ip_id[row].astype(np.int64)
    unlike = ~group.holds(base_window, window)
    own_id = (ip_id > 1) & ~group.holds(
        packets.ip_id[base.row].astype(np.int64), ip_id
    )  # 0 and 1 are constants of many
    jump, inside = counter_jump(trace, suspects, group)
    has_base = group.count > 0
    jump_ttl = packets.ttl[row] - ttl
    comparable = has_base & (~trace.recording.hops_apart[suspects.flow] | (np.abs(jump_ttl) != 1))
    return HeaderSigns(
        ttl_jump=np.where(comparable, jump_ttl, np.nan),
        ttl_class=has_base & (initial_ttl(packets.ttl[row]) != initial_ttl(ttl)),
        no_timestamps=suspects.acks & negotiated & always_stamps & ~stamped[row] & has_base,
        own_timestamps=continues_timestamps(trace, suspects),
        ip_id_jump=np.where(v4, jump, np.nan),
        in_counter=v4 & inside,
        # some stacks ask the path for its width with data only (two public captures of Windows Server 2003)
        fragment_flag=v4 & has_base & (df_low == df_high) & (df[row] != (df_low == 1)) & ~data_only,
        copied_id=v4 & own_id & mirrors_id(trace, suspects) & ~inside,
        copied_window=has_base
        & unlike
        & (window > 0)
        & (window < 65535)
        & (window == other_window)
        & ~whole_segments(trace, suspects),
        odd_window=suspects.acks
        & has_base
        & unlike
        & (window > 0)
        & (window != other_window)
        & ~scaled_down(trace, suspects, group)
        & ~filled_up(trace, suspects),
    )


class SideGroups:
    """Per-side summaries of the base, read out per suspect."""

    def __init__(self, base: SidePackets, side: I64) -> None:
        self.sides, self.starts = np.unique(base.side, return_index=True)
        self.base = base
        place = np.searchsorted(self.sides, side)
        inside = np.minimum(place, max(len(self.sides) - 1, 0))
        self.known = (place < len(self.sides)) & (self.sides[inside] == side if len(self.sides) else False)
        self.place = inside
        sizes = np.diff(np.append(self.starts, len(base.row)))
        self.count = np.where(self.known, sizes[inside] if len(sizes) else 0, 0)

    def _read(self, values: I64) -> I64:
        return np.where(self.known, values[self.place], -1) if len(values) else np.full(len(self.place), -1)

    def least(self, values: NDArray[np.generic]) -> I64:
        """Least value of the suspect's side, -1 without a base."""
        return self._read(np.minimum.reduceat(values.astype(np.int64), self.starts) if len(values) else NOTHING)

    def most(self, values: NDArray[np.generic]) -> I64:
        """Greatest value of the suspect's side, -1 without a base."""
        return self._read(np.maximum.reduceat(values.astype(np.int64), self.starts) if len(values) else NOTHING)

    def middle(self, values: I64) -> I64:
        """(Lower) median of the suspect's side, -1 without a base."""
        if not len(values):
            return self._read(values)
        order = np.lexsort((values, self.base.side))
        sizes = np.diff(np.append(self.starts, len(values)))
        return self._read(values[order][self.starts + (sizes - 1) // 2])

    def holds(self, values: I64, wanted: I64) -> Mask:
        """Say whether the suspect's side ever showed the wanted value (below 2**31)."""
        keys = distinct(self.base.side << 32 | values)
        key = np.where(self.known, self.sides[self.place] if len(self.sides) else 0, -1) << 32 | wanted
        return among(key, keys)


def usual_ttl(trace: Trace, suspects: Suspects, group: SideGroups) -> I64:
    """Give the hop limit that each suspect is held against: the usual one of its sender's packets.

    A device in front of a server may write the greeting and the server all that follows (RFC 4987 §3.8), so that a side
    has two hop limits of its own. A reset is held against the nearer: one that fits either is not foreign, one that
    fits neither is. Data and FINs are among what followed, and may be forged with it.

    Returns:
        Hop limits, -1 for a side without other packets.
    """
    packets, base = trace.packets, suspects.base
    flags, ttl = packets.tcp_flags[base.row], packets.ttl[base.row].astype(np.int64)
    here = packets.ttl[suspects.row].astype(np.int64)
    usual = np.full(len(suspects), -1)
    for part in (flags & TcpFlag.SYN != 0, flags & (TcpFlag.SYN | TcpFlag.FIN) == 0):
        subset = base.take(part)
        middle = SideGroups(subset, suspects.side).middle(ttl[part])
        nearer = (middle >= 0) & ((usual < 0) | (np.abs(here - middle) < np.abs(here - usual)))
        usual = np.where(nearer, middle, usual)
    reset = packets.tcp_flags[suspects.row] & TcpFlag.RST != 0
    return np.where(reset & (usual >= 0), usual, group.middle(ttl))


def counter_jump(trace: Trace, suspects: Suspects, group: SideGroups) -> tuple[F64, Mask]:
    """Measure how far each suspect's IP ID lies from its side's counter.

    A side counts when 80 % of the successive differences of at least three data-carrying steps lie in 1..200; the
    SYN/ACK of Linux carries 0 and is no step. NaN where the side does not count (zero, constant, random, IPv6).
    """
    packets, base = trace.packets, suspects.base
    usable = (packets.tcp_flags[base.row] & TcpFlag.SYN) == 0
    same = np.append(False, (base.side[1:] == base.side[:-1]) & usable[1:] & usable[:-1])[: len(base.side)]
    ids = packets.ip_id[base.row].astype(np.int64)
    step = np.where(same, (ids - np.roll(ids, 1)) % 65536, -1)
    counts = (step >= 1) & (step <= COUNTER_STEP)
    number = np.searchsorted(group.sides, base.side)
    steps = np.bincount(number[same], minlength=len(group.sides))
    good = np.bincount(number[counts], minlength=len(group.sides))
    typical = np.bincount(number[counts], weights=step[counts], minlength=len(group.sides)) / np.maximum(good, 1)
    is_counter = (steps >= 3) & (good >= COUNTER_SHARE * steps)
    here = np.where(group.known, is_counter[group.place] if len(is_counter) else False, False) & group.known
    last = suspects.previous
    before = base.at(ids, last)
    ahead = (packets.ip_id[suspects.row].astype(np.int64) - before) % 65536
    near = np.minimum(ahead, 65536 - ahead)
    usual = typical[group.place] if len(typical) else np.zeros(len(suspects))
    limit = np.maximum(COUNTER_JUMP, COUNTER_JUMP_FACTOR * usual)
    here &= last >= 0
    # to speak for the sender the number must be one of its next few: a random one is that once in a thousand times
    next_few = (ahead >= 1) & (ahead <= np.maximum(COUNTER_JUMP, COUNTER_NEXT * usual))
    return np.where(here & (near > limit), near, np.nan), here & next_few


def mirrors_id(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether a suspect's IP ID, or the one before, is that of a packet which its sender had yet to answer.

    A box that builds its answer from the packet before it may use any packet of the flight, not only the last.
    """
    packets, base = trace.packets, suspects.base
    keys = risen((base.side << 16 | packets.ip_id[base.row]) << 32 | base.row)
    last = base.at(base.row, suspects.previous)
    mirrored = np.zeros(len(suspects), np.bool_)
    if len(keys) == 0:
        return mirrored
    for less in (0, 1):
        wanted = (suspects.other << 16 | np.maximum(packets.ip_id[suspects.row].astype(np.int64) - less, 0)) << 32
        place = np.searchsorted(keys, wanted | suspects.row) - 1  # the last such packet before the suspect
        key = keys[np.maximum(place, 0)]
        mirrored |= (place >= 0) & (key >> 32 == wanted >> 32) & ((key & 0xFFFFFFFF) > last)
    return mirrored


def scaled_down(trace: Trace, suspects: Suspects, group: SideGroups) -> Mask:
    """Say whether a window that looks odd next to a SYN/ACK's is the same window, scaled.

    The field of a SYN/ACK is never scaled, that of all later packets is (RFC 7323 §2.2). Where the sender showed no
    later packet, half to twice the SYN/ACK's window is its own: what came in fills it, and stacks let it grow.
    """
    packets, base, sides = trace.packets, suspects.base, trace.sides
    later = group.most(((packets.tcp_flags[base.row] & TcpFlag.SYN) == 0).astype(np.int64)) == 1
    shift, other = sides.window_shift[suspects.side].astype(np.int64), sides.window_shift[suspects.other]
    first = group.most(packets.window[base.row].astype(np.int64))
    window = packets.window[suspects.row].astype(np.int64) << np.minimum(shift, MAX_SHIFT)
    scaled = (other <= MAX_SHIFT) | ((sides.syn[suspects.other] < 0) & (suspects.side % 2 == 1))  # answers an offer
    only_synack: Mask = ~later & (shift <= MAX_SHIFT) & (shift > 0) & scaled
    return only_synack & (2 * window >= first) & (window <= 2 * first)


def whole_segments(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether a window holds a whole number of segments, as the buffers of many stacks do: two may agree on it.

    44 and 45 segments of 1,460 bytes are usual (RFC 5681 §4.1 has receivers count in full segments).
    """
    window = trace.packets.window[suspects.row].astype(np.int64)
    whole = np.zeros(len(suspects), np.bool_)
    for side in (suspects.side, suspects.other):
        mss = trace.sides.mss[side].astype(np.int64)
        whole |= (mss >= LEAST_MSS) & (window % np.maximum(mss, 1) == 0)
    return whole


def filled_up(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether a window is a buffer of the greatest unscaled size less all that the other side has sent.

    Some stacks greet with a smaller window than the buffer that they then use (16,384 and 65,535 bytes for Windows
    Server 2003 in public captures). Chance, or somebody who does not count, hits that number once in 65,536 times.
    """
    packets, row = trace.packets, suspects.row
    taken = np.maximum(packets.relative_ack[row] - 1, 0)
    shift, other = trace.sides.window_shift[suspects.side], trace.sides.window_shift[suspects.other]
    unscaled = (shift == 0) | (np.maximum(shift, other) > MAX_SHIFT)
    full: Mask = unscaled & (packets.window[row].astype(np.int64) + taken == 65_535)
    return full & (taken > 0)


def initial_ttl(ttl: NDArray[Any]) -> I64:
    """Return the initial value that a hop limit most likely started from: 32, 64, 128 or 255."""
    return np.array([32, 64, 128, 255])[np.searchsorted([32, 64, 128], np.asarray(ttl, np.int64))]


def continues_timestamps(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether a suspect carries timestamps that fit the sender's: the value not older, the echo one it was sent."""
    packets, base = trace.packets, suspects.base
    row = suspects.row
    stamped = (packets.tcp_options[row] & TcpOption.TIMESTAMPS) != 0
    last = base.at(base.row, suspects.previous)
    other_row = base.at(base.row, suspects.previous_other)
    known = (last >= 0) & (other_row >= 0) & stamped
    age = (packets.tsval[row] - packets.tsval[np.maximum(last, 0)]).astype(np.int32)
    echo = (packets.tsval[np.maximum(other_row, 0)] - packets.tsecr[row]).astype(np.int32)
    fits: Mask = known & (age >= 0) & (age < 1 << 24) & (echo >= 0) & (echo < 1 << 24)
    return fits
