"""The analyzer: gather replies, find contradictions and false content, compare with each server, write it down."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.dns_poisoning.after import dead_ends, tls_after
from netinterf.analyzers.dns_poisoning.company import concentration, never_answers, pooled
from netinterf.analyzers.dns_poisoning.content import CENSORED, NEAR, Content, Sign, read_content
from netinterf.analyzers.dns_poisoning.controls import Control, agreeing_servers, transport_contrasts
from netinterf.analyzers.dns_poisoning.known import Known, compare_known
from netinterf.analyzers.dns_poisoning.profile import handshake_bounds
from netinterf.analyzers.dns_poisoning.race import DISJOINT, UNLIKE, Races, run_races
from netinterf.analyzers.dns_poisoning.repeats import weigh_repeats
from netinterf.analyzers.dns_poisoning.replies import Replies, gather_replies
from netinterf.analyzers.dns_poisoning.rules import RULES, WEIGHTS, rule_id
from netinterf.analyzers.dns_poisoning.suspects import Case, build_case
from netinterf.schema import Evidence, Rule, SubjectKind
from netinterf.trace import Trace

__all__ = ["DnsPoisoning"]

MILLISECOND = 1e6

FULL = 6.0
"""Nats of hop limit, construction and time together from which an odd reply weighs in full: two of their caps."""

PER_BIT = 1.5
"""Weight of each flag in which two contradicting replies differ: that of an anomaly of AA or RA in the literature
review behind `WEIGHTS`; one server that answered twice would at least be one server."""


@attrs.frozen(kw_only=True)
class DnsPoisoning:
    """Find forged DNS answers.

    What it looks for: questions that drew contradicting replies, replies that came too fast or from elsewhere, replies
    built unlike their server's others, and answers that cannot be true.

    Why: an injector on the path sees the query and answers in the resolver's name. It cannot take the resolver's own
    reply back, it stands at another distance, and it builds replies from a template (Duan et al., Hold-On, SATIN 2012;
    Anonymous et al., Triplet Censors, FOCI 2020).

    Also looks like this: frames captured twice, queries sent again and answered by two sites of an anycast server,
    rotating addresses, split horizon, captive portals, block lists, fake-address proxies, and address translation that
    rewrites headers.

    References: Duan et al., Hold-On, SATIN 2012; Anonymous et al., Triplet Censors, FOCI 2020; Hoang et al., How Great
    is the Great Firewall?, USENIX Security 2021; Fan et al., Wallbleed, NDSS 2025; Niaki et al., ICLab, IEEE S&P 2020.
    """

    name: ClassVar[str] = "dns_poisoning"
    scope: ClassVar[Scope] = Scope.CAPTURE
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "dns", "answers", "exchanges", "tls", "rtts"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Look at the DNS exchanges of *trace* and write down what is unusual."""
        if len(trace.exchanges) == 0:
            return Evidence.empty(rules=self.rules)
        replies = gather_replies(trace)
        content = read_content(trace, replies)
        races = run_races(trace, replies, content)
        transports = transport_contrasts(trace, replies)
        contrasted = np.array([control.reply for control in transports], np.int64)
        known = compare_known(trace, replies, content, races)
        case = build_case(trace, replies, content, races, known, contrasted, handshake_bounds(trace))
        notes = _Notes(trace, replies)
        _note_races(notes, races, case)
        _note_repeats(notes, races, case)
        _note_content(notes, content, case)
        _note_contrasts(notes, replies, case)
        _note_outliers(notes, case)
        _note_known(notes, known, case)
        _note_company(notes, content, known, case)
        for control in transports:
            notes.control("transport_contrast", control, accuses=True)
        for control in agreeing_servers(trace, replies, content, case.rows, case.suspicious):
            notes.control("agrees_elsewhere", control)
        for rule, control in tls_after(trace, replies, content, case.rows):
            notes.control(rule, control)
        for control in dead_ends(trace, replies, content, case.rows):
            notes.control("dead_end", control, accuses=True)
        _note_policy(notes, content, replies)
        _note_own_network(notes, replies, case)
        _note_rivals(notes, races, case)
        return notes.evidence(self)


