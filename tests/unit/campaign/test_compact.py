"""Small parts of a store are merged: the same rows at every moment, whenever it ends and whoever reads meanwhile."""

import json
import os
import shutil
import time
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pytest
from pyarrow import dataset, parquet

from netinterf import Campaign
from netinterf.campaign.stored import compact as compacting
from netinterf.campaign.stored.compact import Compacted
from netinterf.campaign.stored.reader import Snapshot
from netinterf.campaign.stored.store import NOTE, Store
from netinterf.engine.examples import FOLDER
from netinterf.errors import UsageError
from tests.unit.campaign.captures import entries, listed, observations, write
from tests.unit.ooni.written import visit

STEPS = ("rename", "replace", "unlink", "mkdir", "rmdir", "remove")
"""What changes which files there are, and where."""

ONE, OTHER = "de-1", "64500"


class Killed(BaseException):
    """The process ends: nothing of it runs any more."""


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch):
    """Do not wait for the disk: processes are killed here, and no machine."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store of three small parts at one place, one of them with an error alone, and one part at another."""
    folder = tmp_path_factory.mktemp("made")
    paths = write(folder / "in", 2)
    (folder / "in" / "broken.pcap").write_bytes(b"\xd4\xc3\xb2\xa1 no capture")
    campaign = Campaign(folder / "store")
    for path in (*paths, folder / "in" / "broken.pcap"):
        campaign.collect(path, place=ONE)
    campaign.collect(FOLDER / "dns.injection.pcap.gz", place=OTHER)
    return folder / "store"


@pytest.fixture
def store(made, tmp_path):
    """Copy that store."""
    return shutil.copytree(made, tmp_path / "s")


def rows(place: Path | Snapshot) -> list[list[str]]:
    """List what counts: observations, entries and marks."""
    reader = Campaign(place) if isinstance(place, Path) else place
    return [listed(read()) for read in (reader.observations, reader.captures, reader.marks)]


def steps(monkeypatch, act):
    """Have something done before each step of the file system, told its number; give how many there were."""
    count = [0]

    def watched(step):
        def call(*arguments, **named):
            monkeypatch.setattr(os, step.__name__, step)  # what is done meanwhile is no step
            act(count[0])
            monkeypatch.setattr(os, step.__name__, call)
            count[0] += 1
            return step(*arguments, **named)

        return call

    for name in STEPS:
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    return count


def killed_at(place: Path, number: int) -> bool:
    """Compact a store and end it before a step; nothing is cleaned up from then on. Say whether it got there."""

    def act(step):
        if step >= number:
            raise Killed

    with pytest.MonkeyPatch.context() as monkeypatch:
        steps(monkeypatch, act)
        try:
            Campaign(place).compact()
        except Killed:
            return True
    return False


def test_small_parts_become_one(store):
    """Of each place; the same rows in fewer files, and nothing is left to do."""
    before, report = rows(store), Campaign(store).report()
    assert Campaign(store).compact() == Compacted(4, 2)
    assert rows(store) == before
    assert len(list((store / "observations").rglob("*.parquet"))) == 2
    assert len(list((store / "private" / "seen").iterdir())) == 2
    assert [one.explanation for one in Campaign(store).report().of()] == [one.explanation for one in report.of()]
    assert Campaign(store).compact() == Compacted(2, 2)
    assert rows(store) == before


def test_whenever_it_ends_nothing_counts_twice_or_is_lost(made, tmp_path):
    """Before every single step; the next call does the rest."""
    before, number = rows(made), 0
    while True:
        store = shutil.copytree(made, tmp_path / f"s{number}")
        if not killed_at(store, number):
            break
        assert rows(store) == before, number
        assert Campaign(store).compact().after == 2, number
        assert rows(store) == before, number
        assert len(Store(store).parts("captures")) == len(Store(store).parts("observations")) == 2
        assert not list((store / "pending").iterdir())
        assert not list(store.rglob(NOTE))
        number += 1
    assert number > 15


def test_a_collect_finishes_what_a_merge_left(made, tmp_path):
    """What is known stays known, and what is new is added."""
    before = rows(made)
    for number in (4, 9, 14):
        store = shutil.copytree(made, tmp_path / f"s{number}")
        assert killed_at(store, number)
        done = Campaign(store).collect([made.parent / "in", *write(tmp_path / "new", 1, first=7)], place=ONE)
        assert (done.known, done.judged) == (3, 1)
        assert len(rows(store)[0]) > len(before[0])
        assert not list(store.rglob(NOTE))


