"""Is it this server or the whole link? Compare with what the same client exchanged with others.

A policer alone is a data plan, so a limit is held against everything else that its client exchanged the same way.
Flows that lost as well either share its bucket, or have buckets of their own (`sharing`). Where servers of different
domains lost packets, and limits that choose do not explain them and what passed much better than one bucket for all,
it is the link's (the idea of Zhang et al., IMC 2023: flows that lose together share the limiter): no plan gives each
flow a bucket. Servers of one domain may all be the target. Flows that lost next to nothing are spared when their
packets passed where the bucket was empty, while somebody was limited, whichever way: a limit may begin and end, but
while a link that is limited both ways is limited one way, it is so the other way. Which of them are spared tells what
is aimed at, as in a two-by-two table: other names at the same address, or the same name at another one.
"""

from enum import Enum
from functools import cached_property

import attrs
import numpy as np

from netinterf.analyzers.throttling.domains import flow_domains
from netinterf.analyzers.throttling.judge import FEW, LEAST_LLR, Judged, strength
from netinterf.analyzers.throttling.losses import direction_series
from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.sharing import CHANCE_LOSS, one_for_all, passed_freely
from netinterf.analyzers.throttling.units import LEAST_LOSSES, Direction, bounded
from netinterf.analyzers.throttling.unseen import Numbering
from netinterf.arrays import I64
from netinterf.stats.bucket.fit import BucketFit
from netinterf.stats.bucket.search import search_buckets
from netinterf.trace import Trace

__all__ = ["SURE", "Compared", "Controls", "Others", "compare", "settled"]

TCP = 6

MOST_WITNESSES = 50
"""Packets named as witnesses."""

DECIDED, SURE, BEYOND_DOUBT = 3.0, 20.0, 60.0
"""Log-likelihood ratio that decides, twenty to one; from which on it has its full weight; and from which on it stands
against others that lost at the same time. In plans of the simulator (development seeds), where a bucket is known from
some flows and others keep below it, up to 35 came of errors; where others are spared in truth mostly 100 and more."""

APART = 6.0
"""Log-likelihood ratio against one bucket for all from which on others may be spared. Plans that let a burst through
reach 3 (simulated captures, development seeds); of 91 comparisons beside policed transfers six show less than 6, and 80
show 20 and more."""

CHOSEN = 40.0
"""Log-likelihood ratio from which on limits that choose are believed against one bucket for all. In 316 captures of
data plans of the simulator (development seeds), half of them with small transfers beside the large ones, one capture of
a plan whose bucket holds a few packets exceeds it; of 25 captures of several limits that one bucket was taken for, 14
do."""


class Others(Enum):
    """How the client's other connections fared."""

    NONE = "none"  # there were none in this direction
    UNCLEAR = "unclear"  # they moved too little to tell
    SPARED = "spared"  # at the same time
    SPARED_NAME = "spared name"  # other names at the same address, at the same time
    SPARED_ADDRESS = "spared address"  # the same name at other addresses, at the same time
    SPARED_ELSEWHEN = "spared elsewhen"  # before, after, or the other way
    ALIKE = "alike"


MEANWHILE = (Others.SPARED, Others.SPARED_NAME, Others.SPARED_ADDRESS)
"""Others passed while somebody was limited."""


@attrs.frozen(kw_only=True)
class Compared:
    """How one limited direction compares with the client's other connections."""

    others: Others = Others.NONE
    llr: float = 0.0  # of others having only luck against sharing the bucket
    servers: int = 1
    rate: float = np.nan  # bytes a second of the common limit
    passed: int = 0  # packets of others
    bar: float = BEYOND_DOUBT  # log-likelihood ratio from which on others are spared for sure
    rows: I64 = attrs.field(factory=lambda: np.empty(0, np.int64))  # packets that show it


@attrs.frozen(eq=False)
class Surroundings:
    """What the client of a limited direction exchanged besides."""

    own: Series  # the flows that are limited
    fit: BucketFit
    others: list[Series]  # by flow, the same way
    backwards: list[Series]  # by flow, the other way

    @property
    def usual(self) -> float:
        """Share of packets that the limited flows lost."""
        return float(np.mean(self.own.lost))

    @property
    def clean(self) -> list[Series]:
        """The others that got something through and lost next to nothing beside what is usual."""
        return [series for series in self.others if (~series.lost).any() and np.mean(series.lost) <= FEW * self.usual]

    @property
    def alike(self) -> tuple[list[Series], list[Series]]:
        """The others that lost as the limited flows did, the same way and backwards.

        Backwards nothing tells buckets apart: a link is limited both ways by two of them.
        """
        same, back = (
            [series for series in way if lost_alike(series, self.usual)] for way in (self.others, self.backwards)
        )
        return same, back


