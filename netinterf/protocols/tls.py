"""TLS handshakes in the clear: hellos with their names and versions, certificates up to TLS 1.2, alerts.

The name in a ClientHello is what most censors look for, and the certificate is what an intercepting proxy has to
change. Record and message framing is `tls_records`, the bodies of hellos are `tls_hello`; here the rows of `Tls` are
put together.
"""

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.pieces import gather
from netinterf.protocols.streams import Streams, words
from netinterf.protocols.tls_hello import Hellos, Walk, read_hellos
from netinterf.protocols.tls_records import (
    ALERT,
    HANDSHAKE,
    Fragments,
    Messages,
    find_messages,
    read_records,
    unfinished,
)
from netinterf.schema import ParseError, Tls, TlsKind
from netinterf.table import Ragged, Text

__all__ = ["begins_hello", "begins_tls", "parse_tls", "unfinished"]

CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, CERTIFICATE_STATUS = 1, 2, 11, 22  # RFC 8446 §4, RFC 5246 §7.4, RFC 6066 §8
KINDS = {
    CLIENT_HELLO: TlsKind.CLIENT_HELLO,
    SERVER_HELLO: TlsKind.SERVER_HELLO,
    CERTIFICATE: TlsKind.CERTIFICATE,
    CERTIFICATE_STATUS: TlsKind.CERTIFICATE_STATUS,
}
"""Handshake types that are read, and what their rows are called."""

OCSP = 1  # status_type of RFC 6066 §8


def begins_tls(streams: Streams) -> Mask:
    """Say which streams begin with a TLS record that is a handshake or an alert in the clear (RFC 8446 §5.1).

    Args:
        streams: At least the first 3 bytes of each stream; one that has fewer is judged by those.
    """
    lengths, first = streams.data.lengths, streams.data.offsets[:-1]
    begins = np.asarray(lengths > 0)
    checks = ((0, 0x15, 0x16), (1, 0x03, 0x03), (2, 0x00, 0x04))
    for place, low, high in checks:
        rows = np.flatnonzero(begins & (lengths > place))
        byte = streams.data.values[first[rows] + place]
        begins[rows] = (byte >= low) & (byte <= high)
    return begins


def begins_hello(buffer: U8, at: I64) -> Mask:
    """Say where a record that opens with a ClientHello or ServerHello begins.

    Stricter than `begins_tls`, for places inside a stream: handshakes follow on STARTTLS, SOCKS (RFC 1928) and
    HTTP CONNECT (RFC 9110 §9.3.6).

    Args:
        buffer: Bytes of the capture.
        at: Positions, each at least 10 bytes before the end of the buffer.
    """
    begins = np.asarray(buffer[at] == HANDSHAKE)
    checks = ((1, 3, 3), (2, 0, 4), (5, CLIENT_HELLO, SERVER_HELLO), (6, 0, 0), (9, 3, 3))
    for place, low, high in checks:  # record version 3.0 to 3.4; message type, length below 2^16, version 3.x
        rows = np.flatnonzero(begins)
        byte = buffer[at[rows] + place]
        begins[rows] = (byte >= low) & (byte <= high)
    return begins


def parse_tls(streams: Streams) -> Tls:
    """Read the TLS handshake messages and alerts that are in the clear.

    Args:
        streams: The first bytes of sides that may be TLS, from the first byte of the handshake on.

    Returns:
        Hellos, certificates and alerts by stream, then place. A stream that is no TLS gives no row; nothing that the
        bytes hold raises.
    """
    fragments = read_records(streams)
    messages = find_messages(streams, fragments)
    alerts = fragments.take((fragments.kind == ALERT) & (fragments.length > 0))
    wanted = np.isin(messages.kind, list(KINDS))
    picked = np.flatnonzero(wanted)
    stream = np.concatenate([messages.stream[picked], alerts.stream])
    base = streams.data.offsets[alerts.stream]
    first = np.concatenate([messages.first[picked], alerts.at - base])
    last = np.concatenate([messages.last[picked], alerts.at - base + alerts.length - 1])
    order = np.lexsort((first, stream))
    row_of = np.empty(len(order), np.int64)
    row_of[order] = np.arange(len(order))
    return _table(streams, messages, picked, alerts, stream[order], first[order], last[order], row_of)


