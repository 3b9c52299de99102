"""From observations to what is said of each cell: a unit (a name over a transport, or a server) in one place.

Two views of the same evidence are possible, and the stronger counts:

- the surest single verdict of the cell, which already knows what its own capture shows around it, and what other
  captures and places add to what that was worth: the best of thirty is less sure where the packets of the others are
  those of a line that nobody touches;
- all attempts of the cell by their own packets, or by the mere fact that they failed, whichever tells more, and all
  that the contrast with other places and times shows.

What a name was answered is a third (`netinterf.pooling.answers`). None counts anything twice. All places are judged
alike, each against all others, so that one that is censored itself is no control.
"""

from typing import Self

import attrs
import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.observations.attempts import DNS
from netinterf.observations.line import OUT
from netinterf.observations.table import Observations
from netinterf.pooling.answers import Forged
from netinterf.pooling.causes import Kind, Worth, weigh_causes
from netinterf.pooling.episodes import NEVER, Episodes, lay_out
from netinterf.pooling.flaky import comes_and_goes, loses
from netinterf.pooling.pieces import pieces
from netinterf.pooling.standing import standing_of
from netinterf.pooling.tallies import Tallies, own_llr, tally
from netinterf.pooling.ways import by_itself
from netinterf.pooling.witnesses import Hours
from netinterf.values import frozen
from netinterf.verdict.model import Model

__all__ = ["Cells", "chance", "pool"]


AT_A_TIME = 1 << 20
"""Observations whose units are looked at together (memory)."""


@frozen(eq=False, kw_only=True)
class Cells:
    """Cells and how sure it is that somebody interferes there, one entry per cell."""

    tallies: Tallies
    prior: F64  # log-odds of interference before any evidence, -inf where nothing was tried
    own: F64  # what the packets weigh by themselves, nats
    answers: F64  # of that, what answers weigh that no other place gives
    chosen: Mask  # the resolver that gave them may be one that somebody chose: a hint, whatever is blocked beside
    changed: I64  # last other answer before those, and the first of these, ns; shape (cells, 2), `NEVER` for none
    own_of_failures: F64  # the same of what failed alone
    own_of_others: F64  # the same of captures beside that of the surest verdict, as far as it speaks against it
    contrast: F64  # a block against all harmless causes, nats; 0 without failures
    log_odds: F64
    independent: I64  # observations behind own
    kind: I64  # Kind of the failures, -1 without any
    cause: I64  # likeliest harmless cause, -1 without failures
    site: I64  # network of the server
    failing: I64  # rows of the cells that failed
    episodes: Episodes  # the hours that show what came of these
    worth: Worth  # of their contrasts

    def __len__(self) -> int:
        return len(self.prior)

    def under(self, prior: F64, common: F64 | None) -> Self:
        """Say how sure it is where interference, or harmless causes, are as common as told.

        Args:
            prior: Log-odds of interference before any evidence, one per cell.
            common: How much more common each harmless cause is than anywhere, of failing cells; see `Worth.llr`.
        """
        count, tallies, worth = len(self), self.tallies, self.worth
        contrast, added, cause = np.zeros(count), np.zeros(count), np.full(count, -1)
        failing = np.full(count, -np.inf)
        contrast[self.failing] = worth.llr(common)
        added[self.failing] = contrast[self.failing] - np.maximum(worth.alone, 0.0)
        failing[self.failing] = np.minimum(self.own_of_failures[self.failing], 0.0) + worth.llr_of_failing(common)
        cause[self.failing] = worth.likeliest(common)
        surest = tallies.surest - tallies.prior + self.own_of_others + added
        answers = np.where(self.answers > 0, self.own, -np.inf)  # which what failed besides says nothing of
        answers += np.where(self.chosen, np.minimum(tallies.prior - prior, 0.0), 0.0)
        packets = np.where((tallies.failed > 0) | (self.own != 0), self.own + contrast, -np.inf)  # 0: none speaks
        log_odds = prior + np.max([surest, packets, failing, answers], axis=0)
        return attrs.evolve(self, prior=prior, contrast=contrast, cause=cause, log_odds=log_odds)

    def told(self, forged: Forged) -> Self:
        """Add what answers say of some cells, whatever came of their attempts."""
        width = int(max(self.tallies.place.max(initial=0), forged.place.max(initial=0))) + 1
        cells = self.tallies.unit * width + self.tallies.place
        order, wanted = np.argsort(cells), forged.unit * width + forged.place
        row = order[np.minimum(np.searchsorted(cells[order], wanted), len(cells) - 1)] if len(cells) else wanted
        there = np.flatnonzero(cells[row] == wanted) if len(row) else row
        own, answers, chosen = self.own.copy(), np.zeros(len(self)), np.zeros(len(self), np.bool_)
        own[row[there]] += forged.llr[there]
        answers[row[there]] = forged.llr[there]
        chosen[row[there]] = forged.chosen[there]
        changed = np.full((len(self), 2), NEVER)
        changed[row[there]] = np.stack([forged.after, forged.first], axis=1)[there]
        return attrs.evolve(self, own=own, answers=answers, chosen=chosen, changed=changed)

    @property
    def by_answers(self) -> Mask:
        """Which of them odd answers tell: they were given any, and most of their attempts were answered."""
        return np.asarray((self.answers > 0) & (self.tallies.failed * 2 <= self.tallies.answered))

    @property
    def probability(self) -> F64:
        """The same as probabilities."""
        return chance(self.log_odds)