class _Notes:
    """Observations in the making, by rule."""

    def __init__(self, trace: Trace, replies: Replies) -> None:
        self.trace, self.replies = trace, replies
        self.rows: dict[str, list[tuple[int, int, float, list[int], list[int], dict[str, float]]]] = {}

    def add(
        self, rule: str, reply: int, weight: float, *, forged: list[int], also: tuple[int, ...] = (), **measured: float
    ) -> None:
        """Write one observation down; *forged* are rows in Replies, *also* further packets that show it."""
        trace, exchange = self.trace, int(self.replies.exchange[reply])
        exchanges, packet = trace.exchanges, trace.dns.packet
        shown = {int(packet[row]) for row in (*exchanges.queries[exchange][:8], *exchanges.replies[exchange][:8])}
        false = sorted({int(self.replies.packet[copy]) for row in forged for copy in self.copies(row)})
        shown.update(false, also, {int(self.replies.packet[reply])})
        time = int(trace.packets.time[self.replies.packet[reply]])
        self.rows.setdefault(rule, []).append((exchange, time, weight, false, sorted(shown), measured))

    def copies(self, reply: int) -> list[int]:
        """List the replies of the same exchange with the same bytes, itself included."""
        first, last = np.searchsorted(self.replies.exchange, self.replies.exchange[reply] + np.array([0, 1]))
        same = self.replies.digest[first:last] == self.replies.digest[reply]
        rows: list[int] = (first + np.flatnonzero(same)).tolist()
        return rows

    def control(self, rule: str, control: Control, *, accuses: bool = False) -> None:
        """Write down an observation made elsewhere in the capture."""
        forged = [control.reply] if accuses else []
        self.add(rule, control.reply, control.weight, forged=forged, also=control.packets)

    def evidence(self, analyzer: DnsPoisoning) -> Evidence:
        """Join all observations into one table, in the order of the rules."""
        parts = [Evidence.empty(rules=analyzer.rules)]
        for name in WEIGHTS:
            rows = self.rows.get(name)
            if not rows:
                continue
            subject, time, weight, forged, witness, measured = zip(*rows, strict=True)
            names = {key for numbers in measured for key in numbers}
            columns: dict[str, ArrayLike] = {
                key: [numbers.get(key, np.nan) for numbers in measured] for key in sorted(names)
            }
            parts.append(
                observe(
                    analyzer,
                    rule_id(name),
                    subject=subject,
                    time=time,
                    llr=weight,
                    forged=forged,
                    witness=witness,
                    measured=columns,
                    kind=SubjectKind.EXCHANGE,
                )
            )
        return join(parts)


def _note_races(notes: _Notes, races: Races, case: Case) -> None:
    """Write down contradictions, duplicates and rotations."""
    for place in range(len(races.exchange)):
        rows = races.members[place]
        queries = float(notes.replies.queries[rows[0]])
        if case.rivals[place]:
            count = float(len(rows))
            notes.add("none_genuine", int(rows[0]), WEIGHTS["none_genuine"], forged=rows.tolist(), replies=count)
        elif races.weight[place] > 0:
            forged = case.rows[case.race == place].tolist()
            first = forged[0] if forged else int(rows[0])
            weight, count = float(races.weight[place]), float(len(rows))
            clear = weight >= DISJOINT  # less, and a second site may have answered a second query
            unread = bool(races.unread[place]) and weight <= UNLIKE
            rule = "two_answers" if clear else "unlike_replies" if unread else "contradiction"
            notes.add(rule, first, weight, forged=forged, replies=count, queries=queries)
            if races.nature[place] and (clear or unread):
                notes.add("two_servers", first, PER_BIT * float(races.nature[place]), forged=forged)
        elif not races.unread[place]:
            rule = "duplicate" if races.identical[place] else "rotation"
            notes.add(rule, int(rows[0]), WEIGHTS[rule], forged=[])


