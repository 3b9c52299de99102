"""Independent observations: how much each subject speaks for interference, and which subjects are one observation.

What one client does with one server, port and name within five minutes is one observation: flows that a program opens
side by side meet the same fate for the same reason. The mean of their likelihood ratios holds under any dependence
(`netinterf.stats.dependence`). Evidence that was drawn from other subjects is left out, as is what one cannot judge.
"""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import joined, numbered
from netinterf.schema import Evidence
from netinterf.stats.dependence import combine_dependent
from netinterf.values import frozen
from netinterf.verdict.combine import quiet_weights
from netinterf.verdict.health import outcomes
from netinterf.verdict.keys import Keys
from netinterf.verdict.model import Model
from netinterf.verdict.selective import find_selective, restrain, undecided
from netinterf.verdict.subjects import Subjects, row_of
from netinterf.verdict.weigh import Hypotheses, odds_of, weigh

__all__ = ["Clusters", "Weights", "gather_clusters", "own_evidence", "weigh_subjects"]

INSUFFICIENT = 3  # place in the enumeration Outcome


@frozen(eq=False, kw_only=True)
class Weights:
    """What each subject says by itself."""

    llr: F64  # of each verdict row: interfered with, whatever the mechanism, against left alone; nats
    known: Mask  # something is known of it, be it that nothing unusual was seen
    hypotheses: Hypotheses  # the mechanisms behind it


@frozen(eq=False, kw_only=True)
class Clusters:
    """Observations that say something, one entry per cluster."""

    llr: F64  # nats, never 0
    first: I64  # one verdict row of it, for what its members have in common
    of: I64  # cluster of each verdict row, -1 for none

    def __len__(self) -> int:
        return len(self.llr)


def own_evidence(evidence: Evidence, row: I64) -> I64:
    """Leave out what was drawn from other subjects: the verdict row of each observation, -1 for those."""
    shared = np.array([rule.shared for rule in evidence.rules] or [False])[evidence.rule]
    return np.where(shared, -1, row)


def weigh_subjects(evidence: Evidence, subjects: Subjects, mechanisms: tuple[str, ...], model: Model) -> Weights:
    """Weigh how much each subject speaks for interference, by its own evidence alone.

    The likelihood ratio of "interfered with" is the mean of those of the mechanisms, weighted by their priors, so that
    priors common to all subjects cancel. What the capture shows to be a plan of the whole link is held back as for
    single verdicts, and there a contrast with other subjects counts.

    Args:
        evidence: What analyzers saw.
        subjects: Who is judged.
        mechanisms: The vocabulary.
        model: Priors, weights and caps.
    """
    row, kind, count = row_of(evidence, subjects), subjects.prior_kind, len(subjects)
    quiet = quiet_weights(subjects, model)
    own = own_evidence(evidence, row)
    hypotheses = weigh(evidence, own, kind, quiet, mechanisms, model, in_full=False)
    selective = find_selective(evidence, row, count)
    doubt = undecided(evidence, row, subjects.in_part, count)
    restrained, _, _ = restrain(hypotheses, selective, mechanisms, model, doubt)
    unlisted = np.bincount(restrained.row, np.where(restrained.listed, 0.0, np.exp(restrained.prior)), count)
    before = np.nansum(np.exp(model.log_odds(model.mechanisms)), axis=1)[kind] + unlisted
    after = odds_of(restrained, kind, quiet, model) + unlisted
    llr = np.zeros(count)
    judged = before > 0  # kinds without any prior are never interfered with
    llr[judged] = np.log(after[judged]) - np.log(before[judged])
    known = (llr != 0) | (outcomes(subjects.reasons) != INSUFFICIENT)
    known[own[own >= 0]] = True
    return Weights(llr=llr, known=known, hypotheses=restrained)


def gather_clusters(weights: Weights, subjects: Subjects, keys: Keys) -> Clusters:
    """Gather subjects into observations: client, server, port, protocol, name and five minutes.

    Subjects of which nothing is known are in none; those of which nothing unusual is known dilute the others. Clusters
    that say nothing are left out.

    Args:
        weights: What each subject says.
        subjects: Who they are.
        keys: What they have in common.
    """
    rows = np.flatnonzero(weights.known)
    hosts = 1 + int(max(subjects.client.max(initial=0), subjects.server.max(initial=0)))
    protocol = subjects.protocol.astype(np.int64) << 2 | subjects.prior_kind
    key, _ = joined(
        (subjects.client[rows], hosts),
        (subjects.server[rows], hosts),
        (subjects.port[rows], 1 << 16),
        (protocol[rows], 1 << 10),
        (keys.name[rows], keys.names),
        (keys.bin[rows], keys.bins),
    )
    cluster, first = numbered(key)
    llr = combine_dependent(weights.llr[rows], cluster, len(first))
    informative = llr != 0
    place = np.where(informative, np.cumsum(informative) - 1, -1)
    of = np.full(len(subjects), -1, np.int64)
    of[rows] = place[cluster]
    return Clusters(llr=llr[informative], first=rows[first[informative]], of=of)
