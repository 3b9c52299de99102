"""How many stand out: benign conversations of repositories that were left out, and those interfered with."""

from typing import Any

import numpy as np

from benchmarks.anomaly.fitting import Pool, fit, nats_of, weights
from benchmarks.anomaly.gathering import BENIGN, UNKNOWN
from netinterf.anomaly.ordinary import Ordinary
from netinterf.anomaly.score import LISTED
from netinterf.arrays import F64

__all__ = ["TOP", "benign", "hit", "left_out", "scores"]

TOP = 0.99
"""The top hundredth of what is ordinary."""


def scores(pool: Pool, usual: Ordinary) -> F64:
    """Score all conversations by what is ordinary elsewhere; NaN without peers."""
    nats = nats_of(pool, usual)
    return np.where(np.isnan(nats), np.nan, usual.standing(np.nan_to_num(nats)))


def left_out(pool: Pool) -> F64:
    """Score the conversations of each repository by what is ordinary in all others."""
    found = np.full(len(pool.label), np.nan)
    for home in np.unique(pool.home):
        own = pool.home == home
        found[own] = scores(pool, fit(pool, ~own))[own]
    return found


def benign(pool: Pool, score: F64) -> dict[str, Any]:
    """Count benign conversations that are listed, as they are and as `weights` has them."""
    told = (pool.label == BENIGN) & ~np.isnan(score)
    weight = np.where(told, weights(pool, told), 0.0)
    homes, number = np.unique(pool.home[told], return_inverse=True)
    listed = np.bincount(number, score[told] >= LISTED, len(homes)).astype(int)
    return {
        "all": int(np.count_nonzero(pool.label == BENIGN)),
        "scored": int(np.count_nonzero(told)),
        "repositories": len(homes),
        "listed": int(listed.sum()),
        "share": float(weight[score >= LISTED].sum() / max(weight.sum(), 1e-300)),
        "top": float(weight[score >= TOP].sum() / max(weight.sum(), 1e-300)),
        "by_repository": {str(home): int(count) for home, count in zip(homes, listed, strict=True) if count},
    }


def hit(pool: Pool, score: F64) -> dict[str, dict[str, dict[str, int]]]:
    """Count, by source and mechanism, conversations interfered with: all, with peers, in the top hundredth, listed."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for source in np.unique(pool.source):
        for label in np.unique(pool.label[pool.source == source]):
            if label in {BENIGN, UNKNOWN}:
                continue
            own = score[(pool.source == source) & (pool.label == label)]
            counts = (len(own), int(np.isfinite(own).sum()), int((own >= TOP).sum()), int((own >= LISTED).sum()))
            named = dict(zip(("all", "scored", "top", "listed"), counts, strict=True))
            found.setdefault(str(source), {})[str(label)] = named
    return found
