"""Every link layer and every tunnel, built with scapy and compared with scapy's own dissection."""

import ipaddress

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from netinterf.schema import Status
from tests.oracles.frames import check, decoded
from tests.oracles.stacks import every_stack, inner_packets

pytestmark = pytest.mark.usefixtures("each_way")

STACKS = every_stack()
FIRST, PLAIN = {0, 1, 9, 101, 113, 276}, {"tcp4", "udp6", "vxlan"}
"""Link types behind which each stack is cut everywhere, and stacks that are cut behind each link type of more bytes."""


def innermost(packet):
    """Give scapy's innermost IP layer."""
    found = [layer for layer in walk(packet) if isinstance(layer, IP | IPv6)]
    return found[-1]


def walk(packet):
    """List the layers of a packet."""
    while packet:
        yield packet
        packet = packet.payload


@pytest.mark.parametrize(("name", "link_type", "frame", "tagged", "packet"), STACKS, ids=[item[0] for item in STACKS])
def test_stack_reads_like_scapy(name, link_type, frame, tagged, packet):
    """The innermost packet has the fields that scapy reads, whatever it is wrapped in."""
    result = decoded([frame], link_type)
    packets, ends = result.packets, result.endpoints
    layer = innermost(packet)
    layer = layer.__class__(bytes(layer))
    version = int(packets.version[0])
    assert layer.version == version
    addresses = [
        int(ends.source_high[0]) << 64 | int(ends.source_low[0]),
        int(ends.target_high[0]) << 64 | int(ends.target_low[0]),
    ]
    mapped = 0xFFFF << 32 if version == 4 else 0
    assert [int(ipaddress.ip_address(text)) | mapped for text in (layer.src, layer.dst)] == addresses
    assert (layer.ttl if version == 4 else layer.hlim) == packets.ttl[0]
    assert (layer.tos if version == 4 else layer.tc) == packets.tos[0]
    assert bool(tagged) == bool(packets.status[0] & Status.TAGGED) or name.startswith(("gre_ethernet", "etherip"))
    for kind in (TCP, UDP):
        if kind in layer:
            assert [layer[kind].sport, layer[kind].dport] == [ends.source_port[0], ends.target_port[0]]
            assert len(layer[kind].payload) == packets.payload_length[0]
    if TCP in layer:
        segment = layer[TCP]
        assert [segment.seq, segment.ack, segment.window] == [packets.seq[0], packets.ack[0], packets.window[0]]
        assert int(segment.flags) == packets.tcp_flags[0]
        options = dict(segment.options)
        assert options.get("MSS", 0) == packets.mss[0]
        assert options.get("WScale", 255) == packets.window_shift[0]
        assert options.get("Timestamp", (0, 0)) == (packets.tsval[0], packets.tsecr[0])


def test_stacks_mixed_in_one_capture_read_as_alone():
    """Frames of one link type decode the same together as one by one."""
    for link_type in {item[1] for item in STACKS}:
        check([item[2] for item in STACKS if item[1] == link_type], link_type)


@pytest.mark.parametrize("name", sorted(inner_packets()))
def test_stack_cut_at_every_byte(name):
    """Cutting a stack anywhere gives zeros and marks behind the cut, and nothing that the frame does not hold."""
    for stack, link_type, frame, _, _ in STACKS:
        cut = link_type in FIRST or (name in PLAIN and link_type not in {12, 14, 50, 51, 104, 108, 228, 229})
        if stack.startswith(f"{name} in ") and cut:
            frames = [frame[:size] for size in range(len(frame) + 1)]
            result = check(frames, link_type, [len(frame)] * len(frames))
            whole = result.packets.status[-1]
            assert not whole & (Status.HEADER_CUT | Status.PAYLOAD_CUT)
