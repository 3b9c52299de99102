"""Sources: paths, streams, memory, and everything that is no capture."""

import gzip
import io
import os
import sys
import threading

import numpy as np
import pytest

from netinterf.capture import compression, find_captures, from_memory, open_capture, source, write_pcap
from netinterf.errors import CaptureError, MissingExtra, ParameterError, UnknownFormat, UnreadableSource
from tests.oracles import containers as c

DATA = c.pcap_header() + b"".join(c.pcap_record("<", 1_700_000_000, n, bytes(60)) for n in range(9))


@pytest.fixture
def path(tmp_path):
    """Give a capture with a misleading name."""
    file = tmp_path / "capture.txt"
    file.write_bytes(DATA)
    return file


def test_all_kinds_of_source(path, monkeypatch):
    """A path, standard input, bytes of any kind and file objects give the same frames."""
    expected = open_capture(path).records
    assert len(expected) == 9
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DATA)))
    with open(path, "rb") as file, open(path, "rb", buffering=0) as raw:
        sources = [str(path), "-", DATA, bytearray(DATA), memoryview(DATA), memoryview(DATA * 2)[: len(DATA)]]
        for given in [*sources, io.BytesIO(DATA), file, raw]:
            assert expected.equals(open_capture(given).records)


def test_strided_memory_is_copied():
    """A memory view with gaps is read as the bytes it shows."""
    wide = np.repeat(np.frombuffer(DATA, np.uint8), 2)
    assert len(open_capture(memoryview(wide)[::2]).records) == 9


