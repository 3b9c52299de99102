"""Behind a damaged header, records are found again: what is lost is bounded, named, and the same however bytes come."""

from itertools import accumulate, pairwise, product
from struct import pack

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.capture import open_capture
from netinterf.capture.resync import MOST_GAPS, ROOM
from netinterf.capture.rotated import RotatedStream
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
    st.lists(st.integers(16, 300), min_size=8, max_size=40),
    st.integers(0, 1000),
    st.data(),
)
@settings(max_examples=150)
def test_one_damaged_header_costs_little(kind, order, sizes, seed, data):
    """Frames before the damage and, a few behind it, all others are those of the capture as it was.

    Frames are longer than a header: a header of zeros leads into one that is shorter, and, a few bytes off, the next
    header may look right and lead to the end.
    """
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
def test_what_damage_took_is_a_gap_in_time(kind):
    """Of files and streams alike, it lasts from the last frame before the damage to the first one behind it."""
    head, records = capture_of(kind, "<", [90] * 40, 4)
    for place in (10, 11, 30):  # the first two are one gap
        records[place] = b"\xff" * 16 + records[place][16:]
    data = head + b"".join(records)
    assert open_capture(head + b"".join(records[:10])).gaps == ()
    capture, stream = open_capture(data), RotatedStream("bytes")
    for at in range(0, len(data), 700):
        for _ in stream.feeding(data[at : at + 700]):
            stream.frames()
    stream.close()
    time = capture.records.time.tolist()
    assert [(gap.began, gap.ended, gap.after) for gap in capture.gaps] == [
        (time[9], time[10], 1),
        (time[27], time[28], 1),
    ]
    assert stream.gaps == capture.gaps
    assert [note.code for note in capture.diagnostics] == ["capture.damaged"] * 2


def test_a_description_that_was_damaged_takes_no_frame():
    """What is said of an interface is no packet: silence around it means what it meant."""
    head, records = capture_of("pcapng", "<", [90] * 10, 5)
    hurt = c.interface("<")[:4] + b"\xff" * 4 + c.interface("<")[8:]
    capture = open_capture(head + b"".join([*records[:5], hurt, *records[5:]]))
    assert len(capture.records) == 10
    assert capture.diagnostics
    assert capture.gaps == ()


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


LENGTH, CLOSING = slice(4, 8), slice(-4, None)


@pytest.mark.parametrize("hurt", [LENGTH, CLOSING, slice(0, 8)])
@pytest.mark.parametrize("order", "<>")
def test_an_interface_whose_description_is_framed_wrongly_is_known(hurt, order):
    """The body of its block says what its packets are: none of them is lost, and times are right."""
    _, records = capture_of("pcapng", order, [90] * 6, 7)
    head, face = c.section(order), bytearray(c.interface(order, resolution=9, name="eth0"))
    whole = open_capture(head + bytes(face) + b"".join(records))
    face[hurt] = b"\xff" * len(face[hurt])
    damaged = open_capture(head + bytes(face) + b"".join(records))
    assert listed(damaged) == listed(whole)
    assert damaged.interfaces == whole.interfaces
    (note,) = damaged.diagnostics
    assert (note.code, note.offset) == ("capture.damaged", len(head))
    assert f"{len(face)} bytes were skipped" in note.message
    assert "known all the same" in note.message


def test_an_interface_that_cannot_be_known_keeps_its_number():
    """Packets of another interface are not read as if they were of the first: theirs are counted, where they begin."""
    lost = c.block("<", 1, b"\x01\x00\xff\xff" + bytes(8))[:-4] + b"\xff" * 4
    head = c.section("<") + lost + c.interface("<", link_type=101, resolution=9)
    packets = [c.enhanced("<", SECOND * 10**9, bytes(40), face=place % 2) for place in range(6)]
    capture = open_capture(head + b"".join(packets))
    assert capture.records.frame.tolist() == [2, 4, 6]
    assert {capture.interfaces[place].link_type for place in capture.records.interface} == {101}
    damage, missing = capture.diagnostics
    assert damage.message.endswith("the interface that they describe is not known")
    assert (missing.count, missing.offset) == (3, len(head))


@pytest.mark.parametrize(
    ("orders", "hurt"),
    [
        *product(["<<", "<>", "><"], [LENGTH, CLOSING, slice(0, 8)]),
        ("<<", slice(8, 12)),  # where the byte order changes, nothing else tells it
    ],
)
def test_behind_a_damaged_section_header_interfaces_are_those_of_its_section(orders, hurt):
    """They are numbered anew: packets are of the interface of their own section, and its clock."""
    (_, before), (_, after) = (capture_of("pcapng", order, [90] * 6, 8) for order in orders)
    one, other = c.section(orders[0]) + c.interface(orders[0], resolution=9), bytearray(c.section(orders[1]))
    tail = c.interface(orders[1], 101) + b"".join(after)
    whole = open_capture(one + b"".join(before) + bytes(other) + tail)
    other[hurt] = b"\xff" * len(other[hurt])
    damaged = open_capture(one + b"".join(before) + bytes(other) + tail)
    assert listed(damaged) == listed(whole)
    assert damaged.records.interface.tolist() == [0] * 6 + [1] * 6
    assert [note.offset for note in damaged.diagnostics] == [len(one + b"".join(before))]


