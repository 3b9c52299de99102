"""From silences and what stands beside them to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.analyzers.forgery.writer import written_signs
from netinterf.analyzers.signs import (
    Cases,
    Measured,
    Sign,
    by_rule,
    each_once,
    record,
    restricted_to,
    sign,
    taken,
    total,
)
from netinterf.analyzers.silence import rules
from netinterf.analyzers.silence.bare_acks import find_bare_acks
from netinterf.analyzers.silence.controls import (
    Controls,
    by_reset,
    compare,
    dead_line,
    recently_opened,
    reset_at_request,
    tcp_served_at,
)
from netinterf.analyzers.silence.counts import RequestLimits, find_request_limits, request_limit_sign
from netinterf.analyzers.silence.holes import find_holes, lost_answers
from netinterf.analyzers.silence.openings import unanswered_syn_signs
from netinterf.analyzers.silence.probes import DeadBeyondHop, find_dead_beyond_hop
from netinterf.analyzers.silence.quic import quic_signs
from netinterf.analyzers.silence.udp import find_udp, udp_signs
from netinterf.analyzers.silence.udp import rules as udp_rules
from netinterf.analyzers.unanswered.datagrams import find_quic
from netinterf.analyzers.unanswered.silences import Kind, Silences, one_per_flow, unexplained_by_icmp
from netinterf.analyzers.unanswered.sizes import large_only
from netinterf.analyzers.unanswered.unacked import find_unacked
from netinterf.analyzers.unanswered.waiting import find_unanswered_syns, find_waiting
from netinterf.arrays import Mask
from netinterf.protocols.opening import Opening, openings
from netinterf.schema import Evidence, Rule, TcpFlag
from netinterf.table import Ragged, spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Silence"]

IDLE_NS = 60_000_000_000
"""A pause after which an address translator (NAT) may have forgotten a connection. RFC 5382 §5 asks for 2 h 4 min; many
keep less."""

FILTERED_PORTS = (53, 80, 443)
"""Ports on which filters of protocols are known that let DNS, HTTP and TLS pass (Bock et al., FOCI 2020)."""


@frozen(kw_only=True)
class Silence:
    """Find connections that somebody made fall silent.

    What it looks for: data that is never acknowledged however often it is sent, requests that are acknowledged and
    never answered, answers that stop midway or never arrive, SYNs and FINs that stay unanswered, and requests that
    die once so many with the same name went before, or beyond one hop, while the other end is heard, others are served
    by the same server, or the same port falls silent for a time after a trigger.

    Why: a box that drops packets leaves no packet of its own; what it cannot hide is whom it spares.

    Also looks like this: dead hosts, paths and lines, slow services, crashes, narrow paths (only large packets die),
    address translators (NAT) that forgot an idle connection, clients that went away. Most have a contrast that argues
    against.

    References: Xue et al., TSPU, IMC 2022; Bock et al., WOOT 2021; Sundara Raman et al., SIGCOMM 2023; RFC 6298.
    """

    name: ClassVar[str] = "silence"
    scope: ClassVar[Scope] = Scope.CAPTURE  # mostly others show that a silence is no failure
    rules: ClassVar[tuple[Rule, ...]] = (*rules.RULES, *udp_rules.RULES)

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down who fell silent, and what speaks for a box or against one."""
        # of several silences of one flow, the one counts that is found first in this order
        every = one_per_flow([find(trace) for find in (find_unacked, find_holes, find_waiting, find_unanswered_syns)])
        silences, quic_silences = unexplained_by_icmp(trace, every), unexplained_by_icmp(trace, find_quic(trace))
        dead = find_dead_beyond_hop(trace)
        tables = self.dead_beyond_hop(trace, dead) if len(dead.flow) else []
        if len(silences):  # they are held against everything else, so where there are none most work is saved
            tables += self.silent(trace, silences)
        if len(quic_silences):
            tables += record(self, cases_of(trace, quic_silences), by_rule(quic_signs(trace, quic_silences)))
        udp_silences, talks = find_udp(trace)
        if len(udp_silences) and talks is not None:
            tables += record(self, cases_of(trace, udp_silences), by_rule(udp_signs(trace, udp_silences, talks)))
        return join(tables or [Evidence.empty(rules=self.rules)])

    def silent(self, trace: Trace, silences: Silences) -> list[Evidence]:
        """Write down connections that fell silent; a filter's, where they spoke no protocol that filters let pass."""
        unknown_protocol = speaks_unknown_protocol(trace, silences)
        flow_served_at = tcp_served_at(trace, silences)  # one entry per flow, -1 also for those that fell silent
        request_limits = find_request_limits(trace, silences, flow_served_at)
        # (an opening of unknown protocol holds no name: such silences are compared without one)
        controls = compare(trace, silences, flow_served_at, reset_at_request(trace), unknown_protocol)
        # only something large died, and none as large passed from who waits: between the two hosts; of all the client's
        on_path, on_line = large_only(trace, silences)
        parts = [
            *shapes(trace, silences, on_path, on_line),
            *same_server_signs(trace, silences, controls, request_limits),
            *same_client_signs(trace, silences, controls, narrow=on_path & on_line),
            *earlier_end_signs(trace, silences, controls),
            request_limit_sign(request_limits),
            *unanswered_syn_signs(trace, silences, controls),
        ]
        cases, signs, tables = cases_of(trace, silences), by_rule(parts), []
        for family, which in ((None, ~unknown_protocol), (rules.filters, unknown_protocol)):
            rows = np.flatnonzero(which)
            tables += record(self, cases.take(rows), taken(signs, rows, len(silences)), family)
        return tables + self.bare_acks(trace, find_bare_acks(trace, silences))

    def dead_beyond_hop(self, trace: Trace, dead: DeadBeyondHop) -> list[Evidence]:
        """Write down connections that died beyond a hop, each sign at the weight of its own test."""
        cases = Cases(
            subject=dead.flow,
            time=trace.packets.time[dead.row],
            witness=each_once(dead.row, dead.last_of_healthy),  # its server's last packet
            forged=dead.row,  # what got no answer: nobody forged it
        )
        swept = {"hop": dead.hop, "lived": dead.lived_below, "died": dead.died_beyond}
        passed: Measured = {"hop": dead.hop, "passed": dead.requests_passed_for_other_names, "selective": 1.0}
        signs = [
            sign(rules.BEYOND, dead.llr > 0, swept, llr=dead.llr),
            sign(
                rules.BEFORE_SERVER,
                dead.llr_before_server > 0,
                {"hop": dead.hop, "distance": dead.distance},
                llr=dead.llr_before_server,
            ),
            sign(rules.NAME_BEYOND, dead.llr_by_name > 0, passed, llr=dead.llr_by_name),
        ]
        return record(self, cases, by_rule(signs))

    def bare_acks(self, trace: Trace, suspects: Suspects) -> list[Evidence]:
        """Write down odd acknowledgements of first requests that no server answered, and which of them seem forged."""
        if not len(suspects):
            return []
        signs = restricted_to(written_signs(trace, suspects), rules.bare_acks)
        odd = total(signs, len(suspects)) > 0
        cases = Cases(
            subject=suspects.flow,
            time=trace.packets.time[suspects.row],
            witness=suspects.row,
            forged=Ragged.from_lengths(odd.astype(np.int64), suspects.row[odd].astype(np.int32)),
        )
        return record(self, cases, signs, rules.bare_acks)


