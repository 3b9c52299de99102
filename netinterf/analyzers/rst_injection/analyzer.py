"""From signs on single resets to evidence about flows."""

from typing import Any, ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.forgery.follow import like_greeting, other_way, with_followers
from netinterf.analyzers.forgery.spray import sprayed
from netinterf.analyzers.forgery.suspects import Suspects, couples, find_suspects, witnesses
from netinterf.analyzers.forgery.writer import Signs, spoken_of, written_signs
from netinterf.analyzers.rst_injection.company import find_company
from netinterf.analyzers.rst_injection.contradiction import conflicting_data, joined_pairs, second_synacks
from netinterf.analyzers.rst_injection.contradiction_rules import (
    ALIKE_WEIGHT,
    CONTRADICTION_WEIGHT,
    INJECTED_ANSWER,
    INJECTED_DATA,
    INJECTED_END,
    OVERLAPPING_ANSWER,
    OVERLAPPING_DATA,
    OVERLAPPING_END,
    SECOND_SYNACK,
    SYNACK_WEIGHT,
    VARIED_GREETING,
)
from netinterf.analyzers.rst_injection.fin_rules import DATA_RULES, FIN_RULES
from netinterf.analyzers.rst_injection.fins import fin_signs, find_fins
from netinterf.analyzers.rst_injection.first_data import find_first_data
from netinterf.analyzers.rst_injection.greeting_rules import GREETING_RULES, GREETING_WEIGHTS, SWAPPED_PORTS
from netinterf.analyzers.rst_injection.greetings import find_counted, find_varied
from netinterf.analyzers.rst_injection.later_data import find_later_data
from netinterf.analyzers.rst_injection.rules import CONNECT, ELSEWHERE, RULES
from netinterf.analyzers.rst_injection.second_greetings import other_stacks, raced, refused, swapped_ports
from netinterf.analyzers.rst_injection.signs import TEMPLATES, answers_syn, reset_signs
from netinterf.analyzers.rst_injection.spared import SPARED, find_spared
from netinterf.analyzers.rst_injection.spray_rules import SPRAYED_DATA, SPRAYED_RESETS, SPRAYED_WEIGHT
from netinterf.schema import Evidence, Rule
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["RstInjection"]

I64 = NDArray[np.int64]

Shown = tuple[str, I64, I64, Ragged | I64, dict[str, NDArray[Any]], NDArray[np.bool_]]
"""Rule, flows, packets held to be forged, packets that show it, measures, and where it shows."""


