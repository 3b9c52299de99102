"""What happened around attempts, against the slow and obvious way of counting it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.observations.neighbours import in_window, nearest_others, neighbours_of
from tests.unit.observations.attempts import attempts

ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 40), st.booleans()), max_size=25)


def columns(rows):
    """Lay rows out as key, unit, time and whether they count."""
    table = np.array(rows, np.int64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(bool)


def near(rows, place, reach):
    """List the rows that count, share the key and are near in time, by looking at all."""
    key, _, time, counted = columns(rows)
    return [j for j in range(len(rows)) if counted[j] and key[j] == key[place] and abs(time[j] - time[place]) <= reach]


@given(ROWS, st.integers(0, 15))
def test_windows_hold_what_is_near_in_time(rows, reach):
    """Counts by running sums are those of looking at every pair."""
    key, _, time, counted = columns(rows)
    expected = [len(near(rows, place, reach)) for place in range(len(rows))]
    assert in_window(key, time, counted, reach).tolist() == expected


@given(ROWS, st.integers(0, 15))
def test_the_nearest_others_are_the_nearest_of_another_unit(rows, reach):
    """They are found where there are any, are never of the own unit, and none is nearer on that side."""
    key, unit, time, counted = columns(rows)
    before, behind = nearest_others(key, unit, time, counted, reach)
    for place in range(len(rows)):
        others = [j for j in near(rows, place, reach) if unit[j] != unit[place]]
        for found, side in ((before[place], -1), (behind[place], 1)):
            beside = [j for j in others if (time[j] - time[place], j - place) > (0, 0)] if side > 0 else [
                j for j in others if (time[j] - time[place], j - place) < (0, 0)
            ]  # fmt: skip
            if beside:
                assert found in beside
                assert abs(time[found] - time[place]) == min(abs(time[j] - time[place]) for j in beside)
            else:
                assert found == -1


def test_what_was_struck_speaks_for_no_outage():
    """Neighbours that somebody interfered with are neither alive nor dead, nor lost."""
    tried = attempts(
        ("here", "a", 1, 0, "silent"), ("here", "b", 1, 1, "struck"), ("here", "b", 1, 2, "silent"),
        ("here", "c", 2, 3, "answered"),
    )  # fmt: skip
    company = neighbours_of(tried)
    assert (company.alive[0], company.dead[0], company.around[0], company.lost[0]) == (0, 0, 1, 0)
