"""The ring of a watcher: bounded, of its own files only, and what is in it says again what was told."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netinterf
from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.cli.arguments import size
from netinterf.cli.ring import BLOCK, LOCK, UNFINISHED, Ring
from netinterf.errors import ParameterError
from tests.cli.here import ROOT, Run, run_here

BEGAN = 1_700_000_000 * 10**9
HOLDS = "import sys, time; from netinterf.cli.ring import Ring; ring = Ring(sys.argv[1], 10**6); print(1, flush=True); "


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture with forged resets."""
    path = tmp_path_factory.mktemp("ring") / "reset.pcap"
    played = simulate.run("tcp.reset", 1)
    write_pcap(path, played.times, played.frames, played.link_type)
    return path


def watch(capture: Path, *arguments: object) -> Run:
    """Watch a capture come through a pipe."""
    return run_here("watch", "--format", "jsonl", *arguments, "-", stdin=capture.read_bytes())


def told(done: Run) -> set[tuple[str, str, int, str]]:
    """List the conversations that were found in the end: mechanism, client, its port, and the name."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        (line["mechanism"], line["subject"]["client"], line["subject"]["client_port"], line["subject"]["name"])
        for line in lines
        if line["type"] == "verdict" and line.get("final", True) and line["group"] is None
    }


def files_in(folder: Path) -> list[Path]:
    """List the captures in a folder, the oldest first."""
    return sorted(folder.glob("*.pcapng"))


def of(count: int) -> "Writer":
    """Write so many bytes."""
    return Writer(bytes(count))


class Writer:
    """Writes some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __call__(self, target: BinaryIO) -> None:
        """Write them."""
        target.write(self.data)


def test_what_is_kept_says_again_what_was_told(capture: Path, tmp_path: Path) -> None:
    """Each finding that was told is found in a file whose name says so, by a scan of it; nothing else is left there."""
    done = watch(capture, "--ring", tmp_path / "ring", "--keep", "10MB")
    again = set()
    for path in files_in(tmp_path / "ring"):
        found = told(run_here("scan", "--format", "jsonl", path))
        again |= {one for one in found if one[0] == path.name.rpartition("Z-")[2].removesuffix(".pcapng")}
    assert again == told(done) != set()
    assert {path.name for path in (tmp_path / "ring").iterdir()} - {p.name for p in files_in(tmp_path / "ring")} == {
        LOCK
    }
    count = len(files_in(tmp_path / "ring"))
    assert done.stderr.splitlines()[-1] == (
        f"netinterf: {tmp_path / 'ring'}: {count} file{'s' * (count > 1)} of findings written, 0 let go to make room"
    )
    assert done.stdout == watch(capture).stdout  # which a ring does not change


def test_names_hold_nothing_of_packets(capture: Path, tmp_path: Path) -> None:
    """Number, time and mechanism; comments in them tell what frames show."""
    watch(capture, "--ring", tmp_path, "--keep", "10MB")
    for path in files_in(tmp_path):
        _, number, time, mechanism = path.stem.split("-", 3)
        assert (number.isdigit(), len(time), mechanism) == (True, 16, "tcp.reset")
        assert b"shows tcp.reset" in path.read_bytes()


