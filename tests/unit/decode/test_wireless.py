"""802.11 and pseudo-headers: what is read, what is named instead, and where frames end; against twins and tshark."""

from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP
from scapy.packet import Raw
from scapy.utils import wrpcap

from benchmarks.decode_check import compare
from netinterf.capture import open_capture
from netinterf.decode import COUNTED, OF_NO_FLOW, decode
from netinterf.decode.pseudo_headers import MOST_FIELDS
from netinterf.schema import Status
from tests.oracles import recorded_stacks as made
from tests.oracles.frames import check, decoded
from tests.oracles.stacks import every_stack

pytestmark = pytest.mark.usefixtures("each_way")

FLOW = IP(src="192.0.2.1", dst="198.51.100.2", id=7) / TCP(sport=1, dport=2, flags="PA") / Raw(b"x" * 30)
OTHER = IP(src="192.0.2.1", dst="198.51.100.2", id=8) / TCP(sport=3, dport=4, flags="A")
AIR = made.in_the_air(FLOW)
ARP_IN_AIR = AIR[: -len(made.in_llc(FLOW))] + b"\xaa\xaa\3\0\0\0\x08\6" + bytes(ARP())
RECORDED = (105, 119, 127, 163, 192, 239, 258)


def with_byte(frame, place, value):
    """Put another byte into a frame."""
    return frame[:place] + bytes([value]) + frame[place + 1 :]


@pytest.mark.parametrize(
    ("code", "word", "frame", "link_type"),
    [
        ("decode.no_ip", "beacons", pack("<H", 0x0080) + bytes(40), 105),
        ("decode.no_ip", "beacons", pack("<H", 0x00D4) + bytes(8), 105),  # an acknowledgement
        ("decode.no_ip", "beacons", with_byte(AIR, 0, 0x48), 105),  # no data
        ("decode.no_ip", "beacons", with_byte(with_byte(AIR, 0, 0xC8), 1, 0x41), 105),  # and so nothing encrypted
        ("decode.no_ip", "beacons", ARP_IN_AIR, 105),
        ("decode.unread", "encrypted", with_byte(AIR, 1, 0x42), 105),
        ("decode.unread", "encrypted", made.radiotap(0x10) + with_byte(AIR, 1, 0x42), 127),
        ("decode.unread", "fragments", with_byte(AIR, 1, 0x06), 105),
        ("decode.unread", "fragments", with_byte(AIR, 22, 0x03), 105),
        ("decode.unread", "version", with_byte(AIR, 0, 0x09), 105),
        ("decode.unread", "mesh", made.in_the_air(FLOW, 3, 0x100, b"\0\x1f\1\0\0\0", four=True), 105),
        ("decode.unread", "damaged", made.radiotap(0x40) + AIR, 127),
        ("decode.unread", "damaged", made.ppi(105, [made.common(4)]) + AIR, 192),
        ("decode.unread", "damaged", made.ppi(105, [made.common(8)]) + AIR, 192),
        ("decode.unread", "not known", with_byte(made.radiotap() + AIR, 0, 1), 127),
        ("decode.unread", "not known", with_byte(made.radiotap() + AIR, 2, 7), 127),
        ("decode.unread", "not known", made.ppi(99) + AIR, 192),
        ("decode.unread", "not known", made.ppi(0xFFFF_FFFF) + AIR, 192),
        ("decode.unread", "not known", bytes(144) + AIR, 119),
        ("decode.unread", "not known", made.nflog(FLOW, family=7), 239),
        ("decode.unread", "not known", made.nflog(FLOW)[:-20].replace(b"\x09\0", b"\x0b\0"), 239),
        ("decode.unread", "not known", b"\2\0\0\0" + b"\4\0\1\0" * (MOST_FIELDS + 1), 239),
        ("decode.unread", "not known", made.pktap(1, following=0) + AIR, 258),
        ("decode.cut", "snapshot length", made.radiotap(0x10)[:9], 127),
        ("decode.cut", "snapshot length", AIR[:23], 105),
    ],
)
def test_what_is_not_read_is_said(code, word, frame, link_type):
    """One note with its words, and no conversation made of it."""
    result = check([frame], link_type, [200 if code == "decode.cut" else len(frame)])
    (note,) = result.diagnostics
    assert (note.code, note.count) == (code, 1)
    assert word in note.message
    assert result.packets.status[0] & Status.NOT_IP


def test_frames_end_before_their_check_sequence():
    """A packet without a length of its own ends there; a frame that was cut has none that could be left out."""
    frame = made.radiotap(0x10) + made.in_the_air(FLOW.__class__(bytes(IP(len=0) / TCP() / Raw(b"x" * 9))))
    payload = check([frame + made.CHECK_SEQUENCE, frame], 127, [len(frame) + 4] * 2).packets.payload_length
    assert payload.tolist() == [9, 9]
    unmarked = with_byte(frame, 8, 0) + made.CHECK_SEQUENCE
    assert check([unmarked], 127).packets.payload_length.tolist() == [13]


