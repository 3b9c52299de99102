"""What comes and goes everywhere is blocked nowhere; what is blocked in some networks comes and goes in none."""

import numpy as np
import pytest

from netinterf.observations.attempts import State
from netinterf.observations.line import STRENGTH, USUAL
from netinterf.observations.table import observe
from netinterf.pooling.flaky import comes_and_goes, loses
from netinterf.pooling.witnesses import HOUR_NS, Hours
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


@pytest.mark.parametrize("seed", range(4))
def test_what_a_transport_loses_is_that_of_a_slow_count(seed):
    """Of each thing visit by visit, in their order."""
    rng = np.random.default_rng(seed)
    campaign = Campaign(2, 40 if seed % 2 else 6, 8, transport="quic")
    states = np.array([State.ANSWERED, State.HEARD, State.SILENT, State.UNKNOWN], np.uint8)
    campaign.state = rng.choice(states, campaign.shape)
    table = observe(campaign.attempts())
    hour = table.time // HOUR_NS
    least, most = (np.exp(logs) for logs in loses(table, hour))
    rows = np.argsort(table.time)
    alive, silent = table.answered + table.heard > 0, table.silent > 0

    def beside(one, sign):
        """Find the next visit of the same, or the last."""
        same = [
            other for other in rows.tolist()[::sign]
            if table.unit[other] == table.unit[one] and table.place[other] == table.place[one]
            and sign * (table.time[other] - table.time[one]) > 0
        ]  # fmt: skip
        return bool(same) and alive[same[0]]

    for row in range(len(table)):
        shares, bounds = [1.0], [1.0]
        for sign in (1, -1):
            others = [
                one for one in rows.tolist()
                if table.place[one] == table.place[row] and hour[one] == hour[row]
                and table.unit[one] != table.unit[row] and beside(one, sign)
            ]  # fmt: skip
            lost = sum(silent[one] and not alive[one] for one in others)
            tried = lost + sum(alive[one] for one in others)
            shares.append(lost / (tried + 1))
            bounds.append((lost / max(tried, 1) + USUAL) / 2 if tried >= STRENGTH else 1.0)
        assert least[row] == pytest.approx(min(shares))
        assert most[row] == pytest.approx(min(bounds))


def test_a_line_that_loses_half_of_one_transport_blocks_no_name():
    """And what is on a list there still stands out, since it is silent each time."""
    names, lost = 40, np.random.default_rng(2).random((6, 40, 20)) < 0.5
    lost[1:], lost[:, names // 2 :] = False, False
    both = ["quic"] * (names // 2) + ["tcp/tls"] * (names // 2)
    assert Campaign(6, names, 20, transport=both).fail(lost).judged().blocked() == 0
    lost[0, 3] = True
    judged = Campaign(6, names, 20, transport=both).fail(lost).judged()
    assert judged.finding(0, 3) in {"blocked", "suspected"}
    assert judged.blocked() == (judged.finding(0, 3) == "blocked")


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


def test_what_fails_each_time_makes_others_no_likelier_to_fail_by_themselves():
    """A third of all names are silent for two days, and the same ones: a list, not a line that loses a third."""
    silent = np.zeros((6, 60, 30), bool)
    silent[0, ::3, 10:12] = True
    table = observe(Campaign(6, 60, 30, transport="dns").fail(silent).attempts())
    least, most = loses(table, Hours.of(table.time).step)
    failed = np.flatnonzero(table.failed > 0)
    assert np.exp(least[failed]).max() < 0.05
    assert np.exp(most[failed]).max() < 0.05
