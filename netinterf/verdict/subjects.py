"""Who gets a verdict: every flow and every DNS exchange, each once.

A UDP flow that carries nothing but DNS is reported as its exchanges; a DNS flow over TCP gives a verdict of its own
besides, since its handshake can be interfered with like any other.
"""

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.errors import SchemaError
from netinterf.schema import Evidence, SubjectKind, TlsKind
from netinterf.table import Ragged, Text, spans

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Subjects", "dns_only", "first_of", "gather_text", "list_subjects", "row_of"]

TCP, UDP = 6, 17
KIND_TCP, KIND_UDP, KIND_OTHER, KIND_EXCHANGE = 0, 1, 2, 3  # places in model.SUBJECTS


@attrs.frozen(eq=False, kw_only=True)
class Subjects:
    """What is judged, one entry per verdict: flows in their order, then exchanges in theirs."""

    subject: NDArray[np.int32]  # row in Flows or Exchanges
    kind: NDArray[np.uint8]  # SubjectKind code
    prior_kind: NDArray[np.int64]  # place in model.SUBJECTS
    flow: NDArray[np.int32]  # row in Flows
    first_packet: NDArray[np.int32]  # row in Packets, -1 for none
    start: NDArray[np.int64]  # ns
    end: NDArray[np.int64]  # ns
    name: Text  # SNI, Host or question name
    by_flow: NDArray[np.int64]  # verdict row of each flow, -1 when it is reported as its exchanges
    by_exchange: NDArray[np.int64]  # verdict row of each exchange

    def __len__(self) -> int:
        return len(self.subject)


def first_of(group: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Find the first position of each group number.

    Args:
        group: Group of each entry, 0 to *count* - 1; negative ones are left out.
        count: Number of groups.

    Returns:
        Position in *group* of the first entry of each group, -1 for an empty group.
    """
    first = np.full(count, -1, np.int64)
    rows = np.flatnonzero(group >= 0)[::-1]
    first[group[rows]] = rows  # the last write wins, and that is the first entry
    return first


def gather_text(parts: list[tuple[NDArray[np.integer], Text]], count: int) -> Text:
    """Pick one string per row from several columns: the first part that has one.

    Args:
        parts: For each source, the row to take for each of *count* results (-1 for none) and the column.
        count: Number of results.
    """
    lengths = np.zeros(count, np.int64)
    starts = np.zeros(count, np.int64)
    pool = [np.empty(0, np.uint8)]
    base = 0
    for rows, column in parts:
        sizes = np.append(column.lengths, 0)[rows]  # row -1 reads the appended 0
        taken = (sizes > 0) & (lengths == 0)
        lengths[taken] = sizes[taken]
        starts[taken] = column.offsets[rows[taken]] + base
        pool.append(column.values)
        base += len(column.values)
    return Text.from_lengths(lengths, np.concatenate(pool)[spans(starts, lengths)])


def dns_only(trace: "Trace") -> NDArray[np.bool_]:
    """Say which UDP flows hold nothing but DNS messages, at least one of them part of an exchange."""
    flows = len(trace.flows)
    dns = trace.dns
    _, unique = np.unique(dns.packet, return_index=True)
    messages = np.bincount(dns.flow[unique][dns.flow[unique] >= 0], minlength=flows)
    in_exchange = np.zeros(flows, np.bool_)
    in_exchange[trace.exchanges.flow] = True
    result: NDArray[np.bool_] = (trace.flows.protocol == UDP) & in_exchange & (messages >= trace.by_flow.lengths)
    return result


def list_subjects(trace: "Trace", evidence: Evidence) -> Subjects:
    """List the flows and exchanges of *trace* that get a verdict.

    A DNS-only UDP flow is left out unless evidence names the flow itself.
    """
    flows, exchanges = trace.flows, trace.exchanges
    kept = ~dns_only(trace)
    about_flow = evidence.subject[evidence.subject_kind == SubjectKind.FLOW]
    kept[about_flow[(about_flow >= 0) & (about_flow < len(flows))]] = True
    rows = np.flatnonzero(kept)
    start, end, first = exchange_span(trace)
    protocol = flows.protocol[rows]
    by_flow = np.full(len(flows), -1, np.int64)
    by_flow[rows] = np.arange(len(rows))
    count = len(exchanges)
    prior_kind = np.select([protocol == TCP, protocol == UDP], [KIND_TCP, KIND_UDP], KIND_OTHER).astype(np.int64)
    return Subjects(
        subject=np.concatenate([rows, np.arange(count)]).astype(np.int32),
        kind=np.repeat(np.array([SubjectKind.FLOW, SubjectKind.EXCHANGE], np.uint8), [len(rows), count]),
        prior_kind=np.concatenate([prior_kind, np.full(count, KIND_EXCHANGE)]),
        flow=np.concatenate([rows, exchanges.flow]).astype(np.int32),
        first_packet=np.concatenate([flows.first_packet[rows], first]).astype(np.int32),
        start=np.concatenate([flows.first[rows], start]),
        end=np.concatenate([flows.last[rows], end]),
        name=Text.concat([flow_names(trace).take(rows), exchanges.name]),
        by_flow=by_flow,
        by_exchange=len(rows) + np.arange(count, dtype=np.int64),
    )


def flow_names(trace: "Trace") -> Text:
    """Name every flow by its server name indication, else its Host header; empty without."""
    count = len(trace.flows)
    hello = np.flatnonzero((trace.tls.kind == TlsKind.CLIENT_HELLO) & (trace.tls.name.lengths > 0))
    request = np.flatnonzero(trace.http.host.lengths > 0)
    hello_at, request_at = first_of(trace.tls.flow[hello], count), first_of(trace.http.flow[request], count)
    return gather_text(
        [
            (np.append(hello, -1)[hello_at], trace.tls.name),
            (np.append(request, -1)[request_at], trace.http.host),
        ],
        count,
    )


def exchange_span(trace: "Trace") -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Find start and end (ns) and the first packet (row, -1 for none) of every exchange."""
    count = len(trace.exchanges)
    parent, message = _messages(trace.exchanges.queries, trace.exchanges.replies)
    packet = trace.dns.packet[message]
    time = trace.packets.time[packet]
    start = np.full(count, np.iinfo(np.int64).max)
    end = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(start, parent, time)
    np.maximum.at(end, parent, time)
    none = end < start
    flow = trace.exchanges.flow[none]
    start[none], end[none] = trace.flows.first[flow], trace.flows.last[flow]
    order = np.lexsort((packet, time, parent))
    first = first_of(parent[order], count)
    return start, end, np.append(packet[order], np.int32(-1))[first].astype(np.int32)


def _messages(queries: Ragged, replies: Ragged) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List (exchange, row in Dns) of all queries, then of all replies."""
    parent = np.concatenate([queries.parents(), replies.parents()])
    return parent, np.concatenate([queries.values, replies.values]).astype(np.int64)


def row_of(evidence: Evidence, subjects: Subjects) -> NDArray[np.int64]:
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
