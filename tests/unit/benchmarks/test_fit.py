"""The fit: what it learns from evidence whose truth is known, and what it must never do."""

import attrs
import numpy as np
import pytest

from benchmarks.fit.alone import alone_of
from benchmarks.fit.command import captures_of
from benchmarks.fit.corpus import Sample, gather, sample, total_caps
from benchmarks.fit.design import lay_out
from benchmarks.fit.folds import FOLDS, folds_of
from benchmarks.fit.silence import UNKNOWING, quiet_of, supported
from benchmarks.fit.weights import FLOOR, LARGEST, fit_factors
from benchmarks.quality import Plan
from benchmarks.scoreboard.judging import Job
from benchmarks.scoreboard.left_out import origin_of
from netinterf.schema import Evidence, Rule
from netinterf.table import Ragged
from netinterf.verdict.reasons import CATALOGUE
from tests.unit.verdict.tables import plain_model

RULES = (
    Rule(id="a.good", mechanism="tcp.reset", group="a", says="A telling sign"),
    Rule(id="b.noise", mechanism="tcp.reset", group="b", says="A sign that tells nothing"),
    Rule(id="c.excuse", mechanism="tcp.reset", group="c", says="A harmless cause"),
    Rule(id="d.unseen", mechanism="tcp.reset", group="d", says="A sign that nobody saw"),
)
GOOD, NOISE, EXCUSE, UNSEEN = range(len(RULES))
WEIGHT = (4.0, 4.0, -4.0, 2.0)
SUBJECTS = 6000


def corpus(seed: int = 1, *, scale: float = 1.0):
    """Make subjects of which one in ten was interfered with; a tenth as many signs among the others."""
    rng = np.random.default_rng(seed)
    hit = rng.random(SUBJECTS) < 0.1
    shown = np.stack(
        [
            rng.random(SUBJECTS) < np.where(hit, 0.6, 0.6 * np.exp(-4.0 * scale)),
            rng.random(SUBJECTS) < 0.3,
            rng.random(SUBJECTS) < np.where(hit, 0.02, 0.3),
        ],
        axis=1,
    )
    subject, rule = np.nonzero(shown)
    count = len(subject)
    evidence = Evidence(
        subject=subject.astype(np.int32), subject_kind=np.zeros(count, np.uint8), rule=rule.astype(np.uint16),
        time=np.zeros(count, np.int64), llr=np.array(WEIGHT)[rule], forged=Ragged.empty(count, np.int32),
        witness=Ragged.empty(count, np.int32), measured=Ragged.empty(count, np.float64), rules=RULES,
    )  # fmt: skip
    return gather(
        [
            Sample(
                scenario="made", evidence=evidence, kind=np.zeros(SUBJECTS, np.int64),
                server=np.arange(SUBJECTS), path=np.arange(SUBJECTS),
                happened=tuple("tcp.stalled" if one else "ok" for one in hit),
                mechanisms=tuple(("tcp.reset",) if one else () for one in hit),
                series=np.zeros(SUBJECTS, np.bool_),
                system=tuple(f"s{k % 30}" if one else "" for k, one in enumerate(hit)),
                confounder=tuple("" if one else f"c{k % 30}" for k, one in enumerate(hit)),
            )
        ]
    )  # fmt: skip


def fitted(made, model=None):
    """Fit all of a corpus."""
    model = model or plain_model()
    design = lay_out(made, model)
    return design, fit_factors(design, model, np.ones(len(design.corpus), np.bool_))


def test_factors_find_what_signs_are_worth() -> None:
    """A sign worth its weight keeps it, noise loses it, a harmless cause keeps arguing."""
    _, factors = fitted(corpus())
    assert factors["a.good"] == pytest.approx(1.0, abs=0.25)
    assert factors["b.noise"] < 0.15
    assert factors["c.excuse"] == pytest.approx(np.log(0.3 / 0.02) / 4, abs=0.3)


def test_parts_of_a_bounded_sum_keep_their_weights() -> None:
    """Rules of a mechanism whose sum is bounded by design are not scaled, whatever the corpus says."""
    made = corpus()
    words = tuple(("rate.handshake",) if one else () for one in (~made.benign).tolist())
    rules = tuple(attrs.evolve(rule, mechanism="rate.handshake") for rule in RULES)
    evidence = attrs.evolve(made.evidence, rules=rules)
    model = plain_model(joint=("rate.handshake",))
    _, factors = fitted(attrs.evolve(made, mechanisms=words, evidence=evidence), model)
    assert set(factors.values()) == {1.0}


