"""What the packets of a finding look like, as numbers that a catalogue of systems can be held against."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U16, U32
from netinterf.attribute.dns_traits import read_replies
from netinterf.attribute.trait import MOST, UNKNOWN, Findings, Trait, Traits
from netinterf.numbering import combined, distinct, numbered
from netinterf.pieces import gather
from netinterf.schema import IpFlag, TcpFlag
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["read_traits"]

PERIOD = 200
"""Period of the counter that hop limit and window of one kind of reset are taken from (tcp-tampering, own
measurements on the captures of Tripwire: 146 of 146 on two residues; 200 values of TTL in Wu et al., S&P 2025)."""

BURST_NS = 50_000_000
"""Parts of one injector's answer lay 0.2 to 9 ms apart in public captures; see `netinterf.analyzers.rst_injection`."""

LEAST_BURSTS, LEAST_SPREAD, MOST_RESIDUES = 3, 5, 2
"""When that counter shows: bursts on one path, the spread of their hop limits, and residues (one for each of two
devices); by chance three bursts agree so once in a hundred times."""

COMPARED = (
    (Trait.TTL, Trait.TTLS),
    (Trait.IP_ID, Trait.IP_IDS),
    (Trait.WINDOW, Trait.WINDOWS),
    (Trait.DNS_LIFETIME, Trait.DNS_LIFETIMES),
)
"""Traits that are looked at again over all findings of a client."""

SEGMENT = 1460
"""Distance between the sequence numbers of successive resets, whatever the segment size (Weaver et al., NDSS 2009)."""


def read_traits(trace: Trace, findings: Findings) -> Traits:
    """Read the traits of findings whose packets were forged.

    Of packets in both directions those to the client count, if there are any: the others may be answers to them. Of
    resets the first burst counts: what comes later answers something else. Where some have ACK and some have not, two
    devices were at work (Wu et al., S&P 2025, types I and II), and those with ACK are described.
    """
    packets = trace.packets
    owner, row = findings.forged.parents(), findings.forged.values.astype(np.int64)
    tcp = packets.protocol[row] == 6
    inbound = tcp & ~packets.outbound[row]
    to_client = np.bincount(owner[inbound], minlength=len(findings.flow)) > 0
    selected = tcp & (packets.outbound[row] != to_client[owner])
    order = np.lexsort((row[selected], owner[selected]))
    owner, row = first_burst(trace, owner[selected][order], row[selected][order])
    value = np.full((len(findings.flow), len(Trait)), UNKNOWN, np.int64)
    if len(row):
        count_kinds(packets.tcp_flags[row], packets.payload_length[row], owner, value)
        owner, row = drop_bare_resets(trace, owner, row)
        describe_first(trace, findings, owner, row, value)
        describe_course(trace, owner, row, value)
        value[:, Trait.COUNTER] = from_counter(trace, findings, value)
    answers = read_replies(trace, findings, value)
    compare_findings(trace, findings, value)
    value[:, Trait.TRIGGER] = np.where(findings.trigger > 0, findings.trigger.astype(np.int64), UNKNOWN)
    return Traits(value=value, text=joined_text(carried(trace, findings, owner, row), answers))


def joined_text(left: Ragged, right: Ragged) -> Ragged:
    """Join two columns of text row by row; of each row one is empty."""
    stacked = Ragged.concat([left, right])
    return stacked.take(np.where(left.lengths > 0, np.arange(len(left)), len(left) + np.arange(len(right))))


def carried(trace: Trace, findings: Findings, owner: I64, row: I64) -> Ragged:
    """Gather what the packets carried; where a bare FIN closes an answer, that answer."""
    packets, sides = trace.packets, trace.sides
    subject, start = np.unique(owner, return_index=True)
    first = row[start]
    empty = np.bincount(owner, packets.payload_captured[row], len(findings.flow))[subject] == 0
    closing = empty & (packets.tcp_flags[first] & TcpFlag.FIN != 0)
    answer = sides.first_payload[2 * findings.flow[subject] + ~packets.outbound[first]].astype(np.int64)
    closing &= (answer >= 0) & (answer < first)
    row = np.where(closing[np.searchsorted(subject, owner)], answer[np.searchsorted(subject, owner)], row)
    length = packets.payload_captured[row].astype(np.int64)
    text = gather(trace.buffer, packets.payload_start[row], length)
    size = np.bincount(owner, length, len(findings.flow)).astype(np.int64)
    return Ragged.from_lengths(size, text)