def test_of_several_packets_the_first_is_read_and_the_others_are_told():
    """Without a word where it is the only one."""
    result = check([made.in_a_msdu(FLOW), made.in_a_msdu(FLOW, OTHER), made.in_a_msdu(OTHER, FLOW, FLOW)], 105)
    assert result.packets.ip_id.tolist() == [7, 7, 8]
    assert result.packets.payload_length.tolist() == [30, 30, 0]
    (note,) = result.diagnostics
    assert (note.code, note.count) == ("decode.aggregated", 2)
    assert note.code in COUNTED - OF_NO_FLOW


def test_a_packet_does_not_reach_into_the_next_subframe():
    """What the length of its subframe leaves out is not its, whatever it says itself."""
    short = IP(bytes(FLOW))
    short.len, short.chksum = 0, None
    packets = check([made.in_a_msdu(short, OTHER)], 105).packets
    assert packets.payload_length[0] == 30


def test_more_words_than_are_looked_at_hold_no_flags():
    """Crafted headers cost bounded work; their frames are taken as they are."""
    long = made.radiotap(0x40, more=MOST_FIELDS + 1) + AIR
    assert check([long], 127).packets.ip_id[0] == 7
    assert check([made.radiotap(0x40, more=MOST_FIELDS - 1) + AIR], 127).packets.status[0] & Status.NOT_IP


def test_pseudo_headers_in_each_other_end():
    """PPI may announce PPI: layers are bounded."""
    frame = made.ppi(192) * 400
    (note,) = check([frame], 192).diagnostics
    assert note.code == "decode.unread"


headers = st.one_of(
    st.builds(
        made.radiotap,
        st.none() | st.integers(0, 255),
        st.booleans(),
        st.integers(0, 3),
    ).map(lambda head: (127, head)),
    st.tuples(
        st.just(192),
        st.builds(
            made.ppi,
            st.sampled_from((1, 105, 127, 192, 239, 258, 300)),
            st.lists(st.integers(0, 15).map(made.common) | st.tuples(st.integers(1, 9), st.binary(max_size=9))),
            st.booleans(),
        ),
    ),
    st.sampled_from((105, 119, 163, 239, 258)).map(lambda number: (number, b"")),
)
bodies = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda control, flags, rest, packet: bytes([control, flags]) + bytes(22) + rest + made.in_llc(packet),
        st.sampled_from((0x08, 0x88, 0x08, 0x88, 0x48, 0x80)),
        st.integers(0, 255),
        st.binary(max_size=20),
        st.sampled_from((FLOW, OTHER, IPv6() / TCP())),
    ),
    st.sampled_from([frame for _, number, frame, _, _ in every_stack() if number in RECORDED][::7]),
)


@given(headers, st.lists(bodies, min_size=1, max_size=6), st.integers(0, 30), st.data())
def test_any_bytes_read_as_the_twin_says(header, frames, more, data):
    """Headers that hold, behind them anything, cut anywhere and changed somewhere: decoder and twin agree."""
    number, head = header
    frames = [head + body for body in frames]
    place = data.draw(st.integers(0, len(frames[0])))
    frames[0] = with_byte(frames[0], place, data.draw(st.integers(0, 255)))
    cut = data.draw(st.integers(0, len(frames[-1])))
    lengths = [len(frame) + more for frame in frames]
    frames[-1] = frames[-1][:cut]
    result = check(frames, number, lengths)
    told = sum(note.count for note in result.diagnostics if note.code in OF_NO_FLOW)
    assert told == np.count_nonzero(result.packets.status & Status.NOT_IP)


@pytest.mark.tshark
@pytest.mark.parametrize(
    ("link_type", "order"),
    [*((number, "<") for number in RECORDED), (239, ">")],  # NFLOG has the order of its file
)
def test_recorded_frames_read_like_tshark(link_type, order, tmp_path, tshark):
    """Every packet in every frame of a link type, as tshark takes it apart."""
    stacks = [(name, frame) for name, number, frame, _, _ in every_stack() if number == link_type]
    frames = [frame for name, frame in stacks if link_type != 239 or name.endswith("big") == (order == ">")]
    path = tmp_path / "recorded.pcap"
    wrpcap(str(path), [Raw(frame) for frame in frames], linktype=link_type, endianness=order)
    capture = open_capture(path)
    compared, differences = compare(path, decode(capture.buffer, capture.records, [link_type]))
    assert compared == len(frames) > 20
    assert [entry for entry in differences if entry["reason"] == "unexplained"] == []


def test_one_captured_byte_tells_nothing_and_breaks_nothing():
    """Of every link type, with lengths that were longer."""
    for number in RECORDED:
        packets = decoded([bytes([byte]) for byte in range(256)], number, [100] * 256).packets
        assert (packets.status & Status.NOT_IP).all()