def cases_of(trace: Trace, silences: Silences) -> Cases:
    """Ask about silences, by the packet that got no answer and the last of who waited.

    For an answer that broke off stands the last packet of it that came, for a hole the first behind it.
    """
    return Cases(
        subject=silences.flow,
        time=trace.packets.time[silences.row],
        witness=each_once(silences.row, silences.last),
        forged=silences.row,  # what got no answer, or stands for it: nobody forged it
    )


def shapes(trace: Trace, silences: Silences, on_path: Mask, on_line: Mask) -> list[Sign]:
    """Tell what each silence is by itself; *on_path* and *on_line* where only something large seems to have died.

    Of an answer that broke off nobody knows how long the packet was that never came: its last one stands for it, as a
    hole stands for itself, though both went the other way.
    """
    by_client = silences.side % 2 == 0
    unacked = silences.is_kind(Kind.UNACKED_DATA)
    tries = {"tries": silences.tries, "seconds": silences.seconds}
    seconds = {"seconds": silences.seconds}
    missing = {**seconds, "bytes": silences.unanswered_payload}  # of a hole, what would fill it
    recent = recently_opened(trace, silences) & silences.first_data & ~silences.is_kind(Kind.UNANSWERED_SYN)
    closing, no_request = silences.is_kind(Kind.UNACKED_FIN), without_request(trace, silences)
    deaf_after = {"seconds": (trace.packets.time[np.maximum(silences.heard_deaf, 0)] - silences.since) / 1e9}
    deaf = (silences.heard_deaf >= 0) & began(trace, silences)  # else relative sequence numbers begin anywhere
    lost_bytes, witness = lost_answers(trace, silences)  # the other end sent them, and none was captured
    path_back, line_back = large_only(
        trace, attrs.evolve(silences, side=silences.side ^ 1, unanswered_payload=lost_bytes)
    )
    on_path, on_line = on_path | path_back, on_line | line_back
    large = {"bytes": np.maximum(silences.unanswered_payload, lost_bytes)}
    return [
        sign(rules.REQUEST, unacked & by_client & silences.first_data, tries),
        sign(rules.LATER, unacked & by_client & ~silences.first_data, tries),
        sign(rules.ANSWER, unacked & ~by_client, tries),
        sign(rules.CLOSING, closing & ~no_request, tries),
        sign(rules.NO_REQUEST, no_request, tries),  # as much for a box: it may have dropped the request
        sign(rules.ACKED_UNANSWERED, silences.is_kind(Kind.UNANSWERED_REQUEST), seconds),
        sign(rules.CUT, silences.is_kind(Kind.BROKEN_OFF), seconds),
        sign(rules.HOLE, silences.is_kind(Kind.HOLE), missing),
        sign(rules.WITHHELD, witness >= 0, {"bytes": lost_bytes}, witness=witness),
        sign(rules.SYN, silences.is_kind(Kind.UNANSWERED_SYN), tries),  # for tcp.drop; tcp.connect.drop has its own
        sign(rules.GREETED, recent),
        sign(rules.ONE_WAY, deaf & ~on_path, deaf_after, witness=silences.heard_deaf),
        sign(rules.LARGE, on_path & on_line, large),
        sign(rules.LARGE_HERE, on_path & ~on_line, large),
        sign(rules.IDLE, silences.paused >= IDLE_NS, {"seconds": silences.paused / 1e9}),
    ]