def test_factors_stay_in_their_bounds() -> None:
    """A rule that was not seen keeps its weight, and no factor is negative or beyond the largest."""
    _, factors = fitted(corpus(scale=10.0))
    assert factors["d.unseen"] == 1.0
    assert all(0 <= factor <= LARGEST for factor in factors.values())


def test_what_no_benign_traffic_fires_keeps_its_weight() -> None:
    """A rule that the corpus makes nothing of keeps most of its weight where no benign traffic speaks against it."""
    made, model = corpus(), plain_model()
    design = lay_out(made, model)
    factors = fit_factors(design, model, np.ones(len(design.corpus), np.bool_), spotless=frozenset({"b.noise"}))
    assert factors["b.noise"] == FLOOR


def test_bounds_and_dependence_are_part_of_the_fit() -> None:
    """What a bound cuts adds no more, however large the factor; of a further group only what is new counts."""
    made = corpus()
    design = lay_out(made, plain_model())
    loose, tight = plain_model(factors={"a.good": 2.0}), plain_model(factors={"a.good": 2.0}, bounds={"a.good": 1.0})
    shown = design.matrix(loose).toarray()[:, GOOD] > 0
    assert (design.matrix(loose).toarray()[shown, GOOD] * 2.0).max() > 1.0
    np.testing.assert_allclose(design.matrix(tight).toarray()[shown, GOOD] * 2.0, 1.0)
    half, whole = (
        design.matrix(plain_model(factors={"b.noise": 0.5}, dependence=share)).toarray() for share in (0.5, 0.0)
    )
    assert set(np.unique(np.round(half[whole > 0] / whole[whole > 0], 6))) == {0.5, 1.0}
    np.testing.assert_allclose(half[whole < 0], whole[whole < 0])


def test_series_and_other_mechanisms_decide_nothing() -> None:
    """Subjects that another mechanism worked on, or that only a series decides, are no rows of the regression."""
    made = corpus()
    hit = ~made.benign
    whole = len(lay_out(made, plain_model()).kept)
    series = lay_out(attrs.evolve(made, series=hit), plain_model())
    other = lay_out(attrs.evolve(made, mechanisms=tuple(("tcp.drop",) if one else () for one in hit)), plain_model())
    assert not series.right.any()
    assert not other.right.any()
    assert len(series.kept) == len(other.kept) < whole


def test_series_that_company_tells_are_decided_by_it() -> None:
    """Of mechanisms that strike whole classes, series count where evidence drawn from others speaks for them."""
    made = corpus()
    hit = ~made.benign
    words = tuple(("rate.freeze",) if one else () for one in hit.tolist())
    rules = tuple(attrs.evolve(rule, mechanism="rate.freeze", shared=rule.id == "a.good") for rule in RULES)
    evidence = attrs.evolve(made.evidence, rules=rules)
    frozen = attrs.evolve(made, mechanisms=words, series=hit, evidence=evidence)
    shown = np.zeros(len(made.kind), np.bool_)
    shown[evidence.subject[evidence.rule == GOOD]] = True
    design = lay_out(frozen, plain_model())
    assert design.right.sum() == np.sum(hit & shown)
    alone = tuple(attrs.evolve(rule, mechanism="rate.freeze") for rule in RULES)
    assert not lay_out(attrs.evolve(frozen, evidence=attrs.evolve(evidence, rules=alone)), plain_model()).right.any()


def test_scores_are_likelihood_ratios() -> None:
    """Signs that say more than they are worth, or less, add up to likelihood ratios once they are fitted."""
    rng = np.random.default_rng(4)
    hit = rng.random(SUBJECTS) < 0.5
    shown = rng.random((SUBJECTS, 3)) < np.where(hit[:, None], 0.2, 0.02)
    made = attrs.evolve(corpus(), mechanisms=tuple(("tcp.reset",) if one else () for one in hit), benign=~hit)
    subject, rule = np.nonzero(shown)
    said = np.array([4.0, 1.0, 3.0])[rule]
    table = attrs.evolve(
        made.evidence.take(np.zeros(len(subject), np.int64)),
        subject=subject.astype(np.int32), rule=rule.astype(np.uint16), llr=said,
    )  # fmt: skip
    design, factors = fitted(attrs.evolve(made, evidence=table))
    found = design.scores(plain_model(factors=factors))
    said = 1.0 / (1.0 + np.exp(-design.base - found))

    def shares(low: float, high: float) -> tuple[float, float]:
        mine = (found > low) & (found < high)
        weight = design.weight[mine]
        return float(np.average(said[mine], weights=weight)), float(np.average(design.right[mine], weights=weight))

    one, several = shares(0.5, 3.5), shares(3.5, 9.0)
    assert one[0] == pytest.approx(one[1], abs=0.03)
    # that other signs are missing is no parameter, so single signs bear it and several together say rather too little
    short = np.log(several[1] / (1 - several[1])) - np.log(several[0] / (1 - several[0]))
    assert 0 <= short < 1.5


