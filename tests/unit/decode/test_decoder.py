"""The whole decoder: order, link types that are not known, lengths and what they say."""

import attrs
import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from netinterf.decode import LINK_TYPES, decode, link_type_name
from netinterf.decode.decoder import BLOCK_FRAMES
from netinterf.decode.headers import LINK_KINDS, Kind
from netinterf.decode.link import WIRED
from netinterf.errors import UnsupportedLinkType
from netinterf.schema import Records, Status
from tests.oracles.frames import check, decoded, records_of
from tests.oracles.stacks import every_stack

pytestmark = pytest.mark.usefixtures("each_way")

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
FLOW = ETHER / IP(src="192.0.2.1", dst="198.51.100.2", id=7) / TCP(sport=1, dport=2, flags="A")


def status(frame, length=None, link_type=1):
    """Decode one frame and give its status."""
    result = check([bytes(frame)], link_type, None if length is None else [length])
    return Status(int(result.packets.status[0]))


def test_no_records_give_empty_tables():
    """A capture without frames has empty tables, whatever its interfaces."""
    for links in ([], [1], [127]):
        result = decode(b"", Records.empty(), links)
        assert (len(result.packets), len(result.endpoints), len(result.quotes), result.diagnostics) == (0, 0, 0, ())


def test_only_unknown_link_types_are_refused():
    """A capture of one unknown link type raises, and the error names it and what is known."""
    buffer, records = records_of([b"abc"])
    with pytest.raises(UnsupportedLinkType, match=r"mine\.pcap: .*249 \(USBPCAP\).*113 LINUX_SLL"):
        decode(buffer, records, [249], source="mine.pcap")


def test_unknown_among_known_link_types_is_reported():
    """Frames of an unknown link type stay as rows without IP, and are counted once per type."""
    frame = bytes(FLOW)
    buffer, records = records_of([frame] * 5, interfaces=[0, 1, 2, 1, 9])
    result = decode(buffer, records, [1, 147, 249])
    assert (result.packets.status & Status.NOT_IP).tolist() == [0, 1, 1, 1, 1]
    found = {item.message.split(" is not")[0]: (item.code, item.count, item.offset) for item in result.diagnostics}
    expected = {
        "link type 147 (USER0)": ("decode.link_type", 2, int(records.at[1])),
        "link type 249 (USBPCAP)": ("decode.link_type", 1, int(records.at[2])),
        "link type an interface that was never described": ("decode.link_type", 1, int(records.at[4])),
    }
    assert expected == found
    with pytest.raises(UnsupportedLinkType):
        decode(buffer, records, [1, 147, 249], strict=True)


def test_link_types_have_names():
    """Every decoded link type has a name, and numbers without one say so."""
    assert "SOCKETCAN" in link_type_name(227)
    assert link_type_name(99_999) == "unassigned"
    assert set(LINK_TYPES) == {number for _, number, *_ in every_stack()}  # each is held against its slow twin


def test_link_types_say_whether_their_frames_crossed_a_wire():
    """Of every first header but that of BSD loopback, which is given the benefit of the doubt, and those of radios."""
    radios = {Kind.IEEE802_11, Kind.RADIOTAP, Kind.PRISM, Kind.PPI}
    assert set(LINK_KINDS.values()) - set(WIRED) == {Kind.LOOPBACK} | radios


def test_columns_of_records_may_have_gaps():
    """They may be views of a wider table, such as a structured array."""
    buffer, records = records_of([bytes(FLOW)] * 5)
    wide = {known.name: np.repeat(getattr(records, known.name), 2)[::2] for known in Records.schema()}
    narrow, views = (decode(buffer, each, [1]) for each in (records, Records(**wide)))
    assert narrow.packets.equals(views.packets)
    assert narrow.endpoints.equals(views.endpoints)


def test_rows_come_in_time_order():
    """Frames out of order are sorted by time, equal times keep their order, and quotes follow their packets."""
    error = ETHER / IP(src="10.0.0.1") / ICMP(type=11) / IP(src="192.0.2.1", ttl=1) / UDP(sport=7, dport=9)
    frames = [bytes(FLOW), bytes(error), bytes(ETHER / ARP()), bytes(error)]
    buffer, records = records_of(frames, times=[30, 20, 10, 20])
    result = decode(buffer, records, [1])
    assert result.packets.frame.tolist() == [3, 2, 4, 1]
    assert result.packets.time.tolist() == [10, 20, 20, 30]
    assert result.quotes.packet.tolist() == [1, 2]
    assert result.endpoints.source_port.tolist() == [0, 0, 0, 1]
    assert result.quotes.source_port.tolist() == [7, 7]


