"""How the mechanisms under suspicion of each subject stand against each other, and what no sum may exceed."""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.mechanisms import MECHANISMS
from netinterf.numbering import ordered_within
from netinterf.values import frozen
from netinterf.verdict.model import Model
from netinterf.verdict.selective import restrain, without_doubtful
from netinterf.verdict.subjects import Subjects
from netinterf.verdict.weigh import Hypotheses, odds_of, short_of

__all__ = ["Standing", "apart", "leading", "proven", "stand"]

PART_OF = {record.path: record.part_of for record in MECHANISMS.values() if record.part_of}
"""Mechanisms that are only a part of another."""


@frozen(eq=False)
class Standing:
    """How hypotheses stand, one entry per verdict row: what leads, and the odds that somebody interfered."""

    hypotheses: Hypotheses  # held back as far as the capture cannot tell them from harmless causes
    plan: Mask  # limited by a plan
    unsure: Mask  # held to a rate without a contrast
    top: I64  # the hypothesis that leads, -1 without one
    sum: F64  # odds of all mechanisms together
    most: F64  # odds that no sum may take a row beyond
    gap: Mask  # held back because a time within the row was not recorded

    def odds(self, rarer: float = 1.0) -> F64:
        """Give the odds of each row, were interference rarer by a factor."""
        return np.minimum(self.sum / rarer, self.most)


def stand(
    hypotheses: Hypotheses,
    selective: I64,
    doubt: Mask,
    subjects: Subjects,
    quiet: F64,
    mechanisms: tuple[str, ...],
    model: Model,
) -> Standing:
    """Let the hypotheses of each subject compete, held back where others would have to be spared and are not.

    Where a time within a subject was not recorded, nothing but proof accuses: what is missing may explain the rest.
    """
    kind = subjects.prior_kind
    restrained, plan, unsure = restrain(hypotheses, selective, mechanisms, model, doubt)
    certain = odds_of(without_doubtful(restrained, selective, mechanisms, doubt), kind, quiet, model)
    odds = at_most(model.shaping_ceiling, odds_of(restrained, kind, quiet, model), certain, unsure)
    top = whole(restrained, leading(restrained, len(subjects)), mechanisms, model)
    most = highest_odds(restrained, top, model)
    gap = subjects.broken & ~proven(restrained, top)
    bound = np.where(gap, np.minimum(most, short_of(model.likely)), most)
    return Standing(restrained, plan, unsure, top, odds, bound, np.minimum(odds, most) > bound)


def proven(hypotheses: Hypotheses, top: I64) -> Mask:
    """Say which rows show something that is proof by itself."""
    result: Mask = np.append(hypotheses.decisive, False)[top]
    return result


def highest_odds(hypotheses: Hypotheses, top: I64, model: Model) -> F64:
    """Say which odds no row may exceed, by the hypothesis that leads it.

    Nobody is accused by silence: without anything that speaks for a mechanism, the odds stay below ``possible``. One
    oddity that is no proof accuses nobody either: whatever it weighs, somebody's harmless box may do the same.
    """
    backed = np.append(hypotheses.backed, False)[top]
    return np.where(top < 0, short_of(model.possible), np.where(backed, np.inf, short_of(model.likely)))


def at_most(ceiling: float, odds: F64, certain: F64, unsure: Mask) -> F64:
    """Keep the odds of rows that are unsure below a probability, unless what is certain takes them there by itself."""
    bounded: F64 = np.minimum(odds, ceiling / (1.0 - ceiling))
    return np.where(unsure, np.maximum(certain, bounded), odds)


def leading(hypotheses: Hypotheses, count: int) -> I64:
    """Find the hypothesis that leads each verdict row, among those that something speaks for; -1 without one."""
    top = np.full(count, -1, np.int64)
    order = ordered_within(hypotheses.row, hypotheses.score, -hypotheses.mechanism)
    order = order[hypotheses.supported[order]]
    top[hypotheses.row[order]] = order  # the last write wins: the highest score
    return top


def whole(hypotheses: Hypotheses, top: I64, mechanisms: tuple[str, ...], model: Model) -> I64:
    """Where only a part leads, let the whole that it belongs to lead if that is ``likely`` by itself."""
    top, places = top.copy(), {mechanism: place for place, mechanism in enumerate(mechanisms)}
    own = 1.0 / (1.0 + np.exp(-hypotheses.score))
    for part, of in PART_OF.items():
        likely = np.flatnonzero(
            (hypotheses.mechanism == places.get(of, -1)) & hypotheses.supported & (own >= model.likely)
        )
        partly = hypotheses.mechanism[top[hypotheses.row[likely]]] == places.get(part, -1)
        top[hypotheses.row[likely[partly]]] = likely[partly]
    return top


def apart(hypotheses: Hypotheses, mechanism: I64, accused: Mask, mechanisms: tuple[str, ...]) -> Mask:
    """Say which hypotheses of accused rows are more than a part of the mechanism that is named."""
    leads, distinct = mechanism[hypotheses.row], accused[hypotheses.row]
    for part, of in PART_OF.items():
        if part in mechanisms and of in mechanisms:
            distinct &= (hypotheses.mechanism != mechanisms.index(part)) | (leads != mechanisms.index(of))
    return distinct
