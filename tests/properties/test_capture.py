"""What is written is read back, in every byte order, resolution and container; any bytes are survived."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import RawPcapNgReader

from netinterf.capture import Interface, from_memory, open_capture, write_pcap, write_pcapng, write_records
from netinterf.errors import CaptureError, ParameterError
from tests.oracles import containers as c

FRAMES = st.lists(
    st.tuples(st.integers(0, (1 << 32) * 10**9 - 1), st.binary(max_size=120), st.integers(0, 5000)), max_size=30
)
ORDERS = st.sampled_from("<>")


def frames_of(capture):
    """Cut the frames out of a capture."""
    rows = capture.records
    return [capture.buffer[at : at + size].tobytes() for at, size in zip(rows.at, rows.captured, strict=True)]


@given(FRAMES, st.booleans(), st.booleans(), st.integers(0, 0xFFFF))
def test_written_pcap_reads_back(rows, nanoseconds, big_endian, link_type):
    """Times (to the unit written), frames and lengths survive a round trip."""
    times, frames = [row[0] for row in rows], [row[1] for row in rows]
    lengths = [len(row[1]) + row[2] for row in rows]
    file = io.BytesIO()
    write_pcap(file, times, frames, link_type, nanoseconds=nanoseconds, lengths=lengths, big_endian=big_endian)
    capture = open_capture(file.getvalue(), strict=True)
    unit = 1 if nanoseconds else 1000
    assert [time // unit * unit for time in times] == capture.records.time.tolist()
    assert lengths == capture.records.length.tolist()
    assert frames == frames_of(capture)
    assert link_type == capture.interfaces[0].link_type


@given(FRAMES, st.randoms())
def test_extracted_records_read_back(rows, order):
    """Any selection of a capture's frames can be written as a capture of its own."""
    file, part = io.BytesIO(), io.BytesIO()
    write_pcap(file, [row[0] for row in rows], [row[1] for row in rows], 1)
    whole = open_capture(file.getvalue())
    index = list(range(len(rows)))
    order.shuffle(index)
    keep = np.array(index[: len(index) // 2], np.int64)
    r = whole.records.take(keep)
    write_records(part, whole.buffer, r.at, r.captured, r.length, r.time, 1)
    again = open_capture(part.getvalue())
    assert r.time.tolist() == again.records.time.tolist()
    assert [rows[place][1] for place in keep] == frames_of(again)


@given(
    st.lists(
        st.tuples(
            ORDERS,
            st.integers(0, 255),
            st.integers(-(10**9), 10**9),
            st.lists(st.tuples(st.integers(0, (1 << 64) - 1), st.binary(max_size=50), st.sampled_from([2, 3, 6]))),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_pcapng_equals_the_slow_reader(sections):
    """Any sections, resolutions, offsets and kinds of packet block are read like the slow reader reads them."""
    data = b""
    for order, resolution, offset, packets in sections:
        data += c.section(order) + c.interface(order, resolution=resolution, offset=offset)
        for ticks, frame, kind in packets:
            if kind == 3:
                data += c.simple(order, frame)
            else:
                data += (c.enhanced if kind == 6 else c.obsolete)(order, ticks, frame)
    expected, capture = c.read_pcapng(data), open_capture(data, strict=True)
    rows = capture.records
    assert [(f.number, f.at, f.captured, f.length, f.interface) for f in expected] == list(
        zip(*(v.tolist() for v in (rows.frame, rows.at, rows.captured, rows.length, rows.interface)), strict=True)
    )
    limit = 9_200_000_000 * 10**9
    assert all(f.time == time for f, time in zip(expected, rows.time.tolist(), strict=True) if abs(f.time) < limit)


MAGICS = st.sampled_from([b"", c.pcap_header(), c.pcap_header(">"), c.section("<"), c.section(">"), b"\x1f\x8b\x08"])


@given(MAGICS, st.binary(max_size=400))
def test_any_bytes_are_survived(head, tail):
    """Arbitrary bytes open or raise a capture error, and rows never leave the buffer."""
    try:
        capture = open_capture(head + tail)
    except CaptureError:
        return
    assert (capture.records.at + capture.records.captured <= len(capture.buffer)).all()


@given(FRAMES, st.lists(st.sampled_from([1, 101, 113]), min_size=1, max_size=3), st.data())
def test_written_pcapng_reads_back(rows, kinds, data):
    """Frames of several interfaces, with names and nanoseconds, survive a round trip."""
    faces = [Interface(kind, 0, 10**9, name) for kind, name in zip(kinds, ("eth0", "", "wlän"), strict=False)]
    whole = from_memory([row[0] for row in rows], [row[1] for row in rows], 1)
    of = np.array([data.draw(st.integers(0, len(kinds) - 1)) for _ in rows], np.int64)
    lengths = [len(row[1]) + row[2] for row in rows]
    comments = data.draw(st.dictionaries(st.integers(0, len(rows) - 1), st.text(max_size=9))) if rows else {}
    r, file = whole.records, io.BytesIO()
    write_pcapng(file, whole.buffer, r.at, r.captured, lengths, r.time, of, faces, comments)
    again = open_capture(file.getvalue(), strict=True)
    shown = [about.comments for _, about in RawPcapNgReader(io.BytesIO(file.getvalue()))]
    said = {row: [text.encode("utf-8", "replace")] for row, text in comments.items()}
    assert [remarks or None for remarks in shown] == [said.get(row) for row in range(len(rows))]
    assert again.records.time.tolist() == r.time.tolist()
    assert again.records.length.tolist() == lengths
    assert frames_of(again) == [row[1] for row in rows]
    assert [again.interfaces[place] for place in again.records.interface] == [faces[place] for place in of]


def test_pcapng_refuses_what_it_cannot_hold():
    """Interfaces that are not there, and columns of unequal length."""
    whole = from_memory([1], [b"x"], 1)
    r = whole.records
    for interface in ([1], [0, 0], [-1]):
        with pytest.raises(ParameterError, match="interface"):
            write_pcapng(
                io.BytesIO(), whole.buffer, r.at, r.captured, r.length, r.time, interface, [Interface(1, 0, 9)]
            )