def test_who_reads_meanwhile_reads_the_same(store, monkeypatch):
    """Before every step, whoever opens the store then, and who opened it before."""
    before, opened = rows(store), Snapshot(store)
    size = opened.size()

    def act(_):
        assert rows(store) == before
        assert rows(opened) == before
        assert opened.size() == size

    count = steps(monkeypatch, act)
    Campaign(store).compact()
    monkeypatch.undo()
    assert count[0] > 15
    assert rows(opened) == before


def test_a_listing_is_of_one_moment(made, tmp_path, monkeypatch):
    """Also where all is merged between two of its folders."""
    before, plain = rows(made), Store.parts
    for number in range(6):
        store, calls = shutil.copytree(made, tmp_path / f"s{number}"), [0]

        def parts(self, table, store=store, calls=calls, number=number):
            found = plain(self, table)
            calls[0] += 1
            if calls[0] == number + 1:
                with pytest.MonkeyPatch.context() as other:
                    other.setattr(Store, "parts", plain)
                    Campaign(store).compact()
            return found

        with monkeypatch.context() as patch:
            patch.setattr(Store, "parts", parts)
            snapshot = Snapshot(store)
        assert rows(snapshot) == before, number


def test_old_parts_go_after_a_while(store):
    """By the next call; who still reads them is told to open the store again."""
    opened = Snapshot(store)
    Campaign(store).compact()
    folders = list((store / "replaced").iterdir())
    assert len(folders) == 1
    Campaign(store).compact()
    assert folders[0].exists()
    long_ago = time.time() - 2 * 3600
    os.utime(folders[0], (long_ago, long_ago))
    Campaign(store).compact()
    assert not folders[0].exists()
    with pytest.raises(UsageError, match=r"compacted since it was opened.*open it again"):
        list(opened.observations())


def test_nothing_private_lies_where_it_is_handed_on(store):
    """Old parts of what numbers stand for are deleted, and what a store tells stays."""
    told = [list(read()) for read in (Campaign(store).names, Campaign(store).servers, Campaign(store).values)]
    Campaign(store).compact()
    assert not [file for file in (store / "replaced").rglob("*") if "private" in file.parts]
    assert [list(read()) for read in (Campaign(store).names, Campaign(store).servers, Campaign(store).values)] == told
    Campaign(store).collect(write(store.parent / "new", 1, first=9), place="elsewhere")
    names = {row["name"] for batch in Campaign(store).names() for row in batch.to_pylist()}
    assert names  # two places have met them by now: they are found in the merged part


def test_what_numbers_stand_for_is_kept_once(store):
    """With the most clients of any capture."""
    kept = parquet.read_table(store / "private" / "seen").to_pylist()
    Campaign(store).compact()
    merged = parquet.read_table(store / "private" / "seen").to_pylist()
    most = {}
    for row in kept:
        key = row["key"], row["place"]
        most[key] = max(row["clients"], most.get(key, 0))
    assert {(row["key"], row["place"]): row["clients"] for row in merged} == most
    assert len(merged) == len(most) < len(kept)


def probed(folder: Path) -> list[Path]:
    """Write three files of measurements: the first two from two countries each, the last of one of these and another.

    Each file asks for a name of its own, and countries of two files for one that each of them asked for once.
    """
    asked = (("IT", "DE"), ("IT", "DE"), ("DE", "FR"))
    folder.mkdir()
    for number, countries in enumerate(asked):
        visits = [visit(f"n{number}.example", f"198.51.{number}.10", number, probe_cc=country) for country in countries]
        visits.append(visit("shared.example", "198.51.9.10", number, probe_cc=countries[0]))
        text = "".join(json.dumps(one) + "\n" for one in visits)
        (folder / f"{number}.jsonl").write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


def test_measurements_of_several_places_stay_where_these_are(tmp_path):
    """What is collected before and after a merge is what is collected without: rows, marks, entries and names."""
    first, second, last = probed(tmp_path / "in")
    merged, plain = tmp_path / "merged", tmp_path / "plain"
    for path in (first, second):
        Campaign(merged).collect(path)
    assert Campaign(merged).compact() == Compacted(2, 1)
    Campaign(merged).collect(last)
    Campaign(plain).collect([first, second, last])
    assert observations(merged) == observations(plain)
    assert entries(merged) == entries(plain)
    one, other = (listed(Campaign(store).marks(), {"unit", "key"}) for store in (merged, plain))
    assert one == other
    one, other = (
        {row["name"] for batch in Campaign(store).names() for row in batch.to_pylist()} for store in (merged, plain)
    )
    assert one == other == {"n0.example", "n1.example", "n2.example", "shared.example"}


