"""Groups of flows and exchanges that are interfered with: what one flow seldom proves, many that are alike do.

Subjects are gathered into independent observations (`netinterf.verdict.clusters`), these into groups by what they have
in common (`netinterf.verdict.keys`), each group is judged by a mixture over the share of members that is affected
(`netinterf.stats.mixture`) and compared with its controls (`netinterf.verdict.controls`), and groups compete to explain
the observations (`netinterf.verdict.ranking`). Here the groups that are left get their grades and their numbers.

The bar is the posterior: prior log-odds plus evidence, for windows of time minus the logarithm of how many there were
to choose from, since the best of them is taken. e-BH (`netinterf.stats.multiple`) bounds the share of false alarms
among the groups of one kind, whatever the dependence between them.
"""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.context.networks import KnownNetworks
from netinterf.mechanisms import Contrast, Mechanism, Trigger, covers, is_rate
from netinterf.numbering import ordered_within
from netinterf.schema import Evidence, Grade, GroupBy, Groups, Hosts, Outcome, Verdicts
from netinterf.stats.contrast import contrast
from netinterf.stats.mixture import log_likelihoods, member_log_odds, mixture_of, share_grid
from netinterf.stats.multiple import e_benjamini_hochberg
from netinterf.table import Ragged, Text, spans
from netinterf.values import frozen
from netinterf.verdict.clusters import Clusters, Weights, gather_clusters, own_evidence, weigh_subjects
from netinterf.verdict.combine import RARER, common_prefix, set_off_by, which
from netinterf.verdict.contest import Observations
from netinterf.verdict.controls import Places
from netinterf.verdict.keys import BIN_NS, Keys, common_keys
from netinterf.verdict.model import Model, default_model
from netinterf.verdict.ranking import BY, Accepted, rank
from netinterf.verdict.standing import leading
from netinterf.verdict.subjects import Subjects

__all__ = ["STRONG", "find_groups", "may_hold_groups"]

POSITIVE = float(np.log(3.0))
"""Bayes factor from which a contrast is positive evidence (Kass and Raftery, JASA 1995, section 3.2)."""


GRADES, OUTCOMES = tuple(Grade), tuple(Outcome)
CONFIRMED, LIKELY, POSSIBLE, NONE = range(4)
INTERFERED, INSUFFICIENT = OUTCOMES.index(Outcome.INTERFERED), OUTCOMES.index(Outcome.INSUFFICIENT)

STRONG = float(np.log(20.0))
"""Bayes factor from which evidence is strong (Kass and Raftery, JASA 1995, section 3.2)."""

STRICT, USUAL = 0.01, 0.05
"""False-discovery rates behind ``confirmed`` and ``likely`` (reference, 6.7 steps 8 and 9)."""

NEEDS_CONTRAST = (GroupBy.SERVER, GroupBy.PREFIX, GroupBy.ASN, GroupBy.COUNTRY, GroupBy.PROTOCOL, GroupBy.TIME)
"""Groupings that name a cause other than what the members asked for: two blocked names that live side by side look like
a blocked prefix, so without a contrast that is a hint and no accusation."""

WHOLE_LINK = (GroupBy.CLIENT, GroupBy.PROTOCOL, GroupBy.TIME, GroupBy.CAPTURE)
"""Groupings in which a common rate is a plan, unless a contrast says otherwise."""

LEAST = 3
"""Independent observations without which nothing is confirmed, and no comparison says that all are hit alike (same)."""


def may_hold_groups(evidence: Evidence) -> bool:
    """Say whether at least two subjects have evidence of their own for interference: without it nothing is searched."""
    own = (evidence.llr > 0) & (own_evidence(evidence, np.zeros(len(evidence), np.int64)) >= 0)
    kind, subject = evidence.subject_kind[own], evidence.subject[own]
    return bool(len(subject) and (np.ptp(subject) > 0 or np.ptp(kind) > 0))


