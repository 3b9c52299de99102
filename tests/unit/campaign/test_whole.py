"""A network that is cut off, from a store to what people and programs are told."""

import io
import json
from itertools import chain

import attrs
import numpy as np
import pytest

from benchmarks.campaigns.pooled import named_cell
from benchmarks.campaigns.wide import TRANSPORTS, Wide, wide_store
from netinterf.campaign.judged.daily import by_day
from netinterf.campaign.judged.loading import load
from netinterf.campaign.judged.report import Report
from netinterf.campaign.judged.whole import with_networks
from netinterf.campaign.stored.reader import Snapshot
from netinterf.export.campaign import campaign_lines, campaign_parquet
from netinterf.pooling.grades import Finding
from netinterf.report.campaign import campaign_text
from netinterf.report.campaign_page import campaign_page
from netinterf.report.lines import laid_out
from netinterf.verdict.model import default_model

NAMES, RUNS, SINCE, DAY_NS = 150, 4, 2, 24 * 3600 * 10**9  # three names at each server
PLACE = "net-01"


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Judge a store in which one network reaches no more than every seventh server from the third day on."""
    names = [f"www.site{number:03}.example" for number in range(NAMES)]
    wide = Wide(names=names, networks=3, runs=RUNS, blocked=0, dead=0)
    folder = tmp_path_factory.mktemp("store") / "wide"
    wide_store(folder, wide)
    snapshot = Snapshot(folder)
    loaded = load(snapshot)
    table = loaded.observations
    place = [network.place for network in loaded.networks].index(PLACE)
    day = (table.time - table.time.min()) // DAY_NS
    cut = (table.place == place) & (day >= SINCE) & (table.service % 7 > 0) & (table.transport > 0)
    table = attrs.evolve(
        table,
        site=table.service % 24,
        answered=np.where(cut, 0, table.answered).astype(np.uint32),
        silent=cut.astype(np.uint32),
        around=np.where(cut, 20, table.around).astype(np.uint32),
        chance=np.where(cut, -0.5, table.chance),
        llr=np.where(cut, 0.0, table.llr),
    )
    model = default_model()
    return Report.judged(snapshot, *with_networks(attrs.evolve(loaded, observations=table), model), model)


def test_one_cell_is_blocked_and_names_the_network_and_the_day(judged):
    """It is neither a name nor a server; others are not accused for what it explains."""
    (cell,) = judged.of(Finding.BLOCKED)
    assert (cell.kind, cell.name, cell.server, cell.transport) == ("network", None, None, "")
    assert (cell.network.place, cell.mechanism) == (PLACE, "reach.isolation.allowlist")
    assert (cell.here.failed, cell.here.known) == (RUNS - SINCE, RUNS)
    assert (cell.there.networks, cell.there.failed) == (2, 0)
    start = int(judged.loaded.observations.time.min())
    assert (cell.began.likely - start) // DAY_NS == SINCE
    assert "is cut off from all but a part of the world" in cell.explanation
    assert all(shown.states[0] in {"silent", "answered"} for shown in cell.shown)
    others = [one for one in judged.of(Finding.CLEAR) if one.network.place == PLACE and one.here.cut_off]
    assert sum(one.here.cut_off for one in others) == int(judged.loaded.cut_off.sum()) > 500
    assert all("say nothing of this alone" in one.explanation for one in others)
    assert {one.here.failed for one in others} == {0}


def test_the_score_of_campaigns_is_handed_it(judged):
    """As whatever leaves the network, with its onset."""
    (cell,) = judged.of(Finding.BLOCKED)
    days = {int(time): int(time - judged.loaded.observations.time.min()) // DAY_NS for time in
            judged.loaded.observations.time}  # fmt: skip
    named = named_cell(cell, days)
    assert (named.network, named.transport, named.name, named.server, named.since) == (PLACE, "", "", "", SINCE)


def test_text_lines_and_page_tell_it(judged):
    """It is the first row wherever cells are listed, and is no name and no server where these are counted."""
    lines = [json.loads(line) for line in campaign_lines(judged, everything=True)]
    assert lines[1]["subject"] == {"kind": "network", "name": None, "suffix": None, "server": None, "transport": ""}
    cells = [line for line in lines if line["type"] == "cell"]
    assert sum(cell["here"]["cut_off"] for cell in cells) == int(judged.loaded.cut_off.sum())
    assert lines[0]["observations"] == NAMES * len(TRANSPORTS) * RUNS * 3
    text = "\n".join(laid_out(campaign_text(judged)))
    assert f"BLOCKED: all that leaves the network in {PLACE}" in text
    page = "".join(chain(campaign_page(judged)))
    assert "Somebody interferes with 1 whole network in 1 of 3 networks" in page
    assert f"{NAMES:,} names ({NAMES * len(TRANSPORTS):,} with their transports)" in page
    target = io.BytesIO()
    campaign_parquet(judged, target)
    assert target.getvalue()[:4] == b"PAR1"


def test_day_by_day_it_is_blocked_since_then(judged):
    """Before it began nothing was."""
    days = [cell for cell in by_day(judged, [Finding.BLOCKED]) if cell.kind == "network"]
    assert [day.finding is Finding.BLOCKED for day in days] == [day >= SINCE for day in range(RUNS)]
