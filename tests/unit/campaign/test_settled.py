"""What all captures settle of single ones: failures such as the block makes, in hours in which it was at work."""

from math import exp

import numpy as np
import pytest

from benchmarks.campaigns.wide import Wide, wide_store
from netinterf.campaign.judged.report import report
from netinterf.campaign.judged.settled import Settling, lets_fail
from netinterf.observations.attempts import State
from netinterf.observations.table import observe
from netinterf.pooling.causes import STEADY
from netinterf.pooling.grades import Finding
from tests.unit.pooling.places import DAY, Campaign

HOUR = 3600 * 10**9
NAMES = [f"www.site{number:03}.example" for number in range(60)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Judge a store of six networks; every second begins to block on the second of six days."""
    wide = Wide(names=NAMES, networks=6, runs=6, blocked=0.2, seed=3)
    return report(wide_store(tmp_path_factory.mktemp("store") / "wide", wide))


def slowly(judged):
    """List what is settled, one observation at a time: row, attempts and probability."""
    table, cells = judged.loaded.observations, judged.cells
    episodes, found = cells.episodes, {}
    mechanisms = judged.mechanisms_of(np.arange(len(judged)))
    for row in range(len(table)):
        cell = int(cells.tallies.cell[row])
        way = lets_fail(mechanisms[cell])
        attempts = {State.SILENT: table.silent[row], State.BROKEN: table.broken[row]}.get(way, 0)
        if judged.graded.finding[cell] != list(Finding).index(Finding.BLOCKED) or not attempts:
            continue
        (place,) = np.flatnonzero(cells.failing == cell)
        hours = [hour for hour in np.flatnonzero(episodes.cell == place) if episodes.time[hour] <= table.time[row]]
        hour = hours[-1]  # the last that began before
        assert table.time[row] // HOUR == episodes.time[hour] // HOUR
        passes = (STEADY[1] + episodes.answered[hour]) * exp(table.chance[row] / table.failed[row])
        due = STEADY[0] / (STEADY[0] + passes)
        sure = judged.graded.probability[cell] * cells.worth.spans.active[hour] * due
        if sure >= judged.model.likely:
            found[row] = (int(attempts), float(sure))
    return found


def test_what_is_settled_is_what_a_slow_look_finds(judged):
    """Row by row, cell by cell in the order of time."""
    settling = judged.settling
    fast = dict(zip(settling.row.tolist(), zip(settling.attempts, settling.probability, strict=True), strict=True))
    slow = slowly(judged)
    assert fast.keys() == slow.keys()
    assert len(fast) > 20
    for row, (attempts, sure) in slow.items():
        assert fast[row] == (attempts, pytest.approx(sure))
    order = [(int(cell), int(judged.loaded.observations.time[row]))
             for row, cell in zip(settling.row, settling.cell, strict=True)]  # fmt: skip
    assert order == sorted(order)


def test_cells_count_and_list_what_they_settle(judged):
    """The number of captures, and the first three; both agree with the list of all, whose order is that of cells."""
    every, few = (list(judged.settled(most)) for most in (None, 2))
    assert len(every) == len(judged.settling)
    by_cell = {}
    for cell, one in every:
        by_cell.setdefault((cell.subject, cell.network), []).append(one)
        assert (one.outcome, one.grade) == ("interfered", "likely")
        assert judged.model.likely <= one.probability <= cell.probability
        assert one.mechanism == cell.mechanism
        assert set(one.states) == {"silent"}
        assert one.alone < judged.model.likely
    assert [cell.subject for cell in judged.of("blocked") if cell.settled] == [subject for subject, _ in by_cell]
    for cell in judged.of():
        mine = by_cell.get((cell.subject, cell.network), [])
        assert cell.settled == len({one.capture for one in mine})
        assert list(cell.settles) == mine[:3]
    assert [one for _, one in few] == [one for ones in by_cell.values() for one in ones[:2]]


def test_nothing_is_settled_before_a_block_began(judged):
    """Networks with an odd number block from the second day on."""
    late = [one for cell, one in judged.settled() if cell.began is not None]
    assert late
    for cell, one in judged.settled():
        if cell.began is not None:
            assert one.start >= cell.began.after


def test_pieces_are_the_whole(judged, monkeypatch):
    """However few are looked up at a time."""
    whole = list(judged.settled())
    monkeypatch.setattr("netinterf.campaign.judged.settled.AT_A_TIME", 40)
    assert list(judged.settled()) == whole


def test_a_line_that_is_out_is_not_laid_on_the_block():
    """A name is silenced from the sixth run on; in the ninth, whatever is asked from there meets silence."""
    played = Campaign(places=6, names=20, runs=12)
    played.fail((0, 3, slice(5, None))).fail((0, slice(None), 8))
    table, judged = observe(played.attempts()), played.judged()
    row = judged.row(0, 3)
    ways = np.full(len(judged.cells), -1)
    ways[row] = State.SILENT
    settling = Settling.of(table, judged.cells, np.full(len(ways), 0.999), ways, 0.95)
    runs = (table.time[settling.row] - table.time.min()) // DAY
    assert runs.tolist() == [5, 6, 7, 9, 10, 11]
    assert set(settling.cell.tolist()) == {row}


@pytest.mark.parametrize(
    ("mechanism", "way"),
    [("tcp.drop", State.SILENT), ("quic.drop", State.SILENT), ("dns.drop", State.SILENT), ("tcp.reset", State.BROKEN),
     ("http.blockpage", None), ("dns.injection", None), ("tls.interception", None)],
)  # fmt: skip
def test_only_failures_without_a_trace_are_settled(mechanism, way):
    """Silences by who silences, and resets by who resets: forged pages and answers are seen, or did not happen."""
    assert lets_fail(mechanism) == way