def find_groups(
    evidence: Evidence,
    subjects: Subjects,
    verdicts: Verdicts,
    hosts: Hosts,
    networks: KnownNetworks | None = None,
    model: Model | None = None,
) -> Groups:
    """Find the groups of subjects that are interfered with.

    Args:
        evidence: What analyzers saw.
        subjects: Who was judged.
        verdicts: How they were judged; the groups use its vocabulary of mechanisms.
        hosts: Addresses.
        networks: What is known of networks; without it nothing is grouped by AS or country.
        model: Priors, weights, caps and grades; None takes the model that ships with the library.

    Returns:
        One row per group that is at least possible, the surest first; none where no evidence speaks for interference.

    Raises:
        SchemaError: Evidence points at a subject that is not listed.
    """
    model, mechanisms = model or default_model(), verdicts.mechanisms
    nothing = Groups.empty(mechanisms=mechanisms, model=verdicts.model)
    if not may_hold_groups(evidence):
        return nothing
    weights = weigh_subjects(evidence, subjects, mechanisms, model)
    needed = np.log(model.possible / (1 - model.possible)) - model.group_prior
    if np.maximum(weights.llr, 0.0).sum() < needed:  # no group can be worth more than all that speaks for one
        return nothing
    keys = common_keys(subjects, hosts, networks)
    clusters = gather_clusters(weights, subjects, keys)
    top = leading(weights.hypotheses, len(subjects))
    early = set_off_by(np.append(weights.hypotheses.mechanism, -1)[top], mechanisms, Trigger.OPENING)
    first = clusters.first
    observations = Observations(
        llr=clusters.llr,
        site=keys.site[first],
        sites=keys.sites,
        keys=tuple(grouping.key[first] for grouping in keys.groupings),
        counts=tuple(grouping.count for grouping in keys.groupings),
        by=tuple(grouping.by for grouping in keys.groupings),
        early=early[first],
        places=Places(clusters, subjects, keys),
        grid=share_grid(),
        model=model,
    )
    accepted = rank(observations)
    if not len(accepted.key):
        return nothing
    members = find_members(accepted, clusters, weights, keys, observations)
    return group_table(accepted, members, observations, subjects, weights, keys, verdicts)


@frozen(eq=False, kw_only=True)
class Members:
    """Pairs of an accepted group and a subject in it, sorted by group, the surest to be affected first."""

    group: I64
    row: I64  # verdict row
    log_odds: F64  # that this subject is affected
    llr: F64  # of the subject by itself
    loglik: F64  # of the shares in each group, without tempering, shape (groups, points)

    @property
    def affected(self) -> Mask:
        """Which members are held to be affected: something speaks for it, and it is more probable than not."""
        result: Mask = (self.log_odds > 0) & (self.llr > 0)
        return result


