"""Is a reset's header its claimed sender's? Fields that another device, or a forger, would write otherwise.

Boxes build the resets that they forge anew, and hardly any writes all fields as the host does whose name it borrows;
hosts write many of theirs as they write all else. Fields that FINs and data have as well are compared in
`netinterf.analyzers.forgery.header`; what resets alone can show is found here, and all of it is weighed here.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.aftermath import kernel_beside_program
from netinterf.analyzers.forgery.header import PADDING, HeaderSigns, SideGroups
from netinterf.analyzers.forgery.oddity import from_gateway
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.analyzers.forgery.writer import hops_off
from netinterf.analyzers.rst_injection import rules
from netinterf.analyzers.sides import stamps_agreed
from netinterf.analyzers.signs import Sign, sign, weakened
from netinterf.arrays import I64, Mask
from netinterf.numbering import distinct
from netinterf.schema import IpFlag, TcpFlag
from netinterf.table import spans
from netinterf.trace import Trace

__all__ = ["compare_with_sender", "foreign_fields", "header_signs"]

FEWEST = 3
"""Fields that must be comparable: one or two are met by accident. Judgement, not fitted; what it is worth is counted
(``python -m benchmarks resemblance``)."""

VARIETY = 3
"""Flows, and hop limits among them, from which resets that vary are no accident of one route change."""

ABNORMAL = TcpFlag.NS | TcpFlag.RESERVED | TcpFlag.URG | TcpFlag.FIN | TcpFlag.SYN | TcpFlag.ECE | TcpFlag.CWR
"""Flags that no stack sets on a reset."""

ONE_DEVICE = 5.0
"""What hop limit, timestamps, the don't-fragment flag and an odd window may say together: another device near the
server, a load balancer or a firewall that rejects for it, explains them all at once."""

COMPARED = (rules.TTL, rules.TTL_CLASS, rules.DF, rules.ODD_WINDOW, rules.BARE_WINDOW)
"""Fields that `compare_with_sender` compares by itself, each where it can; all others are strange where they show."""

DEVICE = (*COMPARED, rules.NO_TIMESTAMPS)


def header_signs(
    trace: Trace, suspects: Suspects, headers: HeaderSigns, tolerance: int, copies_others: Mask
) -> list[Sign]:
    """Weigh all that a reset's header says for its sender or against it.

    Args:
        trace: The capture.
        suspects: Its resets.
        headers: What their headers say as those of any packet do.
        tolerance: Hops by which a reset may differ from its sender's other packets.
        copies_others: Resets that answer late data, from which they may rightly copy IP ID and window.
    """
    foreign = foreign_fields(trace, suspects, headers, tolerance)
    tells = {
        rules.TTL_VARIES: hops_differ(trace, suspects, headers, tolerance),
        rules.IP_ID: trace.recording.ip_id_informative[suspects.flow] & ~headers.copied_id,
        rules.COPIED_ID: ~copies_others,
        rules.COPIED_WINDOW: ~copies_others,
    }
    shown = [weakened(sign, tells[sign.rule]) if sign.rule in tells else sign for sign in foreign]
    gateway = from_gateway(trace, suspects.row, suspects.side)
    return [
        *of_one_device(shown, kernel_beside_program(trace, suspects)),
        sign(rules.IN_COUNTER, headers.in_counter),
        sign(rules.AS_THE_HOST, compare_with_sender(trace, suspects, headers, foreign)[1]),
        sign(rules.GATEWAY, gateway),
        sign(rules.GATEWAY_FORGOT, gateway_forgot(trace, suspects, gateway)),
    ]


def foreign_fields(trace: Trace, suspects: Suspects, headers: HeaderSigns, tolerance: int) -> list[Sign]:
    """List what the claimed sender, or any host, would not write, whether or not it tells something there."""
    jump, differ = hops_off(headers, tolerance), hops_differ(trace, suspects, headers, tolerance)
    off_counter, payload = ~np.isnan(headers.ip_id_jump), real_payload(trace, suspects)
    acks = np.where(suspects.acks, 1.0, BARE_ID)
    return [
        sign(rules.TTL, differ & ~headers.ttl_class, {"jump": jump}),
        sign(rules.TTL_CLASS, differ & headers.ttl_class, {"jump": jump}),
        sign(rules.TTL_VARIES, varying_ttl(trace, suspects)),
        sign(rules.NO_TIMESTAMPS, headers.no_timestamps),
        sign(rules.IP_ID, off_counter, {"distance": headers.ip_id_jump}, strength=acks),
        sign(rules.COPIED_ID, headers.copied_id),
        sign(rules.DF, headers.fragment_flag),
        sign(rules.COPIED_WINDOW, headers.copied_window),
        sign(rules.ODD_WINDOW, headers.odd_window),
        sign(rules.BARE_WINDOW, bare_window(trace, suspects)),
        sign(rules.WINDOW_VARIES, varying_window(trace, suspects)),
        sign(rules.ODD_FLAGS, trace.packets.tcp_flags[suspects.row] & ABNORMAL != 0),
        sign(rules.PAYLOAD, payload > 0, {"bytes": payload}),
    ]


def hops_differ(trace: Trace, suspects: Suspects, headers: HeaderSigns, tolerance: int) -> Mask:
    """Say whose hop limit is not its sender's; equal or rewritten ones tell nothing."""
    differ: Mask = ~np.isnan(hops_off(headers, tolerance)) & trace.recording.ttl_informative[suspects.flow]
    return differ


