"""Attempts added up: what belongs to one visit is counted once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.observations.table import observe
from tests.unit.observations.attempts import attempts

STATES = ["answered", "silent", "broken", "struck", "unknown"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["here", "there"]), st.sampled_from(["a", "b"]), st.integers(1, 2), st.integers(0, 900),
        st.sampled_from(STATES),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@given(ROWS)
def test_failures_that_begin_a_visit_are_those_a_minute_behind_the_last(rows):
    """A slow twin walks through the failures of each name in one place, in their order."""
    table = observe(attempts(*rows))
    expected = {}
    for side, name in {(side, name) for side, name, *_ in rows}:
        failed = sorted(
            (seconds, server) for place, other, server, seconds, state in rows
            if (place, other) == (side, name) and state in {"silent", "broken", "struck"}
        )  # fmt: skip
        last = -np.inf
        for seconds, _ in failed:
            expected[side, name] = expected.get((side, name), 0) + (seconds - last > 60)
            last = seconds
    assert int(table.visits.sum()) == sum(expected.values())
    assert (table.visits <= table.failed).all()
