"""The mixes that speed is measured on, and the counts that a build may fail by."""

import json
from pathlib import Path

import attrs
import numpy as np
import pytest

from benchmarks.mixes.catalogue import MIXES, made
from benchmarks.mixes.touched import BUDGETS, Touched, exponent, grown, over_budget
from netinterf.trace import read

SOME = (
    "web, no timestamps",
    "overlapping repeats",
    "reordered",
    "port scan",
    "DNS, 250 replies",
    "VLAN",
    "IPv6",
    "block pages",
)


@pytest.mark.parametrize("name", SOME)
def test_a_mix_is_sound_and_larger_by_more_of_the_same(name: str, tmp_path: Path) -> None:
    """Nothing in it is damaged, its times rise, and so many times as much has so many times the packets and flows."""
    once, thrice = (read(made(name, 1255, times, folder=tmp_path)) for times in (1, 3))
    for trace in (once, thrice):
        assert not [note for note in trace.diagnostics if "damaged" in note.code]
        assert np.all(np.diff(trace.packets.time) >= 0)
        assert trace.checksum_ok(np.arange(len(trace.packets))).all()
    assert len(thrice.packets) == pytest.approx(3 * len(once.packets), rel=0.05)
    assert len(thrice.flows) == pytest.approx(3 * len(once.flows), rel=0.05)


def test_every_mix_has_a_budget() -> None:
    """No mix is without, and none that is gone has one."""
    assert list(json.loads(BUDGETS.read_text(encoding="utf-8"))) == list(MIXES)


def test_growth_and_budgets_are_held() -> None:
    """What grows faster than its packets, or takes half as much again as it may, is named; the rest is not."""
    good = Touched(mix="web", packets=4000, calls=100.0, calls_growth=1.0, bytes=200.0, bytes_growth=0.9)
    budgets = {"web": {"calls": 90.0, "bytes": 200.0}}
    assert grown([good]) == over_budget([good], budgets) == []
    assert "calls grow" in grown([attrs.evolve(good, calls_growth=1.2)])[0]
    assert "301 bytes" in over_budget([attrs.evolve(good, bytes=301.0)], budgets)[0]
    assert len(over_budget([attrs.evolve(good, mix="another")], budgets)) == 2
    assert exponent(10, 160, 4) == pytest.approx(2)
    assert exponent(10, 10, 4) == 0
