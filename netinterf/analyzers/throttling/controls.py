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

from collections.abc import Generator, Sequence
from enum import Enum
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import TypeVar

import attrs
import numpy as np

from netinterf.analyzers.throttling.domains import flow_domains
from netinterf.analyzers.throttling.judge import Judged
from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.sharing import CHANCE_LOSS, Company, Weighed, one_for_all, passed_freely
from netinterf.analyzers.throttling.surroundings import DECIDED, Surroundings, lost_alike, surroundings
from netinterf.analyzers.throttling.units import bounded
from netinterf.analyzers.throttling.unseen import Numbering
from netinterf.analyzers.throttling.ways import Direction
from netinterf.arrays import I64, Mask
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SURE", "Compared", "Controls", "Others", "compare", "settled"]

MOST_WITNESSES = 50
"""Packets named as witnesses."""

SURE, BEYOND_DOUBT = 20.0, 60.0
"""Log-likelihood ratio from which on it has its full weight; and from which on it stands against others that lost at
the same time. In plans of the simulator (development seeds), where a bucket is known from some flows and others keep
below it, up to 35 came of errors; where others are spared in truth mostly 100 and more."""

APART = 6.0
"""Log-likelihood ratio against one bucket for all from which on others may be spared. Plans that let a burst through
reach 3 (simulated captures, development seeds); of 91 comparisons beside policed transfers six show less than 6, and 80
show 20 and more."""

CHOSEN = 40.0
"""Log-likelihood ratio from which on limits that choose are believed against one bucket for all. In 316 captures of
data plans of the simulator (development seeds), half of them with small transfers beside the large ones, one capture of
a plan whose bucket holds a few packets exceeds it; of 25 captures of several limits that one bucket was taken for, 14
do."""


Answer = TypeVar("Answer")
Asking = Generator[Company, Weighed, Answer]
"""What asks about companies before it answers."""


AT_ONCE = 1 << 21
"""Packets of clients that are laid out at a time, once for each limited direction: they take some sixty megabytes."""


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


@frozen(kw_only=True)
class Compared:
    """How one limited direction compares with the client's other connections."""

    others: Others = Others.NONE
    llr: float = 0.0  # of others having only luck against sharing the bucket
    servers: int = 1
    rate: float = np.nan  # bytes a second of the common limit
    shared: float = 0.0  # log-likelihood ratio of one limit for everything against one for each
    passed: int = 0  # packets of others
    bar: float = BEYOND_DOUBT  # log-likelihood ratio from which on others are spared for sure
    rows: I64 = attrs.field(factory=lambda: np.empty(0, np.int64))  # packets that show it


@frozen(eq=False)
class Controls:
    """What the contrasts of one capture share, worked out once."""

    trace: Trace
    numbering: Numbering  # what the IP identifications tell
    limited: I64  # flows that met some limit
    weighed: dict[tuple[int, ...], Weighed] = attrs.field(init=False, factory=dict)  # by `company_key`

    @cached_property
    def domain(self) -> I64:
        """The domain of each flow, as a number."""
        return flow_domains(self.trace)

    @cached_property
    def limited_at(self) -> I64:
        """Give for each host one of its flows that are limited, -1 where there is none."""
        flow = np.full(len(self.trace.hosts), -1)
        flow[self.trace.flows.server[self.limited]] = self.limited
        return flow

    @cached_property
    def limited_at_large(self) -> Mask:
        """Of each host, whether it is limited under names of different domains or at several ports."""
        flows, several = self.trace.flows, np.zeros(len(self.trace.hosts), np.bool_)
        server = flows.server[self.limited]
        for column in (self.domain, flows.server_port):
            several[server[column[self.limited] != column[self.limited_at[server]]]] = True
        return several