def same_server_signs(
    trace: Trace, silences: Silences, controls: Controls, request_limits: RequestLimits
) -> list[Sign]:
    """Tell how the client's other connections to the same server fared: under the same name, and the others."""
    unacked, packets = silences.is_kind(Kind.UNACKED_DATA), controls.client_packets_to_server
    ready, no_request = ~repeats_synack(trace, silences), without_request(trace, silences)
    same_served = controls.same_name_served_within_minute > 0
    meanwhile, within_minute = controls.others_served_meanwhile, controls.others_served_within_minute
    ignored = ready & silences.is_first_request() & unacked & ~same_served & (within_minute > 0)
    served_meanwhile, served_near = ready & (meanwhile > 0), ready & (meanwhile == 0) & (within_minute > 0)
    silent_to_all = (controls.others_silent_within_minute > 0) & (within_minute == 0) & ~controls.after_trigger
    intermittent = same_served & ~controls.after_trigger & (request_limits.llr <= 0)
    return [
        sign(rules.IGNORED, ignored, {"served": within_minute, "selective": 1.0}),
        sign(rules.SERVED, served_meanwhile & ~ignored, {"served": meanwhile, "selective": 1.0}),
        sign(rules.SERVED_NEAR, served_near & ~ignored, {"served": within_minute, "selective": 1.0}),
        sign(rules.SERVER, silent_to_all, {"deaf": controls.others_silent_within_minute}),  # heard or not
        sign(rules.PRESENT, no_request & (packets > 0), {"packets": packets}),
        sign(rules.INTERMITTENT, intermittent, {"served": controls.same_name_served_within_minute}),
    ]


