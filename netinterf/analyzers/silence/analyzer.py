"""From silences and what stands beside them to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.analyzers.forgery.writer import written_signs
from netinterf.analyzers.signs import Cases, Measured, Sign, each_once, gathered, of_family, record, sign, taken, total
from netinterf.analyzers.silence import rules
from netinterf.analyzers.silence.bare_acks import find_bare_acks
from netinterf.analyzers.silence.controls import Controls, by_reset, compare, just_greeted, resets, served_time
from netinterf.analyzers.silence.counts import Counted, find_counted
from netinterf.analyzers.silence.holes import find_holes, withheld
from netinterf.analyzers.silence.openings import find_syn_controls
from netinterf.analyzers.silence.probes import DeadBeyondHop, find_dead_beyond_hop
from netinterf.analyzers.silence.quic import answered_time, compare_quic
from netinterf.analyzers.unanswered.datagrams import LEAST_TRIES, find_quic
from netinterf.analyzers.unanswered.silences import Kind, Silences, joined, without_icmp
from netinterf.analyzers.unanswered.sizes import large_only
from netinterf.analyzers.unanswered.unacked import find_unacked
from netinterf.analyzers.unanswered.waiting import find_unanswered_syns, find_waiting
from netinterf.arrays import F64, Mask
from netinterf.protocols.opening import Opening, openings
from netinterf.schema import Evidence, Rule, TcpFlag
from netinterf.table import Ragged, spans
from netinterf.trace import Trace

__all__ = ["Silence"]

IDLE_NS = 60_000_000_000
"""A pause after which an address translator (NAT) may have forgotten a connection. RFC 5382 §5 asks for 2 h 4 min; many
keep less."""

FILTERED = (53, 80, 443)
"""Ports on which filters of protocols are known that let DNS, HTTP and TLS pass (Bock et al., FOCI 2020)."""


@attrs.frozen(kw_only=True)
class Silence:
    """Find connections that somebody made fall silent.

    What it looks for: data that is never acknowledged however often it is sent, requests that are acknowledged and
    never answered, answers that stop midway and SYNs that stay unanswered, while the other end is heard, others are
    served by the same server, or the same port falls silent for a time after a trigger.

    Why: a box that drops packets leaves no packet of its own; what it cannot hide is whom it spares.

    Also looks like this: dead hosts, paths and lines, slow services, crashes, narrow paths (only large packets die),
    address translators (NAT) that forgot an idle connection, clients that went away. Most have a contrast that argues
    against.

    References: Xue et al., TSPU, IMC 2022; Bock et al., WOOT 2021; Sundara Raman et al., SIGCOMM 2023; RFC 6298.
    """

    name: ClassVar[str] = "silence"
    scope: ClassVar[Scope] = Scope.CAPTURE  # only others show that a silence is no failure
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down who fell silent, and what speaks for a box or against one."""
        every = joined([find(trace) for find in (find_unacked, find_holes, find_waiting, find_unanswered_syns)])
        silences, datagrams = without_icmp(trace, every), without_icmp(trace, find_quic(trace))
        tables = self.dead_beyond_hop(trace, find_dead_beyond_hop(trace))
        if len(silences):  # they are held against everything else, so where there are none most work is saved
            tables += self.silent(trace, silences)
        if len(datagrams):
            tables += record(self, cases_of(trace, datagrams), gathered(quic_signs(trace, datagrams)))
        return join(tables or [Evidence.empty(rules=self.rules)])

    def silent(self, trace: Trace, silences: Silences) -> list[Evidence]:
        """Write down connections that fell silent; where no known protocol was spoken, as what filters do."""
        # served_at, one entry per flow: when its server first answered, -1 where it never did or the flow fell silent
        unknown_protocol, served_at = speaks_unknown_protocol(trace, silences), served_time(trace, silences)
        counted = find_counted(trace, silences, served_at)
        controls = compare(trace, silences, served_at, resets(trace), unknown_protocol)
        narrow = large_only(trace, silences)
        parts = [
            *shapes(trace, silences, narrow),
            *contrasts(trace, silences, controls, counted, narrow[0] & narrow[1]),
            count_sign(counted),
            *unanswered_syn_signs(trace, silences, controls),
        ]
        cases, signs, tables = cases_of(trace, silences), gathered(parts), []
        for family, which in ((None, ~unknown_protocol), (rules.filters, unknown_protocol)):
            rows = np.flatnonzero(which)
            tables += record(self, cases.take(rows), taken(signs, rows, len(silences)), family)
        return tables + self.bare_acks(trace, find_bare_acks(trace, silences))

    def dead_beyond_hop(self, trace: Trace, dead: DeadBeyondHop) -> list[Evidence]:
        """Write down connections that died beyond a hop, each at the weight of the test that found it."""
        cases = Cases(
            subject=dead.flow,
            time=trace.packets.time[dead.row],
            witness=each_once(dead.row, dead.healthy),
            forged=dead.row,  # what got no answer: nobody forged it
        )
        swept = {"hop": dead.hop, "lived": dead.lived, "died": dead.died}
        passed: Measured = {"hop": dead.hop, "passed": dead.passed, "selective": 1.0}
        signs = [
            sign(rules.BEYOND, dead.llr > 0, swept, llr=dead.llr),
            sign(
                rules.BEFORE_SERVER,
                dead.before_server > 0,
                {"hop": dead.hop, "distance": dead.distance},
                llr=dead.before_server,
            ),
            sign(rules.NAME_BEYOND, dead.by_name > 0, passed, llr=dead.by_name),
        ]
        return record(self, cases, gathered(signs))

    def bare_acks(self, trace: Trace, suspects: Suspects) -> list[Evidence]:
        """Write down who acknowledged requests in the name of servers that never answered, and what must be forged."""
        if not len(suspects):
            return []
        signs = of_family(written_signs(trace, suspects), rules.bare_acks)
        odd = total(signs, len(suspects)) > 0
        cases = Cases(
            subject=suspects.flow,
            time=trace.packets.time[suspects.row],
            witness=suspects.row,
            forged=Ragged.from_lengths(odd.astype(np.int64), suspects.row[odd].astype(np.int32)),
        )
        return record(self, cases, signs, rules.bare_acks)


