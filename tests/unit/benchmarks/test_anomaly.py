"""What is ordinary, counted: the tree that tells most, weights of repositories, and a curve that flatters nobody."""

import numpy as np
import pytest

from benchmarks.anomaly.fitting import MOST, PARTS, Pool, chances, curve, fit, part_of, pooled, tree, weights
from benchmarks.anomaly.gathering import BENIGN, Gathered
from benchmarks.anomaly.measuring import left_out
from netinterf.anomaly.kinds import QUESTION
from netinterf.anomaly.peers import Peers
from netinterf.anomaly.score import Members


def by_rule(homes: int, each: int, odd: int = -1) -> list[Gathered]:
    """Make questions of some repositories: all alike but for noise, and one repository odd in two facts."""
    rng = np.random.default_rng(1)
    found = []
    for home in range(homes):
        values = np.zeros((each, len(QUESTION.facts)), np.int8)
        values[:, 0] = rng.integers(0, 2, each)
        if home == odd:
            values[:2, 1:3] = 2
        company = Peers.of(np.zeros(each, np.int64), np.arange(each) % 2, np.arange(each))
        members = Members.of(QUESTION, np.arange(each), values, company)
        label = np.full(each, BENIGN, "U40")
        found.append(Gathered(source="real", file=str(home), home=f"h{home}", members=[members], labels=[label]))
    return found


def pool_of(found: list[Gathered]) -> Pool:
    """Put questions together."""
    pool = pooled(found, QUESTION)
    assert pool is not None
    return pool


def test_the_tree_joins_what_tells_most() -> None:
    """A copy hangs on what it copies, and noise on anything."""
    rng = np.random.default_rng(2)
    first = rng.integers(0, 3, 2000)
    second = np.where(rng.random(2000) < 0.9, first, rng.integers(0, 3, 2000))
    noise = rng.integers(0, 3, 2000)
    parent = tree(np.column_stack([first, noise, second]), np.ones(2000), [3, 3, 3])
    assert parent.count(-1) == 1
    assert parent[0] == 2 or parent[2] == 0


def test_chances_fall_back_where_the_parent_is_rare() -> None:
    """A value of the parent that was never seen has the chances of all; a frequent one its own."""
    own, above = np.array([0] * 900 + [1] * 100), np.array([0] * 900 + [1] * 100)
    table = chances(own, above, np.ones(1000), 2, 3, 20.0)
    assert table[3] == pytest.approx([0.9, 0.1], abs=0.01)
    assert table[2, 1] > 0.8
    assert table.sum(axis=1) == pytest.approx(np.ones(4))


def test_a_large_repository_is_not_what_is_ordinary() -> None:
    """No repository weighs more than the most."""
    found = by_rule(1, 3 * MOST) + by_rule(2, 10)[1:]
    pool = pool_of(found)
    weight = weights(pool, np.ones(len(pool.label), np.bool_))
    assert weight[pool.home == "h0"].sum() == pytest.approx(MOST)
    assert weight[pool.home == "h1"].sum() == pytest.approx(10)


def test_the_curve_counts_those_that_stand_out_as_far_or_farther() -> None:
    """With one more imagined that does."""
    told = curve(np.array([0.0, 0.0, 1.0, 3.0, np.nan]), np.array([1.0, 1.0, 1.0, 1.0, 0.0]))
    assert told["nats"].tolist() == [0.0, 1.0, 3.0]
    assert told["beyond"] == pytest.approx([1.0, 3 / 5, 2 / 5])


def test_a_repository_is_scored_by_others() -> None:
    """Two odd questions of one repository stand out, if it was not counted; all others do not."""
    found = by_rule(8, 60, odd=3)
    pool = pool_of(found)
    score = left_out(pool)
    odd = (pool.home == "h3") & (pool.members.values[:, 1] == 2)
    assert score[odd].min() > score[~odd].max()
    usual = fit(pool, np.ones(len(pool.label), np.bool_))
    assert len(usual.parent) == len(QUESTION.facts)


def test_repositories_are_dealt_whole() -> None:
    """Every conversation of a repository is in one part."""
    home = np.array(["a", "b", "a", "c", "b"])
    part = part_of(home)
    assert part[0] == part[2]
    assert part[1] == part[4]
    assert set(part.tolist()) <= set(range(PARTS))