def test_blocks_join_without_a_seam():
    """Rows on both sides of a block boundary are those of their own frames."""
    count = BLOCK_FRAMES + 3
    data = np.tile(np.frombuffer(bytes(FLOW), np.uint8), (count, 1))
    data[:, 38] = np.arange(count) >> 8  # the upper half of the sequence number
    data[:, 39] = np.arange(count) & 255
    size = data.shape[1]
    records = Records.of(
        frame=np.arange(count) + 1,
        time=np.arange(count),
        at=np.arange(count) * size,
        captured=np.full(count, size),
        length=np.full(count, size),
    )
    packets = decode(data.reshape(-1), records, [1]).packets
    assert np.array_equal(np.arange(count), packets.seq >> 16)


def test_records_beyond_the_buffer_are_cut():
    """A record that promises more bytes than the buffer has is decoded as far as there are bytes."""
    buffer, records = records_of([bytes(FLOW)])
    result = decode(buffer[:-10], records, [1])
    assert result.packets.status[0] & Status.HEADER_CUT
    assert result.packets.window[0] == 0
    beyond = attrs.evolve(records, at=np.array([10**9], np.int64))
    assert decode(buffer, beyond, [1]).packets.status[0] & Status.NOT_IP


def test_padding_is_a_mark_and_no_payload():
    """Ethernet padding and trailers do not count as payload."""
    frame = bytes(FLOW).ljust(60, b"\0")
    assert Status.PADDED in status(frame)
    assert decoded([frame]).packets.payload_length[0] == 0


def test_snapshot_length_cuts_payload_only():
    """A frame cut behind its headers keeps its whole payload length and is marked as cut."""
    frame = bytes(FLOW / Raw(b"x" * 500))
    assert status(frame[:96], len(frame)) == Status.PAYLOAD_CUT
    packets = decoded([frame[:96]], lengths=[len(frame)]).packets
    assert (packets.payload_length[0], packets.payload_captured[0]) == (500, 42)
    assert packets.payload_start[0] == packets.at[0] + len(frame) - 500


def test_cut_inside_padding_is_no_cut():
    """A snapshot length that removed only padding removed no payload."""
    frame = bytes(FLOW).ljust(60, b"\0")
    assert status(frame[:56], 60) == Status.PADDED


@pytest.mark.parametrize("version", [4, 6])
def test_length_zero_means_offload(version):
    """An IP length of zero stands for a packet that the network card will cut, up to the end of the frame."""
    if version == 4:
        frame = bytes(ETHER / IP(len=0) / TCP() / Raw(b"x" * 3000))
    else:
        frame = bytes(ETHER / IPv6(plen=0, nh=6) / TCP() / Raw(b"x" * 3000))
    assert status(frame) == Status.OFFLOADED
    assert decoded([frame]).packets.payload_length[0] == 3000


@pytest.mark.parametrize(
    ("link_type", "head"), [(1, bytes(ETHER)[:12] + b"\x08\0"), (113, b"\0\0\0\1" + bytes(10) + b"\x08\0")]
)
def test_longer_than_the_wire_allows_means_offload(link_type, head):
    """Packets above the link's maximum are offload; on loopback, where nothing limits them, they are not."""
    frame = head + bytes(IP() / TCP() / Raw(b"x" * 2896))
    assert status(frame, link_type=link_type) == Status.OFFLOADED
    quiet = bytes(12) + frame[12:] if link_type == 1 else b"\0\0\x03\x04" + frame[4:]
    assert status(quiet, link_type=link_type) == Status(0)


@pytest.mark.parametrize(
    ("source", "target", "wired"),
    [("192.0.2.1", "198.51.100.7", True), ("192.0.2.1", "192.0.2.1", False), ("127.0.0.1", "127.0.0.2", False)],
)
def test_raw_ip_between_hosts_was_on_a_wire(source, target, wired):
    """Without a link layer the addresses tell: a packet to oneself needs no wire."""
    frame = bytes(IP(src=source, dst=target) / TCP() / Raw(b"x" * 2896))
    assert status(frame, link_type=101) == (Status.OFFLOADED if wired else Status(0))


