"""What a certain case says of others on its path: how much more often the same mechanism is at work there."""

import numpy as np

from benchmarks.fit.design import Design
from netinterf.arrays import F64, I64, Mask
from netinterf.verdict.model import MOST_TIMES, SUBJECTS, Model
from netinterf.verdict.same_path import certain_of, met_elsewhere, own_weights

__all__ = ["neighbours_of", "odds_ratio", "times_of"]

HALF = 0.5
"""What is added to each count, so that what was never seen is no certainty (Haldane, Ann. Hum. Genet. 1956)."""


def times_of(design: Design, model: Model, use: Mask) -> float:
    """Estimate how many times likelier a mechanism is where a certain case of it stands on the same path.

    Suspicions with evidence of their own are compared with others whose evidence weighs as much, to the nat, and that
    stand beside no such case: that evidence near a certain case is stronger by itself does not count.

    Args:
        design: Suspicions that labels decide.
        model: What they are weighed by.
        use: Which subjects may be looked at.

    Returns:
        Odds ratio, from 1 to `MOST_TIMES`.
    """
    worth, beside = neighbours_of(design, model)
    rows = (worth > 0) & use[design.suspicions.row[design.kept]]
    ratio = odds_ratio(np.floor(worth[rows]).astype(np.int64), design.right[rows], beside[rows])
    return round(float(np.clip(ratio, 1.0, MOST_TIMES)), 1)


def neighbours_of(design: Design, model: Model) -> tuple[F64, Mask]:
    """Say of each row of a design what its own evidence weighs, and whether it stands beside a certain case."""
    corpus = design.corpus
    happened = zip(corpus.kind.tolist(), corpus.happened.tolist(), strict=True)
    quiet = np.array([model.quiet.get((SUBJECTS[kind], word), 0.0) for kind, word in happened])
    own = own_weights(design.suspicions, corpus.evidence, corpus.kind, quiet, design.mechanisms, model)
    beside = met_elsewhere(own, certain_of(own, design.mechanisms, model), corpus.path)
    return np.where(own.supported, own.worth, 0.0)[design.kept], beside[design.kept]


def odds_ratio(stratum: I64, hit: Mask, beside: Mask) -> float:
    """Compare how often something happened beside and apart, over strata (Mantel and Haenszel, JNCI 1959).

    Args:
        stratum: Number of each row's stratum, from 0; those without one of both sides, or of both outcomes,
            compare nothing.
        hit: Whether it happened.
        beside: Which side each row is on.
    """
    count = int(stratum.max(initial=-1)) + 1
    table = np.bincount(stratum * 4 + hit * 2 + beside, minlength=4 * count).reshape(count, 2, 2)
    both = (table.sum(axis=1) > 0).all(axis=1) & (table.sum(axis=2) > 0).all(axis=1)
    table = table[both] + HALF
    if not len(table):
        return 1.0
    size = table.sum(axis=(1, 2))
    for_it, against_it = table[:, 1, 1] * table[:, 0, 0] / size, table[:, 1, 0] * table[:, 0, 1] / size
    return float(for_it.sum() / against_it.sum())
