"""Directions that are laid out side by side, held against each laid out alone."""

import numpy as np
import pytest

from netinterf.analyzers.throttling import Throttling, controls
from netinterf.analyzers.throttling.candidates import misses_packets
from netinterf.analyzers.throttling.losses import lay_out
from netinterf.analyzers.throttling.series import COLUMNS
from netinterf.analyzers.throttling.units import split_units
from netinterf.analyzers.throttling.unseen import count_numbers
from netinterf.analyzers.throttling.waiting import with_delays
from netinterf.analyzers.throttling.ways import Direction, Ways, side_by_side
from netinterf.simulate import run
from netinterf.trace import read

TOLD = tuple(name for name in COLUMNS if name != "lane")
SCENARIOS = [
    ("rate.policing.shared", 3),
    ("rate.policing.carrier", 5),
    ("rate.shaping.burst", 2),
    ("rate.policing", 8),
]


def described(trace, numbering, ways):
    """Tell all that is known of each direction: its packets and units, and whether the capture missed too much."""
    told = [[] for _ in range(len(ways))]
    for laid in lay_out(trace, ways, numbering):
        series, missed = with_delays(trace, laid, ways, {}), misses_packets(trace, laid, ways)
        units = split_units(trace, ways, series, 3)
        for way, (one, parts) in enumerate(zip(series.of_each(ways), units, strict=True)):
            if len(one):
                columns = [[getattr(part, name).tobytes() for name in TOLD] for part in (one, *parts)]
                told[way] = [one.upstream, bool(missed[way]), len(parts), columns]
    return told


def test_contrasts_are_the_same_few_at_a_time(monkeypatch):
    """How many are laid out at a time decides about memory only."""
    made = run("rate.policing.shared", 3)
    trace = read(times=np.array(made.times), frames=made.frames, link_type=made.link_type)
    whole = Throttling()(trace)
    monkeypatch.setattr(controls, "AT_ONCE", 1)
    few = Throttling()(trace)
    assert len(whole) > 0
    assert [rule.id for rule in whole.rules] == [rule.id for rule in few.rules]
    for name in ("subject", "rule", "time", "llr"):
        assert getattr(whole, name).tolist() == getattr(few, name).tolist()


@pytest.mark.parametrize(("scenario", "seed"), SCENARIOS)
def test_a_direction_is_the_same_alone_and_beside_others(scenario, seed):
    """Nothing but its own flows counts, also where these are in other directions as well."""
    made = run(scenario, seed)
    trace = read(times=np.array(made.times), frames=made.frames, link_type=made.link_type)
    numbering, client = count_numbers(trace), trace.flows.client
    groups = [np.flatnonzero(client == host) for host in np.unique(client)]
    flows = [*groups, *np.arange(len(trace.flows)).reshape(-1, 1), *(own[::2] for own in groups)]
    directions = [Direction(flows=own, outbound=outbound) for outbound in (True, False) for own in flows]
    together = described(trace, numbering, Ways.of(directions))
    alone = [described(trace, numbering, Ways.of([direction]))[0] for direction in directions]
    assert together == alone
    assert any(one[2] for one in together if one)


def test_what_is_laid_out_together_is_bounded():
    """Every direction once, in order, and together no more packets than one direction brings beyond the bound."""
    made = run("rate.policing.shared", 3)
    trace = read(times=np.array(made.times), frames=made.frames, link_type=made.link_type)
    directions = [Direction(flows=np.arange(len(trace.flows)), outbound=False)] * 200
    parts = list(side_by_side(trace, directions))
    assert [place for part in parts for place in part] == list(range(len(directions)))
    assert len(parts) > 1
    assert list(side_by_side(trace, [])) == []
