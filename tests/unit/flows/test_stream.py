"""Stream heads: what is fresh, what is repeated, what contradicts, and what is put together of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.flows.stream import head_segments, head_streams, owners, packet_streams, stream_bytes
from netinterf.schema import SegmentKind
from tests.oracles.heads import PSH, RST, SYN, Piece, naive_segments, naive_stream, written

pytestmark = pytest.mark.usefixtures("each_way")

FRESH, REPEAT, CONFLICT = (int(kind) for kind in SegmentKind)


def cut(pieces, limit=64, sides=2, ip_header=0):
    """Run head_segments; return the tables and the rows as tuples."""
    made = written(pieces, sides, ip_header=ip_header)
    segments = head_segments(made.buffer, made.packets, made.sides, made.by_flow, limit)
    columns = (segments.side, segments.packet, segments.offset, segments.length, segments.skip, segments.kind)
    return made, segments, [tuple(int(value) for value in row) for row in zip(*columns, strict=True)]


pieces_of_two_flows = st.lists(
    st.builds(
        Piece,
        side=st.integers(0, 3),
        offset=st.integers(-4, 40),
        data=st.binary(min_size=1, max_size=24).map(lambda data: bytes(byte & 1 for byte in data)),
        captured=st.none() | st.integers(0, 24),
        flags=st.sampled_from([0, 0, 0, 0, RST]),
    ),
    max_size=14,
)


@given(pieces_of_two_flows, st.sampled_from([1, 7, 30, 64]))
def test_pieces_match_a_map_of_bytes(pieces, limit):
    """Overlapping, reordered, cut and contradicting pieces are told apart as a byte map tells them."""
    _, _, rows = cut(pieces, limit, sides=4)
    assert naive_segments(pieces, limit) == rows


@given(pieces_of_two_flows)
def test_streams_match_a_map_of_bytes(pieces):
    """The contiguous stream is the first-arrived bytes up to the first hole, for any order of sides."""
    made, segments, _ = cut(pieces, 64, sides=4)
    sides = np.array([3, 0, 2, 1])
    streams = head_streams(made.buffer, made.packets, segments, sides, 64)
    assert [naive_stream(pieces, side, 64) for side in sides] == [streams.data[row].tobytes() for row in range(4)]
    for flow in range(2):
        whole = stream_bytes(made.buffer, made.packets, made.by_flow, made.sides, flow, True, 64)
        assert naive_stream(pieces, 2 * flow, 64) == whole


@given(pieces_of_two_flows, st.integers(1, 20), st.integers(0, 30))
def test_streams_from_inside_are_parts_of_the_stream(pieces, limit, start):
    """A stream that begins later and is limited holds the same bytes as that part of the whole stream."""
    made, segments, _ = cut(pieces, 64, sides=4)
    streams = head_streams(made.buffer, made.packets, segments, np.arange(4), limit, start=np.full(4, start))
    for side in range(4):
        whole = naive_stream(pieces, side, 64)
        if len(whole) > start:
            assert whole[start : start + limit] == streams.data[side].tobytes()
            assert (len(whole) > start + limit) == streams.more[side]


@given(pieces_of_two_flows)
def test_every_byte_names_its_packet(pieces):
    """packet_at gives the packet whose payload holds the byte, and take keeps that."""
    made, segments, rows = cut(pieces, 64, sides=4)
    streams = head_streams(made.buffer, made.packets, segments, np.arange(4), 64).take(np.array([2, 0, 3, 1]))
    holder = {
        (side, offset + i): packet for side, packet, offset, n, _, kind in rows if kind == FRESH for i in range(n)
    }
    for row, side in enumerate(streams.side.tolist()):
        places = np.arange(len(streams.data[row]))
        found = streams.packet_at(np.full(len(places), row), places)
        assert [holder[side, place] for place in places.tolist()] == found.tolist()


def test_a_contradiction_names_both_packets():
    """The owner of a CONFLICT piece is the FRESH piece that was captured first."""
    _, segments, rows = cut([Piece(1, 0, b"HTTP/1.1 302"), Piece(1, 0, b"HTTP/1.1 200 OK, genuine")])
    assert rows == [(1, 0, 0, 12, 0, FRESH), (1, 1, 0, 12, 0, CONFLICT), (1, 1, 12, 12, 12, FRESH)]
    assert owners(segments).tolist() == [0, 0, 2]


def test_a_contradicting_packet_can_be_read_whole():
    """packet_streams gives the packet's own view, on and beyond the place where it contradicts."""
    made, segments, _ = cut([Piece(1, 0, b"forged"), Piece(1, 0, b"genuine answer")])
    streams = packet_streams(made.buffer, made.packets, segments, np.array([1]))
    assert streams.data[0].tobytes() == b"genuine answer"
    assert streams.packet_at(np.array([0]), np.array([9])).tolist() == [1]


