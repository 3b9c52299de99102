"""Tunnels in datagrams are opened where they are tunnels, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from netinterf.decode.headers import UDP_TUNNELS
from netinterf.schema import Status
from tests.oracles.frames import check, decoded
from tests.oracles.stacks import datagram_tunnels

pytestmark = pytest.mark.usefixtures("each_way")

PORTS = [port for port, kind in enumerate(UDP_TUNNELS.tolist()) if kind]
TUNNELS = datagram_tunnels(Raw(b"0123456789abcdef"))
# Bits of each header that are fixed, or tell how long it or what it carries is: with any of them changed it is another.
FIXED = {
    "vxlan": [(byte, bit) for byte in (0, 1, 2, 3, 7) for bit in range(8) if (byte, bit) != (0, 7)],
    "geneve": [
        (0, 7),
        (0, 6),
        (1, 7),
        *((1, bit) for bit in range(6)),
        *((byte, bit) for byte in (2, 7) for bit in range(8)),
    ],
    "gtp": [*((0, bit) for bit in range(3, 8)), *((byte, bit) for byte in (1, 2, 3) for bit in range(8))],
    "teredo": [(0, bit) for bit in range(4, 8)] + [(byte, bit) for byte in range(8, 12) for bit in range(8)],
    "l2tp": [(0, 7), (0, 5), (0, 4), (0, 2), *((byte, bit) for byte in (1, 2, 3) for bit in range(8))],
}


@pytest.mark.parametrize("name", FIXED)
def test_a_header_with_one_wrong_bit_is_none(name):
    """The datagram stays what it is, whichever of the fixed bits is another; the inside alone would not tell."""
    packet = TUNNELS[name]
    start = len(packet) - len(packet[UDP].payload)
    frame = bytearray(bytes(packet))
    if name == "vxlan":
        frame[start + 22] = 0x46  # options: else an IP packet that fits is inside, which tells whatever the header is
    assert check([bytes(frame)], 101).packets.status[0] & Status.TUNNELLED
    for byte, bit in FIXED[name]:
        other = bytearray(frame)
        other[start + byte] ^= 1 << bit
        result = check([bytes(other)], 101)
        assert not result.packets.status[0] & Status.TUNNELLED, (byte, bit)
        assert result.endpoints.target_port[0] in PORTS
        assert not result.diagnostics


@given(st.sampled_from(PORTS), st.binary(max_size=60), st.booleans())
def test_what_is_no_tunnel_stays_a_datagram(port, payload, there):
    """Any content on such a port that is no tunnel keeps its ports and length, and needs no note."""
    payload = (
        bytes([payload[0] & 0xC7 | 0x40]) + payload[1:] if payload else b""
    )  # neither version 1 of GTP, nor I, nor …
    packet = IP(src="192.0.2.1", dst="192.0.2.2") / UDP(**{"dport" if there else "sport": port}) / Raw(payload)
    packet = packet.__class__(bytes(packet))
    result = decoded([bytes(packet)], 101)
    assert (packet[UDP].sport, packet[UDP].dport) == (
        result.endpoints.source_port[0],
        result.endpoints.target_port[0],
    )
    assert result.packets.payload_length[0] == len(payload)
    assert not result.diagnostics


@pytest.mark.parametrize("port", PORTS)
def test_an_answer_to_such_a_port_is_an_answer(port):
    """A resolver that draws its ports draws these as well."""
    answer = (
        IP(src="9.9.9.9", dst="192.0.2.1") / UDP(sport=53, dport=port) / DNS(id=0x0800, qd=DNSQR(qname="a.example"))
    )
    result = check([bytes(answer)], 101)
    assert result.endpoints.source_port[0] == 53
    assert not result.diagnostics


def test_what_the_outer_packet_said_is_forgotten():
    """Ports of the tunnel are none of a packet inside that has no ports."""
    packet = TUNNELS["gtp"].copy()
    packet[UDP].payload.payload = IP(src="192.0.2.1", dst="192.0.2.2", proto=50) / Raw(b"x" * 20)
    ends = check([bytes(packet)], 101).endpoints
    assert (ends.source_port[0], ends.target_port[0]) == (0, 0)


@pytest.mark.parametrize(("more", "opened"), [(0, True), (6, True), (-1, False)])
def test_trailers_may_follow_a_packet_in_teredo(more, opened):
    """What RFC 6081 puts behind is no payload; a packet longer than its datagram is none."""
    whole = TUNNELS["teredo"]
    inside = bytes(whole[UDP].payload)
    held = inside + bytes(more) if more >= 0 else inside[:more]
    packet = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=50001, dport=3544) / Raw(held)
    packets = check([bytes(packet)], 101).packets
    assert bool(packets.status[0] & Status.TUNNELLED) == opened
    assert not opened or packets.payload_length[0] == 16


@pytest.mark.parametrize("source", ["fe80::1", "2001:db8::1"])
@pytest.mark.parametrize("target", ["ff02::2", "fe80::2", "ff05::2", "2001:db8::2", "2001:0:a00:1::1"])
def test_only_addresses_prove_teredo(source, target):
    """Those of its hosts, or those of the link on both sides, as a host asks its server with."""
    packet = IP() / UDP(sport=50001, dport=3544) / IPv6(src=source, dst=target) / UDP(sport=1, dport=2)
    opened = target.startswith("2001:0:") or (source, target[:4]) in {("fe80::1", "ff02"), ("fe80::1", "fe80")}
    assert bool(check([bytes(packet)], 101).packets.status[0] & Status.TUNNELLED) == opened
