"""What a certain case says of others on its path, counted over labelled suspicions."""

import numpy as np
import pytest

from benchmarks.fit.corpus import Sample, gather
from benchmarks.fit.design import lay_out
from benchmarks.fit.same_path import odds_ratio, times_of
from tests.unit.verdict.tables import evidence, plain_model, rule

RULES = [rule("reset.a", "tcp.reset", "timing"), rule("reset.b", "tcp.reset", "header")]


def sample(path: list[int], worked: list[bool], rows: list[tuple[int, str, float]]) -> Sample:
    """Write down what TCP connections of one capture showed, on which path, and whether they were reset."""
    count = len(path)
    return Sample(
        scenario="tests",
        evidence=evidence(RULES, rows),
        kind=np.zeros(count, np.int64),
        server=np.array(path, np.int64),
        path=np.array(path, np.int64),
        happened=("ok",) * count,
        mechanisms=tuple(("tcp.reset",) if one else () for one in worked),
        series=np.zeros(count, np.bool_),
        system=("",) * count,
        confounder=("",) * count,
    )


def times(samples: list[Sample]) -> float:
    """Estimate over some captures."""
    corpus = gather(samples)
    model = plain_model()
    return times_of(lay_out(corpus, model), model, np.ones(len(corpus), np.bool_))


def test_company_is_counted_on_the_path_alone() -> None:
    """Suspicions of one weight, beside a certain case of another path, of the same, and of another capture's."""
    certain = [(0, "reset.a", 6.0), (0, "reset.b", 6.0)]
    faint = [(place, "reset.a", 3.5) for place in range(1, 21)]
    half = [False, True] * 10
    beside = sample([0] * 21, [True] * 21, certain + faint)
    apart = sample([0, *[1] * 20], [True, *half], certain + faint)
    nobody = sample([0] * 21, [False, *half], faint)
    assert times([beside, apart]) == times([beside, nobody]) == 10.0
    assert times([sample([0] * 21, [True, *half], certain + faint), apart]) == pytest.approx(1.0, abs=0.1)
    assert times([apart, nobody]) == 1.0  # nothing stands beside a certain case


def test_the_odds_ratio_compares_within_strata() -> None:
    """What only follows from the strata is no ratio; what holds in each of them is."""
    rng = np.random.default_rng(1)
    stratum = rng.integers(0, 2, 40_000)
    beside = rng.random(40_000) < np.where(stratum, 0.8, 0.2)
    for ratio in (1.0, 4.0):
        odds = np.where(stratum, 1.0, 0.05) * np.where(beside, ratio, 1.0)
        hit = rng.random(40_000) < odds / (1 + odds)
        assert odds_ratio(stratum, hit, beside) == pytest.approx(ratio, rel=0.1)
    assert odds_ratio(np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.bool_)) == 1.0
