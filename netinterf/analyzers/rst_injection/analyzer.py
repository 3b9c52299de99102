"""From signs on single packets to evidence about flows: resets, FINs, data and greetings that somebody else wrote."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.forgery.followers import other_hop_limit, same_hop_limit, with_same_writer
from netinterf.analyzers.forgery.sequence import sprayed
from netinterf.analyzers.forgery.suspects import Suspects, find_suspects
from netinterf.analyzers.forgery.writer import written_signs
from netinterf.analyzers.rst_injection import rules
from netinterf.analyzers.rst_injection.contradiction import (
    Contradictions,
    conflicting_data,
    joined_pairs,
    second_synacks,
)
from netinterf.analyzers.rst_injection.elsewhere import find_elsewhere
from netinterf.analyzers.rst_injection.fins import fin_signs, find_fins
from netinterf.analyzers.rst_injection.odd_data import find_first_data, find_later_data
from netinterf.analyzers.rst_injection.rival_synacks import byte_swapped_ports, other_stacks, raced, refused
from netinterf.analyzers.rst_injection.signs import EXCUSING_ENDINGS, answers_syn, reset_signs
from netinterf.analyzers.rst_injection.spared import spared_signs
from netinterf.analyzers.rst_injection.synacks import find_counted, find_varied
from netinterf.analyzers.signs import (
    Cases,
    Signs,
    by_rule,
    each_once,
    none_forged,
    record,
    restricted_to,
    sign,
    taken,
    total,
)
from netinterf.arrays import F64, I64
from netinterf.numbering import distinct, ordered
from netinterf.schema import Evidence, Rule
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["RstInjection"]


@frozen(kw_only=True)
class RstInjection:
    """Find forged TCP resets and FINs, and contradictory bytes or greetings.

    What it looks for: resets and FINs that came before their claimed sender could know what they acknowledge, whose
    claimed sender goes on talking, whose numbers no end-host would write, or whose headers are not its own.

    Why: an injector sits elsewhere on the path, does not know the connection's state, and cannot remove the packets
    of the real hosts.

    Also looks like this: aborts with unread data, closed ports, load balancers and firewalls that reset on behalf of
    a server, answers to late packets, clean-up after idling. Most have a rule that argues against.

    References: Weaver, Sommer, Paxson, NDSS 2009; Sundara Raman et al., SIGCOMM 2023; RFC 9293.
    """

    name: ClassVar[str] = "rst_injection"
    scope: ClassVar[Scope] = Scope.CAPTURE  # round trips are those of the server's address, over all flows
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    ttl_tolerance: int = attrs.field(default=0)
    """Hops by which a suspect packet may differ from its sender's others. Within one flow the value hardly ever moves:
    it was equal for 810 of 810 genuine data, ACK and FIN packets of public benign captures."""

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the packets that may be forged in each flow."""
        ended, forged_fins = self.fins(trace)
        tables = [
            *ended,
            *self.resets(trace, forged_fins),
            *self.contradictions(trace),
            *self.synacks(trace),
            *self.sprays(trace),
        ]
        for suspects in (find_first_data(trace), find_later_data(trace)):
            tables += self.data(trace, suspects)
        return join(tables) if tables else Evidence.empty(rules=self.rules)

    def contradictions(self, trace: Trace) -> list[Evidence]:
        """Write down bytes that contradict each other."""
        data = conflicting_data(trace)
        if not len(data):
            return []
        pairs, signs = cases_of(trace, data), contrary(data)
        kinds = (  # no pair is both: an HTTP answer that also ends the stream is one
            (rules.contrary_data, ~data.http & ~data.fin),
            (rules.contrary_pages, data.http),
            (rules.contrary_fins, data.fin),
        )
        tables = []
        for family, which in kinds:  # the family's own rules stand for those of its twins
            rows = np.flatnonzero(which)
            tables += record(self, pairs.take(rows), taken(signs, rows, len(pairs)), family)
        return tables

    def sprays(self, trace: Trace) -> list[Evidence]:
        """Write down data and resets that were sprayed over numbers outside the stream, once a flow."""
        tables = []
        for rule, resets in ((rules.DATA_SPRAYED, False), (rules.SPRAYED, True)):
            row, place_count = sprayed(trace, resets=resets)
            if not len(row):
                continue
            flow, first, owner = np.unique(trace.packets.flow[row], return_index=True, return_inverse=True)
            every = merged(owner.astype(np.int64), row, len(flow))
            cases = Cases(subject=flow, time=trace.packets.time[row[first]], witness=every, forged=every)
            tables += record(self, cases, by_rule([sign(rule, True, {"places": place_count[first]})]))
        return tables

    def synacks(self, trace: Trace) -> list[Evidence]:
        """Write down greetings of one server that differ from connection to connection, or to one SYN."""
        rivals, byte_swapped, counted = second_synacks(trace), byte_swapped_ports(trace), find_counted(trace)
        tables = []
        if len(rivals):
            strength = np.where(rivals.maybe_one_sender, ONE_SENDER_SHARE, 1.0)
            tables += record(
                self, cases_of(trace, rivals), by_rule([sign(rules.SECOND_SYNACK, True, strength=strength)])
            )
        row, window_count = find_varied(trace)
        varied = sign(rules.SYNACK_WINDOW_VARIES, True, {"windows": window_count})
        tables += record(self, of_packets(trace, row), by_rule([varied]))
        tables += record(self, of_packets(trace, counted), by_rule([sign(rules.SYNACK_COUNTING, True)]))
        swapped_cases = of_packets(trace, byte_swapped.forged, byte_swapped.flow)
        tables += record(self, swapped_cases, by_rule([sign(rules.SYNACK_SWAPPED_PORTS, True)]))
        pairs = joined_pairs(rivals, byte_swapped)
        return tables + (self.pairs(trace, pairs) if len(pairs) else [])

    def pairs(self, trace: Trace, pairs: Contradictions) -> list[Evidence]:
        """Write down what tells two greetings to one SYN apart."""
        early, times = raced(trace, pairs)
        denial = refused(trace, pairs)  # the server's refusal of the number that the client took
        beside = [
            sign(rules.SYNACK_NEARER, early, times, witness=pairs.genuine),
            sign(rules.SYNACK_OTHER_STACK, other_stacks(trace, pairs), witness=pairs.genuine),
            sign(rules.SYNACK_REFUSED, denial >= 0, witness=denial),
        ]
        return record(self, of_packets(trace, pairs.forged, pairs.flow), by_rule(beside))

    def fins(self, trace: Trace) -> tuple[list[Evidence], I64]:
        """Weigh every odd FIN; write down the signs on the most suspicious of each flow, if not the stage alone is odd.

        Returns:
            The evidence, and the sides (rows in Sides) whose FIN somebody else seems to have written.
        """
        fins = find_fins(trace)
        if len(fins) == 0:
            return [], np.empty(0, np.int64)
        signs = fin_signs(trace, fins, self.ttl_tolerance)
        score = total(signs, len(fins))
        own = score - signs[rules.FIN_AFTER_REQUEST].llr  # the stage marks no single packet
        chosen = choose(fins, score)
        chosen = chosen[own[chosen] > 0]
        forged = forged_rows(trace, fins, own, chosen)
        other_limit = np.flatnonzero(other_hop_limit(trace, fins.row[chosen], fins.side[chosen]))
        more = with_same_writer(trace, fins.row[chosen[other_limit]])
        at = np.concatenate([forged.parents(), other_limit[more.parents()]])
        forged = merged(at, np.concatenate([forged.values, more.values]), len(chosen))
        cases = suspected(trace, fins, chosen, forged)
        written = record(self, cases, taken(signs, chosen, len(fins)), rules.fins)
        return written, np.unique(fins.side[own > 0])

    def data(self, trace: Trace, suspects: Suspects) -> list[Evidence]:
        """Weigh odd data of servers, one packet a flow, where more speaks against it than for it."""
        if len(suspects) == 0:
            return []
        signs = restricted_to(written_signs(trace, suspects, self.ttl_tolerance), rules.data)
        chosen = np.flatnonzero(total(signs, len(suspects)) > 0)
        cases = suspected(trace, suspects, chosen, with_same_writer(trace, suspects.row[chosen]))
        return record(self, cases, taken(signs, chosen, len(suspects)), rules.data)

    def resets(self, trace: Trace, forged_fins: I64) -> list[Evidence]:
        """Weigh every suspect reset; write down the signs on the most suspicious of each flow.

        Args:
            trace: The capture.
            forged_fins: Sides whose FIN is held to be forged: it excuses no reset.
        """
        suspects = find_suspects(trace)
        if len(suspects) == 0:
            return []
        signs = reset_signs(trace, suspects, forged_fins, self.ttl_tolerance)
        score = total(signs, len(suspects))
        chosen = choose(suspects, score)
        # never both: at that stage the server had acknowledged the request before, or had not
        stage = signs[rules.AFTER_REQUEST].llr + signs[rules.REQUEST_ACKED].llr
        own = score - stage - signs[rules.FORGOT].llr  # a stage marks no packet, FORGOT shows a reset not captured
        cases = suspected(trace, suspects, chosen, forged_rows(trace, suspects, own, chosen))
        signs = taken(signs, chosen, len(suspects))
        opening = answers_syn(trace, suspects)[chosen]
        tables = []
        for family, which in ((rules.resets, ~opening), (rules.connects, opening)):
            rows = np.flatnonzero(which)
            tables += record(self, cases.take(rows), taken(signs, rows, len(cases)), family)
        rows = np.flatnonzero(stage[chosen] > 0)
        alone = suspected(trace, suspects, chosen[rows], suspects.row[chosen[rows]])
        tables += record(self, alone, spared_signs(trace, alone))
        return tables + self.elsewhere(trace, suspects, chosen, signs)

    def elsewhere(self, trace: Trace, suspects: Suspects, chosen: I64, signs: Signs) -> list[Evidence]:
        """Write down which resets have company in the name of unrelated servers of the same client."""
        llr = np.stack([sign.llr for sign in signs.values()], axis=1)
        excuses = np.array([rule in EXCUSING_ENDINGS for rule in signs])
        suspicious = (llr.sum(axis=1) > 0) & (llr[:, excuses] == 0).all(axis=1) & (suspects.side[chosen] % 2 == 1)
        like = find_elsewhere(trace, suspects, chosen, suspicious, llr > 0)
        counts = {"servers": like.servers, "spared": like.spared}
        cases = suspected(trace, suspects, chosen, none_forged(len(chosen)))
        return record(self, cases, by_rule([sign(rules.ELSEWHERE, like.llr > 0, counts, llr=like.llr)]))


