"""Captures written down as payload pieces, and slow twins of everything that reads stream heads."""

from itertools import pairwise

import attrs
import numpy as np

from netinterf.schema import Flows, Hosts, Packets, SegmentKind, Sides
from netinterf.table import Ragged

SYN, RST, PSH = 2, 4, 8


@attrs.frozen
class Piece:
    """One TCP packet with payload: on which side, at which stream offset, with which bytes."""

    side: int
    offset: int
    data: bytes
    captured: int | None = None  # payload bytes that the capture holds
    flags: int = 0


@attrs.frozen(eq=False)
class Written:
    """The tables that head_segments and read_messages start from."""

    buffer: np.ndarray
    packets: Packets
    flows: Flows
    hosts: Hosts
    sides: Sides
    by_flow: Ragged


def zeros(table, count, **columns):
    """Make a table of zeros with some columns given."""
    filled = {f.name: np.zeros(count, f.dtype) for f in table.schema() if f.shape == "plain"}
    for name, values in columns.items():
        filled[name] = np.asarray(values).astype(filled[name].dtype)
    return table(**filled)


def written(pieces, sides=2, ports=(50000, 443), ip_header=0):
    """Write pieces into a buffer, in the order given, behind a TCP header of 20 bytes and perhaps an IP header."""
    chunks, at = [], []
    place, headers = 0, 20 + ip_header
    for piece in pieces:
        stored = piece.data if piece.captured is None else piece.data[: piece.captured]
        at.append(place)
        chunks.append(b"\xee" * headers + stored)
        place += headers + len(stored)
    count, side = len(pieces), np.array([piece.side for piece in pieces], np.int64)
    flow = side // 2
    packets = zeros(
        Packets,
        count,
        frame=np.arange(1, count + 1),
        time=np.arange(count),
        at=np.array(at, np.int64),
        captured=[len(chunk) for chunk in chunks],
        protocol=np.full(count, 6),
        payload_at=np.full(count, headers),
        payload_length=[len(piece.data) for piece in pieces],
        tcp_flags=[piece.flags for piece in pieces],
        flow=flow,
        outbound=side % 2 == 0,
        relative_seq=[piece.offset + 1 - bool(piece.flags & SYN) for piece in pieces],
    )
    flows = zeros(
        Flows,
        sides // 2,
        protocol=np.full(sides // 2, 6),
        client_port=np.full(sides // 2, ports[0]),
        server_port=np.full(sides // 2, ports[1]),
    )
    by_flow = Ragged.of([np.flatnonzero(flow == number) for number in range(sides // 2)], np.int32)
    buffer = np.frombuffer(b"".join(chunks) + b"\0", np.uint8)
    return Written(buffer, packets, flows, zeros(Hosts, 1), zeros(Sides, sides), by_flow)


def split(data, places, side=0, start=0):
    """Cut one stream into pieces at *places*."""
    cuts = [0, *sorted({place for place in places if 0 < place < len(data)}), len(data)]
    return [Piece(side, start + a, data[a:b]) for a, b in pairwise(cuts)]


def naive_segments(pieces, limit):
    """Cut pieces byte by byte: a map from place to owner, runs of one owner, and a comparison of each run."""
    rows = []
    for side in sorted({piece.side for piece in pieces}):
        owner, value, highest = {}, {}, 0
        for packet, piece in enumerate(pieces):
            if piece.side != side or piece.flags & RST or piece.offset >= limit:
                continue
            end = piece.offset + len(piece.data)
            probe = len(piece.data) == 1 and piece.offset + 1 == highest
            highest = max(highest, end)
            stored = piece.data if piece.captured is None else piece.data[: piece.captured]
            if probe:
                continue
            run = []
            for skip, byte in enumerate(stored):
                place = piece.offset + skip
                if not 0 <= place < limit:
                    continue
                holder = owner.get(place)
                if run and run[-1][0] != holder:
                    rows.append(_row(side, packet, run))
                    run = []
                run.append((holder, place, skip, holder is None or value[place] == byte))
                if holder is None:
                    owner[place], value[place] = packet, byte
            if run:
                rows.append(_row(side, packet, run))
    return sorted(rows, key=lambda row: (row[0], row[2], row[5] != SegmentKind.FRESH, row[1]))


def _row(side, packet, run):
    holder, place, skip, _ = run[0]
    if holder is None:
        kind = SegmentKind.FRESH
    else:
        kind = SegmentKind.REPEAT if all(same for *_, same in run) else SegmentKind.CONFLICT
    return (side, packet, place, len(run), skip, int(kind))


def naive_stream(pieces, side, limit):
    """Put the first-arrived bytes of a side together up to the first hole."""
    known = {}
    for s, packet, offset, length, skip, kind in naive_segments(pieces, limit):
        if s == side and kind == SegmentKind.FRESH:
            known.update({offset + i: pieces[packet].data[skip + i] for i in range(length)})
    out = bytearray()
    while len(out) in known:
        out.append(known[len(out)])
    return bytes(out)
