"""Captures are collected once each, whatever happens meanwhile."""

import gzip
import os
import struct
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import pyarrow as pa
import pytest

from netinterf import Campaign
from netinterf.campaign import Place, Processes
from netinterf.campaign.collecting import batch
from netinterf.campaign.collecting.observed import observed
from netinterf.campaign.judged.daily import by_day
from netinterf.campaign.stored import parts, store
from netinterf.engine.examples import FOLDER
from netinterf.errors import ParameterError, UsageError
from netinterf.pooling.grades import Finding
from netinterf.schema import Outcome
from netinterf.transform import load, save, snaplen
from tests.unit.campaign.captures import HEADER, capture, entries, observations, variant, write

BARE = 96
"""Bytes of a packet that hold its headers and hardly more."""


def told_of(path, paths, **options):
    """Collect, and give the numbers and what was told of files."""
    told = []
    return Campaign(path).collect(paths, told=told.append, **options), told


def listing(folder, *names):
    """Write a list of names."""
    (folder / "names.txt").write_text("\n".join(names), encoding="utf-8")
    return folder / "names.txt"


def test_what_is_there_is_not_collected_again(tmp_path):
    """A second call does nothing, and a new file is all that a third one adds."""
    write(tmp_path / "in", 3)
    assert told_of(tmp_path / "s", tmp_path / "in")[0].judged == 3
    before = observations(tmp_path / "s")
    counts, told = told_of(tmp_path / "s", tmp_path / "in")
    assert (counts.judged, counts.known, told) == (0, 3, [])
    write(tmp_path / "in", 1, first=3)
    assert told_of(tmp_path / "s", tmp_path / "in")[0].judged == 1
    assert len(observations(tmp_path / "s")) == len(before) // 3 * 4


@pytest.mark.parametrize("apart", [False, True])
def test_two_files_of_one_content_count_once(tmp_path, apart):
    """The second is told of, is an entry, and adds no rows: in one call or in two, and at another place as well."""
    first, second = write(tmp_path / "in", 2)
    second.write_bytes(first.read_bytes())
    if apart:
        Campaign(tmp_path / "s").collect(first, place="one")
        _, told = told_of(tmp_path / "s", second, place="two")
    else:
        (tmp_path / "manifest.csv").write_text("path,place\nin/0000.pcap,one\nin/0001.pcap,two\n", encoding="utf-8")
        _, told = told_of(tmp_path / "s", (), manifest=tmp_path / "manifest.csv")
        told = told[1:]
    assert [(one.path, one.state) for one in told] == [(str(second), "again")]
    assert "counts once" in told[0].message
    Campaign(tmp_path / "alone").collect(first, place="one")
    assert observations(tmp_path / "s") == observations(tmp_path / "alone")
    assert len(entries(tmp_path / "s")) == 2


def test_a_capture_that_was_compressed_since_is_the_same(tmp_path):
    """As recorders do with files that are full; what is no capture is told apart by its bytes."""
    first, second, third = write(tmp_path / "in", 3)
    Campaign(tmp_path / "s").collect(first)
    first.rename(tmp_path / "kept")
    (tmp_path / "in" / "0000.pcap.gz").write_bytes(gzip.compress((tmp_path / "kept").read_bytes()))
    second.write_bytes(gzip.compress(b"no capture"))
    third.write_bytes(gzip.compress(b"another"))
    assert [one.state for one in told_of(tmp_path / "s", [tmp_path / "in" / "0000.pcap.gz", second, third])[1]] == [
        "again", "error", "error",
    ]  # fmt: skip


def test_what_cannot_be_judged_is_an_entry(tmp_path):
    """No end: the kind of the error and its reason are kept, others are judged, and it is not tried again."""
    good, bad, empty = write(tmp_path / "in", 3)
    bad.write_bytes(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 9999) + bytes(60))
    empty.write_bytes(b"")
    counts, told = told_of(tmp_path / "s", [good, bad, empty, tmp_path / "absent"])
    assert (counts.judged, counts.errors, counts.unread) == (1, 2, 1)
    assert [one.state for one in told if one.message] == ["error", "error", "unread"]
    rows = pa.Table.from_batches(Campaign(tmp_path / "s").captures()).to_pylist()
    assert {row["error"] for row in rows} == {None, "UnsupportedLinkType", "UnreadableSource"}
    assert told_of(tmp_path / "s", [good, bad, empty])[0].known == 3


