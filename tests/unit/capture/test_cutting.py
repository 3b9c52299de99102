"""A list of frames is cut so that each is in one piece, and what lies beside a piece is of its time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.capture.cutting import beside, in_pieces
from netinterf.schema import Records

SIZES = st.lists(st.integers(0, 1500), min_size=1, max_size=60)


def records(sizes, times=None):
    """List frames of some sizes, one behind the other as in a pcap file."""
    sizes = np.array(sizes, np.int64)
    return Records(
        frame=np.arange(1, len(sizes) + 1, dtype=np.uint32),
        time=np.arange(len(sizes), dtype=np.int64) if times is None else np.array(times, np.int64),
        at=24 + np.cumsum(sizes + 16) - sizes,
        captured=sizes.astype(np.uint32),
        length=sizes.astype(np.uint32),
    )


@given(SIZES, st.integers(1, 5000), st.integers(1, 20), st.integers(1, 9))
def test_each_frame_is_in_one_piece(sizes, size, most, part):
    """Whatever the parts in which frames are listed: pieces are the list, and as large as they may be."""
    whole = records(sizes)
    parts = [whole.take(slice(at, at + part)) for at in range(0, len(whole), part)]
    pieces = list(in_pieces(parts, size, most))
    assert np.array_equal(np.concatenate([piece.frame for piece in pieces]), whole.frame)
    ends = np.cumsum([len(piece) for piece in pieces])
    for piece, behind in zip(pieces, ends, strict=True):
        span = int(piece.at[-1] - piece.at[0])
        assert len(piece) == 1 or (len(piece) <= most and span < size)
        if behind < len(whole):
            assert len(piece) == most or int(whole.at[behind] - piece.at[0]) >= size


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=40), st.data())
def test_what_lies_beside_is_near_without_a_break(times, data):
    """Frame by frame from the edge, until one is of another time, or there are enough, wherever a clock was set."""
    whole = records([60] * len(times), times)
    cut = data.draw(st.integers(1, len(times) - 1))
    span, most = data.draw(st.integers(0, 60)), data.draw(st.integers(0, 40))
    before, behind = whole.take(slice(0, cut)), whole.take(slice(cut, None))
    for piece, near, edge, order in ((behind, before, times[cut], -1), (before, behind, times[cut - 1], 1)):
        expected = []
        for frame, time in list(zip(near.frame.tolist(), near.time.tolist(), strict=True))[::order]:
            if abs(time - edge) > span or len(expected) == most:
                break
            expected.append(frame)
        assert beside(piece, near, span, most).frame.tolist() == expected[::order]


def test_nothing_lies_beside_the_first_and_the_last():
    """There is nothing to take."""
    assert len(beside(records([1]), Records.empty(), 10, 10)) == 0