BARE_ID = 0.25
"""Share of its weight that a number off the counter keeps on a bare reset: stacks write those for connections that they
do not know, often from another counter (RFC 6864 §4.1: any number will do). Judgement, not fitted."""


def of_one_device(signs: list[Sign], kernel: Mask) -> list[Sign]:
    """Let those that another device explains at once say no more than `ONE_DEVICE`, and nothing where a kernel did.

    Args:
        signs: What differs.
        kernel: Resets that a host's kernel may have written, which knows nothing of a program that sends by itself.
    """
    every = np.sum([sign.llr for sign in signs if sign.rule in DEVICE], axis=0)
    share = np.minimum(1.0, ONE_DEVICE / np.maximum(every, 1e-9)) * ~kernel
    return [weakened(sign, share) if sign.rule in DEVICE else sign for sign in signs]


def compare_with_sender(
    trace: Trace, suspects: Suspects, headers: HeaderSigns, foreign: Iterable[Sign]
) -> tuple[Mask, Mask]:
    """Hold each reset against the other packets of its claimed sender, in every field that can be compared.

    A field counts where the host's own packets show what it writes there and a reset has to follow: without an ACK it
    carries no timestamps, and a window of 0 says nothing. A counter of identifications or a clock that goes on is worth
    more and speaks for itself, so that those that show one are left out.

    Returns:
        Which could be compared in `FEWEST` fields and more, and which of those are the same in all of them and show
        nothing strange.
    """
    own = headers.in_counter | headers.own_timestamps
    fields = comparable_fields(trace, suspects, headers)
    known = np.sum([comparable for comparable, _ in fields], axis=0, dtype=np.int64)
    same = np.all([~comparable | fits for comparable, fits in fields], axis=0)
    others = [sign.where for sign in foreign if sign.rule not in COMPARED]
    strange = np.any([np.broadcast_to(where, len(suspects)) for where in others], axis=0)
    compared = (known >= FEWEST) & ~own
    return compared, compared & same & ~strange


def comparable_fields(trace: Trace, suspects: Suspects, headers: HeaderSigns) -> list[tuple[Mask, Mask]]:
    """Say of each field where it could be compared, and where it is as its sender writes it.

    Identification and window of a greeting follow rules of their own, so that these are read behind it.
    """
    packets, row, base = trace.packets, suspects.row, suspects.base
    later = base.take(packets.tcp_flags[base.row] & TcpFlag.SYN == 0)
    everything, group = SideGroups(base, suspects.side), SideGroups(later, suspects.side)
    flag, v4 = packets.ip_flags & IpFlag.DONT_FRAGMENT != 0, packets.version[row] == 4
    df_known, df = steady(everything, flag[base.row], flag[row])
    id_known, id_same = steady(group, packets.ip_id[later.row], packets.ip_id[row])
    id_known &= (group.count > 1) & trace.recording.ip_id_informative[suspects.flow]
    hops = ~np.isnan(headers.ttl_jump) & trace.recording.ttl_informative[suspects.flow]
    window = packets.window.astype(np.int64)
    stamped = suspects.acks & stamps_agreed(trace, suspects.side) & (group.count > 0)
    return [
        (hops, headers.ttl_jump == 0),
        (v4 & df_known, df),
        steady(everything, packets.tos[base.row], packets.tos[row]),
        (v4 & id_known, id_same),
        ((window[row] > 0) & (group.count > 0), group.holds(window[later.row], window[row])),
        (stamped, headers.own_timestamps),
    ]


def steady(group: SideGroups, values: NDArray[Any], own: NDArray[Any]) -> tuple[Mask, Mask]:
    """Compare a field that is one and the same in all packets of a side."""
    usual = group.least(values)
    return (group.count > 0) & (usual == group.most(values)), own.astype(np.int64) == usual


