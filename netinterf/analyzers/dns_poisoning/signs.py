"""What is to be said of replies, sign by sign: which rule, about which replies, and which packets are forged.

Signs come in three lots: about every exchange with several replies, about every suspect, and about what was seen
elsewhere.
"""

import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.content import CENSORED, LOCAL, Content, Feature
from netinterf.analyzers.dns_poisoning.contradictions import CUT_OFF_DISAGREE, DISJOINT
from netinterf.analyzers.dns_poisoning.corroborations import Corroborations
from netinterf.analyzers.dns_poisoning.known import Known
from netinterf.analyzers.dns_poisoning.outliers import Outliers
from netinterf.analyzers.dns_poisoning.race import Races
from netinterf.analyzers.dns_poisoning.repeats import weigh_repeats
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.analyzers.dns_poisoning.shared_answers import concentration, never_answers, pooled
from netinterf.analyzers.dns_poisoning.suspects import SuspectReplies
from netinterf.analyzers.signs import Cases, Measured, Signs, by_rule, each_once, none_forged, sign, weight_of
from netinterf.arrays import I64, Mask
from netinterf.numbering import combined, ordered
from netinterf.schema import SubjectKind
from netinterf.table import Ragged, spans
from netinterf.trace import Trace

__all__ = [
    "ReplyCases",
    "baseline_signs",
    "content_signs",
    "corroboration_signs",
    "declared_filter_signs",
    "other_name_signs",
    "outlier_signs",
    "race_signs",
]

MILLISECOND = 1e6

MOST_WITNESSES = 8
"""Queries and replies of an exchange that are named as witnesses: enough to look at."""

FULL = 6.0
"""Nats of hop limit, construction and time together from which an odd reply weighs in full: less than two of their
caps (4, 4 and 5) together."""

PER_BIT = 1.5
"""Weight of each flag in which two contradicting replies differ: that of an anomaly of AA or RA in the literature
review behind the rules; one server that answered twice would at least be one server."""

CaseSigns = tuple[Cases, Signs]
"""What is asked about, and what is said of it."""


class ReplyCases:
    """Replies, and the packets that stand for them."""

    def __init__(self, trace: Trace, replies: Replies) -> None:
        self.trace, self.replies = trace, replies
        self._same = combined(replies.exchange, replies.digest.view(np.int64))
        self._copies = Ragged.from_lengths(np.bincount(self._same), ordered(self._same))

    def copies(self, lists: Ragged) -> Ragged:
        """Name the packets of replies, and of all that bring the same bytes to the same question."""
        same = self._copies.take(self._same[lists.values])
        return each_once(Ragged.from_lengths(each_sum(same.lengths, lists), self.replies.packet[same.values]))

    def about(self, rows: I64, forged: Ragged | None = None) -> Cases:
        """Ask about the exchanges of some replies.

        Args:
            rows: Rows in Replies, n of them.
            forged: n lists of rows in Replies that are held to be forged; none if left out.
        """
        exchanges, packet = self.trace.exchanges, self.trace.dns.packet
        exchange, own = self.replies.exchange[rows], self.replies.packet[rows]
        false = none_forged(len(rows)) if forged is None else self.copies(forged)
        examples = [first(messages, exchange) for messages in (exchanges.queries, exchanges.replies)]
        example_packets = [Ragged(part.offsets, packet[part.values].astype(np.int64)) for part in examples]
        return Cases(
            subject=exchange,
            time=self.trace.packets.time[own],
            witness=each_once(own, false, *example_packets),
            forged=false,
            kind=SubjectKind.EXCHANGE,
        )

    def held_forged(self, rows: I64) -> Cases:
        """Ask about replies that are held to be forged themselves."""
        return self.about(rows, Ragged.from_lengths(np.ones(len(rows), np.int64), rows))


def each_sum(lengths: I64, lists: Ragged) -> I64:
    """Add up what belongs to the members of each list."""
    return np.bincount(lists.parents(), lengths, len(lists)).astype(np.int64)


def first(lists: Ragged, rows: I64) -> Ragged:
    """Select lists, with the first `MOST_WITNESSES` of each."""
    lengths = np.minimum(lists.lengths[rows], MOST_WITNESSES)
    return Ragged.from_lengths(lengths, lists.values[spans(lists.offsets[rows], lengths)])


