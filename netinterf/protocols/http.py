"""HTTP/1 heads: request and status lines, and the few headers that matter to a censor or betray one.

Which streams may be HTTP is decided for all at once from their first bytes; only those heads are then read one by one.
Reading is lenient where middleboxes and block pages are sloppy (bare line feeds, odd versions, unknown methods, lower
case), because what a censor saw is what was sent, not what the standard allows.
"""

import re
from typing import NamedTuple

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.numbering import among
from netinterf.protocols.streams import Streams, words
from netinterf.schema import Http, ParseError
from netinterf.table import Text

__all__ = ["HEAD_BYTES", "PEEK_BYTES", "begins_head", "begins_http", "parse_http"]

HEAD_BYTES = 8192
"""Longest head that is read: the limit of common servers, and four times what the GFW looks at (Khattak et al.,
"Towards Illuminating a Censorship Monitor's Model", FOCI 2013)."""

PEEK_BYTES = 32  # enough for an empty line, the longest registered method (RFC 9110 §16.1.1) and the space behind it

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH")
"""Methods known without a version on the line: RFC 9110 §9.3 and RFC 5789."""

TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # RFC 9110 §5.6.2

HEAD_END = re.compile(rb"\n\r?\n")  # RFC 9112 §2.2 lets a receiver take a bare line feed as the end of a line
METHOD = re.compile(rb"[" + re.escape(TOKEN) + rb"]{1,%d}\Z" % (PEEK_BYTES - 1))  # of a longer one no peek sees the end
OTHER_PROTOCOL = re.compile(rb"(?!HTTP/)[A-Za-z]+/[0-9]")  # SIP/2.0, RTSP/1.0
ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)")
HEADER = re.compile(rb"(?i)\n(host|location|server|content-length)[ \t]*:[ \t]*([^\r\n]*)")
NO_HEADER = re.compile(rb"\n(?![ \t\r\n])[^:\n]*(?=\n)")  # a line without colon that continues nothing


class Head(NamedTuple):
    """One head as read; fields in the order of the columns of `Http` from `status` on."""

    status: int
    method: bytes
    target: bytes
    host: bytes
    location: bytes
    server: bytes
    content_length: int
    head_length: int
    error: ParseError
    error_at: int


def begins_http(streams: Streams) -> Mask:
    """Say which streams may begin with an HTTP/1 head: a token and a space, or ``HTTP/``; one empty line may precede.

    Args:
        streams: At least the first `PEEK_BYTES` of each stream.
    """
    first, lengths = streams.data.offsets[:-1], streams.data.lengths
    data = streams.data.values
    may = np.asarray(lengths >= 3)
    rows = np.flatnonzero(may)
    empty_line = words(data, first[rows], 2) == 0x0D0A
    begin = first[rows] + 2 * empty_line
    ends = first[rows] + lengths[rows]
    place = begin[:, None] + np.arange(PEEK_BYTES)
    inside = place < ends[:, None]
    byte = np.where(inside, data[np.where(inside, place, first[rows, None])], 0)
    stops = ~_TOKEN_TABLE[byte]
    stop = np.argmax(stops, axis=1)
    closing = byte[np.arange(len(rows)), stop]
    may[rows] = stops.any(axis=1) & (stop > 0) & ((closing == ord(" ")) | ((closing == ord("/")) & (stop == 4)))
    return may


_TOKEN_TABLE = np.zeros(256, np.bool_)
_TOKEN_TABLE[np.frombuffer(TOKEN, np.uint8)] = True
_TOKEN_TABLE.flags.writeable = False
_FIRST_WORDS = np.array(sorted({int.from_bytes((name + b" ")[:4], "big") for name in (b"HTTP/", *METHODS)}))
_FIRST_WORDS.flags.writeable = False
_FIRST_BYTES = np.array(sorted({word >> 24 for word in _FIRST_WORDS.tolist()}))
_FIRST_BYTES.flags.writeable = False


def begins_head(buffer: U8, at: I64) -> Mask:
    """Say where the four bytes at a position begin a status line or a request with a well-known method.

    Stricter than `begins_http`, for places inside a stream, where a body may hold anything.

    Args:
        buffer: Bytes of the capture.
        at: Positions, each at least 4 bytes before the end of the buffer.
    """
    may: Mask = among(buffer[at], _FIRST_BYTES)
    rows = np.flatnonzero(may)
    may[rows] = among(words(buffer, at[rows], 4), _FIRST_WORDS)
    return may


