"""``--join``: many files are judged, told, extracted and redacted as one recording, each under its own name."""

import gzip
import io
import json
import random
from pathlib import Path

import numpy as np
import pytest

import netinterf
from benchmarks.joined import cut
from netinterf import simulate
from netinterf.capture import open_capture, write_pcap, write_records
from netinterf.cli.main import main
from netinterf.errors import CaptureError
from netinterf.export.jsonl import lines
from netinterf.verdict.subjects import list_subjects

EXAMPLES = Path(str(netinterf.__path__[0])) / "data" / "examples"
KEY = b"0123456789abcdef"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Unpack a capture of forged resets."""
    path = tmp_path_factory.mktemp("whole") / "visit.pcap"
    path.write_bytes(gzip.decompress((EXAMPLES / "tcp.reset.pcap.gz").read_bytes()))
    return path


@pytest.fixture(scope="module")
def folder(whole, tmp_path_factory):
    """Cut it into five files."""
    folder = tmp_path_factory.mktemp("rotated")
    for number, piece in enumerate(cut(whole, 5)):
        (folder / f"trace{number + 8}.pcap").write_bytes(piece)
    return folder


def told(capsys, *arguments):
    """Run the command; give what it writes."""
    assert main(list(map(str, arguments))) == 0
    return capsys.readouterr().out


def without_place(written):
    """Read JSON lines without what tells how a recording lies on disk."""
    read = [json.loads(line) for line in written]
    return [{key: value for key, value in line.items() if key not in {"capture", "files"}} for line in read]


def test_joined_files_are_judged_as_the_whole(whole, folder, capsys):
    """Verdicts, frames and evidence are those of the whole, whatever the order in which files are named."""
    paths = sorted(folder.iterdir(), key=str)
    random.Random(1).shuffle(paths)
    line = without_place(told(capsys, "scan", "--join", "--all", "--format", "jsonl", *paths).splitlines())
    assert line == without_place(told(capsys, "scan", "--all", "--format", "jsonl", whole).splitlines())
    (judged,) = netinterf.scan(str(folder), join=True).judged
    assert [Path(file.path).name for file in judged.summary.files] == [f"trace{number}.pcap" for number in range(8, 13)]
    assert judged.summary.capture == str(folder / "trace8.pcap")


def test_frames_are_named_by_file(folder, capsys):
    """Whoever reads the text opens the file that it names, and finds the packet under the number that it names."""
    text = told(capsys, "scan", "--join", folder)
    assert "trace8.pcap and 4 more files: 217 packets" in " ".join(text.split())
    judged = netinterf.scan(str(folder), join=True).judged[0]
    whole = netinterf.read([str(path) for path in folder.iterdir()])
    for verdict in judged.ledger.findings():
        if verdict.group is not None:
            continue
        for file, numbers in judged.summary.files.apart(verdict.frames).items():
            alone = open_capture(file.path).records
            rows = np.isin(whole.packets.frame, verdict.frames)
            assert set(alone.time[np.isin(alone.frame, numbers)]) <= set(whole.packets.time[rows])
            assert f"{', '.join(map(str, numbers))} of {Path(file.path).name}" in told(
                capsys, "explain", "--join", folder, f"{Path(file.path).name}:{numbers[0]}"
            )
            listed = f"frame.number in {{{', '.join(map(str, numbers))}}}"
            assert verdict.wireshark_in[file.path] == f"({verdict.flow_filter}) || {listed}"
        assert verdict.wireshark == verdict.flow_filter


def test_the_page_names_files_and_takes_the_fingerprint_of_each(folder):
    """A page can be held against the files that it was made of."""
    page = io.StringIO()
    netinterf.report.html(netinterf.scan(str(folder), join=True), page)
    assert page.getvalue().count("trace8.pcap") > 1
    assert all(str(path) in page.getvalue() for path in folder.iterdir())
    assert "netinterf scan --join" in page.getvalue()
    assert "<svg" in page.getvalue()


def test_explain_needs_one_recording(folder, capsys):
    """A frame beyond the end of a file is no frame of the next one, and several captures are not one by accident."""
    paths = sorted(map(str, folder.iterdir()))
    for words, problem in (
        (["explain", *paths, "1"], "--join makes one recording"),
        (["explain", "--join", *paths, "trace8.pcap:999"], "trace8.pcap has no frame 999"),
        (["explain", "--join", *paths, "gone.pcap:1"], "expected a frame number"),
    ):
        assert main(words) == 2
        assert problem in capsys.readouterr().err


def test_extract_reads_the_files_it_needs(folder, tmp_path, monkeypatch):
    """The packets are those of the conversation, also where other files are gone meanwhile."""
    copied = tmp_path / "copied"
    copied.mkdir()
    for path in folder.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    result = netinterf.scan(str(copied), join=True)
    verdicts = [verdict for verdict in result.verdicts if verdict.group is None]
    for verdict in verdicts:
        count = result.extract(verdict, tmp_path / "proof.pcap")
        assert count == len(netinterf.read([str(path) for path in folder.iterdir()]).by_flow[verdict.row])
    files, last = result.captures[0].files, verdicts[-1]
    for file in files:
        if file.ended < last.start:
            Path(file.path).unlink()
    assert len(list(copied.iterdir())) < len(files)
    assert result.extract(last, tmp_path / "again.pcap") > 0
    assert {"trace8.pcap"}.isdisjoint(path.name for path in copied.iterdir())


def test_nothing_tells_of_redacted_files(folder, tmp_path, capsys):
    """Paths of files are in no output, and packets can be extracted all the same."""
    (tmp_path / "key").write_bytes(KEY)
    torn = tmp_path / "torn-by-alexandra.pcap"
    torn.write_bytes((folder / "trace12.pcap").read_bytes()[:-3])
    paths = [*sorted(folder.iterdir())[:2], folder / "trace10.pcap", torn, tmp_path / "gone.pcap"]
    result = netinterf.scan([str(path) for path in paths[:-1]], join=True).redacted(KEY)
    page = io.StringIO()
    netinterf.report.html(result, page)
    written = [*lines(result.judged[0], everything=True), page.getvalue(), str(result.captures), repr(result.judged)]
    written.append(told(capsys, "scan", "--join", "--redact", "--key", tmp_path / "key", *paths))
    for text in written:
        assert "alexandra" not in text
        assert "trace" not in text
    verdict = next(verdict for verdict in result.verdicts if verdict.group is None)
    assert result.extract(verdict, tmp_path / "proof.pcap") > 0


def test_what_cannot_be_joined_is_said(folder, tmp_path, capsys):
    """A piece that is no capture is a note of the capture, with --strict an error; nothing at all is exit status 3."""
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"nothing")
    assert "left out" in told(capsys, "scan", "--join", folder, bad)
    assert main(["scan", "--join", "--strict", str(folder), str(bad)]) == 3
    assert "bad.pcap: neither" in capsys.readouterr().err
    assert main(["scan", "--join", str(bad)]) == 3
    parts = [folder / name for name in ("trace8.pcap", "trace9-gone.pcap", "trace10.pcap")]
    for line in ("left out: ", "trace9-gone.pcap", "packets are missing between files 1 and 2", "could not be read"):
        assert line in " ".join(told(capsys, "scan", "--join", *parts).split())
    assert main(["scan", "--join", "--strict", *map(str, parts)]) == 3
    with pytest.raises(CaptureError, match="bad"):
        netinterf.read([str(bad)])


def test_rotated_files_are_pointed_out_once(tmp_path, capsys):
    """Three files in a row of one recording are said to be, with the option; what is joined is not, nor what is not."""
    capture = open_capture(EXAMPLES / "rate.policing.pcap.gz")
    for number in range(5):
        rows = capture.records.take(slice(number * 200, number * 200 + 200))
        columns = rows.at, rows.captured, rows.length, rows.time
        write_records(tmp_path / f"t{number}.pcap", capture.buffer, *columns, capture.interfaces[0].link_type)
    assert main(["scan", str(tmp_path)]) == 0
    assert capsys.readouterr().err.count("--join") == 1
    for words in (["--join", str(tmp_path)], [str(EXAMPLES)], [str(tmp_path / "t0.pcap"), str(tmp_path / "t1.pcap")]):
        assert main(["scan", *words]) == 0
        assert "--join" not in capsys.readouterr().err


def test_what_was_asked_before_a_gap_was_not_asked_in_vain(tmp_path):
    """What waited for an answer when a file ended is open where the next file is missing, as if the capture had ended.

    Where none is missing, nobody answered it.
    """
    played = simulate.run("dns.drop", 3, simulate.Conditions.clean(ip=4))
    times, frames = np.asarray(played.times), played.frames
    half = len(times) // 2
    later = times[half - 1] + 3600 * 10**9 - times[half]
    write_pcap(tmp_path / "t1.pcap", times[:half], frames[:half], 1)
    for name in ("t2.pcap", "t3.pcap"):
        write_pcap(tmp_path / name, times[half:] + later, frames[half:], 1)
    alone, following, with_gap = (
        netinterf.read([str(tmp_path / name) for name in names.split()])
        for names in ("t1.pcap", "t1.pcap t2.pcap", "t1.pcap t3.pcap")
    )
    ended = alone.ended
    assert [trace.gaps and trace.gaps[0].began for trace in (alone, following, with_gap)] == [(), (), ended]
    before = np.array([ended - 1, ended + 1])
    assert with_gap.heard_until(before).tolist() == [ended, with_gap.ended]
    assert following.heard_until(before).tolist() == [following.ended] * 2
    reasons = [open_questions(trace, ended) for trace in (alone, following, with_gap)]
    assert reasons[0] == reasons[2]
    assert reasons[0] > 0 == reasons[1]


def test_what_was_asked_before_damage_was_not_asked_in_vain(tmp_path):
    """What waited for an answer when records were damaged is open as well: nobody knows what they held."""
    played = simulate.run("dns.drop", 3, simulate.Conditions.clean(ip=4))
    times, frames = np.asarray(played.times), played.frames
    half = len(times) // 2
    later = np.where(np.arange(len(times)) < half, 0, 3600 * 10**9)
    write_pcap(tmp_path / "whole.pcap", times + later, frames, 1)
    content = bytearray((tmp_path / "whole.pcap").read_bytes())
    at = 24 + sum(16 + len(frame) for frame in frames[:half])
    content[at : at + 16] = b"\xff" * 16
    whole, damaged = netinterf.read(tmp_path / "whole.pcap"), netinterf.read(bytes(content))
    ended = int(times[half - 1])
    assert [[gap.began for gap in trace.gaps] for trace in (whole, damaged)] == [[], [ended]]
    assert open_questions(damaged, ended) > 0 == open_questions(whole, ended)
    known = list_subjects(damaged, netinterf.analyze(damaged))
    assert known.broken.tolist() == ((known.start <= ended) & (known.end > ended)).tolist()


def open_questions(trace, until):
    """Count what had begun by a time (ns) and is not judged since the capture ended too early."""
    evidence = netinterf.analyze(trace)
    verdicts = netinterf.explain(netinterf.classify(evidence, trace), evidence, trace)
    early = [verdict for verdict in verdicts if "capture.ended_early" in {why.code for why in verdict.reasons}]
    return sum(verdict.start <= until for verdict in early)
