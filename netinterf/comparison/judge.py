"""From attempts to findings: what two sides show together, unit by unit.

A comparison is a campaign of two places (`netinterf.pooling`): both sides are judged alike, each against the other, so
that a control that is censored itself is seen as such. Grades follow the verdict format; false discoveries are bounded
over all units that were tried here (e-BH, which holds under any dependence; units share servers, links and captures).
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I8, I64, U8, Mask
from netinterf.comparison.units import Finding, Side
from netinterf.observations.attempts import Attempts, attempts_of
from netinterf.observations.table import observe
from netinterf.pooling.cells import Cells, chance, pool
from netinterf.schema import Grade
from netinterf.stats.multiple import e_benjamini_hochberg
from netinterf.stats.rates import share_difference
from netinterf.table import Table, column
from netinterf.values import frozen
from netinterf.verdict.groups import LEAST, STRICT, STRONG, USUAL
from netinterf.verdict.model import Model
from netinterf.written.ledger import Ledger

__all__ = ["FINDINGS", "Contrasts", "Judgement", "judge_attempts", "judge_units"]


FINDINGS, GRADES = tuple(Finding), tuple(Grade)
CONFIRMED, LIKELY, POSSIBLE, NONE, UNJUDGED = range(len(GRADES))
BLOCKED, BOTH, SUSPECTED, ONLY_HERE, DOWN, CLEAR, NOT_COMPARED = range(len(FINDINGS))


@frozen(eq=False, kw_only=True)
class Contrasts(Table):
    """One row per unit: a name over a transport, or a server where no name was seen; the surest blocks first."""

    unit: I64 = column("i8", "number of the unit in Attempts")
    finding: U8 = column("u1", "place in the enumeration Finding")
    grade: U8 = column("u1", "place in the enumeration Grade")
    probability: F64 = column("f8", "probability that it was interfered with here")
    probability_there: F64 = column("f8", "the same for the other side")
    q_value: F64 = column("f8", "expected share of false alarms among the units ranked no lower")
    own: F64 = column("f8", "what the packets of its attempts here weigh by themselves", unit="nats")
    contrast: F64 = column("f8", "what the comparison weighs, a block against all harmless causes", unit="nats")
    cause: I8 = column("i1", "likeliest harmless cause, place in Cause, -1 without failures", fill=-1)
    here_answered: I64 = column("i8", "attempts here that were answered")
    here_failed: I64 = column("i8", "attempts here that failed")
    here_other: I64 = column("i8", "attempts here that were refused or are not known")
    here_unread: I64 = column("i8", "of those answered: what would show a forgery was cut out of the recording")
    there_answered: I64 = column("i8", "attempts there that were answered")
    there_failed: I64 = column("i8", "attempts there that failed")
    there_other: I64 = column("i8", "attempts there that were refused or are not known")
    there_unread: I64 = column("i8", "of those answered: what would show a forgery was cut out of the recording")
    difference: F64 = column("f8", "share that failed here less share that failed there; NaN without either")
    difference_low: F64 = column("f8", "lower end of its 95 % interval")
    difference_high: F64 = column("f8", "upper end")


@frozen(eq=False, kw_only=True)
class Judgement:
    """Units and the attempts behind them."""

    contrasts: Contrasts
    attempts: Attempts


@frozen(eq=False, kw_only=True)
class Seen:
    """What one side shows of every unit, one entry per unit; what it never tried is of no consequence."""

    log_odds: F64
    prior: F64  # -inf where it never tried
    own: F64
    contrast: F64
    independent: I64
    cause: I64
    answered: I64
    failed: I64
    other: I64
    struck: I64
    unread: I64
    blind: Mask

    @classmethod
    def of(cls, cells: Cells, side: Side, count: int) -> Self:
        """Take the cells of one side.

        Args:
            cells: Of both sides.
            side: Which one.
            count: How many units there are.
        """
        mine = np.flatnonzero(cells.tallies.place == side)
        unit, tallies = cells.tallies.unit[mine], cells.tallies

        def spread(values: NDArray[Any], otherwise: float) -> Any:
            result = np.full(count, otherwise, values.dtype)
            result[unit] = values[mine]
            return result

        answered = spread(tallies.answered, 0)
        shut = np.flatnonzero((tallies.place != side) & tallies.shut)  # over there: it has no answers of its own here
        answered[tallies.unit[shut]] = tallies.others_answered[shut]
        return cls(
            log_odds=spread(cells.log_odds, -np.inf),
            prior=spread(cells.prior, -np.inf),
            own=spread(cells.own, 0),
            contrast=spread(cells.contrast, 0),
            independent=spread(cells.independent, 0),
            cause=spread(cells.cause, -1),
            answered=answered,
            failed=spread(tallies.failed, 0),
            other=spread(tallies.heard + tallies.unknown, 0),
            struck=spread(tallies.struck, 0),
            unread=spread(tallies.unread, 0),
            blind=spread(tallies.blind, False),
        )

    @property
    def known(self) -> I64:
        """Of how many attempts it is known what came of them: answered or failed."""
        return self.answered + self.failed

    @property
    def probability(self) -> F64:
        """How sure it is that it was interfered with."""
        return chance(self.log_odds)


def judge_units(here: Sequence[Ledger], there: Sequence[Ledger], model: Model) -> Judgement:
    """Compare two sides.

    Args:
        here: Captures that are asked about.
        there: Captures that they are held against.
        model: Priors, weights and grades.
    """
    sides = [Side.HERE] * len(here) + [Side.THERE] * len(there)
    return judge_attempts(attempts_of([*here, *there], sides, model), model)


def judge_attempts(attempts: Attempts, model: Model) -> Judgement:
    """Say what attempts of two sides show together.

    Args:
        attempts: Attempts of both sides; their places are codes of Side.
        model: Weights and grades.
    """
    count = int(attempts.unit.max(initial=-1)) + 1
    if not count:
        return Judgement(contrasts=Contrasts.empty(), attempts=attempts)
    cells = pool(observe(attempts), np.full(len(Side), -1), model)
    ours, theirs = (Seen.of(cells, side, count) for side in Side)
    grade, q_value = grades_of(ours, model)
    grade_there, _ = grades_of(theirs, model)
    finding = findings_of(grade, grade_there, ours, theirs)
    without = np.where(np.isin(finding, (DOWN, CLEAR)), NONE, UNJUDGED)
    low, difference, high = differences(ours, theirs)
    table = Contrasts(
        unit=np.arange(count),
        finding=finding.astype(np.uint8),
        grade=np.where(grade <= POSSIBLE, grade, without).astype(np.uint8),
        probability=ours.probability,
        probability_there=theirs.probability,
        q_value=q_value,
        own=ours.own,
        contrast=ours.contrast,
        cause=ours.cause.astype(np.int8),
        here_answered=ours.answered,
        here_failed=ours.failed,
        here_other=ours.other,
        here_unread=ours.unread,
        there_answered=theirs.answered,
        there_failed=theirs.failed,
        there_other=theirs.other,
        there_unread=theirs.unread,
        difference=difference,
        difference_low=low,
        difference_high=high,
    )
    order = np.lexsort((-ours.known, -ours.log_odds, table.finding))
    return Judgement(contrasts=table.take(order), attempts=attempts)


def grades_of(seen: Seen, model: Model) -> tuple[I64, F64]:
    """Climb the ladder of grades; a unit that never failed there is not accused by its context.

    Returns:
        Place in ``Grade`` of each unit, and its q-value among the units that were tried on this side.
    """
    probability, present = seen.probability, np.isfinite(seen.prior)
    q_value = np.ones(len(probability))
    worth = seen.log_odds[present] - seen.prior[present]
    q_value[present] = e_benjamini_hochberg(np.exp(np.clip(worth, -700, 700)))
    proof = (seen.independent >= LEAST) & (seen.contrast >= STRONG) & (seen.struck >= LEAST)
    bars = [
        (probability >= model.confirmed) & (q_value <= STRICT) & proof,
        (probability >= model.likely) & (q_value <= USUAL) & (seen.failed > 0),
        probability >= model.possible,
    ]
    return np.where(present, np.select(bars, [CONFIRMED, LIKELY, POSSIBLE], NONE), NONE), q_value


def findings_of(grade: I64, grade_there: I64, ours: Seen, theirs: Seen) -> I64:
    """Name what the comparison says of each unit."""
    accused, hit_there = grade <= LIKELY, grade_there <= LIKELY
    fails, works = (ours.failed > 0) & (ours.failed >= ours.answered), theirs.answered > theirs.failed
    conditions = [
        accused & hit_there,
        accused,
        grade == POSSIBLE,
        (ours.known == 0) | ~fails & ours.blind,
        ~fails,
        theirs.known == 0,
        works,
    ]
    return np.select(conditions, [BOTH, BLOCKED, SUSPECTED, NOT_COMPARED, CLEAR, NOT_COMPARED, ONLY_HERE], DOWN)


def differences(ours: Seen, theirs: Seen) -> tuple[F64, F64, F64]:
    """Give how much larger the share of failures is here, with its 95 % interval; NaN where one side is missing."""
    low, difference, high = share_difference(ours.failed, ours.known, theirs.failed, theirs.known)
    lacking = (ours.known == 0) | (theirs.known == 0)
    low, difference, high = (np.where(lacking, np.nan, value) for value in (low, difference, high))
    return low, difference, high
