"""False alarms over a long time: hundreds of thousands of benign flows, as tables instead of packets.

A rate of ten per million cannot be seen in the flows that can be simulated packet by packet within minutes. But what
judgement reads of a flow is little: its kind, what happened to it, which directions were captured, and the evidence.
So the benign runs of a benchmark give their flows and evidence to a *pool*, and a long run is drawn from the pools: a
thousand clients visit common servers for some days, and each visit is one pooled run, all its flows together.

Dependence is kept at three levels. Flows of one run stay together, with their shared servers, capture and path. A
client keeps to few scenarios, so its oddities return, and alarms come in clusters of clients. Within a flow, what
happened to it and which questions could be asked (independence groups with any observation) are kept.

There are two readings. **Relived** gives each flow the evidence it had. It shows how alarms cluster and what rules over
many flows would add, but it holds no flow that the pools do not hold. **Recombined** gives each flow, for each
independence group by itself, the observations of another flow of the same scenario, kind, fate and set of groups. That
brings up the rare coincidences (an odd hop limit and, by chance, odd timing) of which no packet-level run was long
enough. It is right as far as groups are independent given the scenario and the fate, which is what the model assumes as
well; so it measures what the model would do if its own assumption held, and an oddity that no pooled flow shows stays
unseen.

So the bound of independent subjects speaks of the table that was drawn: with the model's own assumption, were the
pools all that benign traffic can show. How well the pools stand for traffic is the bound with pooled runs as clusters,
which no number of drawn flows improves; more packet-level runs do.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.scoreboard.intervals import clustered_upper, upper_bound
from benchmarks.scoreboard.pools import Pool, Stock, recombined
from netinterf.arrays import I64, Mask
from netinterf.schema import Outcome, SubjectKind
from netinterf.table import Text
from netinterf.verdict.combine import judge
from netinterf.verdict.model import Model
from netinterf.verdict.subjects import Subjects

__all__ = ["Long", "draw", "measure"]

CLIENTS, SERVERS, DAYS = 1000, 2000, 7
SCENARIOS_PER_CLIENT = 3
ZIPF = 1.0
"""Exponent of the popularity of servers: web sites are visited about as 1 / rank (Breslau et al., INFOCOM 1999)."""

HOUR = 3600 * 10**9  # ns


@attrs.frozen(eq=False, kw_only=True)
class Long:
    """A long run: one entry per subject, in order of hour."""

    pools: tuple[Pool, ...]
    pool: I64  # which run a subject was drawn from
    place: I64  # and which of its subjects it is
    client: I64
    server: I64
    hour: I64

    def __len__(self) -> int:
        return len(self.pool)

    @cached_property
    def starts(self) -> I64:
        """First subject of each pool when all are put one after the other."""
        sizes = np.array([len(pool) for pool in self.pools], np.int64)
        return np.cumsum(sizes) - sizes

    @property
    def subject(self) -> I64:
        """Each subject's place among those of all pools."""
        found: I64 = self.starts[self.pool] + self.place
        return found


