import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from netinterf.simulate.encode import Segments, encode, fold
from netinterf.simulate.network.packet import Packet, address, address_text, segments
from netinterf.table import Ragged

ADDRESSES = ("192.0.2.1", "203.0.113.255", "10.0.0.1", "2001:db8::1", "2001:db8:ffff:ffff::ffff:1")
FOUR = [text for text in ADDRESSES if "." in text]
SIX = [text for text in ADDRESSES if ":" in text]


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """Draw any packet the builder can make."""
    family = draw(st.sampled_from([FOUR, SIX]))
    tcp = draw(st.booleans())
    words = draw(st.integers(0, 10)) if tcp else 0
    port = st.integers(0, 65_535)
    wide = st.integers(0, 2**32 - 1)
    return Packet(
        source=address(draw(st.sampled_from(family))),
        destination=address(draw(st.sampled_from(family))),
        sport=draw(port),
        dport=draw(port),
        protocol=6 if tcp else 17,
        ttl=draw(st.integers(0, 255)),
        ip_id=draw(port),
        ip_flags=draw(st.sampled_from([0, 2])),
        tos=draw(st.integers(0, 255)),
        seq=draw(wide),
        ack=draw(wide),
        flags=draw(st.integers(0, 0x1FF)),
        window=draw(port),
        options=b"\x01" * (4 * words),
        payload=draw(st.binary(max_size=80)),
    )


def by_scapy(packet: Packet) -> bytes:
    """Build the same frame the slow way."""
    source, destination = address_text(packet.source), address_text(packet.destination)
    if ":" in source:
        network = IPv6(src=source, dst=destination, tc=packet.tos, hlim=packet.ttl)
    else:
        network = IP(
            src=source, dst=destination, tos=packet.tos, ttl=packet.ttl, id=packet.ip_id, flags=packet.ip_flags
        )
    if packet.protocol == 17:
        transport = UDP(sport=packet.sport, dport=packet.dport)
    else:
        transport = TCP(
            sport=packet.sport,
            dport=packet.dport,
            seq=packet.seq,
            ack=packet.ack,
            flags=packet.flags,
            window=packet.window,
            options=[("NOP", None)] * len(packet.options),
        )
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / network / transport
    return bytes(frame / packet.payload)


@settings(max_examples=40, deadline=None)
@given(st.lists(packets(), min_size=1, max_size=6))
def test_frames_equal_those_of_another_builder(made: list[Packet]) -> None:
    """Any mix of packets gives the bytes, checksums included, that scapy gives one by one."""
    columns = segments(
        [0] * len(made), made, [packet.ttl for packet in made], 0x020000000002, 0x020000000001, [False] * len(made)
    )
    expected = [by_scapy(packet) for packet in made]
    assert expected == [frame.tobytes() for frame in encode(columns)]


def test_no_packets_give_no_frames() -> None:
    """An empty table gives an empty column."""
    assert len(encode(Segments.empty())) == 0


def test_received_frames_are_padded_to_the_minimum() -> None:
    """A short frame that came in over Ethernet has 60 bytes, and its checksum does not cover the padding."""
    packet = Packet(source=address("192.0.2.1"), destination=address("10.0.0.1"), sport=80, dport=4000, flags=4)
    frame = encode(segments([0], [packet], [64], 2, 1, [True]))[0].tobytes()
    assert len(frame) == 60
    assert frame[:54] == encode(segments([0], [packet], [64], 1, 2, [False]))[0].tobytes()
    assert frame[54:] == bytes(6)


def test_a_udp_checksum_of_zero_is_sent_as_all_ones() -> None:
    """RFC 768 reserves the all-zero checksum field for "none"."""
    base = Packet(source=address("0.0.0.0"), destination=address("0.0.0.0"), sport=0, dport=0, protocol=17)
    needed = int(
        fold(np.array([17 + 10 + 10], np.uint64))[0]
    )  # pseudo-header, both lengths; the payload fills up to 0xffff
    made = [Packet(**{**_fields(base), "payload": needed.to_bytes(2, "big")})]
    frame = encode(segments([0], made, [64], 2, 1, [False]))[0].tobytes()
    assert frame[40:42] == b"\xff\xff"


def _fields(packet: Packet) -> dict[str, object]:
    return {name: getattr(packet, name) for name in ("source", "destination", "sport", "dport", "protocol")}


def test_columns_must_be_of_equal_length() -> None:
    """A column of another length is refused."""
    with pytest.raises(ValueError, match="rows"):
        Segments.of(
            time=[0, 1],
            source_low=[1],
            destination_low=[1],
            sport=[1],
            dport=[1],
            options=Ragged.empty(1, np.uint8),
        )


@pytest.mark.parametrize("text", [*ADDRESSES, "0.0.0.0", "255.255.255.255", "::"])
def test_addresses_survive_a_round_trip(text: str) -> None:
    """Reading and writing an address gives the same text."""
    assert address_text(address(text)) == text
