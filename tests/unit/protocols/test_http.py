"""HTTP/1 heads: what counts as one, what is read of it, and what is said about damage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.protocols.http import HEAD_BYTES, begins_head, begins_http, parse_http
from netinterf.protocols.streams import Streams
from netinterf.schema import ParseError


def read(*datas):
    """Read heads; return light rows."""
    return list(parse_http(Streams.of(datas)).rows())


def only(data):
    """Read one head that must be there."""
    (row,) = read(data)
    return row


def test_a_request_is_read():
    """Method and target stay as sent, the host is lower case."""
    row = only(b"GET /A?b HTTP/1.1\r\nHost: WWW.Example.org\r\nContent-Length: 5\r\n\r\nbody!")
    assert (row.method, row.target, row.host, row.status) == ("GET", "/A?b", "www.example.org", 0)
    assert (row.content_length, row.head_length, row.error, row.error_at) == (5, 63, 0, -1)


def test_a_response_is_read():
    """Status, location, server and length are there."""
    data = b"HTTP/1.1 302 Found\r\nLocation: http://10.10.34.36\r\nServer: x/1\r\nContent-length:0\r\n\r\n"
    row = only(data)
    assert (row.status, row.method, row.location, row.server) == (302, "", "http://10.10.34.36", "x/1")
    assert (row.content_length, row.head_length) == (0, len(data))


@pytest.mark.parametrize(
    ("data", "host"),
    [
        (b"GET http://user@A.example:8080/x HTTP/1.1\r\n\r\n", "a.example:8080"),
        (b"GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n", "b.example"),
        (b"CONNECT Name.example:443 HTTP/1.1\r\n\r\n", "name.example:443"),
        (b"GET / HTTP/1.1\r\nHost: first.example\r\nHost: second.example\r\n\r\n", "first.example"),
        (b"GET / HTTP/1.1\r\nhOSt : \t spaced.example \r\n\r\n", "spaced.example"),
        (b"GET / HTTP/1.1\nHost: bare.example\n\n", "bare.example"),
        (b"\r\n\r\nGET / HTTP/1.1\r\nHost: late.example\r\n\r\n", "late.example"),
        (b"get / hTTp/9.9\r\nHost: odd.example\r\n\r\n", "odd.example"),
        (b"FROB x HTTP/1.1\r\nX-Host: no.example\r\nHost: yes.example\r\n\r\n", "yes.example"),
        (b"GET / HTTP/1.1\r\nHost: cut.exam", ""),
        (b"GET /old\r\n", ""),
        (b"GET /x\r\nHost: unversioned.example\r\n\r\n", "unversioned.example"),
    ],
)
def test_the_host_is_what_a_censor_sees(data, host):
    """Header before target, first before second, whatever the letter case, spacing and line ends."""
    assert host == only(data).host


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9 x\r\n",
        b"220 mail.example ESMTP\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\n\r\n",
        b"DESCRIBE rtsp://x RTSP/1.0\r\n\r\n",
        b"get key\r\n",
        b"GET",
        b"\r\n\r\n",
        b"",
        b"\x16\x03\x01",
    ],
)
def test_other_protocols_are_no_heads(data):
    """Text protocols that look a little like HTTP give no row."""
    assert read(data) == []


@pytest.mark.parametrize(
    ("data", "error", "at"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", ParseError.CUT, 25),
        (b"HTTP/1.1 200 OK\r\nServer", ParseError.CUT, 23),
        (b"HTTP/1.1 twenty\r\n\r\n", ParseError.BAD_VALUE, 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", ParseError.BAD_VALUE, 33),
        (b"GET / HTTP/1.1\r\nno colon here\r\nHost: a\r\n\r\n", ParseError.BAD_VALUE, 16),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * HEAD_BYTES, ParseError.TOO_LONG, HEAD_BYTES),
    ],
)
def test_damage_is_named_and_placed(data, error, at):
    """The first damage of a head has a code and an offset."""
    row = only(data)
    assert (error, at) == (row.error, row.error_at)


def test_rows_point_at_their_streams():
    """Streams without a head are passed over, the others keep their flow, side and packet."""
    streams = Streams.of(
        [b"nothing", b"HTTP/1.0 200\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"], side=[0, 3, 4], packet=[5, 6, 7]
    )
    table = parse_http(streams)
    assert table.flow.tolist() == [1, 2]
    assert table.outbound.tolist() == [False, True]
    assert table.packet.tolist() == [6, 7]


def test_first_bytes_tell_http_from_other_protocols():
    """A token and a space, or HTTP/, may begin a head; one empty line may precede it."""
    datas = [
        b"GET / HTTP/1.1",
        b"HTTP/1.1 200",
        b"\r\nPOST /",
        b"SSH-2.0-a",
        b"\x16\x03\x01",
        b"",
        b" GET",
        b"AB",
        b"a/b c",
    ]
    assert begins_http(Streams.of(datas)).tolist() == [True, True, True, False, False, False, False, False, False]


def test_heads_inside_a_stream_are_recognised_by_four_bytes():
    """Well-known methods and status lines count, other words do not."""
    words = [b"GET ", b"HTTP", b"PUT ", b"DELE", b"GETS", b"html"]
    found = begins_head(np.frombuffer(b"".join(words), np.uint8), np.arange(len(words)) * 4)
    assert found.tolist() == [True, True, True, True, False, False]


HEADISH = st.lists(
    st.sampled_from(
        [
            b"GET ",
            b"HTTP/1.1 ",
            b"/",
            b"\r\n",
            b"\n",
            b"Host",
            b":",
            b" ",
            b"200",
            b"Content-Length",
            b"\xff",
            b"CONNECT ",
        ]
    ),
    max_size=14,
).map(b"".join)


@given(st.lists(st.one_of(st.binary(max_size=60), HEADISH), max_size=5))
def test_any_bytes_are_read_without_raising(datas):
    """Arbitrary bytes give at most one row a stream, and what parse_http reads begins_http let through."""
    streams = Streams.of(datas)
    table, may = parse_http(streams), begins_http(streams)
    assert len(table) <= len(datas)
    assert all(may[flow] or datas[flow].startswith((b"\n", b"\r")) or len(datas[flow]) < 3 for flow in table.flow)
    assert all(-1 <= row.error_at <= len(datas[row.flow]) for row in table.rows())
