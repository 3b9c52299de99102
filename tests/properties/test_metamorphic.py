"""The same traffic recorded otherwise: neutral changes and company move no verdict, lossy changes accuse nobody."""

from functools import cache

import pytest

from benchmarks.metamorphic.changing import ALL, PAIR, Changed, change_all, merge_pair
from benchmarks.metamorphic.sources import Origin
from netinterf.transform import Change, Kind

SCENES = ("tcp.reset.cn-gfw-many", "dns.injection.benign", "http.blockpage.in-airtel", "benign.dns.split-horizon")
SEED = 3


def origin(scene: str) -> Origin:
    """Name a simulated capture."""
    return Origin(file=scene, scenario=scene, seed=SEED)


@cache
def changed(scene: str) -> Changed:
    """Change a capture in every way."""
    return change_all(origin(scene))


@pytest.mark.parametrize("change", ALL, ids=lambda change: change.name)
def test_verdicts_of_changed_captures(change: Change) -> None:
    """A neutral change leaves every subject, judged the same by the same frames; a lossy one accuses nobody anew."""
    found = [changed(scene).done[change.name] for scene in SCENES if change.name in changed(scene).done]
    assert found
    for one in found:
        assert one.subjects
        assert not [flip for flip in one.flips if change.kind is Kind.NEUTRAL or flip.what == "accused"]


def test_the_captures_hold_findings() -> None:
    """There is something to lose, and nothing was given up."""
    assert not any(changed(scene).failure for scene in SCENES)
    steps = [changed(scene).done["as pcap"].transitions for scene in SCENES]
    assert sum(step["interfered", "interfered"] for step in steps) >= 5
    assert sum(step["ok", "ok"] for step in steps) >= 50


def test_verdicts_of_merged_captures() -> None:
    """Two captures in one file are judged as each is apart."""
    found = merge_pair((origin(SCENES[0]), origin(SCENES[1])))
    assert len(found) == 2
    assert all(one.done[PAIR].subjects and not one.done[PAIR].flips for one in found)
