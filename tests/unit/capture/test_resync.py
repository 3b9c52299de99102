"""Behind a damaged header, records are found again: what is lost is bounded, named, and the same however bytes come."""

from itertools import accumulate, pairwise
from struct import pack

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.capture import open_capture
from netinterf.capture.resync import MOST_GAPS, ROOM
from netinterf.capture.stream import CaptureStream
from netinterf.errors import DamagedCapture
from netinterf.schema import Records
from tests.oracles import containers as c

SECOND = 1_700_000_000
HEADER = {"pcap": 16, "pcapng": 8}


def capture_of(kind, order, sizes, seed):
    """Write frames of random bytes: what stands before the records, and the records."""
    draw = np.random.default_rng(seed)
    frames = [draw.bytes(size) for size in sizes]
    if kind == "pcap":
        records = [c.pcap_record(order, SECOND + place, place, frame) for place, frame in enumerate(frames)]
        return c.pcap_header(order), records
    records = [c.enhanced(order, SECOND * 10**6 + place, frame) for place, frame in enumerate(frames)]
    return c.section(order) + c.interface(order), records


def listed(capture):
    """List times and bytes of frames."""
    rows = capture.records
    places = zip(rows.time.tolist(), rows.at.tolist(), rows.captured.tolist(), strict=True)
    return [(time, capture.buffer[at : at + size].tobytes()) for time, at, size in places]


def in_pieces(data, cuts):
    """List what a stream gives whose frames are asked for after every piece."""
    stream, parts = CaptureStream("bytes"), []
    for begin, end in pairwise([0, *sorted(cuts), len(data)]):
        stream.feed(data[begin:end])
        got = stream.frames()
        parts.append(attrs.evolve(got.records, at=got.records.at + got.before))
    got = stream.close()
    parts.append(attrs.evolve(got.records, at=got.records.at + got.before))
    rows = Records.concat(parts)
    return [getattr(rows, known.name).tolist() for known in Records.schema()], stream.diagnostics


@given(
    st.sampled_from(["pcap", "pcapng"]),
    st.sampled_from("<>"),
    st.lists(st.integers(1, 300), min_size=8, max_size=40),
    st.integers(0, 1000),
    st.data(),
)
@settings(max_examples=150)
def test_one_damaged_header_costs_little(kind, order, sizes, seed, data):
    """Frames before the damage and, a few behind it, all others are those of the capture as it was."""
    head, records = capture_of(kind, order, sizes, seed)
    place = data.draw(st.integers(1, len(records) - 5))
    hurt = data.draw(st.binary(min_size=HEADER[kind], max_size=HEADER[kind]))
    starts = list(accumulate(map(len, records), initial=len(head)))
    whole = head + b"".join(records)
    damaged = whole[: starts[place]] + hurt + whole[starts[place] + len(hurt) :]
    before, found = listed(open_capture(whole)), listed(open_capture(damaged))
    assert found[:place] == before[:place]
    assert found[-4:] == before[-4:]
    assert len([frame for frame in before if frame not in found]) <= 2
    cuts = data.draw(st.lists(st.integers(0, len(damaged)), max_size=12))
    rows = open_capture(damaged).records
    once = [getattr(rows, known.name).tolist() for known in Records.schema()], open_capture(damaged).diagnostics
    assert in_pieces(damaged, cuts) == once


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_length_that_swallows_others_is_found_out(kind):
    """A header whose length leads over many records and into one of them costs its own frame, not those."""
    head, records = capture_of(kind, "<", [60] * 200, 1)
    if kind == "pcap":
        hurt = pack("<IIII", SECOND, 77, 5001, 60) + records[50][16:]
    else:
        hurt = pack("<II", 6, 5004) + records[50][8:]
    damaged = open_capture(head + b"".join([*records[:50], hurt, *records[51:]]))
    whole = listed(open_capture(head + b"".join(records)))
    assert listed(damaged) == whole[:50] + whole[51:]
    (note,) = damaged.diagnostics
    assert note.code == "capture.damaged"
    assert note.offset == len(head) + sum(map(len, records[:50]))
    assert f"{len(records[50])} bytes were skipped" in note.message
    with pytest.raises(DamagedCapture, match="skipped"):
        open_capture(head + b"".join([*records[:50], hurt, *records[51:]]), strict=True)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_stream_goes_on_behind_damage(kind):
    """Who listens hears the next records as soon as four of them have come, and what was skipped is told at once."""
    head, records = capture_of(kind, "<", [90] * 20, 2)
    stream = CaptureStream("bytes")
    stream.feed(head + b"".join(records[:5]) + b"\xff" * 16 + records[5][16:])
    assert len(stream.frames().records) == 5
    stream.feed(b"".join(records[6:10]))
    assert len(stream.frames().records) == 4
    (note,) = stream.diagnostics
    assert f"{len(records[5])} bytes were skipped" in note.message
    stream.feed(records[10])
    assert len(stream.frames().records) == 1


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_what_looks_wrong_in_a_sound_capture_stays(kind):
    """Captures made by hand hold times, lengths and empty frames that no recorder writes: none of them is damage."""
    odd = [(0, 0, 60, 0), (4_000_000_000, 0, 60, 60), (5, 999_999_999, 60, 10), (7, 3, 0, 0), (9, 1, 60, 1 << 31)]
    draw = np.random.default_rng(3)
    if kind == "pcap":
        data = c.pcap_header() + b"".join(
            pack("<IIII", second, fraction, size, length) + draw.bytes(size) for second, fraction, size, length in odd
        )
    else:
        data = c.section("<") + c.interface("<")
        data += b"".join(c.enhanced("<", second, draw.bytes(size), length) for second, _, size, length in odd)
    capture = open_capture(data)
    assert len(capture.records) == len(odd)
    assert capture.diagnostics == ()


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_noise_holds_nothing_and_little(kind):
    """Behind damage a stream without records is let go as it comes: what is held stays below what a trail may span."""
    head, records = capture_of(kind, "<", [90] * 5, 4)
    stream, draw = CaptureStream("bytes"), np.random.default_rng(5)
    stream.feed(head + b"".join(records))
    for _ in range(80):
        stream.feed(draw.bytes(1 << 16))
        stream.frames()
        assert len(stream._waiting) <= 2 << 20
    stream.feed(b"".join(records))
    assert len(stream.frames().records) + len(stream.close().records) == 5


def test_many_gaps_are_summed_up_and_bounded():
    """The first gaps are told one by one, further ones together; too many end the reading, and say so."""
    head, records = capture_of("pcap", "<", [8] * 60_000, 6)
    some, all_of_them = list(records), list(records)
    for place in range(100, 1000, 10):
        some[place] = b"\xff" * 16 + some[place][16:]
    for place in range(5, 60_000, 10):
        all_of_them[place] = b"\xff" * 16 + all_of_them[place][16:]
    notes = open_capture(head + b"".join(some)).diagnostics
    assert [note.count for note in notes] == [1] * 8 + [82]
    assert f"{82 * 24:,} bytes" in notes[-1].message
    capture = open_capture(head + b"".join(all_of_them))
    last = capture.diagnostics[-1]
    assert f"more than {MOST_GAPS + last.offset // ROOM:,} places are damaged" in last.message
    assert len(capture.records) >= 9 * MOST_GAPS