def parse_http(streams: Streams) -> Http:
    """Read one HTTP/1 head from the start of each stream.

    Args:
        streams: The first bytes of heads, `HEAD_BYTES` are enough.

    Returns:
        One row for each stream that begins with a head, in order. Nothing that the bytes hold raises.
    """
    view, bounds = streams.data.values.data, streams.data.offsets.tolist()
    heads: list[Head] = []
    rows: list[int] = []
    for row, more in enumerate(streams.more.tolist()):
        head = read_head(bytes(view[bounds[row] : min(bounds[row + 1], bounds[row] + HEAD_BYTES)]), more)
        if head is not None:
            heads.append(head)
            rows.append(row)
    row_of = np.array(rows, np.int64)
    columns = list(zip(*heads, strict=True)) if heads else [()] * len(Head._fields)
    named = dict(zip(Head._fields, columns, strict=True))
    return Http(
        packet=streams.packet_at(row_of, np.zeros(len(row_of), np.int64)),
        flow=streams.flow[row_of],
        outbound=streams.outbound[row_of],
        status=np.array(named["status"], np.uint16),
        method=Text.of(named["method"]),
        target=Text.of(named["target"]),
        host=Text.of(named["host"]),
        location=Text.of(named["location"]),
        server=Text.of(named["server"]),
        content_length=np.array(named["content_length"], np.int64),
        head_length=np.array(named["head_length"], np.int32),
        error=np.array(named["error"], np.uint8),
        error_at=np.array(named["error_at"], np.int32),
    )


def read_head(data: bytes, more: bool = False) -> Head | None:
    """Read one head.

    Args:
        data: The stream from the head's first byte on, at most `HEAD_BYTES`; an empty line may precede.
        more: The stream goes on behind *data*.

    Returns:
        The head, or None when the first line is neither a status line nor a request line.
    """
    begin = len(data) - len(data.lstrip(b"\r\n"))  # RFC 9112 §2.2: empty lines before a request are ignored
    line_end = data.find(b"\n", begin)
    line = data[begin : line_end if line_end >= 0 else len(data)].rstrip(b"\r")
    if line[:5].upper() == b"HTTP/":
        status, method, target, old = _status(line), b"", b"", False
    else:
        request = _request(line, whole=line_end >= 0)
        if request is None:
            return None
        status, (method, target, old) = 0, request
    if old and not HEADER.search(data, line_end):  # some clients leave the version out and send headers all the same
        return Head(0, method, target, _authority(method, target), b"", b"", -1, line_end + 1, ParseError.NONE, -1)
    end = HEAD_END.search(data, line_end) if line_end >= 0 else None
    stop = end.end() if end else len(data)
    headers: dict[bytes, bytes] = {}
    length, error, error_at = -1, ParseError.NONE, -1
    for match in HEADER.finditer(data, line_end, stop) if line_end >= 0 else ():
        name = match[1].lower()
        if name in headers or (end is None and match.end() == stop):  # the first one counts; a cut one says too little
            continue
        headers[name] = match[2].rstrip()
        if name == b"content-length":
            length = int(headers[name]) if headers[name].isdigit() and len(headers[name]) < 19 else -1
            if length < 0:
                error, error_at = ParseError.BAD_VALUE, match.start(2)
    if not method and not status:
        error, error_at = ParseError.BAD_VALUE, begin
    elif error is ParseError.NONE:
        error, error_at = _head_error(data, line_end, stop, whole=end is not None, more=more)
    host = headers.get(b"host", b"").lower() or _authority(method, target)
    location, server = headers.get(b"location", b""), headers.get(b"server", b"")
    return Head(status, method, target, host, location, server, length, stop if end else -1, error, error_at)


def _head_error(data: bytes, line_end: int, stop: int, *, whole: bool, more: bool) -> tuple[ParseError, int]:
    """Say what is wrong with the shape of a head and where; (NONE, -1) when nothing is."""
    odd = NO_HEADER.search(data, line_end, stop) if line_end >= 0 else None
    if odd:
        return ParseError.BAD_VALUE, odd.start() + 1
    if not whole:
        return (ParseError.TOO_LONG if more or len(data) >= HEAD_BYTES else ParseError.CUT), len(data)
    return ParseError.NONE, -1


def _status(line: bytes) -> int:
    """Read the code of a status line (RFC 9112 §4), 0 when it has none."""
    parts = line.split(None, 2)
    return int(parts[1]) if len(parts) > 1 and len(parts[1]) == 3 and parts[1].isdigit() else 0


def _request(line: bytes, *, whole: bool) -> tuple[bytes, bytes, bool] | None:
    """Read a request line (RFC 9112 §3); None when it is none.

    Returns:
        Method, target, and whether the line is a whole request of the time before versions (HTTP/0.9).
    """
    method, space, rest = line.partition(b" ")
    if not space or not METHOD.match(method):
        return None
    target, _, version = rest.rpartition(b" ")
    if version[:5].upper() == b"HTTP/":
        return method, target.strip(), False
    if method.upper() not in METHODS or OTHER_PROTOCOL.match(version):
        return None
    target = rest.strip()
    named = target.startswith(b"/") or target == b"*" or b"://" in target or method.upper() == b"CONNECT"
    return (method, target, whole) if named or not (whole or target) else None


def _authority(method: bytes, target: bytes) -> bytes:
    """Take the host out of an absolute URI or of the target of CONNECT (RFC 9112 §3.2.2, §3.2.3)."""
    if method.upper() == b"CONNECT":
        return target.lower()
    match = ABSOLUTE.match(target)
    return match[1].lower() if match else b""
