"""Decoded columns agree with tshark on real captures."""

import pytest
from scapy.packet import Raw
from scapy.utils import wrpcap

from benchmarks.decode_check import compare, expected, run
from netinterf.capture import find_captures, open_capture
from netinterf.decode import decode
from netinterf.errors import CaptureError
from tests.oracles import naive_decoder
from tests.oracles.frames import table
from tests.oracles.stacks import every_stack

SAMPLE = 40
# What is left over are packets that contradict themselves and that tshark gives up on; see the benchmark.
SHARE = 0.999


@pytest.mark.captures
@pytest.mark.tshark
def test_columns_agree_with_tshark(captures_dir, tshark):
    """Addresses, ports, flags, numbers, options and payload lengths of a sample of captures are those of tshark."""
    result = run(captures_dir / "benign", SAMPLE)
    assert result["frames"] > 1000
    assert result["share"] >= SHARE, result["entries"][:5]


@pytest.mark.tshark
def test_tunnels_read_like_tshark(tmp_path, tshark):
    """Every tunnel in every version of IP, as tshark takes it apart."""
    frames = [frame for name, link, frame, _, _ in every_stack() if name.split(" in ")[1] in {"ethernet", "vlan"}]
    wrpcap(str(tmp_path / "tunnels.pcap"), [Raw(frame) for frame in frames], linktype=1)
    capture = open_capture(tmp_path / "tunnels.pcap")
    compared, differences = compare(tmp_path / "tunnels.pcap", decode(capture.buffer, capture.records, [1]))
    assert compared == len(frames) > 40
    assert [entry for entry in differences if entry["reason"] == "unexplained"] == []


def test_the_layer_that_tshark_does_not_name_is_no_inner_one():
    """The stack of an MPLS frame lacks the IP layer that carries GRE: the second address is the innermost packet's."""
    frame = {"frame.protocols": "eth:ethertype:mpls:gre:ip:tcp", "ip.proto": "47,6", "ip.ttl": "64,63"}
    frame |= {"ip.src": "203.0.113.1,192.0.2.1", "ip.dst": "203.0.113.2,192.0.2.2", "ip.id": "1,2"}
    found = expected(frame)
    assert (found["source"], found["target"], found["ttl"], found["ip_id"]) == ("192.0.2.1", "192.0.2.2", 63, 2)
    plain = expected({**frame, "frame.protocols": "eth:ethertype:ip:gre:ip:tcp"})
    assert {name: plain[name] for name in found} == found


@pytest.mark.captures
def test_real_captures_decode_as_the_twin_says(captures_dir):
    """The start of every hostile capture decodes as the slow twin says, frame by frame."""
    frames = 0
    for path in find_captures([captures_dir / "hostile"]).captures:
        try:
            capture = open_capture(path)
            links = [interface.link_type for interface in capture.interfaces]
            rows = slice(0, 60)
            result = decode(capture.buffer, capture.records.take(rows), links)
        except CaptureError:
            continue
        records = capture.records.take(rows)
        places = list(zip(records.at.tolist(), records.captured.tolist(), strict=True))
        data = [bytes(capture.buffer[at : at + size]) for at, size in places]
        numbers = [links[interface] for interface in records.interface.tolist()]
        twin = dict(
            zip(
                records.frame.tolist(),
                naive_decoder.decode_frames(data, numbers, records.length.tolist()),
                strict=True,
            )
        )
        for packet, got in zip(result.packets.frame.tolist(), table(result), strict=True):
            assert twin[packet] == got, (path, packet)
            frames += 1
    assert frames > 1000