def cases_of(trace: Trace, silences: Silences) -> Cases:
    """Ask about silences, by what was first and last said in vain."""
    return Cases(
        subject=silences.flow,
        time=trace.packets.time[silences.row],
        witness=each_once(silences.row, silences.last),
        forged=silences.row,  # what got no answer, or the last before it: nobody forged it
    )


def shapes(trace: Trace, silences: Silences, narrow: tuple[Mask, Mask]) -> list[Sign]:
    """Tell what each silence is by itself."""
    by_client = silences.side % 2 == 0
    unacked = silences.is_kind(Kind.UNACKED_DATA)
    tries = {"tries": silences.tries, "seconds": lasted(silences)}
    seconds, holes = {"seconds": lasted(silences)}, {"seconds": lasted(silences), "bytes": silences.size}
    just_opened = just_greeted(trace, silences) & silences.first & ~silences.is_kind(Kind.UNANSWERED_SYN)
    closing, no_request = silences.is_kind(Kind.UNACKED_FIN), without_request(trace, silences)
    heard = silences.heard
    late = (trace.packets.time[np.maximum(heard, 0)] - silences.since) / 1e9
    alive = (heard >= 0) & began(trace, silences)  # else relative numbers begin at what was captured first
    withheld_bytes, witness = withheld(trace, silences)
    back = large_only(trace, attrs.evolve(silences, side=silences.side ^ 1, size=withheld_bytes))
    # nothing as large passed between the two hosts, nor to or from the client
    on_path, on_line = narrow[0] | back[0], narrow[1] | back[1]
    large = {"bytes": np.maximum(silences.size, withheld_bytes)}
    return [
        sign(rules.REQUEST, unacked & by_client & silences.first, tries),
        sign(rules.LATER, unacked & by_client & ~silences.first, tries),
        sign(rules.ANSWER, unacked & ~by_client, tries),
        sign(rules.CLOSING, closing & ~no_request, tries),
        sign(rules.NO_REQUEST, no_request, tries),
        sign(rules.ACKED_UNANSWERED, silences.is_kind(Kind.UNANSWERED_REQUEST), seconds),
        sign(rules.CUT, silences.is_kind(Kind.BROKEN_OFF), seconds),
        sign(rules.HOLE, silences.is_kind(Kind.HOLE), holes),
        sign(rules.WITHHELD, witness >= 0, {"bytes": withheld_bytes}, witness=witness),
        sign(rules.SYN, silences.is_kind(Kind.UNANSWERED_SYN), tries),
        sign(rules.GREETED, just_opened),
        sign(rules.ONE_WAY, alive & ~on_path, {"seconds": late}, witness=heard),
        sign(rules.LARGE, on_path & on_line, large),
        sign(rules.LARGE_HERE, on_path & ~on_line, large),
        sign(rules.IDLE, silences.paused >= IDLE_NS, {"seconds": silences.paused / 1e9}),
    ]


