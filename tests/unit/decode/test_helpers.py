"""What is read on demand: checksums, SACK blocks, link-layer addresses; and the gathering beneath it all."""

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from netinterf.decode import checksum as sums
from netinterf.decode import decode
from netinterf.decode.gather import as_bytes, gather, gather_bytes
from netinterf.decode.link import broadcast
from netinterf.decode.transport import sack_blocks
from tests.oracles.frames import records_of

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
ALL = slice(None)


def read(frames, link_type=1):
    """Decode frames; give buffer and packets."""
    buffer, records = records_of([bytes(frame) for frame in frames])
    return buffer, decode(buffer, records, [link_type]).packets


def good_packets():
    """Give packets with right checksums, of odd and even lengths."""
    for size in (0, 1, 8, 333):
        data = Raw(b"\xfe" * size)
        for ip in (IP(src="192.0.2.1", dst="198.51.100.7"), IPv6(src="2001:db8::1", dst="2001:db8::2")):
            yield ip / TCP(options=[("NOP", None), ("SAck", (1, 2))]) / data
            yield ip / UDP() / data
        yield IP() / ICMP() / data
        yield IPv6() / ICMPv6EchoRequest(data=b"\xfe" * size)
    yield IP(options=b"\x94\x04\0\0") / TCP()


def test_right_checksums_pass(monkeypatch):
    """Checksums that scapy computed are right, also when summed in many chunks."""
    buffer, packets = read([ETHER / packet for packet in good_packets()])
    assert sums.ip_ok(buffer, packets, ALL).all()
    assert sums.transport_ok(buffer, packets, ALL).all()
    monkeypatch.setattr(sums, "_CHUNK", 100)
    assert sums.transport_ok(buffer, packets, ALL).all()


def test_one_wrong_bit_fails():
    """Any flipped payload bit makes the transport checksum wrong, any header bit that of IPv4."""
    frames = [bytes(ETHER / packet) for packet in good_packets()]
    spoiled = [frame[:-1] + bytes([frame[-1] ^ 4]) for frame in frames]
    buffer, packets = read(spoiled)
    assert not sums.transport_ok(buffer, packets, ALL).any()
    assert [True] * len(packets) == sums.ip_ok(buffer, packets, ALL).tolist()
    aged = [frame[:22] + bytes([frame[22] ^ 1]) + frame[23:] for frame in frames]
    buffer, packets = read(aged)
    assert (packets.version == 6).tolist() == sums.ip_ok(buffer, packets, ALL).tolist()


def test_what_cannot_be_judged_is_not_wrong():
    """Cut, fragmented and offloaded packets, and UDP without a checksum, do not count as wrong."""
    frames = [
        bytes(ETHER / IP(chksum=1) / UDP(chksum=0) / Raw(b"abc")),
        bytes(ETHER / IP(flags="MF") / UDP(chksum=9) / Raw(b"abc")),
        bytes(ETHER / IP(len=0) / TCP(chksum=9) / Raw(b"abc")),
        bytes(ETHER / IP(len=90) / TCP(chksum=9) / Raw(b"abc")),
        bytes(ETHER / ARP()),
        bytes(ETHER / IP(proto=132) / Raw(bytes(20))),
        b"short",
    ]
    buffer, packets = read(frames)
    assert sums.transport_ok(buffer, packets, ALL).all()
    assert [False, *[True] * 6] == sums.ip_ok(buffer, packets, ALL).tolist()


def test_helpers_answer_for_the_rows_asked():
    """Rows may be numbers, a mask or a slice, and answers come in their order; none give none."""
    buffer, packets = read([ETHER / IP() / UDP(chksum=5), ETHER / IP(chksum=3) / UDP()])
    assert sums.transport_ok(buffer, packets, np.array([1, 0])).tolist() == [True, False]
    assert sums.ip_ok(buffer, packets, np.array([False, True])).tolist() == [False]
    assert len(sums.ip_ok(buffer, packets, slice(0, 0))) == 0
    assert len(sums.transport_ok(buffer, packets, slice(0, 0))) == 0
    assert len(sack_blocks(buffer, packets, slice(0, 0))) == 0
    assert len(broadcast(buffer, packets, slice(0, 0), [1])) == 0


