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


OUTSIDE = [
    ([0, len(BYTES) - 3], [1, 2000]),
    ([-1], [1]),
    ([len(BYTES)], [1]),
    ([5, 5], [90, -90]),
    ([0, 1], [8, 2**62]),
]


@pytest.mark.parametrize(("starts", "lengths"), OUTSIDE)
def test_what_lies_outside_is_refused(starts: list[int], lengths: list[int]) -> None:
    """Nothing is read beyond the end or before the begin, and nothing written where there is no room."""
    with pytest.raises((IndexError, MemoryError)):
        gather(BYTES, np.array(starts), np.array(lengths))


@pytest.mark.parametrize("start", [-1, len(BYTES) - 3, 2**62])
def test_fields_outside_are_refused(start: int) -> None:
    """Of one width, too."""
    with pytest.raises(IndexError):
        gather_fields(BYTES, np.array([0, start]), 4)


def test_a_span_without_bytes_lies_anywhere() -> None:
    """Such are the payloads of packets that were cut in their headers, of which the last one begins behind the end."""
    assert gather(BYTES, np.array([3, len(BYTES) + 12, -1]), np.array([2, 0, 0])).tobytes() == BYTES[3:5].tobytes()
