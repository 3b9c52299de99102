"""Ranges become the fewest prefixes that hold exactly them."""

import ipaddress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.context.ranges import prefixes_of_ranges

LAST = 2**128 - 1
EDGES = [0, 1, 2**63, 2**64 - 1, 2**64, 2**64 + 1, 2**127, LAST - 1, LAST, 0xFFFF << 32, (0xFFFF << 32) + 2**32 - 1]


def column(numbers: list[int]) -> np.ndarray:
    """Write numbers as halves."""
    return np.array([(number >> 64, number & 2**64 - 1) for number in numbers], np.uint64).reshape(-1, 2).T.copy()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from(EDGES), st.integers(0, LAST)),
            st.one_of(st.sampled_from(EDGES), st.integers(0, 2**12), st.integers(0, LAST)),
        ),
        max_size=8,
    )
)
def test_agrees_with_the_standard_library(drawn: list[tuple[int, int]]) -> None:
    """Whatever the ends, the prefixes are those that `ipaddress` finds, range by range."""
    ends = [(first, min(first + size, LAST)) for first, size in drawn]
    found = prefixes_of_ranges(*column([first for first, _ in ends]), *column([last for _, last in ends]))
    for place, (first, last) in enumerate(ends):
        wanted = ipaddress.summarize_address_range(*(ipaddress.IPv6Address(end) for end in (first, last)))
        mine = found.row == place
        pairs = zip(found.high[mine].tolist(), found.low[mine].tolist(), found.length[mine].tolist(), strict=True)
        assert {ipaddress.IPv6Network((high << 64 | low, bits)) for high, low, bits in pairs} == set(wanted)
    assert len(found.row) == len(found.high) == len(found.length)
