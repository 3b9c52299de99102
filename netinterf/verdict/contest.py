"""One grouping in the competition: its groups, what they gain and cost, and what they are compared with.

How sure a group is rests on evidence that is tempered by the design effect of its sites. Cost and contrast do not: an
observation must weigh the same in every group that competes for it, and whether targets differ from their controls is
no question of why they do.

Every group has a prior of its own, and how many there are is minded by the false-discovery rate; so the search is paid
for only where groups compete, and where the best of many windows of time is taken.

What is explained keeps its place in the design effect of its site, so taking it out can only lower the others, and a
group that falls below the bar is out for good.
"""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import distinct, joined, numbered
from netinterf.schema import GroupBy
from netinterf.stats.dependence import tempered
from netinterf.stats.mixture import LARGEST, log_likelihoods, log_mean_exp, member_log_odds
from netinterf.stats.windows import best_window
from netinterf.values import frozen
from netinterf.verdict.controls import GroupControls, Places, find_strata, no_controls
from netinterf.verdict.model import Model

__all__ = ["Board", "Contest", "Observations", "added_up"]

LEAST_BINS = 3
"""Bins of time that a window needs: before, within and after."""

MOST_BINS = 100
"""Bins that windows are searched in; longer captures are cut more coarsely. The search grows with their square."""


MANY, SAMPLE = 50_000, 1_000
"""Members from which it pays to look for equal ones, and how many are looked at to see whether there are."""


@frozen(eq=False, kw_only=True)
class Observations:
    """The observations over which groups compete, one entry per cluster."""

    llr: F64  # nats, never 0
    site: I64
    sites: int
    keys: tuple[I64, ...]  # by grouping, -1 for none
    counts: tuple[int, ...]
    by: tuple[GroupBy, ...]
    early: Mask  # interfered with before a name was shown, if at all
    places: Places
    grid: F64
    model: Model

    @property
    def bar(self) -> float:
        """Log-odds from which a group is possible."""
        return float(np.log(self.model.possible / (1 - self.model.possible)))


@frozen(eq=False, kw_only=True)
class Board:
    """The groups of one grouping that may be interfered with, as one round sees them."""

    place: int  # of the grouping
    group: I64  # keys, rising
    size: I64  # observations
    loglik: F64  # of the shares, not tempered
    llr: F64  # tempered
    log_odds: F64  # of the group, tempered
    gain: F64  # the same, not tempered, and the search paid for
    price: float  # what the search and the prior cost, nats
    owner: I64  # which group …
    affected: I64  # … would explain which observation …
    weight: F64  # … that says how much, nats

    @property
    def cost(self) -> F64:
        """Nats per explained observation that are lost when this group explains it."""
        count = len(self.group)
        lost = np.bincount(self.owner, self.weight, count) - self.gain
        return np.asarray(lost / np.maximum(np.bincount(self.owner, minlength=count), 1))


