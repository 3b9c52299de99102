"""From signs on single resets to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.rst_injection.burst import burst_signs
from netinterf.analyzers.rst_injection.company import find_company
from netinterf.analyzers.rst_injection.contradiction import conflicting_data, second_synacks
from netinterf.analyzers.rst_injection.endings import EndingSigns, ending_signs
from netinterf.analyzers.rst_injection.header import HeaderSigns, compare_headers
from netinterf.analyzers.rst_injection.rules import (
    ALIKE_WEIGHT,
    CONNECT,
    CONTRADICTION_WEIGHT,
    ELSEWHERE,
    INJECTED_ANSWER,
    INJECTED_DATA,
    OVERLAPPING_ANSWER,
    OVERLAPPING_DATA,
    RULES,
    SECOND_SYNACK,
    SYNACK_WEIGHT,
    WEIGHTS,
)
from netinterf.analyzers.rst_injection.sequence import ack_unsent, alive_after, behind_data, seq_change
from netinterf.analyzers.rst_injection.suspects import Suspects, find_suspects
from netinterf.analyzers.rst_injection.timing import Timing, measure_timing, trigger_died
from netinterf.schema import Evidence, Rule
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["RstInjection"]

Signs = dict[str, tuple[NDArray[np.float64], dict[str, NDArray[np.float64]], NDArray[np.int64] | None]]


@attrs.frozen(kw_only=True)
class RstInjection:
    """Find forged TCP resets.

    What it looks for: resets that came before their claimed sender could know what they acknowledge, whose claimed
    sender goes on talking, whose numbers no end-host would write, or whose headers are not those of their sender.

    Why: an injector sits elsewhere on the path, does not know the connection's state, and cannot remove the packets
    of the real hosts.

    Also looks like this: aborts with unread data, closed ports, load balancers and firewalls that reset on behalf of
    a server, answers to late packets, clean-up after idling. Each has a template that argues against.

    References: Weaver, Sommer, Paxson, NDSS 2009; Sundara Raman et al., SIGCOMM 2023; RFC 9293.
    """

    name: ClassVar[str] = "rst_injection"
    scope: ClassVar[Scope] = Scope.CAPTURE  # round trips are those of the server's address, over all flows
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "sides", "rtts", "tls", "http"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    ttl_tolerance: int = attrs.field(default=0)
    """Hops by which a reset may differ from its sender's other packets. Within one flow the value hardly ever moves:
    it was equal for 810 of 810 genuine data, ACK and FIN packets of public control captures."""

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the resets of each flow, and what contradicts itself."""
        tables = [*self.resets(trace), *self.contradictions(trace)]
        return join(tables) if tables else Evidence.empty(rules=self.rules)

    def contradictions(self, trace: Trace) -> list[Evidence]:
        """Write down what contradicts itself: bytes, or answers to a SYN."""
        data, synack = conflicting_data(trace), second_synacks(trace)
        found = [
            (INJECTED_DATA.id, data, ~data.http & ~data.alike),
            (INJECTED_ANSWER.id, data, data.http & ~data.alike),
            (OVERLAPPING_DATA.id, data, ~data.http & data.alike),
            (OVERLAPPING_ANSWER.id, data, data.http & data.alike),
            (SECOND_SYNACK.id, synack, synack.flow >= 0),
        ]
        weights = [CONTRADICTION_WEIGHT] * 4 + [SYNACK_WEIGHT]
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

    def resets(self, trace: Trace) -> list[Evidence]:
        """Weigh every suspect reset; write down the signs on the most suspicious of each flow."""
        suspects = find_suspects(trace)
        if len(suspects) == 0:
            return []
        signs = self.signs(trace, suspects)
        score = sum((llr for llr, _, _ in signs.values()), np.zeros(len(suspects)))
        chosen = choose(suspects, score)
        forged = forged_rows(
            suspects, score - signs["after_request"][0] - signs["after_ack"][0], chosen
        )  # the stage marks no single packet
        connect = (suspects.previous[chosen] < 0) & (trace.sides.syn[suspects.other[chosen]] >= 0)
        tables = []
        for name, (llr, measured, shown) in signs.items():
            for prefix, part in (("", ~connect), (CONNECT, connect)):
                pick = part & (llr[chosen] != 0)
                if not pick.any():
                    continue
                rows = chosen[pick]
                tables.append(
                    observe(
                        self,
                        f"rst.{prefix}{name}",
                        subject=suspects.flow[rows],
                        time=trace.packets.time[suspects.row[rows]],
                        llr=llr[rows],
                        forged=forged.take(np.flatnonzero(pick)),
                        witness=witnesses(suspects, rows, shown),
                        measured={key: values[rows] for key, values in measured.items()},
                    )
                )
        tables.append(self.elsewhere(trace, suspects, chosen, signs))
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

    def signs(self, trace: Trace, suspects: Suspects) -> Signs:
        """Weigh each sign on each suspect: name to (LLR, measures, packet that shows it)."""
        headers = compare_headers(trace, suspects)
        endings = ending_signs(trace, suspects, headers)
        timing = measure_timing(trace, suspects)
        foreign = ~np.isnan(self.jump(headers)) | headers.no_timestamps | headers.fragment_flag
        gap, after = alive_after(trace, suspects, foreign)
        report = trigger_died(trace, suspects)
        waiting, acknowledged = after_request(trace, suspects)
        burst = burst_signs(trace, suspects)
        shaped = ((burst.size >= 2) & burst.mixed) | burst.excess
        return {
            **timing_signs(timing, endings),
            "alive_after": (weigh("alive_after", ~np.isnan(gap)), {"gap_ms": gap}, after),
            "seq_change": (weigh("seq_change", seq_change(trace, suspects)), {}, None),
            "behind_data": (weigh("behind_data", behind_data(trace, suspects)), {}, None),
            "ack_unsent": (weigh("ack_unsent", ack_unsent(trace, suspects)), {}, None),
            "trigger_died": (weigh("trigger_died", report >= 0), {}, report),
            "after_request": (weigh("after_request", waiting & ~acknowledged), {}, None),
            "after_ack": (weigh("after_ack", waiting & acknowledged), {}, None),
            **self.header_signs(trace, suspects, headers),
            "burst": (weigh("burst", shaped), {"size": burst.size.astype(np.float64)}, None),
            "per_segment": (weigh("per_segment", burst.per_segment), {"size": burst.size.astype(np.float64)}, None),
            "cloned_id": (weigh("cloned_id", burst.cloned), {}, None),
            "counting": (weigh("counting", burst.counting), {}, None),
            **template_signs(endings, ~np.isnan(gap)),
        }

    def jump(self, headers: HeaderSigns) -> NDArray[np.float64]:
        """Hops by which each reset is off its sender, NaN within the tolerance and where unknown."""
        return np.where(np.abs(headers.ttl_jump) > self.ttl_tolerance, headers.ttl_jump, np.nan)

    def header_signs(self, trace: Trace, suspects: Suspects, headers: HeaderSigns) -> Signs:
        """Weigh how the reset's header differs from its sender's."""
        jump = self.jump(headers)
        ip_id = weigh("ip_id", ~np.isnan(headers.ip_id_jump)) * np.where(suspects.acks, 1.0, 0.25)
        if not trace.facts.ip_id_informative:
            ip_id[:] = 0.0
        telling = ~np.isnan(jump) & trace.facts.ttl_informative  # equal or rewritten hop limits tell nothing
        device = device_share(telling, headers)
        return {
            "ttl": (device * weigh("ttl", telling & ~headers.ttl_class), {"jump": jump}, None),
            "ttl_class": (device * weigh("ttl_class", telling & headers.ttl_class), {"jump": jump}, None),
            "ttl_varies": (weigh("ttl_varies", telling & headers.ttl_varies), {}, None),
            "no_timestamps": (device * weigh("no_timestamps", headers.no_timestamps), {}, None),
            "ip_id": (ip_id * ~headers.copied_id, {"distance": headers.ip_id_jump}, None),
            "copied_id": (weigh("copied_id", headers.copied_id), {}, None),
            "df": (device * weigh("df", headers.fragment_flag), {}, None),
            "copied_window": (weigh("copied_window", headers.copied_window), {}, None),
            "odd_window": (device * weigh("odd_window", headers.odd_window), {}, None),
            "bare_window": (device * weigh("bare_window", headers.bare_window), {}, None),
            "window_varies": (weigh("window_varies", headers.window_varies), {}, None),
            "odd_flags": (weigh("odd_flags", headers.odd_flags), {}, None),
            "payload": (weigh("payload", headers.payload > 0), {"bytes": headers.payload.astype(np.float64)}, None),
            "in_counter": (weigh("in_counter", headers.in_counter), {}, None),
        }


