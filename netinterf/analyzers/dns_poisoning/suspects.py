"""Which replies are under suspicion, and which reply of a contradiction is the forged one.

Order proves nothing by itself: an injector is usually nearer and wins the race, but not always. So of contradicting
replies the one that fits the server best is held to be genuine, by headers, construction, time and content; only when
nothing tells them apart is the later one believed (forged replies come first in almost every case on the path: Duan et
al., Hold-On, SATIN 2012).
"""

import attrs
import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.content import LOCAL, NOT_ANSWERED_BY_A, Content, Feature, local_policy
from netinterf.analyzers.dns_poisoning.contradictions import CUT_OFF_DISAGREE
from netinterf.analyzers.dns_poisoning.known import Known
from netinterf.analyzers.dns_poisoning.outliers import Outliers, find_outliers
from netinterf.analyzers.dns_poisoning.profile import HALF_WEIGHT, BaselineWeights, compare_with_server
from netinterf.analyzers.dns_poisoning.race import Races
from netinterf.analyzers.dns_poisoning.replies import Replies, names_by_server
from netinterf.analyzers.signs import weight_of
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import ordered_within
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SuspectReplies", "find_suspect_replies"]

FEW_SOUND, BROKEN_SHARE = 3, 0.1
"""A malformed reply weighs in full when so many other replies of its server are sound, and no more than this share is
broken alike."""

UNCOMPARED = 2.0
"""Weight of a malformed reply without such a comparison: broken servers exist."""

HABIT = 1.0
"""Weight of a wrong type that is the server's habit, or that a local name drew from a home router: one that answers an
A record to everything does so for every name."""

MARGIN = 1.0
"""Nats by which a reply must fit worse than the best one to stand out."""

FORGED_SCORE = 4.0
"""A member of a contradiction whose own content or form weighs this much is forged, genuine partner or not; so is the
best fit when even that is so unlike the server."""


@frozen(eq=False, kw_only=True)
class SuspectReplies:
    """Suspect replies, k of them, each with what weighs on it."""

    rows: I64  # rows in Replies
    race: I64  # row in Races whose contradiction it belongs to, -1 for none
    content: F64  # weights by themselves: addresses that cannot serve the name
    listed: F64  # addresses that censors are known to forge (`netinterf.context.forged`)
    form: F64  # malformed
    wrong_type: F64
    compared: BaselineWeights
    none_genuine: Mask  # aligned with Races: contradictions none of whose replies is genuine
    suspect_or_disputed: Mask  # aligned with Replies: suspect, or part of a contradiction
    outliers: Outliers  # of these rows the ones that are suspects for their looks alone


@frozen(eq=False, kw_only=True)
class _OwnWeights:
    """What every reply weighs by itself, aligned with `Replies`."""

    content: F64
    form: F64
    wrong_type: F64

    def total(self, content: Content) -> F64:
        decisive = content.has(Feature.IMPOSSIBLE | Feature.QUESTION_WITHOUT_CLASS) * weight_of(rules.IMPOSSIBLE_ANSWER)
        total: F64 = self.content + content.listed + self.form + self.wrong_type + decisive
        return total


def find_suspect_replies(
    trace: Trace,
    replies: Replies,
    content: Content,
    races: Races,
    known: Known,
    contradicted_over_tcp: I64,
    least_rtt: F64,
) -> SuspectReplies:
    """Decide which replies are suspects and compare them with their servers.

    Args:
        trace: The capture.
        replies: All replies.
        content: What they answer.
        races: Exchanges with several replies.
        known: How the replies compare with what the user knows.
        contradicted_over_tcp: Replies that another transport contradicts.
        least_rtt: Least handshake per host.
    """
    disputed = np.zeros(len(trace.exchanges), np.bool_)
    disputed[races.exchange[races.weight > 0]] = True
    contradicted = disputed[replies.exchange]
    alone = _weigh_alone(trace, replies, content, contradicted)
    total = alone.total(content) + known.unlike
    suspicious = total > 0
    suspicious[contradicted_over_tcp] = True
    sinkholed = content.has(Feature.SINKHOLE | Feature.UNREACHABLE) & ~contradicted
    outliers = find_outliers(trace, replies, ~suspicious & ~contradicted, sinkholed, least_rtt)
    suspicious[outliers.rows] = True
    clean = ~suspicious & ~contradicted
    against = total + known.agrees * weight_of(rules.KNOWN_ANSWER)
    forged, race, genuine = _pick_forged(trace, replies, content, races, against, clean, least_rtt)
    single = np.flatnonzero(suspicious & ~contradicted)
    rows = np.concatenate([forged, single]).astype(np.int64)
    clean[genuine] = total[genuine] == 0
    compared = compare_with_server(trace, replies, rows, clean, sinkholed, least_rtt)
    # The earliest of m replies is early by selection: its p-value is up to m times too small (Bonferroni). Above a
    # twentieth an early rank is no news: weights are -ln p - 1, and `HALF_WEIGHT` is the one of p = 1/20 and the least
    # of a reply that came before half of its server's shortest delay.
    size = np.append(races.different, 1)[np.append(race, np.full(len(single), -1))]
    timing = compared.timing - np.where(compared.timing > HALF_WEIGHT, np.log(size), 0.0)
    # What a home router makes up by habit is built unlike what it relays, and comes at once.
    made_up = (alone.wrong_type[rows] == HABIT) & (trace.hosts.special[replies.server[rows]] & LOCAL != 0)
    # Answers that the capture cut off nobody can compare; where their weight was discounted, as there are as many
    # questions as replies, another site of the server explains it all.
    discounted = races.cut_off & (races.weight < CUT_OFF_DISAGREE)
    other_site = np.append(discounted, False)[np.append(race, np.full(len(single), -1))]
    compared = attrs.evolve(
        compared,
        timing=np.where((timing >= HALF_WEIGHT) & ~made_up, timing, 0.0),
        header=np.where(other_site, 0.0, compared.header),
        construction=np.where(made_up | other_site, 0.0, compared.construction),
    )
    return SuspectReplies(
        rows=rows,
        race=np.concatenate([race, np.full(len(single), -1)]).astype(np.int64),
        content=alone.content[rows],
        listed=content.listed[rows],
        form=alone.form[rows],
        wrong_type=alone.wrong_type[rows],
        compared=compared,
        none_genuine=(races.weight > 0) & (np.bincount(race, minlength=len(races.exchange)) == races.different),
        suspect_or_disputed=suspicious | contradicted,
        outliers=outliers,
    )


