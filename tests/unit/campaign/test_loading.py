"""What captures at servers say of the path to them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.campaign.judged.loading import load, unheard
from netinterf.campaign.stored.reader import Snapshot
from tests.unit.campaign.captures import write

CLIENT, SERVER = 0, 1

ROWS = st.lists(
    st.tuples(st.sampled_from([-1, CLIENT, SERVER]), *[st.integers(0, 9)] * 4, st.booleans(), st.booleans()),
    min_size=1, max_size=9,
)  # fmt: skip


@given(ROWS)
def test_silence_at_a_server_is_not_known(rows):
    """Nothing else changes, and nothing is lost; what failed at opening or abruptly stays among what failed."""
    vantage, silent, broken, struck, unknown, opening, abrupt = (np.array(column) for column in zip(*rows, strict=True))
    failed = silent + broken + struck
    columns = {
        "vantage": vantage, "silent": silent.copy(), "broken": broken, "struck": struck, "unknown": unknown.copy(),
        "at_opening": failed * opening, "abrupt": failed * abrupt, "visits": failed.copy(),
    }  # fmt: skip
    unheard(columns, SERVER)
    at = vantage == SERVER
    assert np.array_equal(columns["silent"], np.where(at, 0, silent))
    assert np.array_equal(columns["silent"] + columns["unknown"], silent + unknown)
    left = columns["silent"] + broken + struck
    assert (columns["at_opening"] <= left).all()
    assert (columns["abrupt"] <= left).all()
    assert (columns["visits"] <= left).all()
    assert np.array_equal(columns["at_opening"][~at], (failed * opening)[~at])


def test_where_captures_were_taken_is_read_from_the_store(tmp_path):
    """The same captures, told to be of servers: what was answered stays."""
    from netinterf import Campaign

    paths = write(tmp_path / "in", 2)
    loaded = []
    for vantage in ("client", "server"):
        Campaign(tmp_path / vantage).collect(paths, vantage=vantage)
        loaded.append(load(Snapshot(tmp_path / vantage)).observations)
    assert loaded[0].answered.sum() == loaded[1].answered.sum() > 0
    assert loaded[1].silent.sum() == 0
