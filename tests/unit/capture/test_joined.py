"""Files of one recording, read as one: the frames of the whole, however it was cut and in whatever order it comes."""

import gzip
import random
from functools import cache
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.joined import cut
from netinterf.capture import open_capture, write_pcap
from netinterf.errors import CaptureError, ParameterError
from netinterf.schema import File, Files, Records
from tests.oracles import containers as c

COLUMNS = [column.name for column in Records.schema() if column.name not in {"at", "interface"}]


@cache
def example(name):
    """Unpack a packaged capture."""
    return gzip.decompress((resources.files("netinterf") / f"data/examples/{name}.pcap.gz").read_bytes())


def bytes_of(capture):
    """Give the bytes of each frame."""
    ends = capture.records.at + capture.records.captured
    return [capture.buffer[at:end].tobytes() for at, end in zip(capture.records.at, ends, strict=True)]


def same_frames(one, other):
    """Hold frames against each other: numbers, times, lengths, bytes, and where they were captured."""
    for name in COLUMNS:
        assert np.array_equal(getattr(one.records, name), getattr(other.records, name)), name
    assert bytes_of(one) == bytes_of(other)
    faces = [[capture.interfaces[row] for row in capture.records.interface.tolist()] for capture in (one, other)]
    assert faces[0] == faces[1]


@given(count=st.integers(1, 60), seed=st.integers(0, 2**32))
def test_cut_anywhere_and_shuffled_is_the_whole(tmp_path_factory, count, seed):
    """A recording is the same whether it is one file, or many in any order, some of them compressed."""
    path = tmp_path_factory.getbasetemp() / "whole.pcap"
    if not path.exists():
        path.write_bytes(example("tcp.reset"))
    pieces = cut(path, count, seed)
    chance = random.Random(seed)
    shuffled = [gzip.compress(piece, 1) if chance.random() < 0.2 else piece for piece in pieces]
    chance.shuffle(shuffled)
    whole, joined = open_capture(path), open_capture(shuffled)
    same_frames(whole, joined)
    assert [file.packets for file in joined.files] == [len(open_capture(piece).records) for piece in pieces]
    assert (whole.files, whole.diagnostics, joined.diagnostics) == (Files(), (), ())


def test_interfaces_are_those_of_the_whole(tmp_path):
    """Two interfaces of a pcapng file stay two, alike as they are, and are not doubled by a second file."""
    blocks = [c.section("<"), c.interface("<", 1), c.interface("<", 1), c.interface("<", 113)]
    packets = [c.enhanced("<", 1_000_000 * number, bytes([number]) * 60, face=number % 3) for number in range(30)]
    path = tmp_path / "whole.pcapng"
    path.write_bytes(b"".join(blocks + packets))
    whole, joined = open_capture(path), open_capture(cut(path, 5)[::-1])
    same_frames(whole, joined)
    assert joined.interfaces == whole.interfaces
    assert np.array_equal(whole.records.interface, joined.records.interface)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=60), st.integers(0, 2**32))
def test_interleaved_taps_are_merged_by_time(tmp_path_factory, times, seed):
    """Packets of several taps, each in order, are in the order of time together, as sorting all of them gives."""
    chance, folder = random.Random(seed), tmp_path_factory.getbasetemp()
    frames = [(time * 10**9 + place, bytes([place]) * 60) for place, time in enumerate(sorted(times))]
    taps = [[], []]
    for frame in frames:
        taps[chance.randrange(2)].append(frame)
    paths = []
    for number, tap in enumerate(taps):
        paths.append(folder / f"tap{number}.pcap")
        write_pcap(paths[-1], [time for time, _ in tap], [data for _, data in tap], 1)
    joined = open_capture(paths)
    order = np.argsort(joined.records.time, kind="stable")
    merged = [(int(joined.records.time[row]), bytes_of(joined)[row]) for row in order]
    assert frames == merged
    assert joined.gaps == ()


def test_a_file_that_cannot_be_read_is_left_out(tmp_path):
    """The others are read, a note names it and why; asked to be strict, it is an error. None at all is one, too."""
    data = example("dns.injection")
    bad = tmp_path / "torn.pcap"
    bad.write_bytes(b"no capture at all")
    joined = open_capture([data, bad, tmp_path / "gone.pcap"])
    assert len(joined.records) == len(open_capture(data).records)
    notes = [note for note in joined.diagnostics if note.code == "capture.left_out"]
    assert [note.message.split(": ")[1] for note in notes] == [str(bad), str(tmp_path / "gone.pcap")]
    with pytest.raises(CaptureError, match=r"torn\.pcap: neither pcap nor pcapng"):
        open_capture([data, bad], strict=True)
    with pytest.raises(CaptureError, match="torn"):
        open_capture([bad])
    with pytest.raises(ParameterError, match="at least one file"):
        open_capture([])


