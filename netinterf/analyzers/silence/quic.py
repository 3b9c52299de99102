"""What other connections say about QUIC that fell silent.

Many servers and networks know no QUIC and drop it without a word, so an unanswered Initial alone says little. What says
much is that the same server answers Initials with other names, or that it had answered this one and then, all at once,
hears nothing any more: the box needs some time to decide (80 to 190 ms in China; Zohaib et al., USENIX Security 2025).
"""

import numpy as np

from netinterf.analyzers.contrast import Contrast, around
from netinterf.analyzers.signs import Measured, Sign, sign
from netinterf.analyzers.silence import rules
from netinterf.analyzers.silence.controls import answered, compare, dead_line, served_at, tcp_served_at
from netinterf.analyzers.unanswered.datagrams import LEAST_TRIES
from netinterf.analyzers.unanswered.silences import Kind, Silences
from netinterf.arrays import I64, Mask
from netinterf.numbering import hash_rows
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["quic_signs"]

ANSWERS = 2
"""Datagrams of a server from which it counts as speaking QUIC: one may be Retry or Version Negotiation."""


def quic_served_at(trace: Trace, silences: Silences) -> I64:
    """When each QUIC flow was first served; -1 where it hardly was, or fell silent."""
    spoke = np.zeros(len(trace.flows), np.bool_)
    spoke[trace.quic.flow] = True
    return served_at(trace, silences, spoke & (trace.sides.packets[1::2] >= ANSWERS))


@frozen(eq=False, kw_only=True)
class QuicControls:
    """One entry per silence."""

    other_servers_answered: I64  # QUIC conversations of the client with other servers, answered within a minute
    other_servers_silent: I64  # … that fell silent within a minute
    served_over_tcp: I64  # TCP connections to the same server, or for the same name, answered within a minute
    offered_by_dns: Mask  # a DNS record of the name offers HTTP/3


def compare_quic(trace: Trace, silences: Silences, flow_served_at: I64) -> QuicControls:
    """Count how other QUIC, and TCP for the same, fared within a minute of each silence."""
    flow = silences.flow
    begin, end = around(silences.since, silences.until)
    spoken, over_tcp = answered(trace, flow_served_at), answered(trace, tcp_served_at(trace, silences))
    silent = Contrast(trace.contacts, flow, silences.since)
    by_server, by_name = (over_tcp.count(flow, "client", what, begin=begin, end=end) for what in ("server", "name"))
    return QuicControls(
        other_servers_answered=spoken.others(flow, "client", but="server", begin=begin, end=end),
        other_servers_silent=silent.others(flow, "client", but="server", begin=begin, end=end),
        served_over_tcp=np.maximum(by_server, by_name),
        offered_by_dns=np.isin(trace.contacts.name[flow], promised_names(trace)),
    )


def promised_names(trace: Trace) -> I64:
    """Hash the names whose DNS answers offer HTTP/3, as `Contacts.name` does.

    Browsers try QUIC on the strength of that; a probe may try it with a server that never offered it.
    """
    message = np.unique(trace.answers.message[trace.answers.http3])
    return (hash_rows(trace.dns.name.take(message)) >> np.uint64(1)).astype(np.int64)


def quic_signs(trace: Trace, silences: Silences) -> list[Sign]:
    """Tell which QUIC fell silent, and what stands beside it."""
    flow_served_at = quic_served_at(trace, silences)
    no_reset, unknown_protocol = np.zeros(len(trace.flows), np.bool_), np.zeros(len(silences), np.bool_)
    controls = compare(trace, silences, flow_served_at, no_reset, unknown_protocol)
    other_names_served = controls.others_served_within_minute
    beside = compare_quic(trace, silences, flow_served_at)
    tries = {"tries": silences.tries, "seconds": silences.seconds}
    after_trigger = controls.after_trigger
    since = (silences.since - trace.packets.time[np.maximum(controls.earlier_end, 0)]) / 1e9
    initial, same_served = silences.is_kind(Kind.INITIAL), controls.same_name_served_within_minute > 0
    others_served = initial & ~same_served & (other_names_served > 0)
    silent_to_all = (controls.others_silent_within_minute > 0) & (other_names_served == 0) & ~after_trigger
    again, intermittent = (controls.same_name_silent_anywhere > 0) & ~same_served, same_served & ~after_trigger
    promised = initial & ~same_served & beside.offered_by_dns & (beside.other_servers_answered > 0)
    others: Measured = {"others": beside.other_servers_answered, "selective": 1.0}
    none = (beside.other_servers_answered == 0) & (other_names_served == 0) & (beside.other_servers_silent > 0)
    return [
        sign(rules.QUIC_INITIAL, initial & (silences.tries >= LEAST_TRIES), tries),
        sign(rules.QUIC_ONCE, initial & (silences.tries < LEAST_TRIES), tries),
        sign(rules.QUIC_STOPPED, silences.is_kind(Kind.DATAGRAM), tries),
        sign(rules.QUIC_SERVED, others_served, {"served": other_names_served, "selective": 1.0}),
        sign(rules.QUIC_SERVER, silent_to_all, {"deaf": controls.others_silent_within_minute}),
        sign(rules.QUIC_OTHERS, beside.other_servers_answered > 0, others),
        sign(rules.QUIC_NONE, none, {"silent": beside.other_servers_silent}),
        sign(rules.QUIC_OVER_TCP, beside.served_over_tcp > 0, {"served": beside.served_over_tcp}),
        sign(rules.QUIC_PROMISED, promised, others),
        sign(rules.QUIC_AGAIN, again, {"times": controls.same_name_silent_anywhere}),
        sign(rules.QUIC_INTERMITTENT, intermittent, {"served": controls.same_name_served_within_minute}),
        sign(rules.QUIC_RESIDUAL, after_trigger, {"seconds": since}, witness=controls.earlier_end),
        sign(rules.QUIC_RECOVERED, controls.served_after_silence & after_trigger & ~same_served),
        sign(rules.QUIC_LINE, dead_line(controls), {"tried": controls.syns_sent_elsewhere}),
    ]