def timing_signs(timing: Timing, endings: EndingSigns) -> Signs:
    """Weigh how long the resets took; a gateway may rightly answer for a flow that it forgot."""
    measured = {"ratio": timing.ratio, "waited_ms": timing.ratio * timing.rtt / 1e6, "rtt_ms": timing.rtt / 1e6}
    many = timing.samples >= 2
    sizes = {
        "premature": np.where(many, WEIGHTS["rst.premature"], ONE_SAMPLE) * timing.premature,
        "too_soon": weigh("too_soon", timing.too_soon) * np.where(many, 1.0, ONE_SAMPLE / WEIGHTS["rst.premature"]),
        "nearer": weigh("nearer", timing.nearer),
        "on_time": weigh("on_time", timing.on_time),
    }
    forgotten = endings.idle | endings.resumed | endings.after_close
    return {name: (np.where(forgotten, 0.0, llr), measured, timing.asked) for name, llr in sizes.items()}


def template_signs(endings: EndingSigns, alive: NDArray[np.bool_]) -> Signs:
    """Weigh the templates of genuine endings, the most special first.

    A side that goes on as if nothing had happened had not closed, aborted or forgotten the connection: where it does,
    no template explains the reset.
    """
    special = endings.after_fin | endings.abort
    found = {
        "abort": endings.abort,
        "refused": endings.refused & ~endings.abort,
        "after_fin": endings.after_fin & ~endings.abort,
        "reaction": endings.reaction & ~special,
        "stray": endings.stray & ~endings.after_fin & ~endings.reaction,
        "after_close": endings.after_close & ~special,
        "resumed": endings.resumed & ~special & ~endings.after_close & ~endings.idle,
        "idle": endings.idle,
        "closed_before": endings.closed_before,
    }
    return {name: (weigh(name, shown & ~alive), {}, None) for name, shown in found.items()}


