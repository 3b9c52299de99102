"""What is not read is named and counted: encapsulations, frames without packets, and what was cut to nothing."""

from collections import Counter
from struct import pack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.eap import EAPOL
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.ipsec import ESP
from scapy.layers.l2 import ARP, GRE, LLC, STP, Dot3, Ether
from scapy.layers.ppp import PPP, PPP_LCP, PPPoE, PPPoED
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from netinterf.decode import COUNTED, LINK_TYPES, OF_NO_FLOW, decode
from netinterf.decode.unread import NOTES
from netinterf.engine.tally import joined
from netinterf.schema import Status
from tests.oracles.frames import check, decoded, records_of
from tests.oracles.stacks import every_stack

pytestmark = pytest.mark.usefixtures("each_way")

MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
ETHER = Ether(**MACS)
OUTER = IP(src="10.0.0.1", dst="10.0.0.2")
FLOW = IP(src="192.0.2.1", dst="198.51.100.2") / TCP(sport=1, dport=2, flags="A")
TUNNEL = ETHER / OUTER / UDP(sport=49999, dport=4789) / VXLAN(flags=8, vni=7)


def typed(number, data=b"x" * 50):
    """Make an Ethernet frame of an EtherType."""
    return bytes(ETHER)[:12] + pack(">H", number) + data


@pytest.mark.parametrize(
    ("code", "word", "frame", "link_type"),
    [
        ("decode.no_ip", "ARP", ETHER / ARP(), 1),
        ("decode.no_ip", "spanning tree", Dot3(**MACS) / LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP(), 1),
        ("decode.no_ip", "LLDP", typed(0x88CC), 1),
        ("decode.no_ip", "link", ETHER / EAPOL(), 1),
        ("decode.no_ip", "link", ETHER / PPPoED(), 1),
        ("decode.no_ip", "link", ETHER / PPPoE(code=0xA7), 1),
        ("decode.no_ip", "link", ETHER / PPPoE() / PPP() / PPP_LCP(), 1),
        ("decode.no_ip", "link", pack(">HHH8sH", 4, 1, 6, b"\2\0\0\0\0\1", 4) + b"\x42\x42\x03" + bytes(40), 113),
        ("decode.unread", "MACsec", typed(0x88E5), 1),
        ("decode.unread", "network service", typed(0x894F), 1),
        ("decode.unread", "not known", typed(0x9999), 1),
        ("decode.unread", "not known", pack(">I", 99) + bytes(40), 0),
        ("decode.unread", "compressed", ETHER / PPPoE() / PPP(proto=0xFD) / Raw(b"x" * 40), 1),
        ("decode.unread", "IP version", typed(0x0800, b"\x55" + bytes(40)), 1),
        ("decode.unread", "IP version", b"\x55" + bytes(40), 101),
        ("decode.unread", "IP version", typed(0x86DD, bytes(FLOW)), 1),
        ("decode.unread", "not known", typed(0x8847, b"\0\1\1\x40" + b"\x33" * 40), 1),
        ("decode.empty", "not one byte", b"", 1),
        ("decode.cut", "snapshot length", bytes(ETHER / FLOW)[:10], 1),
        ("decode.cut", "snapshot length", bytes(ETHER / FLOW)[:14], 1),
        ("decode.no_ports", "ports", bytes(ETHER / FLOW)[:36], 1),
        ("decode.tunnel", "ESP", ETHER / OUTER / ESP(spi=1, seq=1) / Raw(b"x" * 40), 1),
        ("decode.tunnel", "tunnels", ETHER / OUTER / GRE(proto=0x9999) / Raw(b"x" * 40), 1),
        ("decode.tunnel", "tunnels", ETHER / OUTER / GRE(version=5) / Raw(b"x" * 40), 1),
        ("decode.tunnel", "tunnels", ETHER / IP(proto=115) / Raw(b"x" * 40), 1),
        ("decode.tunnel", "tunnels", TUNNEL / ETHER / ARP(), 1),
        ("decode.tunnel", "tunnels", TUNNEL / typed(0x0800, b"\x55" + bytes(40)), 1),
        ("decode.tunnel", "tunnels", TUNNEL / typed(0x0800, b"\x45" + bytes(7)), 1),
        ("decode.overstated", "longer than their frames", ETHER / IP(len=1000) / TCP() / Raw(b"x" * 10), 1),
        ("decode.overstated", "longer than their frames", ETHER / IPv6(plen=1000) / TCP() / Raw(b"x" * 10), 1),
    ],
)
def test_what_is_not_read_is_said_and_counted(code, word, frame, link_type):
    """One note says what, how often, and where the first is; packets that are read beside it have none."""
    good = {1: bytes(ETHER / FLOW / Raw(b"x" * 99)), 101: bytes(FLOW), 0: pack("<I", 2) + bytes(FLOW)}.get(link_type)
    frame = bytes(frame)
    frames = [frame, frame] if good is None else [good, frame, good, frame]
    whole = max(len(frame), 100)
    buffer, records = records_of(
        frames, [whole if code in {"decode.cut", "decode.no_ports"} else len(f) for f in frames]
    )
    (note,) = decode(buffer, records, [link_type]).diagnostics
    first = frames.index(frame)
    assert (note.code, note.count, note.offset) == (code, 2, int(records.at[first]))
    assert word in note.message
    check(frames, link_type)


