"""What comes and goes everywhere is blocked nowhere; what is blocked in some networks comes and goes in none."""

import numpy as np
import pytest

from netinterf.observations.attempts import State
from netinterf.observations.table import observe
from netinterf.pooling.flaky import comes_and_goes
from netinterf.verdict.keys import BIN_NS
from tests.unit.pooling.places import Campaign


def slow(table, row):
    """Look at the visits of all other places, one by one; of a server, at what opened there and what did not."""
    named = table.called[row] >= 0
    what = table.unit if named else table.service
    passed, lost = set(), set()
    for one in range(len(table)):
        if what[one] != what[row] or table.place[one] == table.place[row]:
            continue
        visit = int(table.place[one]), int(table.capture[one]), int(table.time[one] // BIN_NS)
        opened = table.answered[one] + table.heard[one]
        if named:
            fails = table.silent[one] + table.broken[one]
        else:
            opened += table.broken[one] + table.silent[one] + table.struck[one] - table.at_opening[one]
            fails = 0 if table.called[one] >= 0 else table.at_opening[one]
        (passed if opened else lost if fails else set()).add(visit)
    mixed = {place for place, *_ in passed}
    failed = sum(place in mixed for place, *_ in lost - passed)
    return failed / (failed + len(passed) + 1)


@pytest.mark.parametrize("seed", range(6))
def test_shares_are_those_of_a_slow_count(seed):
    """Visit by visit, of names and of servers."""
    rng = np.random.default_rng(seed)
    campaign = Campaign(4, 5, 4, server=[0, 0, 1, 2, 3])
    states = np.array([State.ANSWERED, State.HEARD, State.SILENT, State.BROKEN, State.STRUCK, State.UNKNOWN], np.uint8)
    campaign.state = rng.choice(states, campaign.shape)
    campaign.opening = (campaign.state == State.SILENT) & (rng.random(campaign.shape) < 0.5)
    table = observe(campaign.attempts())
    told = np.exp(comes_and_goes(table))
    failed = np.flatnonzero(table.failed > 0)
    assert len(failed)
    for row in failed.tolist():
        assert told[row] == pytest.approx(slow(table, row))


@pytest.mark.parametrize("opening", [False, True])
def test_servers_that_come_and_go_everywhere_are_blocked_nowhere(opening):
    """Half of all attempts at a quarter of them, in all places."""
    flaky = np.random.default_rng(1).random((8, 40, 40)) < 0.5
    flaky[:, 10:] = False
    assert Campaign(8, 40, 40).fail(flaky, opening=opening).judged().blocked() == 0


def test_a_block_of_many_networks_that_began_late_is_still_one():
    """It was answered before in all of them, as what comes and goes is."""
    judged = Campaign(8, 40, 30).fail((slice(0, 4), slice(0, 6), slice(15, None))).judged()
    assert {judged.finding(place, name) for place in range(4) for name in range(6)} == {"blocked"}
