"""Progress goes to a terminal only, in one line that is taken away again."""

import io
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from rich.cells import cell_len

from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.cli.main import main
from netinterf.cli.progress import Progress, shortened

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ERASED = "\x1b[2K"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Pretend."""
        return True

    @property
    def states(self) -> list[str]:
        """What stood in the line, one state after the other."""
        return [state.strip() for state in re.split("[\r\n]", CONTROL.sub("", self.getvalue())) if state.strip()]

    @property
    def left(self) -> str:
        """What stands there at the end."""
        return CONTROL.sub("", self.getvalue().rpartition(ERASED)[2]).strip()

    def wait_for(self, words: str) -> None:
        """Wait until some words are shown."""
        until = time.monotonic() + 30
        while words not in CONTROL.sub("", self.getvalue()):
            assert time.monotonic() < until, self.states
            time.sleep(0.02)


@pytest.fixture(autouse=True)
def terminal_of_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever terminal the tests run in."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")


def test_progress_needs_a_terminal() -> None:
    """A file or pipe gets nothing."""
    stream = io.StringIO()
    with Progress(["a.pcap"], stream).alone("a.pcap") as advance:
        advance(1, 2)
    assert stream.getvalue() == ""


def test_progress_tells_how_much_was_read(tmp_path: Path) -> None:
    """A capture is shown from the beginning, then what was read of it as it grows, and that all was; then nothing."""
    (path := tmp_path / "a.pcap").write_bytes(bytes(3_000_000))
    stream = Terminal()
    with Progress([str(path)], stream).alone(str(path)) as advance:
        stream.wait_for("a.pcap")
        advance(1_000_000, 3_000_000)
        stream.wait_for("1.0/3.0 MB")
        advance(3_000_000, 3_000_000)
        stream.wait_for("judging")
        stream.wait_for("3.0/3.0 MB")
    assert stream.left == ""


def test_a_pipe_has_no_end() -> None:
    """What was read is told all the same."""
    stream = Terminal()
    with Progress(["-"], stream).alone("-") as advance:
        advance(5_000, 0)
        stream.wait_for("5.0/? kB")
    assert stream.left == ""


def test_all_captures_count(tmp_path: Path) -> None:
    """Bytes are those of all of them, compressed ones as they lie there; the how many it is stands in front."""
    paths = [tmp_path / f"{name}.pcap.gz" for name in "ab"]
    for path in paths:
        path.write_bytes(bytes(1_000_000))
    stream, names = Terminal(), [str(path) for path in paths]
    progress = Progress(names, stream)
    for name, half in zip(names, ("0.5/2.0 MB", "1.5/2.0 MB"), strict=True):
        with progress.reading(name) as advance:
            advance(40, 80)
            stream.wait_for(half)
    progress.close()
    assert any(state[2:].startswith("2 of 2 ") for state in stream.states)
    assert stream.left == ""


def test_it_stands_aside(tmp_path: Path) -> None:
    """The line is gone while others write, comes back, and is gone for good where that fails or at the end."""
    stream = Terminal()
    progress = Progress(["a.pcap"], stream)
    with progress.reading("a.pcap"):
        with progress.aside():
            before = stream.left
            stream.write("an answer\n")
        after = stream.left
        with suppress(RuntimeError), progress.aside():
            raise RuntimeError
        assert stream.left == ""
    assert before == ""
    assert "a.pcap" in after


def test_progress_obeys_no_name_and_leaves_no_trace() -> None:
    """Names move no cursor, long and wide ones do not wrap, and an error takes the line away as well."""
    for name in ("evil\x1b[31m\u202e.pcap", "x" * 500, "漢" * 500, "e\u0301" * 300, ""):
        stream = Terminal()
        with suppress(RuntimeError), Progress([name] * 2_000, stream).alone(name) as advance:
            advance(1, 2)
            raise RuntimeError
        assert not {"\x1b[31m\ufffd", "\u202e"} & set(stream.getvalue())
        assert "evil\x1b[31m" not in stream.getvalue()
        assert all(cell_len(state) <= 80 for state in stream.states)
        assert all(state[2:].startswith("1 of 2,000") for state in stream.states)
        assert stream.left == ""


@pytest.mark.parametrize("room", [8, 20, 21, 200])
def test_the_end_of_a_name_tells_most(room: int) -> None:
    """A long name loses its beginning."""
    name = "/captures/漢字/of/one/evening-17.pcap"
    short = shortened(name, room)
    assert cell_len(short) <= room
    assert name.endswith(short.removeprefix("…"))


def test_every_capture_is_shown_from_first_to_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several captures each is shown while it is judged, of one its bytes; answers do not hold any of it."""
    played = simulate.run("tcp.reset.benign", 1)
    for name in "abc":
        write_pcap(tmp_path / f"{name}.pcap", played.times, played.frames, played.link_type)
    for arguments, places in (
        (["scan", str(tmp_path)], (1, 2, 3)),
        (["scan", "--jobs", "2", str(tmp_path)], (2, 3)),
        (["explain", str(tmp_path / "a.pcap"), "1"], ()),
    ):
        stream, answer = Terminal(), io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "stdout", answer)
        assert main(arguments) == 0
        for place in places:
            assert any(state[2:].startswith(f"{place} of 3 ") for state in stream.states), (place, stream.states)
        assert "--jobs" in arguments or any("judging" in state for state in stream.states)
        assert stream.left == ""
        assert "judging" not in answer.getvalue()
