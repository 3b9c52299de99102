"""What is ordinary: the packaged counts fit the facts, and nobody is overrated by them."""

import attrs
import numpy as np
import pytest

from netinterf.anomaly.fact import steps, tallies
from netinterf.anomaly.kinds import KINDS, Kind
from netinterf.anomaly.ordinary import Ordinary, ordinary, tails
from netinterf.errors import SchemaError


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_the_packaged_counts_fit_the_facts(kind: Kind) -> None:
    """Every fact has chances for each value, that add up; its parent is another; the tree has one root."""
    usual = ordinary()[kind.id]
    assert [table.shape[1] for table in usual.chance] == [len(fact.says) for fact in kind.facts]
    for above, table in zip(usual.parent, usual.chance, strict=True):
        assert len(table) == (1 if above < 0 else len(kind.facts[above].says) + 1)
        assert np.allclose(table.sum(axis=1), 1)
        assert (table > 0).all()
    assert usual.parent.count(-1) == 1
    assert (np.diff(usual.nats) > 0).all()
    assert (np.diff(usual.beyond) < 0).all()
    assert usual.beyond[0] == pytest.approx(1.0)
    assert len({fact.id for fact in kind.facts}) == len(kind.facts)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_what_is_written_is_read(kind: Kind) -> None:
    """Rounded, and refused for other facts."""
    usual = ordinary()[kind.id]
    again = Ordinary.from_json(usual.to_json(kind), kind)
    assert again.parent == usual.parent
    assert all(np.allclose(one, other, atol=1e-6) for one, other in zip(again.chance, usual.chance, strict=True))
    fewer = attrs.evolve(kind, facts=kind.facts[1:])
    with pytest.raises(SchemaError, match="other facts"):
        Ordinary.from_json(usual.to_json(kind), fewer)
    coarser = attrs.evolve(kind, facts=(attrs.evolve(kind.facts[0], says=("always",)), *kind.facts[1:]))
    with pytest.raises(SchemaError, match=f"another {kind.facts[0].id}"):
        Ordinary.from_json(usual.to_json(kind), coarser)


def test_a_tail_is_what_is_as_rare_or_rarer() -> None:
    """Equal chances count with each other."""
    assert tails(np.array([[0.5, 0.2, 0.2, 0.1]]))[0] == pytest.approx([1.0, 0.5, 0.5, 0.1])


def test_rarity_is_judged_among_those_alike_in_the_parent() -> None:
    """What is rare after all can be usual where the parent has one value; the unknown is nothing odd."""
    chance = (np.array([[0.9, 0.1]]), np.array([[0.5, 0.5], [0.99, 0.01], [0.01, 0.99]]))
    usual = Ordinary(parent=(-1, 0), chance=chance, nats=np.empty(0), beyond=np.empty(0))
    found = usual.rarity(np.array([[0, 1], [1, 1], [-1, 1], [1, -1]], np.int8))
    assert found[:, 1] == pytest.approx(-np.log([0.01, 1.0, 1.0, 1.0]))
    assert found[:, 0] == pytest.approx(-np.log([1.0, 0.1, 1.0, 0.1]))


def test_between_two_steps_the_lower_counts() -> None:
    """No subject is said to stand out more than was counted; beyond all, as far as the last."""
    usual = Ordinary(parent=(), chance=(), nats=np.array([0.0, 2.0, 5.0]), beyond=np.array([1.0, 0.1, 0.01]))
    assert usual.standing(np.array([0.0, 1.9, 2.0, 4.9, 5.0, 99.0])).tolist() == [0.0, 0.0, 0.9, 0.9, 0.99, 0.99]


def test_borders_in_words() -> None:
    """Quantities and counts."""
    assert steps("took {} s", (0.5, 2, 1e6)) == (
        "took less than 0.5 s", "took 0.5 to 2 s", "took 2 to 1,000,000 s", "took 1,000,000 or more s",
    )  # fmt: skip
    assert tallies("sent {}", "SYN", (1, 2, 4)) == ("sent 1 SYN", "sent 2 to 3 SYNs", "sent 4 or more SYNs")