@pytest.mark.parametrize("byte", [b"\0", b"f"])
def test_a_keep_alive_probe_is_no_stream_data(byte):
    """One byte just below the next expected one leaves no piece, whatever it holds."""
    _, _, rows = cut([Piece(0, 0, b"abcdef"), Piece(0, 5, byte), Piece(0, 6, b"gh")])
    assert rows == [(0, 0, 0, 6, 0, FRESH), (0, 2, 6, 2, 0, FRESH)]


@pytest.mark.parametrize(("data", "flags", "kept"), [(6, 0, 0), (6, PSH, 1), (5, 0, 1), (2, 0, 0)])
def test_padding_inside_the_ip_packet_is_no_stream_data(data, flags, kept):
    """Zeros that fill a packet to the least Ethernet payload are left out, unless they are pushed."""
    _, _, rows = cut([Piece(0, 0, bytes(data), flags=flags)], ip_header=20)
    assert kept == len(rows)


def test_data_on_a_syn_begins_the_stream():
    """The first byte on a SYN is byte 0, and its repetition behind the handshake is a repeat."""
    _, _, rows = cut([Piece(0, 0, b"early", flags=SYN), Piece(0, 0, b"early data")])
    assert rows == [(0, 0, 0, 5, 0, FRESH), (0, 1, 0, 5, 0, REPEAT), (0, 1, 5, 5, 5, FRESH)]


def test_bytes_before_the_initial_number_are_trimmed():
    """A segment that begins below the stream keeps only what lies inside it."""
    _, _, rows = cut([Piece(0, -3, b"xyzab")])
    assert rows == [(0, 0, 0, 2, 3, FRESH)]


def test_bytes_that_were_not_captured_prove_nothing():
    """A repeat is compared as far as both packets were captured; the rest is fresh."""
    _, _, rows = cut([Piece(0, 0, b"abcdef", captured=2), Piece(0, 0, b"abXYef")])
    assert rows == [(0, 0, 0, 2, 0, FRESH), (0, 1, 0, 2, 0, REPEAT), (0, 1, 2, 4, 2, FRESH)]


def test_many_shifted_copies_stay_affordable():
    """A thousand copies that each begin one byte later are cut without losing the stream."""
    data = bytes(range(256)) * 8
    made, segments, _ = cut([Piece(0, i, data[i : i + 1000]) for i in range(1000)], limit=4096)
    assert head_streams(made.buffer, made.packets, segments, np.array([0])).data[0].tobytes() == data[:1999]
    assert not (segments.kind == CONFLICT).any()


def test_no_packets_give_no_pieces():
    """An empty capture gives an empty table and empty streams."""
    made, segments, rows = cut([])
    streams = head_streams(made.buffer, made.packets, segments, np.array([0, 1]))
    assert rows == []
    assert streams.data.lengths.tolist() == [0, 0]
    assert streams.packet_at(np.array([0]), np.array([0])).tolist() == [-1]


@pytest.mark.parametrize("limit", [0, -1, 2**31])
def test_an_impossible_limit_is_refused(limit):
    """The limit is a positive 32-bit number."""
    with pytest.raises(ParameterError, match="limit"):
        cut([], limit)


def test_an_unknown_flow_is_refused():
    """Bytes of a flow that does not exist cannot be asked for."""
    made = written([])
    with pytest.raises(ParameterError, match="flow"):
        stream_bytes(made.buffer, made.packets, made.by_flow, made.sides, 1, True)
