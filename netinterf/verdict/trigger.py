"""What may have set interference off: the name that a request shows, or the address when no request got that far.

A connection may carry requests for several hosts; the one before the first forged packet set it off.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, U8
from netinterf.pieces import gather
from netinterf.schema import Evidence, SubjectKind, TlsKind, TriggerKind
from netinterf.table import Text
from netinterf.values import frozen

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Names", "first_of", "flow_ja4", "flow_names", "gather_text"]


@frozen(eq=False, kw_only=True)
class Names:
    """The name of each flow: of its first TLS or QUIC hello, else the Host of the HTTP request that matters."""

    kind: U8  # TriggerKind code, 0 without a name
    value: Text
    packet: I32  # row in Packets, -1 for none


def flow_names(trace: "Trace", evidence: Evidence) -> Names:
    """Name every flow by its server name indication (TLS, QUIC), else its Host header; empty without.

    Args:
        trace: The capture.
        evidence: What analyzers saw; of several hosts the last before the first forged packet counts, else the first.
    """
    count = len(trace.flows)
    hello = np.flatnonzero((trace.tls.kind == TlsKind.CLIENT_HELLO) & (trace.tls.name.lengths > 0))
    request = np.flatnonzero(trace.http.host.lengths > 0)
    hello_at = np.append(hello, -1)[first_of(trace.tls.flow[hello], count)]
    request_at = np.append(request, -1)[first_of(trace.http.flow[request], count)]
    request_at = last_request_before(trace, request, request_at, first_forged(evidence, count))
    request_at = np.where(hello_at < 0, request_at, -1)
    quic = np.flatnonzero(trace.quic.name.lengths > 0)
    quic_at = np.append(quic, -1)[first_of(trace.quic.flow[quic], count)]
    packet = np.full(count, -1, np.int32)
    kind = np.zeros(count, np.uint8)
    for code, rows, where in (
        (TriggerKind.TLS_SNI, hello_at, trace.tls.packet),
        (TriggerKind.HTTP_HOST, request_at, trace.http.packet),
        (TriggerKind.QUIC_SNI, quic_at, trace.quic.packet),
    ):
        kind[rows >= 0] = code
        packet[rows >= 0] = where[rows[rows >= 0]]
    value = gather_text([(hello_at, trace.tls.name), (request_at, trace.http.host), (quic_at, trace.quic.name)], count)
    return Names(kind=kind, value=value, packet=packet)


def flow_ja4(trace: "Trace") -> Text:
    """Tell what program each flow's client is like: JA4 of its first TLS or QUIC hello, empty without a whole one."""
    count, tls, quic = len(trace.flows), trace.tls, trace.quic
    hello = np.flatnonzero((tls.kind == TlsKind.CLIENT_HELLO) & tls.outbound)
    hello_at = np.append(hello, -1)[first_of(tls.flow[hello], count)]
    return gather_text([(hello_at, tls.ja4), (first_of(quic.flow, count), quic.ja4)], count)


def first_forged(evidence: Evidence, flows: int) -> I64:
    """Row in Packets of the first packet of each flow that anything holds to be forged, -1 for none."""
    first = np.full(flows, np.iinfo(np.int64).max)
    about = (evidence.subject_kind == SubjectKind.FLOW) & (evidence.llr > 0)
    relevant = about[evidence.forged.parents()]
    owner = evidence.subject[evidence.forged.parents()[relevant]]
    np.minimum.at(first, owner, evidence.forged.values[relevant])
    return np.where(first == np.iinfo(np.int64).max, -1, first)


def last_request_before(trace: "Trace", request: I64, usual: I64, forged: I64) -> I64:
    """Find the last request of each flow before a packet, or its *usual* one.

    Args:
        trace: The capture.
        request: Rows in Http of requests with a host, in the order of packets.
        usual: Rows in Http, by flow, -1 for none.
        forged: Rows in Packets, by flow, -1 for none.
    """
    if not len(request):
        return usual
    keys = trace.http.flow[request].astype(np.int64) << 32 | trace.http.packet[request]
    order = np.argsort(keys, kind="stable")
    flow = np.arange(len(usual))
    place = np.where(forged < 0, -1, np.searchsorted(keys[order], flow << 32 | np.maximum(forged, 0)) - 1)
    last = request[order[np.maximum(place, 0)]]
    return np.where((place >= 0) & (trace.http.flow[last] == flow), last, usual)


def first_of(group: NDArray[np.integer], count: int) -> I64:
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
    return Text.from_lengths(lengths, gather(np.concatenate(pool), starts, lengths))