def test_sack_blocks_in_order():
    """Every block of every SACK option is listed; other packets have none."""
    none = ETHER / IP() / TCP(options=[("Timestamp", (1, 2))])
    one = ETHER / IP() / TCP(options=[("NOP", None), ("NOP", None), ("SAck", (10, 20))])
    three = ETHER / IPv6() / TCP(options=[("Timestamp", (1, 2)), ("SAck", (1, 2, 3, 4, 2**32 - 1, 6))])
    udp = ETHER / IP() / UDP()
    buffer, packets = read([three, none, one, udp])
    blocks = sack_blocks(buffer, packets, ALL)
    assert [row.tolist() for row in blocks] == [[1, 2, 3, 4, 2**32 - 1, 6], [], [10, 20], []]
    assert [row.tolist() for row in sack_blocks(buffer, packets, np.array([2, 1]))] == [[10, 20], []]


def test_cut_sack_option_gives_no_block():
    """A SACK option that the capture cut is left out."""
    frame = bytes(ETHER / IP() / TCP(options=[("NOP", None), ("NOP", None), ("SAck", (10, 20))]))
    buffer, records = records_of([frame[:-3]], [len(frame)])
    packets = decode(buffer, records, [1]).packets
    assert [row.tolist() for row in sack_blocks(buffer, packets, ALL)] == [[]]


TO_ALL = Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff")


@pytest.mark.parametrize(
    ("link_type", "frame", "expected"),
    [
        (1, bytes(TO_ALL / IP(dst="192.0.2.255")), True),
        (1, bytes(TO_ALL / Dot1Q(vlan=2) / IP()), True),
        (1, bytes(ETHER / IP(dst="255.255.255.255")), False),
        (1, bytes(Ether(dst="01:00:5e:00:00:fb") / IP()), False),
        (1, bytes(TO_ALL)[:5], False),
        (113, b"\0\1\0\1\0\6\2\0\0\0\0\7\0\0\x08\0", True),
        (113, b"\0\0\0\1\0\6\2\0\0\0\0\7\0\0\x08\0", False),
        (113, b"\0\2\0\1\0\6\2\0\0\0\0\7\0\0\x08\0", False),
        (276, b"\x08\0\0\0\0\0\0\1\0\1\1\6\2\0\0\0\0\7\0\0", True),
        (276, b"\x08\0\0\0\0\0\0\1\0\1\4\6\2\0\0\0\0\7\0\0", False),
        (101, bytes(IP() / UDP()), False),
    ],
)
def test_broadcast(link_type, frame, expected):
    """A frame to everybody is known by what its link layer says, not by the address of its packet."""
    buffer, packets = read([frame], link_type)
    assert [expected] == broadcast(buffer, packets, ALL, [link_type]).tolist()


def test_gather_against_slices():
    """Gathered headers equal slices padded with zeros, at any place and with any room."""
    rng = np.random.default_rng(3)
    data = rng.integers(0, 256, 200).astype(np.uint8)
    starts = rng.integers(0, 201, 500)
    room = np.minimum(rng.integers(-5, 40, 500), 200 - starts)
    for width in (1, 2, 14, 20, 40):
        expected = [
            bytes(data[at : at + max(min(width, left), 0)]).ljust(width, b"\0")
            for at, left in zip(starts, room, strict=True)
        ]
        assert expected == [bytes(row) for row in gather_bytes(data, starts, room, width)]


def test_gather_from_almost_nothing():
    """Buffers shorter than a header, and no rows at all, are fine."""
    layout = np.dtype([("a", ">u4"), ("b", ">u4")])
    empty = np.empty(0, np.int64)
    assert len(gather(as_bytes(b""), empty, empty, layout)) == 0
    one = np.array([0])
    assert gather(as_bytes(b""), one, one, layout).tolist() == [(0, 0)]
    assert gather(as_bytes(b"\xff"), one, one + 1, layout).tolist() == [(0xFF000000, 0)]