def test_named_pipe_is_read(tmp_path):
    """A named pipe is read to its end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(DATA))
    writer.start()
    assert len(open_capture(pipe).records) == 9
    writer.join()


def test_large_streams_go_to_a_file(monkeypatch):
    """A stream that outgrows memory is spooled and mapped, with the same result."""
    monkeypatch.setattr(source, "MEMORY_LIMIT", 100)
    monkeypatch.setattr(source, "PIECE", 64)
    assert open_capture(DATA).records.equals(open_capture(io.BytesIO(DATA)).records)
    assert open_capture(DATA).records.equals(open_capture(gzip.compress(DATA)).records)
    monkeypatch.setattr(source, "MAX_STREAM", 500)
    assert "capture.stream_limit" in [note.code for note in open_capture(io.BytesIO(DATA)).diagnostics]


def test_buffer_is_read_only():
    """Nobody can change the bytes of a capture through its buffer."""
    assert not open_capture(bytearray(DATA)).buffer.flags.writeable


def test_bombs_are_bounded(monkeypatch):
    """Data that expand beyond the bound are cut there, and what is no capture is not expanded at all."""
    monkeypatch.setattr(compression, "EXPANSION_FLOOR", 1 << 20)
    bomb = gzip.compress(c.pcap_header() + c.pcap_record("<", 1, 1, bytes(200_000)) * 50)
    capture = open_capture(bomb)
    assert "capture.expansion_limit" in [note.code for note in capture.diagnostics]
    assert 0 < len(capture.records) < 50
    with pytest.raises(UnknownFormat, match="inside gzip"):
        open_capture(gzip.compress(bytes(50 << 20)))


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b"", UnreadableSource, "no bytes"),
        (b"\xd4\xc3", UnknownFormat, "d4 c3"),
        (b"\xd4\xc3\xb2\xa1\x02\x00", UnreadableSource, "cut off"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), UnreadableSource, "byte-order"),
        (c.pcap_header(version=(1, 0)), UnknownFormat, "version 1.0"),
        (b"hello, this is text", UnknownFormat, "68 65 6c 6c"),
        (b"snoop\0\0\0" + bytes(40), UnknownFormat, "snoop"),
        (b"btsnoop\0" + bytes(40), UnknownFormat, "btsnoop"),
        (bytes(100), UnknownFormat, "00 00 00 00"),
        (gzip.compress(b"", mtime=0), UnreadableSource, "empty"),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 40, UnreadableSource, "damaged"),
        (b"BZh9" + b"\xff" * 40, UnreadableSource, "damaged"),
        (b"\xfd7zXZ\0" + b"\xff" * 40, UnreadableSource, "damaged"),
        (gzip.compress(DATA, mtime=0)[:12], UnreadableSource, "too early"),
    ],
)
def test_what_is_no_capture_is_refused(data, error, reason, tmp_path):
    """Bytes that are no capture are refused with a reason that shows what they are, from memory and from a file."""
    with pytest.raises(error, match=reason):
        open_capture(data)
    with pytest.raises(error, match=reason):
        open_capture(io.BytesIO(data))
    file = tmp_path / "something.pcap"
    file.write_bytes(data)
    with pytest.raises(error, match=f"{file}: .*{reason if data else 'empty'}"):
        open_capture(file)


def test_paths_that_cannot_be_read(tmp_path):
    """A missing file, a folder, and a name that cannot be are refused with the name."""
    for bad in [tmp_path / "missing.pcap", tmp_path, "a\0b", "x" * 5000]:
        with pytest.raises(UnreadableSource, match="cannot be read"):
            open_capture(bad)


def test_unsuitable_objects_are_a_usage_error(path):
    """Text streams and other objects are refused as a wrong call."""
    with open(path, encoding="latin-1") as text:
        for bad in [text, io.StringIO("x"), 5, None]:
            with pytest.raises(ParameterError, match="binary mode"):
                open_capture(bad)


def test_a_long_argument_is_shown_in_part():
    """An object whose description fills pages does not fill the error with them; what is allowed stays."""
    with pytest.raises(ParameterError, match=r"\{0: None, 1: None, .*… is not allowed: .*binary mode") as caught:
        open_capture(dict.fromkeys(range(10_000)))
    assert len(str(caught.value)) < 400


def test_standard_input_must_be_a_pipe_or_file(monkeypatch):
    """A closed standard input and a terminal are refused instead of waited for."""

    class Terminal(io.BytesIO):
        def isatty(self):
            return True

    for stdin in [None, io.StringIO(), io.TextIOWrapper(Terminal())]:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(UnreadableSource, match="standard input"):
            open_capture("-")


def test_streams_that_give_no_bytes_are_refused():
    """A stream of text is a wrong call; one without data yet, or that fails, is unreadable."""

    class Stream:
        def __init__(self, *pieces):
            self.pieces = list(pieces)

        def read(self, _):
            piece = self.pieces.pop(0)
            if isinstance(piece, Exception):
                raise piece
            return piece

    with pytest.raises(ParameterError, match="binary mode"):
        open_capture(Stream("text"))
    for pieces in [[None], [DATA, None], [OSError(5, "input/output error")], [DATA[:30], ValueError("closed")]]:
        with pytest.raises(UnreadableSource, match="file object"):
            open_capture(Stream(*pieces))


def test_zstd_without_module_names_the_extra(monkeypatch, tmp_path):
    """Without a zstd module the error says what to install, and a search carries on."""
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    with pytest.raises(MissingExtra, match=r"netinterf\[zstd\]"):
        open_capture(b"\x28\xb5\x2f\xfd" + bytes(20))
    (tmp_path / "packed").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(20))
    with pytest.raises(MissingExtra):
        open_capture(tmp_path / "packed")
    found = find_captures(tmp_path)
    assert "netinterf[zstd]" in found.errors[0].reason


def test_progress_is_reported(path):
    """Bytes done never fall and end at the total."""
    calls = []
    open_capture(path, progress=lambda done, total: calls.append((done, total)))
    assert (len(DATA), len(DATA)) == calls[-1]
    assert sorted(calls) == calls


def test_frames_from_memory():
    """Frames in memory become a capture; times may be integers or datetime64."""
    frames = [b"abc", b"", b"defgh"]
    capture = from_memory([3, 1, 2], frames, 1)
    assert frames == [
        capture.buffer[at : at + size].tobytes()
        for at, size in zip(capture.records.at, capture.records.captured, strict=True)
    ]
    assert capture.records.time.tolist() == [3, 1, 2]
    assert len(from_memory([], [], 1).records) == 0
    stamps = np.array(["2024-01-01T00:00:00"], "datetime64[s]")
    assert from_memory(stamps, [b""], 1).records.time.tolist() == [1_704_067_200 * 10**9]
    with pytest.raises(ParameterError, match="whole nanoseconds"):
        from_memory([1.5], [b""], 1)
    with pytest.raises(ParameterError, match="64 bits"):
        from_memory(np.array([1 << 63], np.uint64), [b""], 1)
    for frames in (["text"], [5]):
        with pytest.raises(ParameterError, match="frames"):
            from_memory([1], frames, 1)
    with pytest.raises(ParameterError, match="one per frame"):
        from_memory([1, 2], [b""], 1)


@pytest.fixture
def tree(tmp_path):
    """Give a folder with captures, other files, and a link that leads nowhere."""
    (tmp_path / "b").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "b" / "two.log").write_bytes(DATA)
    (tmp_path / "a.bin").write_bytes(gzip.compress(DATA))
    (tmp_path / "[odd].pcap").write_bytes(DATA)
    (tmp_path / "notes.pcap").write_text("no capture")
    (tmp_path / "void").write_bytes(b"")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    return tmp_path


def test_find_captures_by_content(tree):
    """A folder is searched recursively and in order; files that are no captures are counted."""
    found = find_captures(tree)
    names = [os.path.relpath(path, tree) for path in found.captures]
    assert ["[odd].pcap", "a.bin", os.path.join("b", "two.log")] == names
    assert (found.skipped, found.errors) == (3, ())
    assert found.misnamed == (str(tree / "notes.pcap"),)


def test_find_captures_by_pattern_name_and_dash(tree):
    """Patterns, literal names that look like patterns, and standard input are found, each once."""
    found = find_captures([f"{tree}/**/*.log", tree / "[odd].pcap", "-", f"{tree}/*.pcap", tree / "b"])
    assert [os.path.basename(path) for path in found.captures] == ["two.log", "[odd].pcap", "-"]
    assert (found.skipped, len(found.errors)) == (1, 0)


def test_find_captures_says_what_leads_nowhere(tree):
    """Missing files, patterns without match, folders without captures and impossible names are errors."""
    found = find_captures([tree / "missing", f"{tree}/*.nothing", tree / "empty", f"{tree}/void*", "a\0b"])
    assert found.captures == ()
    reasons = ["no such file", "no file matches", "holds no captures", "no capture matches", "cannot be read"]
    assert all(reason in error.reason for reason, error in zip(reasons, found.errors, strict=True))
    assert all(isinstance(error, CaptureError) for error in found.errors)
    with pytest.raises(ParameterError, match="paths"):
        find_captures([5])


def test_hostile_captures_open_quickly(captures_dir):
    """Every malformed public capture opens, or is refused with a capture error."""
    files = [path for path in sorted((captures_dir / "hostile").rglob("*")) if path.is_file()]
    assert files
    for file in files:
        try:
            capture = open_capture(file)
        except CaptureError:
            continue
        ends = capture.records.at + capture.records.captured
        assert (ends <= len(capture.buffer)).all()


def test_write_refuses_what_pcap_cannot_hold():
    """Times outside 1970-2106, unequal columns, large frames and odd link types are refused."""
    for times, frames, kind, lengths in [
        ([-1], [b"x"], 1, None),
        ([1 << 62], [b"x"], 1, None),
        ([0], [bytes(262_145)], 1, None),
        ([0], [b"x"], 70_000, None),
        ([0], [b"x"], 1, [1, 2]),
        ([0], [b"x"], 1, [-1]),
    ]:
        with pytest.raises(ParameterError):
            write_pcap(io.BytesIO(), times, frames, kind, lengths=lengths)