def first_burst(trace: Trace, owner: I64, row: I64) -> tuple[I64, I64]:
    """Leave out resets that come later than `BURST_NS` after the first packet of their finding."""
    packets = trace.packets
    start = np.flatnonzero(np.diff(owner, prepend=-1))
    began = np.repeat(packets.time[row[start]], np.diff(np.append(start, len(row))))
    selected = (packets.time[row] - began <= BURST_NS) | (packets.tcp_flags[row] & TcpFlag.RST == 0)
    return owner[selected], row[selected]


def drop_bare_resets(trace: Trace, owner: I64, row: I64) -> tuple[I64, I64]:
    """Of resets with and without ACK keep those with; other packets stay."""
    flags = trace.packets.tcp_flags[row]
    bare = (flags & TcpFlag.RST != 0) & (flags & TcpFlag.ACK == 0)
    mixed = np.bincount(owner[(flags & TcpFlag.RST != 0) & ~bare], minlength=int(owner.max(initial=0)) + 1) > 0
    selected = ~(bare & mixed[owner])
    return owner[selected], row[selected]


def count_kinds(flags: U16, length: U32, owner: I64, value: I64) -> None:
    """Count the packets of each kind."""
    reset, acks = flags & TcpFlag.RST != 0, flags & TcpFlag.ACK != 0
    for trait, mask in (
        (Trait.BARE, reset & ~acks),
        (Trait.ACKING, reset & acks),
        (Trait.FINS, ~reset & (flags & TcpFlag.FIN != 0)),
        (Trait.DATA, ~reset & (length > 0)),
    ):
        value[:, trait] = np.minimum(np.bincount(owner[mask], minlength=len(value)), MOST)
    value[np.bincount(owner, minlength=len(value)) == 0, : Trait.DATA + 1] = UNKNOWN


def describe_first(trace: Trace, findings: Findings, owner: I64, row: I64, value: I64) -> None:
    """Describe the first packet of each finding, beside what set it off and what the same end had sent."""
    packets, sides = trace.packets, trace.sides
    subject, start = np.unique(owner, return_index=True)
    first = row[start]
    flow = findings.flow[subject]
    side = 2 * flow + ~packets.outbound[first]
    v4 = packets.version[first] == 4
    cause = findings.trigger_packet[subject].astype(np.int64)
    triggered = (cause >= 0) & (packets.outbound[np.maximum(cause, 0)] != packets.outbound[first])
    reset = packets.tcp_flags[first] & TcpFlag.RST != 0
    ttl, ip_id = packets.ttl[first].astype(np.int64), packets.ip_id[first].astype(np.int64)
    syn = sides.syn[side].astype(np.int64)
    other_distance = np.abs(ttl - packets.ttl[np.maximum(syn, 0)].astype(np.int64)) > 2
    window = packets.window[first].astype(np.int64)
    before = ip_id - packets.ip_id[np.maximum(cause, 0)].astype(np.int64)
    other_flags = packets.tcp_flags[first].astype(np.int64) & ~(TcpFlag.RST | TcpFlag.ACK)
    request = sides.first_payload[side ^ 1].astype(np.int64)
    stage = np.where(request < 0, 0, np.where(cause == request, 1, 2))
    stage = np.where(
        (request >= 0) & ((request > first) | (cause < 0)), UNKNOWN, stage
    )  # a reset may overtake what drew it
    write = {
        Trait.RESET_BYTES: (packets.payload_length[first].astype(np.int64), reset),
        Trait.ODD_FLAGS: (other_flags, reset),
        Trait.TTL: (ttl, None),
        Trait.TTL_DISTANCE: (other_distance, (syn >= 0) & (syn != first)),
        Trait.IP_ID: (ip_id, v4),
        Trait.IP_ID_COPIED: (np.where(before == 0, 1, np.where(before == 1, 2, 0)), v4 & triggered),
        Trait.DF: (packets.ip_flags[first] & IpFlag.DONT_FRAGMENT != 0, v4),
        Trait.WINDOW: (window, None),
        Trait.WINDOW_COPIED: (window == packets.window[np.maximum(cause, 0)], triggered),
        Trait.OPTIONS: (packets.tcp_options[first] != 0, None),
        Trait.STAGE: (stage, None),
    }
    for trait, (numbers, known) in write.items():
        value[subject, trait] = numbers if known is None else np.where(known, numbers, UNKNOWN)


