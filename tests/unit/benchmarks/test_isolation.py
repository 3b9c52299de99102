"""Made-up tables of attempts: what happens in them, and what the benchmark counts."""

import numpy as np
import pytest

from benchmarks import isolation
from benchmarks.attempts import BORDERS, HARMLESS, HOME, draw_world, play
from netinterf.analyzers.isolation.attempts import Row


def played(kind: str, seed: int = 3):
    """Play one kind of event."""
    rng = np.random.default_rng(seed)
    return play(draw_world(rng, hours=30.0 if kind == "curfew" else 3.0, pace=8.0), kind, rng)


@pytest.mark.parametrize("kind", list(BORDERS))
def test_borders_stop_what_lies_abroad_and_nothing_else(kind: str) -> None:
    """While a border is closed fewer attempts abroad pass than before, and those at home pass as before."""
    attempts, event = played(kind)
    closed = (attempts.time >= event.begin) & (attempts.time < event.end)
    home, passed = attempts.country == HOME, attempts.passed == 1
    before = attempts.time < event.begin
    assert passed[closed & ~home].mean() < passed[before & ~home].mean() - 0.1
    assert passed[closed & home].mean() > passed[before & home].mean() - 0.1
    assert np.all(np.diff(attempts.time) >= 0)


def test_the_web_passes_a_border_that_decides_by_protocol() -> None:
    """What is stopped is of other protocols."""
    attempts, event = played("protocols")
    closed = (attempts.time >= event.begin) & (attempts.time < event.end) & (attempts.country != HOME)
    assert attempts.passed[closed & (attempts.row == Row.WEB)].mean() > 0.8
    assert not attempts.passed[closed & (attempts.row == Row.TCP)].any()


@pytest.mark.parametrize("kind", list(HARMLESS))
def test_harmless_events_leave_somebody_abroad(kind: str) -> None:
    """Nothing harmless is played that only a border could do."""
    attempts, _ = played(kind)
    assert attempts.passed[attempts.country != HOME].mean() > 0.05


def test_borders_are_counted_and_reported() -> None:
    """One border of each kind is found and named; harmless hours accuse nobody; both give tables."""
    closed, quiet = isolation.borders(1, 5), isolation.harmless(10.0, 5)
    assert {one["kind"] for one in closed} == set(BORDERS)
    assert all(one["said"] for one in closed if one["kind"] in {"full", "curfew"})
    assert not any(one["accused"] for one in quiet)
    assert "full" in isolation.report_borders(closed)
    assert "cable cut" in isolation.report_harmless(quiet)


def test_captures_are_judged_with_their_table() -> None:
    """With the table of networks most of a closed border is named, without it nothing."""
    told, blind = (isolation.captures_of(("reach.isolation.iran-2026", 310_003, way)) for way in (True, False))
    assert told.found > 0.8 * told.units > 0
    assert blind.named == 0
    assert told.accused == blind.accused == 0
    assert "reach.isolation" in isolation.report_captures({"reach.isolation.iran-2026": [told, blind]})