def contrasts(trace: Trace, silences: Silences, controls: Controls, counted: Counted, narrow: Mask) -> list[Sign]:
    """Tell what other connections say about each silence."""
    punished, aftermath = controls.punished, (controls.earlier_end >= 0) & ~controls.punished
    since = (silences.since - trace.packets.time[np.maximum(controls.earlier_end, 0)]) / 1e9
    intermittent = (controls.went_well > 0) & ~punished & (counted.llr <= 0)
    requests = silences.first & (silences.side % 2 == 0) & silences.is_kind(Kind.UNACKED_DATA, Kind.UNANSWERED_REQUEST)
    ready = ~repeats_synack(trace, silences)
    served = controls.served + controls.served_near
    ignored = ready & requests & silences.is_kind(Kind.UNACKED_DATA) & (controls.went_well == 0) & (served > 0)
    meanwhile, near = ready & (controls.served > 0), ready & (controls.served == 0) & (controls.served_near > 0)
    silent_to_all = (controls.silent > 0) & (served == 0) & ~punished
    # again: other silences of the same client under the same name, at whatever server
    again = (controls.again > 0) & (controls.went_well == 0) & requests
    early = silences.first | just_greeted(trace, silences)  # what ran for long may have moved away, or been forgotten
    unheard = silences.is_kind(Kind.UNACKED_DATA) & (silences.side % 2 == 0) & early
    unheard &= ~narrow  # which hits every server of the client
    # lived: networks that first served the client since, and were never silent to it
    alike = unheard & (controls.networks_alike > 0) & (controls.lived > 0) & (controls.went_well == 0)
    banned_by_reset = punished & by_reset(trace, controls.earlier_end)
    return [
        sign(rules.IGNORED, ignored, {"served": served, "selective": 1.0}),
        sign(rules.SERVED, meanwhile & ~ignored, {"served": controls.served, "selective": 1.0}),
        sign(rules.SERVED_NEAR, near & ~ignored, {"served": controls.served_near, "selective": 1.0}),
        sign(rules.SERVER, silent_to_all, {"deaf": controls.silent}),
        sign(rules.ELSEWHERE, controls.elsewhere > 0, {"packets": controls.elsewhere}),
        # present: packets of the client in its other connections to the same server meanwhile
        sign(rules.PRESENT, without_request(trace, silences) & (controls.present > 0), {"packets": controls.present}),
        sign(rules.LINE, dead_line(controls), {"tried": controls.tried}),
        sign(rules.AGAIN, again, {"times": controls.again}),
        sign(rules.ALIKE, alike, {"networks": controls.networks_alike, "lived": controls.lived}),
        sign(rules.INTERMITTENT, intermittent, {"served": controls.went_well}),
        sign(rules.RESIDUAL, punished, {"seconds": since}, witness=controls.earlier_end),
        sign(rules.AFTER_RESET, banned_by_reset, witness=controls.earlier_end),
        sign(rules.AFTERMATH, aftermath, {"seconds": since}, witness=controls.earlier_end),
        sign(rules.RECOVERED, controls.recovered & punished & (controls.went_well == 0)),
    ]


