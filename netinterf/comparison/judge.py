"""From attempts to findings: what two sides show together, unit by unit.

Two views of the same evidence are possible, and the stronger counts:

- the surest single verdict of the unit, which already knows what its own capture shows around it, and what the other
  side adds to that;
- all attempts of the unit by their own packets, or by the mere fact that they failed, whichever tells more, and all
  that the comparison shows around them.

Neither counts anything twice. Both sides are judged alike, each against the other, so that a control that is censored
itself is seen as such. Grades follow the verdict format; false discoveries are bounded over all units that were tried
here (e-BH, which holds under any dependence; units share servers, links and captures).
"""

from collections.abc import Sequence

import numpy as np

from netinterf.arrays import F64, I8, I64, U8
from netinterf.comparison.attempts import Attempts, Side, State, attempts_of
from netinterf.comparison.causes import FAILING, Kind, weigh_causes
from netinterf.comparison.units import Finding, Tally, gather_failures, own_llr, tally
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
    there_answered: I64 = column("i8", "attempts there that were answered")
    there_failed: I64 = column("i8", "attempts there that failed")
    there_other: I64 = column("i8", "attempts there that were refused or are not known")
    difference: F64 = column("f8", "share that failed here less share that failed there; NaN without either")
    difference_low: F64 = column("f8", "lower end of its 95 % interval")
    difference_high: F64 = column("f8", "upper end")


@frozen(eq=False, kw_only=True)
class Judgement:
    """Units and the attempts behind them."""

    contrasts: Contrasts
    attempts: Attempts


@frozen(eq=False)
class Odds:
    """How sure it is that units were interfered with on one side."""

    log_odds: F64
    prior: F64
    own: F64
    contrast: F64
    independent: I64  # observations behind own
    cause: I8

    @property
    def probability(self) -> F64:
        """The same as probabilities."""
        return 1.0 / (1.0 + np.exp(-np.clip(self.log_odds, -700, 700)))


def judge_units(here: Sequence[Ledger], there: Sequence[Ledger], model: Model) -> Judgement:
    """Compare two sides.

    Args:
        here: Captures that are asked about.
        there: Captures that they are held against.
        model: Priors, weights and grades.
    """
    return judge_attempts(attempts_of(here, there, model), model)


def judge_attempts(attempts: Attempts, model: Model) -> Judgement:
    """Say what attempts of two sides show together.

    Args:
        attempts: Attempts of both sides.
        model: Weights and grades.
    """
    count = int(attempts.unit.max(initial=-1)) + 1
    if not count:
        return Judgement(contrasts=Contrasts.empty(), attempts=attempts)
    ours, theirs = tally(attempts, Side.HERE, count), tally(attempts, Side.THERE, count)
    odds, other = (odds_on(attempts, side, counts, model) for side, counts in ((Side.HERE, ours), (Side.THERE, theirs)))
    grade, q_value = grades_of(odds, ours, model)
    grade_there, _ = grades_of(other, theirs, model)
    finding = findings_of(grade, grade_there, ours, theirs)
    without = np.where(np.isin(finding, (DOWN, CLEAR)), NONE, UNJUDGED)
    low, difference, high = differences(ours, theirs)
    table = Contrasts(
        unit=np.arange(count),
        finding=finding.astype(np.uint8),
        grade=np.where(grade <= POSSIBLE, grade, without).astype(np.uint8),
        probability=odds.probability,
        probability_there=other.probability,
        q_value=q_value,
        own=odds.own,
        contrast=odds.contrast,
        cause=odds.cause,
        here_answered=ours.answered,
        here_failed=ours.failed,
        here_other=ours.states.sum(axis=1) - ours.known,
        there_answered=theirs.answered,
        there_failed=theirs.failed,
        there_other=theirs.states.sum(axis=1) - theirs.known,
        difference=difference,
        difference_low=low,
        difference_high=high,
    )
    order = np.lexsort((-ours.known, -odds.log_odds, table.finding))
    return Judgement(contrasts=table.take(order), attempts=attempts)


def odds_on(attempts: Attempts, side: Side, counts: Tally, model: Model) -> Odds:
    """Say how sure it is that units were interfered with on one side.

    Args:
        attempts: Attempts of both sides.
        side: Which one.
        counts: What came of its attempts.
        model: Priors and weights.
    """
    count, mine = len(counts.states), attempts.side == side
    own, independent = own_llr(attempts, side, count, model.site_correlation)
    prior, surest = np.full(count, -np.inf), np.full(count, -np.inf)
    np.maximum.at(prior, attempts.unit[mine], attempts.prior[mine])
    np.maximum.at(surest, attempts.unit[mine], attempts.log_odds[mine])
    contrast, added = np.zeros(count), np.zeros(count)
    cause, reset = np.full(count, -1, np.int8), np.zeros(count, np.bool_)
    units = np.flatnonzero(counts.failed > 0)
    if len(units):
        failures = gather_failures(attempts, side, units, count)
        contrast[units], shares = weigh_causes(failures)
        alone, _ = weigh_causes(failures, compared=False)
        added[units] = contrast[units] - alone
        cause[units], reset[units] = shares.argmax(axis=1), failures.kind == Kind.RESET
    failing = np.where((cause >= 0) & ~reset, np.minimum(own, 0.0) - np.log(FAILING), -np.inf)
    log_odds = np.maximum(surest + added, prior + np.maximum(own, failing) + contrast)
    return Odds(log_odds, prior, own, contrast, independent, cause)


def grades_of(odds: Odds, counts: Tally, model: Model) -> tuple[I64, F64]:
    """Climb the ladder of grades; a unit that never failed there is not accused by its context.

    Returns:
        Place in ``Grade`` of each unit, and its q-value among the units that were tried on this side.
    """
    probability, present = odds.probability, np.isfinite(odds.prior)
    q_value = np.ones(len(probability))
    worth = odds.log_odds[present] - odds.prior[present]
    q_value[present] = e_benjamini_hochberg(np.exp(np.clip(worth, -700, 700)))
    proof = (odds.independent >= LEAST) & (odds.contrast >= STRONG) & (counts.states[:, State.STRUCK] >= LEAST)
    bars = [
        (probability >= model.confirmed) & (q_value <= STRICT) & proof,
        (probability >= model.likely) & (q_value <= USUAL) & (counts.failed > 0),
        probability >= model.possible,
    ]
    return np.where(present, np.select(bars, [CONFIRMED, LIKELY, POSSIBLE], NONE), NONE), q_value


def findings_of(grade: I64, grade_there: I64, ours: Tally, theirs: Tally) -> I64:
    """Name what the comparison says of each unit."""
    accused, hit_there = grade <= LIKELY, grade_there <= LIKELY
    fails, works = (ours.failed > 0) & (ours.failed >= ours.answered), theirs.answered > theirs.failed
    conditions = [
        accused & hit_there,
        accused,
        grade == POSSIBLE,
        (ours.known == 0),
        ~fails,
        theirs.known == 0,
        works,
    ]
    return np.select(conditions, [BOTH, BLOCKED, SUSPECTED, NOT_COMPARED, CLEAR, NOT_COMPARED, ONLY_HERE], DOWN)


def differences(ours: Tally, theirs: Tally) -> tuple[F64, F64, F64]:
    """Give how much larger the share of failures is here, with its 95 % interval; NaN where one side is missing."""
    low, difference, high = share_difference(ours.failed, ours.known, theirs.failed, theirs.known)
    lacking = (ours.known == 0) | (theirs.known == 0)
    low, difference, high = (np.where(lacking, np.nan, value) for value in (low, difference, high))
    return low, difference, high
