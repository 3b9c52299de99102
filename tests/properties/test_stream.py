"""A capture fed in pieces gives the frames, notes and errors of the whole, however it is cut, damaged or compressed."""

import bz2
import gzip
import lzma
from itertools import pairwise

import attrs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.capture import open_capture
from netinterf.capture.stream import CaptureStream, PacketStream
from netinterf.errors import CaptureError
from netinterf.schema import Records
from tests.oracles import containers as c

ORDERS = st.sampled_from("<>")
FRAMES = st.lists(st.tuples(st.integers(0, (1 << 32) - 1), st.binary(max_size=90)), max_size=12)
COMPRESSIONS = st.sampled_from([bytes, gzip.compress, bz2.compress, lzma.compress])


@st.composite
def pcaps(draw):
    """Draw a classic capture."""
    order = draw(ORDERS)
    records = [c.pcap_record(order, second, 1, frame) for second, frame in draw(FRAMES)]
    return c.pcap_header(order) + b"".join(records)


@st.composite
def pcapngs(draw):
    """Draw sections of different byte order, with packet blocks of all kinds."""
    data = b""
    for order in draw(st.lists(ORDERS, min_size=1, max_size=4)):
        data += c.section(order) + c.interface(order)
        for ticks, frame in draw(FRAMES):
            kind = draw(st.sampled_from([2, 3, 6]))
            data += (
                c.simple(order, frame) if kind == 3 else (c.enhanced if kind == 6 else c.obsolete)(order, ticks, frame)
            )
    return data


@st.composite
def damaged(draw):
    """Draw a capture that may be cut off, may hold a wrong byte, and may be compressed before or after that."""
    data = bytearray(draw(st.one_of(pcaps(), pcapngs())))
    early, late = draw(st.sampled_from([(bytes, bytes), (gzip.compress, bytes), (bytes, gzip.compress)]))
    if draw(st.booleans()):
        early = draw(COMPRESSIONS)
    data = bytearray(early(bytes(data)))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    if data and draw(st.booleans()):
        data[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))
    return late(bytes(data))


def whole(data):
    """List what a capture holds, or why it cannot be read."""
    try:
        capture = open_capture(data)
    except CaptureError as error:
        return type(error), error.reason, error.offset
    rows = capture.records
    frames = [capture.buffer[at : at + size].tobytes() for at, size in zip(rows.at, rows.captured, strict=True)]
    return columns(rows), frames, capture.interfaces, capture.diagnostics


def columns(rows):
    """Turn records into lists."""
    return [getattr(rows, known.name).tolist() for known in Records.schema()]


def in_pieces(data, cuts, looks):
    """Feed a capture in pieces that end at *cuts*, and list frames after some of them."""
    stream, parts, frames = CaptureStream("bytes"), [], []

    def take(listed):
        """Keep frames at their place in the stream."""
        rows = listed.records
        frames.extend(listed.buffer[at : at + size].tobytes() for at, size in zip(rows.at, rows.captured, strict=True))
        parts.append(attrs.evolve(rows, at=rows.at + listed.before))

    try:
        ends = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        for place, (begin, end) in enumerate(pairwise(ends)):
            stream.feed(data[begin:end])
            if looks >> place & 1:
                take(stream.frames())
        take(stream.close())
    except CaptureError as error:
        return type(error), error.reason, error.offset
    return columns(Records.concat(parts)), frames, stream.interfaces, stream.diagnostics


@given(damaged(), st.lists(st.integers(0, 10**6), max_size=20), st.integers(0, (1 << 21) - 1))
def test_any_pieces_give_the_whole(data, cuts, looks):
    """Frames, numbers, offsets, interfaces, notes and errors do not depend on where a capture is cut into pieces."""
    assert whole(data) == in_pieces(data, cuts, looks)


@given(st.one_of(pcaps(), pcapngs()))
def test_single_bytes_give_the_whole(data):
    """A capture that is fed and looked at byte by byte is the same capture."""
    assert whole(data) == in_pieces(data, range(len(data)), (1 << len(data)) - 1)


@given(st.lists(st.tuples(st.sampled_from([1, 101]), FRAMES), max_size=6), st.integers(0, 63))
def test_packets_in_lots_are_numbered_through(lots, looks):
    """Frames that are fed in lots are numbered through, and each link type is one interface."""
    stream, parts, found = PacketStream(), [], []
    for place, (link_type, rows) in enumerate(lots):
        stream.feed([time for time, _ in rows], [frame for _, frame in rows], link_type)
        if looks >> place & 1 or place + 1 == len(lots):
            listed = stream.frames()
            r = listed.records
            found += [listed.buffer[at : at + size].tobytes() for at, size in zip(r.at, r.captured, strict=True)]
            parts.append(r)
    rows = Records.concat(parts)
    assert [frame for _, frames in lots for _, frame in frames] == found
    assert np.array_equal(np.arange(1, len(rows) + 1), rows.frame)
    kinds = [stream.interfaces[place].link_type for place in rows.interface]
    assert [link_type for link_type, frames in lots for _ in frames] == kinds
