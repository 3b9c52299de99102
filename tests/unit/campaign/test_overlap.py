"""What packets and probes both show, and whose clients of unknown networks are, against one look at each row."""

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.campaign.judged.loading import of_their_place
from netinterf.campaign.judged.overlap import shown_by_packets
from netinterf.observations.table import observe
from netinterf.verdict.keys import BIN_NS
from tests.unit.pooling.places import Campaign

SMALL = st.integers(0, 1)
ROW = observe(Campaign(1, 1, 1).attempts())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SMALL, SMALL, st.integers(0, 9), SMALL, SMALL), max_size=16))
def test_what_packets_show_about_then_is_left_out(rows):
    """Of one network and thing, and only where packets tell what came of it; what packets show always stays."""
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    place, unit, five, capture, answered = columns
    table = attrs.evolve(
        ROW.take(np.zeros(len(rows), np.int64)), place=place.astype(np.int32), unit=unit, time=five * BIN_NS + 7,
        capture=capture.astype(np.int32), answered=answered.astype(np.uint32),
    )  # fmt: skip
    shown = [row for row in rows if not row[3] and row[4]]
    expected = [
        bool(row[3]) and any(row[:2] == other[:2] and abs(row[2] - other[2]) <= 1 for other in shown) for row in rows
    ]
    assert shown_by_packets(table, np.array([False, True])).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 2)), max_size=12))
def test_unknown_networks_are_thoseof_their_place(rows):
    """Where one is known there, and no other."""
    known = {place: {asn for other, asn in rows if other == place and asn >= 0} for place, _ in rows}
    expected = [min(known[place]) if asn < 0 and len(known[place]) == 1 else asn for place, asn in rows]
    place, asn = np.array(rows, np.int64).reshape(-1, 2).T
    assert of_their_place(place.astype(np.int32), asn).tolist() == expected
