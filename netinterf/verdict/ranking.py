"""Which groups are interfered with: names, addresses, clients, times compete to explain the same observations.

One blocked name makes its servers, its clients and the whole capture look interfered with, and one blocked address all
names that live there. So groups compete. What a group costs is the evidence of the observations it would explain minus
what it gains: its prior, how many groups there were to choose from, and members that are spared although they belong
to it. Contrasts need no place in this: the controls of one group are spared members of another. In each round, a group
whose cost per explained observation is the least for everything it would explain is accepted, what it explains is taken
out of all others, and the rest is judged again. This is the greedy rule for set cover (Chvátal 1979: within ln n of the
best; Feige 1998: no fast rule is better). The price of naming a group is shared by all it explains, so an address wins
over its four names when all are hit, and a name over its addresses when others there are spared. Evidence alone would
always choose the largest group, since it adds up.

Groups that lie within each other (addresses in prefixes, names in domains, clients in the capture) are compared before
that, where the sum is exact: a prefix is held responsible when it gains more than all of its addresses that are under
suspicion together.
"""

from collections.abc import Sequence

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.schema import GroupBy
from netinterf.stats.contrast import contrast
from netinterf.values import frozen
from netinterf.verdict.contest import Board, Contest, Observations
from netinterf.verdict.controls import GroupControls

__all__ = ["BY", "Accepted", "rank"]

BY = tuple(GroupBy)

CHAINS = (
    (GroupBy.NAME, GroupBy.DOMAIN),
    (GroupBy.SERVER, GroupBy.PREFIX, GroupBy.ASN, GroupBy.COUNTRY),
    (GroupBy.CLIENT, GroupBy.CAPTURE),
)
"""Groupings of which each gathers whole groups of the one before."""

CLEARER = tuple(sorted(BY, key=lambda by: (by in {GroupBy.PROTOCOL, GroupBy.TIME}, BY.index(by))))
"""The order of preference between groups of the same observations: a protocol or time that all share says nothing."""

BY_ADDRESS = (GroupBy.SERVER, GroupBy.PREFIX, GroupBy.ASN, GroupBy.COUNTRY, GroupBy.NAME, GroupBy.DOMAIN)
"""The order of preference when interference acts before a name is shown."""

LEAST = 2
"""Observations that a group must explain: one alone is the verdict about that flow, and no group."""

NEVER = np.iinfo(np.int64).max


@frozen(eq=False, kw_only=True)
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
    controls: GroupControls
    window: I64  # first bin and the bin after the last, shape (groups, 2); 0, 0 unless the grouping is time
    explained: I64  # of each cluster: the round in which it was explained, NEVER for the rest


def rank(observations: Observations) -> Accepted:
    """Let groups compete until none above the bar is left.

    Args:
        observations: What groups compete to explain.

    Returns:
        The accepted groups, round by round.
    """
    live = np.ones(len(observations.llr), np.bool_)
    explained = np.full(len(observations.llr), NEVER)
    contests = [Contest(observations, place) for place in range(len(observations.by))]
    accepted: list[Accepted] = []
    turn = 0
    while boards := [board for contest in contests if (board := contest.board()) is not None]:
        chosen = _winners(boards, _prune(boards, observations), observations)
        gone = np.zeros(len(live), np.bool_)
        for board, winners in zip(boards, chosen, strict=True):
            gone[board.affected[winners[board.owner]]] = True
            accepted.append(_accept(board, winners, turn, contests[board.place], live, explained))
            contests[board.place].drop(winners)
        rows = np.flatnonzero(gone)
        if not len(rows):
            break
        explained[rows], live[rows] = turn, False
        for contest in contests:
            contest.remove(live)
        turn += 1
    return _together(accepted, explained, len(observations.grid))


def _prune(boards: Sequence[Board], observations: Observations) -> list[Mask]:
    """Decide between groups and their parts, from the most special up: the whole, or the parts under suspicion.

    This is optimal pruning of a tree (Breiman et al., "Classification and Regression Trees", 1984, section 10.2). The
    whole is charged the price of its parts, so that a whole of one part never wins.

    Returns:
        For each board, which groups stay in the round.
    """
    stays = [np.bincount(board.owner, minlength=len(board.group)) >= LEAST for board in boards]
    board_of = {observations.by[board.place]: number for number, board in enumerate(boards)}
    for chain in CHAINS:
        for level, by in enumerate(chain):
            if by not in board_of:
                continue
            whole = boards[board_of[by]]
            parts, price = np.zeros(len(whole.group)), whole.price
            inside: list[tuple[int, I64, I64]] = []
            for lower in (board_of[part_by] for part_by in chain[:level] if part_by in board_of):
                part, rows = np.unique(boards[lower].owner, return_index=True)
                key = observations.keys[whole.place][boards[lower].affected[rows]]
                at = np.minimum(np.searchsorted(whole.group, key), len(whole.group) - 1)
                mine = stays[lower][part] & (whole.group[at] == key)
                inside.append((lower, part[mine], at[mine]))
                parts += np.bincount(at[mine], boards[lower].gain[part[mine]], len(parts))
                price = max(price, boards[lower].price)
            split = np.isin(np.arange(len(parts)), np.concatenate([np.empty(0, np.int64), *(at for *_, at in inside)]))
            loses = split & (whole.gain + whole.price - price <= parts)
            stays[board_of[by]] &= ~loses
            for lower, part, at in inside:
                stays[lower][part[~loses[at]]] = False
    return stays


