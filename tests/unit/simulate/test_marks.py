"""Marks of documented boxes: changed in most runs, kept when asked for."""

import numpy as np
import pytest

from netinterf.simulate.plays.tcp_stage import KEPT, keeps, published


@pytest.mark.parametrize(("kept", "least", "most"), [(1.0, 1.0, 1.0), (0.0, 0.0, 0.01), (1 / 3, 0.28, 0.39)])
def test_marks_are_kept_as_often_as_asked_for(kept: float, least: float, most: float) -> None:
    """A thousand draws from a thousand other values."""
    rng, usual = np.random.default_rng(1), KEPT.set(kept)
    try:
        share = np.mean([published(rng, 13_330, 20_000, 21_000) == 13_330 for _ in range(1000)])
        habit = np.mean([keeps(rng, 0.5) for _ in range(1000)])
    finally:
        KEPT.reset(usual)
    assert least <= share <= most
    assert habit >= max(0.45, kept)
