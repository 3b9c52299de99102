"""Reading pcap and pcapng against slow, obvious readers."""

import bz2
import gzip
import lzma
from struct import pack

import numpy as np
import pytest

from netinterf.capture import Interface, open_capture
from netinterf.capture.blocks import nanoseconds
from netinterf.errors import DamagedCapture, UnknownFormat, UnreadableSource
from tests.oracles import containers as c

DATA = [bytes([number]) * size for number, size in enumerate([60, 1, 0, 1514, 77])]
SECOND = 1_700_000_000


def rows(capture):
    """List what a capture holds in the form of the oracle."""
    r = capture.records
    columns = (r.frame, r.time, r.at, r.captured, r.length, r.interface)
    return [c.Frame(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def codes(capture):
    """List the codes of a capture's diagnostics."""
    return [note.code for note in capture.diagnostics]


def sample_pcap(order="<", magic=0xA1B2C3D4):
    """Write five frames."""
    extra = bytes(8) if magic == 0xA1B2CD34 else b""
    body = (c.pcap_record(order, SECOND + n, 999_999 - n, data, len(data) + n, extra) for n, data in enumerate(DATA))
    return c.pcap_header(order, magic, link_type=101) + b"".join(body)


def sample_pcapng(order="<", other=">"):
    """Write two sections in two byte orders with every kind of block."""
    now = SECOND * 10**6 + 17
    return (
        c.section(order, c.option(order, 4, b"tester"))
        + c.interface(order, 1, 100, name="eth0")
        + c.enhanced(order, now, DATA[0], options=c.option(order, 1, b"note"))
        + c.block(order, 5, bytes(12))
        + c.interface(order, 101, 0, resolution=9, offset=-5)
        + c.enhanced(order, now * 1000 + 3, DATA[3], 9000, face=1)
        + c.block(order, 9, b"__REALTIME_TIMESTAMP=1700000000000000\n")
        + c.block(order, 0xBAD, pack(order + "I", 32473) + b"abcd")
        + c.obsolete(order, now, DATA[4], face=0)
        + c.block(order, 0x777, b"unknown")
        + c.section(other)
        + c.interface(other, 1, 64, resolution=0x80 + 20)
        + c.simple(other, DATA[0])
        + c.simple(other, DATA[3][:64], 1514)
        + c.enhanced(other, SECOND << 20 | 12345, DATA[4])
        + c.enhanced(other, SECOND << 20 | 12346, b"")
    )


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
def test_pcap_variants_equal_the_slow_reader(order, magic):
    """Both byte orders and all magic numbers give the frames that were written."""
    data = sample_pcap(order, magic)
    capture = open_capture(data)
    ticks = 10**9 if magic == 0xA1B23C4D else 10**6
    assert c.read_pcap(data) == rows(capture)
    assert (Interface(101, 65535, ticks),) == capture.interfaces
    assert [SECOND * 10**9 + 999_999 * (10**9 // ticks), DATA[0]] == [
        int(capture.records.time[0]),
        capture.buffer[capture.records.at[0] :][: len(DATA[0])].tobytes(),
    ]
    assert capture.diagnostics == ()


@pytest.mark.parametrize("orders", ["<>", "><", "<<", ">>"])
def test_pcapng_sections_equal_the_slow_reader(orders):
    """Sections in any byte order, with interfaces of their own and every kind of packet block, are read."""
    data = sample_pcapng(*orders)
    capture = open_capture(data)
    assert c.read_pcapng(data) == rows(capture)
    assert capture.records.frame.tolist() == [1, 2, 5, 6, 7, 8, 9]
    assert capture.records.interface.tolist() == [0, 1, 0, 2, 2, 2, 2]
    assert [(face.name, face.link_type, face.ticks_per_second) for face in capture.interfaces] == [
        ("eth0", 1, 10**6),
        ("", 101, 10**9),
        ("", 1, 1 << 20),
    ]
    assert codes(capture) == ["capture.no_time", "capture.no_packet"]


@pytest.mark.parametrize("make", [sample_pcap, sample_pcapng])
def test_every_cut_gives_what_was_whole(make):
    """Cut at any byte, a file gives its whole frames and says so, or is refused; strictness turns it into an error."""
    data = make()
    read = c.read_pcap if make is sample_pcap else c.read_pcapng
    seen = set()
    for size in range(len(data)):
        try:
            capture = open_capture(data[:size])
        except (UnreadableSource, UnknownFormat):
            assert size < 28
            continue
        assert read(data[:size]) == rows(capture)
        cut = "capture.cut" in codes(capture)
        seen.add(cut)
        if cut:
            with pytest.raises(DamagedCapture, match=r"bytes: .* at byte"):
                open_capture(data[:size], strict=True)
    assert {True, False} == seen


@pytest.mark.parametrize("make", [sample_pcap, sample_pcapng])
def test_mutations_never_crash_and_agree(make):
    """Bytes overwritten at random lead to the slow reader's frames or a clean refusal."""
    draw = np.random.default_rng(3)
    read = c.read_pcap if make is sample_pcap else c.read_pcapng
    for _ in range(400):
        data = bytearray(make())
        for _ in range(int(draw.integers(1, 4))):
            data[int(draw.integers(4, min(len(data), 700)))] = int(draw.integers(256))
        try:
            capture = open_capture(bytes(data))
        except (UnreadableSource, UnknownFormat):
            continue
        expected, found = read(bytes(data)), rows(capture)
        if make is sample_pcap:
            if data[4:8] == b"\x02\x00\x04\x00":
                assert expected == found
        else:
            assert [frame._replace(time=0) for frame in expected] == [frame._replace(time=0) for frame in found]


def test_absurd_length_is_named():
    """A record that claims more than the largest believable frame is named with its offset."""
    data = sample_pcap() + pack("<IIII", SECOND, 0, 262_145, 262_145) + bytes(262_145)
    capture = open_capture(data)
    assert len(DATA) == len(capture.records)
    (note,) = capture.diagnostics
    assert ("capture.damaged", len(sample_pcap())) == (note.code, note.offset)
    assert "262145" in note.message


def test_old_versions_have_swapped_lengths():
    """Before version 2.3 the length on the wire came first."""
    data = c.pcap_header(version=(2, 2)) + pack("<IIII", SECOND, 0, 100, 60) + bytes(60)
    capture = open_capture(data)
    assert list(zip(capture.records.captured.tolist(), capture.records.length.tolist(), strict=True)) == [(60, 100)]


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (c.enhanced("<", 1, b"x", face=7), "1 packets are of an interface whose description is missing"),
        (c.block("<", 6, bytes(8)), "1 packet blocks contradict themselves; they were skipped"),
        (
            c.enhanced("<", 1, b"x")[:-4] + b"\xff\0\0\0",
            "differ, or a section header is too short; 36 bytes were skipped",
        ),
        (c.block("<", 0x0A0D0D0A, b"nonsense" * 2), "no byte-order magic; 28 bytes were skipped"),
        (pack("<II", 6, 30) + bytes(26), "cannot be right; 34 bytes were skipped"),
        (pack("<II", 6, 1 << 30) + bytes(26), "cannot be right; 34 bytes were skipped"),
    ],
)
def test_a_damaged_block_costs_itself(extra, reason):
    """A block that contradicts itself is skipped and named, with its offset; what follows is read."""
    good = c.section("<") + c.interface("<") + c.enhanced("<", 1, b"frame")
    capture = open_capture(good + extra + c.enhanced("<", 1, b"later"))
    frames = [capture.buffer[at : at + 5].tobytes() for at in capture.records.at]
    assert frames == [b"frame", b"later"]
    (note,) = capture.diagnostics
    assert ("capture.damaged", len(good)) == (note.code, note.offset)
    assert reason in note.message


def test_an_interface_that_is_not_described_costs_its_packets():
    """Without a description nobody knows what they are; those of other interfaces are read."""
    good = c.section("<") + c.interface("<") + c.enhanced("<", 1, b"frame")
    short = c.block("<", 1, bytes(4))
    capture = open_capture(good + short + c.enhanced("<", 1, b"other", face=1) + c.enhanced("<", 1, b"later"))
    assert capture.records.frame.tolist() == [1, 3]
    damage, missing = capture.diagnostics
    assert ("capture.damaged", len(good)) == (damage.code, damage.offset)
    assert "too short" in damage.message
    assert (missing.code, missing.offset, missing.count) == ("capture.damaged", len(good + short), 1)
    assert "1 packets are of an interface whose description is missing" in missing.message


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_told_by_content(compress):
    """Compressed bytes give the frames of the plain ones, also in several members."""
    data = sample_pcap()
    plain, packed = open_capture(data), open_capture(compress(data[:50]) + compress(data[50:]))
    assert rows(plain) == rows(packed)
    assert packed.format.startswith("pcap+")


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_cut_and_damaged_compression_gives_the_beginning(compress):
    """Compressed data that end early or are damaged give what came before."""
    draw = np.random.default_rng(0)
    records = b"".join(c.pcap_record("<", SECOND, n, draw.bytes(900)) for n in range(3000))
    packed = compress(c.pcap_header() + records)
    cut = open_capture(packed[: len(packed) // 2])
    assert "capture.compressed_cut" in codes(cut)
    assert 0 < len(cut.records) < 3000
    broken = bytearray(packed)
    broken[len(packed) // 2] ^= 0xFF
    broken[len(packed) // 2 + 1000] ^= 0xFF
    damaged = open_capture(bytes(broken))
    assert {"capture.compressed_damaged", "capture.damaged"} & set(codes(damaged))
    assert 0 < len(damaged.records) < 3000
    with pytest.raises(DamagedCapture):
        open_capture(packed[: len(packed) // 2], strict=True)


def test_zstd_is_read():
    """Data packed with zstd are read by the standard library or its backport."""
    zstd = pytest.importorskip("backports.zstd")
    data = sample_pcapng()
    assert rows(open_capture(data)) == rows(open_capture(zstd.compress(data)))


@pytest.mark.parametrize("resolution", [0, 3, 6, 9, 12, 19, 20, 40, 127, 128, 138, 148, 160, 161, 168, 191, 192, 255])
def test_time_resolutions_are_exact(resolution):
    """Every resolution gives the nanosecond that exact fractions give, as far as 64 bits hold it."""
    draw = np.random.default_rng(resolution)
    ticks = draw.integers(0, 1 << 63, 200).astype(np.uint64) >> draw.integers(0, 60, 200).astype(np.uint64)
    power = resolution & 127
    unit = 2**power if resolution & 128 else 10**power
    exact = [int(tick) * 10**9 // unit for tick in ticks.tolist()]
    found = nanoseconds(ticks, resolution, np.zeros(200, np.int64)).tolist()
    fits = [(e, f) for e, f in zip(exact, found, strict=True) if e < 9 * 10**18]
    assert [e for e, _ in fits] == [f for _, f in fits]
    assert all(f > 9 * 10**18 for e, f in zip(exact, found, strict=True) if e > 9_223_372_036 * 10**9)


def test_many_tiny_sections_stay_fast():
    """Thousands of sections that change byte order end in a diagnostic, not in a hang."""
    data = (c.section("<") + c.interface("<") + c.section(">") + c.enhanced(">", 1, b"")) * 3000
    assert "capture.damaged" in codes(open_capture(data))
    data = (c.section("<") + c.section(">") + c.interface(">")) * 3000
    assert "capture.damaged" in codes(open_capture(data))
    data = (c.section("<") + c.interface("<") + c.enhanced("<", 1, b"abc")) * 3000
    assert len(open_capture(data).records) == 3000