class Contest:
    """One grouping over all rounds: the groups still in it, their members and their controls.

    What an accepted group explains is subtracted from all sums, so that later rounds cost little.
    """

    def __init__(self, observations: Observations, place: int) -> None:
        self.observations, self.place, self.by = observations, place, observations.by[place]
        self.timed, self.step = self.by is GroupBy.TIME, -(-observations.places.bins // MOST_BINS)
        self.window, self.weight = (0, 0), 0.0  # of time: its bins, and its contrast paid for the search
        self.rivals, passing = self._eligible()
        self.price = float(np.log(max(self.rivals, 1))) - observations.model.group_prior
        self.penalty = self.price if self.timed else -observations.model.group_prior
        self.rows = np.flatnonzero(passing[observations.keys[place]])
        self.group = np.flatnonzero(passing[:-1])
        self.own = (np.cumsum(passing) - 1)[observations.keys[place][self.rows]]
        self.share = self._share()
        self.tempered = self.loglik = np.empty((len(self.group), 0))  # of the shares: tempered, and not
        self._screen()
        if self.timed:
            self.own = observations.places.bin[self.rows] // self.step
            self.group = np.arange(-(-observations.places.bins // self.step) if len(self.rows) else 0)
        self.tempered = added_up(observations.llr[self.rows], self.own, len(self.group), observations.grid, self.share)
        if not self.timed:
            self._keep(log_mean_exp(self.tempered) - self.penalty >= observations.bar)
        self.loglik = added_up(observations.llr[self.rows], self.own, len(self.group), observations.grid)

    def _eligible(self) -> tuple[int, Mask]:
        """Count the groups with information, and say which may reach the bar (and of -1 that it may not).

        No share makes a member worth more than its own weight, so a group cannot be worth more than what speaks for it.
        """
        observations = self.observations
        key, count = observations.keys[self.place], observations.counts[self.place]
        inside = key >= 0
        several = np.bincount(key[inside], minlength=count) >= 2
        rivals = int(np.count_nonzero(several))
        if self.timed:
            bins = -(-observations.places.bins // self.step)
            several &= bins >= LEAST_BINS
            rivals = bins * (bins + 1) // 2 - 1
        bound = np.bincount(key[inside], np.maximum(observations.llr[inside], 0.0), count)
        search = np.log(max(rivals, 1)) if self.timed else 0.0
        passing = several & (bound >= observations.bar - observations.model.group_prior + search)
        return rivals, np.append(passing, False)

    def _share(self) -> F64:
        """Say how much of an independent observation each member is: one by the design effect of its site.

        The site is the server's prefix within the group. Likelihoods are raised to that power, not the evidence of
        members divided by it: many members that each say little can only be judged together, and then a small share
        of affected ones would be lost among the others.
        """
        observations, rows = self.observations, self.rows
        pair, size = joined((self.own, max(len(self.group), 1)), (observations.site[rows], observations.sites))
        if size > 4 * len(pair):
            pair, first = numbered(pair)
            size = len(first)
        return tempered(np.ones(len(rows)), pair, size, observations.model.site_correlation)

    def _screen(self) -> None:
        """Drop groups that cannot reach the bar, by two sums instead of one per share.

        Log-likelihoods are concave in the share: where they fall at the least share they are largest there.
        """
        least, count = self.observations.grid[0], len(self.group)
        excess = np.expm1(np.minimum(self.observations.llr[self.rows], LARGEST))
        value = np.bincount(self.own, self.share * np.log1p(least * excess), count)
        slope = np.bincount(self.own, self.share * excess / (1.0 + least * excess), count)
        if not self.timed:
            self._keep((slope > 0) | (value - self.penalty >= self.observations.bar))

    def _keep(self, remaining: Mask) -> None:
        """Go on with some of the groups."""
        if remaining.all():
            return
        inside, place = remaining[self.own], np.cumsum(remaining) - 1
        self.rows, self.share, self.own = self.rows[inside], self.share[inside], place[self.own[inside]]
        self.group, self.tempered, self.loglik = self.group[remaining], self.tempered[remaining], self.loglik[remaining]

    def drop(self, accepted: Mask) -> None:
        """End the contest for groups that were accepted; another window of time may still follow."""
        if not self.timed:
            self._keep(~accepted)

    def remove(self, live: Mask) -> None:
        """Take explained observations out of all sums; *live* are those that are left."""
        observations, out = self.observations, ~live[self.rows]
        if out.any():
            touched = distinct(self.own[out])
            place = np.searchsorted(touched, self.own[out])
            llr, count = observations.llr[self.rows[out]], len(touched)
            self.tempered[touched] -= log_likelihoods(llr, place, count, observations.grid, self.share[out])
            self.loglik[touched] -= log_likelihoods(llr, place, count, observations.grid)
            self.rows, self.own, self.share = self.rows[~out], self.own[~out], self.share[~out]

    def board(self) -> Board | None:
        """Judge the groups that are left by what no accepted group explains; None when none is above the bar."""
        if not len(self.rows):
            return None
        if self.timed:
            return self._window()
        size = np.bincount(self.own, minlength=len(self.group))
        self._keep((log_mean_exp(self.tempered) - self.penalty >= self.observations.bar) & (size >= 2))
        if not len(self.rows):
            return None
        return self._standing(self.group, self.own, self.loglik, log_mean_exp(self.tempered))

    def controls_of(self, chosen: Mask, loglik: F64, live: Mask) -> GroupControls:
        """Find the controls of some of the groups among the observations that are left.

        Args:
            chosen: Which of the groups that the last board had.
            loglik: Their log-likelihoods of the shares.
            live: Observations that no group of an earlier round explains.
        """
        observations, count = self.observations, len(loglik)
        if self.timed and count:
            begin, end = (edge // self.step for edge in self.window)
            outside = (self.own < begin) | (self.own >= end)
            return GroupControls(
                loglik=(self.loglik[:begin].sum(axis=0) + self.loglik[end:].sum(axis=0))[None, :],
                size=np.array([np.count_nonzero(outside)]),
                hit=np.array([np.count_nonzero(outside & (observations.llr[self.rows] > 0))]),
            )
        inside = chosen[self.own] if count else np.zeros(0, np.bool_)
        rows, own = self.rows[inside], (np.cumsum(chosen) - 1)[self.own[inside]]
        strata = (
            find_strata(observations.places, self.by, rows, live, observations.llr, observations.grid)
            if count
            else None
        )
        if strata is None:
            return no_controls(count, len(observations.grid))
        return strata.controls_of(rows, own, loglik, observations.llr)

    def _window(self) -> Board | None:
        """Find the window of time in which a larger share is affected than before and after."""
        llr = self.observations.llr[self.rows]
        if np.maximum(llr, 0.0).sum() < self.observations.bar + self.penalty:
            return None
        begin, end, weight = best_window(self.loglik, self.observations.grid)
        inside = (self.own >= begin) & (self.own < end)
        sure = log_mean_exp(self.tempered[begin:end].sum(axis=0)[None, :])
        if weight <= 0 or sure[0] - self.penalty < self.observations.bar or np.count_nonzero(inside) < 2:
            return None
        self.window, self.weight = (begin * self.step, end * self.step), weight
        within = self.loglik[begin:end].sum(axis=0)[None, :]
        return self._standing(np.zeros(1, np.int64), np.where(inside, 0, -1), within, sure)

    def _standing(self, group: I64, own: I64, loglik: F64, llr: F64) -> Board:
        """Find what each group would explain: observations for interference, more probably affected than not."""
        observations = self.observations
        hit = np.flatnonzero((own >= 0) & (observations.llr[self.rows] > 0))
        odds = member_log_odds(observations.llr[self.rows[hit]], own[hit], loglik, observations.grid)
        hit = hit[odds > 0]
        return Board(
            place=self.place,
            group=group,
            size=np.bincount(own[own >= 0], minlength=len(group)),
            loglik=loglik,
            llr=llr,
            log_odds=llr - self.penalty,
            gain=log_mean_exp(loglik) - self.price,
            price=self.price,
            owner=own[hit],
            affected=self.rows[hit],
            weight=observations.llr[self.rows[hit]],
        )


def added_up(llr: F64, group: I64, count: int, grid: F64, share: F64 | None = None) -> F64:
    """Compute `log_likelihoods`, equal members of a group once: of most subjects nothing but silence is known.

    Args:
        llr: What each member says, nats.
        group: Group of each member.
        count: Number of groups.
        grid: The shares.
        share: How much of an observation each member is; one when None.
    """
    sample = llr[:: max(1, len(llr) // SAMPLE)]
    if len(llr) >= MANY and len(distinct(sample.view(np.int64))) * 2 < len(sample):
        value, different = numbered(llr.view(np.int64))
        pair, at = numbered(joined((group, count), (value, len(different)))[0])
        return log_likelihoods(llr[at], group[at], count, grid, np.bincount(pair, share).astype(np.float64))
    return log_likelihoods(llr, group, count, grid, share)