def race_signs(reply_cases: ReplyCases, races: Races, suspects: SuspectReplies) -> list[CaseSigns]:
    """Tell contradictions, duplicates and rotations; that contradictions keep to a name, and to its server."""
    replies, count = reply_cases.replies, len(races.exchange)
    first_reply = races.first
    raced = np.flatnonzero(suspects.race >= 0)
    raced = raced[np.argsort(suspects.race[raced], kind="stable")]
    false = Ragged.from_lengths(np.bincount(suspects.race[raced], minlength=count), suspects.rows[raced])
    shown_reply = first_reply.copy()
    shown_reply[false.lengths > 0] = false.values[false.offsets[:-1][false.lengths > 0]]
    measured = {"replies": races.different}
    counts = {**measured, "queries": replies.queries[first_reply]}
    disputed = (races.weight > 0) & ~suspects.none_genuine
    clear = disputed & (races.weight >= DISJOINT)  # less, and a second site may have answered a second query
    cut_off = disputed & races.cut_off & (races.weight <= CUT_OFF_DISAGREE) & ~clear
    apart = (races.flag_differences > 0) & (clear | cut_off)
    repeats = weigh_repeats(reply_cases.trace, replies, races)
    repeated = (repeats.llr > 0) & ~suspects.none_genuine
    norm = (repeats.single_reply_norm > 0) & ~suspects.none_genuine & (races.weight >= DISJOINT)
    quiet = (races.weight <= 0) & ~races.cut_off & ~suspects.none_genuine
    accusing = [
        sign(rules.TWO_ANSWERS, clear, counts, llr=races.weight),
        sign(rules.UNLIKE_REPLIES, cut_off, counts, llr=races.weight),
        sign(rules.CONTRADICTION, disputed & ~clear & ~cut_off, counts, llr=races.weight),
        sign(rules.TWO_SERVERS, apart, llr=PER_BIT * races.flag_differences),
        sign(rules.REPEATED, repeated, {"struck": repeats.struck}, llr=repeats.llr),
        sign(rules.SINGLE_REPLY_NORM, norm, {"others": repeats.others}, llr=repeats.single_reply_norm),
    ]
    harmless = [sign(rules.DUPLICATE, quiet & races.identical), sign(rules.ROTATION, quiet & ~races.identical)]
    return [
        (
            reply_cases.about(first_reply, races.members),
            by_rule([sign(rules.NONE_GENUINE, suspects.none_genuine, measured)]),
        ),
        (reply_cases.about(shown_reply, false), by_rule(accusing)),
        (reply_cases.about(first_reply), by_rule(harmless)),
    ]


def content_signs(
    reply_cases: ReplyCases, cases: Cases, content: Content, known: Known, races: Races, suspects: SuspectReplies
) -> list[CaseSigns]:
    """Tell what answers and forms of suspects, the *cases*, say, and beside what their names are known to answer."""
    rows = suspects.rows
    features, kind = content.features[rows], reply_cases.trace.exchanges.kind[reply_cases.replies.exchange[rows]]
    impossible, lost = (
        features & np.uint16(feature) != 0 for feature in (Feature.IMPOSSIBLE, Feature.QUESTION_WITHOUT_CLASS)
    )
    agrees, unlike = known.agrees[rows], known.unlike[rows]
    alone, rival = suspects.race < 0, has_unread_rival(reply_cases, races)[rows]
    local = reply_cases.trace.hosts.special[reply_cases.replies.server[rows]] & LOCAL != 0
    accusing = [
        sign(rules.IMPOSSIBLE_ANSWER, impossible),
        sign(rules.LOST_CLASS, lost),
        sign(rules.BOGON_ANSWER, suspects.content > 0, llr=suspects.content),
        sign(rules.LISTED_ANSWER, suspects.listed > 0, llr=suspects.listed),
        sign(rules.MALFORMED, suspects.form > 0, llr=suspects.form),
        sign(rules.WRONG_TYPE, suspects.wrong_type > 0, {"kind": kind}, llr=suspects.wrong_type),
        sign(rules.UNLIKE_KNOWN, (unlike > 0) & ~agrees, llr=unlike),
        sign(rules.RIVAL_REPLY, alone & rival),
        sign(rules.LONE_REPLY, alone & ~rival),
    ]
    harmless = [sign(rules.KNOWN_ANSWER, agrees), sign(rules.OWN_NETWORK, alone & local)]
    return [(cases, by_rule(accusing)), (reply_cases.about(rows), by_rule(harmless))]


def has_unread_rival(reply_cases: ReplyCases, races: Races) -> Mask:
    """Say of each reply whether another answer to its question was seen, more than it was asked, but cut off."""
    raced = np.zeros(len(reply_cases.trace.exchanges), np.bool_)
    raced[races.exchange[races.cut_off & (races.different > reply_cases.replies.queries[races.first])]] = True
    rival: Mask = raced[reply_cases.replies.exchange]
    return rival


