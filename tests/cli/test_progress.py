"""Progress goes to a terminal only, in one line that is taken away again."""

import io
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.cli.main import main
from netinterf.cli.progress import Progress, width_of


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Pretend."""
        return True


def lines_of(stream: io.StringIO) -> list[str]:
    """List what stood in the line, one state after the other, without what only overwrites."""
    return [state.strip() for state in stream.getvalue().split("\r") if state.strip()]


def left_on(stream: io.StringIO) -> str:
    """Play what a terminal shows at the end."""
    assert "\n" not in stream.getvalue()
    shown = ""
    for state in stream.getvalue().split("\r"):
        cells = "".join(sign * width_of(sign) for sign in state)  # one for each column
        shown = cells + shown[len(cells) :]
    return shown.strip()


def test_progress_needs_a_terminal() -> None:
    """A file or pipe gets nothing."""
    stream = io.StringIO()
    with Progress(stream).reading("a.pcap", 1, 2) as told:
        told(1, 2)
    assert stream.getvalue() == ""


def test_progress_tells_how_much_was_read() -> None:
    """A capture is shown from the beginning, then what was read of it as it grows, and that all was; then nothing."""
    stream = Terminal()
    with Progress(stream, clock=count(0.0, 1.0).__next__).reading("a.pcap") as told:
        told(1 << 20, 3 << 20)
        told(5 << 10, 0)
        told(3 << 20, 3 << 20)
    assert lines_of(stream) == [
        "a.pcap  reading",
        "a.pcap  1.0 MB of 3.0 MB",
        "a.pcap  5.0 kB",
        "a.pcap  3.0 MB, judging",
    ]
    assert left_on(stream) == ""


def test_progress_is_drawn_now_and_then() -> None:
    """Thousands of pieces cost no drawing each; the last state is shown whatever the clock says."""
    stream = Terminal()
    with Progress(stream, clock=lambda: 5.0).reading("a.pcap") as told:
        for done in range(10_000):
            told(done, 10_000)
        told(10_000, 10_000)
    assert len(lines_of(stream)) == 2


def test_progress_obeys_no_name_and_leaves_no_trace() -> None:
    """Names move no cursor, long and wide ones do not wrap, and an error takes the line away as well."""
    stream = Terminal()
    for name in ("evil\x1b[31m\u202e.pcap", "x" * 500, "漢" * 500, "e\u0301" * 300, ""):
        with suppress(RuntimeError), Progress(stream).reading(name, 1_000, 2_000) as told:
            told(1, 2)
            raise RuntimeError
    assert not {"\x1b", "\u202e"} & set(stream.getvalue())
    assert all(width_of(state) < 80 for state in stream.getvalue().split("\r"))
    assert all(state.startswith("1,000 of 2,000") for state in lines_of(stream))
    assert left_on(stream) == ""


def test_every_capture_is_shown_from_first_to_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several captures each is shown while it is judged, of one its bytes; answers do not hold any of it."""
    played = simulate.run("tcp.reset.benign", 1)
    for name in "abc":
        write_pcap(tmp_path / f"{name}.pcap", played.times, played.frames, played.link_type)
    for arguments, places in ((["scan", str(tmp_path)], (1, 2, 3)), (["explain", str(tmp_path / "a.pcap"), "1"], ())):
        stream, answer = Terminal(), io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "stdout", answer)
        assert main(arguments) == 0
        states = lines_of(stream)
        for place in places:
            mine = [state for state in states if state.startswith(f"{place} of 3")]
            assert mine[0].endswith("reading")
            assert mine[-1].endswith("judging")
        assert any(state.endswith("B, judging") for state in states)
        assert left_on(stream) == ""
        assert "judging" not in answer.getvalue()