def test_a_fault_in_adding_up_costs_one_capture(tmp_path, monkeypatch):
    """Others that were added up with it are kept."""
    monkeypatch.setattr("netinterf.campaign.collecting.collect.GROWS", 1)
    one, bad, other = write(tmp_path / "in", 3)

    def failing(captures, *others):
        if any(seen.judged.summary.capture == str(bad) for seen in captures):
            raise RuntimeError("odd")
        return observed(captures, *others)

    monkeypatch.setattr(batch, "observed", failing)
    counts, told = told_of(tmp_path / "s", [one, bad, other])
    assert (counts.judged, counts.errors) == (2, 1)
    assert [(entry.path, "RuntimeError: odd" in entry.message) for entry in told] == [
        (str(path), path == bad) for path in (one, bad, other)
    ]
    assert len(set(pa.Table.from_batches(Campaign(tmp_path / "s").observations())["capture"].to_pylist())) == 2


def test_a_cut_off_file_and_a_clock_that_was_set_are_noted(tmp_path):
    """What was read counts, and the notes of the entry say what there is to say."""
    data = capture()
    (tmp_path / "cut.pcap").write_bytes(data[:-7])
    records, at = [], HEADER
    while at < len(data):
        size = 16 + struct.unpack_from("<I", data, at + 8)[0]
        records.append(data[at : at + size])
        at += size
    back = [struct.pack("<I", struct.unpack_from("<I", one)[0] - 3600) + one[4:] for one in records[20:]]
    (tmp_path / "stepped.pcap").write_bytes(data[:HEADER] + b"".join(records[:20] + back))
    Campaign(tmp_path / "s").collect([tmp_path / "cut.pcap", tmp_path / "stepped.pcap"])
    rows = pa.Table.from_batches(Campaign(tmp_path / "s").captures()).to_pylist()
    notes = {row["path"].rpartition("/")[2]: row["notes"] for row in rows}
    assert "capture.truncated" in notes["cut.pcap"] or notes["cut.pcap"]
    assert "recording.clock" in notes["stepped.pcap"]


class CrashError(BaseException):
    """The power fails."""