def count_sign(counted: Counted) -> Sign:
    """Tell which requests died because of how many went before."""
    # recent: requests with the same name to the same network within a minute before; least: from how many on they died;
    # others: requests with other names that the same server answered while these died
    measured = {name: getattr(counted, name) for name in ("died", "least", "recent", "others", "llr")}
    return sign(rules.COUNTED, counted.llr > 0, {**measured, "selective": 1.0}, llr=counted.llr)


def unanswered_syn_signs(trace: Trace, silences: Silences, controls: Controls) -> list[Sign]:
    """Tell which SYNs nobody answered, and what lives beside their addresses."""
    no_synack = silences.is_kind(Kind.UNANSWERED_SYN)
    if not no_synack.any():
        return []
    beside = find_syn_controls(trace, silences)
    since, alive = (silences.since - beside.last) / 1e9, controls.elsewhere + beside.neighbours + beside.other_port
    tries = {"tries": silences.tries, "seconds": lasted(silences)}
    return [
        sign(rules.SYN_UNANSWERED, no_synack, tries),
        sign(rules.SYN_OTHER_PORT, no_synack & (beside.other_port > 0), {"answered": beside.other_port}),
        sign(rules.SYN_NEIGHBOURS, no_synack & (beside.neighbours > 0), {"alive": beside.neighbours}),
        sign(rules.SYN_BEFORE, no_synack & (beside.before > 0), {"times": beside.before, "seconds": since}),
        sign(rules.SYN_INTERMITTENT, no_synack & (beside.after > 0), {"times": beside.after}),
        sign(rules.SYN_LINE, no_synack & (alive == 0)),
    ]


def quic_signs(trace: Trace, silences: Silences) -> list[Sign]:
    """Tell which QUIC fell silent, and what stands beside it."""
    # one entry per flow: when its server first answered over QUIC, -1 where it hardly did or the flow fell silent
    answered_at = answered_time(trace, silences)
    no_reset, unknown_protocol = np.zeros(len(trace.flows), np.bool_), np.zeros(len(silences), np.bool_)
    controls = compare(trace, silences, answered_at, no_reset, unknown_protocol)
    # the client's QUIC with other servers near in time: answered (others), or silent as well
    beside = compare_quic(trace, silences, answered_at)
    tries = {"tries": silences.tries, "seconds": lasted(silences)}
    served = controls.served + controls.served_near
    punished = controls.punished
    never_answered = silences.is_kind(Kind.INITIAL) & (controls.went_well == 0)
    since = (silences.since - trace.packets.time[np.maximum(controls.earlier_end, 0)]) / 1e9
    initial = silences.is_kind(Kind.INITIAL)
    others: Measured = {"others": beside.others, "selective": 1.0}
    none = (beside.others == 0) & (served == 0) & (beside.silent > 0)
    return [
        sign(rules.QUIC_INITIAL, initial & (silences.tries >= LEAST_TRIES), tries),
        sign(rules.QUIC_ONCE, initial & (silences.tries < LEAST_TRIES), tries),
        sign(rules.QUIC_STOPPED, silences.is_kind(Kind.DATAGRAM), tries),
        sign(rules.QUIC_SERVED, never_answered & (served > 0), {"served": served, "selective": 1.0}),
        sign(rules.QUIC_SERVER, (controls.silent > 0) & (served == 0) & ~punished, {"deaf": controls.silent}),
        sign(rules.QUIC_OTHERS, beside.others > 0, others),
        sign(rules.QUIC_NONE, none, {"silent": beside.silent}),
        sign(rules.QUIC_OVER_TCP, beside.over_tcp > 0, {"served": beside.over_tcp}),
        sign(rules.QUIC_PROMISED, never_answered & beside.offered_by_dns & (beside.others > 0), others),
        sign(rules.QUIC_AGAIN, (controls.again > 0) & (controls.went_well == 0), {"times": controls.again}),
        sign(rules.QUIC_INTERMITTENT, (controls.went_well > 0) & ~punished, {"served": controls.went_well}),
        sign(rules.QUIC_RESIDUAL, punished, {"seconds": since}),
        sign(rules.QUIC_RECOVERED, controls.recovered & punished & (controls.went_well == 0)),
        sign(rules.QUIC_LINE, dead_line(controls), {"tried": controls.tried}),
    ]