ONE_SENDER_SHARE = 5.0 / 8.0
"""Share of its weight that a second greeting keeps where neither hop limit, IP flags, timestamps nor an acknowledgement
tells the two apart: 5 nats, which is what `OVERLAP` weighs."""


def contrary(pairs: Contradictions) -> Signs:
    """Say which pairs show two senders, and which may be one broken sender's."""
    return by_rule([sign(rules.CONTRADICTION, ~pairs.maybe_one_sender), sign(rules.OVERLAP, pairs.maybe_one_sender)])


def cases_of(trace: Trace, pairs: Contradictions) -> Cases:
    """Ask about the forged packet of each pair, of which both are witnesses."""
    witness = each_once(pairs.forged, pairs.genuine)
    return Cases(subject=pairs.flow, time=trace.packets.time[pairs.forged], witness=witness, forged=pairs.forged)


def of_packets(trace: Trace, row: I64, flow: I64 | None = None) -> Cases:
    """Ask about single packets that are held to be forged, each of its own flow if not told otherwise."""
    subject = trace.packets.flow[row] if flow is None else flow
    return Cases(subject=subject, time=trace.packets.time[row], witness=row, forged=row)


def suspected(trace: Trace, suspects: Suspects, chosen: I64, forged: Ragged | I64) -> Cases:
    """Ask about some suspects."""
    row = suspects.row[chosen]
    return Cases(subject=suspects.flow[chosen], time=trace.packets.time[row], witness=row, forged=forged)


