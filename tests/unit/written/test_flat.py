"""Flat tables: what stands in them is what the verdicts say, and nothing in them acts."""

import csv
import io
import sqlite3
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path

import attrs
import pytest

import netinterf
from netinterf.engine.scan import Result
from netinterf.errors import ParameterError
from netinterf.written.flat import COLUMNS, write_csv, write_sqlite
from netinterf.written.record import Verdict


@pytest.fixture(scope="module")
def result() -> Result:
    """A scan with findings, groups among them."""
    with as_file(files("netinterf") / "data" / "examples" / "tcp.reset.pcap.gz") as path:
        return netinterf.scan(path)


def test_a_spreadsheet_holds_all_verdicts(result: Result, tmp_path: Path) -> None:
    """One row each, with the same values."""
    result.to_csv(tmp_path / "verdicts.csv")
    with (tmp_path / "verdicts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    for row, verdict in zip(rows, result.verdicts, strict=True):
        assert (row["outcome"], row["mechanism"]) == (verdict.outcome.value, verdict.mechanism or "")
        assert float(row["probability"]) == verdict.probability
        assert row["frames"].split() == list(map(str, verdict.frames))
        assert row["community_id"] == (verdict.community_id or "")
        assert row["ja4"] == (verdict.ja4 or "")


def test_a_database_answers_questions(result: Result, tmp_path: Path) -> None:
    """SQL finds what Python finds."""
    result.to_sqlite(tmp_path / "verdicts.db")
    with closing(sqlite3.connect(tmp_path / "verdicts.db")) as database:
        hit = "outcome = 'interfered' AND kind = 'flow'"
        found = database.execute(
            f"SELECT name, COUNT(*) FROM verdicts WHERE {hit} GROUP BY name ORDER BY name"
        ).fetchall()
    mine = [one.subject.name for one in result.verdicts if one.outcome == "interfered" and one.group is None]
    assert found == [(name, mine.count(name)) for name in sorted(set(map(str, mine)))]


def named(result: Result, name: str) -> Verdict:
    """Give a verdict about some name."""
    verdict = result.findings[0]
    return attrs.evolve(verdict, subject=attrs.evolve(verdict.subject, name=name))


@pytest.mark.parametrize(
    "name", ["=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", 'a","b', "a\r\nb", "\x1b[2J", "\ud800"]
)
def test_names_do_nothing(result: Result, name: str) -> None:
    """No cell is a formula, ends its row or moves a cursor; a database keeps the name."""
    held = io.StringIO(newline="")
    write_csv([named(result, name)], held)
    ((_, row),) = [list(csv.reader(io.StringIO(held.getvalue(), newline="")))]
    cell = dict(zip(COLUMNS, row, strict=True))["name"]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.isprintable()
    database = io.BytesIO()
    write_sqlite([named(result, name)], database)
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.deserialize(database.getvalue())
        ((kept,),) = opened.execute("SELECT name FROM verdicts").fetchall()
    assert kept == name.encode("utf-8", "backslashreplace").decode()


def test_a_capture_is_never_written_onto(tmp_path: Path) -> None:
    """Both refuse it."""
    with as_file(files("netinterf") / "data" / "examples" / "tcp.reset.pcap.gz") as path:
        (copy := tmp_path / "copy.pcap.gz").write_bytes(path.read_bytes())
    result, before = netinterf.scan(copy), copy.read_bytes()
    for write in (result.to_csv, result.to_sqlite):
        with pytest.raises(ParameterError, match="lost"):
            write(copy)
    assert copy.read_bytes() == before
