"""How sure is sure: grades of cells, and what is said of those that nobody is accused of.

False discoveries are bounded over the whole campaign: the mean chance of error among all cells that are ranked no lower
(Storey 2003; Efron 2010, ch. 5), since priors were learned from the same cells.
"""

from enum import StrEnum

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.pooling.causes import Cause
from netinterf.pooling.cells import Cells, chance
from netinterf.schema import Grade
from netinterf.stats.multiple import posterior_q
from netinterf.values import frozen
from netinterf.verdict.groups import LEAST, STRICT, STRONG, USUAL
from netinterf.verdict.model import Model

__all__ = ["Finding", "Graded", "grade_cells"]

CONFIRMED, LIKELY, POSSIBLE, NONE, UNJUDGED = range(len(Grade))


class Finding(StrEnum):
    """What is said of a cell, the gravest first."""

    BLOCKED = "blocked"  # somebody interferes with it here
    SUSPECTED = "suspected"  # perhaps: a hint, no accusation
    FAILS = "fails"  # it fails here, and something harmless explains that as well
    DOWN = "down"  # it fails in other places too, without a sign of interference
    CLEAR = "clear"  # it works here
    NOT_SHOWN = "not-shown"  # captures do not show what came of it


FINDINGS = tuple(Finding)


@frozen(eq=False, kw_only=True)
class Graded:
    """How sure it is, one entry per cell."""

    probability: F64
    q_value: F64
    grade: I64  # place in Grade
    finding: I64  # place in Finding


def grade_cells(cells: Cells, model: Model) -> Graded:
    """Climb the ladder of grades; a cell that never failed is accused by its packets and answers alone.

    Args:
        cells: As learned.
        model: Bars of the grades.
    """
    tallies, probability = cells.tallies, cells.probability
    by_packets = chance(tallies.prior + cells.own)  # whatever else is blocked here
    seen = (tallies.failed > 0) | (cells.answers > 0) & ~cells.chosen | (by_packets >= model.likely)
    probability = np.where(seen, probability, np.minimum(probability, np.nextafter(model.likely, 0)))
    q_value = posterior_q(probability)
    proof = (cells.independent >= LEAST) & (cells.contrast >= STRONG) & (tallies.struck >= LEAST)
    bars = [
        (probability >= model.confirmed) & (q_value <= STRICT) & proof,
        (probability >= model.likely) & (q_value <= USUAL) & seen,
        probability >= model.possible,
    ]
    grade = np.select(bars, [CONFIRMED, LIKELY, POSSIBLE], NONE)
    fails = (tallies.failed > 0) & (tallies.failed >= tallies.answered)
    down = fails & np.isin(cells.cause, (Cause.GONE, Cause.SERVER)) & (tallies.others_failed > tallies.others_answered)
    unseen = (tallies.known == 0) | ~fails & tallies.blind
    conditions = [grade <= LIKELY, grade == POSSIBLE, unseen, ~fails, down]
    names = [Finding.BLOCKED, Finding.SUSPECTED, Finding.NOT_SHOWN, Finding.CLEAR, Finding.DOWN]
    finding = np.select(conditions, [FINDINGS.index(name) for name in names], FINDINGS.index(Finding.FAILS))
    unsaid = np.isin(finding, [FINDINGS.index(name) for name in (Finding.FAILS, Finding.NOT_SHOWN)])
    return Graded(
        probability=probability,
        q_value=q_value,
        grade=np.where(unsaid, UNJUDGED, grade),
        finding=finding,
    )