def describe_course(trace: Trace, owner: I64, row: I64, value: I64) -> None:
    """Describe how the fields go on over the packets of each finding with more than one."""
    packets = trace.packets
    follows = np.flatnonzero(owner[1:] == owner[:-1]) + 1
    subject = owner[follows]
    second = np.flatnonzero(np.append(True, subject[1:] != subject[:-1])[: len(subject)])  # findings are rising
    many = subject[second]
    columns: dict[Trait, NDArray[Any]] = {Trait.TTL_COURSE: packets.ttl, Trait.IP_ID_COURSE: packets.ip_id}
    for trait, column in columns.items():
        step = column[row[follows]].astype(np.int64) - column[row[follows - 1]].astype(np.int64)
        level, rising = (np.bincount(subject, step != wanted, len(value))[many] == 0 for wanted in (0, 1))
        value[many, trait] = np.where(level, 0, np.where(rising, 1, 2))
    v4 = packets.version[row[follows]][second] == 4
    value[many, Trait.IP_ID_COURSE] = np.where(v4, value[many, Trait.IP_ID_COURSE], UNKNOWN)
    ids = packets.ip_id[row].astype(np.int64)
    id_step = (ids[follows] - ids[follows - 1])[second] & 0xFFFF
    value[many, Trait.SECOND_IP_ID] = np.where(v4, id_step, UNKNOWN)
    ttl = packets.ttl[row].astype(np.int64)
    value[many, Trait.SECOND_TTL] = np.abs(ttl[follows] - ttl[follows - 1])[second]
    step = np.abs(packets.relative_seq[row[follows]] - packets.relative_seq[row[follows - 1]])[second]
    resets = packets.tcp_flags[row] & TcpFlag.RST != 0
    two_resets = (resets[follows] & resets[follows - 1])[second]
    value[many, Trait.SEQ_COURSE] = np.where(
        two_resets, np.where(step == 0, 0, np.where(step == SEGMENT, 1, 2)), UNKNOWN
    )
    value[many, Trait.SEQ_STEP] = np.where(two_resets, step, UNKNOWN)


def from_counter(trace: Trace, findings: Findings, value: I64) -> I64:
    """Say which findings lie on a path whose resets take hop limit and window from one counter.

    Unknown on paths with few bursts, and where all have one hop limit: some networks level them.
    """
    flows = trace.flows
    with_ack = np.flatnonzero(value[:, Trait.ACKING] > 0)
    ttl, residue = value[with_ack, Trait.TTL], (value[with_ack, Trait.WINDOW] - value[with_ack, Trait.TTL]) % PERIOD
    pair = flows.client[findings.flow].astype(np.int64) * len(trace.hosts) + flows.server[findings.flow]
    path, first = numbered(pair)
    count, path = len(first), path[with_ack]
    low, high = np.full(count, 256), np.full(count, -1)
    np.minimum.at(low, path, ttl)
    np.maximum.at(high, path, ttl)
    ttls, residues = (np.bincount(distinct(path * 256 + column) // 256, minlength=count) for column in (ttl, residue))
    counter = (residues <= MOST_RESIDUES) & (ttls > residues)
    able = (np.bincount(path, minlength=count) >= LEAST_BURSTS) & (high - low > LEAST_SPREAD)
    result = np.full(len(value), UNKNOWN, np.int64)
    result[with_ack] = np.where(able[path], counter[path], UNKNOWN)
    return result


def compare_findings(trace: Trace, findings: Findings, value: I64) -> None:
    """Say what stays the same from one finding to the next, where a client has `LEAST_BURSTS` of one shape."""
    shape = (value[:, trait] for trait in (Trait.BARE, Trait.ACKING, Trait.FINS))
    box = combined(trace.flows.client[findings.flow], *shape)
    for trait, over in COMPARED:
        known = np.flatnonzero(value[:, trait] != UNKNOWN)
        count = np.bincount(box[known], minlength=len(value))
        kinds = np.bincount(distinct(box[known] << 32 | value[known, trait]) >> 32, minlength=len(value))
        several = kinds[box[known]] > 1
        value[known, over] = np.where(count[box[known]] >= LEAST_BURSTS, several, UNKNOWN)