def test_damage_is_told_of_its_file(tmp_path):
    """A file that is cut off says so under its own name, with an offset that is its own."""
    path = tmp_path / "cut.pcap"
    path.write_bytes(example("dns.injection")[:-3])
    (alone,) = open_capture(path).diagnostics
    (joined,) = open_capture([example("tcp.reset"), path]).diagnostics
    assert (joined.message, joined.offset) == (f"{path}: {alone.message}", alone.offset)


def test_frames_are_found_in_their_files():
    """The number of a frame among all leads to its file and its number there, as counting on fingers does."""
    files = Files((File("/x/a", 1), File("/x/b", 4), File("/x/empty", 5), File("/x/c", 5)))
    held = {1: ("a", 1), 2: ("a", 2), 3: ("a", 3), 4: ("b", 1), 5: ("c", 1), 9: ("c", 5)}
    assert {frame: (files.called(file), number) for frame in held for file, number in [files.placed(frame)]} == held
    assert {file.path: numbers for file, numbers in files.apart([1, 4, 3]).items()} == {"/x/a": [1, 3], "/x/b": [1]}
    elsewhere = Files((File("/x/a", 1), File("/y/a", 4)))
    assert [elsewhere.called(file) for file in elsewhere] == ["/x/a", "/y/a"]
    assert [elsewhere.named(name) for name in ("/y/a", "a")] == [elsewhere.each[1], None]


def numbered(folder, pieces, name="trace{}.pcap", first=0, seed=1):
    """Write pieces under names that count up by one; give the paths in any order."""
    folder.mkdir()
    paths = [folder / name.format(number) for number in range(first, first + len(pieces))]
    for path, piece in zip(paths, pieces, strict=True):
        path.write_bytes(piece)
    return random.Random(seed).sample(paths, len(paths))


def piece(*seconds):
    """Write a capture of packets of these seconds, in this order."""
    times = [round(second * 1e6) for second in seconds]
    records = [c.pcap_record("<", *divmod(time, 10**6), f"{time:060}".encode()) for time in times]
    return b"".join([c.pcap_header(), *records])


def seen(paths):
    """Give the times of the packets of joined files, in the order of their frames, s."""
    return [int(data) / 1e6 for data in bytes_of(open_capture(paths))]


def test_numbers_say_what_was_written_first(tmp_path):
    """A file that begins before the one with the number below was written behind it, if its packets go on later."""
    late = [piece(1, 2, 3), piece(2.9, 4, 5), piece(4.9, 4.8, 6)]
    assert seen(numbered(tmp_path / "three", late)) == [1, 2, 3, 2.9, 4, 5, 4.9, 4.8, 6]
    two = [piece(1, 2, 3), piece(0.9, 4)]
    assert seen(numbered(tmp_path / "two", two)) == [1, 2, 3, 0.9, 4]
    many = [piece(float(number)) for number in range(30)]
    many[12], many[13] = many[13], many[12]
    wanted = [*range(12), 13, 12, *range(14, 30)]
    assert seen(numbered(tmp_path / "many", many, first=95)) == wanted


@given(count=st.integers(1, 12), begun=st.integers(0, 11), seed=st.integers(0, 99))
def test_a_ring_begins_where_it_was_begun_anew(tmp_path_factory, count, begun, seed):
    """Numbers of a ring begin anew in the middle of the time, and an empty file moves none of the others."""
    begun %= count
    pieces = [piece(10.0 * place, 10.0 * place + 5) for place in range(count)]
    ring = pieces[count - begun :] + pieces[: count - begun]
    folder = tmp_path_factory.mktemp("ring") / "files"
    paths = numbered(folder, [*ring, piece()], seed=seed)
    assert seen(paths) == [second for place in range(count) for second in (10.0 * place, 10.0 * place + 5)]


@given(order=st.permutations(range(12)))
def test_numbers_that_do_not_count_the_time_say_nothing(tmp_path_factory, order):
    """Where files were numbered in another order than they were recorded, times decide."""
    pieces = [piece(10.0 * place, 10.0 * place + 5) for place in order]
    joined = seen(numbered(tmp_path_factory.mktemp("any") / "files", pieces))
    back = sum(one > other for one, other in zip(order, [*order[1:], order[0]], strict=True))
    assert back <= 2 or joined == sorted(joined)


def test_names_without_numbers_leave_the_order_to_the_times(tmp_path):
    """Words order nothing; dates do, as numbers."""
    (tmp_path / "inside1").write_bytes(piece(3, 4))
    (tmp_path / "outside2").write_bytes(piece(1, 5))
    assert seen([tmp_path / "inside1", tmp_path / "outside2"]) == [1, 5, 3, 4]
    dated = numbered(tmp_path / "dated", [piece(1, 2), piece(0.5, 3)], first=20261201)
    assert seen(dated) == [1, 2, 0.5, 3]
