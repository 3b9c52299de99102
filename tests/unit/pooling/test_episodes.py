"""Cells hour by hour, and what other places show in these hours, against looking at every observation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netinterf.pooling.cells
from netinterf.observations.attempts import State
from netinterf.observations.table import observe
from netinterf.pooling.episodes import lay_out
from netinterf.pooling.outages import outages
from netinterf.pooling.standing import standing_of
from netinterf.pooling.tallies import tally
from netinterf.pooling.witnesses import HOUR_NS, Hours, Witnesses, outage
from tests.unit.pooling.places import Campaign

STATES = st.sampled_from([State.ANSWERED, State.SILENT, State.HEARD, State.STRUCK, State.UNKNOWN])


@st.composite
def campaigns(draw):
    """Draw a small campaign in which anything may come of an attempt."""
    places, names, runs = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    server = draw(st.lists(st.integers(0, 1), min_size=names, max_size=names))
    campaign = Campaign(places, names, runs, server=server)
    count = places * names * runs
    campaign.state = np.array(draw(st.lists(STATES, min_size=count, max_size=count)), np.uint8).reshape(campaign.shape)
    silent = campaign.state == State.SILENT
    shut = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count))).reshape(campaign.shape)
    campaign.opening = silent & shut
    return campaign


def slow(table, tallies, key, wanted, but, hour, *, server=False):
    """Weigh what all places but one show of a key in an hour, place by place."""
    total = 0.0
    for place in set(table.place.tolist()) - {but}:
        rows = [
            row for row in range(len(table))
            if key[row] == wanted and table.place[row] == place and table.time[row] // HOUR_NS == hour
        ]  # fmt: skip
        alive = dead = 0
        for row in rows:
            struck = tallies.struck[tallies.cell[row]] > 0
            failed = int(table.at_opening[row]) if server else int(table.failed[row])
            alive += int(table.alive[row]) + (int(table.failed[row]) - failed if server else 0)
            dead += 0 if struck else failed
        total += float(outage(np.array([float(alive)]), np.array([float(dead)]))[0])
    return total


@settings(deadline=None, max_examples=60)
@given(campaigns())
def test_others_are_counted_as_by_looking_at_all(campaign):
    """Hour by hour, what others show of a unit is the sum over the other places."""
    table = observe(campaign.attempts())
    tallies = tally(table)
    cells = np.flatnonzero(tallies.failed > 0)
    episodes, _ = lay_out(table, tallies, cells, (table.chance, table.chance))
    hours = {int(time) // HOUR_NS for time in table.time}
    first = min(hours)
    for row in range(len(episodes.cell)):
        cell = int(cells[episodes.cell[row]])
        hour, place = first + round(float(episodes.hour[row])), int(tallies.place[cell])
        mine = [one for one in range(len(table)) if tallies.cell[one] == cell and table.time[one] // HOUR_NS == hour]
        assert episodes.failed[row] == sum(int(table.failed[one]) for one in mine)
        shut = not tallies.named[cell] and tallies.at_opening[cell] == tallies.failed[cell]
        key = table.service if shut else table.unit
        wanted = int(key[np.flatnonzero(tallies.cell == cell)[0]])
        by_name = [
            one for one in range(len(table))
            if shut and table.named[one] and table.service[one] == wanted and table.place[one] == place
            and table.time[one] // HOUR_NS == hour
        ]  # fmt: skip
        opened = sum(int(table.alive[one]) + int(table.failed[one]) - int(table.at_opening[one]) for one in by_name)
        assert episodes.answered[row] == opened + sum(int(table.answered[one]) for one in mine)
        expected = slow(table, tallies, key, wanted, place, hour, server=shut)
        assert episodes.gone[row] == pytest.approx(expected, abs=1e-9)


def out_by_hour(table, tallies, unit):
    """Give the chance that a unit was out for everybody, hour by hour."""
    hours = sorted({int(time) // HOUR_NS for time, one in zip(table.time, table.unit, strict=True) if one == unit})
    witnesses = Witnesses.of(table, tallies, Hours.of(table.time), np.arange(len(table)), table.unit)
    first = int(table.time.min()) // HOUR_NS
    shown = [witnesses.less_own(np.array([unit]), np.array([99]), np.array([hour - first])) for hour in hours]
    _, chance = outages(np.array([0, len(hours)]), np.array(hours, float), np.concatenate(shown))
    return dict(zip(hours, chance.tolist(), strict=True))


@settings(deadline=None, max_examples=40)
@given(campaigns(), st.integers(0, 2))
def test_other_places_stand_as_by_looking_at_each(campaign, country):
    """Refused in the whole country weighs what its other places show, struck ones against it."""
    table = observe(campaign.attempts())
    tallies = tally(table)
    cells = np.flatnonzero((tallies.failed > 0) & tallies.named)
    countries = np.array([0, 0, country])[: campaign.shape[0]]
    standing = standing_of(lay_out(table, tallies, cells, (table.chance, table.chance))[1], countries)
    for row, cell in enumerate(cells.tolist()):
        place, total = int(tallies.place[cell]), 0.0
        for other in range(campaign.shape[0]):
            if other == place or countries[other] != countries[place]:
                continue
            rows = np.flatnonzero((table.unit == tallies.unit[cell]) & (table.place == other))
            struck, out = 0, out_by_hour(table, tallies, int(tallies.unit[cell]))
            for hour in {int(time) // HOUR_NS for time in table.time[rows]}:
                now = rows[table.time[rows] // HOUR_NS == hour]
                alive, failed = float(table.alive[now].sum()), float(table.failed[now].sum())
                total += (1 - out[hour]) * float(outage(np.array([alive]), np.array([failed]))[0])
                struck += int(failed) if any(tallies.struck[tallies.cell[one]] > 0 for one in now) else 0
            total += min(struck, 3) * np.log(0.02)
        assert standing.country[row] == pytest.approx(total, abs=1e-9)


def test_an_empty_table_has_no_episodes():
    """Nothing was tried, nothing failed."""
    table = observe(Campaign(1, 1, 1).attempts()).take(np.zeros(0, np.int64))
    tallies = tally(table)
    assert len(tallies) == 0
    assert len(lay_out(table, tallies, np.zeros(0, np.int64), (table.chance, table.chance))[0].cell) == 0


@pytest.mark.parametrize("at_a_time", [1, 40])
def test_how_many_are_looked_at_at_a_time_does_not_matter(at_a_time, monkeypatch):
    """Cells are judged alike in one piece and in many."""
    transport = ["tcp/tls"] * 4 + ["quic"] * 2 + ["dns"] * 3
    campaign = Campaign(4, 9, 3, server=[0, 0, 1, 1, 2, 2, 3, 3, 4], transport=transport)
    campaign.fail((0, 3)).fail((slice(None), 5), opening=True).fail((1, 6)).fail((slice(None), 8, 1))
    whole = campaign.judged()
    monkeypatch.setattr(netinterf.pooling.cells, "AT_A_TIME", at_a_time)
    monkeypatch.setattr(netinterf.pooling.pieces, "TOGETHER", at_a_time)
    pieces = campaign.judged()
    assert pieces.cells.log_odds == pytest.approx(whole.cells.log_odds)
    assert pieces.cells.cause.tolist() == whole.cells.cause.tolist()
    assert pieces.cells.tallies.captures.tolist() == whole.cells.tallies.captures.tolist()
    assert pieces.cells.tallies.failing.tolist() == whole.cells.tallies.failing.tolist()
