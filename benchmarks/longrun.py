"""False alarms over a long time: hundreds of thousands of benign flows, as tables instead of packets.

A rate of ten per million cannot be seen in the flows that can be simulated packet by packet within minutes. But what
`netinterf.classify` reads of a flow is little: its protocol, which directions were captured, and the evidence about it.
So the benign runs of a benchmark give their flows and evidence to a *pool*, and a long run is drawn from the pools: a
thousand clients visit common servers for some days, and each visit is one pooled run, all its flows together.

Dependence is kept at three levels. Flows of one run stay together, with their shared servers, capture and path. A
client keeps to few scenarios, so its oddities return, and alarms come in clusters of clients. Within a flow, which
questions could be asked (independence groups with any observation) is kept.

There are two readings. **Relived** gives each flow the evidence it had. It shows how alarms cluster and what rules over
many flows would add, but it holds no flow that the pools do not hold. **Recombined** gives each flow, for each
independence group by itself, the observations of another flow of the same scenario, kind and set of groups. That brings
up the rare coincidences (an odd hop limit and, by chance, odd timing) of which no packet-level run was long enough.
It is right as far as groups are independent given the scenario, which is what the model assumes as well; so it
measures what the model would do if its own assumption held, and an oddity that no pooled flow shows stays unseen.

So the bound of independent subjects speaks of the table that was drawn: with the model's own assumption, were the
pools all that benign traffic can show. How well the pools stand for traffic is the bound with pooled runs as clusters,
which no number of drawn flows improves; more packet-level runs do.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.scoreboard.intervals import clustered_upper, upper_bound
from benchmarks.scoreboard.pools import Pool, Stock, recombined
from netinterf.schema import Exchanges, Flows, Hosts, Outcome, Sides, SubjectKind
from netinterf.table import Ragged, Text
from netinterf.trace import Trace, read
from netinterf.verdict.combine import classify
from netinterf.verdict.model import Model

__all__ = ["Long", "draw", "measure"]

CLIENTS, SERVERS, DAYS = 1000, 2000, 7
SCENARIOS_PER_CLIENT = 3
ZIPF = 1.0
"""Exponent of the popularity of servers: web sites are visited about as 1 / rank (Breslau et al., INFOCOM 1999)."""

HOUR = 3600 * 10**9
UDP = 17

I64 = NDArray[np.int64]


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
    """Draw a long run, judge it hour by hour in both readings, and count the alarms.

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


def alarms_of(long: Long, stock: Stock, rng: np.random.Generator | None, model: Model | None) -> NDArray[np.bool_]:
    """Judge a long run hour by hour; say of each subject whether somebody is accused."""
    subject = long.subject
    about, evidence = recombined(stock, subject, rng)
    exchange = stock.exchange[subject]
    both = np.concatenate([pool.both for pool in long.pools])[subject]
    protocol = np.concatenate([pool.protocol for pool in long.pools])[subject]
    alarms = np.zeros(len(long), np.bool_)
    interfered = tuple(Outcome).index(Outcome.INTERFERED)
    for hour in np.unique(long.hour):
        first, last = np.searchsorted(long.hour, [hour, hour + 1])
        rows = slice(*np.searchsorted(about, [first, last]))
        trace, number = skeleton(long, slice(first, last), exchange[first:last], both[first:last], protocol[first:last])
        part = attrs.evolve(
            evidence.take(rows), subject=number[about[rows] - first].astype(np.int32),
            subject_kind=np.where(exchange[about[rows]], SubjectKind.EXCHANGE, SubjectKind.FLOW).astype(np.uint8),
        )  # fmt: skip
        verdicts = classify(part, trace, model)
        accused = np.flatnonzero(verdicts.outcome == interfered)
        is_exchange = verdicts.subject_kind[accused] == SubjectKind.EXCHANGE
        place = np.flatnonzero(~exchange[first:last]), np.flatnonzero(exchange[first:last])
        row = verdicts.subject[accused]
        alarms[first + np.concatenate([place[0][row[~is_exchange]], place[1][row[is_exchange]]])] = True
    return alarms


@cache
def one_frame() -> Trace:
    """Read a capture of one frame without a flow: row -1 needs a packet to point at."""
    return read(times=[0], frames=[bytes(60)], link_type=1)


def skeleton(
    long: Long, part: slice, exchange: NDArray[np.bool_], both: NDArray[np.bool_], protocol: NDArray[np.uint8]
) -> tuple[Trace, I64]:
    """Build a trace without packets of its own that holds some subjects of a long run.

    Flows come first; then one UDP flow for every exchange, which carries nothing else.

    Returns:
        The trace, and each subject's row in its Flows or Exchanges.
    """
    count, flows = len(exchange), int(np.count_nonzero(~exchange))
    number = np.where(exchange, np.cumsum(exchange) - 1, np.cumsum(~exchange) - 1)
    order = np.argsort(exchange, kind="stable")
    time = (long.hour[part] * HOUR)[order]
    sides = np.zeros((count, 2), np.uint32)
    sides[:, 0] = 1
    sides[:, 1] = both[order]
    hosts = CLIENTS + SERVERS
    none = np.full(2 * count, -1, np.int32)
    blank = {name: np.zeros(2 * count, field) for name, field in (("mss", "u2"), ("window_shift", "u1"))}
    trace = attrs.evolve(
        one_frame(),
        hosts=Hosts(high=np.zeros(hosts, np.uint64), low=(0xFFFF << 32 | np.arange(hosts)).astype(np.uint64)),
        flows=Flows(
            client=long.client[part][order].astype(np.int32),
            server=(CLIENTS + long.server[part][order]).astype(np.int32),
            client_port=np.zeros(count, np.uint16), server_port=np.zeros(count, np.uint16),
            protocol=np.where(exchange[order], UDP, protocol[order]).astype(np.uint8),
            oriented_by=np.ones(count, np.uint8), first=time, last=time, first_packet=np.full(count, -1, np.int32),
        ),
        sides=Sides(
            packets=sides.reshape(-1), payload_packets=sides.reshape(-1), payload_bytes=sides.reshape(-1).astype("i8"),
            first=none, last=none, syn=none, fin=none, rst=none, first_payload=none, isn=np.zeros(2 * count, "u4"),
            syn_options=np.zeros(2 * count, "u1"), sent=none.astype("i8"), acked=none.astype("i8"),
            repeats=np.zeros(2 * count, "u4"), fills=np.zeros(2 * count, "u4"), rtt=none.astype("i8"),
            rtt_samples=np.zeros(2 * count, "u4"), **blank,
        ),
        by_flow=Ragged.empty(count, np.int32),
        exchanges=Exchanges(
            flow=np.arange(flows, count, dtype=np.int32), id=np.zeros(count - flows, np.uint16),
            kind=np.ones(count - flows, np.uint16), qclass=np.ones(count - flows, np.uint16),
            name=Text.empty(count - flows, np.uint8), queries=Ragged.empty(count - flows, np.int32),
            replies=Ragged.empty(count - flows, np.int32),
        ),
    )  # fmt: skip
    return trace, number


def counted(long: Long, alarms: NDArray[np.bool_]) -> dict[str, Any]:
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