def speaks_unknown_protocol(trace: Trace, silences: Silences) -> Mask:
    """Say which connections opened with bytes of no protocol that filters let pass.

    On `FILTERED` ports these are DNS, HTTP and TLS; elsewhere whatever is known. Where the beginning was not captured,
    the first bytes that were say nothing of the protocol, nor who is the client.
    """
    first = trace.sides.first_payload[2 * silences.flow].astype(np.int64)
    opened = (first >= 0) & ~silences.is_kind(Kind.UNANSWERED_SYN) & began(trace, silences)
    spoke = np.flatnonzero(opened)  # what an ungreeted client says is of another connection
    row = first[spoke]
    length = trace.packets.payload_captured[row].astype(np.int64)
    heads = Ragged.from_lengths(length, trace.buffer[spans(trace.packets.payload_start[row], length)])
    unknown_protocol = np.zeros(len(silences), np.bool_)
    opening, port = openings(heads), trace.flows.server_port[silences.flow[spoke]]
    unknown_protocol[spoke] = np.isin(opening, (Opening.TEXT, Opening.NOISE, Opening.UNKNOWN))
    unknown_protocol[spoke] |= np.isin(port, FILTERED) & ~np.isin(
        opening, (Opening.NOTHING, Opening.DNS, Opening.HTTP, Opening.TLS)
    )
    return unknown_protocol


def began(trace: Trace, silences: Silences) -> Mask:
    """Say of which connections a greeting was captured."""
    syn = trace.sides.syn
    captured: Mask = (syn[2 * silences.flow] >= 0) | (syn[2 * silences.flow + 1] >= 0)
    return captured


def repeats_synack(trace: Trace, silences: Silences) -> Mask:
    """Say whether the other end only repeated its SYN/ACK: its accept queue is full, whoever else it serves.

    Such a server takes no data of a connection that looks open to its client (Linux tcp(7), tcp_abort_on_overflow).
    """
    other = silences.side ^ 1
    last, synack = trace.sides.last[other].astype(np.int64), trace.sides.syn[other].astype(np.int64)
    again: Mask = (synack >= 0) & (last > synack)
    again &= trace.packets.tcp_flags[np.maximum(last, 0)] & TcpFlag.SYN != 0 if len(silences) else again
    return again


def without_request(trace: Trace, silences: Silences) -> Mask:
    """Say which silences are of clients that never said anything, and do not answer their server's end either."""
    no_payload: Mask = trace.sides.payload_packets[silences.side ^ 1] == 0
    no_request: Mask = silences.is_kind(Kind.UNACKED_FIN) & (silences.side % 2 == 1) & no_payload
    return no_request


def lasted(silences: Silences) -> F64:
    """Tell how long each silence lasted, seconds."""
    seconds: F64 = (silences.until - silences.since) / 1e9
    return seconds


def dead_line(controls: Controls) -> Mask:
    """Say whether the client's whole line was dead: it asked elsewhere, and nothing came."""
    dead: Mask = (controls.elsewhere == 0) & (controls.tried > 0)
    return dead
