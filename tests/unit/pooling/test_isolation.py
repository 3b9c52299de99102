"""Networks that are cut off as a whole: named with their onset, and nothing is that has another reason to be silent."""

import attrs
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from netinterf.observations.attempts import ALL, State
from netinterf.observations.table import Observations, observe
from netinterf.pooling.causes import CAUSES
from netinterf.pooling.cells import chance, pool
from netinterf.pooling.grades import FINDINGS, grade_cells
from netinterf.pooling.rates import learn_rates
from netinterf.pooling.reach import ENOUGH, SYSTEMS, Reach, Servers
from netinterf.pooling.whole import Whole
from netinterf.pooling.witnesses import Hours
from netinterf.verdict.model import default_model
from tests.unit.pooling.places import Campaign

PLACES, NAMES, RUNS = 4, 60, 10
SPARED = np.arange(0, NAMES, 5)
CUT = np.setdiff1d(np.arange(NAMES), SPARED)
LATE = np.arange(5, RUNS)


def table_of(campaign, site=None):
    """Add its attempts up; networks of servers hold one server each unless told."""
    attempts = campaign.attempts()
    if site is not None:
        attempts = attrs.evolve(attempts, site=np.array(site)[attempts.low.astype(np.int64) & 0xFFFF_FFFF])
    return observe(attempts)


def whole_of(table, border=None, places=PLACES):
    """Judge networks as a whole."""
    nothing = np.zeros(len(table), np.bool_)
    return Whole.of(table, places, nothing, nothing if border is None else border, default_model())


def sure(whole):
    """Give the probability that each network is cut off."""
    return chance(whole.prior + whole.isolation.llr)


def closed(spared=SPARED, runs=LATE):
    """Cut the first place off from all but some names."""
    names = np.setdiff1d(np.arange(NAMES), spared)
    return Campaign(PLACES, NAMES, RUNS).fail(np.ix_([0], names, runs))


def test_a_network_that_is_cut_off_but_for_a_list_is_named_and_no_other():
    """Four fifths of the world fall silent together from the sixth day on, and stay so."""
    table = table_of(closed())
    whole = whole_of(table)
    assert sure(whole)[0] > 0.95
    assert sure(whole)[1:].max() < 0.01
    day = (table.time - table.time.min()) // (24 * 3600 * 10**9)
    assert np.array_equal(whole.closed, (table.place == 0) & (day >= LATE[0]))


def test_it_is_a_cell_of_its_own_and_explains_all_others():
    """What was silent then tells nothing of a name: none is accused, and the network is, with the day it began."""
    table = table_of(closed())
    whole = whole_of(table)
    spared, cut_off = whole.spared(table, np.zeros(len(table), np.bool_))
    assert cut_off.sum() == len(CUT) * len(LATE)
    both = Observations.concat([spared, whole.observations(table)])
    cells = pool(both, np.full(PLACES, -1), default_model())
    cells = whole.settled(learn_rates(both, cells))
    graded = grade_cells(cells, default_model())
    blocked = np.flatnonzero(graded.finding == FINDINGS.index("blocked"))
    (cell,) = blocked.tolist()
    tallies = cells.tallies
    assert (tallies.transport[cell], tallies.place[cell], tallies.silent[cell]) == (ALL, 0, len(LATE))
    at = int(np.flatnonzero(cells.failing == cell)[0])
    assert cells.worth.spans.began[at] > 0.5
    assert int(cells.worth.spans.first[at]) == LATE[0]
    assert np.array_equal(spared.failed + spared.unknown, table.failed + table.unknown)


def test_a_line_that_is_out_is_no_closed_border():
    """Everything is silent on some days, allowed or not: these say nothing."""
    whole = whole_of(table_of(closed(spared=[])))
    assert sure(whole)[0] < 0.01
    assert np.bincount(whole.reach.place).tolist() == [RUNS - len(LATE), *[RUNS] * (PLACES - 1)]
    assert not whole.closed.any()


def test_a_line_that_loses_most_is_no_closed_border():
    """As much is silent, but not the same again."""
    lost = np.random.default_rng(5).random((PLACES, NAMES, RUNS)) < 0.8
    lost[1:] = lost[:, :, : LATE[0]] = False
    whole = whole_of(table_of(Campaign(PLACES, NAMES, RUNS).fail(lost)))
    assert whole.reach.cut.sum() >= len(LATE) - 1
    assert whole.closed.any()
    assert sure(whole)[0] < 0.01
    assert CAUSES[whole.isolation.cause[0]] == "access"


def test_one_day_settles_nothing():
    """A line may lose so much for an hour, so what is seen once is a hint at most; no name is accused for it either."""
    whole = whole_of(table_of(closed(runs=[5])))
    assert sure(whole)[0] < 0.9
    assert whole.closed.sum() == NAMES


def test_a_long_list_is_no_closed_border():
    """A third of all names is blocked, throughout."""
    campaign = Campaign(PLACES, NAMES, RUNS)
    campaign.fail(np.ix_([0], np.arange(0, NAMES, 3), np.arange(RUNS)))
    whole = whole_of(table_of(campaign))
    assert sure(whole)[0] < 0.01
    assert not whole.closed.any()