def draw(pools: Sequence[Pool], count: int, *, seed: int = 0) -> Long:
    """Draw a long run of at least *count* subjects.

    Args:
        pools: Benign runs; at least one with a subject.
        count: Flows and exchanges wanted.
        seed: Seed of all chance.
    """
    rng = np.random.default_rng(seed)
    kept = tuple(pool for pool in pools if len(pool))
    names = sorted({pool.scenario for pool in kept})
    by_name = [[place for place, pool in enumerate(kept) if pool.scenario == name] for name in names]
    habits = rng.integers(len(names), size=(CLIENTS, SCENARIOS_PER_CLIENT))
    popularity = 1.0 / np.arange(1, SERVERS + 1) ** ZIPF
    popularity /= popularity.sum()
    sizes = np.array([len(pool) for pool in kept])
    visits: list[tuple[int, int, int]] = []
    total = 0
    while total < count:
        client = int(rng.integers(CLIENTS))
        choices = by_name[int(rng.choice(habits[client]))]
        chosen = choices[int(rng.integers(len(choices)))]
        visits.append((int(rng.integers(24 * DAYS)), client, chosen))
        total += int(sizes[chosen])
    hour, client_of, pool_of_visit = np.array(sorted(visits), np.int64).T
    lengths = sizes[pool_of_visit]
    pool = np.repeat(pool_of_visit, lengths)
    place = np.arange(len(pool)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    own = np.concatenate([kept[number].server for number in pool_of_visit]).astype(np.int64)
    visit = np.repeat(np.arange(len(visits)), lengths)
    pairs, at = np.unique(visit * (1 << 20) + own, return_inverse=True)  # a run's server is one common server
    server = rng.choice(SERVERS, size=len(pairs), p=popularity)[at]
    return Long(
        pools=kept, pool=pool, place=place, client=np.repeat(client_of, lengths), server=server,
        hour=np.repeat(hour, lengths),
    )  # fmt: skip


def measure(
    pools: Sequence[Pool], count: int, *, seed: int = 0, model: Model | None = None
) -> dict[str, dict[str, Any]]:
    """Draw a long run, judge it in both readings, and count the alarms.

    Args:
        pools: Benign runs.
        count: Flows and exchanges wanted.
        seed: Seed of all chance.
        model: Weights; None takes those that ship with the library.

    Returns:
        Per reading: subjects, alarms, their rate per million with three bounds (independent subjects, clients as
        clusters, pooled runs as clusters), hours with an alarm, the scenarios that raised alarms, how many distinct
        subjects the long run was drawn from, and the median number of subjects whose observations one could be given.
    """
    if not any(len(pool) for pool in pools):
        return {}
    long = draw(pools, count, seed=seed)
    stock = Stock.of(long.pools)
    like = np.bincount(stock.stratum)[stock.stratum[long.subject]]
    return {
        name: {**counted(long, alarms_of(long, stock, rng, model)), "donors": donors}
        for name, rng, donors in (
            ("relived", None, 1.0),
            ("recombined", np.random.default_rng(seed + 1), float(np.median(like))),
        )
    }


def alarms_of(long: Long, stock: Stock, rng: np.random.Generator | None, model: Model | None) -> Mask:
    """Judge a long run; say of each subject whether somebody is accused."""
    about, evidence = recombined(stock, long.subject, rng)
    subjects = subjects_of(long)
    table = attrs.evolve(evidence, subject=about.astype(np.int32), subject_kind=subjects.kind[about])
    alarms: Mask = judge(table, subjects, model).outcome == tuple(Outcome).index(Outcome.INTERFERED)
    return alarms


def subjects_of(long: Long) -> Subjects:
    """List the subjects of a long run, in its order; flows and exchanges alike are numbered by their place in it.

    No capture loss is taken over from the runs: it decides only whether an accusation is likely or confirmed.
    """

    def pooled(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(pool, name) for pool in long.pools])[long.subject]

    count = len(long)
    number, none = np.arange(count), np.full(count, -1, np.int32)
    time = long.hour * HOUR
    return Subjects(
        subject=number.astype(np.int32),
        kind=np.where(pooled("exchange"), SubjectKind.EXCHANGE, SubjectKind.FLOW).astype(np.uint8),
        prior_kind=pooled("prior_kind"),
        flow=number.astype(np.int32),
        protocol=pooled("protocol"),
        client=long.client.astype(np.int32),
        server=(CLIENTS + long.server).astype(np.int32),
        port=pooled("port"),
        first_packet=none,
        start=time,
        end=time,
        name=Text.empty(count, np.uint8),
        named_by=np.zeros(count, np.uint8),
        named_in=none,
        ja4=Text.empty(count, np.uint8),
        reasons=pooled("reasons"),
        whole=pooled("whole"),
        broken=np.zeros(count, np.bool_),
        unseen=np.zeros(count, np.int64),
        unheard=np.zeros(count, np.bool_),
        loss_share=np.zeros(count),
        by_flow=number,
        by_exchange=number,
    )


def counted(long: Long, alarms: Mask) -> dict[str, Any]:
    """Count the alarms of a long run, with bounds."""
    total, wrong = len(long), int(np.count_nonzero(alarms))
    sizes = np.bincount(long.client, minlength=CLIENTS)
    by_client = np.bincount(long.client, alarms, minlength=CLIENTS)
    present = sizes > 0
    origins, by_origin = np.bincount(long.pool), np.bincount(long.pool, alarms)
    scenarios = [long.pools[number].scenario for number in long.pool[alarms]]
    return {
        "subjects": total,
        "distinct": len(np.unique(long.subject)),
        "clients": int(np.count_nonzero(present)),
        "hours": len(np.unique(long.hour)),
        "alarms": wrong,
        "per_million": 1e6 * wrong / total,
        "upper_per_million": 1e6 * upper_bound(wrong, total),
        "clustered_upper_per_million": 1e6
        * clustered_upper(by_client[present].astype(int).tolist(), sizes[present].tolist()),
        "origins_upper_per_million": 1e6 * clustered_upper(by_origin.astype(int).tolist(), origins.tolist()),
        "hours_with_alarm": len(np.unique(long.hour[alarms])),
        "scenarios": {name: scenarios.count(name) for name in sorted(set(scenarios))},
    }
