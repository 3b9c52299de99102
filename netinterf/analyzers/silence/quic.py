"""What other connections say about QUIC that fell silent.

Many servers and networks know no QUIC and drop it without a word, so an unanswered Initial alone says little. What says
much is that the same server answers Initials with other names, or that it had answered this one and then, all at once,
hears nothing any more: the box needs some time to decide (80 to 190 ms in China; Zohaib et al., USENIX Security 2025).
"""

import attrs
import numpy as np

from netinterf.analyzers.contrast import Contrast, around
from netinterf.analyzers.silence.controls import answered, served_time
from netinterf.analyzers.unanswered.silences import Silences
from netinterf.arrays import I64, Mask
from netinterf.numbering import hash_rows
from netinterf.trace import Trace

__all__ = ["QuicControls", "answered_time", "compare_quic"]

ANSWERS = 2
"""Datagrams of a server from which it counts as speaking QUIC: one may be Retry or Version Negotiation."""


def answered_time(trace: Trace, silences: Silences) -> I64:
    """When the server of each QUIC flow first answered, -1 where it hardly did or the flow fell silent at once."""
    first = trace.sides.first[1::2].astype(np.int64)
    served = np.zeros(len(trace.flows), np.bool_)
    served[trace.quic.flow] = True
    served &= (first >= 0) & (trace.sides.packets[1::2] >= ANSWERS)
    served[silences.flow] = False
    return np.where(served, trace.packets.time[np.maximum(first, 0)] if len(trace.packets) else first, -1)


@attrs.frozen(eq=False, kw_only=True)
class QuicControls:
    """One entry per silence."""

    others: I64  # QUIC conversations of the same client with other servers that were answered near in time
    silent: I64  # those that were not
    over_tcp: I64  # TCP connections to the same server, or for the same name, that were answered near in time
    offered_by_dns: Mask  # a DNS record of the name offers HTTP/3


def compare_quic(trace: Trace, silences: Silences, answered_at: I64) -> QuicControls:
    """Count how other QUIC, and TCP for the same, fared within a minute of each silence."""
    flow = silences.flow
    begin, end = around(silences.since, silences.until)
    none = silences.take(np.zeros(len(silences), np.bool_))
    spoken, over_tcp = answered(trace, answered_at), answered(trace, served_time(trace, none))
    silent = Contrast(trace.contacts, flow, silences.since)
    by_server, by_name = (over_tcp.count(flow, "client", what, begin=begin, end=end) for what in ("server", "name"))
    return QuicControls(
        others=spoken.others(flow, "client", but="server", begin=begin, end=end),
        silent=silent.others(flow, "client", but="server", begin=begin, end=end),
        over_tcp=np.maximum(by_server, by_name),
        offered_by_dns=np.isin(trace.contacts.name[flow], promised_names(trace)),
    )


def promised_names(trace: Trace) -> I64:
    """Hash the names whose DNS answers offer HTTP/3, as `Contacts.name` does.

    Browsers try QUIC on the strength of that; a probe may try it with a server that never offered it.
    """
    message = np.unique(trace.answers.message[trace.answers.http3])
    return (hash_rows(trace.dns.name.take(message)) >> np.uint64(1)).astype(np.int64)
