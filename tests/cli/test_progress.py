"""Progress goes to a terminal only, in one line that is taken away again."""

import io

from netinterf.cli.output import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Pretend."""
        return True


def test_progress_needs_a_terminal() -> None:
    """A file or pipe gets nothing."""
    stream = io.StringIO()
    Progress(stream).show("a.pcap", 1, 2)
    assert stream.getvalue() == ""


def test_progress_is_overwritten() -> None:
    """On a terminal one line counts captures, without control characters of their names, and disappears."""
    stream = Terminal()
    progress = Progress(stream)
    progress.show("evil\x1b[31m.pcap", 1, 2)
    progress.clear()
    shown = stream.getvalue()
    assert "1 of 2" in shown
    assert "\x1b" not in shown
    assert shown.endswith("\r")
    assert "\n" not in shown
    progress.clear()
    assert stream.getvalue() == shown


def test_a_single_capture_needs_no_progress() -> None:
    """One capture is over before it matters."""
    stream = Terminal()
    Progress(stream).show("a.pcap", 0, 1)
    assert stream.getvalue() == ""
