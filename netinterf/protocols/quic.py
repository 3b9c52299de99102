"""QUIC conversations: the version that the client asks for, and the names in the ClientHello of its Initials.

A hello may take several Initials, and browsers cut it into pieces that arrive in any order, so the CRYPTO frames of the
client's first datagrams are put together by their offsets before the hello is read.
"""

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.protocols.quic_initial import SALTS, V2, Crypto, read_initial
from netinterf.protocols.streams import words
from netinterf.protocols.tls_hello import read_hellos, spread
from netinterf.schema import Mark, Packets, ParseError, Quic
from netinterf.table import Ragged

__all__ = ["parse_quic"]

UDP = 17

MOST_INITIALS = 4
"""Initials of a client that are opened at most: hellos with post-quantum keys take two, and a lost one is repeated."""

HEADER = 4
"""Bytes of a hello's type and length (RFC 8446 §4)."""

LEAST = 20
"""Bytes of the shortest long header with a connection id of eight bytes (RFC 9000 §7.2), a token and a length."""


def parse_quic(buffer: U8, packets: Packets) -> Quic:
    """Read the client's side of QUIC handshakes.

    Args:
        buffer: Bytes of the capture.
        packets: All packets.

    Returns:
        One row for each flow whose client sent an Initial of a known version, by flow.
    """
    row = np.flatnonzero((packets.protocol == UDP) & packets.outbound & (packets.payload_length >= LEAST))
    row = row[(packets.flow[row] >= 0) & (packets.payload_captured[row] >= LEAST)]
    row = row[packets.marks[row] & Mark.DUPLICATE_FRAME == 0]
    row = row[is_initial(buffer, packets.payload_start[row])] if len(row) else row
    if not len(row):
        return Quic.empty()
    order = np.argsort(packets.flow[row], kind="stable")
    row = row[order]
    flow, first, count = np.unique(packets.flow[row], return_index=True, return_counts=True)
    version = words(buffer, packets.payload_start[row[first]] + 1, 4)
    hellos = read_initials(buffer, packets, row, first, count)
    whole = Ragged.of([np.frombuffer(hello, np.uint8) for hello in hellos], np.uint8)
    readable = np.flatnonzero(whole.lengths >= HEADER)
    begin, end = whole.offsets[:-1][readable], whole.offsets[1:][readable]
    length = words(whole.values, begin + 1, 3)
    read = read_hellos(whole.values, begin, end, length, np.ones(len(readable), np.bool_), "q")
    error = np.full(len(flow), ParseError.CUT, np.uint8)
    error[readable] = read.error
    ech = np.zeros(len(flow), np.bool_)
    ech[readable] = read.ech
    return Quic(
        packet=row[first].astype(np.int32),
        flow=flow.astype(np.int32),
        version=version.astype(np.uint32),
        initials=count.astype(np.uint32),
        name=spread(read.name, readable, len(flow)),
        alpn=spread(read.alpn, readable, len(flow)),
        ech=ech,
        ja4=spread(read.ja4, readable, len(flow)),
        error=error,
    )


def is_initial(buffer: U8, start: I64) -> Mask:
    """Say which payloads begin with the header of an Initial of a known version (RFC 9000 §17.2, RFC 9369 §3.2)."""
    head, version = buffer[start], words(buffer, start + 1, 4)
    kind = np.where(version == V2, 0xD0, 0xC0)
    initial: Mask = (head & 0xF0 == kind) & np.isin(version, list(SALTS))
    return initial


def read_initials(buffer: U8, packets: Packets, row: I64, first: I64, count: I64) -> list[bytes]:
    """Open the first Initials of each conversation, and give the hello of each as far as it was put together."""
    start, size = packets.payload_start[row], packets.payload_captured[row]
    begin, end = start.tolist(), (start + size).tolist()
    hellos = []
    for place, number in zip(first.tolist(), np.minimum(count, MOST_INITIALS).tolist(), strict=True):
        frames: list[Crypto] = []
        hello = b""
        for packet in range(place, place + number):
            frames += read_initial(buffer[begin[packet] : end[packet]].tobytes())[1]
            hello = reassemble(frames)
            if len(hello) >= HEADER + int.from_bytes(hello[1:HEADER], "big") > HEADER:  # what follows repeats it
                break
        hellos.append(hello)
    return hellos


def reassemble(frames: list[Crypto]) -> bytes:
    """Join CRYPTO frames from offset 0 up to the first hole."""
    whole = b""
    for offset, piece in sorted(frames):
        if offset > len(whole):
            break
        whole += piece[len(whole) - offset :]
    return whole
