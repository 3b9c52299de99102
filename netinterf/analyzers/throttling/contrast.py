"""Is it this server or the whole link? Compare what the same client exchanged with others at the same time.

Whatever leaves a token bucket obeys its arrival curve: no more than rate times time plus one depth (Le Boudec and
Thiran, Network Calculus, 2001, §1.3). If one bucket limited the whole link, then all that the client exchanged would
obey it together. More than that shows that others are spared. A plan's limit holds for all: merging all servers
explains the losses as well as one alone (the idea of Zhang et al., IMC 2023: flows that lose together share the
limiter), at the same time or one after the other. Servers of one domain are no contrast: they may all be
the target.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.throttling.judge import LEAST_LLR, Judged
from netinterf.analyzers.throttling.series import Series, direction_series
from netinterf.analyzers.throttling.units import bounded
from netinterf.analyzers.throttling.waiting import LEAST_BURST
from netinterf.context.domains import registrable
from netinterf.stats.levels import bucket_levels
from netinterf.stats.ratelimit import search_bucket
from netinterf.trace import Trace

__all__ = ["Contrast", "contrast"]

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

TCP = 6

BY_CHANCE = 0.12
"""Share of the loss deviance that a bucket explains by chance at most (laboratory traces with random loss): a common
bucket must explain more for this server as well as for the others. Plans of the simulator reach 0.14 to 1.0, less than
a single server's bucket where the others' losses are dated a little wrong."""

LEAST_OTHER = 5
"""Losses of other servers that a common bucket must explain: with five the laboratory's policers are told from chance
in 87 % (reference traces of Flach et al., held out)."""

SHOWN = 50
"""Packets named as witnesses."""


@attrs.frozen(kw_only=True)
class Contrast:
    """How one limited direction compares with the client's other servers."""

    selective: float = np.nan  # 1 others are spared, 0 all are limited alike, NaN nothing to compare
    servers: int = 1
    rate: float = np.nan  # bytes a second of the common limit
    excess: float = np.nan  # bytes that the client got beyond the limit and its depth
    ratio: float = np.nan  # what others sent in their busiest second, as a multiple of the limit
    others: float = 0.0  # bytes of other servers that stayed within the limit
    rows: I64 = attrs.field(factory=lambda: np.empty(0, np.int64))  # packets that show it


def contrast(trace: Trace, judged: Judged, others: list[Judged]) -> Contrast:
    """Compare one direction with a token bucket with all others of its client in that direction.

    Args:
        trace: The capture.
        judged: The direction, whose `bucket` is not None.
        others: All directions that were judged, this one included.

    Returns:
        The contrast.
    """
    best, direction = judged.bucket, judged.direction
    if best is None:
        return Contrast()
    flow = np.flatnonzero((trace.flows.protocol == TCP) & (trace.flows.client == direction.client))
    limited = [one for one in others if one.bucket and foreign(one, judged)]
    flow = flow[~np.isin(trace.flows.server[flow], direction.servers)]
    if len(flow) == 0 and len(direction.servers) == 1:
        return Contrast()
    lossy = np.isin(trace.flows.server[flow], [server for one in limited for server in one.direction.servers])
    spared = _spared(trace, judged, flow[~lossy])
    if not np.isnan(spared.selective):
        return spared
    if not np.isnan(_spared(trace, judged, flow, always=True).selective):  # limits of their own, or none at other times
        return Contrast()
    whole = _whole_link(trace, judged, flow)
    return _spared(trace, judged, flow) if np.isnan(whole.selective) else whole


def foreign(one: Judged, judged: Judged) -> bool:
    """Say whether two directions belong to one client, the same way, but to different servers."""
    ours, theirs = judged.direction, one.direction
    return (ours.client, ours.outbound) == (theirs.client, theirs.outbound) and not np.isin(
        theirs.servers, ours.servers
    ).any()