def _note_repeats(notes: _Notes, races: Races, case: Case) -> None:
    """Write down that contradictions keep to a name, and that its server has no habit of answering twice."""
    found = weigh_repeats(notes.trace, notes.replies, races)
    for place in np.flatnonzero(((found.llr > 0) | (found.unwonted > 0)) & ~case.rivals).tolist():
        forged = case.rows[case.race == place].tolist()
        reply = forged[0] if forged else int(races.members[place][0])
        if found.llr[place] > 0:
            struck = float(found.struck[place])
            notes.add("repeated", reply, float(found.llr[place]), forged=forged, struck=struck)
        if found.unwonted[place] > 0 and races.weight[place] >= DISJOINT:
            others = float(found.others[place])
            notes.add("unwonted", reply, float(found.unwonted[place]), forged=forged, others=others)


def _note_content(notes: _Notes, content: Content, case: Case) -> None:
    """Write down what the suspects' answers and forms say by themselves."""
    kinds = notes.trace.exchanges.kind
    for place, reply in enumerate(case.rows.tolist()):
        sign, forged = Sign(int(content.sign[reply])), [reply]
        if Sign.IMPOSSIBLE in sign:
            notes.add("impossible_answer", reply, WEIGHTS["impossible_answer"], forged=forged)
        if Sign.NO_CLASS in sign:
            notes.add("lost_class", reply, WEIGHTS["lost_class"], forged=forged)
        if case.content[place] > 0:
            notes.add("bogon_answer", reply, float(case.content[place]), forged=forged)
        if case.listed[place] > 0:
            notes.add("listed_answer", reply, float(case.listed[place]), forged=forged)
        if case.form[place] > 0:
            notes.add("malformed", reply, float(case.form[place]), forged=forged)
        if case.wrong_type[place] > 0:
            kind = float(kinds[notes.replies.exchange[reply]])
            notes.add("wrong_type", reply, float(case.wrong_type[place]), forged=forged, kind=kind)


def _note_contrasts(notes: _Notes, replies: Replies, case: Case) -> None:
    """Write down how unlike its server each suspect is that is one for other reasons."""
    found, looks_alone = case.contrasts, set(case.outliers.rows.tolist())
    for place, reply in enumerate(case.rows.tolist()):
        if reply in looks_alone:
            continue
        forged, baseline = [reply], float(found.baseline[place])
        waited = float(replies.delay[reply]) / MILLISECOND
        if found.header[place] > 0:
            weight = float(found.header[place])
            if 2 * found.hops[place] >= weight:
                ttl, usual = float(replies.ttl[reply]), float(found.usual_ttl[place])
                notes.add("hop_limit", reply, weight, forged=forged, ttl=ttl, usual_ttl=usual, baseline=baseline)
            else:
                notes.add("ip_id", reply, weight, forged=forged, ip_id=float(replies.ip_id[reply]), baseline=baseline)
        if replies.copied[reply] and not found.echoes[place]:
            ip_id = float(replies.ip_id[reply])
            notes.add("copied_id", reply, WEIGHTS["copied_id"], forged=forged, ip_id=ip_id)
        if found.construction[place] > 0:
            weight, flags = float(found.construction[place]), float(replies.flags[reply])
            notes.add("construction_outlier", reply, weight, forged=forged, flags=flags, baseline=baseline)
        if found.bound[place] > 0:
            weight, rtt = float(found.bound[place]), float(found.rtt[place]) / MILLISECOND
            notes.add("faster_than_path", reply, weight, forged=forged, waited_ms=waited, rtt_ms=rtt)
        if found.timing[place] > 0:
            weight, fastest = float(found.timing[place]), float(found.fastest[place]) / MILLISECOND
            notes.add(
                "too_fast",
                reply,
                weight,
                forged=forged,
                waited_ms=waited,
                fastest_ms=fastest,
                baseline=baseline,
            )


