"""What set the interference off: the name in the request, or the address when no request got that far."""

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.schema import SubjectKind, TlsKind, TriggerKind
from netinterf.table import Text
from netinterf.verdict.subjects import Subjects, first_of, gather_text

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Triggers", "find_triggers"]


@attrs.frozen(eq=False, kw_only=True)
class Triggers:
    """One entry per verdict row; kind 0 where there is none."""

    kind: NDArray[np.uint8]  # TriggerKind code
    value: Text
    packet: NDArray[np.int32]  # row in Packets, -1 for none


def find_triggers(
    trace: "Trace", subjects: Subjects, accused: NDArray[np.bool_], at_syn: NDArray[np.bool_]
) -> Triggers:
    """Find the trigger of every accused subject.

    A flow's trigger is the server name of its first TLS hello, else the Host of its first HTTP request; an exchange's
    is its question. Interference with the opening of a connection comes before any name, so there it is the address.

    Args:
        trace: The capture.
        subjects: Verdict rows.
        accused: Which rows carry a mechanism; others get no trigger.
        at_syn: Which rows carry a mechanism that works on SYNs.
    """
    count = len(subjects)
    flow = np.where(subjects.kind == SubjectKind.FLOW, subjects.flow, -1)
    flow = np.where(accused & ~at_syn, flow, -1)
    hello = np.flatnonzero((trace.tls.kind == TlsKind.CLIENT_HELLO) & (trace.tls.name.lengths > 0))
    request = np.flatnonzero(trace.http.host.lengths > 0)
    hello_at = _for_flow(hello, trace.tls.flow, flow, len(trace.flows))
    request_at = np.where(hello_at < 0, _for_flow(request, trace.http.flow, flow, len(trace.flows)), -1)
    question = np.where(accused & (subjects.kind == SubjectKind.EXCHANGE), subjects.subject, -1)
    opening = np.flatnonzero(accused & at_syn & (subjects.kind == SubjectKind.FLOW))
    addresses = Text.of([trace.address(int(trace.flows.server[subjects.flow[row]])) for row in opening])
    address = np.full(count, -1, np.int64)
    address[opening] = np.arange(len(opening))
    sources = [
        (TriggerKind.TLS_SNI, hello_at, np.append(trace.tls.packet, np.int32(-1))[hello_at]),
        (TriggerKind.HTTP_HOST, request_at, np.append(trace.http.packet, np.int32(-1))[request_at]),
        (TriggerKind.DNS_QNAME, question, subjects.first_packet),
        (TriggerKind.ADDRESS, address, subjects.first_packet),
    ]
    kind, packet = np.zeros(count, np.uint8), np.full(count, -1, np.int32)
    for code, rows, where in sources:
        kind[rows >= 0] = code
        packet[rows >= 0] = where[rows >= 0]
    columns = [trace.tls.name, trace.http.host, trace.exchanges.name, addresses]
    value = gather_text([(rows, column) for (_, rows, _), column in zip(sources, columns, strict=True)], count)
    return Triggers(kind=kind, value=value, packet=packet)


def _for_flow(
    rows: NDArray[np.int64], flow_of: NDArray[np.int32], wanted: NDArray[np.integer], flows: int
) -> NDArray[np.int64]:
    """Find the first of the message *rows* that belongs to each wanted flow, -1 for none."""
    first = np.append(rows, -1)[first_of(flow_of[rows], flows)]
    result: NDArray[np.int64] = np.append(first, -1)[wanted]
    return result