def chance(log_odds: F64) -> F64:
    """Turn log-odds into probabilities."""
    from scipy.special import expit

    return np.asarray(expit(log_odds), np.float64)


def pool(observations: Observations, countries: I64, model: Model) -> Cells:
    """Say how sure it is that somebody interferes, cell by cell.

    Args:
        observations: Of any places.
        countries: Country of each place, by its number; -1 where it is not known.
        model: Priors and weights.
    """
    tallies = tally(observations)
    count = len(tallies)
    failed = observations.fails
    own, independent = own_llr(observations, tallies, model.site_correlation, np.ones(len(failed), np.bool_))
    own_of_failures, _ = own_llr(observations, tallies, model.site_correlation, failed)
    sure = tallies.surest > 0
    beside = sure[tallies.cell] & (observations.capture != capture_of_surest(observations, tallies)[tallies.cell])
    own_of_others, _ = own_llr(observations, tallies, model.site_correlation, beside)
    failing, episodes, worth = contrasts(observations, tallies, countries)
    kind = np.full(count, -1)
    kind[failing] = worth.kind
    site = np.zeros(count, np.int64)
    site[tallies.cell] = observations.site
    cells = Cells(
        tallies=tallies, prior=tallies.prior, own=own, answers=np.zeros(count), chosen=np.zeros(count, np.bool_),
        changed=np.full((count, 2), NEVER),
        own_of_failures=own_of_failures, own_of_others=np.minimum(own_of_others, 0.0), contrast=np.zeros(count),
        log_odds=np.zeros(count), independent=independent, kind=kind, cause=np.full(count, -1), site=site,
        failing=failing, episodes=episodes, worth=worth,
    )  # fmt: skip
    return cells.under(tallies.prior, None)


def capture_of_surest(observations: Observations, tallies: Tallies) -> I64:
    """Find the capture of the surest verdict of each cell, of equal ones the first; -1 where there is none."""
    most = np.flatnonzero(observations.log_odds == tallies.surest[tallies.cell])
    result = np.full(len(tallies), -1)
    result[tallies.cell[most][::-1]] = observations.capture[most][::-1]
    return result


def contrasts(observations: Observations, tallies: Tallies, countries: I64) -> tuple[I64, Episodes, Worth]:
    """Weigh the contrasts of all cells that failed, some at a time.

    Returns:
        Which cells they are, and of these hours and what they are worth.
    """
    failing = np.flatnonzero(tallies.failed > 0)
    failing = failing[np.argsort(tallies.unit[failing], kind="stable")]
    rows = np.bincount(observations.unit)[tallies.unit[failing]]  # which cells of one unit share
    fresh = np.diff(tallies.unit[failing], prepend=-1) != 0
    part = np.cumsum(np.where(fresh, rows, 0)) // AT_A_TIME
    itself = fails_by_itself(observations)
    parts = []
    for cells in np.split(failing, np.flatnonzero(np.diff(part)) + 1):
        episodes, company = lay_out(observations, tallies, cells, itself)
        kinds = kinds_of(tallies, cells)
        worth = weigh_causes(episodes, standing_of(company, countries), kinds)
        parts.append((episodes.tried()[0], worth))
    laid, worths = zip(*parts, strict=True)
    return failing, Episodes.concat(laid), Worth.concat(worths)


def fails_by_itself(observations: Observations) -> tuple[F64, F64]:
    """Give the log-probability that what failed of each observation did so without anybody interfering.

    Returns:
        That, and the same that its line is why, which others beside it share.
    """
    step, flaky = Hours.of(observations.time).step, comes_and_goes(observations)
    chance, unshared = np.empty(len(step)), np.empty(len(step))
    for rows in pieces(observations):  # how a line fares with one transport shows in what it does with that one
        here = observations.take(rows)
        least, most = loses(here, step[rows])
        line = attrs.evolve(here, chance=at_most(here, most))
        itself, unshared[rows] = by_itself(line, step[rows])
        often = np.maximum(here.failed, 1) * np.maximum(flaky[rows], least)
        chance[rows] = np.where(here.fails, np.maximum(itself, often), itself)
    return chance, unshared


def at_most(observations: Observations, loses: F64) -> F64:
    """Bound the log-probability that the line lost what failed by what it loses at most of a visit, or its recorder."""
    failed, missed = np.maximum(observations.failed, 1), np.minimum(observations.missed, OUT)
    bounded: F64 = np.minimum(observations.chance, failed * np.log(np.exp(loses) + (1 - np.exp(loses)) * missed))
    return bounded


def kinds_of(tallies: Tallies, cells: I64) -> I64:
    """Say what kind of failure some cells show."""
    failed = tallies.failed[cells]
    kind = np.where(tallies.abrupt[cells] * 2 > failed, Kind.RESET, Kind.SILENT)
    kind = np.where((tallies.at_opening[cells] == failed) & ~tallies.named[cells], Kind.UNOPENED, kind)
    return np.where(tallies.transport[cells] == DNS, Kind.LOOKUP, kind).astype(np.int64)