def _note_outliers(notes: _Notes, case: Case) -> None:
    """Write down who is a suspect for being unlike its server's other replies."""
    odd = case.outliers
    for place, reply in enumerate(odd.rows.tolist()):
        weight = WEIGHTS["other_writer"] * min(1.0, float(odd.llr[place]) / FULL)
        notes.add(
            "other_writer",
            reply,
            weight,
            forged=[reply],
            ttl=float(odd.ttl[place]),
            usual_ttl=float(odd.usual_ttl[place]),
            baseline=float(odd.baseline[place]),
            of_name=float(odd.of_name[place]),
        )


def _note_company(notes: _Notes, content: Content, known: Known, case: Case) -> None:
    """Write down what else shares the suspects' addresses, and what else their servers answer."""
    weights, domains = concentration(notes.trace, notes.replies, case.rows, case.listed > 0)
    for place in np.flatnonzero(weights > 0).tolist():
        reply, weight = int(case.rows[place]), float(weights[place])
        notes.add("concentration", reply, weight, forged=[reply], domains=float(domains[place]))
    clean = np.flatnonzero(~case.suspicious)
    for rule, which in (("pooled", case.race >= 0), ("one_place", known.unlike[case.rows] > 0)):
        rows = case.rows[which]
        weights, domains = pooled(notes.trace, notes.replies, content, rows, clean)
        for place in np.flatnonzero(weights > 0).tolist():
            reply, weight = int(rows[place]), min(float(weights[place]), WEIGHTS[rule])
            notes.add(rule, reply, weight, forged=[reply], domains=float(domains[place]))
    weights, silent = never_answers(notes.trace, notes.replies, case.rows, case.suspicious)
    for place in np.flatnonzero(weights > 0).tolist():
        reply, weight = int(case.rows[place]), float(weights[place])
        notes.add("no_resolver", reply, weight, forged=[reply], silent=float(silent[place]))


def _note_known(notes: _Notes, known: Known, case: Case) -> None:
    """Write down how suspects compare with what their names are known to answer."""
    for reply in case.rows.tolist():
        if known.agrees[reply]:
            notes.add("known_answer", reply, WEIGHTS["known_answer"], forged=[])
        elif known.unlike[reply] > 0:
            notes.add("unlike_known", reply, float(known.unlike[reply]), forged=[reply])


def _note_policy(notes: _Notes, content: Content, replies: Replies) -> None:
    """Write down that a resolver declares its filter, and whether it says that others demand it."""
    for reply in np.flatnonzero(content.has(Sign.POLICY)).tolist():
        code = int(notes.trace.dns.extended_error[replies.message[reply]])
        if code == CENSORED:
            notes.add("ordered", reply, WEIGHTS["ordered"], forged=[])
        else:
            notes.add("policy", reply, WEIGHTS["policy"], forged=[], code=code if code >= 0 else np.nan)


def _note_own_network(notes: _Notes, replies: Replies, case: Case) -> None:
    """Say of suspects without a contradiction that their resolver stands in the client's own network."""
    alone = case.rows[case.race < 0]
    near = notes.trace.hosts.special[replies.server[alone]] & NEAR != 0
    for reply in alone[near].tolist():
        notes.add("own_network", reply, WEIGHTS["own_network"], forged=[])


def _note_rivals(notes: _Notes, races: Races, case: Case) -> None:
    """Say of suspects without a contradiction whether another answer was seen, which could not be compared."""
    replies = notes.replies
    raced = np.zeros(len(notes.trace.exchanges), np.bool_)
    several = np.array([rows[0] for rows in races.members], np.int64)
    raced[races.exchange[races.unread & (races.different > replies.queries[several])]] = True
    for place, reply in enumerate(case.rows.tolist()):
        if case.race[place] < 0:
            rule = "rival_reply" if raced[replies.exchange[reply]] else "lone_reply"
            notes.add(rule, reply, WEIGHTS[rule], forged=[reply])