@given(st.data())
@settings(max_examples=40)
def test_ten_damaged_places_are_the_same_however_bytes_come(data):
    """Frames, notes and interfaces of a stream of sections, statistics and packets are those of the whole file."""
    draw, blocks = np.random.default_rng(data.draw(st.integers(0, 10**6))), []
    for order in data.draw(st.lists(st.sampled_from("<>"), min_size=1, max_size=3)):
        blocks += [c.section(order), c.interface(order, resolution=9), c.statistics(order, 0, {7: len(blocks)})]
        blocks += [c.enhanced(order, SECOND * 10**9, draw.bytes(int(draw.integers(100)))) for _ in range(20)]
    starts = list(accumulate(map(len, blocks), initial=0))
    stream = bytearray(b"".join(blocks))
    for _ in range(10):
        at = starts[int(draw.integers(1, len(blocks)))] + int(draw.integers(0, 8))
        hurt = data.draw(st.sampled_from([b"\xff" * 4, draw.bytes(8), draw.bytes(16), b"\x00\x10\x00\x00"]))
        stream[at : at + len(hurt)] = hurt
    whole = open_capture(bytes(stream))
    found = whole.records
    assert [(row.number, row.at) for row in c.read_pcapng(bytes(stream))] == list(
        zip(found.frame.tolist(), found.at.tolist(), strict=True)
    )
    rows = [getattr(found, known.name).tolist() for known in Records.schema()]
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))
    assert in_pieces(bytes(stream), cuts) == (rows, whole.diagnostics)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("claimed", [100_000, 200_000])
def test_a_length_that_promises_more_than_comes_is_not_waited_for(kind, claimed):
    """What comes behind it is known as soon as anybody asks, and the stream goes on as if nobody had."""
    head, records = capture_of(kind, "<", [90] * 12, 9)
    if kind == "pcap":
        records[5] = pack("<IIII", SECOND, 5, claimed, 90 if claimed < 131_070 else claimed) + records[5][16:]
    else:
        records[5] = pack("<II", 6, claimed) + records[5][8:]
    stream = CaptureStream("bytes")
    stream.feed(head + b"".join(records))
    before = len(stream.frames().records)
    ended, batch = stream.ended()
    assert before + len(batch.records) == 11
    assert ended.diagnostics[0].offset == len(head) + sum(map(len, records[:5]))
    assert all(note.code == "capture.damaged" for note in ended.diagnostics)
    assert before + len(stream.close().records) == 11
    assert stream.diagnostics == ended.diagnostics


def test_a_header_missed_by_four_bytes_is_missed_once():
    """There one length stands where the other is sought: each record leads to the next, and all of them look wrong."""
    head, records = capture_of("pcap", "<", [300] * 2000, 10)
    size = sum(map(len, records[500:540])) + 4 - 16
    hurt = [*records[:500], pack("<IIII", SECOND, 5, size, 300) + records[500][16:], *records[501:]]
    damaged, whole = open_capture(head + b"".join(hurt)), open_capture(head + b"".join(records))
    assert listed(damaged) == listed(whole)[:500] + listed(whole)[501:]
    (note,) = damaged.diagnostics
    assert (note.offset, f"; {len(records[500])} bytes were skipped" in note.message) == (len(head) + 500 * 316, True)
    rows = [getattr(damaged.records, known.name).tolist() for known in Records.schema()]
    for step in (777, 100_000):
        assert in_pieces(head + b"".join(hurt), range(0, 2000 * 316, step)) == (rows, damaged.diagnostics)


def test_long_stretches_of_odd_records_are_believed_in_pieces_as_in_the_whole():
    """Records that look wrong, for longer than others are sought among them, are what they were in a sound capture."""
    draw, records = np.random.default_rng(11), []
    for place in range(4_000):
        odd = place % 3_000 > 200
        frame = draw.bytes(int(draw.integers(300)))
        records.append(c.pcap_record("<", SECOND, 10**6 if odd else 5, frame, len(frame) + 1))
    data = c.pcap_header() + b"".join(records)
    whole = open_capture(data)
    assert (len(whole.records), whole.diagnostics) == (4_000, ())
    rows = [getattr(whole.records, known.name).tolist() for known in Records.schema()]
    for step in (12_345, 262_144):
        assert in_pieces(data, range(0, len(data), step)) == (rows, ())


def test_counters_of_interfaces_are_those_that_came_last():
    """The recorder's own counts are told, interface by interface, files and streams alike; others tell nothing."""
    head = c.section(">") + c.interface(">", name="eth0") + c.interface(">") + c.interface(">")
    data = head + c.statistics(">", 0, {5: 1, 7: 2}) + c.enhanced(">", 1, b"frame")
    data += c.statistics(">", 2, {4: 9, 8: 9}) + c.statistics(">", 1, {7: 4, 5: (1 << 64) - 1, 8: 70})
    data += c.statistics(">", 0, {5: 10, 7: 2_000, 8: 5_000}) + c.statistics(">", 9, {5: 10})
    expected = [
        (
            (
                "the recorder says that it missed 2,010 packets of interface 0 (eth0): 10 dropped by the interface, "
                "2,000 for which the system had no room; 5,000 were delivered"
            ),
            2_010,
        ),
        (
            (
                "the recorder says that it missed 4 packets of interface 1: 4 for which the system had no room; "
                "70 were delivered"
            ),
            4,
        ),
    ]
    assert [(note.message, note.count) for note in open_capture(data).diagnostics] == expected
    _, notes = in_pieces(data, range(len(data)))
    assert [(note.message, note.count) for note in notes] == expected
    assert open_capture(data, strict=True).diagnostics == notes
