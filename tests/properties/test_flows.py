"""Properties of the flow stages: the fast routines agree with slow twins on arbitrary traffic."""

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.flows.assign import assign_flows
from netinterf.flows.rtt import rtt_samples, with_rtt
from netinterf.flows.sequence import mark_segments
from netinterf.flows.sides import build_sides
from netinterf.schema import Mark
from tests.oracles.naive_flows import conversations, naive_marks, naive_rtt, who_asked
from tests.oracles.segments import Segment, client, decoded, server

pytestmark = pytest.mark.usefixtures("each_way")

ADDRESSES = ("192.0.2.1", "192.0.2.2", "2001:db8::1")
PORTS = (0, 53, 443, 8080, 50000, 50001)
WAITS = (0, 200_000, 900_000, 2_500_000, 50_000_000)

endpoint = st.tuples(st.sampled_from(ADDRESSES), st.sampled_from(PORTS))
anything = st.builds(
    Segment,
    flags=st.sampled_from(["S", "SA", "A", "R", "RA", "FA", "PA"]),
    seq=st.sampled_from([100, 200, 2**32 - 1]),
    ack=st.sampled_from([0, 101, 201]),
    source=endpoint,
    target=endpoint,
    protocol=st.sampled_from([6, 6, 6, 17, 1]),
    icmp=st.just(3 << 8),
    version=st.sampled_from([4, 4, 4, 4, 0]),
)


@given(st.lists(anything, max_size=40))
def test_flows_are_those_of_a_dictionary(segments):
    """Packets fall into the flows, sides and orientation that a dictionary of endpoints gives."""
    packets, endpoints = decoded(segments)
    assigned = assign_flows(packets, endpoints)
    expected = conversations(segments)
    assert expected == [flow.tolist() for flow in assigned.by_flow]
    for number, rows in enumerate(expected):
        asking, how = who_asked(segments, rows)
        assert how == assigned.flows.oriented_by[number]
        assert [segments[row].source == asking for row in rows] == assigned.packets.outbound[rows].tolist()
        assert asking[1] == assigned.flows.client_port[number]
        assert packets.time[rows[0]] == assigned.flows.first[number]
        assert packets.time[rows[-1]] == assigned.flows.last[number]
    addresses = {end[0] for segment in segments if segment.version for end in (segment.source, segment.target)}
    assert len(addresses) == len(assigned.hosts)


@st.composite
def stream_segments(draw):
    """Draw segments of two sides over a small range of bytes, so that they overlap, repeat and leave gaps."""
    out = draw(st.booleans())
    offset, payload = draw(st.integers(0, 24)), draw(st.integers(0, 7))
    flags = draw(st.sampled_from(["A", "A", "A", "A", "A", "PA", "FA", "RA", "R", ""]))
    return out, offset, payload, flags, draw(st.integers(0, 27)), draw(st.sampled_from(WAITS))


@st.composite
def conversations_on_wire(draw):
    """Draw one to three conversations with loss, repeats, reordering, copies, wraparound and wild numbers."""
    segments, clock = [], 1_700_000_000_000_000_000
    for port in range(draw(st.integers(1, 3))):
        isns = {out: draw(st.sampled_from([0, 1000, 2**31 - 5, 2**32 - 8, 2**32 - 1])) for out in (True, False)}
        ids = {True: draw(st.sampled_from([0, 100])), False: draw(st.sampled_from([0, 65530]))}
        stamped, wild = draw(st.booleans()), draw(st.sampled_from([0, 0, 2**29 + 7, 2**30 + 1, 2**31 - 3]))
        opening = draw(st.sampled_from([[], ["S"], ["S", "S"], ["S", "SA"], ["SA"], ["S", "SA", "SA", "A"]]))
        steps = [(flags != "SA", 0, 0, flags, 0 if flags == "S" else 1, 1_000_000) for flags in opening]
        steps += draw(st.lists(stream_segments(), max_size=25))
        for out, offset, payload, flags, ack, wait in steps:
            clock += wait
            ids[out] = (ids[out] + draw(st.sampled_from([1, 1, 1, -3, 40]))) % 2**16 if ids[out] else 0
            seq = isns[out] + offset + (wild if draw(st.integers(0, 9)) == 0 else 0)
            options = {"time": clock, "ip_id": ids[out], "window": draw(st.sampled_from([0, 500, 500]))}
            if stamped:
                options |= {
                    "tsval": clock // 10**6 - draw(st.sampled_from([0, 0, 3])),
                    "tsecr": draw(st.integers(0, 3)),
                }
                if earlier := [s.tsval for s in segments if s.tsval is not None]:
                    options["tsecr"] = draw(st.sampled_from(earlier[-4:]))
            made = (client if out else server)(flags, seq, isns[not out] + ack, payload, **options)
            made = attrs.evolve(made, **{"source" if out else "target": ("192.0.2.1", 50000 + port)})
            segments.append(made)
            if draw(st.integers(0, 7)) == 0:
                clock += draw(st.sampled_from([0, 100_000, 1_100_000, 300_000_000]))
                segments.append(attrs.evolve(made, time=clock, ttl=draw(st.sampled_from([64, 63, 60]))))
    return sorted(segments, key=lambda segment: segment.time)