def same_client_signs(trace: Trace, silences: Silences, controls: Controls, narrow: Mask) -> list[Sign]:
    """Tell how the same client fared with any server; where its path is *narrow*, it is so to all of them."""
    early = silences.first_data | recently_opened(trace, silences)  # else it may have moved away, or been forgotten
    unacked = silences.is_kind(Kind.UNACKED_DATA) & (silences.side % 2 == 0) & early & ~narrow
    alike = unacked & (controls.networks_silent_alike > 0) & (controls.networks_serving_since > 0)
    same_served = controls.same_name_served_within_minute > 0
    again = ~same_served & (controls.same_name_silent_anywhere > 0) & silences.is_first_request()
    networks = {"networks": controls.networks_silent_alike, "lived": controls.networks_serving_since}
    return [
        sign(rules.ELSEWHERE, controls.packets_from_elsewhere > 0, {"packets": controls.packets_from_elsewhere}),
        sign(rules.AGAIN, again, {"times": controls.same_name_silent_anywhere}),
        sign(rules.LINE, dead_line(controls), {"tried": controls.syns_sent_elsewhere}),
        sign(rules.ALIKE, alike & ~same_served, networks),
    ]


def earlier_end_signs(trace: Trace, silences: Silences, controls: Controls) -> list[Sign]:
    """Tell what may be punished: an earlier connection of the same three was silenced or reset.

    The three are client, server and port. After a trigger it ended at its first request, though they are served at
    other times; any other silence says less, and a later reset nothing.
    """
    earlier_end, after_trigger = controls.earlier_end, controls.after_trigger
    seconds = {"seconds": (silences.since - trace.packets.time[np.maximum(earlier_end, 0)]) / 1e9}
    later_not_near = controls.served_after_silence & (controls.same_name_served_within_minute == 0)
    return [
        sign(rules.RESIDUAL, after_trigger, seconds, witness=earlier_end),
        sign(rules.AFTER_RESET, after_trigger & by_reset(trace, earlier_end), witness=earlier_end),
        sign(rules.AFTERMATH, (earlier_end >= 0) & ~after_trigger, seconds, witness=earlier_end),
        sign(rules.RECOVERED, after_trigger & later_not_near),
    ]


def speaks_unknown_protocol(trace: Trace, silences: Silences) -> Mask:
    """Say which connections opened with bytes of no protocol that filters let pass.

    On `FILTERED_PORTS` these are DNS, HTTP and TLS; elsewhere all that has a signature, which plain text has not. Where
    the beginning was not captured, the first bytes that were say nothing of the protocol, nor who is the client.
    """
    first = trace.sides.first_payload[2 * silences.flow].astype(np.int64)
    opened = (first >= 0) & ~silences.is_kind(Kind.UNANSWERED_SYN) & began(trace, silences)
    spoke = np.flatnonzero(opened)  # where nobody answered the SYN, data is of another connection
    row = first[spoke]
    length = trace.packets.payload_captured[row].astype(np.int64)
    heads = Ragged.from_lengths(length, trace.buffer[spans(trace.packets.payload_start[row], length)])
    unknown_protocol = np.zeros(len(silences), np.bool_)
    opening, port = openings(heads), trace.flows.server_port[silences.flow[spoke]]
    unknown_protocol[spoke] = np.isin(opening, (Opening.TEXT, Opening.NOISE, Opening.UNKNOWN))  # text: mail, FTP, chat
    unknown_protocol[spoke] |= np.isin(port, FILTERED_PORTS) & ~np.isin(
        opening, (Opening.NOTHING, Opening.DNS, Opening.HTTP, Opening.TLS)
    )
    return unknown_protocol


def began(trace: Trace, silences: Silences) -> Mask:
    """Say of which connections a greeting was captured."""
    syn = trace.sides.syn
    captured: Mask = (syn[2 * silences.flow] >= 0) | (syn[2 * silences.flow + 1] >= 0)
    return captured


def repeats_synack(trace: Trace, silences: Silences) -> Mask:
    """Say whether the other end last repeated its SYN/ACK: its accept queue is full, whoever else it serves.

    Such a server takes no data of a connection that looks open to its client (Linux tcp(7), tcp_abort_on_overflow).
    """
    other = silences.side ^ 1
    last, syn = trace.sides.last[other].astype(np.int64), trace.sides.syn[other].astype(np.int64)
    repeated: Mask = (syn >= 0) & (last > syn)
    repeated &= trace.packets.tcp_flags[np.maximum(last, 0)] & TcpFlag.SYN != 0 if len(silences) else repeated
    return repeated


def without_request(trace: Trace, silences: Silences) -> Mask:
    """Say which silences are of clients that never said anything, and do not answer their server's FIN either."""
    no_payload: Mask = trace.sides.payload_packets[silences.side ^ 1] == 0
    no_request: Mask = silences.is_kind(Kind.UNACKED_FIN) & (silences.side % 2 == 1) & no_payload
    return no_request