def after_request(trace: Trace, suspects: Suspects) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say of each reset "from a server" whether the client had sent data and the server none, and had taken them.

    Returns:
        Whether it came at that stage, and whether the server had acknowledged data before.
    """
    first = trace.sides.first_payload
    asked, answered = first[suspects.other], first[suspects.side]
    waiting = (asked >= 0) & (asked < suspects.row) & ((answered < 0) | (answered >= suspects.row))
    found: NDArray[np.bool_] = waiting & (suspects.side % 2 == 1) & (trace.sides.fin[suspects.side] < 0)
    return found, suspects.base.at(suspects.base.acked, suspects.previous) > 1


TEMPLATES = ("abort", "refused", "after_fin", "reaction", "after_close", "idle", "closed_before")
"""Endings that excuse a reset: what it looks like is not held against other servers."""

ONE_SAMPLE = 3.0
"""Weight of a premature answer when the round trip is known from one handshake: radio wake-up, a full backlog and an
unseen first copy of the request inflate it (a single sample was three times too long in a public control capture)."""

ONE_DEVICE = 5.0
"""What hop limit, options, flags and window may say together: another device near the server, a load balancer or a
firewall that rejects for it, explains them all at once."""


def device_share(telling: NDArray[np.bool_], headers: HeaderSigns) -> NDArray[np.float64]:
    """Share of its weight that each header field keeps so that together they stay below `ONE_DEVICE`."""
    total = np.where(telling, np.where(headers.ttl_class, WEIGHTS["rst.ttl_class"], WEIGHTS["rst.ttl"]), 0.0)
    total += weigh("no_timestamps", headers.no_timestamps) + weigh("df", headers.fragment_flag)
    total += weigh("odd_window", headers.odd_window) + weigh("bare_window", headers.bare_window)
    return np.minimum(1.0, ONE_DEVICE / np.maximum(total, 1e-9))


def weigh(name: str, found: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the rule's weight where it was found, 0 elsewhere."""
    return np.where(found, WEIGHTS[f"rst.{name}"], 0.0)


def choose(suspects: Suspects, score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pick the most suspicious reset of each flow (the first of equals); places among the suspects, by flow."""
    order = np.lexsort((suspects.row, -score, suspects.flow))
    flow = suspects.flow[order]
    first: NDArray[np.int64] = order[np.append(True, flow[1:] != flow[:-1])[: len(order)]]
    return first


def forged_rows(suspects: Suspects, score: NDArray[np.float64], chosen: NDArray[np.int64]) -> Ragged:
    """List, for each chosen flow, the resets of the same claimed sender that look forged on their own."""
    flow_side = np.full(int(suspects.flow.max(initial=0)) + 1, -1)
    flow_side[suspects.flow[chosen]] = suspects.side[chosen]
    mine = (score > 0) & (flow_side[suspects.flow] == suspects.side)
    rows = np.flatnonzero(mine)
    order = rows[np.lexsort((suspects.row[rows], suspects.flow[rows]))]
    place = np.searchsorted(suspects.flow[chosen], suspects.flow[order])
    return Ragged.from_lengths(np.bincount(place, minlength=len(chosen)), suspects.row[order].astype(np.int32))


def witnesses(suspects: Suspects, rows: NDArray[np.int64], shown: NDArray[np.int64] | None) -> Ragged:
    """List the packets that show a sign: the reset, and the packet it was compared with where there is one."""
    own = suspects.row[rows]
    if shown is None:
        return Ragged.from_lengths(np.ones(len(rows), np.int64), own.astype(np.int32))
    return couples(own, shown[rows])


def couples(left: NDArray[np.int64], right: NDArray[np.int64]) -> Ragged:
    """List two packets per row, the earlier first."""
    both = np.sort(np.stack([left, right], axis=1), axis=1).reshape(-1)
    return Ragged.from_lengths(np.full(len(left), 2), both.astype(np.int32))
