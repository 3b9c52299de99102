"""A capture that is too large for one worker is one entry, whoever looks at its pieces, and whatever befalls them."""

import gzip
import struct
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from netinterf import Campaign
from netinterf.campaign import Processes
from netinterf.campaign.collecting import cut
from netinterf.errors import ParameterError
from tests.oracles import containers as c
from tests.unit.campaign.captures import HEADER, capture, entries, listed, observations

PACKETS = 120
OWN = {"mtime_ns", "notes", "pieces", "crossed", "left_open", "message"}
"""Columns of an entry in which a capture that was cut differs from one that was not."""


@cache
def packets():
    """Take the packets of an example: seconds, microseconds and bytes."""
    data, at, found = capture("dns.injection", PACKETS), HEADER, []
    assert data[:4] == b"\x4d\x3c\xb2\xa1"  # times are nanoseconds
    while at < len(data):
        second, fraction, size, _ = struct.unpack_from("<IIII", data, at)
        found.append((second, fraction // 1000, data[at + 16 : at + 16 + size]))
        at += 16 + size
    return found


def stored(path, source, **options):
    """Collect a capture; give its rows, its marks, its entry, and what was told."""
    told = []
    Campaign(path).collect(source, told=told.append, **options)
    tables = [pq.read_table(part) for part in sorted((path / "marks").rglob("*.parquet"))]
    marks = listed([batch for table in tables for batch in table.to_batches()], {"unit", "key"})
    (entry,) = pa.Table.from_batches(Campaign(path).captures()).to_pylist()
    assert list((path / "pending").iterdir()) == []
    return observations(path), marks, entry, told


def written(path, data):
    """Write a capture."""
    path.write_bytes(data)
    return path


def pcapng(order="<"):
    """Write the packets as of two interfaces of other resolutions, in turns, with a block between that is none."""
    data = c.section(order) + c.interface(order, resolution=6) + c.interface(order, resolution=9)
    for number, (second, fraction, frame) in enumerate(packets()):
        face = number % 2
        ticks = second * 10**6 + fraction if face == 0 else second * 10**9 + fraction * 1000
        data += c.enhanced(order, ticks, frame, face=face)
        data += c.block(order, 5, struct.pack(order + "III", 0, 0, 0)) if number == 50 else b""
    return data


def late_interface():
    """Write the packets in two sections, the second of another byte order, as of files that were put together."""
    half = [b"", b""]
    for place, (second, fraction, frame) in enumerate(packets()):
        half[place >= 60] += c.enhanced("<>"[place >= 60], second * 10**6 + fraction, frame)
    return c.section("<") + c.interface("<") + half[0] + c.section(">") + c.interface(">") + half[1]


def damaged():
    """Write the packets with zeros over some of them."""
    data = bytearray(capture("dns.injection", PACKETS))
    data[3000:3300] = bytes(300)
    return bytes(data)


def stepped():
    """Write the packets with a clock that is set an hour back among them."""
    return c.pcap_header() + b"".join(
        c.pcap_record("<", second - 3600 * (number >= 60), fraction, frame)
        for number, (second, fraction, frame) in enumerate(packets())
    )


@pytest.mark.parametrize("kind", ["pcap", "two interfaces", "two sections", "damaged", "cut off"])
def test_pieces_show_what_the_whole_shows(tmp_path, kind):
    """Whatever the file is like: the same rows, marks and entry, and the same content as that of the file."""
    plain = capture("dns.injection", PACKETS)
    data = {
        "pcap": plain, "two interfaces": pcapng(), "two sections": late_interface(), "damaged": damaged(),
        "cut off": plain[:-9],
    }[kind]  # fmt: skip
    source = written(tmp_path / "x", data)
    rows, marks, entry, told = stored(tmp_path / "whole", source)
    pieces = stored(tmp_path / "cut", source, cut=len(data) // 2 + 1)
    assert pieces[:2] == (rows, marks)
    assert {key: value for key, value in pieces[2].items() if key not in OWN} == {
        key: value for key, value in entry.items() if key not in OWN
    }
    assert set(pieces[2]["notes"]) == {*entry["notes"], "scan.pieces"}
    assert (pieces[2]["pieces"], pieces[2]["crossed"], pieces[2]["message"]) == (2, 0, None)
    assert (entry["pieces"], entry["crossed"], entry["left_open"]) == (None, None, None)
    assert pieces[3] == told


def test_a_clock_that_is_set_counts_every_packet_once(tmp_path):
    """Its halves are of other times, so that nothing lies beside them: every lookup is told, and none twice."""
    data = stepped()
    source = written(tmp_path / "x", data)
    _, _, entry, _ = stored(tmp_path / "cut", source, cut=len(data) // 2 + 1)
    _, _, whole, _ = stored(tmp_path / "whole", source)
    assert [entry[key] for key in ("packets", "first", "last")] == [whole[key] for key in ("packets", "first", "last")]


def test_a_compressed_capture_is_not_cut_and_says_so(tmp_path):
    """Nobody can begin in its middle: the rows are those of the whole, and the entry tells."""
    data = gzip.compress(capture("dns.injection", PACKETS))
    source = written(tmp_path / "x.gz", data)
    rows, marks, entry, told = stored(tmp_path / "cut", source, cut=len(data) // 4)
    assert (rows, marks) == stored(tmp_path / "whole", source)[:2]
    assert (entry["pieces"], "campaign.uncut" in entry["notes"]) == (None, True)
    assert "compressed" in told[0].message
    assert told[0].message == entry["message"]


def test_rows_do_not_depend_on_who_looks(tmp_path):
    """Here, in threads, in processes: the same rows; and beside others, of which one has the same content."""
    data = capture("dns.injection", PACKETS)
    (folder := tmp_path / "in").mkdir()
    for name in ("a", "b"):
        written(folder / f"{name}.pcap", data)
    written(folder / "c.pcap", capture("dns.injection", 20))
    found = []
    with ThreadPoolExecutor(3) as threads, Processes(2) as processes:
        for name, executor in (("here", None), ("threads", threads), ("processes", processes)):
            options = {"executor": executor, "in_flight": 3, "cut": len(data) // 3}
            counts = Campaign(tmp_path / name).collect(folder, **options)
            assert (counts.judged, counts.again) == (2, 1)
            assert list((tmp_path / name / "pending").iterdir()) == []
            found.append((observations(tmp_path / name), entries(tmp_path / name)))
    assert found[0] == found[1] == found[2]
    assert Campaign(tmp_path / "here").collect(folder, cut=len(data) // 4).known == 3
    written(folder / "d.pcap", data)
    assert Campaign(tmp_path / "here").collect(folder, cut=len(data) // 4).again == 1


class Lossy(Executor):
    """An executor that loses whoever does some of its work.

    Args:
        lost: Which submissions are lost, counted from 0; all pieces of a number of later ones.
        piece: A piece that nobody survives.
    """

    def __init__(self, lost=(), piece=None):
        self.lost, self.piece, self.count = lost, piece, 0

    def submit(self, function, /, *arguments, **named):
        """Do it, or be lost."""
        future = Future()
        cut_now = getattr(arguments[0], "cut", None)
        if self.count in self.lost or (self.piece is not None and cut_now and cut_now.piece == self.piece):
            future.set_exception(BrokenExecutor("a worker was ended"))
        else:
            future.set_result(function(*arguments, **named))
        self.count += 1
        return future


def test_lost_workers_lose_nothing(tmp_path):
    """Whoever cuts, looks or joins may be lost: somebody does it again."""
    source = written(tmp_path / "x", capture("dns.injection", PACKETS))
    options = {"cut": source.stat().st_size // 2 + 1}
    expected = stored(tmp_path / "whole", source, **options)
    for number, lost in enumerate(((0, 2), (4,), (1, 3))):
        assert stored(tmp_path / f"{number}", source, executor=Lossy(lost), **options) == expected


def test_a_piece_that_nobody_survives_is_an_error_of_the_capture(tmp_path):
    """Its entry says so, and no row of its other pieces is in the store."""
    source = written(tmp_path / "x", capture("dns.injection", PACKETS))
    rows, _, entry, _ = stored(tmp_path / "s", source, executor=Lossy(piece=1), cut=source.stat().st_size // 3)
    assert (rows, entry["state"]) == ([], "error")
    assert "ended by the system" in entry["message"]


class CrashError(BaseException):
    """The power fails."""


@pytest.mark.parametrize("moment", ["surveyed", "seen_of", "put_together"])
def test_a_crash_loses_nothing_and_counts_nothing_twice(tmp_path, monkeypatch, moment):
    """The store is what it was, and the next call adds the capture once."""
    source = written(tmp_path / "x", capture("dns.injection", PACKETS))
    options = {"cut": source.stat().st_size // 3}
    expected = stored(tmp_path / "whole", source, **options)

    def crash(*_):
        raise CrashError

    with monkeypatch.context() as patched:
        patched.setattr(cut, moment, crash)
        with pytest.raises(CrashError):
            Campaign(tmp_path / "s").collect(source, **options)
    assert observations(tmp_path / "s") == entries(tmp_path / "s") == []
    assert stored(tmp_path / "s", source, **options) == expected


def test_a_file_that_is_written_to_meanwhile_is_left_for_later(tmp_path):
    """Between the pieces: nothing of it is in the store."""
    source = written(tmp_path / "x", capture("dns.injection", PACKETS))

    class Growing(Lossy):
        def submit(self, function, /, *arguments, **named):
            if self.count == 2:
                source.write_bytes(source.read_bytes() + bytes(3))
            return super().submit(function, *arguments, **named)

    told = []
    counts = Campaign(tmp_path / "s").collect(source, executor=Growing(), cut=3000, told=told.append)
    assert (counts.unread, [one.state for one in told]) == (1, ["unread"])
    assert entries(tmp_path / "s") == []


def test_what_is_no_capture_is_an_error_as_ever(tmp_path):
    """A large file of something else is told as a small one is."""
    source = written(tmp_path / "x", b"no capture at all" * 99)
    _, _, entry, _ = stored(tmp_path / "s", source, cut=100)
    assert (entry["state"], entry["error"]) == ("error", "UnknownFormat")
    with pytest.raises(ParameterError, match="1 byte or more"):
        Campaign(tmp_path / "t").collect(source, cut=0)