@attrs.frozen(eq=False, slots=False)
class Controls:
    """What the contrasts of one capture share, worked out once."""

    trace: Trace
    numbering: Numbering  # what the IP identifications tell
    limited: I64  # flows that met some limit
    weighed: dict[tuple[int, ...], tuple[float, bool]] = attrs.field(init=False, factory=dict)
    """One bucket for all against limits that choose, by way, kind, lossy flows and what others exchanged."""

    @cached_property
    def domain(self) -> I64:
        """The domain of each flow, as a number."""
        return flow_domains(self.trace)


def compare(controls: Controls, judged: Judged) -> Compared:
    """Compare one direction with a token bucket with what its client exchanged with others.

    Args:
        controls: Of the capture.
        judged: The direction, whose `bucket` is not None.

    Returns:
        The contrast.
    """
    trace, domain = controls.trace, controls.domain
    best = judged.bucket
    if best is None:
        return Compared()
    deepest = max(test.fit.depth for test in judged.tested if test.bucket)  # it holds at least what it was seen to hold
    around = surroundings(trace, judged, best.fit._replace(depth=deepest), controls.numbering)
    alike, back = around.alike
    clean = [] if judged.may_queue else around.clean  # a full queue serves on: passing it shows nothing
    limited = [around.own, *alike, *showing_buckets(back)]
    begin = min(series.time[series.lost].min() for series in limited)  # before, nobody met the limit
    end = max(series.time.max() for series in limited)
    meanwhile = [series.take((series.time >= begin) & (series.time <= end)) for series in clean]
    meanwhile = [series for series in meanwhile if len(series)]
    llrs = spared_llrs(controls, around, alike, meanwhile)
    if sum(llrs) >= (BEYOND_DOUBT if at_once(domain, around.own, alike) else SURE):
        return attrs.evolve(spared(trace, domain, around.own, meanwhile, llrs), bar=SURE)
    own = around.own.parted(around.own.flow)
    explained = passed_freely(around.own, around.fit, own)
    own = [
        series
        for series, free in zip(own, explained, strict=True)
        if free < -DECIDED or lost_alike(series, around.usual)
    ]
    lossy = [*own, *alike, *back]
    servers = {int(domain[series.flow[0]]) for series in lossy}
    if len(servers) > 1 and whole_link(controls, around, alike, meanwhile):
        rows = np.unique(np.concatenate([series.row[series.lost] for series in lossy]))[:MOST_WITNESSES]
        return Compared(others=Others.ALIKE, llr=sum(llrs), servers=len(servers), rate=best.fit.rate, rows=rows)
    if sum(llrs) > DECIDED:
        return spared(trace, domain, around.own, meanwhile, llrs)
    ever = spared_llrs(controls, around, alike, clean)
    if sum(ever) > DECIDED:
        return contrast(Others.SPARED_ELSEWHEN, sum(ever), clean)
    return contrast(Others.UNCLEAR, sum(ever), clean) if clean else Compared()


def settled(directions: list[Direction], contrasts: list[Compared]) -> list[Compared]:
    """Hold the contrasts of each client against each other: a link is limited as a whole, or it is not.

    Args:
        directions: The limited directions.
        contrasts: How each compares.

    Returns:
        The contrasts. Where a client has others that are spared for sure, what seemed to be the link's points at them;
        else what is the link's for one direction is so for all of the same client and way.
    """
    sure, whole = {}, {}
    for direction, compared in zip(directions, contrasts, strict=True):
        if compared.others in MEANWHILE and compared.llr >= compared.bar:
            sure[direction.client] = compared
        elif compared.others is Others.ALIKE:
            whole[direction.client, direction.outbound] = compared
    final = []
    for direction, compared in zip(directions, contrasts, strict=True):
        if direction.client not in sure:
            final.append(whole.get((direction.client, direction.outbound), compared))
        elif compared.others is Others.ALIKE:
            final.append(attrs.evolve(sure[direction.client], others=Others.SPARED_ELSEWHEN))
        else:
            final.append(compared)
    return final


def surroundings(trace: Trace, judged: Judged, fit: BucketFit, numbering: Numbering) -> Surroundings:
    """Part what a client exchanged: the limited flows of a direction, and all others, the same way and backwards."""
    direction, flows = judged.direction, trace.flows
    flow = np.flatnonzero((flows.protocol == TCP) & (flows.client == direction.client))
    flow = flow[~np.isin(flow, judged.losing)]
    same, other = (
        bounded(direction_series(trace, flow, outbound, numbering, acks=direction.acks))
        for outbound in (direction.outbound, not direction.outbound)
    )
    own = judged.series.take(np.isin(judged.series.flow, judged.losing))
    return Surroundings(bounded(own), fit, same.parted(same.flow), other.parted(other.flow))


