"""Captured bytes of out-of-order sides: elements, intervals and sets of bytes agree."""

import numpy as np
import pytest

from netinterf.flows import coverage
from netinterf.flows.blocks import NOTHING
from netinterf.flows.coverage import cover, paint


def segments(seed, sides=5, count=200):
    """Draw overlapping segments, side by side, with each side's running top."""
    rng = np.random.default_rng(seed)
    side = np.sort((rng.random(count) ** 3 * sides).astype(np.int64))  # some have more segments than others
    start = rng.integers(-5, 120, count)
    end = start + rng.integers(1, 30, count)
    top = np.full(count, NOTHING)
    for row in range(1, count):
        if side[row] == side[row - 1]:
            top[row] = max(top[row - 1], end[row - 1])
    return side, start, end, top


def naive(side, start, end, top):
    """Count new bytes with a set per side."""
    seen, fresh, below = {}, [], []
    for whose, low, high, edge in zip(*(part.tolist() for part in (side, start, end, top)), strict=True):
        new = set(range(low, high)) - seen.setdefault(whose, set())
        seen[whose] |= new
        fresh.append(len(new))
        below.append(sum(byte < edge for byte in new))
    return fresh, below


@pytest.mark.parametrize("seed", range(6))
def test_new_bytes_are_those_of_sets(seed):
    """Both ways of counting new bytes give what sets of bytes give."""
    drawn = segments(seed)
    expected = naive(*drawn)
    found = cover(*drawn)
    assert expected == (found.fresh.tolist(), found.fresh_below.tolist())
    assert expected == tuple(part.tolist() for part in paint(*drawn))


def test_crowded_sides_are_walked_instead(monkeypatch):
    """A side beyond the bound on elements gets the same numbers, the others keep their elements."""
    drawn = segments(99)
    expected = cover(*drawn)
    monkeypatch.setattr(coverage, "ELEMENTS_PER_SEGMENT", 0)
    monkeypatch.setattr(coverage, "ELEMENTS_PER_SIDE", 200)
    found = cover(*drawn)
    assert expected.fresh.tolist() == found.fresh.tolist()
    assert expected.fresh_below.tolist() == found.fresh_below.tolist()
    kept = np.isin(expected.element_side, found.element_side)
    assert not kept.all()
    assert expected.element_start[kept].tolist() == found.element_start.tolist()
    assert expected.owner[kept].tolist() == found.owner.tolist()


def test_slivers_do_not_cost_the_square():
    """Many slivers under many wide segments are handled in bounded memory."""
    count = 4000
    low = np.concatenate([np.arange(count) * 2, np.zeros(count, np.int64)])
    high = np.concatenate([np.arange(count) * 2 + 1, np.full(count, 2 * count)])
    top = np.concatenate([[NOTHING], np.maximum.accumulate(high)[:-1]])
    found = cover(np.zeros(2 * count, np.int64), low, high, top)
    assert [1, count, 0] == found.fresh[[0, count, -1]].tolist()
    assert len(found.element_side) == 0
