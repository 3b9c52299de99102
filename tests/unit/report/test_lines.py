"""Broken lines, against the standard library's own breaking."""

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from netinterf.report.lines import WIDTH, wrapped
from netinterf.writing import printable

WORDS = st.lists(st.text("ab-. \t\u00a0", max_size=40), max_size=8).map(" ".join)


@given(WORDS, st.sampled_from(["", "  ", "  when      "]), st.sampled_from([None, "    "]))
def test_lines_break_as_the_standard_library_breaks_them(line: str, first: str, later: str | None) -> None:
    """Whether a line fits or not, it is what `textwrap` makes of its printable form, and at least one line."""
    indent = first if later is None else later
    expected = textwrap.wrap(
        printable(line), WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    )
    assert wrapped(line, first, later) == (expected or [first.rstrip()])