def compare(controls: Controls, limited: Sequence[Judged]) -> list[Compared]:
    """Compare directions with a token bucket with what their clients exchanged with others.

    Args:
        controls: Of the capture.
        limited: The directions, whose `bucket` is not None.

    Returns:
        The contrast of each.
    """
    if not limited:
        return []
    flows = controls.trace.flows
    exchanged = np.bincount(flows.client, controls.trace.by_flow.lengths)
    load = np.cumsum([exchanged[judged.direction.client(controls.trace)] for judged in limited]) // AT_ONCE
    begins = [0, *(np.flatnonzero(np.diff(load)) + 1).tolist(), len(limited)]
    return [one for begin, end in pairwise(begins) for one in compare_at_once(controls, limited[begin:end])]


def compare_at_once(controls: Controls, limited: Sequence[Judged]) -> list[Compared]:
    """Compare some directions; whether one bucket holds everything takes a search, so all ask that together."""
    around = surroundings(controls.trace, limited, controls.numbering)
    asking = dict(enumerate(contrasted(controls, one) for one in around))
    answers: dict[int, Weighed | None] = dict.fromkeys(asking)
    found: dict[int, Compared] = {}
    while asking:
        companies = {}
        for place, answer in answers.items():
            try:
                companies[place] = next(asking[place]) if answer is None else asking[place].send(answer)
            except StopIteration as told:
                found[place] = told.value
                del asking[place]
        answers = dict(zip(companies, weigh(controls, list(companies.values())), strict=True))
    return [found[place] for place in range(len(limited))]


def contrasted(controls: Controls, around: Surroundings) -> Asking[Compared]:
    """Compare one direction with what its client exchanged besides, and ask on the way what holds everything."""
    trace, domain = controls.trace, controls.domain
    limited = [around.own, *around.alike, *around.showing]
    begin = min(series.time[series.lost].min() for series in limited)  # before, nobody met the limit
    end = max(series.time.max() for series in limited)
    meanwhile = [series.between(begin, end) for series in around.clean]
    meanwhile = [series for series in meanwhile if len(series)]
    llrs = yield from spared_llrs(controls, around, meanwhile)
    if sum(llrs) >= (BEYOND_DOUBT if at_once(domain, around.own, around.alike) else SURE):
        return attrs.evolve(spared(trace, domain, around.own, meanwhile, llrs), bar=SURE)
    lossy = limited_alike(around, domain)
    servers = {int(domain[series.flow[0]]) for series in lossy}
    weighed = (yield company_of(controls, around, meanwhile)) if len(servers) > 1 else None
    if weighed is not None and (weighed.llr > -CHOSEN - missed(trace, lossy) or not weighed.explained):
        rows = np.unique(np.concatenate([series.row[series.lost] for series in lossy]))[:MOST_WITNESSES]
        held = Compared(others=Others.ALIKE, llr=sum(llrs), shared=weighed.shared, rows=rows)
        return attrs.evolve(held, servers=len(servers), rate=around.fit.rate)
    if sum(llrs) > DECIDED:
        return spared(trace, domain, around.own, meanwhile, llrs)
    ever = yield from spared_llrs(controls, around, around.clean)
    if sum(ever) > DECIDED:
        return contrast(Others.SPARED_ELSEWHEN, sum(ever), around.clean)
    return contrast(Others.UNCLEAR, sum(ever), around.clean) if around.clean else Compared()


def limited_alike(around: Surroundings, domain: I64) -> list[Series]:
    """List the flows that may share a limit, both ways: of the direction's own those that do not pass it freely.

    Nothing is said of servers of one domain, which may all be the target.
    """
    others = [*around.alike, *around.back]
    if len(np.unique(domain[np.concatenate([series.flow for series in (around.own, *others)])])) == 1:
        return []
    own = around.own.parted(around.own.flow)
    free = passed_freely(around.own, around.fit, own)
    own = [series for series, llr in zip(own, free, strict=True) if llr < -DECIDED or lost_alike(series, around.usual)]
    return [*own, *others]


