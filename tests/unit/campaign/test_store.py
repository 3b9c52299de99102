"""A store is read by whoever reads Parquet, and is refused with a line where it cannot be used."""

import json
import shutil
import sys
from concurrent.futures import Executor, Future

import duckdb
import polars
import pyarrow as pa
import pytest
from pyarrow import parquet

from netinterf import Campaign
from netinterf.campaign.stored import schema
from netinterf.engine.examples import FOLDER
from netinterf.errors import MissingExtra, UsageError
from tests.unit.campaign.captures import entries, observations, write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store of two places."""
    folder = tmp_path_factory.mktemp("made")
    paths = write(folder / "in", 4)
    for place, some in (("de-1", paths[:3]), ("64500", [paths[3], FOLDER / "dns.injection.pcap.gz"])):
        Campaign(folder / "store").collect(some, place=place)
    return folder / "store"


def test_columns_are_those_of_the_schema(made):
    """Every part of every table has all columns with their types, meanings and units."""
    for table in schema.TABLES:
        homes = {"seen": "private/seen", "names": "names", "servers": "names", "values": "names"}
        home = homes.get(table.name, table.name)
        pattern = f"{table.name}.parquet" if home == "names" else "**/*.parquet"
        files = list((made / home).glob(pattern))
        assert files
        for file in files:
            found = parquet.read_schema(file)
            assert [(one.name, one.metadata) for one in found] == [(one.name, one.metadata) for one in table.schema]
            assert [one.type for one in found] == [one.type for one in table.schema]
            assert found.metadata == table.schema.metadata
            assert parquet.read_metadata(file).num_row_groups <= 1
    assert all(column.meaning for table in schema.TABLES for column in table.columns)


def test_duckdb_and_polars_read_it_as_it_is(made):
    """The whole table, by files and by place, and what counts by a join with captures."""
    expected = len(observations(made))
    files = f"{made}/observations/**/*.parquet"
    per_place = f"SELECT place, count(*) FROM '{files}' GROUP BY place ORDER BY place"
    assert [place for place, _ in duckdb.sql(per_place).fetchall()] == ["64500", "de-1"]
    counted = f"SELECT count(*) FROM '{files}' SEMI JOIN '{made}/captures/*.parquet' USING (capture)"
    assert duckdb.sql(counted).fetchall() == [(expected,)]
    rows = polars.scan_parquet(files).group_by("place").len().sort("place").collect()
    assert rows["place"].to_list() == ["64500", "de-1"]
    assert int(rows["len"].sum()) == expected
    frame = polars.from_arrow(pa.Table.from_batches(Campaign(made).observations()))
    captures = polars.read_parquet(f"{made}/captures/*.parquet")
    assert frame.with_columns(polars.col("capture").cast(str)).join(captures, on="capture").height == expected
    assert frame.schema["bin"] == polars.Datetime("ns", "UTC")


def test_rows_of_a_batch_that_does_not_count_are_left_out(made, tmp_path):
    """Rows without an entry among captures are those of a collect that was cut off."""
    shutil.copytree(made, tmp_path / "s")
    before = observations(tmp_path / "s")
    part = next((tmp_path / "s" / "captures").iterdir())
    part.unlink()
    left = observations(tmp_path / "s")
    assert 0 < len(left) < len(before)
    sql = f"SELECT count(*) FROM '{tmp_path}/s/observations/**/*.parquet'"
    assert duckdb.sql(sql).fetchall() == [(len(before),)]
    assert duckdb.sql(f"{sql} SEMI JOIN '{tmp_path}/s/captures/*.parquet' USING (capture)").fetchall() == [(len(left),)]


def test_columns_can_be_chosen(made):
    """Only what is asked for is read, text of few values as dictionaries."""
    (first, *_) = Campaign(made).observations(["place", "answered"])
    assert first.schema.names == ["place", "answered"]
    assert pa.types.is_dictionary(first.schema.field("place").type)


def test_a_store_of_a_later_version_is_refused(made, tmp_path):
    """For reading and for adding; the line names both versions."""
    shutil.copytree(made, tmp_path / "s")
    about = tmp_path / "s" / "netinterf-store.json"
    about.write_text(json.dumps(json.loads(about.read_text("utf-8")) | {"schema": 99, "version": "7.0"}), "utf-8")
    for use in (lambda: list(Campaign(tmp_path / "s").captures()), lambda: Campaign(tmp_path / "s").collect(tmp_path)):
        with pytest.raises(UsageError, match=r"schema 99 and was written by version 7\.0"):
            use()


@pytest.mark.parametrize("about", ["{", "[]", "{}", '{"schema": "x", "version": "1"}'])
def test_a_damaged_description_is_one_line(made, tmp_path, about):
    """It is named."""
    shutil.copytree(made, tmp_path / "s")
    (tmp_path / "s" / "netinterf-store.json").write_text(about, encoding="utf-8")
    with pytest.raises(UsageError, match=r"netinterf-store\.json|schema x"):
        list(Campaign(tmp_path / "s").captures())


def test_what_is_no_store_is_refused_and_left_alone(tmp_path):
    """A folder of something else is not made a store, and one that is not there is none to read."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"x")
    with pytest.raises(UsageError, match="no store, and holds cat"):
        Campaign(tmp_path / "photos").collect(tmp_path)
    assert [file.name for file in (tmp_path / "photos").iterdir()] == ["cat.jpg"]
    with pytest.raises(UsageError, match="no store of a campaign"):
        list(Campaign(tmp_path / "absent").observations())


def test_a_store_without_its_private_part_is_read_and_not_added_to(made, tmp_path):
    """It holds all that may be told; what adds captures says why it cannot."""
    shutil.copytree(made, tmp_path / "s", ignore=shutil.ignore_patterns("private"))
    assert observations(tmp_path / "s") == observations(made)
    assert entries(tmp_path / "s") == entries(made)
    with pytest.raises(UsageError, match="without its private/key"):
        Campaign(tmp_path / "s").collect(tmp_path)


def test_one_at_a_time_adds_to_a_store(tmp_path):
    """The second is told so, while the first goes on."""
    paths = write(tmp_path / "in", 1)

    class Meanwhile(Executor):
        def submit(self, function, /, *arguments, **named):
            with pytest.raises(UsageError, match="another process is adding"):
                Campaign(tmp_path / "s").collect(paths)
            future = Future()
            future.set_result(function(*arguments, **named))
            return future

    assert Campaign(tmp_path / "s").collect(paths, executor=Meanwhile()).judged == 1


def test_without_pyarrow_the_error_says_what_to_install(tmp_path, monkeypatch):
    """For reading and for adding, and no half of a store is left."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"a store of a campaign needs.*netinterf\[arrow\]"):
        Campaign(tmp_path / "s").collect(tmp_path)
    assert not (tmp_path / "s" / "private").exists()