def test_who_reads_partitions_reads_the_same(tmp_path):
    """The place that a folder is called after is that of the rows, whoever takes it from there."""
    for path in probed(tmp_path / "in"):
        Campaign(tmp_path / "s").collect(path)
    Campaign(tmp_path / "s").collect(write(tmp_path / "captures", 2), place="a b/ü")
    Campaign(tmp_path / "s").compact()
    rows, home = observations(tmp_path / "s"), tmp_path / "s" / "observations"
    parts = dataset.partitioning(pa.schema([("place", pa.string())]), flavor="hive")
    without = {"unit", "name_key", "service", "site"}
    assert listed(dataset.dataset(home, partitioning=parts).to_batches(), without) == rows
    count = {place: sum(f"'place': {place!r}" in row for row in rows) for place in ("IT", "DE", "FR", "ooni-control")}
    assert min(count.values()) > 0
    for place, expected in count.items():
        told = f"FROM read_parquet('{home}/**/*.parquet', hive_partitioning=true) WHERE place = '{place}'"
        assert duckdb.sql(f"SELECT count(*) {told}").fetchall() == [(expected,)]
        frame = polars.scan_parquet(f"{home}/**/*.parquet", hive_partitioning=True)
        assert frame.filter(polars.col("place") == place).collect().height == expected


def test_parts_are_packed_until_they_are_large(store, monkeypatch):
    """What is large already stays as it is."""
    sizes = {
        number: sum(
            file.stat().st_size for table in compacting.TABLES for file in Store(store).parts(table).get(number, ())
        )
        for number in Store(store).parts("captures")
    }
    monkeypatch.setattr(compacting, "LARGE", 2 * min(sizes.values()))
    assert Campaign(store).compact() == Compacted(4, 4)
    monkeypatch.setattr(compacting, "LARGE", 2 * max(sizes.values()) + 1)
    assert Campaign(store).compact().after == 2


def rewritten(store: Path, change) -> Path:
    """Change the columns of one part of observations."""
    file = sorted((store / "observations" / f"place={ONE}").iterdir())[0]
    parquet.write_table(change(parquet.ParquetFile(file).read()), file)
    return file


def test_columns_of_another_version(store):
    """Those that came since are null in old rows; one that is not known is left to who knows it."""
    before = len(rows(store)[0])
    rewritten(store, lambda table: table.drop_columns(["missed"]))
    Campaign(store).compact()
    values = [value for batch in Campaign(store).observations(["missed"]) for value in batch["missed"].to_pylist()]
    assert len(values) == before
    assert None in values


def test_a_column_that_is_not_known_is_one_line(store):
    """Nothing is merged that would lose it."""
    file = rewritten(store, lambda table: table.append_column("later", pa.nulls(len(table), pa.int32())))
    with pytest.raises(UsageError, match=f"{file.name}: this part has a column later"):
        Campaign(store).compact()
    assert len(Store(store).parts("captures")) == 4
    assert not list(store.rglob(NOTE))


def test_a_store_without_its_private_part_is_compacted(store):
    """As it was handed on."""
    before = rows(store)
    shutil.rmtree(store / "private")
    assert Campaign(store).compact() == Compacted(4, 2)
    assert rows(store) == before


def test_a_note_of_a_part_that_never_came_changes_nothing(store):
    """It is dropped with the next call."""
    before = rows(store)
    (store / "replaced" / "feed").mkdir(parents=True)
    (store / "replaced" / "feed" / NOTE).write_text(json.dumps(list(Store(store).parts("captures"))), encoding="utf-8")
    assert rows(store) == before
    Campaign(store).compact()
    assert rows(store) == before
    assert not (store / "replaced" / "feed").exists()


def test_what_is_no_store_is_refused(tmp_path):
    """And nothing is made."""
    with pytest.raises(UsageError, match="no store"):
        Campaign(tmp_path / "absent").compact()
    assert not (tmp_path / "absent").exists()