def find_members(
    accepted: Accepted, clusters: Clusters, weights: Weights, keys: Keys, observations: Observations
) -> Members:
    """List the members of accepted groups, without those that an earlier group explains."""
    explained = np.append(accepted.explained, np.iinfo(np.int64).max)
    group, row = _pairs(accepted, keys, explained[clusters.of])
    cluster = clusters.of[row]
    clustered, at = np.flatnonzero(cluster >= 0), len(accepted.key)
    pair = np.sort(group[clustered] * len(clusters) + cluster[clustered])
    pair = pair[np.append(True, pair[1:] != pair[:-1])] if len(pair) else pair
    loglik = log_likelihoods(clusters.llr[pair % len(clusters)], pair // len(clusters), at, observations.grid)
    llr = weights.llr[row]
    odds = member_log_odds(llr, group, loglik, observations.grid)
    order = ordered_within(group, -odds, row)
    return Members(group=group[order], row=row[order], log_odds=odds[order], llr=llr[order], loglik=loglik)


def _pairs(accepted: Accepted, keys: Keys, explained: I64) -> tuple[I64, I64]:
    """Pair accepted groups with the subjects that share their key and are not explained in an earlier round."""
    groups, rows = [], []
    for place, grouping in enumerate(keys.groupings):
        mine = np.flatnonzero(accepted.place == place)
        if not len(mine):
            continue
        if grouping.by is GroupBy.TIME:
            begin, end = accepted.window[mine].T
            owner, row = np.nonzero((keys.bin >= begin[:, None]) & (keys.bin < end[:, None]))
            owner = mine[owner]
        else:
            index = np.full(grouping.count + 1, -1, np.int64)
            index[accepted.key[mine]] = mine
            owner = index[grouping.key]
            row = np.flatnonzero(owner >= 0)
            owner = owner[row]
        left = explained[row] >= accepted.round[owner]
        groups.append(owner[left])
        rows.append(row[left])
    return np.concatenate(groups), np.concatenate(rows)


def group_table(
    accepted: Accepted,
    members: Members,
    observations: Observations,
    subjects: Subjects,
    weights: Weights,
    keys: Keys,
    verdicts: Verdicts,
) -> Groups:
    """Give each accepted group its grade, its mechanism and its numbers."""
    count, model = len(accepted.key), observations.model
    mechanism = name_mechanisms(members, weights, verdicts.mechanisms, count)
    q_value = control_false_discoveries(accepted)
    selective = compare(accepted, observations.grid)
    selective[~which(mechanism, verdicts.mechanisms, lambda record: record.selective)] = -1
    bare_rate = which(mechanism, verdicts.mechanisms, needs_contrast) & (selective != 1)
    bare = np.array([grouping.by in NEEDS_CONTRAST for grouping in keys.groupings])[accepted.place]
    bare |= ~backed_by_members(members, weights, count)
    bare = bare_rate | (bare & (accepted.contrast < POSITIVE))
    missed = np.bincount(members.group, subjects.loss_share[members.row], count).astype(np.float64)
    missed /= np.maximum(np.bincount(members.group, minlength=count), 1)
    probability, grade = grades_of(accepted, 0.0, q_value, bare, missed, model)
    _, rarer = grades_of(accepted, np.log(RARER), q_value, bare, missed, model)
    affected = np.bincount(members.group, 1.0 / (1.0 + np.exp(-np.clip(members.log_odds, -700, 700))), count)
    start, end = spans_of(members, subjects, accepted, keys)
    mixture = mixture_of(members.loglik, observations.grid)
    controls = mixture_of(accepted.controls.loglik, observations.grid)
    table = Groups(
        by=np.array([BY.index(keys.groupings[place].by) for place in accepted.place], np.uint8),
        value=Text.of([keys.groupings[p].write(int(k)) for p, k in zip(accepted.place, accepted.key, strict=True)]),
        members=np.bincount(members.group, minlength=count).astype(np.uint32),
        affected=np.rint(affected).astype(np.uint32),
        share=mixture.share,
        share_low=mixture.low,
        share_high=mixture.high,
        llr=accepted.llr,
        contrast=accepted.contrast,
        clusters=accepted.size.astype(np.uint32),
        controls=accepted.controls.size.astype(np.uint32),
        control_share=np.where(accepted.controls.size > 0, controls.share, np.nan),
        probability=probability,
        q_value=q_value,
        outcome=np.where(grade == POSSIBLE, INSUFFICIENT, INTERFERED).astype(np.uint8),
        grade=grade.astype(np.uint8),
        grade_if_rarer=rarer.astype(np.uint8),
        mechanism=mechanism.astype(np.int32),
        selective=selective.astype(np.int8),
        start=start,
        end=end,
        subjects=Ragged.from_lengths(np.bincount(members.group, minlength=count), members.row.astype(np.int32)),
        mechanisms=verdicts.mechanisms,
        model=verdicts.model,
    )
    alike = np.isin(table.by, [BY.index(by) for by in WHOLE_LINK]) & (selective != 1)
    plan = which(mechanism, verdicts.mechanisms, lambda record: is_rate(record.path)) & ((selective == 0) | alike)
    order = np.lexsort((accepted.key, table.by, -accepted.contrast, -accepted.log_odds, grade))
    return table.take(order[~plan[order] & (mechanism[order] >= 0) & (table.affected[order] > 0)])


def needs_contrast(record: Mechanism) -> bool:
    """Say whether a slow link explains a mechanism as well, where nobody is seen to be spared."""
    return record.contrast is Contrast.ALWAYS and not record.general


def grades_of(
    accepted: Accepted, rarer: float, q_value: F64, bare: Mask, loss_share: F64, model: Model
) -> tuple[F64, I64]:
    """Climb the ladder of grades.

    Args:
        accepted: The groups.
        rarer: By how many nats interference is rarer than the prior says.
        q_value: Their q-values.
        bare: Without the contrast that such a group needs, as shaping does: a slow link does the same.
        loss_share: Share of packets that the recordings of each group's members missed, on average.
        model: Where the grades begin.

    Returns:
        Probability of each group, at most the ceiling of what has no contrast where something but the posterior keeps
        it from being likely; and its place in ``Grade``.
    """
    probability = 1.0 / (1.0 + np.exp(np.minimum(rarer - accepted.log_odds, 700.0)))
    strong = (accepted.size >= LEAST) & (accepted.contrast >= STRONG) & (loss_share <= model.loss_ceiling)
    bars = [
        (probability >= model.confirmed) & (q_value <= STRICT) & strong & ~bare,
        (probability >= model.likely) & (q_value <= USUAL) & ~bare,
        probability >= model.possible,
    ]
    grade = np.select(bars, [CONFIRMED, LIKELY, POSSIBLE], NONE)
    return np.where(grade > LIKELY, np.minimum(probability, model.shaping_ceiling), probability), grade


def backed_by_members(members: Members, weights: Weights, count: int) -> Mask:
    """Say in which groups some affected member shows two oddities, or proof.

    Many connections with one and the same oddity show one oddity: without a contrast it may be a box beside the tap.
    """
    top = leading(weights.hypotheses, len(weights.llr))
    backed = np.append(weights.hypotheses.backed, False)[top]
    backed_groups = np.zeros(count, np.bool_)
    backed_groups[members.group[members.affected & backed[members.row]]] = True
    return backed_groups


def control_false_discoveries(accepted: Accepted) -> F64:
    """Compute q-values over all groups with information of the same grouping.

    Groups that were not accepted count with e-value 0, and accepted ones with what was left when they were: less than
    an e-value has is still one, so the bound holds.
    """
    result = np.ones(len(accepted.key))
    for place in np.unique(accepted.place):
        mine = np.flatnonzero(accepted.place == place)
        others = np.zeros(max(int(accepted.rivals[mine[0]]) - len(mine), 0))
        evidence = np.exp(np.minimum(accepted.llr[mine], 700.0))
        result[mine] = e_benjamini_hochberg(np.concatenate([evidence, others]))[: len(mine)]
    return result


def compare(accepted: Accepted, grid: F64) -> I64:
    """Say whether controls are spared: 1 spared, 0 hit alike, -1 when the comparison says nothing."""
    alike = (contrast(accepted.controls.loglik, accepted.loglik, grid) >= 0) & (accepted.controls.hit >= LEAST)
    return np.where(accepted.contrast >= POSITIVE, 1, np.where(alike, 0, -1))


def name_mechanisms(members: Members, weights: Weights, mechanisms: tuple[str, ...], count: int) -> I64:
    """Name the mechanism of each group: the one with most of the odds among its affected members, -1 without any.

    Each member has one voice, shared by its mechanisms as their odds are. When none holds half of a group's voices,
    the two that lead are answered by their common prefix, if they have one.
    """
    weighed, size = weights.hypotheses, max(len(mechanisms), 1)
    place = np.flatnonzero(weighed.supported)
    row, odds = weighed.row[place], np.exp(np.minimum(weighed.score[place], 700.0))
    voice = odds / np.bincount(row, odds, len(weights.llr))[row]
    chosen = np.flatnonzero(members.affected)
    begin = np.searchsorted(row, members.row[chosen])
    several = np.searchsorted(row, members.row[chosen], "right") - begin
    at = spans(begin, several)
    ballot = np.repeat(members.group[chosen], several) * size + weighed.mechanism[place[at]]
    votes = np.bincount(ballot, voice[at], count * size).reshape(count, size)
    result = np.where(votes.max(axis=1) > 0, votes.argmax(axis=1), -1)
    for group in np.flatnonzero((result >= 0) & (votes.max(axis=1) * 2 < votes.sum(axis=1))):  # few
        first, second = np.argsort(-votes[group], kind="stable")[:2]
        prefix = common_prefix([mechanisms[first], mechanisms[second]])
        if prefix and covers(prefix, mechanisms[first]):
            result[group] = mechanisms.index(prefix)
    return result


def spans_of(members: Members, subjects: Subjects, accepted: Accepted, keys: Keys) -> tuple[I64, I64]:
    """Find when the affected members of each group began and ended; windows of time have their own edges."""
    chosen = np.flatnonzero(members.affected)
    count = len(accepted.key)
    start, end = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(start, members.group[chosen], subjects.start[members.row[chosen]])
    np.maximum.at(end, members.group[chosen], subjects.end[members.row[chosen]])
    none = end < start
    start[none] = end[none] = subjects.start.min()
    window = np.array([grouping.by is GroupBy.TIME for grouping in keys.groupings])[accepted.place]
    begin = subjects.start.min()
    start[window] = begin + accepted.window[window, 0] * BIN_NS
    end[window] = np.minimum(begin + accepted.window[window, 1] * BIN_NS, subjects.end.max())
    return start, end