def bare_window(trace: Trace, suspects: Suspects) -> Mask:
    """Find bare resets with a window that is none of its sender's, nor that of the addressee's packet before it."""
    packets, base = trace.packets, suspects.base
    window = packets.window[suspects.row].astype(np.int64)
    group = SideGroups(base, suspects.side)
    other = base.at(base.row, suspects.previous_other)
    copied = (other >= 0) & (packets.window[np.maximum(other, 0)] == window)
    foreign = (group.count > 0) & ~group.holds(packets.window[base.row].astype(np.int64), window)
    bare: Mask = ~suspects.acks & foreign & (window > 0) & ~copied
    return bare


def varying_window(trace: Trace, suspects: Suspects) -> Mask:
    """Find bare resets of addresses that put two or more windows, none of them 0, on those of two or more flows.

    A stack that has no connection left has no window to tell: it writes 0, and a device that writes something else
    writes a constant. Injectors draw it at random (tampering captures from China, 2025: 899 to 59585).
    """
    host = claimed_host(trace, suspects.side)
    window = trace.packets.window[suspects.row].astype(np.int64)
    bare = ~suspects.acks & (window > 0)
    count = 2 * len(trace.hosts)
    kinds = np.bincount(distinct(host[bare] << 16 | window[bare]) >> 16, minlength=count)
    flows = np.bincount(claimed_host(trace, distinct(suspects.side[bare])), minlength=count)
    varies: Mask = bare & ((kinds >= 2) & (flows >= 2))[host]
    return varies


def varying_ttl(trace: Trace, suspects: Suspects) -> Mask:
    """Find resets of addresses whose resets arrive with ever other hop limits while their other packets do not.

    One host, or one firewall in front of it, writes all its resets alike, and route changes move all its packets
    alike. Injectors draw the hop limit at random, count it up, or copy it from the trigger (Anonymous et al., Triplet
    Censors, FOCI 2020, section 4; Wu et al., IEEE S&P 2025). Needs resets in three flows.
    """
    packets, base = trace.packets, suspects.base
    count = 2 * len(trace.hosts)
    host = claimed_host(trace, suspects.side)
    kinds = np.bincount(distinct(host << 8 | packets.ttl[suspects.row]) >> 8, minlength=count)
    flows = np.bincount(claimed_host(trace, distinct(suspects.side)), minlength=count)
    low, high = np.full(count, 255), np.zeros(count, np.int64)
    base_host, base_ttl = claimed_host(trace, base.side), packets.ttl[base.row].astype(np.int64)
    np.minimum.at(low, base_host, base_ttl)
    np.maximum.at(high, base_host, base_ttl)
    steady = (high >= low) & (high - low <= 1)  # equal-cost paths differ by a hop
    varies: Mask = ((kinds >= VARIETY) & (flows >= VARIETY) & steady)[host]
    return varies


def claimed_host(trace: Trace, side: I64) -> I64:
    """Number the address behind each side, apart for its roles as client and as server."""
    flow, server = side // 2, side % 2
    return 2 * np.where(server == 1, trace.flows.server[flow], trace.flows.client[flow]).astype(np.int64) + server


def real_payload(trace: Trace, suspects: Suspects) -> I64:
    """Count payload bytes on each reset, leaving out the zero bytes that only fill an Ethernet frame."""
    packets = trace.packets
    length = packets.payload_captured[suspects.row].astype(np.int64)
    short = np.flatnonzero((length > 0) & (length <= PADDING))
    if len(short):
        owner = np.repeat(short, length[short])
        filled = trace.buffer[spans(packets.payload_start[suspects.row[short]], length[short])] != 0
        length[np.setdiff1d(short, owner[filled])] = 0
    return length


def gateway_forgot(trace: Trace, suspects: Suspects, gateway: Mask) -> Mask:
    """Find resets of a gateway for clients of which it also ended connections that went on well.

    Their server had answered, and had taken more than the first data. Filters decide before: by a name, which is among
    the first data, or by the certificate that answers them.
    """
    packets, sides, base = trace.packets, trace.sides, suspects.base
    own, first = sides.first_payload[suspects.side], sides.first_payload[suspects.other].astype(np.int64)
    if not gateway.any():
        return gateway
    request_end = packets.relative_seq[first] + packets.payload_length[first]
    went_on = gateway & (own >= 0) & (own < suspects.row) & (first >= 0)
    went_on &= base.at(base.acked, suspects.previous, missing=0) > request_end
    client = trace.flows.client[suspects.flow]
    forgotten: Mask = gateway & np.isin(client, client[went_on])
    return forgotten
