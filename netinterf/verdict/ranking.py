"""Which groups are interfered with: names, addresses, clients, times compete to explain the same observations.

One blocked name makes its servers, its clients and the whole capture look interfered with, and one blocked address all
names that live there. So groups compete: in each round every group that may be interfered with is scored by how much
evidence it gains per observation it would explain, ``(log-odds + log Bayes factor of its contrast) / affected
observations``. A group that scores best for everything it would explain is accepted, what it explains is
taken out of all others, and the rest is judged again. Gain per newly explained observation is the greedy rule for set
cover (Chvátal 1979: within ln n of the best; Feige 1998: no fast rule is better): the cost of naming a group
(its prior and how many there are to choose from) is paid once and shared by all it explains, so an address with four
names wins over four names when all are hit, and a name over its addresses when others there are spared. The plain
score would always choose the largest group, since evidence adds up.

What is explained keeps its place in the design effect of its site, so taking it out can only lower the others, and a
group that falls below the bar is out for good.
"""

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.schema import GroupBy
from netinterf.stats.contrast import contrast
from netinterf.stats.dependence import tempered
from netinterf.stats.mixture import log_likelihoods, log_mean_exp, member_log_odds
from netinterf.stats.windows import best_window
from netinterf.verdict.controls import Beside, Controls, Places, look_beside, no_controls
from netinterf.verdict.keys import joined, numbered
from netinterf.verdict.model import Model

__all__ = ["BY", "Accepted", "Field", "rank"]

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

BY = tuple(GroupBy)

WITHIN = {
    GroupBy.DOMAIN: {GroupBy.NAME},
    GroupBy.PREFIX: {GroupBy.SERVER},
    GroupBy.ASN: {GroupBy.SERVER, GroupBy.PREFIX},
    GroupBy.COUNTRY: {GroupBy.SERVER, GroupBy.PREFIX, GroupBy.ASN},
    GroupBy.CAPTURE: set(BY) - {GroupBy.CAPTURE, GroupBy.TIME},
}
"""Groupings that divide each group of another: when one part holds all that is affected, the part is accused."""

BY_ADDRESS = (GroupBy.SERVER, GroupBy.PREFIX, GroupBy.ASN, GroupBy.COUNTRY, GroupBy.NAME, GroupBy.DOMAIN)
"""The order of preference when interference acts before a name is shown."""

LEAST_BINS = 3
"""Bins of time that a window needs: before, within and after."""

MOST_BINS = 100
"""Bins that windows are searched in; longer captures are cut more coarsely. The search grows with their square."""

NEVER = np.iinfo(np.int64).max


@attrs.frozen(eq=False, kw_only=True)
class Field:
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


@attrs.frozen(eq=False, kw_only=True)
class Board:
    """The groups of one grouping that may be interfered with, as one round sees them."""

    place: int  # of the grouping
    group: I64  # keys, rising
    size: I64  # observations
    loglik: F64  # of the shares, not tempered
    llr: F64  # tempered
    log_odds: F64  # of the group, tempered and its search paid for
    gain: F64  # the same, not tempered
    contrast: F64
    beside: Beside
    owner: I64  # which group …
    affected: I64  # … would explain which observation

    @property
    def score(self) -> F64:
        """Nats gained per observation explained."""
        return (self.gain + self.contrast) / np.maximum(np.bincount(self.owner, minlength=len(self.group)), 1)


@attrs.frozen(eq=False, kw_only=True)
class Accepted:
    """What the ranking found: one entry per group, and which observations each explains."""

    place: I64  # of the grouping
    key: I64
    round: I64
    rivals: I64  # groups of that grouping that had information
    size: I64
    llr: F64
    log_odds: F64
    contrast: F64
    loglik: F64
    beside: Beside
    window: I64  # first bin and the bin after the last, shape (groups, 2); 0, 0 unless the grouping is time
    explained: I64  # of each cluster: the round in which it was explained, NEVER for the rest


