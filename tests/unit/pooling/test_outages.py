"""Hours in which a thing was out for everybody, against all ways in which that may have come and gone."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.pooling.outages import DIES, PAUSES, outages
from netinterf.pooling.spans import OUTAGE_HOURS

SHOWN = st.lists(st.floats(-30, 30), min_size=1, max_size=5)
FINE, PAUSED, DEAD = range(3)


def chance_of(before, after, hours):
    """Give the chance of a step, as the text says it: what pauses goes on for hours, or is as what lives."""
    lives = (1 - PAUSES - DIES, PAUSES, DIES)
    if before == FINE:
        return lives[after]
    if before == DEAD:
        return float(after == DEAD)
    stays = np.exp(-hours / OUTAGE_HOURS)
    return stays * (after == PAUSED) + (1 - stays) * lives[after]


def slow(hour, out):
    """Add up all ways."""
    total, was_out = 0.0, np.zeros(len(out))
    for way in product(range(3), repeat=len(out)):
        worth = (1 - PAUSES - DIES, PAUSES, DIES)[way[0]]
        for step in range(1, len(out)):
            worth *= chance_of(way[step - 1], way[step], hour[step] - hour[step - 1])
        ill = np.array(way) != FINE
        worth *= np.exp(np.sum(np.array(out)[ill]))
        total += worth
        was_out += worth * ill
    return np.log(total), was_out / total


@settings(deadline=None, max_examples=60)
@given(st.lists(SHOWN, min_size=1, max_size=4), st.floats(0.5, 50))
def test_as_by_adding_up_all_ways(cells, gap):
    """Cells of any lengths at once."""
    begin = np.cumsum([0, *map(len, cells)])
    hour = np.concatenate([np.arange(len(cell)) * gap for cell in cells])
    shown, chance = outages(begin, hour, np.concatenate([np.array(cell) for cell in cells]))
    for row, cell in enumerate(cells):
        mine = slice(begin[row], begin[row + 1])
        expected, ill = slow(hour[mine], cell)
        assert shown[row] == pytest.approx(expected, abs=1e-8)
        assert chance[mine] == pytest.approx(ill, abs=1e-8)


def test_hours_that_nobody_else_saw_are_as_those_around_them():
    """An outage goes on between two looks that are close together, and hardly between days."""
    out = np.array([50.0, 0.0, 50.0])
    near, far = (outages(np.array([0, 3]), np.array([0.0, gap, 2 * gap]), out)[1][1] for gap in (1.0, 240.0))
    assert near > 0.9
    assert far < near


def test_no_cells_and_cells_without_hours():
    """Nothing in, nothing out."""
    shown, chance = outages(np.array([0, 0]), np.zeros(0), np.zeros(0))
    assert shown.tolist() == [0.0]
    assert len(chance) == 0
