"""Spans of bytes are copied whole, whatever their sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.pieces import LARGEST_PIECE, gather, gather_fields

pytestmark = pytest.mark.usefixtures("each_way")

BYTES = np.random.default_rng(3).integers(0, 256, 5 * LARGEST_PIECE).astype(np.uint8)
SIZES = st.integers(0, 40) | st.integers(LARGEST_PIECE - 2, 3 * LARGEST_PIECE)


@given(st.lists(st.tuples(st.integers(0, 2 * LARGEST_PIECE), SIZES), max_size=30))
def test_copies_are_those_of_slices(spans: list[tuple[int, int]]) -> None:
    """What is copied is what a slice per span gives."""
    starts, lengths = np.array(spans, np.int64).reshape(-1, 2).T
    assert gather(BYTES, starts, lengths).tobytes() == b"".join(BYTES[at : at + size].tobytes() for at, size in spans)


@given(st.lists(st.integers(0, len(BYTES) - 16), max_size=30), st.integers(1, 16))
def test_fields_are_those_of_slices(starts: list[int], width: int) -> None:
    """Of one width, too."""
    fields = gather_fields(BYTES, np.array(starts, np.int64), width)
    assert fields.tobytes() == b"".join(BYTES[at : at + width].tobytes() for at in starts)


def test_what_lies_outside_is_refused() -> None:
    """Nothing is read beyond the end."""
    with pytest.raises(IndexError):
        gather_fields(BYTES, np.array([0, len(BYTES) - 3]), 4)
    with pytest.raises((IndexError, ValueError)):
        gather(BYTES, np.array([0, len(BYTES) - 3]), np.array([1, 2000]))
