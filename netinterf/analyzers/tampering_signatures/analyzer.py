"""Which published signature a connection shows, read from what arrived of its client.

The paper reads ten packets of each connection at most, with times in whole seconds, ordered by their numbers. A
connection that ends without a FIN, by a reset or in three seconds of silence, is possibly tampered with, and the flags
that came name the signature. The paper counts 25.7 % of all connections among them, so a signature is a label for
comparing captures with its published rates, and weighs nothing.
"""

from typing import ClassVar

import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.signs import Cases, by_rule, record, sign
from netinterf.analyzers.tampering_signatures.rules import RULES, SIGNATURES
from netinterf.arrays import I64, U32, Mask
from netinterf.numbering import distinct
from netinterf.schema import Evidence, Rule, Status, TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["PACKETS", "Received", "TamperingSignatures", "received", "signatures_of"]

PACKETS = 10
"""Packets read of each connection (§3.1 of the paper)."""

TICK_NS, SILENCE_TICKS = 1_000_000_000, 3
"""The clock of the paper's log, and the silence that ends a connection."""

TCP = 6


@frozen(kw_only=True)
class TamperingSignatures:
    """Label connections with the published signature that they show.

    What it looks for: connections whose client fell silent for three seconds or reset, without a FIN, and in which
    stage and form.

    Why: captures can be set beside the rates that a large network publishes by these names.

    Also looks like this: nearly everything that ends early; scanners, racing programs, closed tabs. It weighs nothing.

    References: Sundara Raman et al., SIGCOMM 2023.
    """

    name: ClassVar[str] = "tampering_signatures"
    scope: ClassVar[Scope] = Scope.FLOW
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down the signature of each connection that shows one; near the client what arrives is not seen."""
        counts = received(trace)
        code = signatures_of(counts)
        if not (code >= 0).any():
            return Evidence.empty(rules=self.rules)
        cases = Cases(subject=counts.flow, time=trace.packets.time[counts.last], witness=counts.last)
        signs = [sign(rule, code == place, {"packets": counts.packets}) for place, rule in enumerate(RULES)]
        return join(record(self, cases, by_rule(signs)))


@frozen(eq=False, kw_only=True)
class Received:
    """What a server received of each connection before it ended, counted; connections with a FIN are left out."""

    flow: I64  # rows in Flows
    last: I64  # row in Packets of the last packet before the end
    packets: I64  # packets that were read
    acks: I64  # packets without payload and flags but ACK that came before any payload
    data: I64  # different segments with payload
    late: I64  # packets without payload after the first payload
    bare: I64  # resets without ACK
    fields: I64  # different ack fields of these
    zero: Mask  # one of them has the ack field 0
    acking: I64  # resets with ACK
    silent: Mask  # nothing came for three seconds, or ever again

    @classmethod
    def none(cls) -> "Received":
        """Give no connection."""
        rows, flags = np.empty(0, np.int64), np.empty(0, np.bool_)
        counts = dict.fromkeys(("packets", "acks", "data", "late", "bare", "fields", "acking"), rows)
        return cls(flow=rows, last=rows, **counts, zero=flags, silent=flags)


def received(trace: Trace) -> Received:
    """Read the first packets of the client of every connection that begins with its SYN."""
    packets, count = trace.packets, len(trace.flows)
    row = trace.by_flow.values.astype(np.int64)
    headed = packets.status[row] & (Status.FRAGMENT_LATER | Status.HEADER_CUT) == 0
    row = row[packets.outbound[row] & (packets.protocol[row] == TCP) & headed]
    row = row[~trace.recording.at_client[packets.flow[row]]]
    if not len(row):
        return Received.none()
    flow = packets.flow[row].astype(np.int64)
    sent = np.bincount(flow, minlength=count)
    start = np.cumsum(sent) - sent
    read = np.arange(len(row)) - start[flow] < PACKETS
    row, flow = row[read], flow[read]
    tick = packets.time[row] // TICK_NS
    same = np.append(False, flow[1:] == flow[:-1])[: len(flow)]
    pause = same & (np.diff(tick, prepend=tick[:1]) >= SILENCE_TICKS)
    before = np.append(packets.time[row[:1]], packets.time[row[:-1]])
    pause &= trace.heard_throughout(before, packets.time[row])
    paused = np.bincount(flow[pause], minlength=count) > 0
    last = np.full(count, np.iinfo(np.int64).max)
    last[flow] = packets.time[row]  # the last write wins
    over = trace.heard_until(last) // TICK_NS - last // TICK_NS >= SILENCE_TICKS
    silent = paused | ((np.minimum(sent, PACKETS) < PACKETS) & over)
    before = np.cumsum(pause)
    began = np.flatnonzero(~same)
    keep = before == np.repeat(before[began], np.diff(np.append(began, len(row))))
    opened = np.zeros(count, np.bool_)
    opened[flow[began]] = packets.tcp_flags[row[began]] & TcpFlag.SYN != 0
    row, flow = row[keep], flow[keep]
    finished = np.bincount(flow[packets.tcp_flags[row] & TcpFlag.FIN != 0], minlength=count) > 0
    return counted(trace, row, flow, silent, np.flatnonzero(opened & ~finished))


def counted(trace: Trace, row: I64, flow: I64, silent: Mask, wanted: I64) -> Received:
    """Count what was received, in the order of the sequence numbers."""
    packets, count = trace.packets, len(trace.flows)
    flags, load = packets.tcp_flags[row], packets.payload_length[row] > 0
    reset, acked, syn = (flags & bit != 0 for bit in (TcpFlag.RST, TcpFlag.ACK, TcpFlag.SYN))
    data, pure = load & ~reset & ~syn, ~load & ~reset & acked & ~syn
    begins = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(begins, flow[data], packets.relative_seq[row[data]])
    later = pure & (packets.relative_seq[row] > begins[flow])
    bare = reset & ~acked
    last = np.full(count, -1)
    last[flow] = row

    def number(mask: Mask) -> I64:
        return np.bincount(flow[mask], minlength=count)[wanted]

    def kinds(mask: Mask, field: U32) -> I64:
        pairs = distinct(flow[mask] << 32 | field[row[mask]].astype(np.int64))
        return np.bincount(pairs >> 32, minlength=count)[wanted]

    return Received(
        flow=wanted,
        last=last[wanted],
        packets=np.bincount(flow, minlength=count)[wanted],
        acks=number(pure & ~later),
        data=kinds(data, packets.seq),
        late=number(later),
        bare=number(bare),
        fields=kinds(bare, packets.ack),
        zero=number(bare & (packets.ack[row] == 0)) > 0,
        acking=number(reset & acked),
        silent=silent[wanted],
    )


def signatures_of(counts: Received) -> I64:
    """Name the signature of each connection by its place in `SIGNATURES`, -1 for none."""
    place = {name: code for code, name in enumerate(SIGNATURES)}
    bare, acking = counts.bare > 0, counts.acking > 0
    both, none = bare & acking, ~bare & ~acking
    opening = (counts.acks == 0) & (counts.data == 0)
    handshake = (counts.acks > 0) & (counts.data == 0)
    request = (counts.data == 1) & (counts.late == 0)
    many_bare, many_acking = (counts.bare > 1) & ~acking, (counts.acking > 1) & ~bare
    choices = {
        "syn_none": opening & none & counts.silent,
        "syn_both": opening & both,
        "syn_rst": opening & bare,
        "syn_rstack": opening & acking,
        "ack_none": handshake & none & counts.silent,
        "ack_rsts": handshake & many_bare,
        "ack_rst": handshake & bare & ~acking,
        "ack_rstacks": handshake & many_acking,
        "ack_rstack": handshake & acking & ~bare,
        "psh_none": request & none & counts.silent,
        "psh_equal": request & many_bare & (counts.fields == 1),
        "psh_zero": request & many_bare & counts.zero,
        "psh_unequal": request & many_bare,
        "psh_both": request & both,
        "psh_rst": request & bare,
        "psh_rstacks": request & many_acking,
        "psh_rstack": request & acking,
        "data_rst": (counts.data > 1) & bare & ~acking,
        "data_rstack": (counts.data > 1) & acking & ~bare,
    }
    code: I64 = np.select(list(choices.values()), [place[name] for name in choices], default=-1).astype(np.int64)
    return code