def settled(trace: Trace, directions: list[Direction], contrasts: list[Compared]) -> list[Compared]:
    """Hold the contrasts of each client against each other: a link is limited as a whole, or it is not.

    Args:
        trace: The capture.
        directions: The limited directions.
        contrasts: How each compares.

    Returns:
        The contrasts. Where a client has others that are spared for sure, what seemed to be the link's points at them;
        else what is the link's for one direction is so for all of the same client and way.
    """
    sure: dict[int, Compared] = {}
    whole: dict[tuple[int, bool], Compared] = {}
    ways = [(direction.client(trace), direction.outbound) for direction in directions]
    for (client, outbound), compared in zip(ways, contrasts, strict=True):
        if compared.others in MEANWHILE and compared.llr >= compared.bar:
            sure[client] = compared
        elif compared.others is Others.ALIKE:
            whole[client, outbound] = max(compared, whole.get((client, outbound), compared), key=attrgetter("shared"))
    final = []
    for (client, outbound), compared in zip(ways, contrasts, strict=True):
        if client not in sure:
            final.append(whole.get((client, outbound), compared))
        elif compared.others is Others.ALIKE:
            final.append(attrs.evolve(sure[client], others=Others.SPARED_ELSEWHEN))
        else:
            final.append(compared)
    return final


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


def spared_llrs(controls: Controls, around: Surroundings, others: list[Series]) -> Asking[list[float]]:
    """Weigh, for each of some others, whether it is spared; 0 where one bucket may hold them all.

    A bucket is known from what it drops of some, and may be deeper than these show: then others pass it as well. What
    these have in common is their luck, so they are asked as one.
    """
    llrs = passed_freely(around.own, around.fit, others)
    if sum(llrs) <= DECIDED:
        return llrs
    weighed = yield company_of(controls, around, [others[0].joined(others[1:])])
    return llrs if weighed.llr <= -APART else [0.0] * len(llrs)


def missed(trace: Trace, lossy: list[Series]) -> float:
    """Say how much better limits that choose may explain flows only since the recorder missed some of their packets.

    What was missed drained the bucket all the same. So each such packet may make one other look wrong where flows share
    a bucket, which costs no more than to call it a loss by chance.

    Returns:
        Nats.
    """
    packets = sum(len(series) * float(trace.recording.loss_share[series.flow[0]]) for series in lossy)
    return -packets * float(np.log(CHANCE_LOSS))


def company_of(controls: Controls, around: Surroundings, others: list[Series]) -> Company:
    """Bring together what lost alike, and others."""
    limited = bounded(around.own.joined(around.alike))
    servers = controls.trace.flows.server[limited.flow].astype(np.int64)
    return Company(limited=limited, servers=servers, spared=others, near=around.fit)


def weigh(controls: Controls, companies: Sequence[Company]) -> list[Weighed]:
    """Weigh one bucket for everything that clients exchanged against limits that choose, as `one_for_all` does.

    Directions with the same lossy flows, and the same packets of others, ask the same, so it is weighed once.
    """
    keys = [company_key(controls.trace, company) for company in companies]
    new: dict[tuple[int, ...], Company] = {}
    for key, company in zip(keys, companies, strict=True):
        if key not in controls.weighed:
            new.setdefault(key, company)
    controls.weighed.update(zip(new, one_for_all(list(new.values())), strict=True))
    return [controls.weighed[key] for key in keys]


def company_key(trace: Trace, company: Company) -> tuple[int, ...]:
    """Tell companies apart by way, kind, lossy flows and what others exchanged."""
    row, spared = company.limited.row[0], []
    for series in company.spared:
        spared += [*np.unique(series.flow).tolist(), int(series.row[0]), int(series.row[-1])]
    outbound, data = int(trace.packets.outbound[row]), int(trace.packets.payload_length[row] > 0)
    return (outbound, data, *np.unique(company.limited.flow).tolist(), -1, *spared)
