"""Who gets a verdict, and what a verdict must know of them: all that judgement takes from a trace.

Every flow and every DNS exchange is listed, each once. A UDP flow that carries nothing but DNS is reported as its
exchanges; a DNS flow over TCP gives a verdict of its own besides, since its handshake can be interfered with like any
other. With the list and the evidence at hand, judging needs no packets: other priors, another model or another
grouping can be tried long after the capture is gone.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from netinterf.arrays import F64, I32, I64, U8, Mask
from netinterf.errors import SchemaError
from netinterf.numbering import offsets
from netinterf.schema import Evidence, SubjectKind, TriggerKind
from netinterf.table import Ragged, Text
from netinterf.values import frozen
from netinterf.verdict.health import exchange_reasons, flow_reasons, unheard
from netinterf.verdict.reasons import Bits
from netinterf.verdict.trigger import flow_ja4, flow_names
from netinterf.verdict.unseen import exchanges_unseen, flows_unseen

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Subjects", "list_subjects", "row_of", "stacked"]

TCP, UDP = 6, 17
KIND_TCP, KIND_UDP, KIND_OTHER, KIND_EXCHANGE = 0, 1, 2, 3  # places in model.SUBJECTS


@frozen(eq=False, kw_only=True)
class Subjects:
    """What is judged, one entry per verdict: flows in their order, then exchanges in theirs."""

    subject: I32  # row in Flows or Exchanges
    kind: U8  # SubjectKind code
    prior_kind: I64  # place in model.SUBJECTS
    flow: I32  # row in Flows
    protocol: U8  # IP protocol number
    client: I32  # row in Hosts
    server: I32  # row in Hosts
    port: I64  # of the server
    first_packet: I32  # row in Packets, -1 for none
    start: I64  # ns
    end: I64  # ns
    name: Text  # SNI, Host or question name
    named_by: U8  # TriggerKind code of what shows the name, 0 without
    named_in: I32  # row in Packets that shows it, -1 for none
    ja4: Text  # of the client's hello, empty without
    reasons: Bits  # Reason bits: why it is down or cannot be judged, were it left alone
    whole: Mask  # both directions were captured
    broken: Mask  # a time that the recording does not hold lies within it
    unseen: Bits  # Reason bits: why nobody could have seen what is looked for, were nothing found
    unheard: Mask  # nobody was heard to answer, and only others on the path tell whether anybody could have been
    loss_share: F64  # share of packets that the recording of its path missed
    by_flow: I64  # verdict row of each flow, -1 when it is reported as its exchanges
    by_exchange: I64  # verdict row of each exchange
    in_part: bool = False  # the capture has others, which are not seen

    def __len__(self) -> int:
        return len(self.subject)


def dns_only(trace: "Trace") -> Mask:
    """Say which UDP flows hold nothing but DNS messages, at least one of them part of an exchange."""
    flows = len(trace.flows)
    dns = trace.dns
    _, unique = np.unique(dns.packet, return_index=True)
    messages = np.bincount(dns.flow[unique][dns.flow[unique] >= 0], minlength=flows)
    in_exchange = np.zeros(flows, np.bool_)
    in_exchange[trace.exchanges.flow] = True
    sent = trace.sides.packets.reshape(-1, 2).sum(axis=1)
    result: Mask = (trace.flows.protocol == UDP) & in_exchange & (messages >= sent)
    return result


def list_subjects(
    trace: "Trace", evidence: Evidence, *, without: Mask | None = None, in_part: bool = False
) -> Subjects:
    """List the flows and exchanges of *trace* that get a verdict.

    A DNS-only UDP flow is left out unless evidence names the flow itself.

    Args:
        trace: A capture.
        evidence: What was observed in it.
        without: Flows that get none, one entry per flow; no evidence may be about them.
        in_part: The capture has others, which are not in the trace.
    """
    flows, exchanges, sides = trace.flows, trace.exchanges, trace.sides.packets
    judged = ~dns_only(trace)
    about_flow = evidence.subject[evidence.subject_kind == SubjectKind.FLOW]
    judged[about_flow[(about_flow >= 0) & (about_flow < len(flows))]] = True
    if without is not None:
        judged &= ~without
    rows = np.flatnonzero(judged)
    count, start, end, first = len(exchanges), *exchange_span(trace)
    by_flow = np.full(len(flows), -1, np.int64)
    by_flow[rows] = np.arange(len(rows))
    protocol = flows.protocol[rows]
    prior_kind = np.select([protocol == TCP, protocol == UDP], [KIND_TCP, KIND_UDP], KIND_OTHER).astype(np.int64)
    flow = np.concatenate([rows, exchanges.flow]).astype(np.int32)
    names, reasons = flow_names(trace, evidence), flow_reasons(trace)
    start, end = np.concatenate([flows.first[rows], start]), np.concatenate([flows.last[rows], end])
    unheard_flows, unheard_exchanges = unheard(trace)
    return Subjects(
        subject=np.concatenate([rows, np.arange(count)]).astype(np.int32),
        kind=np.repeat(np.array([SubjectKind.FLOW, SubjectKind.EXCHANGE], np.uint8), [len(rows), count]),
        prior_kind=np.concatenate([prior_kind, np.full(count, KIND_EXCHANGE)]),
        flow=flow,
        protocol=flows.protocol[flow],
        client=flows.client[flow],
        server=flows.server[flow],
        port=flows.server_port[flow].astype(np.int64),
        first_packet=np.concatenate([flows.first_packet[rows], first]).astype(np.int32),
        start=start,
        end=end,
        name=Text.concat([names.value.take(rows), exchanges.name]),
        named_by=np.concatenate([names.kind[rows], np.full(count, TriggerKind.DNS_QNAME, np.uint8)]),
        named_in=np.concatenate([names.packet[rows], first]).astype(np.int32),
        ja4=Text.concat([flow_ja4(trace).take(rows), Text.empty(count, np.uint8)]),
        reasons=np.concatenate([reasons[rows], exchange_reasons(trace, reasons)]),
        whole=((sides[0::2] > 0) & (sides[1::2] > 0))[flow],
        broken=~trace.heard_throughout(start, end),
        unseen=np.concatenate([flows_unseen(trace)[rows], exchanges_unseen(trace)]),
        unheard=np.concatenate([unheard_flows[rows], unheard_exchanges]),
        loss_share=trace.recording.loss_share[flow],
        by_flow=by_flow,
        by_exchange=len(rows) + np.arange(count, dtype=np.int64),
        in_part=in_part,
    )


def stacked(parts: Sequence[Subjects], hosts: I64) -> Subjects:
    """Put those of several captures one behind the other, whose flows and exchanges are then as well.

    Args:
        parts: Subjects of at least one capture.
        hosts: At which row its hosts begin, of each.
    """
    columns: dict[str, Any] = {
        field.name: Text.concat(values) if isinstance(values[0], Text) else np.concatenate(values)
        for field in attrs.fields(Subjects)
        if isinstance((values := [getattr(part, field.name) for part in parts])[0], np.ndarray | Text)
    }
    part = np.repeat(np.arange(len(parts)), list(map(len, parts)))
    first = {name: offsets(getattr(one, name) for one in parts) for name in ("subject", "by_flow", "by_exchange")}
    flows, exchanges = first["by_flow"][part], first["by_exchange"][part]
    moved = {"client": hosts[part], "server": hosts[part], "flow": flows}
    moved["subject"] = np.where(columns["kind"] == SubjectKind.FLOW, flows, exchanges)
    for name in ("by_flow", "by_exchange"):
        of = np.repeat(first["subject"], [len(getattr(one, name)) for one in parts])
        moved[name] = np.where(columns[name] >= 0, of, 0)
    columns |= {name: (columns[name] + by).astype(columns[name].dtype) for name, by in moved.items()}
    return Subjects(**columns, in_part=any(one.in_part for one in parts))


def exchange_span(trace: "Trace") -> tuple[I64, I64, I32]:
    """Find start and end (ns) and the first packet (row, -1 for none) of every exchange."""
    count = len(trace.exchanges)
    parent, message = _messages(trace.exchanges.queries, trace.exchanges.replies)
    packet = trace.dns.packet[message].astype(np.int64)
    time = trace.packets.time[packet]
    start = np.full(count, np.iinfo(np.int64).max)
    end = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(start, parent, time)
    np.maximum.at(end, parent, time)
    none = end < start
    flow = trace.exchanges.flow[none]
    start[none], end[none] = trace.flows.first[flow], trace.flows.last[flow]
    first, earliest = np.full(count, len(trace.packets)), time == start[parent]
    np.minimum.at(first, parent[earliest], packet[earliest])
    return start, end, np.where(first < len(trace.packets), first, -1).astype(np.int32)


def _messages(queries: Ragged, replies: Ragged) -> tuple[I64, I64]:
    """List (exchange, row in Dns) of all queries, then of all replies."""
    parent = np.concatenate([queries.parents(), replies.parents()])
    return parent, np.concatenate([queries.values, replies.values]).astype(np.int64)


def row_of(evidence: Evidence, subjects: Subjects) -> I64:
    """Find the verdict row that each piece of evidence is about, -1 for evidence about groups.

    Raises:
        SchemaError: Evidence points at a flow or exchange that the trace does not have.
    """
    rows = np.full(len(evidence), -1, np.int64)
    for kind, table in ((SubjectKind.FLOW, subjects.by_flow), (SubjectKind.EXCHANGE, subjects.by_exchange)):
        chosen = np.flatnonzero(evidence.subject_kind == kind)
        subject = evidence.subject[chosen]
        if len(subject) and not (subject.min() >= 0 and subject.max() < len(table)):
            raise SchemaError(f"evidence names a {kind.name.lower()} outside the trace's {len(table)}")
        rows[chosen] = table[subject]
    return rows