def test_caps_are_what_the_corpus_supports() -> None:
    """None of n untouched subjects is at most 3 / n of them; kinds of which there are few have no cap of their own."""
    made = corpus()
    assert total_caps(made) == {"tcp": pytest.approx(np.log(np.sum(made.benign) / 3), abs=0.05)}


def test_silence_is_measured_where_something_is_known() -> None:
    """What happened argues by how much less often it befell the interfered, and never for them; gaps say nothing."""
    made = corpus()
    design, factors = fitted(made)
    loud = supported(design, plain_model(factors=factors))
    everybody = np.ones(len(made), np.bool_)
    quiet = quiet_of(made, loud, everybody)
    assert quiet.keys() == {("tcp", "ok")}
    assert quiet["tcp", "ok"] < -2
    cut = attrs.evolve(made, happened=np.full(len(made), "capture.snaplen"))
    assert quiet_of(cut, loud, everybody) == {}
    assert {cause.code for cause in CATALOGUE.values()} >= UNKNOWING


def test_how_seldom_one_sign_stands_alone() -> None:
    """It is the share of the interfered that something speaks for, for which nothing else does."""
    made = corpus()
    design, model = lay_out(made, plain_model()), plain_model()
    everybody = np.ones(len(made), np.bool_)
    signs = np.zeros((len(made), len(RULES)), np.bool_)
    signs[made.evidence.subject, made.evidence.rule] = True
    speaking = signs[~made.benign][:, [GOOD, NOISE]].sum(axis=1)
    expected = np.log(np.mean(speaking[speaking > 0] == 1))
    assert alone_of(design, model, everybody) == {"tcp.reset": pytest.approx(expected, abs=0.01)}
    assert alone_of(design, attrs.evolve(model, joint=("tcp.reset",)), everybody) == {}
    assert alone_of(design, model, made.benign) == {}


def test_scores_use_the_strongest_of_a_group_only() -> None:
    """Two signs of one group count once."""
    made = corpus()
    rules = tuple(attrs.evolve(rule, group="one") for rule in RULES)
    together = attrs.evolve(made, evidence=attrs.evolve(made.evidence, rules=rules))
    model = plain_model()
    assert lay_out(together, model).scores(model).max() == 4.0
    assert lay_out(made, model).scores(model).max() == 8.0


def test_no_capture_is_gathered_twice() -> None:
    """Thin scenarios are played on three times as many seeds, also those that two patterns name."""
    wanted = captures_of(Plan(simulator=True, seeds=2, first_seed=100, rivals=False), None)
    assert len({job.name for job in wanted}) == len(wanted)
    seeds = [job.seed for job in wanted if job.scenario == "benign.reach.no-quic-service"]
    assert sorted(seeds) == [100, 101, 102, 103, 104, 105]
    assert sorted(job.seed for job in wanted if job.scenario == "tcp.reset.ir-sni") == [100, 101]


def test_folds_leave_each_origin_out_once() -> None:
    """Every system, look-alike and scenario belongs to one tenth, whatever the order."""
    names = [f"system-{number}" for number in range(57)]
    folds = folds_of(names[::-1] + names)
    assert set(folds) == set(names)
    assert {folds[name] for name in names} == set(range(FOLDS))
    assert origin_of("gfw", "", "tcp.reset.cn") == "gfw"
    assert origin_of("", "rst-abort", "benign.x") == "rst-abort"
    assert origin_of("", "", "benign.x") == "benign.x"


def test_a_simulated_capture_becomes_a_sample() -> None:
    """Evidence and truth stand side by side, without packets."""
    one = sample(Job(source="simulator", name="x", scenario="tcp.reset", seed=3))
    assert any("tcp.reset" in words for words in one.mechanisms)
    assert any(not words for words in one.mechanisms)
    assert len(one.evidence) > 0
    assert one.evidence.subject.max() < len(one)
    assert one.evidence.witness.lengths.sum() == 0