class Contest:
    """One grouping over all rounds: the groups still in it, their members and their controls."""

    def __init__(self, field: Field, place: int) -> None:
        self.field, self.place, self.by, self.key = field, place, field.by[place], field.keys[place]
        self.window, self.step = (0, 0), -(-field.places.bins // MOST_BINS)
        self.controls: Controls | None = None
        self.rivals, passing = self._entrants()
        self.price = float(np.log(max(self.rivals, 1))) - field.model.group_prior
        self.rows = np.flatnonzero(passing[self.key])
        self.tempered = self._tempered()
        self.fresh = True

    def _entrants(self) -> tuple[int, Mask]:
        """Count the groups with information, and say which may reach the bar (and of -1 that it may not).

        No share makes a member worth more than its own weight, so a group cannot be worth more than what speaks for it.
        """
        field, key, count = self.field, self.key, self.field.counts[self.place]
        inside = key >= 0
        several = np.bincount(key[inside], minlength=count) >= 2
        rivals = int(np.count_nonzero(several))
        if self.by is GroupBy.TIME:
            bins = -(-field.places.bins // self.step)
            several &= bins >= LEAST_BINS
            rivals = bins * (bins + 1) // 2 - 1
        bound = np.bincount(key[inside], np.maximum(field.llr[inside], 0.0), count)
        passing = several & (bound >= field.bar - field.model.group_prior + np.log(max(rivals, 1)))
        return rivals, np.append(passing, False)

    def _tempered(self) -> F64:
        """Divide the evidence of members by the design effect of their site: a server's prefix within the group."""
        field, rows = self.field, self.rows
        pair, size = field.site[rows], field.sites
        if self.by is not GroupBy.TIME:
            pair, size = joined((self.key[rows], field.counts[self.place]), (pair, size))
            if size > 4 * len(pair):
                pair, first = numbered(pair)
                size = len(first)
        return tempered(field.llr[rows], pair, size, field.model.site_correlation)

    def _keep(self, kept: Mask) -> None:
        """Go on with some of the observations."""
        self.rows, self.tempered = self.rows[kept], self.tempered[kept]

    def board(self, live: Mask) -> Board | None:
        """Judge the groups that are left by what no accepted group explains; None when none is above the bar."""
        self._keep(live[self.rows])
        if not len(self.rows):
            return None
        if self.by is GroupBy.TIME:
            return self._window()
        field = self.field
        present = np.zeros(field.counts[self.place], np.bool_)
        present[self.key[self.rows]] = True
        group, own = np.flatnonzero(present), (np.cumsum(present) - 1)[self.key[self.rows]]
        llr = log_mean_exp(log_likelihoods(self.tempered, own, len(group), field.grid))
        kept = (llr - self.price >= field.bar) & (np.bincount(own) >= 2)
        self._keep(kept[own])
        if not kept.any():
            return None
        group, llr, own = group[kept], llr[kept], (np.cumsum(kept) - 1)[own[kept[own]]]
        loglik = log_likelihoods(field.llr[self.rows], own, len(group), field.grid)
        return self._standing(group, own, loglik, llr, self._beside(group, own, loglik, live))

    def _beside(self, group: I64, own: I64, loglik: F64, live: Mask) -> Beside:
        """Find the controls of the groups that are left; the strata are laid out once."""
        field = self.field
        if self.fresh:
            self.controls = look_beside(field.places, self.by, self.rows, self.key, live, field.llr, field.grid)
            self.fresh = False
        if self.controls is None:
            return no_controls(len(group), len(field.grid))
        hit = np.bincount(own, field.llr[self.rows] > 0, len(group)).astype(np.int64)
        return self.controls.beside(group, loglik, np.bincount(own), hit)

    def _window(self) -> Board | None:
        """Find the window of time in which a larger share is affected than before and after."""
        field = self.field
        llr, bins = field.llr[self.rows], field.places.bin[self.rows] // self.step
        if np.maximum(llr, 0.0).sum() < field.bar + self.price:
            self._keep(np.zeros(len(llr), np.bool_))
            return None
        loglik = log_likelihoods(llr, bins, -(-field.places.bins // self.step), field.grid)
        begin, end, weight = best_window(loglik, field.grid)
        inside = (bins >= begin) & (bins < end)
        own = np.where(inside, 0, -1)
        sure = log_mean_exp(log_likelihoods(self.tempered, own, 1, field.grid))
        if weight <= 0 or sure[0] - self.price < field.bar or np.count_nonzero(inside) < 2:
            return None
        self.window = (begin * self.step, end * self.step)
        beside = Beside(
            loglik=(loglik[:begin].sum(axis=0) + loglik[end:].sum(axis=0))[None, :],
            telling=np.array([np.count_nonzero(~inside)]),
            hit=np.array([np.count_nonzero(~inside & (llr > 0))]),
        )
        within = loglik[begin:end].sum(axis=0)[None, :]
        return self._standing(np.zeros(1, np.int64), own, within, sure, beside, np.array([weight]))

    def _standing(
        self, group: I64, own: I64, loglik: F64, llr: F64, beside: Beside, weight: F64 | None = None
    ) -> Board:
        """Find what each group would explain: observations for interference, more probably affected than not."""
        field = self.field
        hit = np.flatnonzero((own >= 0) & (field.llr[self.rows] > 0))
        odds = member_log_odds(field.llr[self.rows[hit]], own[hit], loglik, field.grid)
        hit = hit[odds > 0]
        return Board(
            place=self.place,
            group=group,
            size=np.bincount(own[own >= 0], minlength=len(group)),
            loglik=loglik,
            llr=llr,
            log_odds=llr - self.price,
            gain=log_mean_exp(loglik) - self.price,
            contrast=contrast(loglik, beside.loglik, field.grid) if weight is None else weight,
            beside=beside,
            owner=own[hit],
            affected=self.rows[hit],
        )

    def remove(self, clusters: I64) -> None:
        """Take explained observations out of the controls."""
        if self.controls is not None:
            self.controls.remove(clusters, self.field.llr, self.field.grid)


def rank(field: Field) -> Accepted:
    """Let groups compete until none above the bar is left.

    Args:
        field: The observations.

    Returns:
        The accepted groups, round by round.
    """
    live = np.ones(len(field.llr), np.bool_)
    explained = np.full(len(field.llr), NEVER)
    contests = [Contest(field, place) for place in range(len(field.by))]
    found: list[Accepted] = []
    turn = 0
    while boards := [board for contest in contests if (board := contest.board(live)) is not None]:
        chosen = _winners(boards, field)
        gone = np.zeros(len(live), np.bool_)
        for board, winners in zip(boards, chosen, strict=True):
            gone[board.affected[winners[board.owner]]] = True
            found.append(_accept(board, winners, turn, contests[board.place], explained))
        rows = np.flatnonzero(gone)
        if not len(rows):
            break
        explained[rows], live[rows] = turn, False
        for contest in contests:
            contest.remove(rows)
        turn += 1
    return _together(found, explained, len(field.grid))


def _winners(boards: Sequence[Board], field: Field) -> list[Mask]:
    """Say which groups of each board score best for everything that they would explain."""
    sizes = [len(board.group) for board in boards]
    base = np.cumsum([0, *sizes])
    score = np.concatenate([board.score for board in boards])
    rank_of = np.empty(len(score), np.int64)
    rank_of[np.argsort(-score, kind="stable")] = np.arange(len(score))  # of equal ones the more special grouping
    owner = np.concatenate([board.owner + start for board, start in zip(boards, base, strict=False)])
    affected = np.concatenate([board.affected for board in boards])
    best = np.full(len(field.llr), len(score))
    np.minimum.at(best, affected, rank_of[owner])
    explains = np.bincount(owner, minlength=len(score))
    wins = (np.bincount(owner, rank_of[owner] == best[affected], len(score)) == explains) & (explains > 0)
    chosen = np.zeros(len(score), np.bool_)
    chosen[_most_special(boards, base, np.flatnonzero(wins), owner, affected, explains, field)] = True
    return [chosen[start : start + size] for start, size in zip(base, sizes, strict=False)]


def _most_special(
    boards: Sequence[Board], base: I64, wins: I64, owner: I64, affected: I64, explains: I64, field: Field
) -> I64:
    """Replace each winner by a more special group that holds all it explains, or by its equal of a clearer kind."""
    if not len(wins):
        return wins
    pairs = np.flatnonzero(np.isin(owner, wins))
    pairs = pairs[np.argsort(owner[pairs], kind="stable")]
    start = np.searchsorted(owner[pairs], wins)
    rows = affected[pairs]
    kind = np.repeat([board.place for board in boards], [len(board.group) for board in boards])
    size = np.concatenate([board.size for board in boards])
    early = np.add.reduceat(field.early[rows].astype(np.int64), start) * 2 > explains[wins]
    result, undecided = wins.copy(), np.ones(len(wins), np.bool_)
    preferred = [*BY_ADDRESS, *(by for by in BY if by not in BY_ADDRESS)]
    for by_address, order in ((True, preferred), (False, BY)):
        for by in order:
            board = next((one for one in boards if field.by[one.place] is by), None)
            if board is None or by is GroupBy.TIME:
                continue
            key = field.keys[board.place][rows]
            low, high = np.minimum.reduceat(key, start), np.maximum.reduceat(key, start)
            at = np.minimum(np.searchsorted(board.group, low), len(board.group) - 1)
            other = at + base[boards.index(board)]
            holds = (low == high) & (board.group[at] == low) & (explains[other] > 0)
            below = np.array([by in WITHIN.get(one, ()) for one in field.by])[kind[wins]]
            equal = (size[other] == size[wins]) & (explains[other] == explains[wins])
            taken = undecided & holds & (below | equal) & (early == by_address)
            result[taken] = other[taken]
            undecided &= ~taken
    return result


def _accept(board: Board, winners: Mask, turn: int, contest: Contest, explained: I64) -> Accepted:
    """Write down the groups of one board that were accepted."""
    count = int(np.count_nonzero(winners))
    return Accepted(
        place=np.full(count, board.place),
        key=board.group[winners],
        round=np.full(count, turn),
        rivals=np.full(count, contest.rivals),
        size=board.size[winners],
        llr=board.llr[winners],
        log_odds=board.log_odds[winners],
        contrast=board.contrast[winners],
        loglik=board.loglik[winners],
        beside=board.beside.take(winners),
        window=np.tile(np.array(contest.window), (count, 1)),
        explained=explained,
    )


def _together(found: Sequence[Accepted], explained: I64, points: int) -> Accepted:
    """Put the groups of all rounds into one."""
    none = np.empty(0, np.int64)
    columns = {
        name: np.concatenate([np.empty(0, kind), *(getattr(one, name) for one in found)])
        for name, kind in (
            *dict.fromkeys(("place", "key", "round", "rivals", "size"), np.int64).items(),
            *dict.fromkeys(("llr", "log_odds", "contrast"), np.float64).items(),
        )
    }
    beside = Beside(
        loglik=np.concatenate([np.empty((0, points)), *(one.beside.loglik for one in found)]),
        telling=np.concatenate([none, *(one.beside.telling for one in found)]),
        hit=np.concatenate([none, *(one.beside.hit for one in found)]),
    )
    return Accepted(
        **columns,
        loglik=np.concatenate([np.empty((0, points)), *(one.loglik for one in found)]),
        beside=beside,
        window=np.concatenate([none.reshape(0, 2), *(one.window for one in found)]),
        explained=explained,
    )