def test_a_crash_at_any_moment_loses_nothing(tmp_path, monkeypatch):
    """After each step that reaches the disk: the store can be read, and the next call makes it what it would be."""
    paths = write(tmp_path / "in", 2)
    Campaign(tmp_path / "whole").collect(paths, names=listing(tmp_path, "*.example.com"))
    expected = observations(tmp_path / "whole"), entries(tmp_path / "whole")
    real, steps, crashes = store.synced, 0, 0
    for crash in range(100):
        steps = 0

        def failing(folder, crash=crash):
            nonlocal steps
            real(folder)
            steps += 1
            if steps > crash:
                raise CrashError

        place = tmp_path / f"crash{crash}"
        monkeypatch.setattr(store, "synced", failing)
        monkeypatch.setattr(parts, "synced", failing)
        try:
            Campaign(place).collect(paths, names=tmp_path / "names.txt")
            break
        except CrashError:
            crashes += 1
        finally:
            monkeypatch.setattr(store, "synced", real)
            monkeypatch.setattr(parts, "synced", real)
        if (place / "netinterf-store.json").exists():
            assert set(observations(place)) <= set(expected[0])
            assert len(observations(place)) in {0, len(expected[0]) // 2, len(expected[0])}
        Campaign(place).collect(paths)
        assert (observations(place), entries(place)) == expected
        assert list((place / "pending").iterdir()) == []
    assert crashes > 15


def test_answers_do_not_depend_on_who_judges(tmp_path):
    """Here, in threads, in processes of which some died before: the same rows."""
    write(tmp_path / "in", 12)
    expected = None
    with ThreadPoolExecutor(3) as threads, Processes(2) as processes:
        assert isinstance(processes.submit(os._exit, 3).exception(), BrokenExecutor)
        for name, executor in (("here", None), ("threads", threads), ("processes", processes)):
            assert Campaign(tmp_path / name).collect(tmp_path / "in", executor=executor, in_flight=3).judged == 12
            found = observations(tmp_path / name), entries(tmp_path / name)
            expected = expected or found
            assert found == expected


class Mortal(Executor):
    """An executor whose workers die of one capture, and take with them whatever else is at work.

    Args:
        poison: Part of the path that nobody survives.
        lives: How often they die of anything else before.
    """

    def __init__(self, poison, lives=0):
        self.poison, self.lives, self.deaths = poison, lives, 0

    def submit(self, function, /, *arguments, **named):
        """Do it now, or die of it."""
        future = Future()
        files = getattr(arguments[0], "files", ())
        if self.lives or any(self.poison in file.path for file in files):
            self.lives = max(self.lives - 1, 0)
            self.deaths += 1
            future.set_exception(BrokenExecutor("a worker was ended"))
        else:
            future.set_result(function(*arguments, **named))
        return future


def test_lost_workers_lose_nothing(tmp_path):
    """Whatever they were at is tried again, and nothing is counted twice."""
    write(tmp_path / "in", 4)
    Campaign(tmp_path / "whole").collect(tmp_path / "in")
    executor = Mortal("absent", lives=3)
    assert Campaign(tmp_path / "s").collect(tmp_path / "in", executor=executor, in_flight=2).judged == 4
    assert executor.deaths == 3
    assert observations(tmp_path / "s") == observations(tmp_path / "whole")


def test_the_one_capture_that_nobody_survives_is_found(tmp_path, monkeypatch):
    """Its batch is halved down to it, and it becomes an error; all others are judged."""
    monkeypatch.setattr("netinterf.campaign.collecting.collect.GROWS", 1)
    write(tmp_path / "in", 15)
    counts, told = told_of(tmp_path / "s", tmp_path / "in", executor=Mortal("0012"), in_flight=2)
    assert (counts.judged, counts.errors) == (14, 1)
    assert [(one.path[-9:], one.state) for one in told if one.message] == [("0012.pcap", "error")]


def test_an_executor_that_is_gone_is_no_fault_of_captures(tmp_path):
    """Nothing is entered as an error; one line says that nobody answers."""
    write(tmp_path / "in", 2)
    with pytest.raises(UsageError, match="no worker of the executor lives"):
        Campaign(tmp_path / "s").collect(tmp_path / "in", executor=Mortal("", lives=10**6))
    assert entries(tmp_path / "s") == []


def test_a_manifest_says_whose_captures_are(tmp_path):
    """Places with their networks; lines that cannot be used are told by their number, and the rest runs."""
    write(tmp_path / "in", 2)
    lines = ["Place,path,country,asn,remark", "one,in/0000.pcap,de,AS64500,x", "two,in/0001.pcap,,,", "two,gone,,,",
             ",in,,,", "two,,,,", "two,in,Germany,,", "two,in,,many,"]  # fmt: skip
    (tmp_path / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    counts, told = told_of(tmp_path / "s", (), manifest=tmp_path / "manifest.csv")
    assert (counts.judged, counts.unread) == (2, 5)
    said = sorted(one.path.rpartition(", ")[2] for one in told if one.state == "unread")
    assert said == ["line 4", "line 5", "line 6", "line 7", "line 8"]
    rows = pa.Table.from_batches(Campaign(tmp_path / "s").observations()).to_pylist()
    assert {(row["place"], row["asn"], row["country"]) for row in rows} == {("one", 64500, "DE"), ("two", None, None)}


@pytest.mark.parametrize(
    ("text", "why"), [(None, "readable"), ("file,where\n", "path and place"), ("path,place\n\0,x\n", "unread")]
)
def test_a_manifest_that_is_none_is_named(tmp_path, text, why):
    """One line says what it must be; a path that cannot be one is an error of its line."""
    if text is not None:
        (tmp_path / "m.csv").write_text(text, encoding="utf-8")
    if why == "unread":
        assert told_of(tmp_path / "s", (), manifest=tmp_path / "m.csv")[0].unread == 1
        return
    with pytest.raises(ParameterError, match=why):
        Campaign(tmp_path / "s").collect(manifest=tmp_path / "m.csv")


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 65, 5])
def test_a_place_must_have_a_name(tmp_path, name):
    """One that can be printed, and is no longer than paths allow."""
    with pytest.raises(ParameterError, match="can be printed"):
        Campaign(tmp_path / "s").collect(tmp_path, place=name)


