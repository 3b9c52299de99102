"""``campaign report``: what a store shows, in every form, with one clear line for what cannot be read."""

import json
from importlib.resources import files

import duckdb
import jsonschema
import pytest

import netinterf
from netinterf import export
from netinterf.cli.main import main
from netinterf.simulate.campaign import Campaign, Causes, make

RUNS = 4
VALIDATOR = jsonschema.Draft202012Validator(export.json_schema())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Collect a small campaign in which one censor drops and resets by name."""
    folder = tmp_path_factory.mktemp("campaign")
    quiet = Causes(
        dead=0, outage=0, gone=0, ban=0, geoblock=0, bad_line=0, line_out=0, recorder=0, clock=0,
    )  # fmt: skip
    played = Campaign(
        seed=5, networks=4, names=12, runs=RUNS, blocked=0.3, mechanisms=("tcp.drop", "tcp.reset"), causes=quiet
    )
    truth = make(played, folder / "captures", jobs=2)
    place = folder / "store"
    netinterf.Campaign(place).collect(
        manifest=folder / "captures" / "manifest.csv", networks=folder / "captures" / "networks.csv"
    )
    return place, truth


def told(capsys, *arguments):
    """Run the verb, and give exit status, standard output and standard error."""
    status = main(["campaign", "report", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_lines_tell_each_cell_that_is_blocked(store, capsys):
    """The stream says what was judged, names blocked cells with captures and frames, and ends with its counts."""
    place, truth = store
    status, out, _ = told(capsys, place, "--format", "jsonl", "--fail-on", "interfered")
    first, *cells, last = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert (first["type"], first["captures"], first["errors"]) == ("campaign", 4 * RUNS, 0)
    assert last == {"type": "end", "schema": 1, "captures": 4 * RUNS, "verdicts": len(cells), "errors": 0}
    blocked = [cell for cell in cells if cell["finding"] == "blocked"]
    true = {(name, cell["network"]) for cell in truth["cells"] for name in cell["names"]}
    beside = {(one["name"], one["network"]) for one in truth["collateral"]}
    found = {(cell["subject"]["name"], cell["network"]["place"]) for cell in blocked if cell["subject"]["name"]}
    assert found
    assert found <= true | beside
    for cell in blocked:
        assert cell["outcome"] == "interfered"
        assert cell["probability"] >= 0.9
        assert cell["shown"]
        assert cell["shown"][0]["frames"]
        assert cell["explanation"]


def test_every_form_tells_the_same(store, capsys, tmp_path):
    """Text, Parquet, a page and Python name the same blocked cells."""
    place, _ = store
    report = netinterf.Campaign(place).report()
    blocked = list(report.of("blocked"))
    _, text, _ = told(capsys, place)
    assert text.count("\nBLOCKED: ") == len({(cell.network, cell.mechanism) for cell in blocked})  # the surest of each
    _, text, _ = told(capsys, place, "--all")
    assert text.count("\nBLOCKED: ") == len(blocked) == report.counts()["blocked"]
    for cell in blocked:
        assert cell.subject in text
    table, page = tmp_path / "cells.parquet", tmp_path / "page.html"
    assert told(capsys, place, "--format", "parquet", "--out", table)[0] == 0
    rows = duckdb.sql(
        f"SELECT subject.name, network.place, probability FROM '{table}' WHERE finding = 'blocked'"
    ).fetchall()
    assert sorted(rows, key=str) == sorted(
        ((cell.name, cell.network.place, cell.probability) for cell in blocked), key=str
    )
    assert told(capsys, place, "--format", "html", "--out", page)[0] == 0
    content = page.read_text(encoding="utf-8")
    assert all(cell.called in content for cell in blocked)


def test_all_of_it_lists_what_works(store, capsys):
    """With --all every cell is a line, and what works is in the text."""
    place, _ = store
    report = netinterf.Campaign(place).report()
    _, out, _ = told(capsys, place, "--format", "jsonl", "--all")
    assert len(out.splitlines()) == len(report) + 2
    assert "Works:" in told(capsys, place, "--all")[1]


def test_days_add_up_to_the_whole(store, capsys):
    """One cell a day, whose counts are those of the cell; a day is blocked only if the cell is."""
    place, _ = store
    whole, daily = (
        [
            json.loads(line)
            for line in told(capsys, place, "--format", "jsonl", "--all", "--by", by)[1].splitlines()[1:-1]
        ]
        for by in ("name,network", "name,network,day")
    )

    def key(cell):
        return json.dumps([cell["subject"], cell["network"]], sort_keys=True)

    total = {key(cell): [cell["here"]["attempts"], cell["here"]["captures"], cell["finding"]] for cell in whole}
    for cell in daily:
        mine = total[key(cell)]
        mine[0] -= cell["here"]["attempts"]
        mine[1] -= cell["here"]["captures"]
        assert cell["start"][:10] == cell["end"][:10]
        assert cell["finding"] != "blocked" or mine[2] == "blocked"
    assert {tuple(mine[:2]) for mine in total.values()} == {(0, 0)}
    assert len(daily) > len(whole)
    status, _, err = told(capsys, place, "--by", "moon")
    assert (status, "name,network,day" in err) == (2, True)
    status, _, err = told(capsys, place, "--by", "day,name,network")
    assert (status, "jsonl or parquet" in err) == (2, True)


def test_settled_verdicts_are_listed_in_every_form(store, capsys, tmp_path):
    """Each is of a blocked cell, and none in its own capture; text names three of each cell, the other forms all."""
    place, truth = store
    report = netinterf.Campaign(place).report()
    _, out, _ = told(capsys, place, "--settled", "--format", "jsonl")
    first, *lines, last = [json.loads(line) for line in out.splitlines()]
    assert (first["type"], last["verdicts"], {line["type"] for line in lines}) == ("campaign", len(lines), {"settled"})
    assert len(lines) == len(list(report.settled())) > 3
    true = {(name, cell["network"]) for cell in truth["cells"] for name in cell["names"]}
    beside = {(one["name"], one["network"]) for one in truth["collateral"]}
    for line in lines:
        VALIDATOR.validate(line)
        assert (line["outcome"], line["grade"], line["mechanism"]) == ("interfered", "likely", "tcp.drop")
        assert line["alone"] is None or line["alone"] < 0.9 <= line["probability"]
        assert line["subject"]["name"] is None or (line["subject"]["name"], line["network"]["place"]) in true | beside
    one = next(line for line in lines if line["alone"] is not None)
    (verdict,) = [
        verdict
        for verdict in netinterf.scan(one["capture"]).verdicts
        if verdict.subject.first_frame == one["frames"][0] and verdict.subject.kind == "flow"
    ]
    assert verdict.outcome != "interfered"
    assert verdict.subject.name == one["subject"]["name"]
    table = tmp_path / "settled.parquet"
    assert told(capsys, place, "--settled", "--format", "parquet", "--out", table)[0] == 0
    rows = duckdb.sql(f"SELECT capture, frames, probability FROM '{table}'").fetchall()
    assert rows == [(line["capture"], line["frames"], line["probability"]) for line in lines]
    _, few, _ = told(capsys, place, "--settled")
    _, every, _ = told(capsys, place, "--settled", "--all")
    assert f"{len(lines):,} verdicts" in few
    assert every.count("tcp.drop 9") == len(lines)
    settling = sum(cell.settled > 0 for cell in report.of("blocked"))
    assert few.count("tcp.drop 9") <= 3 * settling
    hidden = sum(int(line.split()[1]) for line in few.splitlines() if line.endswith("more (--all lists them)"))
    assert few.count("tcp.drop 9") + hidden == len(lines)


def test_settled_verdicts_go_with_no_page_and_no_days(store, capsys):
    """One line each; and a store that settles nothing says so."""
    place, _ = store
    for words in (("--format", "html"), ("--format", "jsonl", "--by", "name,network,day")):
        status, out, err = told(capsys, place, "--settled", *words)
        assert (status, out, err.count("\n")) == (2, "", 1)


def test_days_share_what_a_cell_settles(store, capsys):
    """Captures with settled verdicts are counted on their day."""
    place, _ = store
    whole, daily = (
        [json.loads(line) for line in told(capsys, place, "--format", "jsonl", "--by", by)[1].splitlines()[1:-1]]
        for by in ("name,network", "name,network,day")
    )
    assert sum(cell["settled"] for cell in whole) == sum(cell["settled"] for cell in daily) > 0
    for cell in daily:
        assert all(cell["start"][:10] == one["start"][:10] for one in cell["settles"])


def test_judging_again_gives_the_same(store):
    """A report is a function of the store."""
    place, _ = store
    first, again = (netinterf.Campaign(place).report() for _ in range(2))
    assert [cell.explanation for cell in first.of()] == [cell.explanation for cell in again.of()]


def test_what_is_no_store_is_said(capsys, tmp_path):
    """A folder without a store, and a finding that there is none of, are one line."""
    status, out, err = told(capsys, tmp_path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "no store" in err


def test_a_store_of_one_capture_says_what_it_can(tmp_path, capsys):
    """One capture in one place: its packets speak, and no other place does."""
    example = str(files("netinterf") / "data" / "examples" / "tcp.reset.pcap.gz")
    campaign = netinterf.Campaign(tmp_path / "store")
    campaign.collect(example, place="home")
    cells = list(campaign.report().of("blocked"))
    assert {cell.mechanism for cell in cells} == {"tcp.reset"}
    assert {cell.there.networks for cell in cells} == {0}
    assert "settle nothing" in told(capsys, tmp_path / "store", "--settled")[1]
    with pytest.raises(netinterf.NetinterfError, match="one of blocked"):
        list(campaign.report().of("nonsense"))
