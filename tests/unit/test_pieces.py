"""Spans of bytes are copied whole, whatever their sizes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.pieces import LARGEST_PIECE, gather

BYTES = np.random.default_rng(3).integers(0, 256, 5 * LARGEST_PIECE).astype(np.uint8)
SIZES = st.integers(0, 40) | st.integers(LARGEST_PIECE - 2, 3 * LARGEST_PIECE)


@given(st.lists(st.tuples(st.integers(0, 2 * LARGEST_PIECE), SIZES), max_size=30))
def test_copies_are_those_of_slices(spans: list[tuple[int, int]]) -> None:
    """What is copied is what a slice per span gives."""
    starts, lengths = np.array(spans, np.int64).reshape(-1, 2).T
    assert gather(BYTES, starts, lengths).tobytes() == b"".join(BYTES[at : at + size].tobytes() for at, size in spans)
