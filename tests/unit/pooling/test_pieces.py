"""Observations some transports in some places at a time."""

from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import netinterf.pooling.pieces
from netinterf.pooling.pieces import pieces


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=60), st.integers(1, 30))
def test_no_transport_of_a_place_is_split_and_each_row_is_in_one_piece(keys, together):
    """Rows rise within each; what a piece holds behind its first is less than what is looked at together."""
    columns = np.array(keys, np.int64).reshape(-1, 2).T
    table = SimpleNamespace(place=columns[0].astype(np.int32), transport=columns[1].astype(np.uint8))
    with patch.object(netinterf.pooling.pieces, "TOGETHER", together):
        listed = [np.arange(len(keys))[rows].tolist() for rows in pieces(table)]
    assert sorted(row for piece in listed for row in piece) == list(range(len(keys)))
    seen = [list(dict.fromkeys(keys[row] for row in piece)) for piece in listed]
    assert sorted(one for piece in seen for one in piece) == sorted(set(keys))
    for piece, members in zip(listed, seen, strict=True):
        grouped = [row for one in members for row in range(len(keys)) if keys[row] == one]
        assert piece == (sorted(grouped) if len(listed) == 1 else grouped)
        assert len(members) == 1 or len(piece) - keys.count(members[0]) < together