def _winners(boards: Sequence[Board], stays: Sequence[Mask], observations: Observations) -> list[Mask]:
    """Say which groups of each board cost least for everything that they would explain."""
    sizes = [len(board.group) for board in boards]
    base = np.cumsum([0, *sizes])
    cost = np.concatenate([board.cost for board in boards])
    rank_of = np.empty(len(cost), np.int64)
    rank_of[np.argsort(cost, kind="stable")] = np.arange(len(cost))  # of equal ones the more special grouping
    owner = np.concatenate([board.owner + start for board, start in zip(boards, base, strict=False)])
    affected = np.concatenate([board.affected for board in boards])
    left = np.concatenate(stays)[owner]
    owner, affected = owner[left], affected[left]
    best = np.full(len(observations.llr), len(cost))
    np.minimum.at(best, affected, rank_of[owner])
    explains = np.bincount(owner, minlength=len(cost))
    wins = (np.bincount(owner, rank_of[owner] == best[affected], len(cost)) == explains) & (explains > 0)
    chosen = np.zeros(len(cost), np.bool_)
    chosen[_most_special(boards, base, np.flatnonzero(wins), owner, affected, explains, observations)] = True
    return [chosen[start : start + size] for start, size in zip(base, sizes, strict=False)]


def _most_special(
    boards: Sequence[Board], base: I64, wins: I64, owner: I64, affected: I64, explains: I64, observations: Observations
) -> I64:
    """Replace winners by their equals of a clearer kind."""
    if not len(wins):
        return wins
    pairs = np.flatnonzero(np.isin(owner, wins))
    pairs = pairs[np.argsort(owner[pairs], kind="stable")]
    start = np.searchsorted(owner[pairs], wins)
    rows = affected[pairs]
    size = np.concatenate([board.size for board in boards])
    early = np.add.reduceat(observations.early[rows].astype(np.int64), start) * 2 > explains[wins]
    result, undecided = wins.copy(), np.ones(len(wins), np.bool_)
    preferred = [*BY_ADDRESS, *(by for by in CLEARER if by not in BY_ADDRESS)]
    for by_address, order in ((True, preferred), (False, CLEARER)):
        for by in order:
            board = next((candidate for candidate in boards if observations.by[candidate.place] is by), None)
            if board is None or by is GroupBy.TIME:
                continue
            key = observations.keys[board.place][rows]
            low, high = np.minimum.reduceat(key, start), np.maximum.reduceat(key, start)
            at = np.minimum(np.searchsorted(board.group, low), len(board.group) - 1)
            other = at + base[boards.index(board)]
            holds = (low == high) & (board.group[at] == low) & (explains[other] > 0)
            equal = (size[other] == size[wins]) & (explains[other] == explains[wins])
            taken = undecided & holds & equal & (early == by_address)
            result[taken] = other[taken]
            undecided &= ~taken
    return result


def _accept(board: Board, winners: Mask, turn: int, contest: Contest, live: Mask, explained: I64) -> Accepted:
    """Write down the groups of one board that were accepted, and compare them with their controls."""
    count = int(np.count_nonzero(winners))
    loglik = board.loglik[winners]
    controls = contest.controls_of(winners, loglik, live)
    weight = (
        np.array([contest.weight] * count)
        if contest.timed
        else contrast(loglik, controls.loglik, contest.observations.grid)
    )
    return Accepted(
        place=np.full(count, board.place),
        key=board.group[winners],
        round=np.full(count, turn),
        rivals=np.full(count, contest.rivals),
        size=board.size[winners],
        llr=board.llr[winners],
        log_odds=board.log_odds[winners],
        contrast=weight,
        loglik=loglik,
        controls=controls,
        window=np.tile(np.array(contest.window), (count, 1)),
        explained=explained,
    )


def _together(rounds: Sequence[Accepted], explained: I64, points: int) -> Accepted:
    """Put the groups of all rounds into one."""
    none = np.empty(0, np.int64)
    columns = {
        name: np.concatenate([np.empty(0, kind), *(getattr(accepted, name) for accepted in rounds)])
        for name, kind in (
            *dict.fromkeys(("place", "key", "round", "rivals", "size"), np.int64).items(),
            *dict.fromkeys(("llr", "log_odds", "contrast"), np.float64).items(),
        )
    }
    controls = GroupControls(
        loglik=np.concatenate([np.empty((0, points)), *(accepted.controls.loglik for accepted in rounds)]),
        size=np.concatenate([none, *(accepted.controls.size for accepted in rounds)]),
        hit=np.concatenate([none, *(accepted.controls.hit for accepted in rounds)]),
    )
    return Accepted(
        **columns,
        loglik=np.concatenate([np.empty((0, points)), *(accepted.loglik for accepted in rounds)]),
        controls=controls,
        window=np.concatenate([none.reshape(0, 2), *(accepted.window for accepted in rounds)]),
        explained=explained,
    )
