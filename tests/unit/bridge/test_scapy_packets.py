"""To scapy and back."""

import pytest
from scapy.all import IP, TCP, Ether, IPv6

from netinterf.bridge.scapy_packets import from_scapy, to_scapy
from netinterf.engine.examples import example
from netinterf.errors import ParameterError
from netinterf.trace import read


def test_a_trace_goes_to_scapy_and_back() -> None:
    """The same fields are seen there, and what comes back reads as the same packets."""
    trace = example("tcp.reset")
    packets = to_scapy(trace.buffer, trace.packets, trace.interfaces[0].link_type, range(20))
    assert [p[IP].ttl for p in packets if IP in p] == trace.packets.ttl[:20].tolist()
    assert [p[TCP].seq for p in packets] == trace.packets.seq[:20].tolist()
    taken = from_scapy(packets)
    again = read(times=taken.times, frames=taken.frames, link_type=taken.link_type)
    assert again.packets.seq.tolist() == trace.packets.seq[:20].tolist()
    assert abs(again.packets.time - trace.packets.time[:20]).max() < 1000  # scapy keeps float seconds


@pytest.mark.parametrize("packet", [IP() / TCP(), IPv6() / TCP(), Ether() / IP() / TCP()])
def test_built_packets_can_be_judged(packet: object) -> None:
    """Packets built by hand are read by their first layer."""
    taken = from_scapy([packet])
    trace = read(times=taken.times, frames=taken.frames, link_type=taken.link_type)
    assert trace.packets.protocol.tolist() == [6]


def test_mixed_and_bodiless_packets_are_refused() -> None:
    """One capture has one link type, and not every layer can begin a frame."""
    with pytest.raises(ParameterError, match="one kind of layer"):
        from_scapy([IP(), Ether()])
    with pytest.raises(ParameterError, match="a capture can begin with"):
        from_scapy([TCP()])
    assert from_scapy([]).frames == []


def test_unknown_link_types_come_raw() -> None:
    """Frames that scapy cannot dissect come back as bytes."""
    trace = example("benign")
    assert to_scapy(trace.buffer, trace.packets, 65000, [0])[0].name == "Raw"
