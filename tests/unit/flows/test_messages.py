"""From stream heads to message tables, however the bytes were cut into packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.flows.messages import SIDES_AT_ONCE, read_messages
from netinterf.flows.stream import head_segments
from netinterf.schema import ParseError, TlsKind
from netinterf.trace import read as read_trace
from tests.oracles import tls_reference as ref
from tests.oracles.heads import Piece, split, written

HELLO = ref.records(ref.client_hello([ref.server_name(b"blocked.example"), ref.extension(43, b"\x02\x03\x04")]))
CHAIN = ref.certificate(b"leaf" * 400, b"issuer" * 400)
FLIGHT = ref.records(ref.server_hello()) + ref.records(CHAIN, [1000]) + ref.records(b"\x0e\0\0\0")
REQUEST = b"GET /news HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
PAGE = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope"
TSHARK_NAMES = ("tls.handshake.extensions_server_name", "http.host")


def read(pieces, sides=2, ports=(50000, 443)):
    """Run both stages over hand-written pieces."""
    made = written(pieces, sides, ports)
    segments = head_segments(made.buffer, made.packets, made.sides, made.by_flow)
    return read_messages(made.buffer, made.packets, made.flows, made.hosts, made.sides, segments)


def values(table, leave=("packet", "last_packet")):
    """Give the rows of a table without the packets they came in."""
    names = [field.name for field in table.schema() if field.name not in leave]
    return [[str(getattr(row, name)) for name in names] for row in table.rows()]


@given(st.sets(st.integers(1, len(HELLO) - 1), max_size=8), st.randoms(use_true_random=False))
def test_segmentation_and_order_of_arrival_change_nothing(places, random):
    """A hello cut at any bytes, arriving in any order with repeats, reads as the same row."""
    pieces = split(HELLO, places)
    pieces += random.sample(pieces, len(pieces) // 2)
    random.shuffle(pieces)
    assert values(read([Piece(0, 0, HELLO)]).tls) == values(read(pieces).tls)


@given(st.sets(st.integers(1, len(REQUEST) - 1), max_size=6))
def test_a_request_cut_anywhere_is_one_head(places):
    """A head over several packets is read whole and named by its first packet."""
    http = read(split(REQUEST, places)).http
    assert [("blocked.example", 0, len(REQUEST))] == [(row.host, row.packet, row.head_length) for row in http.rows()]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.binary(min_size=1, max_size=60)), max_size=8))
def test_any_payload_is_read_without_raising(pieces):
    """Arbitrary bytes on any side give tables."""
    read([Piece(*piece) for piece in pieces], sides=4, ports=(50000, 53))


def test_a_long_server_flight_is_gathered_as_far_as_needed():
    """A certificate chain that exceeds the first gathering limit is read whole."""
    pieces = [Piece(0, 0, HELLO), *split(FLIGHT, range(0, len(FLIGHT), 1400), side=1)]
    tls = read(pieces).tls
    assert tls.kind.tolist() == [TlsKind.CLIENT_HELLO, TlsKind.SERVER_HELLO, TlsKind.CERTIFICATE]
    assert tls.certificates.bytes(2) == b"leaf" * 400
    assert tls.error.tolist() == [0, 0, 0]
    assert tls.last_packet[2] > tls.packet[2]


def test_a_hole_ends_the_handshake_with_an_error():
    """What lies behind missing bytes is not read, and the row says that it was cut."""
    tls = read([Piece(0, 0, HELLO[:50]), Piece(0, 60, HELLO[60:])]).tls
    assert tls.error.tolist() == [ParseError.CUT]
    assert tls.error_at.tolist() == [45]


def test_rows_are_sorted_by_side_over_all_batches():
    """More sides than one batch holds give every hello once, in order, and nothing is mixed up."""
    flows = SIDES_AT_ONCE + 3
    pieces = [Piece(2 * flow, 0, HELLO) for flow in reversed(range(flows))]
    tls = read(pieces, sides=2 * flows).tls
    assert tls.flow.tolist() == list(range(flows))
    assert tls.packet.tolist() == list(reversed(range(flows)))


def test_the_loser_of_a_race_is_read_too():
    """A genuine answer that contradicts a forged one captured before it has a row of its own."""
    genuine = b"HTTP/1.1 200 OK\r\nServer: genuine\r\nContent-Length: 99\r\n\r\nlong genuine content"
    http = read([Piece(0, 0, REQUEST), Piece(1, 0, PAGE), Piece(1, 0, genuine)], ports=(50000, 80)).http
    assert http.packet.tolist() == [0, 1, 2]
    assert http.status.tolist() == [0, 403, 200]
    assert http.server[2] == "genuine"


def test_later_heads_that_begin_a_packet_are_read():
    """Requests and answers on a kept connection are found, lines inside bodies are not."""
    second = PAGE + b"\r\nHTTP/1.1 200 inside a body\r\n\r\n"
    pieces = [Piece(0, 0, REQUEST), Piece(1, 0, PAGE), Piece(0, len(REQUEST), REQUEST), Piece(1, len(PAGE), second)]
    assert read(pieces, ports=(50000, 80)).http.packet.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "before", [b"CONNECT blocked.example:443 HTTP/1.1\r\n\r\n", b"\x05\x01\x00", b"a1 STARTTLS\r\n"]
)
def test_a_handshake_behind_another_protocol_is_found(before):
    """TLS through a proxy or after STARTTLS gives its hello, with the packet where it begins."""
    tls = read([Piece(0, 0, before), *split(HELLO, [80], start=len(before))]).tls
    assert [(row.name, row.packet, row.last_packet) for row in tls.rows()] == [("blocked.example", 1, 2)]


def test_dns_over_tcp_is_read_from_the_same_heads():
    """A query on port 53 that is cut into two packets is one message."""
    query = b"\x12\x34\x01\x00\0\1\0\0\0\0\0\0\x07blocked\x07example\0\0\1\0\1"
    dns = read(split(ref.vector(2, query), [5]), ports=(50000, 53)).dns
    assert [(row.id, row.name) for row in dns.rows()] == [(0x1234, "blocked.example")]


def test_nothing_gives_empty_tables():
    """A capture without payload gives tables without rows."""
    messages = read([])
    assert [len(messages.tls), len(messages.http), len(messages.dns)] == [0, 0, 0]


@pytest.mark.captures
@pytest.mark.tshark
def test_names_agree_with_tshark(captures_dir, tshark):
    """Every server name and host that tshark reads in public captures is read here too."""
    kinds = (".pcap", ".pcapng", ".cap")
    paths = [path for path in captures_dir.rglob("*") if path.suffix in kinds and path.stat().st_size < 400_000]
    chosen = sorted(path for path in paths if "tls" in path.name or "http" in path.name)[::8][:25]
    wanted = "(tls.handshake.type==1 or http.request) and tcp and !icmp and !udp"
    options = ("-2", "-Y", wanted, "-E", "occurrence=a", "-E", "aggregator=|")
    compared = 0
    for path in chosen:
        trace = read_trace(path)
        fields = [field for frame in tshark(path, *TSHARK_NAMES, options=options) for field in frame]
        theirs = {name.lower().rstrip(".") for field in fields for name in field.split("|")} - {""}
        assert theirs <= {*trace.tls.name, *trace.http.host}, path.name
        compared += len(theirs)
    assert compared > 10
