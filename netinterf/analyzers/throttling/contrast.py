"""Is it this server or the whole link? Compare with what the same client exchanged with others.

If one bucket limited the whole link, then it would explain the losses of everything that the client exchanged, and what
it let pass. If others are spared, their packets pass while the bucket is empty, and what they move takes nothing from
it. So two explanations of all packets are held against each other: one bucket for everything, or one for this
direction alone while the others have their own luck. Their log-likelihood ratio is the contrast. Where nobody is
spared and servers of other domains lost as often, either way, the limit is the link's (the idea of Zhang et al., IMC
2023: flows that lose together share the limiter). Servers of one domain may all be the target.
"""

from enum import Enum

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.throttling.judge import FEW, Judged
from netinterf.analyzers.throttling.losses import direction_series
from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.units import bounded
from netinterf.analyzers.throttling.unseen import Numbering
from netinterf.context.domains import registrable
from netinterf.stats.losses import harmless_likelihood
from netinterf.stats.ratelimit import refine_bucket, search_bucket
from netinterf.trace import Trace

__all__ = ["Contrast", "Others", "contrast"]

I64 = NDArray[np.int64]

TCP = 6

SHOWN = 50
"""Packets named as witnesses."""

LUCK = 0.01
"""Loss on a path without a limit: paths measured by TCP repeat 1.0 to 1.8 % of their packets outside Africa and Asia
(Flach et al., Table 2, flows that are not policed)."""

DECIDED = 3.0
"""Log-likelihood ratio that decides, twenty to one; the weight of being spared grows with it."""


class Others(Enum):
    """How the client's other connections fared."""

    NONE = "none"  # there were none in this direction
    UNCLEAR = "unclear"  # they moved too little to tell
    SPARED = "spared"  # at the same time
    SPARED_ELSEWHEN = "spared elsewhen"  # before or after
    ALIKE = "alike"


@attrs.frozen(kw_only=True)
class Contrast:
    """How one limited direction compares with the client's other connections."""

    others: Others = Others.NONE
    llr: float = 0.0  # of one bucket for all against separate causes; negative when others are spared
    servers: int = 1
    rate: float = np.nan  # bytes a second of the common limit
    passed: int = 0  # packets of others
    rows: I64 = attrs.field(factory=lambda: np.empty(0, np.int64))  # packets that show it


def contrast(trace: Trace, judged: Judged, numbering: Numbering) -> Contrast:
    """Compare one direction with a token bucket with what its client exchanged with others.

    That others were spared before or after says less than that they were meanwhile: a limit may begin and end. That
    they lost as much says the same at any time.

    Args:
        trace: The capture.
        judged: The direction, whose `bucket` is not None.
        numbering: What the IP identifications tell.

    Returns:
        The contrast.
    """
    best, own = judged.bucket, bounded(judged.series)
    if best is None:
        return Contrast()
    (others, backwards), names = other_flows(trace, judged, numbering), domains(trace)
    usual = float(np.mean(own.lost))
    begin, end = own.time[~own.lost].min(), own.time[~own.lost].max()
    meanwhile = lossless([one.take((one.time >= begin) & (one.time <= end)) for one in others], usual)
    llr = one_bucket(own, meanwhile)
    if llr < -DECIDED:
        return shown(Others.SPARED, llr, meanwhile)
    alike = [one for one in (*by_flow(own), *others, *backwards) if lost_alike(one, usual)]
    servers = {domain_of(trace, names, int(one.flow[0])) for one in alike}
    if len(servers) > 1:
        rows = np.concatenate([one.row[one.lost] for one in alike])
        return Contrast(
            others=Others.ALIKE, llr=llr, servers=len(servers), rate=best.fit.rate, rows=np.unique(rows)[:SHOWN]
        )
    whenever = lossless(others, usual)
    ever = one_bucket(own, whenever)
    if ever < -DECIDED:
        return shown(Others.SPARED_ELSEWHEN, ever, whenever)
    return shown(Others.UNCLEAR, llr, whenever) if whenever else Contrast()


def shown(others: Others, llr: float, passed: list[Series]) -> Contrast:
    """Point at what others got through."""
    rows = np.concatenate([one.row[~one.lost] for one in passed])
    return Contrast(others=others, llr=llr, passed=len(rows), rows=np.unique(rows)[:SHOWN])


def lossless(others: list[Series], usual: float) -> list[Series]:
    """Pick those that got something through and lost next to nothing, beside what is usual for a direction."""
    return [one for one in others if (~one.lost).any() and np.mean(one.lost) <= FEW * usual]


def lost_alike(part: Series, usual: float) -> bool:
    """Say whether losses are likelier at the rate of the limited direction than by luck."""
    lost = int(np.count_nonzero(part.lost))
    more = lost * np.log(usual / LUCK) + (len(part) - lost) * np.log((1 - usual) / (1 - LUCK))
    return bool(usual > LUCK and more > DECIDED)


def other_flows(trace: Trace, judged: Judged, numbering: Numbering) -> tuple[list[Series], list[Series]]:
    """Lay out what the client exchanged on connections that a direction does not hold: the same way, and the other."""
    direction, flows = judged.direction, trace.flows
    flow = np.flatnonzero((flows.protocol == TCP) & (flows.client == direction.client))
    flow = flow[~np.isin(flow, direction.flows)]
    same, other = (
        by_flow(bounded(direction_series(trace, flow, outbound, numbering, acks=direction.acks)))
        for outbound in (direction.outbound, not direction.outbound)
    )
    return same, other


def domains(trace: Trace) -> dict[int, str]:
    """Name the registrable domain of every flow whose request told one."""
    told = {int(trace.http.flow[row]): trace.http.host[row].split(":")[0] for row in range(len(trace.http))}
    told |= {int(trace.tls.flow[row]): trace.tls.name[row] for row in range(len(trace.tls)) if trace.tls.name[row]}
    return {flow: registrable(name) for flow, name in told.items() if name}


def by_flow(series: Series) -> list[Series]:
    """Part a series by its flows."""
    return [series.take(series.flow == one) for one in np.unique(series.flow)]


def domain_of(trace: Trace, names: dict[int, str], flow: int) -> str:
    """Name the domain of a flow, or its server when no request told a name."""
    return names.get(flow, f"server {trace.flows.server[flow]}")


def one_bucket(own: Series, spared: list[Series]) -> float:
    """Weigh one bucket for everything against one for this direction alone while the others have their own luck.

    Each search begins where the other ended as well, so that neither wins by having searched better.

    Returns:
        The log-likelihood ratio, 0 when there is nothing to compare.
    """
    if not spared:
        return 0.0
    lost = sum(int(np.count_nonzero(one.lost)) for one in spared)
    passed = sum(map(len, spared)) - lost
    both = own.joined(spared)
    alone, together = (search_bucket(one.time, one.size, one.lost) for one in (own, both))
    alone = max(alone, refine_bucket(own.time, own.size, own.lost, together), key=lambda fit: fit.likelihood)
    together = max(together, refine_bucket(both.time, both.size, both.lost, alone), key=lambda fit: fit.likelihood)
    harmless = [harmless_likelihood(one.time, one.lost) for one in (own, both)]
    apart = max(alone.likelihood, harmless[0]) + lost * np.log(LUCK) + passed * np.log1p(-LUCK)
    return float(max(together.likelihood, harmless[1]) - apart)