def test_a_cable_takes_whole_networks_away():
    """Fifteen networks of four servers, on two days in a row: most of them wholly, or each of many in part."""
    whole = whole_of(table_of(closed(spared=np.arange(12), runs=[5, 6]), np.arange(NAMES) // 4))
    parts = whole_of(table_of(closed(spared=[*range(6), *range(15, 21)], runs=[5, 6]), np.arange(NAMES) % 15))
    assert sure(whole)[0] < 0.5 < sure(parts)[0]
    assert CAUSES[whole.isolation.cause[0]] == "transit"
    assert parts.isolation.cause[0] == -1


def test_too_few_networks_of_servers_say_nothing():
    """As many servers in fewer networks than needed, and servers that live nowhere, are no picture of the world."""
    few = whole_of(table_of(closed(), np.arange(NAMES) % (SYSTEMS - 1)))
    assert (len(few.reach), few.isolation.llr.any()) == (0, False)
    dead = Campaign(PLACES, NAMES, RUNS).fail((slice(None), slice(int(ENOUGH) - 1, None)))
    assert len(whole_of(table_of(dead)).reach) == 0


def test_a_recorder_that_misses_answers_shows_no_silence():
    """What it is seen to have missed was not silent."""
    table = table_of(closed())
    missed = np.where(table.silent > 0, 0.6, 0.0)
    assert not whole_of(attrs.evolve(table, missed=missed)).reach.cut.any()


def test_a_border_that_a_scan_found_counts_where_nothing_is_known_of_servers():
    """One capture knows what is at home; of its servers nobody else knows whether they live."""
    campaign = Campaign(1, 30, 1).fail((0, slice(0, 20), 0), state=State.STRUCK)
    table = table_of(campaign)
    table = attrs.evolve(table, log_odds=np.where(table.struck > 0, 3.0, table.log_odds))
    whole = whole_of(table, table.struck > 0, 1)
    assert sure(whole)[0] == pytest.approx(chance(np.array([3.0]))[0])
    rows = whole.observations(table)
    assert (rows.struck.tolist(), rows.silent.tolist()) == ([1], [0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.95))
def test_hours_are_those_of_a_plain_count(seed, share):
    """Which hours look closed is counted as one would by hand."""
    rng = np.random.default_rng(seed)
    campaign = Campaign(2, 24, 3).fail(rng.random((2, 24, 3)) < share)
    site = rng.integers(0, 16, 24)
    table = table_of(campaign, site)
    hours, nothing = Hours.of(table.time), np.zeros(len(table), np.bool_)
    reach = Reach.seen(Servers.living(table, hours, nothing), table, hours, np.zeros(len(table)))
    lives = campaign.state == State.ANSWERED
    expected = {}
    for place, run in np.ndindex(2, 3):
        up = lives[place, :, run]
        others = lives.sum(axis=(0, 2)) - up
        tried = [name for name in range(24) if others[name] and (up[name] or up.any())]
        groups = {one: [not up[name] for name in tried if site[name] == one] for one in {site[name] for name in tried}}
        worth = {one: 2 * len(of) / (len(of) + 1) for one, of in groups.items()}
        if sum(worth.values()) >= ENOUGH and len(groups) >= SYSTEMS:
            silent = sum(worth[one] * np.mean(of) for one, of in groups.items())
            assume(abs(silent - sum(worth.values()) / 2) > 1e-9)  # at exactly half, the order of sums decides
            expected[place, run * 24] = silent > sum(worth.values()) / 2 and any(up[name] for name in tried)
    found = dict(zip(zip(reach.place.tolist(), reach.step.tolist(), strict=True), reach.cut.tolist(), strict=True))
    assert found.keys() == expected.keys()
    assert sum(found[key] != expected[key] for key in found) == 0


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.booleans()), max_size=12))
def test_what_lies_between_is_cut_off_where_both_sides_are(seen):
    """Hours in which too little was tried follow those before and behind, as far as there are any."""
    known = {(place, step): cut for place, step, cut in seen}
    order = sorted(known)
    count = len(order)
    reach = Reach(
        place=np.array([place for place, _ in order], np.int64), step=np.array([step for _, step in order], np.int64),
        row=np.zeros(count, np.int64), cut=np.array([known[key] for key in order], np.bool_),
        out=np.zeros(count, np.bool_), scanned=np.zeros(count),
    )  # fmt: skip
    place, step = (axis.ravel() for axis in np.indices((3, 10)))
    found = reach.closed(place, step, np.array([True, False, True]))
    for where, when, cut in zip(place.tolist(), step.tolist(), found.tolist(), strict=True):
        sides = [
            [key for key in order if key[0] == where and key[1] <= when][-1:],
            [key for key in order if key[0] == where and key[1] >= when][:1],
        ]
        near = [known[key] for side in sides for key in side]
        assert cut == (where != 1 and any(key[0] != 1 for key in order) and all(near))