def baseline_signs(reply_cases: ReplyCases, cases: Cases, suspects: SuspectReplies) -> list[CaseSigns]:
    """Tell how unlike its server each suspect, the *cases*, is that is one for other reasons."""
    replies, compared, rows = reply_cases.replies, suspects.compared, suspects.rows
    looked_at = ~np.isin(rows, suspects.outliers.rows)
    waited, baseline = replies.delay[rows] / MILLISECOND, {"baseline": compared.baseline}
    foreign = looked_at & (compared.header > 0)
    by_hops = 2 * compared.ttl_weight >= compared.header
    ttl = {"ttl": replies.ttl[rows], "usual_ttl": compared.usual_ttl, **baseline}
    ip_id = {"ip_id": replies.ip_id[rows]}
    path = {"waited_ms": waited, "rtt_ms": compared.rtt / MILLISECOND}
    soon = {"waited_ms": waited, "fastest_ms": compared.fastest / MILLISECOND, **baseline}
    built: Measured = {"flags": replies.flags[rows], **baseline}
    signs = [
        sign(rules.HOP_LIMIT, foreign & by_hops, ttl, llr=compared.header),
        sign(rules.IP_ID, foreign & ~by_hops, {**ip_id, **baseline}, llr=compared.header),
        sign(rules.COPIED_ID, looked_at & replies.ip_id_copied[rows] & ~compared.copies_ip_id, ip_id),
        sign(rules.CONSTRUCTION_OUTLIER, looked_at & (compared.construction > 0), built, llr=compared.construction),
        sign(rules.FASTER_THAN_PATH, looked_at & (compared.beats_path > 0), path, llr=compared.beats_path),
        sign(rules.TOO_FAST, looked_at & (compared.timing > 0), soon, llr=compared.timing),
    ]
    return [(cases, by_rule(signs))]


def outlier_signs(reply_cases: ReplyCases, outliers: Outliers) -> list[CaseSigns]:
    """Tell who is a suspect for being unlike its server's other replies."""
    measured: Measured = {
        "ttl": outliers.ttl,
        "usual_ttl": outliers.usual_ttl,
        "baseline": outliers.baseline,
        "of_name": outliers.of_name,
    }
    signs = [sign(rules.OTHER_WRITER, True, measured, strength=np.minimum(1.0, outliers.llr / FULL))]
    return [(reply_cases.held_forged(outliers.rows), by_rule(signs))]


def declared_filter_signs(reply_cases: ReplyCases, content: Content) -> list[CaseSigns]:
    """Tell that a resolver declares its filter, and whether it says that others demand it."""
    rows = np.flatnonzero(content.has(Feature.POLICY))
    code = reply_cases.trace.dns.extended_error[reply_cases.replies.message[rows]].astype(np.float64)
    signs = [
        sign(rules.ORDERED, code == CENSORED),
        sign(rules.POLICY, code != CENSORED, {"code": np.where(code >= 0, code, np.nan)}),
    ]
    return [(reply_cases.about(rows), by_rule(signs))]


def other_name_signs(
    reply_cases: ReplyCases, cases: Cases, content: Content, known: Known, suspects: SuspectReplies
) -> list[CaseSigns]:
    """Tell what else shares the addresses of suspects, the *cases*, and what else their servers answer."""
    trace, replies, rows = reply_cases.trace, reply_cases.replies, suspects.rows
    listed, domains = concentration(trace, replies, rows, suspects.listed > 0)
    alone, silent = never_answers(trace, replies, rows, suspects.suspect_or_disputed)
    signs = [
        sign(rules.CONCENTRATION, listed > 0, {"domains": domains}, llr=listed),
        sign(rules.NO_RESOLVER, alone > 0, {"silent": silent}, llr=alone),
    ]
    case_signs = [(cases, by_rule(signs))]
    clean = np.flatnonzero(~suspects.suspect_or_disputed)
    for rule, which in ((rules.POOLED, suspects.race >= 0), (rules.ONE_PLACE, known.unlike[rows] > 0)):
        weight, domains = pooled(trace, replies, content, rows[which], clean)
        shared = sign(rule, weight > 0, {"domains": domains}, llr=np.minimum(weight, weight_of(rule)))
        case_signs.append((reply_cases.held_forged(rows[which]), by_rule([shared])))
    return case_signs


def corroboration_signs(reply_cases: ReplyCases, corroborations: list[Corroborations]) -> list[CaseSigns]:
    """Tell what was seen elsewhere in the capture; it accuses where it speaks for interference."""
    case_signs = []
    for one in corroborations:
        accuses = one.rule in (rules.TRANSPORT_CONTRAST, rules.DEAD_END)
        cases = reply_cases.held_forged(one.replies) if accuses else reply_cases.about(one.replies)
        case_signs.append((cases, by_rule([sign(one.rule, True, strength=one.strength, witness=one.packets)])))
    return case_signs
