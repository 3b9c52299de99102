"""What the packets of a finding look like, as numbers that a catalogue of systems can be held against."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U16, U32
from netinterf.attribute.dns_traits import read_replies
from netinterf.attribute.trait import MOST, UNKNOWN, Finding, Trait, Traits
from netinterf.schema import IpFlag, TcpFlag
from netinterf.table import Ragged, spans
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


def read_traits(trace: Trace, found: Finding) -> Traits:
    """Read the traits of findings whose packets were forged.

    Of packets in both directions those to the client count, if there are any: the others may be answers to them. Of
    resets the first burst counts: what comes later answers something else. Where some have ACK and some have not, two
    devices were at work (Wu et al., S&P 2025, types I and II), and those with ACK are described.
    """
    packets = trace.packets
    owner, row = found.forged.parents(), found.forged.values.astype(np.int64)
    tcp = packets.protocol[row] == 6
    inbound = tcp & ~packets.outbound[row]
    to_client = np.bincount(owner[inbound], minlength=len(found.flow)) > 0
    kept = tcp & (packets.outbound[row] != to_client[owner])
    order = np.lexsort((row[kept], owner[kept]))
    owner, row = first_burst(trace, owner[kept][order], row[kept][order])
    value = np.full((len(found.flow), len(Trait)), UNKNOWN, np.int64)
    if len(row):
        count_kinds(packets.tcp_flags[row], packets.payload_length[row], owner, value)
        owner, row = of_one_form(trace, owner, row)
        describe_first(trace, found, owner, row, value)
        describe_course(trace, owner, row, value)
        value[:, Trait.COUNTER] = counted(trace, found, value)
    answers = read_replies(trace, found, value)
    compare_findings(trace, found, value)
    value[:, Trait.TRIGGER] = np.where(found.trigger > 0, found.trigger.astype(np.int64), UNKNOWN)
    return Traits(value=value, text=beside(carried(trace, found, owner, row), answers))


def beside(left: Ragged, right: Ragged) -> Ragged:
    """Join two columns of text row by row; of each row one is empty."""
    both = Ragged.concat([left, right])
    return both.take(np.where(left.lengths > 0, np.arange(len(left)), len(left) + np.arange(len(right))))


def carried(trace: Trace, found: Finding, owner: I64, row: I64) -> Ragged:
    """Gather what the packets carried; where a bare FIN closes an answer, that answer."""
    packets, sides = trace.packets, trace.sides
    subject, start = np.unique(owner, return_index=True)
    first = row[start]
    empty = np.bincount(owner, packets.payload_captured[row], len(found.flow))[subject] == 0
    closing = empty & (packets.tcp_flags[first] & TcpFlag.FIN != 0)
    answer = sides.first_payload[2 * found.flow[subject] + ~packets.outbound[first]].astype(np.int64)
    closing &= (answer >= 0) & (answer < first)
    row = np.where(closing[np.searchsorted(subject, owner)], answer[np.searchsorted(subject, owner)], row)
    length = packets.payload_captured[row].astype(np.int64)
    text = trace.buffer[spans(packets.payload_start[row], length)]
    size = np.bincount(owner, length, len(found.flow)).astype(np.int64)
    return Ragged.from_lengths(size, text)


def first_burst(trace: Trace, owner: I64, row: I64) -> tuple[I64, I64]:
    """Leave out resets that come later than `BURST_NS` after the first packet of their finding."""
    packets = trace.packets
    start = np.flatnonzero(np.diff(owner, prepend=-1))
    began = np.repeat(packets.time[row[start]], np.diff(np.append(start, len(row))))
    kept = (packets.time[row] - began <= BURST_NS) | (packets.tcp_flags[row] & TcpFlag.RST == 0)
    return owner[kept], row[kept]


def of_one_form(trace: Trace, owner: I64, row: I64) -> tuple[I64, I64]:
    """Of resets with and without ACK keep those with; other packets stay."""
    flags = trace.packets.tcp_flags[row]
    bare = (flags & TcpFlag.RST != 0) & (flags & TcpFlag.ACK == 0)
    mixed = np.bincount(owner[(flags & TcpFlag.RST != 0) & ~bare], minlength=int(owner.max(initial=0)) + 1) > 0
    kept = ~(bare & mixed[owner])
    return owner[kept], row[kept]


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


def describe_first(trace: Trace, found: Finding, owner: I64, row: I64, value: I64) -> None:
    """Describe the first packet of each finding, beside what set it off and what the same end had sent."""
    packets, sides = trace.packets, trace.sides
    subject, start = np.unique(owner, return_index=True)
    first = row[start]
    flow = found.flow[subject]
    side = 2 * flow + ~packets.outbound[first]
    v4 = packets.version[first] == 4
    cause = found.trigger_packet[subject].astype(np.int64)
    heard = (cause >= 0) & (packets.outbound[np.maximum(cause, 0)] != packets.outbound[first])
    reset = packets.tcp_flags[first] & TcpFlag.RST != 0
    ttl, ip_id = packets.ttl[first].astype(np.int64), packets.ip_id[first].astype(np.int64)
    greeting = sides.syn[side].astype(np.int64)
    away = np.abs(ttl - packets.ttl[np.maximum(greeting, 0)].astype(np.int64)) > 2
    window = packets.window[first].astype(np.int64)
    before = ip_id - packets.ip_id[np.maximum(cause, 0)].astype(np.int64)
    odd = packets.tcp_flags[first].astype(np.int64) & ~(TcpFlag.RST | TcpFlag.ACK)
    asked = sides.first_payload[side ^ 1].astype(np.int64)
    stage = np.where(asked < 0, 0, np.where(cause == asked, 1, 2))
    stage = np.where(
        (asked >= 0) & ((asked > first) | (cause < 0)), UNKNOWN, stage
    )  # a reset may overtake what drew it
    write = {
        Trait.RESET_BYTES: (packets.payload_length[first].astype(np.int64), reset),
        Trait.ODD_FLAGS: (odd, reset),
        Trait.TTL: (ttl, None),
        Trait.TTL_DISTANCE: (away, (greeting >= 0) & (greeting != first)),
        Trait.IP_ID: (ip_id, v4),
        Trait.IP_ID_COPIED: (np.where(before == 0, 1, np.where(before == 1, 2, 0)), v4 & heard),
        Trait.DF: (packets.ip_flags[first] & IpFlag.DONT_FRAGMENT != 0, v4),
        Trait.WINDOW: (window, None),
        Trait.WINDOW_COPIED: (window == packets.window[np.maximum(cause, 0)], heard),
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
    many = np.unique(subject)
    _, second = np.unique(subject, return_index=True)
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
    both = (resets[follows] & resets[follows - 1])[second]
    value[many, Trait.SEQ_COURSE] = np.where(both, np.where(step == 0, 0, np.where(step == SEGMENT, 1, 2)), UNKNOWN)
    value[many, Trait.SEQ_STEP] = np.where(both, step, UNKNOWN)


def counted(trace: Trace, found: Finding, value: I64) -> I64:
    """Say which findings lie on a path whose resets take hop limit and window from one counter.

    Unknown on paths with few bursts, and where all have one hop limit: some networks level them.
    """
    flows = trace.flows
    told = np.flatnonzero(value[:, Trait.ACKING] > 0)
    ttl, residue = value[told, Trait.TTL], (value[told, Trait.WINDOW] - value[told, Trait.TTL]) % PERIOD
    pair = flows.client[found.flow].astype(np.int64) * len(trace.hosts) + flows.server[found.flow]
    _, path = np.unique(pair, return_inverse=True)
    count, path = int(path.max(initial=-1)) + 1, path.reshape(-1)[told]
    low, high = np.full(count, 256), np.full(count, -1)
    np.minimum.at(low, path, ttl)
    np.maximum.at(high, path, ttl)
    ttls, residues = (np.bincount(np.unique(path * 256 + column) // 256, minlength=count) for column in (ttl, residue))
    counter = (residues <= MOST_RESIDUES) & (ttls > residues)
    able = (np.bincount(path, minlength=count) >= LEAST_BURSTS) & (high - low > LEAST_SPREAD)
    result = np.full(len(value), UNKNOWN, np.int64)
    result[told] = np.where(able[path], counter[path], UNKNOWN)
    return result


def compare_findings(trace: Trace, found: Finding, value: I64) -> None:
    """Say what stays the same from one finding to the next, where a client has `LEAST_BURSTS` of one shape."""
    shape = value[:, [Trait.BARE, Trait.ACKING, Trait.FINS]]
    key = np.concatenate([trace.flows.client[found.flow].astype(np.int64)[:, None], shape], axis=1)
    _, box = np.unique(key, axis=0, return_inverse=True)
    box = box.reshape(-1)
    for trait, over in COMPARED:
        told = np.flatnonzero(value[:, trait] != UNKNOWN)
        count = np.bincount(box[told], minlength=len(value))
        kinds = np.bincount(np.unique(box[told] << 32 | value[told, trait]) >> 32, minlength=len(value))
        several = kinds[box[told]] > 1
        value[told, over] = np.where(count[box[told]] >= LEAST_BURSTS, several, UNKNOWN)
