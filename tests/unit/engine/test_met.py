"""Whom several pieces took for their own is found as one finds it who looks at one row after the other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.engine.met import Met, told_twice
from netinterf.protocols.dns_exchanges import WINDOW_NS

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.integers(0, 3),
            "isn": st.integers(0, 1),
            "opened": st.booleans(),
            "start": st.integers(0, 4).map(lambda number: number * WINDOW_NS // 2),
            "first": st.integers(0, 99),
            "own": st.booleans(),
            "kept": st.booleans(),
        }
    ),
    max_size=12,
)


def met(rows):
    """Write down who was met in a piece; keys are of lookups where they are odd."""
    columns = {name: [row[name] for row in rows] for name in ("key", "isn", "opened", "start", "first", "own")}
    return Met.of(
        **columns,
        lookup=[row["key"] % 2 == 1 for row in rows],
        end=columns["start"],
        last=[first + 10 for first in columns["first"]],
        row=[place if one["own"] and one["kept"] else -1 for place, one in enumerate(rows)],
    )


def plainly(tables, ends):
    """Find the same, row by row."""
    rows = [(one.key, piece, one.first, one) for piece, table in enumerate(tables) for one in table.rows()]
    everybody: list[list[tuple[int, object]]] = []
    before = None
    for key, piece, _, one in sorted(rows, key=lambda row: row[:3]):
        again = before is not None and before[0] == key and before[1] != piece
        if again and one.opened and one.isn != before[2].isn:
            again = False  # it was opened anew
        if again and one.lookup and one.start - before[2].end > WINDOW_NS:
            again = False  # it was asked anew
        if not again:
            everybody.append([])
        everybody[-1].append((piece, one))
        before = key, piece, one
    gone, crossed = [([], []) for _ in tables], 0
    for seen in everybody:
        owners = [(piece, one) for piece, one in seen if one.own]
        for piece, one in owners[1:]:
            if one.row >= 0:
                gone[piece][one.lookup].append(one.row)
        crossed += max(one.last for _, one in seen) > (ends[owners[0][0]] if owners else -1)
    return gone, crossed


@given(st.lists(ROWS, min_size=1, max_size=5))
def test_who_was_taken_twice_goes_from_the_later_piece(pieces):
    """Of each piece, and in its order, whatever pieces hold nobody."""
    tables, ends = [met(rows) for rows in pieces], [20 + 20 * piece for piece in range(len(pieces))]
    gone, crossed = told_twice(tables, ends)
    assert ([tuple(map(np.ndarray.tolist, rows)) for rows in gone], crossed) == (
        [tuple(rows) for rows in plainly(tables, ends)[0]],
        plainly(tables, ends)[1],
    )
