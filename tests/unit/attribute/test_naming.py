"""Findings named by what they show, or by the company they keep."""

import numpy as np
import pytest

from netinterf.attribute.catalogue import background
from netinterf.attribute.naming import NOBODY, SURE, name_findings
from netinterf.attribute.score import posterior

PLAIN, VAGUE = 8.0, 1.0  # nats: enough to be named, and too little


def told(*rows: tuple[float, float, float]) -> np.ndarray:
    """Write log-likelihood ratios of three systems down."""
    return np.array(rows)


def test_a_finding_that_shows_enough_is_named_by_itself() -> None:
    """Whatever its company shows."""
    names = name_findings(told((PLAIN, 0, 0), (0, PLAIN, 0)), np.arange(2), np.array([1, 1]), background())
    assert names.system.tolist() == [0, 1]
    assert names.own.all()


@pytest.mark.parametrize(
    ("others", "own", "named"),
    [
        ([(PLAIN, 0, 0)], (VAGUE, 0, 0), 0),
        ([(PLAIN, 0, 0), (0, PLAIN, 0)], (VAGUE, 0, 0), NOBODY),
        ([(PLAIN, 0, 0)], (-np.inf, 0, 0), NOBODY),
        ([(VAGUE, 0, 0)], (VAGUE, 0, 0), NOBODY),
    ],
    ids=["one name", "two names", "ruled out", "nobody named"],
)
def test_a_vague_finding_is_named_like_its_company(
    others: list[tuple[float, float, float]], own: tuple[float, float, float], named: int
) -> None:
    """If there is one name only, and nothing rules it out; less sure than those that show it."""
    each = np.arange(len(others) + 1)
    names = name_findings(told(*others, own), each, np.full(len(each), 7), background())
    assert names.system[-1] == named
    assert not names.own[-1]
    assert names.chance[-1] < names.chance[0] or named == NOBODY
    alone = name_findings(told(*others, own), each, each, background())
    assert alone.system[-1] == NOBODY


def test_names_against_a_loop() -> None:
    """Row by row, the obvious way."""
    rng = np.random.default_rng(6)
    looks, look, company = rng.normal(1, 4, (150, 5)), rng.integers(0, 150, 200), rng.integers(0, 40, 200)
    looks[rng.random((150, 5)) < 0.2] = -np.inf
    llr = looks[look]
    chance = posterior(llr, background())[:, :-1]
    names = name_findings(looks, look, company, background())
    for row in range(200):
        mine = np.flatnonzero(company == company[row])
        sure = {int(chance[one].argmax()) for one in mine if chance[one].max() > SURE}
        if chance[row].max() > SURE:
            wanted, score = int(chance[row].argmax()), chance[row].max()
        elif len(sure) == 1 and llr[row, next(iter(sure))] > -np.inf:
            wanted = next(iter(sure))
            score = chance[mine, wanted].mean()
        else:
            wanted, score = NOBODY, 0.0
        assert names.system[row] == wanted
        assert names.chance[row] == pytest.approx(score)