@attrs.frozen(kw_only=True)
class RstInjection:
    """Find forged TCP resets and FINs, and contradictory bytes or greetings.

    What it looks for: resets and FINs that came before their claimed sender could know what they acknowledge, whose
    claimed sender goes on talking, whose numbers no end-host would write, or whose headers are not its own.

    Why: an injector sits elsewhere on the path, does not know the connection's state, and cannot remove the packets
    of the real hosts.

    Also looks like this: aborts with unread data, closed ports, load balancers and firewalls that reset on behalf of
    a server, answers to late packets, clean-up after idling. Each has a template that argues against.

    References: Weaver, Sommer, Paxson, NDSS 2009; Sundara Raman et al., SIGCOMM 2023; RFC 9293.
    """

    name: ClassVar[str] = "rst_injection"
    scope: ClassVar[Scope] = Scope.CAPTURE  # round trips are those of the server's address, over all flows
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "sides", "rtts", "tls", "http"})
    rules: ClassVar[tuple[Rule, ...]] = (
        *RULES,
        *FIN_RULES,
        *DATA_RULES,
        *GREETING_RULES,
        SPRAYED_DATA,
        SPRAYED_RESETS,
        *(known for _, known in SPARED),
    )

    ttl_tolerance: int = attrs.field(default=0)
    """Hops by which a reset may differ from its sender's other packets. Within one flow the value hardly ever moves:
    it was equal for 810 of 810 genuine data, ACK and FIN packets of public control captures."""

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the resets of each flow, and what contradicts itself."""
        ended, forged_ends = self.fins(trace)
        tables = [
            *ended,
            *self.resets(trace, forged_ends),
            *self.contradictions(trace),
            *self.greetings(trace),
            *self.sprays(trace),
        ]
        for suspects in (find_first_data(trace), find_later_data(trace)):
            tables += self.data(trace, suspects)
        return join(tables) if tables else Evidence.empty(rules=self.rules)

    def contradictions(self, trace: Trace) -> list[Evidence]:
        """Write down what contradicts itself: bytes, or answers to a SYN."""
        data, synack = conflicting_data(trace), second_synacks(trace)
        found = [
            (INJECTED_DATA.id, data, ~data.http & ~data.end & ~data.alike),
            (INJECTED_ANSWER.id, data, data.http & ~data.alike),
            (INJECTED_END.id, data, data.end & ~data.alike),
            (OVERLAPPING_DATA.id, data, ~data.http & ~data.end & data.alike),
            (OVERLAPPING_ANSWER.id, data, data.http & data.alike),
            (OVERLAPPING_END.id, data, data.end & data.alike),
            (SECOND_SYNACK.id, synack, synack.flow >= 0),
        ]
        weights = [CONTRADICTION_WEIGHT] * 6 + [SYNACK_WEIGHT]
        return [
            observe(
                self,
                rule,
                subject=pairs.flow[pick],
                time=trace.packets.time[pairs.forged[pick]],
                llr=np.where(pairs.alike[pick], ALIKE_WEIGHT, full),
                forged=pairs.forged[pick],
                witness=couples(pairs.forged[pick], pairs.genuine[pick]),
            )
            for (rule, pairs, pick), full in zip(found, weights, strict=True)
            if pick.any()
        ]

    def sprays(self, trace: Trace) -> list[Evidence]:
        """Write down data and resets that were sprayed over numbers outside the stream, once a flow."""
        tables = []
        for rule, resets in ((SPRAYED_DATA, False), (SPRAYED_RESETS, True)):
            row, places = sprayed(trace, resets=resets)
            flow, first = np.unique(trace.packets.flow[row], return_index=True)
            order = np.argsort(trace.packets.flow[row], kind="stable")
            every = Ragged.from_lengths(
                np.bincount(np.searchsorted(flow, trace.packets.flow[row]), minlength=len(flow)),
                row[order].astype(np.int32),
            )
            tables.append(
                observe(
                    self,
                    rule.id,
                    subject=flow,
                    time=trace.packets.time[row[first]],
                    llr=SPRAYED_WEIGHT,
                    forged=every,
                    witness=every,
                    measured={"places": places[first]},
                )
            )
        return tables

    def greetings(self, trace: Trace) -> list[Evidence]:
        """Write down greetings of one server that differ from connection to connection, or to one SYN."""
        row, windows = find_varied(trace)
        counted, swapped = find_counted(trace), swapped_ports(trace)
        pairs = joined_pairs(second_synacks(trace), swapped)
        early, times = raced(trace, pairs)
        denial = refused(trace, pairs)
        both, single = couples(pairs.forged, pairs.genuine), pairs.forged
        denied = couples(single, np.where(denial < 0, single, denial))
        of_row, of_counted = (trace.packets.flow[some].astype(np.int64) for some in (row, counted))
        odd = other_stacks(trace, pairs)
        shown: tuple[Shown, ...] = (
            (VARIED_GREETING.id, of_row, row, row, {"windows": windows}, row >= 0),
            ("synack.counting", of_counted, counted, counted, {}, counted >= 0),
            (SWAPPED_PORTS.id, swapped.flow, swapped.forged, swapped.forged, {}, swapped.flow >= 0),
            ("synack.nearer", pairs.flow, single, both, times, early),
            ("synack.other_stack", pairs.flow, single, both, {}, odd),
            ("synack.refused", pairs.flow, single, denied, {}, denial >= 0),
        )
        return [
            observe(
                self,
                rule,
                subject=flow[where],
                time=trace.packets.time[forged[where]],
                llr=GREETING_WEIGHTS[rule],
                forged=forged[where],
                witness=witness.take(np.flatnonzero(where)) if isinstance(witness, Ragged) else witness[where],
                measured={key: value[where] for key, value in measured.items()},
            )
            for rule, flow, forged, witness, measured, where in shown
        ]

    def fins(self, trace: Trace) -> tuple[list[Evidence], NDArray[np.int64]]:
        """Weigh every odd FIN; write down the signs on the most suspicious of each flow.

        Returns:
            The evidence, and the sides (rows in Sides) whose end somebody else seems to have written.
        """
        fins = find_fins(trace)
        if len(fins) == 0:
            return [], np.empty(0, np.int64)
        signs = fin_signs(trace, fins, self.ttl_tolerance)
        score = sum((llr for llr, _, _ in signs.values()), np.zeros(len(fins)))
        own = score - signs["after_request"][0]  # the stage marks no single packet
        chosen = choose(fins, score)
        chosen = chosen[own[chosen] > 0]
        forged = forged_rows(trace, fins, own, chosen)
        strange = np.flatnonzero(other_way(trace, fins.row[chosen], fins.side[chosen]))
        more = with_followers(trace, fins.row[chosen[strange]])
        at = np.concatenate([forged.parents(), strange[more.parents()]])
        forged = merged(at, np.concatenate([forged.values, more.values]), len(chosen))
        part = np.arange(len(chosen))
        written = self.write(trace, fins, signs, chosen, forged, "fin.", part)
        return written, np.unique(fins.side[own > 0])

    def data(self, trace: Trace, suspects: Suspects) -> list[Evidence]:
        """Weigh odd data of servers, at most one packet a flow; nothing is written where nothing speaks against it."""
        if len(suspects) == 0:
            return []
        signs = spoken_of(written_signs(trace, suspects, self.ttl_tolerance), DATA_RULES)
        score = sum((llr for llr, _, _ in signs.values()), np.zeros(len(suspects)))
        chosen = np.flatnonzero(score > 0)
        forged, part = with_followers(trace, suspects.row[chosen]), np.arange(len(chosen))
        return self.write(trace, suspects, signs, chosen, forged, "data.", part)

    def resets(self, trace: Trace, forged_ends: NDArray[np.int64]) -> list[Evidence]:
        """Weigh every suspect reset; write down the signs on the most suspicious of each flow.

        Args:
            trace: The capture.
            forged_ends: Sides whose FIN is held to be forged: it excuses no reset.
        """
        suspects = find_suspects(trace)
        if len(suspects) == 0:
            return []
        signs = reset_signs(trace, suspects, forged_ends, self.ttl_tolerance)
        score = sum((llr for llr, _, _ in signs.values()), np.zeros(len(suspects)))
        chosen = choose(suspects, score)
        own = score - signs["after_request"][0] - signs["after_ack"][0]  # the stage marks no single packet
        own -= signs["forgot"][0]  # that one is the client's own, and shows another that was not captured
        forged = forged_rows(trace, suspects, own, chosen)
        connect = answers_syn(trace, suspects)[chosen]
        tables = [
            table
            for prefix, part in (("rst.", ~connect), (f"rst.{CONNECT}", connect))
            for table in self.write(trace, suspects, signs, chosen, forged, prefix, np.flatnonzero(part))
        ]
        tables += self.spared(trace, suspects, chosen, signs)
        return [*tables, self.elsewhere(trace, suspects, chosen, signs)]

    def spared(self, trace: Trace, suspects: Suspects, chosen: NDArray[np.int64], signs: Signs) -> list[Evidence]:
        """Write down whom resets of first requests spare."""
        staged = (signs["after_request"][0] + signs["after_ack"][0])[chosen] > 0
        rows = chosen[staged]
        hit = np.zeros(len(trace.flows), np.bool_)
        hit[suspects.flow[rows]] = True
        time = trace.packets.time[suspects.row[rows]]
        seen = find_spared(trace, suspects.flow[rows], time, hit)
        shown = {
            "rst.spared": (seen.served > 0, {"served": seen.served}),
            "rst.again": ((seen.again > 0) & (seen.went_well == 0), {"times": seen.again}),
            "rst.moody": (seen.went_well > 0, {"served": seen.went_well}),
        }
        return [
            observe(
                self,
                known.id,
                subject=suspects.flow[rows][where],
                time=time[where],
                llr=weight,
                forged=suspects.row[rows][where],
                witness=suspects.row[rows][where],
                measured={key: value[where] for key, value in measured.items()},
            )
            for weight, known in SPARED
            for where, measured in (shown[known.id],)
        ]

    def write(
        self,
        trace: Trace,
        suspects: Suspects,
        signs: Signs,
        chosen: NDArray[np.int64],
        forged: Ragged,
        prefix: str,
        part: NDArray[np.int64],
    ) -> list[Evidence]:
        """Write down the signs on some of the chosen suspects (*part*: places among them)."""
        tables = []
        for name, (llr, measured, shown) in signs.items():
            pick = part[llr[chosen[part]] != 0]
            if not len(pick):
                continue
            rows = chosen[pick]
            tables.append(
                observe(
                    self,
                    f"{prefix}{name}",
                    subject=suspects.flow[rows],
                    time=trace.packets.time[suspects.row[rows]],
                    llr=llr[rows],
                    forged=forged.take(pick),
                    witness=witnesses(suspects, rows, shown),
                    measured={key: values[rows] for key, values in measured.items()},
                )
            )
        return tables

    def elsewhere(self, trace: Trace, suspects: Suspects, chosen: NDArray[np.int64], signs: Signs) -> Evidence:
        """Write down which resets have company in the name of unrelated servers of the same client."""
        own = np.stack([llr[chosen] for llr, _, _ in signs.values()], axis=1)
        excused = np.isin(list(signs), TEMPLATES)
        guilty = (own.sum(axis=1) > 0) & (own[:, excused] == 0).all(axis=1) & (suspects.side[chosen] % 2 == 1)
        company = find_company(trace, suspects, chosen, guilty, own > 0)
        pick = np.flatnonzero(company.llr > 0)
        rows = chosen[pick]
        return observe(
            self,
            ELSEWHERE.id,
            subject=suspects.flow[rows],
            time=trace.packets.time[suspects.row[rows]],
            llr=company.llr[pick],
            witness=suspects.row[rows],
            measured={"servers": company.servers[pick], "spared": company.spared[pick]},
        )


def choose(suspects: Suspects, score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pick the most suspicious reset of each flow (the first of equals); places among the suspects, by flow."""
    order = np.lexsort((suspects.row, -score, suspects.flow))
    flow = suspects.flow[order]
    first: NDArray[np.int64] = order[np.append(True, flow[1:] != flow[:-1])[: len(order)]]
    return first