def _table(
    streams: Streams,
    messages: Messages,
    picked: I64,
    alerts: Fragments,
    stream: I64,
    first: I64,
    last: I64,
    row_of: I64,
) -> Tls:
    """Fill the columns; *row_of* is the row of each picked message, then of each alert."""
    count = len(stream)
    kind, version, alert = np.zeros(count, np.uint8), np.zeros(count, np.uint16), np.zeros(count, np.uint16)
    record_version, length = np.zeros(count, np.uint16), np.zeros(count, np.uint32)
    error, error_at = np.zeros(count, np.uint8), np.full(count, -1, np.int32)

    row = row_of[: len(picked)]
    names = np.zeros(max(KINDS) + 1, np.uint8)
    names[list(KINDS)] = list(KINDS.values())
    kind[row] = names[messages.kind[picked]]
    record_version[row] = messages.version[picked]
    length[row] = np.maximum(messages.length[picked], 0)
    headless = messages.length[picked] < 0
    error[row[headless]] = ParseError.CUT
    error_at[row[headless]] = (messages.stop - messages.start)[picked[headless]]

    row = row_of[len(picked) :]
    kind[row], record_version[row], length[row] = TlsKind.ALERT, alerts.version, 2
    whole = alerts.length == 2
    alert[row[whole]] = words(streams.data.values, alerts.at[whole], 2)
    error[row[~whole]], error_at[row[~whole]] = ParseError.CUT, 1

    readable = ~headless & (messages.kind[picked] <= SERVER_HELLO)
    hellos, row = _hellos(messages, picked[readable]), row_of[: len(picked)][readable]
    version[row], error[row], error_at[row] = hellos.version, hellos.error, hellos.error_at
    ech, cipher = np.zeros(count, np.bool_), np.zeros(count, np.uint16)
    ech[row], cipher[row] = hellos.ech, hellos.cipher
    has_certificates = ~headless & (messages.kind[picked] == CERTIFICATE)
    leaves, chain, walk = _certificates(messages, picked[has_certificates])
    leaf_row = row_of[: len(picked)][has_certificates]
    error[leaf_row], error_at[leaf_row] = walk.error, walk.error_at
    has_status = ~headless & (messages.kind[picked] == CERTIFICATE_STATUS)
    stapled, walk = _stapled(messages, picked[has_status])
    stapled_row = row_of[: len(picked)][has_status]
    error[stapled_row], error_at[stapled_row] = walk.error, walk.error_at
    followed = np.zeros(count, np.bool_)
    followed[row_of[: len(picked)]] = _followed(messages)[picked]
    return Tls(
        packet=streams.packet_at(stream, first),
        last_packet=streams.packet_at(stream, last),
        flow=streams.flow[stream],
        outbound=streams.outbound[stream],
        kind=kind,
        record_version=record_version,
        version=version,
        length=length,
        name=Text(*_spread(hellos.name, row, count)),
        alpn=Text(*_spread(hellos.alpn, row, count)),
        ech=ech,
        versions=Ragged(*_spread(hellos.versions, row, count)),
        cipher=cipher,
        extensions=Ragged(*_spread(hellos.extensions, row, count)),
        ja4=Text(*_spread(hellos.ja4, row, count)),
        alert=alert,
        certificates=Text(*_spread(leaves, leaf_row, count)),
        chain=Text(*_spread(chain, leaf_row, count)),
        stapled=Text(*_spread(stapled, stapled_row, count)),
        followed=followed,
        error=error,
        error_at=error_at,
    )


def _spread(some: Ragged, rows: I64, count: int) -> tuple[I64, U8]:
    """Lay rows out among *count* rows, the others empty; *rows* ascends, so the values stay as they are."""
    lengths = np.zeros(count, np.int64)
    lengths[rows] = some.lengths
    return np.concatenate([[0], np.cumsum(lengths)]), some.values


def _hellos(messages: Messages, rows: I64) -> Hellos:
    client = messages.kind[rows] == CLIENT_HELLO
    return read_hellos(messages.data, messages.start[rows], messages.stop[rows], messages.length[rows], client)


def _followed(messages: Messages) -> Mask:
    """Say behind which messages the type of another one of the same stream was seen."""
    followed = np.zeros(len(messages.stream), np.bool_)
    followed[:-1] = messages.stream[1:] == messages.stream[:-1]
    return followed


def _certificates(messages: Messages, rows: I64) -> tuple[Text, Text, Walk]:
    """Take the first certificate of each Certificate message (RFC 5246 §7.4.2), and the list of those behind it.

    A first certificate that is not whole is left out; the list behind it goes as far as its bytes do.
    """
    start, stop = messages.start[rows], messages.stop[rows]
    walk = Walk(messages.data, start, start + 4, stop, start + 4 + messages.length[rows])
    every = walk.having(np.arange(len(rows)), 3)
    end = walk.at[every] + 3 + words(walk.data, walk.at[every], 3)
    beyond, before = end > walk.bound[every], end < walk.bound[every]
    walk.fail(every[beyond], ParseError.BAD_LENGTH, walk.at[every[beyond]])
    listed = walk.bound.copy()
    listed[every] = np.minimum(end, walk.bound[every])
    walk.at[every] += 3
    filled = walk.having(every[walk.at[every] < listed[every]], 3)
    sizes = np.zeros(len(rows), np.int64)
    sizes[filled] = words(walk.data, walk.at[filled], 3)
    walk.at[filled] += 3
    filled = walk.having(filled, sizes[filled])
    lengths, behind = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    lengths[filled] = sizes[filled]
    after = walk.at + lengths
    behind[filled] = np.maximum(np.minimum(listed, stop)[filled] - after[filled], 0)
    cut = np.flatnonzero(stop < walk.bound)
    walk.fail(cut, ParseError.CUT, stop[cut])
    walk.fail(every[before], ParseError.TRAILING, end[before])
    leaves = Text.from_lengths(lengths, gather(messages.data, walk.at[filled], sizes[filled]))
    return leaves, Text.from_lengths(behind, gather(messages.data, after[filled], behind[filled])), walk


def _stapled(messages: Messages, rows: I64) -> tuple[Text, Walk]:
    """Take the OCSP response of each CertificateStatus message (RFC 6066 §8); one that is not whole is left out."""
    start, stop = messages.start[rows], messages.stop[rows]
    walk = Walk(messages.data, start, start + 4, stop, start + 4 + messages.length[rows])
    whole = walk.having(np.arange(len(rows)), 4)
    other = whole[walk.data[walk.at[whole]] != OCSP]
    walk.fail(other, ParseError.BAD_VALUE, walk.at[other])
    whole = whole[walk.data[walk.at[whole]] == OCSP]
    sizes = words(walk.data, walk.at[whole] + 1, 3)
    walk.at[whole] += 4
    fit = walk.fits(whole, sizes)
    whole, sizes = whole[fit], sizes[fit]
    lengths = np.zeros(len(rows), np.int64)
    lengths[whole] = sizes
    return Text.from_lengths(lengths, gather(messages.data, walk.at[whole], sizes)), walk
