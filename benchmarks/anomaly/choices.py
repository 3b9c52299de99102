"""What the score's three choices change: facts that count, peers that are imagined, and strength of what is ordinary.

They were made on what this counts, so it says how much hangs on them and not how good the score is.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from benchmarks.anomaly.fitting import Pool, across, counted, nats_of, part_of, shared, weights
from benchmarks.anomaly.gathering import BENIGN, UNKNOWN
from benchmarks.anomaly.measuring import TOP
from benchmarks.scoreboard.tables import Section
from netinterf.anomaly.peers import IMAGINED
from netinterf.arrays import F64

__all__ = ["section"]

STRENGTHS = (5.0, 20.0, 80.0, 320.0)
LEAST = 5
"""Conversations of a mechanism whose share counts."""

Choice = tuple[int, int]  # facts that count, 0 for all; peers that are imagined
CHOICES: tuple[Choice, ...] = ((1, IMAGINED), (2, IMAGINED), (3, IMAGINED), (0, IMAGINED), (2, 0))


class Hits(NamedTuple):
    """Conversations of one source and label: how many there are, and how many are in the top hundredth."""

    many: int
    top: int


def section(pools: Iterable[tuple[Pool, Pool | None]]) -> Section:
    """Lay out what every choice gives: the mean share of mechanisms in the top hundredth, and of benign ones made."""
    pairs = list(pools)
    rows: list[list[object]] = []
    for told, imagined in CHOICES:
        found: dict[tuple[str, str], Hits] = {}
        for real, made in pairs:
            for key, hits in counts(real, made, told, imagined).items():
                before = found.get(key, Hits(0, 0))
                found[key] = Hits(before.many + hits.many, before.top + hits.top)
        hit = [one.top / one.many for (_, label), one in found.items() if label != BENIGN and one.many >= LEAST]
        benign = [one for (source, label), one in found.items() if label == BENIGN and source != "real"]
        quiet = sum(one.top for one in benign) / max(sum(one.many for one in benign), 1)
        rows.append([f"{told or 'all'} facts, {imagined} peers imagined", f"{np.mean(hit):.3f}", f"{quiet:.3f}"])
    for strength in STRENGTHS:
        likely = sum(likelihood(real, strength) for real, _ in pairs)
        rows.append([f"strength {strength:g}: log-likelihood of left-out parts", f"{likely:.3f}", "–"])
    return Section(
        title="What was chosen",
        says="Choices were made on open, simulated and lab captures like these: the mean share of mechanisms in the "
        "top hundredth, and the share of benign look-alikes of simulator and lab.",
        head=["choice", "interfered with", "benign look-alikes"],
        rows=rows,
    )


def counts(real: Pool, made: Pool | None, told: int, imagined: int) -> dict[tuple[str, str], Hits]:
    """Count who is in the top hundredth by one choice."""
    facts = told or len(real.members.kind.facts)
    every = np.ones(len(real.label), np.bool_)
    parts: list[tuple[Pool, Callable[[Pool], F64]]] = [(real, lambda pool: across(pool, every, facts))]
    if made is not None:
        usual = counted(real, every)
        parts.append((made, lambda pool: nats_of(pool, usual, facts)))
    found: dict[tuple[str, str], Hits] = {}
    border = np.inf
    for pool, score in parts:
        other = pool._replace(shared=shared(pool.members, imagined)) if imagined != IMAGINED else pool
        nats = score(other)
        if pool is real:
            border = weighted_quantile(nats, weights(pool, ~np.isnan(nats)), TOP)
        known = ~np.isnan(nats) & (pool.label != UNKNOWN)
        for source, label in set(zip(pool.source[known].tolist(), pool.label[known].tolist(), strict=True)):
            own = nats[known & (pool.source == source) & (pool.label == label)]
            found[source, label] = Hits(len(own), int(np.count_nonzero(own > border)))
    return found


def weighted_quantile(values: F64, weight: F64, share: float) -> float:
    """Find the value below which a share of the weight lies; values that are NaN weigh nothing."""
    told = weight > 0
    order = np.argsort(values[told])
    summed = np.cumsum(weight[told][order])
    return float(values[told][order][min(np.searchsorted(summed, share * summed[-1]), len(summed) - 1)])


def likelihood(pool: Pool, strength: float) -> float:
    """Give the mean log-likelihood of the facts of each part's benign conversations, by the other parts' counts."""
    part, total, values = part_of(pool.home), 0.0, pool.members.values.astype(np.int64)
    weight = weights(pool, np.ones(len(part), np.bool_))
    for number in range(int(part.max()) + 1):
        own = part == number
        usual = counted(pool, ~own, strength)
        for column, (parent, chance) in enumerate(zip(usual.parent, usual.chance, strict=True)):
            known = own & (values[:, column] >= 0)
            given = values[known, parent] + 1 if parent >= 0 else np.zeros(np.count_nonzero(known), np.int64)
            total += float((weight[known] * np.log(chance[given, values[known, column]])).sum())
    return total / float(weight.sum())
