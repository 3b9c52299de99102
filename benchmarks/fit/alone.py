"""How seldom a mechanism shows one oddity only.

A bound says how rarely benign traffic shows an oddity, as if interference always did. Where several groups speak, that
is measured by what each of them adds; where one speaks alone, what is missing counts too, and interference that shows
a single sign is rarer than interference.
"""

import numpy as np

from benchmarks.fit.design import Design
from netinterf.arrays import Mask
from netinterf.verdict.model import Model
from netinterf.verdict.weigh import weigh

__all__ = ["alone_of"]

LEAST = 20
"""Interfered subjects with a sign that a measurement needs."""


def alone_of(design: Design, model: Model, use: Mask) -> dict[str, float]:
    """Measure of each mechanism how seldom one group speaks for it and no other does: the logarithm of the share, nats.

    Mechanisms whose rules are parts of one likelihood ratio have no groups to miss.

    Args:
        design: The regression problem.
        model: What evidence weighs.
        use: Which subjects to measure on.
    """
    evidence, corpus = design.corpus.evidence, design.corpus
    about = evidence.subject.astype(np.int64)
    found = weigh(evidence, about, corpus.kind, np.zeros(len(corpus)), design.mechanisms, model, in_full=False)
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