def spared(trace: Trace, domain: I64, own: Series, passed: list[Series], llrs: list[float]) -> Compared:
    """Tell which part of a two-by-two table shows that others are spared: names, addresses, or both at once."""
    flows, mine = trace.flows, np.unique(own.flow)
    servers = set(flows.server[mine].tolist())
    limited = set(domain[mine].tolist())
    here = [int(flows.server[int(series.flow[0])]) in servers for series in passed]
    named = [int(domain[series.flow[0]]) in limited for series in passed]
    for kind, own_server, own_name in ((Others.SPARED_NAME, True, False), (Others.SPARED_ADDRESS, False, True)):
        rows = [place for place in range(len(passed)) if here[place] == own_server and named[place] == own_name]
        total = sum(llrs[place] for place in rows)
        if total > DECIDED and 2 * total > sum(llrs):
            return contrast(kind, total, [passed[place] for place in rows])
    return contrast(Others.SPARED, sum(llrs), passed)


def contrast(others: Others, llr: float, passed: list[Series]) -> Compared:
    """Point at what others got through."""
    rows = np.concatenate([series.row[~series.lost] for series in passed])
    return Compared(others=others, llr=llr, passed=len(rows), rows=np.unique(rows)[:MOST_WITNESSES])


def at_once(domain: I64, own: Series, alike: list[Series]) -> bool:
    """Say whether servers of several domains lost packets at the same time, so that one bucket may hold them all.

    The bucket of some of them alone is then not the one that they met, and what seems to pass it freely may not.
    """
    mine = set(domain[own.flow].tolist())
    first, last = own.time[own.lost].min(), own.time[own.lost].max()
    return len(mine) > 1 or any(
        int(domain[series.flow[0]]) not in mine
        and bool(np.any(series.lost & (series.time >= first) & (series.time <= last)))
        for series in alike
    )


def spared_llrs(controls: Controls, around: Surroundings, alike: list[Series], others: list[Series]) -> list[float]:
    """Weigh, for each of some others, whether it is spared; 0 where one bucket may hold them all.

    A bucket is known from what it drops of some, and may be deeper than these show: then others pass it as well. What
    these have in common is their luck, so they are asked as one.
    """
    llrs = passed_freely(around.own, around.fit, others)
    if sum(llrs) <= DECIDED:
        return llrs
    llr, _ = for_all(controls, around, alike, [others[0].joined(others[1:])])
    return llrs if llr <= -APART else [0.0] * len(llrs)


def whole_link(controls: Controls, around: Surroundings, alike: list[Series], others: list[Series]) -> bool:
    """Say whether one bucket may hold everything that the client exchanged: none that choose explain it much better."""
    llr, explained = for_all(controls, around, alike, others)
    return llr > -CHOSEN or not explained


def for_all(controls: Controls, around: Surroundings, alike: list[Series], others: list[Series]) -> tuple[float, bool]:
    """Weigh one bucket for everything that the client exchanged against limits that choose, as `one_for_all` does.

    Directions with the same lossy flows, and the same packets of others, ask the same, so it is weighed once.
    """
    trace, limited = controls.trace, bounded(around.own.joined(alike))
    outbound, data = trace.packets.outbound[limited.row[0]], trace.packets.payload_length[limited.row[0]] > 0
    spared = [
        number
        for series in others
        for number in (*np.unique(series.flow).tolist(), int(series.row[0]), int(series.row[-1]))
    ]
    key = (int(outbound), int(data), *np.unique(limited.flow).tolist(), -1, *spared)
    if key not in controls.weighed:
        servers = trace.flows.server[limited.flow].astype(np.int64)
        controls.weighed[key] = one_for_all(limited, servers, others, around.fit)
    return controls.weighed[key]


def showing_buckets(parts: list[Series]) -> list[Series]:
    """List the flows whose losses a bucket explains, so that they tell when somebody was limited.

    Losses by chance would not do: before a limit begins, others pass.
    """
    lossy = [series for series in parts if np.count_nonzero(series.lost) >= LEAST_LOSSES]
    fits = search_buckets([series.fates for series in lossy])
    return [series for series, fit in zip(lossy, fits, strict=True) if fit.llr > LEAST_LLR and strength(fit) > 0]


def lost_alike(part: Series, usual: float) -> bool:
    """Say whether losses are likelier at the rate of the limited direction than by luck."""
    lost = int(np.count_nonzero(part.lost))
    more = lost * np.log(usual / CHANCE_LOSS) + (len(part) - lost) * np.log((1 - usual) / (1 - CHANCE_LOSS))
    return bool(usual > CHANCE_LOSS and more > DECIDED)