def _weigh_alone(trace: Trace, replies: Replies, content: Content, contradicted: Mask) -> _OwnWeights:
    """Weigh content and form of each reply, with the habits of its server in mind."""
    policy = local_policy(trace, replies, content, contradicted) & ~contradicted
    bogus = np.where(policy, 0.0, content.bogus)
    broken = content.has(Feature.BROKEN | Feature.MISPLACED_OPT) & ~content.has(Feature.QUESTION_WITHOUT_CLASS)
    form = np.where(broken, UNCOMPARED, 0.0)
    not_for_a = np.isin(trace.exchanges.kind[replies.exchange], NOT_ANSWERED_BY_A)
    wrong = content.has(Feature.WRONG_TYPE)
    wrong_type = np.where(wrong, np.where(content.public_name, weight_of(rules.WRONG_TYPE), HABIT), 0.0)

    def of_server(which: Mask) -> I64:
        return np.bincount(replies.server[which], minlength=len(trace.hosts))[replies.server]

    sound = of_server(~broken)
    form[broken & (sound >= FEW_SOUND) & (of_server(broken) <= BROKEN_SHARE * (sound + 1))] = weight_of(rules.MALFORMED)
    eligible = not_for_a & content.has(Feature.ADDRESS)
    names = names_by_server(trace, replies, eligible & wrong)[replies.server]
    wrong_type[wrong & (names >= FEW_SOUND) & (of_server(eligible & ~wrong) == 0)] = HABIT
    return _OwnWeights(content=bogus, form=form, wrong_type=wrong_type)


def _pick_forged(
    trace: Trace,
    replies: Replies,
    content: Content,
    races: Races,
    against: F64,
    clean: Mask,
    least_rtt: F64,
) -> tuple[I64, I64, I64]:
    """Tell forged from genuine in each contradiction; return forged rows, their races, and genuine rows."""
    race, members = races.members.parents(), races.members.values
    disputed = races.weight[race] > 0
    race, members = race[disputed], members[disputed]
    compared = compare_with_server(trace, replies, members, clean, np.zeros(len(replies), np.bool_), least_rtt)
    weights = (
        compared.header + compared.construction + np.maximum(compared.timing, compared.beats_path) + against[members]
    )
    weights += np.where(replies.ip_id_copied[members] & ~compared.copies_ip_id, weight_of(rules.COPIED_ID), 0.0)
    unweighed_bogus = content.has(Feature.UNREACHABLE | Feature.SINKHOLE | Feature.FAKE_IP)[members] & (
        against[members] == 0
    )
    weights += np.where(unweighed_bogus, weight_of(rules.BOGON_ANSWER), 0.0)
    false = _unlike_best(races, race, members, weights, against)
    return members[false], race[false], members[~false]


def _unlike_best(races: Races, race: I64, members: I64, score: F64, against: F64) -> Mask:
    """Say which members of contradictions are forged.

    Args:
        races: All races.
        race: Row of each member in *races*, rising, k of them.
        members: Rows in Replies.
        score: How ill each fits the server.
        against: What each of all replies weighs by itself, aligned with Replies.

    Returns:
        k answers.
    """
    order = ordered_within(race, -np.round(score, 3), members)  # the last write wins: of the best fits the last
    best_place = np.zeros(len(races.exchange), np.int64)
    best_place[race[order]] = order
    best = np.full(len(races.exchange), -1, np.int64)
    best[race] = members[best_place[race]]

    def any_of_race(which: Mask) -> Mask:
        return np.bincount(race[which], minlength=len(best))[race] > 0

    pairs = races.pairs
    opposed = np.concatenate([pairs.right[pairs.left == best[pairs.race]], pairs.left[pairs.right == best[pairs.race]]])
    false = np.isin(members, opposed)
    # Where some stand out, the others are more of the genuine kind: a query may be doubled behind the tap.
    outstanding = false & (score >= score[best_place[race]] + MARGIN)
    false = np.where(any_of_race(outstanding), outstanding, false)
    false |= (against[members] >= FORGED_SCORE) | ((members == best[race]) & (score >= FORGED_SCORE))
    # Where the best fit contradicts nobody, those that contradict each other are the suspects.
    contradicting = np.isin(members, np.concatenate([pairs.left, pairs.right]))
    return np.where(any_of_race(false), false, contradicting)