def forged_rows(trace: Trace, suspects: Suspects, score: NDArray[np.float64], chosen: NDArray[np.int64]) -> Ragged:
    """List, for each chosen flow, the ends of the same claimed sender that look forged on their own.

    Where the chosen one came another way than its claimed sender's SYN, those that came that sender's way are its own.
    """
    flow_side = np.full(int(suspects.flow.max(initial=0)) + 1, -1)
    flow_side[suspects.flow[chosen]] = suspects.side[chosen]
    mine = (score > 0) & (flow_side[suspects.flow] == suspects.side)
    same_way, strange = like_greeting(trace, suspects.row, suspects.side), np.zeros(len(flow_side), np.bool_)
    strange[suspects.flow[chosen]] = ~same_way[chosen]
    mine &= ~(same_way & strange[suspects.flow])
    rows = np.flatnonzero(mine)
    order = rows[np.lexsort((suspects.row[rows], suspects.flow[rows]))]
    place = np.searchsorted(suspects.flow[chosen], suspects.flow[order])
    return Ragged.from_lengths(np.bincount(place, minlength=len(chosen)), suspects.row[order].astype(np.int32))


def merged(owner: NDArray[np.int64], row: NDArray[np.int32], count: int) -> Ragged:
    """List packets by owner, in order, each once."""
    pairs = np.unique(owner << 32 | row.astype(np.int64))
    return Ragged.from_lengths(np.bincount(pairs >> 32, minlength=count), (pairs & 0xFFFFFFFF).astype(np.int32))