def _spared(trace: Trace, judged: Judged, flow: I64, *, always: bool = False) -> Contrast:
    """Look for other servers that, together with this limit, gave more than one bucket passes: meanwhile, or ever."""
    best = judged.bucket
    other = direction_series(trace, flow, judged.direction.outbound) if len(flow) else None
    if best is None or other is None or len(other) == 0:
        return Contrast()
    begin, end = _span(trace, judged.series)
    time = trace.packets.time[other.row]
    inside = ((time >= begin) & (time <= end) | always) & ~other.lost
    excess = _excess(trace, judged, other.row[inside], other.size[inside])
    if not excess > _tolerance(judged):
        return Contrast(
            rate=best.fit.rate, others=float(other.size[inside].sum()), rows=np.unique(other.row[inside])[:SHOWN]
        )
    _, second = np.unique(time[inside] // 1_000_000_000, return_inverse=True)
    ratio = float(np.bincount(second, weights=other.size[inside]).max()) / best.fit.rate
    return Contrast(
        selective=1.0, excess=excess, ratio=ratio, rate=best.fit.rate, rows=np.unique(other.row[inside])[:SHOWN]
    )


def _span(trace: Trace, series: Series) -> tuple[int, int]:
    """Give the first and last time of what passed, ns."""
    time = trace.packets.time[series.row[~series.lost]]
    return int(time.min()), int(time.max())


def _tolerance(judged: Judged) -> float:
    """Give the bytes by which a common bucket may seem exceeded: a second depth, and what links bunch."""
    best = judged.bucket
    return 0.0 if best is None else max(best.fit.depth, LEAST_BURST * float(np.median(best.unit.size)))


def _excess(trace: Trace, judged: Judged, row: I64, size: NDArray[np.float64]) -> float:
    """Measure how far other packets, added to those of the direction, draw its bucket below its own lowest level."""
    best = judged.bucket
    if best is None or len(row) == 0:
        return 0.0
    own = judged.series
    mine = own.row[~own.lost]
    times = np.concatenate([trace.packets.time[mine], trace.packets.time[row]])
    sizes = np.concatenate([own.size[~own.lost], size])
    lowest = []
    for count in (len(mine), len(times)):
        order = np.argsort(times[:count], kind="stable")
        seconds = (times[order] - times[:count].min()) / 1e9
        rate, room = np.array([best.fit.rate]), best.fit.headroom
        levels = bucket_levels(seconds, sizes[order], np.ones(count, np.bool_), rate, 0.0, room)[0]
        lowest.append(float((levels - sizes[order]).min()))
    return lowest[0] - lowest[1]


def _whole_link(trace: Trace, judged: Judged, flow: I64) -> Contrast:
    """Look for one bucket that explains the losses of the worst hit server and of all others of the client."""
    best, direction = judged.bucket, judged.direction
    if best is None:
        return Contrast()
    flows = np.unique(np.concatenate([flow, direction.flows]))
    joint = bounded(direction_series(trace, flows, direction.outbound))
    servers = trace.flows.server[joint.flow]
    ours = servers == np.bincount(trace.flows.server[best.unit.flow[best.unit.lost]]).argmax()
    if np.count_nonzero(joint.lost & ~ours) < LEAST_OTHER:
        return Contrast()
    fit = search_bucket(joint.time, joint.size, joint.lost)
    if not fit.llr > LEAST_LLR:
        return Contrast()
    levels = bucket_levels(joint.time, joint.size, ~joint.lost, np.array([fit.rate]), 0.0, fit.headroom)[0]
    low = levels < fit.threshold
    if min(explained_share(low[side], joint.lost[side]) for side in (ours, ~ours)) <= BY_CHANCE:
        return Contrast()
    hit = np.unique(servers[joint.lost])
    if len(domains(trace, flows[np.isin(trace.flows.server[flows], hit)])) == 1:
        return Contrast()
    shown = joint.row[joint.lost & ~ours][:SHOWN]
    return Contrast(selective=0.0, servers=len(hit), rate=fit.rate, rows=shown)


def explained_share(low: Bool, lost: Bool) -> float:
    """Give the share of the loss deviance that a fixed split of the packets explains, 0 without losses or passes."""

    def likelihood(chosen: Bool) -> float:
        count, hits = len(chosen), int(np.count_nonzero(chosen))
        return float(sum(k * np.log(k / count) for k in (hits, count - hits) if k))

    null = likelihood(lost)
    more = low.any() and not low.all() and lost[low].mean() > lost[~low].mean()
    return float((likelihood(lost[low]) + likelihood(lost[~low]) - null) / -null) if null < 0 and more else 0.0


def domains(trace: Trace, flows: I64) -> set[str]:
    """Name the domains of several flows, as far as requests told them."""
    names = [trace.tls.name[int(row)] for row in np.flatnonzero(np.isin(trace.tls.flow, flows))]
    names += [trace.http.host[int(row)] for row in np.flatnonzero(np.isin(trace.http.flow, flows))]
    return {registrable(name.split(":")[0]) for name in names if name}
