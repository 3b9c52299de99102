"""Observations some places at a time."""

from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import netinterf.pooling.places
from netinterf.pooling.places import by_place


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 30))
def test_each_place_is_in_one_piece_and_each_row_in_one(places, together):
    """Rows rise within a place; what a piece holds behind its first place is less than what is looked at together."""
    place = np.array(places, np.int32)
    with patch.object(netinterf.pooling.places, "TOGETHER", together):
        pieces = [np.arange(len(place))[rows].tolist() for rows in by_place(place)]
    assert sorted(row for piece in pieces for row in piece) == list(range(len(places)))
    seen = [sorted({places[row] for row in piece}) for piece in pieces]
    assert [one for piece in seen for one in piece] == sorted(set(places))
    for piece, members in zip(pieces, seen, strict=True):
        grouped = [row for one in members for row in range(len(places)) if places[row] == one]
        assert piece == (sorted(grouped) if len(pieces) == 1 else grouped)
        assert len(members) == 1 or len(piece) - places.count(members[0]) < together