@given(conversations_on_wire())
def test_marks_are_those_of_byte_sets(segments):
    """Relative numbers and marks equal those found with sets of byte numbers."""
    assigned = assign_flows(*decoded(segments))
    packets = mark_segments(assigned.packets, assigned.flows, assigned.by_flow)
    seq, ack, marks = naive_marks(assigned.packets, assigned.flows, assigned.by_flow)
    assert seq.tolist() == packets.relative_seq.tolist()
    assert ack.tolist() == packets.relative_ack.tolist()
    assert [Mark(int(mark)) for mark in marks] == [Mark(int(mark)) for mark in packets.marks]


@given(conversations_on_wire())
def test_round_trips_are_those_of_all_pairs(segments):
    """Round-trip samples equal those found by looking at all pairs of packets."""
    assigned = assign_flows(*decoded(segments))
    packets = mark_segments(assigned.packets, assigned.flows, assigned.by_flow)
    sides = build_sides(packets, assigned.flows, assigned.by_flow)
    samples = rtt_samples(packets, assigned.flows, assigned.by_flow, sides)
    found = set(zip(*(getattr(samples, f.name).tolist() for f in samples.schema()), strict=True))
    assert naive_rtt(packets, assigned.by_flow, sides.sent) == found
    assert len(found) == len(samples)
    timed = with_rtt(sides, samples)
    for side in range(len(sides)):
        values = [value for _, _, whose, value, _ in found if whose == side]
        assert min(values, default=-1) == timed.rtt[side]
        assert len(values) == timed.rtt_samples[side]


@given(conversations_on_wire())
def test_sides_are_sums_over_their_packets(segments):
    """Every column of a side equals what a loop over its packets gives."""
    assigned = assign_flows(*decoded(segments))
    packets = mark_segments(assigned.packets, assigned.flows, assigned.by_flow)
    sides = build_sides(packets, assigned.flows, assigned.by_flow)
    kept = packets.marks & Mark.DUPLICATE_FRAME == 0
    for side in range(len(sides)):
        rows = np.flatnonzero((packets.flow == side // 2) & (packets.outbound == (side % 2 == 0)) & kept)
        flags, payload = packets.tcp_flags[rows], packets.payload_length[rows]
        assert len(rows) == sides.packets[side]
        assert payload.sum() == sides.payload_bytes[side]
        assert np.count_nonzero(payload) == sides.payload_packets[side]
        assert np.count_nonzero(packets.marks[rows] & Mark.REPEAT) == sides.repeats[side]
        assert np.count_nonzero(packets.marks[rows] & Mark.FILL) == sides.fills[side]
        for name, chosen in (("fin", flags & 1), ("rst", flags & 4), ("first_payload", payload), ("first", flags + 1)):
            assert next(iter(rows[chosen > 0].tolist()), -1) == getattr(sides, name)[side]
        assert (rows.tolist() or [-1])[-1] == sides.last[side]
        assert next(iter(rows[flags & 6 == 2].tolist()), -1) == sides.syn[side]
        counted = (packets.seq[rows].astype(np.int64) - packets.relative_seq[rows]) % 2**32
        assert set(counted.tolist()) <= {int(sides.isn[side])}