def test_places_may_have_any_printable_name(tmp_path):
    """What a path cannot hold is escaped in it, and rows have the name itself."""
    (path,) = write(tmp_path / "in", 1)
    Campaign(tmp_path / "s").collect(path, place=Place(name="../a b/ü=%"))
    rows = pa.Table.from_batches(Campaign(tmp_path / "s").observations(["place"])).to_pylist()
    assert {row["place"] for row in rows} == {"../a b/ü=%"}
    assert len(list((tmp_path / "s" / "observations").iterdir())) == 1


def test_a_file_that_grows_is_left_for_later(tmp_path):
    """What changed while it was read is not in the store, and is collected once it is whole."""
    (path,) = write(tmp_path / "in", 1)

    class Growing(Executor):
        def submit(self, function, /, *arguments, **named):
            path.write_bytes(variant(1) + bytes(3))
            future = Future()
            future.set_result(function(*arguments, **named))
            return future

    counts, told = told_of(tmp_path / "s", path, executor=Growing())
    assert (counts.unread, [one.state for one in told]) == (1, ["unread"])
    assert told_of(tmp_path / "s", path)[0].judged == 1


def test_a_file_that_has_grown_does_not_count_twice(tmp_path):
    """What was collected of it stays, and it is told of; a file of the same name with other packets is another."""
    (path,) = write(tmp_path / "in", 1)
    Campaign(tmp_path / "s").collect(path)
    before = observations(tmp_path / "s")
    path.write_bytes(path.read_bytes() + capture(packets=40)[len(capture()) :])
    counts, told = told_of(tmp_path / "s", path)
    assert (counts.unread, [one.state for one in told]) == (1, ["unread"])
    assert "has grown" in told[0].message
    assert observations(tmp_path / "s") == before
    path.write_bytes(variant(7, capture(packets=40)))
    assert told_of(tmp_path / "s", path)[0].judged == 1


def test_names_whose_answers_were_cut_out_are_not_shown(tmp_path):
    """With whole packets most names work; with hardly more than headers none does, and each says what is missing."""
    found = {}
    for length in (1 << 18, BARE):
        path = tmp_path / f"{length}.pcap"
        save(snaplen(load(FOLDER / "benign.pcap.gz"), length), path)
        Campaign(tmp_path / f"s{length}").collect(path)
        found[length] = list(Campaign(tmp_path / f"s{length}").report().of())
    whole, cut = found.values()
    assert [cell.here.answered for cell in cut] == [cell.here.answered for cell in whole]
    assert not any(cell.here.unread for cell in whole)
    blind = [cell for cell in cut if cell.here.blind]
    assert len(blind) > len(cut) / 2
    assert {(cell.finding, cell.outcome) for cell in blind} == {(Finding.NOT_SHOWN, Outcome.INSUFFICIENT)}
    assert {why.code for cell in blind for why in cell.reasons} == {"capture.snaplen"}
    assert all("by whom is not shown" in cell.explanation for cell in blind)
    days = list(by_day(Campaign(tmp_path / f"s{BARE}").report()))
    assert sum(day.finding is Finding.NOT_SHOWN for day in days) >= len(blind)