def choose(suspects: Suspects, score: F64) -> I64:
    """Pick the most suspicious packet of each flow (the first of equals); places among the suspects, by flow."""
    order = ordered(suspects.flow)  # packets of one flow rise
    flow, score = suspects.flow[order], score[order]
    begins = np.flatnonzero(np.append(True, flow[1:] != flow[:-1])[: len(order)])
    if not len(begins):
        return begins
    most = np.repeat(np.maximum.reduceat(score, begins), np.diff(np.append(begins, len(order))))
    first: I64 = order[np.minimum.reduceat(np.where(score == most, np.arange(len(order)), len(order)), begins)]
    return first


def forged_rows(trace: Trace, suspects: Suspects, score: F64, chosen: I64) -> Ragged:
    """List, for each chosen flow, the resets or FINs in the name of the same sender that look forged on their own.

    Where the chosen one came with another hop limit than the SYN of its claimed sender, those that came with that of
    the SYN are the sender's own.
    """
    flow_side = np.full(int(suspects.flow.max(initial=0)) + 1, -1)
    flow_side[suspects.flow[chosen]] = suspects.side[chosen]
    mine = (score > 0) & (flow_side[suspects.flow] == suspects.side)
    same_limit, other_limit = same_hop_limit(trace, suspects.row, suspects.side), np.zeros(len(flow_side), np.bool_)
    other_limit[suspects.flow[chosen]] = ~same_limit[chosen]
    mine &= ~(same_limit & other_limit[suspects.flow])
    rows = np.flatnonzero(mine)
    order = rows[np.lexsort((suspects.row[rows], suspects.flow[rows]))]
    place = np.searchsorted(suspects.flow[chosen], suspects.flow[order])
    return Ragged.from_lengths(np.bincount(place, minlength=len(chosen)), suspects.row[order].astype(np.int32))


def merged(owner: I64, row: NDArray[np.integer], count: int) -> Ragged:
    """List packets by owner, in order, each once."""
    pairs = distinct(owner << 32 | row.astype(np.int64))
    return Ragged.from_lengths(np.bincount(pairs >> 32, minlength=count), (pairs & 0xFFFFFFFF).astype(np.int32))
