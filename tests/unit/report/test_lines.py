"""Broken lines, against the standard library's own breaking."""

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from netinterf.report.lines import LEAST, WIDTH, Line, field, laid_out
from netinterf.writing import printable

WORDS = st.lists(st.text("ab-. \t\u00a0", max_size=40), max_size=8).map(" ".join)
WIDTHS = st.sampled_from([LEAST, 80, WIDTH, 200])


@given(WORDS, st.sampled_from(["", "  ", "  when      "]), st.sampled_from([None, "    "]), WIDTHS)
def test_lines_break_as_the_standard_library_breaks_them(text: str, first: str, later: str | None, width: int) -> None:
    """Whether a line fits or not, it is what `textwrap` makes of its printable form, and at least one line."""
    indent = first if later is None else later
    expected = textwrap.wrap(
        printable(text),
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
    assert Line(text, first, later).broken(width) == (expected or [first.rstrip()])


def test_what_is_copied_is_never_broken() -> None:
    """Words that are longer than a line stand whole, and so do lines that are to be copied."""
    path = "/a/very/" + "long/" * 40 + "path.pcap"
    lines = list(
        laid_out(["a title", Line(f"see {path} for more", "  "), field("Wireshark", "ip " * 60, whole=True)], 60)
    )
    assert lines == ["a title", "  see", f"  {path}", "  for more", "  Wireshark " + ("ip " * 60).rstrip()]


def test_narrow_terminals_break_nothing_to_pieces() -> None:
    """Below a least width, lines stay readable and are left to the terminal."""
    assert Line("word " * 20, "  evidence  ").broken(5) == Line("word " * 20, "  evidence  ").broken(LEAST)
