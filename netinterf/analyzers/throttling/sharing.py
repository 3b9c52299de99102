"""Who shares a bucket? Explanations of the losses of several flows, weighed against each other.

If flows share a bucket, one bucket explains the losses of all: what any of them moves is missing for the others. If
they do not, each has a bucket of its own. Both ways are asked with the same buckets, and an empty one drops as surely
in every flow, so nothing but what they took from each other decides. Flows that lost next to nothing have their luck
where they are spared; whether they are is also asked differently, since a handful of packets must not decide by the
fit of everybody else's: the bucket is fixed, and each of their packets that passed where it was empty tells as much as
the bucket's own record of what it drops there.
"""

from collections.abc import Sequence

import numpy as np

from netinterf.analyzers.throttling.judge import strength
from netinterf.analyzers.throttling.series import Series
from netinterf.arrays import I64
from netinterf.stats.bucket.fit import BucketFit, explain_parts
from netinterf.stats.bucket.following import follow_bucket
from netinterf.stats.bucket.search import search_buckets
from netinterf.stats.losses import harmless_likelihoods

__all__ = ["CHANCE_LOSS", "one_for_all", "passed_freely"]

CHANCE_LOSS = 0.01
"""Loss on a path without a limit: paths measured by TCP repeat 1.0 to 1.8 % of their packets outside Africa and Asia
(Flach et al., Table 2, flows that are not policed)."""


def one_for_all(limited: Series, servers: I64, spared: Sequence[Series], near: BucketFit) -> tuple[float, bool]:
    """Weigh one bucket for everything that a client exchanged against limits that choose.

    What chooses has one bucket for all that it limits, or one for each of their servers or flows, and nothing but luck
    befalls the others. All are asked with the same buckets, those that explain a part best, so that none wins by having
    been searched better.

    Args:
        limited: Packets of flows that lost alike.
        servers: The server of each of them.
        spared: Packets of others, by flow.
        near: A bucket that explains some of the limited flows.

    Returns:
        The log-likelihood ratio, positive for one bucket; and whether limits that choose explain the losses at all.
    """
    whole = limited.joined(spared)
    finer = (limited.parted(key) for key in (np.zeros_like(servers), servers, limited.flow))
    kinds = list({len(parts): parts for parts in finer}.values())  # with as many parts they are the same
    searched = [*([whole] if spared else []), *(part for parts in kinds for part in parts)]
    tried = [near, *search_buckets([part.fates for part in searched])]
    rate, depth = np.array([(fit.rate, fit.depth) for fit in tried if np.isfinite(fit.rate)]).T
    of_whole, of_limited, *lucky = harmless_likelihoods([(part.time, part.lost) for part in (whole, limited, *spared)])
    together = explain_parts([whole.fates], rate, depth, of_whole).likelihood
    apart = [explain_parts([part.fates for part in parts], rate, depth, of_limited) for parts in kinds]
    best = max(apart, key=lambda fit: fit.likelihood)
    return float(max(together, of_whole) - best.likelihood - sum(lucky)), strength(best) > 0


def passed_freely(own: Series, fit: BucketFit, spared: Sequence[Series]) -> list[float]:
    """Weigh whether flows that lost next to nothing are spared by a bucket that limits others.

    Args:
        own: Packets that it limits, for which it was fitted.
        fit: The bucket.
        spared: Packets of flows that may share it.

    Returns:
        For each of these flows, the log-likelihood ratio of having only luck against sharing the bucket.
    """
    rate, depth = np.array([fit.rate]), np.array([fit.depth])
    pooled = own.joined(spared)
    left = follow_bucket(pooled.time, pooled.size, pooled.lost, rate, depth)[:, 0]
    mine = np.isin(pooled.flow, np.unique(own.flow))
    empty = left < 0
    drops = (np.count_nonzero(pooled.lost & empty & mine) + 1) / (np.count_nonzero(empty & mine) + 2)  # Laplace's rule
    llr = empty * np.where(pooled.lost, np.log(CHANCE_LOSS / drops), np.log((1 - CHANCE_LOSS) / (1 - drops)))
    return [float(llr[pooled.flow == part.flow[0]].sum()) for part in spared]
