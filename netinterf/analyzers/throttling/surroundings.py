"""What the client of a limited direction exchanged besides, the same way and backwards."""

from collections.abc import Sequence

import attrs
import numpy as np

from netinterf.analyzers.throttling.judge import FEW, LEAST_LLR, Judged, strength
from netinterf.analyzers.throttling.losses import direction_series
from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.sharing import CHANCE_LOSS
from netinterf.analyzers.throttling.units import LEAST_LOSSES, bounded
from netinterf.analyzers.throttling.unseen import Numbering
from netinterf.analyzers.throttling.ways import Direction
from netinterf.arrays import I64
from netinterf.numbering import ordered
from netinterf.stats.bucket.fit import NO_FIT, BucketFit
from netinterf.stats.bucket.search import search_buckets
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["DECIDED", "Surroundings", "lost_alike", "surroundings"]

TCP = 6

DECIDED = 3.0
"""Log-likelihood ratio that decides, twenty to one."""


@frozen(eq=False, kw_only=True)
class Surroundings:
    """What the client of a limited direction exchanged besides: flows that lost alike, and some that did not."""

    own: Series  # the flows that are limited
    usual: float  # share of packets that they lost
    fit: BucketFit  # their bucket, as deep as it was seen to be in any unit
    alike: list[Series]  # others that lost so, the same way
    back: list[Series]  # … backwards: nothing tells buckets apart there, a link is limited both ways by two of them
    showing: list[Series]  # of those backwards, whose losses a bucket explains: they tell when somebody was limited
    clean: list[
        Series
    ]  # others that got something through the same way, and lost next to nothing beside what is usual;
    # none where a queue may be full, which serves on: passing it shows nothing


def surroundings(trace: Trace, limited: Sequence[Judged], numbering: Numbering) -> list[Surroundings]:
    """Part what the clients of limited directions exchanged: these flows, and all others, the same way and backwards.

    Args:
        trace: The capture.
        limited: The directions, each with a bucket.
        numbering: What the IP identifications tell.
    """
    client, tcp = trace.flows.client, np.flatnonzero(trace.flows.protocol == TCP)
    of_client = Ragged.from_lengths(np.bincount(client[tcp], minlength=len(trace.hosts)), tcp[ordered(client[tcp])])
    beside = [besides(judged, of_client[judged.direction.client(trace)]) for judged in limited]
    directions = [direction for both in beside for direction in both]
    laid = iter(direction_series(trace, directions, numbering))
    found = [around(judged, next(laid), next(laid)) for judged in limited]
    lossy = [[series for series in one.back if np.count_nonzero(series.lost) >= LEAST_LOSSES] for one in found]
    fits = iter(search_buckets([series.fates for parts in lossy for series in parts]))
    showing = [[series for series in parts if shows_bucket(next(fits))] for parts in lossy]
    return [attrs.evolve(one, showing=parts) for one, parts in zip(found, showing, strict=True)]


def besides(judged: Judged, flow: I64) -> tuple[Direction, Direction]:
    """Give what a client exchanged besides the limited flows, the same way and backwards, of all its flows."""
    same = attrs.evolve(judged.direction, flows=flow[~np.isin(flow, judged.losing)])
    return same, attrs.evolve(same, outbound=not same.outbound)


def around(judged: Judged, same: Series, back: Series) -> Surroundings:
    """Part the flows beside those of a limited direction by what they lost; what shows a bucket is not known yet."""
    own = bounded(judged.series.take(np.isin(judged.series.flow, judged.losing)))
    usual = float(np.mean(own.lost))
    best = judged.bucket.fit if judged.bucket else NO_FIT
    deepest = max(test.fit.depth for test in judged.tested if test.bucket)
    others, backwards = (way.parted(way.flow) for way in (bounded(same), bounded(back)))
    return Surroundings(
        own=own,
        usual=usual,
        fit=best._replace(depth=deepest),
        alike=[series for series in others if lost_alike(series, usual)],
        back=[series for series in backwards if lost_alike(series, usual)],
        showing=[],
        clean=[] if judged.may_queue else [series for series in others if passed(series, FEW * usual)],
    )


def passed(series: Series, most: float) -> bool:
    """Say whether some packets of a flow passed, and no more than such a share was lost."""
    lost = int(np.count_nonzero(series.lost))
    return lost < len(series) and lost / len(series) <= most


def shows_bucket(fit: BucketFit) -> bool:
    """Say whether a bucket explains losses; those by chance tell nothing: before a limit begins, others pass."""
    return fit.llr > LEAST_LLR and strength(fit) > 0


def lost_alike(part: Series, usual: float) -> bool:
    """Say whether losses are likelier at the rate of the limited direction than by luck."""
    if not usual > CHANCE_LOSS:
        return False
    lost = int(np.count_nonzero(part.lost))
    more = lost * np.log(usual / CHANCE_LOSS) + (len(part) - lost) * np.log((1 - usual) / (1 - CHANCE_LOSS))
    return bool(more > DECIDED)
