"""The bounded reader of single messages."""

from hypothesis import given
from hypothesis import strategies as st

from netinterf.protocols.cursor import Cursor
from netinterf.schema import ParseError


def test_numbers_and_parts_are_read_in_order():
    """A cursor steps over what it reads, and a part is bounded by its own length."""
    cursor = Cursor(b"\x01\x02\x03\x02ab\x09")
    assert (cursor.number(1), cursor.number(2)) == (1, 0x0203)
    inner = cursor.part(1)
    assert (inner.take(2), inner.left, inner.take(1), inner.error) == (b"ab", 0, b"", ParseError.BAD_LENGTH)
    assert (cursor.number(1), cursor.left, cursor.error) == (9, 0, ParseError.NONE)


def test_the_first_failure_is_kept_and_ends_reading():
    """After a failure everything reads as nothing, and the place of the first failure stays."""
    cursor = Cursor(b"abc")
    assert (cursor.number(4), cursor.take(1), cursor.left) == (0, b"", 0)
    cursor.fail(ParseError.CUT)
    assert (cursor.error, cursor.error_at) == (ParseError.BAD_LENGTH, 0)


@given(st.binary(max_size=20), st.integers(-3, 25), st.integers(-3, 25), st.lists(st.integers(0, 4), max_size=8))
def test_no_cursor_leaves_its_bounds(data, at, end, sizes):
    """Whatever is asked for, a cursor and its parts stay inside the message."""
    cursor = Cursor(data, at, end)
    for size in sizes:
        inner = cursor.part(size)
        assert 0 <= inner.at <= inner.end <= len(data)
        assert 0 <= cursor.at <= cursor.end <= len(data)
