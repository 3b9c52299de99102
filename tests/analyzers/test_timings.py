"""Wrong times make nobody fail: warnings are errors in tests, and those of analyzers would be said as diagnostics."""

import attrs
import numpy as np
import pytest

from benchmarks.timings import complaints, misplaced
from netinterf import simulate
from netinterf.mechanisms import MECHANISMS

NAMES = {scenario.name for scenario in simulate.scenarios()}
SCENARIOS = [path for path in MECHANISMS if path in NAMES and "allowlist" not in path]


@pytest.mark.parametrize("name", [*SCENARIOS, "browsing"])
def test_wrong_times_are_judged_without_a_warning(name):
    """All equal, zero, backwards, crossed, in 1970 and 2106, with gaps of years: every analyzer answers."""
    played = simulate.run(name, 1)
    for says, times in misplaced(np.asarray(played.times, np.int64)):
        assert not complaints(played, times), says


def test_single_packets_are_judged_without_a_warning():
    """Of any packet alone every analyzer says something, at any time."""
    played = simulate.run("browsing", 1)
    times = np.asarray(played.times, np.int64)
    for place in np.linspace(0, len(times) - 1, 5).astype(int).tolist():
        one = slice(place, place + 1)
        alone = attrs.evolve(played, times=played.times[one], frames=played.frames[one], lengths=played.lengths[one])
        assert not complaints(alone, times[one])
