import attrs
import numpy as np
import pytest

from benchmarks.longrun import draw, measure
from benchmarks.scoreboard.pools import Pool, Stock, donors, pool_of, recombined
from netinterf import analyze, classify, read
from netinterf.schema import Evidence, Outcome, Rule
from netinterf.simulate import run
from netinterf.table import Ragged
from netinterf.verdict.model import Model
from netinterf.verdict.reasons import CATALOGUE, Reason
from tests.unit.verdict.tables import plain_model

RULES = tuple(Rule(id=f"x.{group}", mechanism="tcp.reset", group=group, says="odd") for group in ("distance", "timing"))


@pytest.fixture
def model() -> Model:
    """Give a model under which one odd group is not enough to accuse, and two are."""
    return plain_model(group_cap=5.0, priors={("tcp", "tcp.reset"): -5.8})


def pool(
    odd: list[tuple[int, int]], *, flows: int = 10, scenario: str = "s", llr: float = 5.0, cut: tuple[int, ...] = ()
) -> Pool:
    """Make a run of TCP flows; every flow has both questions asked, and *odd* (flow, group) answered badly.

    Flows in *cut* ended by a reset, the others worked.
    """
    subject = np.repeat(np.arange(flows, dtype=np.int32), 2)
    rule = np.tile(np.array([0, 1], np.uint16), flows)
    bad = np.array([(int(a), int(b)) in odd for a, b in zip(subject, rule, strict=True)])
    count = len(subject)
    return Pool(
        scenario=scenario,
        exchange=np.zeros(flows, np.bool_),
        prior_kind=np.zeros(flows, np.int64),
        protocol=np.full(flows, 6, np.uint8),
        reasons=np.isin(np.arange(flows), cut) * Reason.RESET_UNEXPLAINED,
        whole=np.ones(flows, np.bool_),
        server=np.zeros(flows, np.int32),
        port=np.full(flows, 443, np.int64),
        evidence=Evidence(
            subject=subject, subject_kind=np.zeros(count, np.uint8), rule=rule, time=np.zeros(count, np.int64),
            llr=np.where(bad, llr, -1.0), forged=Ragged.empty(count, np.int32), witness=Ragged.empty(count, np.int32),
            measured=Ragged.empty(count, np.float64), rules=RULES,
        ),
    )  # fmt: skip


def test_a_quiet_pool_stays_quiet(model: Model) -> None:
    """Without an oddity nothing alarms in either reading, and the bound is that of the rule of three."""
    found = measure([pool([]), pool([])], 3000, model=model)
    for reading in found.values():
        assert reading["alarms"] == 0
        assert reading["subjects"] >= 3000
        assert reading["upper_per_million"] == pytest.approx(3e6 / reading["subjects"], rel=0.01)
        assert (
            reading["origins_upper_per_million"] > reading["clustered_upper_per_million"] > reading["upper_per_million"]
        )
    assert found["relived"]["distinct"] == 20


def test_recombination_brings_up_coincidences(model: Model) -> None:
    """Two oddities of different flows never meet when relived; recombined they meet as often as chance has it."""
    found = measure([pool([(0, 0), (1, 1)])], 20_000, model=model)
    assert found["relived"]["alarms"] == 0
    assert found["recombined"]["per_million"] == pytest.approx(1e6 * 0.1 * 0.1, rel=0.15)
    assert found["recombined"]["scenarios"] == {"s": found["recombined"]["alarms"]}
    assert [found[reading]["donors"] for reading in ("relived", "recombined")] == [1, 10]


def test_what_alarmed_alarms_again(model: Model) -> None:
    """A flow that was accused in its run is accused whenever it is relived, with its client."""
    found = measure([pool([(3, 0), (3, 1)])], 5000, model=model)
    assert found["relived"]["per_million"] == pytest.approx(1e5, rel=0.01)
    assert found["relived"]["hours_with_alarm"] > 0


def test_what_happened_is_weighed(model: Model) -> None:
    """A pooled flow keeps its fate, and silence about it weighs what the model says of that fate."""
    code = CATALOGUE[Reason.RESET_UNEXPLAINED].code
    pools = [pool([(0, 0), (0, 1), (1, 0), (1, 1)], cut=(1,), llr=1.0)]
    suspicious = attrs.evolve(model, quiet={("tcp", code): 9.0})
    found = measure(pools, 5000, model=suspicious)
    assert found["relived"]["per_million"] == pytest.approx(1e5, rel=0.01)
    assert measure(pools, 5000, model=model)["relived"]["alarms"] == 0


def test_evidence_is_exchanged_only_among_like() -> None:
    """Donors share scenario, kind, what happened and the set of questions that could be asked."""
    pools = [pool([(0, 0)], scenario="a"), pool([], scenario="b"), pool([], scenario="a", cut=(3,))]
    stock = Stock.of(pools)
    subject = np.arange(30)
    given = donors(stock, subject, np.random.default_rng(0))
    assert (stock.stratum[given] == stock.stratum[:, None]).all()
    assert stock.stratum[0] == stock.stratum[29] != stock.stratum[10]
    assert set(given[23]) == {23}  # nobody else's connection was cut
    about, evidence = recombined(stock, subject, None)
    assert about.tolist() == np.repeat(subject, 2).tolist()
    assert evidence.subject.tolist() == about.tolist()


def test_runs_stay_whole() -> None:
    """All flows of a visit have one client and hour, and the run's server is one common server."""
    long = draw([pool([], flows=7), pool([], flows=4, scenario="t")], 500, seed=2)
    assert (np.diff(long.hour) >= 0).all()
    visits = np.flatnonzero(long.place == 0)
    for start, end in zip(visits, [*visits[1:], len(long)], strict=True):
        part = slice(start, end)
        assert len(set(long.client[part])) == len(set(long.hour[part])) == len(set(long.server[part])) == 1
        assert end - start == len(long.pools[long.pool[start]])
    assert len(draw([pool([])], 500, seed=2)) == len(draw([pool([])], 500, seed=2))


@pytest.mark.parametrize("scenario", ["benign.tcp.traffic", "dns.injection"])
def test_a_table_is_judged_as_its_packets_were(scenario: str) -> None:
    """Relived flows and exchanges get the outcome that the packet-level run gave them."""
    simulated = run(scenario, 6)
    trace = read(times=simulated.times, frames=simulated.frames, link_type=simulated.link_type)
    evidence = analyze(trace)
    verdicts = classify(evidence, trace)
    accused = float(np.mean(verdicts.outcome == tuple(Outcome).index(Outcome.INTERFERED)))
    found = measure([pool_of(trace, evidence, scenario)], 2000)
    assert found["relived"]["per_million"] == pytest.approx(1e6 * accused)
    assert (accused > 0) == (scenario == "dns.injection")


def test_without_benign_runs_there_is_no_long_run() -> None:
    """Nothing comes of nothing."""
    assert measure([], 1000) == {}