def test_fragments_are_told_apart():
    """The first fragment shows the transport header, later ones only the protocol, in IPv4 and IPv6."""
    data = bytes(UDP(sport=5, dport=6, len=1508))
    frames = [
        bytes(ETHER / IP(flags="MF", id=9, proto=17) / Raw(data)),
        bytes(ETHER / IP(frag=185, id=9, proto=17) / Raw(b"y" * 28)),
        bytes(ETHER / IPv6() / IPv6ExtHdrFragment(m=1, id=0x10009, nh=17) / Raw(data)),
        bytes(ETHER / IPv6() / IPv6ExtHdrFragment(offset=185, id=0x10009, nh=17) / Raw(b"y" * 28)),
    ]
    result = check(frames)
    packets, ends = result.packets, result.endpoints
    assert packets.protocol.tolist() == [17] * 4
    assert packets.ip_id.tolist() == [9] * 4
    assert ends.source_port.tolist() == [5, 0, 5, 0]
    assert packets.fragment_offset.tolist() == [0, 185, 0, 185]
    assert packets.payload_length.tolist() == [0, 28, 0, 28]
    extra = Status.IP_OPTIONS
    first, later = Status.FRAGMENT_FIRST, Status.FRAGMENT_LATER
    assert [first, later, first | extra, later | extra] == packets.status.tolist()


def test_headers_that_contradict_themselves_are_marked():
    """Impossible IP and transport lengths are marked, and nothing behind them is decoded."""
    assert Status.BAD_IP_HEADER in status(ETHER / IP(ihl=4) / TCP())
    assert Status.BAD_IP_HEADER in status(ETHER / IP(len=12) / TCP())
    seven = bytes(ETHER)[:12] + b"\x08\0" + bytes(IP(version=7) / TCP())
    assert status(seven) == Status.BAD_IP_HEADER | Status.NOT_IP
    assert Status.BAD_TRANSPORT in status(ETHER / IP() / TCP(dataofs=4))
    assert Status.BAD_TRANSPORT in status(ETHER / IP() / TCP(dataofs=9))
    assert Status.BAD_TRANSPORT in status(ETHER / IP() / UDP(len=7))
    assert Status.BAD_TRANSPORT in status(ETHER / IP(len=25) / UDP())


def test_offsets_fit_their_columns_in_endless_stacks():
    """A frame of nothing but tags ends in time, marked, without an IP packet."""
    frame = bytes(ETHER)[:12] + b"\x81\0\0\1" * 30_000
    packets = decoded([frame]).packets
    assert packets.status[0] & ~Status.HEADER_CUT == Status.NOT_IP | Status.TAGGED


def test_quotes_name_the_packet_that_failed():
    """ICMP and ICMPv6 errors list the quoted packet; echoes and later fragments do not."""
    quoted = IP(src="192.0.2.9", dst="203.0.113.9", ttl=1, tos=4, id=77) / TCP(sport=1234, dport=443, seq=99)
    frames = [
        bytes(ETHER / IP() / ICMP(type=11) / Raw(bytes(quoted)[:28])),
        bytes(ETHER / IP() / ICMP(type=8) / Raw(bytes(quoted))),
        bytes(ETHER / Dot1Q(vlan=1) / IP() / ICMP(type=3, code=4) / Raw(bytes(quoted))),
        bytes(ETHER / IPv6() / ICMPv6DestUnreach() / IPv6(src="2001:db8::9", hlim=3) / UDP(sport=8, dport=9)),
        bytes(ETHER / IP(frag=3, proto=1) / Raw(b"\x0b\0" + bytes(60))),
    ]
    quotes = decoded(frames).quotes
    assert quotes.packet.tolist() == [0, 2, 3]
    assert quotes.version.tolist() == [4, 4, 6]
    assert quotes.ttl.tolist() == [1, 1, 3]
    assert quotes.ip_id.tolist() == [77, 77, 0]
    assert list(zip(quotes.source_port, quotes.target_port, strict=True)) == [(1234, 443), (1234, 443), (8, 9)]
    assert quotes.seq.tolist() == [99, 99, 0]
    assert quotes.source_high[2:].tolist() == [0x20010DB8 << 32]
