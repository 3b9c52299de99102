"""How seldom a mechanism shows one oddity only.

A bound says how rarely benign traffic shows an oddity, as if interference always did. Where several groups speak, that
is measured by what each of them adds; where one speaks alone, what is missing counts too, and interference that shows
a single sign is rarer than interference.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.fit.design import Design
from netinterf.verdict.model import Model
from netinterf.verdict.weigh import Hypotheses, added

__all__ = ["alone_of", "missing"]

LEAST = 20
"""Interfered subjects with a sign that a measurement needs."""


def alone_of(design: Design, model: Model, use: NDArray[np.bool_]) -> dict[str, float]:
    """Measure of each mechanism how seldom one group speaks for it and no other does: the logarithm of the share, nats.

    Mechanisms whose rules are parts of one likelihood ratio have no groups to miss.

    Args:
        design: The regression problem.
        model: What evidence weighs.
        use: Which subjects to measure on.
    """
    return shares(design, weighed(design, model), model, use)


def missing(design: Design, model: Model, use: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Say what it weighs in each row of a design that one group speaks for it and no other, nats; 0 where more do.

    Args:
        design: The regression problem.
        model: What evidence weighs.
        use: Which subjects to measure on.
    """
    found = weighed(design, model)
    seldom = shares(design, found, model, use)
    told = np.array([seldom.get(word, 0.0) for word in design.mechanisms] or [0.0])[found.mechanism]
    rows: NDArray[np.float64] = np.where(found.supported & ~found.backed, told, 0.0)[design.kept]
    return rows


def weighed(design: Design, model: Model) -> Hypotheses:
    """Weigh every suspicion of a corpus, whatever is missing."""
    corpus = design.corpus
    quiet = np.zeros(len(corpus))
    return added(design.borne, corpus.evidence, corpus.kind, quiet, design.mechanisms, model, in_full=False)


def shares(design: Design, found: Hypotheses, model: Model, use: NDArray[np.bool_]) -> dict[str, float]:
    """Count, for each mechanism, in which share of the interfered that something speaks for one group does alone."""
    right = np.zeros(len(found), np.bool_)
    right[design.kept[design.right]] = True
    right &= found.supported & use[found.row]
    result = {}
    for place, mechanism in enumerate(design.mechanisms):
        mine = right & (found.mechanism == place)
        if mechanism in model.joint or np.count_nonzero(mine) < LEAST:
            continue
        lone = np.count_nonzero(mine & ~found.backed)
        result[mechanism] = round(float(np.log((lone + 0.5) / (np.count_nonzero(mine) + 1))), 3)
    return result