@settings(max_examples=60, deadline=None)
@given(
    room=st.integers(1, 40 * BLOCK),
    sizes=st.lists(st.integers(0, 12 * BLOCK), max_size=25),
    reopened=st.sets(st.integers(0, 24)),
)
def test_the_oldest_leave_and_there_is_never_more_than_room(room: int, sizes: list[int], reopened: set[int]) -> None:
    """Held against a list: whatever comes, whole files of no more than *room* are there, the youngest that fit."""
    with TemporaryDirectory() as name:
        folder, slow = Path(name), list[int]()
        ring = Ring(name, room)
        for place, count in enumerate(sizes):
            if place in reopened:
                ring.close()
                ring = Ring(name, room)

            def write(target: BinaryIO, count: int = count) -> None:
                target.write(bytes(count))
                target.flush()
                there = [path.stat().st_size for path in folder.iterdir()]
                assert sum(there) <= room + count  # also while one is written

            taken = -(-count // BLOCK) * BLOCK
            assert ring.add(BEGAN, "tcp.reset", write) == (taken <= room)
            if taken <= room:
                slow.append(count)
                while sum(-(-one // BLOCK) * BLOCK for one in slow) > room:
                    slow.pop(0)
            assert [path.stat().st_size for path in files_in(folder)] == slow
            assert ring.size <= room
        ring.close()


def test_foreign_files_and_links_are_left_alone(tmp_path: Path) -> None:
    """Whatever they are called but as the ring calls its own; a link of such a name is no file of its."""
    outside = tmp_path / "outside"
    outside.write_bytes(bytes(100))
    folder = tmp_path / "ring"
    folder.mkdir()
    ours = "netinterf-00000001-20231114T221320Z-tcp.reset.pcapng"
    foreign = ["notes.txt", f"{ours}.txt", "netinterf-1-20231114T221320Z-tcp.reset.pcapng", f"{UNFINISHED}notes",
               ".netinterf-0123456789abcdef", "netinterf-000000009-20231114T221320Z-tcp.reset.pcapng"]  # fmt: skip
    for name in foreign:
        (folder / name).write_bytes(bytes(10 * BLOCK))
    (folder / ours).symlink_to(outside)
    (folder / "netinterf-00000002-20231114T221320Z-tcp.reset.pcapng").mkdir()
    (folder / f"{UNFINISHED}0123456789abcdef").write_bytes(b"half of it")
    ring = Ring(str(folder), BLOCK)
    for _ in range(3):
        assert ring.add(BEGAN, "dns.injection", of(10))
    ring.close()
    here = {path.name for path in folder.iterdir()}
    assert here == {
        *foreign, ours, LOCK, "netinterf-00000002-20231114T221320Z-tcp.reset.pcapng",
        "netinterf-00000005-20231114T221320Z-dns.injection.pcapng",
    }  # fmt: skip
    assert outside.read_bytes() == bytes(100)


def test_a_link_in_the_place_of_the_next_file_is_passed_over(tmp_path: Path) -> None:
    """Nothing is written where it leads."""
    ring, outside = Ring(str(tmp_path / "ring"), 9 * BLOCK), tmp_path / "outside"
    (tmp_path / "ring" / "netinterf-00000001-20231114T221320Z-tcp.reset.pcapng").symlink_to(outside)
    assert ring.add(BEGAN, "tcp.reset", of(10))
    ring.close()
    assert not outside.exists()
    assert [path.name[:18] for path in files_in(tmp_path / "ring")] == ["netinterf-00000001", "netinterf-00000002"]


def test_numbers_that_leave_no_room_are_refused(tmp_path: Path) -> None:
    """Or files behind them would be nobody's after the next start."""
    (tmp_path / f"netinterf-{'9' * 18}-20231114T221320Z-tcp.reset.pcapng").touch()
    with pytest.raises(ParameterError, match="nothing can be numbered behind it"):
        Ring(str(tmp_path), BLOCK)


def test_the_mechanism_of_a_plugin_makes_no_other_path(tmp_path: Path) -> None:
    """Whatever it is called, its files are the ring's own, which the next start finds."""
    for _ in range(2):
        ring = Ring(str(tmp_path), BLOCK)
        assert ring.add(BEGAN, "../My plugin_" + "x" * 300, of(10))
        ring.close()
    assert [path.name[:49] for path in files_in(tmp_path)] == ["netinterf-00000002-20231114T221320Z-..--y-plugin-"]


def test_what_took_the_place_of_a_file_is_not_deleted(tmp_path: Path) -> None:
    """A file of the ring that somebody replaced by a link, or took away, is only forgotten."""
    ring = Ring(str(tmp_path), 2 * BLOCK)
    for _ in range(2):
        ring.add(BEGAN, "tcp.reset", of(10))
    first, second = files_in(tmp_path)
    first.unlink()
    first.symlink_to(second)
    second.unlink()
    for _ in range(2):
        assert ring.add(BEGAN, "tcp.reset", of(10))
    assert first.is_symlink()
    assert (ring.let_go, len(files_in(tmp_path))) == (0, 3)
    ring.close()


def test_a_second_process_is_refused(capture: Path, tmp_path: Path) -> None:
    """While another keeps a ring there; once that is killed, the next one takes over."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS + "time.sleep(60)", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline()
            done = watch(capture, "--ring", tmp_path, "--keep", "10MB")
        finally:
            holder.kill()
    assert (done.returncode, done.stdout) == (2, "")
    assert "another process keeps a ring there" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert watch(capture, "--ring", tmp_path, "--keep", "10MB").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--ring", "README.md", "--keep", "1MB"], "--ring README.md: expected a folder to write to"),
        (["--ring", "README.md/x", "--keep", "1MB"], "expected a folder to write to"),
        (["--ring", "x"], "--ring needs to know how much it keeps"),
        (["--keep", "1MB"], "--keep with a size goes with --ring"),
        (["--ring", "x", "--keep", "much"], "'much' is neither names nor a size"),
        (["--ring", "x", "--keep", "0"], "neither names nor a size"),
        (["--ring", "x", "--keep", "1MB", "--redact"], "does not go with --redact"),
        (["--ring", "x", "--keep", "names"], "--ring needs to know how much it keeps"),
    ],
)
def test_wrong_arguments_are_one_line(arguments: list[str], reason: str) -> None:
    """And nothing is read or made."""
    done = run_here("watch", *arguments, "-")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert reason in done.stderr
    assert not (ROOT / "x").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are others there")
def test_a_folder_that_may_not_be_written_to_is_refused() -> None:
    """Before anything is watched; root, who may write anywhere, is somebody else meanwhile."""
    with TemporaryDirectory() as name:
        before = os.geteuid()
        os.chmod(name, 0o555)
        if before == 0:
            os.seteuid(65_534)
        try:
            with pytest.raises(ParameterError, match=r"a folder to write to \(Permission denied\)"):
                Ring(name, BLOCK)
        finally:
            os.seteuid(before)


def test_a_lock_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    """Nothing is made where a link of that name points."""
    (tmp_path / LOCK).symlink_to(tmp_path / "made")
    with pytest.raises(ParameterError, match="a folder to write to"):
        Ring(str(tmp_path), BLOCK)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("trouble", ["gone", "replaced", "full"])
def test_what_cannot_be_kept_is_told_and_watching_goes_on(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """Once, with what is told as ever on standard output; and in the end how many files are missing."""
    folder, plain = tmp_path / "ring", watch(capture).stdout
    folder.mkdir()
    opened = Ring.__init__

    def then(self: Ring, *arguments: object) -> None:
        opened(self, *arguments)  # type: ignore[arg-type]
        if trouble != "full":
            folder.rename(tmp_path / "elsewhere")
        if trouble == "replaced":
            folder.mkdir()
            (folder / LOCK).touch()

    def full(_: object, target: BinaryIO) -> None:
        target.write(b"some")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Ring, "__init__", then)
    if trouble == "full":
        monkeypatch.setattr("netinterf.engine.departure.Exhibit.write", full)
    done = watch(capture, "--ring", folder, "--keep", "10MB")
    assert (done.returncode, done.stdout) == (0, plain)
    reason = {"gone": "No such file", "replaced": "it was replaced", "full": "No space left"}[trouble]
    assert sum(reason in line for line in done.stderr.splitlines()) == 1
    assert "could not be written" in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".pcapng" or path.name.startswith(UNFINISHED)]


def test_what_needs_more_room_than_there_is_is_not_kept(capture: Path, tmp_path: Path) -> None:
    """And that is said; what is there stays."""
    ring = Ring(str(tmp_path), 3 * BLOCK)
    ring.add(BEGAN, "tcp.reset", of(10))
    assert not ring.add(BEGAN, "tcp.reset", of(3 * BLOCK + 1))
    ring.close()
    assert len(files_in(tmp_path)) == 1
    done = watch(capture, "--ring", tmp_path, "--keep", "4kB")
    assert "larger than --keep, and not kept" in done.stderr


@pytest.mark.parametrize(
    ("word", "bytes_"),
    [
        ("10GB", 10**10),
        ("500MB", 5 * 10**8),
        ("10GiB", 10 << 30),
        ("1.5KiB", 1536),
        ("7", 7),
        ("8 kB", 8000),
        ("9B", 9),
    ],
)
def test_sizes_are_read(word: str, bytes_: int) -> None:
    """In units of SI and of IEC."""
    assert size(word) == bytes_


@pytest.mark.parametrize("word", ["", "GB", "-1", "0.1", "10 Gb b", "10GiiB", "1e3", "names", "9" * 16])
def test_what_is_no_size_is_refused(word: str) -> None:
    """Also nothing, less than one byte, and what nobody has."""
    with pytest.raises(ValueError, match=r".*"):
        size(word)


def test_pieces_of_a_capture_end_in_the_files_of_the_whole(capture: Path, tmp_path: Path) -> None:
    """The same packets are kept, however a stream is cut: files are alike to the last byte."""
    from netinterf.cli.shelf import Shelf
    from netinterf.engine.session import Session

    kept, data = [], capture.read_bytes()
    for piece in (97, len(data)):
        shelf = Shelf(Ring(str(tmp_path / str(piece)), 10**8))
        session = Session(on_leaving=shelf)
        for at in range(0, len(data), piece):
            session.feed(data[at : at + piece])
            if piece < len(data) and at % 50 == 0:
                session.so_far()
        session.close()
        shelf.close()
        kept.append({path.name: path.read_bytes() for path in files_in(tmp_path / str(piece))})
    assert kept[0] == kept[1] != {}
    assert all(netinterf.read(io.BytesIO(content)).packets.frame.size for content in kept[0].values())
