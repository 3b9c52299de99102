"""TLS handshakes: the lock-step reader against a slow twin, whole and split, sound and mutated."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.protocols.streams import Streams
from netinterf.protocols.tls import begins_hello, begins_tls, parse_tls, unfinished
from netinterf.schema import ParseError, Tls, TlsKind
from tests.oracles import tls_reference as ref

NAMES = st.sampled_from([b"example.org", b"WWW.Example.COM", b"a.", b"x" * 200, b"\xff\xfe.test"])
BODIES = st.binary(max_size=30)
NUMBERS = st.lists(st.sampled_from([0x0A0A, 0xFAFA, 0x0A1A, 0x1301, 0x0403, 0x00FF]), max_size=4)
SUITES = st.one_of(
    NUMBERS.map(lambda numbers: b"".join(one.to_bytes(2, "big") for one in numbers)),
    st.sampled_from([b"", b"\x13\x01\x13", b"\xc0\x2b" * 120]),
)
EXTENSIONS = st.lists(
    st.one_of(
        st.builds(ref.server_name, NAMES),
        st.builds(ref.alpn, st.sampled_from([b"h2", b"http/1.1"]), st.sampled_from([b"spdy/3", b""])),
        st.sampled_from([ref.extension(43, b"\x04\x03\x04\x03\x03"), ref.extension(43, b"\x03\x04")]),
        st.builds(ref.alpn, st.sampled_from([b"a,b", b"\xab\xcd", b"0\xab", b"", b"x"])),
        st.builds(lambda suites: ref.extension(13, ref.vector(2, suites)), SUITES),
        st.builds(ref.extension, st.sampled_from([0, 10, 13, 16, 43, 0xFE0D, 0xFFCE, 0x0A0A]), BODIES),
    ),
    max_size=6,
)
MESSAGES = st.one_of(
    st.builds(ref.client_hello, st.none() | EXTENSIONS, suites=SUITES),
    st.builds(ref.server_hello, EXTENSIONS),
    st.builds(ref.certificate, BODIES, BODIES),
    st.builds(ref.certificate_status, BODIES, st.sampled_from([1, 1, 2])),
    st.sampled_from([b"\x0e\0\0\0", b"\x00\0\0\0", b"\x0b\0\0\x03\0\0\0", b"\x0c\0\0\x02ab"]),
)
RECORDS = st.one_of(
    st.builds(ref.records, MESSAGES, st.lists(st.integers(1, 90), max_size=4)),
    st.sampled_from([b"\x15\3\1\0\2\2\x28", b"\x14\3\3\0\1\1", b"\x17\3\3\0\4abcd", b"\x15\3\3\0\x1a" + b"z" * 26]),
)


@st.composite
def streams_of_bytes(draw):
    """Write a handshake, then perhaps change some bytes or cut it."""
    data = bytearray(b"".join(draw(st.lists(RECORDS, min_size=1, max_size=4))))
    for place, value in draw(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=3)):
        data[place % len(data)] = value
    return bytes(data[: draw(st.none() | st.integers(0, len(data)))])


def rows_of(table, row_of_stream):
    """Give the rows of a table as the slow twin writes them."""
    rows = []
    for row in range(len(table)):
        found = {
            name: int(getattr(table, name)[row])
            for name in ("kind", "length", "version", "cipher", "alert", "record_version", "error", "error_at")
        }
        texts = ("name", "alpn", "ja4", "certificates", "chain", "stapled")
        found |= {name: getattr(table, name).bytes(row) for name in texts}
        found["followed"] = bool(table.followed[row])
        found |= {name: getattr(table, name)[row].tolist() for name in ("versions", "extensions")}
        rows.append(found | {"ech": bool(table.ech[row]), "stream": row_of_stream[int(table.flow[row])]})
    return rows


def expected_of(streams):
    """Give what the slow twin reads in each stream."""
    return [
        {key: value for key, value in row.items() if key not in ("first", "last")} | {"stream": number}
        for number, data in enumerate(streams)
        for row in ref.read_stream(data)
    ]


@given(st.lists(streams_of_bytes(), max_size=6))
def test_the_lock_step_reader_meets_its_slow_twin(datas):
    """Many streams at once give the rows that reading each of them alone gives, errors and their places included."""
    assert expected_of(datas) == rows_of(parse_tls(Streams.of(datas)), range(len(datas)))


@given(st.lists(st.binary(max_size=80), max_size=6), st.booleans())
def test_any_bytes_are_read_without_raising(datas, wrapped):
    """Arbitrary bytes, alone or as the body of a hello record, are rows at most."""
    datas = [ref.records(b"\x01" + ref.vector(3, data)) if wrapped else data for data in datas]
    streams = Streams.of(datas)
    assert expected_of(datas) == rows_of(parse_tls(streams), range(len(datas)))
    assert len(begins_tls(streams)) == len(unfinished(streams)) == len(datas)


HELLO = ref.client_hello(
    [
        ref.extension(0x0A0A),
        ref.server_name(b"Blocked.Example"),
        ref.alpn(b"h2", b"http/1.1"),
        ref.extension(0xFE0D, b"0"),
        ref.extension(43, b"\x06\x0a\x0a\x03\x04\x03\x03"),
    ]
)


def the_row(data):
    """Read one stream that holds one message; leave out where it lies."""
    table = parse_tls(Streams.of([data]))
    assert len(table) == 1
    return rows_of(table, [0])[0]


def test_a_client_hello_is_read_whole():
    """Name in lower case, protocols, versions, extension order and the ECH sign are there."""
    row = next(parse_tls(Streams.of([ref.records(HELLO)])).rows())
    assert (row.kind, row.name, row.alpn, row.ech, row.error) == (1, "blocked.example", "h2,http/1.1", True, 0)
    assert row.extensions.tolist() == [0x0A0A, 0, 16, 0xFE0D, 43]
    assert row.versions.tolist() == [0x0A0A, 0x0304, 0x0303]
    assert (row.version, row.record_version, row.length) == (0x0303, 0x0301, len(HELLO) - 4)


@given(st.lists(st.integers(1, len(HELLO)), max_size=12))
def test_record_splitting_changes_nothing(sizes):
    """A hello spread over any records reads as the same row."""
    assert the_row(ref.records(HELLO)) == the_row(ref.records(HELLO, sizes))


def test_a_hello_in_records_of_one_byte_is_read():
    """The smallest records do not hide a name."""
    assert the_row(ref.records(HELLO)) == the_row(ref.records(HELLO, [1] * len(HELLO)))


@given(st.integers(0, len(HELLO) + 4))
def test_a_cut_hello_says_where_it_ends(length):
    """Every prefix gives the part that is there and an error at its end."""
    table = parse_tls(Streams.of([ref.records(HELLO)[:length]]))
    assert len(table) == (length > 5)
    assert all(row.error == ParseError.CUT and row.error_at == length - 5 for row in table.rows())


def test_a_server_hello_names_the_negotiated_version():
    """supported_versions overrules the legacy version."""
    data = ref.records(ref.server_hello([ref.extension(43, b"\x03\x04")]))
    row = next(parse_tls(Streams.of([data])).rows())
    assert (row.kind, row.version, row.versions.tolist()) == (TlsKind.SERVER_HELLO, 0x0304, [0x0304])


def test_a_server_flight_gives_hello_and_leaf():
    """Messages that share a record are all found, and the leaf is the first certificate."""
    flight = ref.server_hello() + ref.certificate(b"leaf", b"issuer") + b"\x0e\0\0\0"
    table = parse_tls(Streams.of([ref.records(flight, [50])]))
    assert table.kind.tolist() == [TlsKind.SERVER_HELLO, TlsKind.CERTIFICATE]
    assert table.certificates.bytes(1) == b"leaf"


def test_a_chain_a_staple_and_whether_more_was_seen():
    """What is behind the leaf is kept as it was sent, a staple has a row, and messages know whether more came."""
    flight = ref.certificate(b"leaf", b"one", b"two") + ref.certificate_status(b"response") + b"\x0e\0\0\0"
    whole, short = ref.records(flight), ref.records(ref.certificate(b"leaf", b"one"))
    table = parse_tls(Streams.of([whole, short, short[:-1]]))
    assert table.kind.tolist() == [TlsKind.CERTIFICATE, TlsKind.CERTIFICATE_STATUS] + 2 * [TlsKind.CERTIFICATE]
    assert table.chain.bytes(0) == ref.vector(3, b"one") + ref.vector(3, b"two")
    assert table.stapled.bytes(1) == b"response"
    assert table.followed.tolist() == [True, True, False, False]
    assert [table.certificates.bytes(row) for row in (2, 3)] == [b"leaf", b"leaf"]


def test_the_second_hello_of_a_retry_is_found():
    """A hello behind ChangeCipherSpec is in the clear, an encrypted Finished is not."""
    compatible, finished = b"\x14\3\3\0\1\1", ref.records(b"\x9c" * 40)
    table = parse_tls(Streams.of([2 * (ref.records(HELLO) + compatible) + finished, ref.records(HELLO) + compatible]))
    assert table.flow.tolist() == [0, 0, 1]


def test_alerts_in_the_clear_are_told_from_encrypted_ones():
    """Two bytes are an alert, more are not."""
    table = parse_tls(Streams.of([b"\x15\3\1\0\2\2\x28", b"\x15\3\3\0\x1a" + b"z" * 26]))
    assert table.alert.tolist() == [2 << 8 | 40]


def test_messages_name_the_packets_where_they_begin_and_end():
    """A hello over three packets points at the first and the last of them."""
    streams = Streams.of([ref.records(HELLO)])
    pieces = {"piece_at": np.array([0, 40, 90]), "piece_packet": np.array([7, 9, 8], np.int32)}
    parts = {name: getattr(streams, name) for name in ("side", "start", "data", "more")}
    table = parse_tls(Streams(**parts, **pieces))
    assert (table.packet.tolist(), table.last_packet.tolist()) == ([7], [8])


def test_a_stream_cut_by_its_limit_asks_for_more():
    """Only a stream that goes on and whose clear part had not ended is unfinished."""
    whole = ref.records(HELLO) + b"\x17\3\3\0\4ab"
    streams = Streams.of([ref.records(HELLO)[:60], whole, ref.records(HELLO)[:60]])
    parts = {name: getattr(streams, name) for name in ("side", "start", "data", "piece_at", "piece_packet")}
    assert unfinished(Streams(**parts, more=np.array([True, True, False]))).tolist() == [True, False, False]


def test_first_bytes_tell_tls_from_other_protocols():
    """A handshake or alert record of version 3.x begins a TLS stream, even when little of it is there."""
    datas = [
        b"\x16\x03\x01\x02",
        b"\x15\x03\x03",
        b"\x16",
        b"\x16\x03\x09",
        b"\x17\x03\x03",
        b"GET /",
        b"",
        b"\x16\x02",
    ]
    assert begins_tls(Streams.of(datas)).tolist() == [True, True, True, False, False, False, False, False]


def test_a_hello_inside_a_stream_is_recognised_by_its_record_and_message():
    """Ten bytes tell a record with a hello from other bytes that begin like a record."""
    hello, other = ref.records(HELLO)[:10], b"\x16\x03\x01\x02\x00\x0b\x00\x00\x00\x03"
    buffer = np.frombuffer(hello + other, np.uint8)
    assert begins_hello(buffer, np.array([0, 10])).tolist() == [True, False]


def test_no_streams_give_an_empty_table():
    """An empty capture gives a table with all columns and no rows."""
    assert len(parse_tls(Streams.of([]))) == 0
    assert isinstance(parse_tls(Streams.of([b""])), Tls)


def test_a_real_client_is_read():
    """The hello that this Python's TLS library sends has the name and protocols it was given."""
    ssl = pytest.importorskip("ssl")
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    outgoing = ssl.MemoryBIO()
    session = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="news.example")
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    row = next(parse_tls(Streams.of([outgoing.read()])).rows())
    assert (row.name, row.alpn, row.error) == ("news.example", "h2,http/1.1", 0)
    assert 0x0304 in row.versions.tolist()


def test_reading_tls_loads_nothing_heavy():
    """The parsers import neither scapy nor scipy."""
    code = "import sys, netinterf.protocols.tls, netinterf.protocols.http; print({'scapy', 'scipy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
