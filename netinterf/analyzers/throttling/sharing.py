"""Who shares a bucket? Explanations of the losses of several flows, weighed against each other.

If flows share a bucket, one bucket explains the losses of all: what any of them moves is missing for the others. If
they do not, each has a bucket of its own. Both ways are asked with the same buckets, and an empty one drops as surely
in every flow, so nothing but what they took from each other decides. Flows that lost next to nothing have their luck
where they are spared; whether they are is also asked differently, since a handful of packets must not decide by the
fit of everybody else's: the bucket is fixed, and each of their packets that passed where it was empty tells as much as
the bucket's own record of what it drops there.
"""

from collections.abc import Sequence
from itertools import islice

import attrs
import numpy as np

from netinterf.analyzers.throttling.judge import strength
from netinterf.analyzers.throttling.series import Series, fates_together
from netinterf.arrays import I64
from netinterf.stats.bucket.fit import BucketFit, Parted, explain_each
from netinterf.stats.bucket.following import Fates, follow_bucket
from netinterf.stats.bucket.search import search_buckets
from netinterf.stats.losses import harmless_likelihoods
from netinterf.values import frozen

__all__ = ["CHANCE_LOSS", "Company", "Weighed", "one_for_all", "passed_freely"]

CHANCE_LOSS = 0.01
"""Loss on a path without a limit: paths measured by TCP repeat 1.0 to 1.8 % of their packets outside Africa and Asia
(Flach et al., Table 2, flows that are not policed)."""


@frozen(eq=False, kw_only=True)
class Company:
    """What a client exchanged, of which one bucket may hold everything."""

    limited: Series  # flows that lost alike
    servers: I64  # the server of each of their packets
    spared: Sequence[Series]  # others, by flow
    near: BucketFit  # a bucket that explains some of the limited flows
    whole: Fates = attrs.field(init=False)  # all of it
    kinds: list[list[Fates]] = attrs.field(
        init=False
    )  # the limited flows by what may have a bucket: all, servers, flows

    @whole.default
    def _all_together(self) -> Fates:
        return fates_together([self.limited, *self.spared])

    @kinds.default
    def _parted(self) -> list[list[Fates]]:
        finer = (self.limited.fates_of(key) for key in (self.servers, self.limited.flow))
        # with as many parts they are the same
        return list({len(parts): parts for parts in ([self.limited.fates], *finer)}.values())

    @property
    def searched(self) -> list[Fates]:
        """What is searched for buckets to try: all where some are spared, the limited flows, and these in parts."""
        return [*([self.whole] if self.spared else []), *(part for parts in self.kinds for part in parts)]


@frozen
class Weighed:
    """How one bucket for everything that a client exchanged compares with limits that choose."""

    llr: float  # log-likelihood ratio, positive for one bucket
    explained: bool  # limits that choose explain the losses at all
    shared: float  # log-likelihood ratio against buckets of their own alone, 0 where none are told apart


def one_for_all(companies: Sequence[Company]) -> list[Weighed]:
    """Weigh one bucket for everything that a client exchanged against limits that choose.

    What chooses has one bucket for all that it limits, or one for each of their servers or flows, and nothing but luck
    befalls the others. All are asked with the same buckets, those that explain a part best, so that none wins by having
    been searched better.

    Args:
        companies: What clients exchanged; all of them are searched at once.

    Returns:
        The answer for each.
    """
    parts: list[list[Fates | Series]] = [[one.whole, one.limited, *one.spared] for one in companies]
    found = iter(harmless_likelihoods([(part.time, part.lost) for own in parts for part in own]).tolist())
    harmless = [list(islice(found, len(own))) for own in parts]
    searched: list[Fates] = []
    known: list[float] = []
    for company, (of_whole, of_limited, *_) in zip(companies, harmless, strict=True):
        searched += company.searched
        known += [of_whole, of_limited] if company.spared else [of_limited]
        known += [np.nan] * (len(searched) - len(known))
    fits = iter(search_buckets(searched, known))
    asked = [
        questions(company, list(islice(fits, len(company.searched))), own[0], own[1])
        for company, own in zip(companies, harmless, strict=True)
    ]
    told = iter(explain_each([question for own in asked for question in own]))
    weighed = []
    for company, (of_whole, _, *lucky) in zip(companies, harmless, strict=True):
        together, *apart = islice(told, 1 + len(company.kinds))
        best = max(apart, key=lambda fit: fit.likelihood)
        gain = max(together.likelihood, of_whole) - sum(lucky)
        several = zip(apart, company.kinds, strict=True)
        own = max((fit.likelihood for fit, parts in several if len(parts) > 1), default=gain)
        weighed.append(Weighed(gain - best.likelihood, explained=strength(best) > 0, shared=gain - own))
    return weighed


def questions(company: Company, fits: Sequence[BucketFit], of_whole: float, of_limited: float) -> list[Parted]:
    """Ask how well the same buckets explain all that one client exchanged, and the limited flows in each way of parts.

    Args:
        company: What it exchanged.
        fits: The buckets of what is searched.
        of_whole: Log-likelihood of all under harmless causes.
        of_limited: … of the limited flows.
    """
    rate, depth = np.array([(fit.rate, fit.depth) for fit in (company.near, *fits) if np.isfinite(fit.rate)]).T
    whole = Parted([company.whole], rate, depth, of_whole)
    return [whole, *(Parted(parts, rate, depth, of_limited) for parts in company.kinds)]


def passed_freely(own: Series, fit: BucketFit, spared: Sequence[Series]) -> list[float]:
    """Weigh whether flows that lost next to nothing are spared by a bucket that limits others.

    Args:
        own: Packets that it limits, for which it was fitted.
        fit: The bucket.
        spared: Packets of flows that may share it.

    Returns:
        For each of these flows, the log-likelihood ratio of having only luck against sharing the bucket.
    """
    if not spared:
        return []
    rate, depth = np.array([fit.rate]), np.array([fit.depth])
    time, size, lost, flow = (
        np.concatenate([getattr(part, name) for part in (own, *spared)]) for name in ("time", "size", "lost", "flow")
    )
    order = np.lexsort((~lost, time))
    lost, flow = lost[order], flow[order]
    empty = follow_bucket(time[order], size[order], lost, rate, depth)[:, 0] < 0
    mine = empty & np.isin(flow, np.unique(own.flow))
    drops = (np.count_nonzero(lost & mine) + 1) / (np.count_nonzero(mine) + 2)  # Laplace's rule
    llr = empty * np.where(lost, np.log(CHANCE_LOSS / drops), np.log((1 - CHANCE_LOSS) / (1 - drops)))
    return [float(llr[flow == part.flow[0]].sum()) for part in spared]