def test_what_is_wrapped_too_often_is_said():
    """Layers are followed up to a bound (`decoder.MOST_LAYERS`)."""
    (note,) = decoded([typed(0x8100, b"\0\1\x81\0" * 300)]).diagnostics
    assert note.code == "decode.unread"


def test_every_note_has_words_of_its_own():
    """So that notes of parts of a capture are added up kind by kind."""
    assert len({says for _, says in NOTES.values()}) == len(NOTES)
    assert {code for code, _ in NOTES.values()} < COUNTED


strange = st.one_of(
    st.binary(max_size=80),
    st.tuples(st.sampled_from(every_stack()), st.integers(0, 120), st.sampled_from([0, 0x55, 0x88, 0xE5])).map(
        lambda drawn: drawn[0][2][: drawn[1]] + bytes([drawn[2]]) * 20
    ),
)


@given(st.sampled_from(sorted(LINK_TYPES)), st.lists(strange, min_size=1, max_size=8))
def test_no_frame_is_left_out_in_silence(link_type, frames):
    """Whatever the bytes: as many frames are told of as give no packet."""
    result = decoded(frames, link_type)
    told = sum(note.count for note in result.diagnostics if note.code in OF_NO_FLOW)
    assert told == np.count_nonzero(result.packets.status & Status.NOT_IP)


@settings(max_examples=25)
@given(st.lists(strange, max_size=12), st.integers(0, 12))
def test_notes_of_parts_add_up(frames, cut):
    """Counts and places are those of the whole, wherever it is cut."""
    buffer, records = records_of(frames, [len(frame) + 1 for frame in frames])  # so nobody cut them in silence
    whole, first, second = (
        decode(buffer, records.take(rows), [1]) for rows in (slice(None), slice(cut), slice(cut, None))
    )
    told = Counter({(note.code, note.message, note.offset): note.count for note in whole.diagnostics})
    assert told == Counter(
        {
            (note.code, note.message, note.offset): note.count
            for note in joined(first.diagnostics, second.diagnostics, COUNTED)
        }
    )


def test_whoever_cuts_frames_and_does_not_say_so_is_found_out():
    """All that do not fit end at one length, and nothing is longer: what was cut off was there, and is payload."""
    long = [bytes(ETHER / IP(id=number) / TCP(flags="PA") / Raw(b"x" * (200 + number))) for number in range(4)]
    short = bytes(ETHER / FLOW)
    result = decoded([short, *(frame[:96] for frame in long)])
    assert [(note.code, note.count) for note in result.diagnostics] == [("decode.shortened", 4)]
    packets = result.packets
    assert packets.payload_length.tolist() == [0, 200, 201, 202, 203]
    assert [bool(status & Status.PAYLOAD_CUT) for status in packets.status.tolist()] == [False, True, True, True, True]
    whole = [*long[:1], *(frame[:96] for frame in long[1:])]  # here a longer one fits
    assert decoded(whole).packets.payload_length.tolist() == [200, 42, 42, 42]


def test_a_packet_that_claims_more_than_its_frame_ends_with_it():
    """What was never there is no payload; inside a tunnel a mirror has cut it, and it was."""
    frame = bytes(ETHER / IP(len=1040) / TCP(flags="PA") / Raw(b"x" * 10))
    packets = check([frame]).packets
    assert (packets.payload_length[0], packets.status[0]) == (10, Status.OVERSTATED)
    assert check([frame], lengths=[len(frame) + 990]).packets.payload_length[0] == 1000  # a snapshot length cut it
    inner = bytes(ETHER / FLOW / Raw(b"x" * 1000))[:100]
    packets = check([bytes(TUNNEL / Raw(inner))]).packets
    assert (packets.payload_length[0], packets.status[0]) == (1000, Status.TUNNELLED | Status.PAYLOAD_CUT)
