"""Community IDs as other monitors compute them."""

from importlib.resources import as_file, files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.packet import Packet

import netinterf
from netinterf.analyzers.run import analyze
from netinterf.capture import write_pcap
from netinterf.simulate import run
from netinterf.trace import Trace, read
from netinterf.verdict import classify
from netinterf.written.community import community_id
from netinterf.written.ledger import explain

A6, B6 = "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea"

KNOWN = [
    (58, A6, B6, (0, 0), (135, 0), "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (58, B6, A6, (0, 0), (136, 0), "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", (0, 0), (3, 0), "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="),
    (58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", (0, 0), (128, 0), "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="),
    (1, "192.168.0.89", "192.168.0.1", (0, 0), (8, 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (1, "10.0.0.1", "10.0.0.2", (0, 0), (11, 0), "1:YHxtAirCG//0OzkcVAukqKQN9xM="),
    (6, "128.232.110.120", "66.35.250.204", (34855, 80), (0, 0), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (17, "192.168.1.52", "8.8.8.8", (54585, 53), (0, 0), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (132, "192.168.170.8", "192.168.170.56", (7, 7), (0, 0), "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
    (46, "10.1.12.1", "10.1.12.2", (0, 0), (0, 0), "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="),
]
"""Of the baseline that comes with the specification (corelight/community-id-spec, baseline_deflt.json)."""


@pytest.mark.parametrize(("protocol", "client", "server", "ports", "icmp", "known"), KNOWN)
def test_the_specification_s_own_examples(
    protocol: int, client: str, server: str, ports: tuple[int, int], icmp: tuple[int, int], known: str
) -> None:
    """For messages that ask and answer, for those that do neither, and for protocols without ports."""
    assert community_id(protocol, client, server, ports, icmp) == known


@given(
    protocol=st.sampled_from([6, 17, 132, 47]),
    hosts=st.lists(st.ip_addresses(v=4).map(str), min_size=2, max_size=2),
    ports=st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
)
def test_it_is_the_same_from_both_ends(protocol: int, hosts: list[str], ports: tuple[int, int]) -> None:
    """Whoever is called client; equal addresses are told apart by their ports."""
    client, server = hosts
    same = community_id(protocol, client, server, ports)
    assert same == community_id(protocol, server, client, ports[::-1])
    assert community_id(protocol, client, client, ports) == community_id(protocol, client, client, ports[::-1])


def ids_of(trace: Trace) -> list[str | None]:
    """Give the IDs of a trace's flows."""
    evidence = analyze(trace)
    return [one.community_id for one in explain(classify(evidence, trace), evidence, trace)]


@pytest.mark.parametrize("version", [4, 6])
def test_pings_have_one_whoever_was_captured(version: int) -> None:
    """Request and reply, or one of them alone."""
    there, back = ping(version)
    ids = [ids_of(read(times=[0] * len(kept), frames=kept, link_type=101)) for kept in ([there, back], [there], [back])]
    assert ids[0] == ids[1] == ids[2] != [None]


def ping(version: int) -> tuple[bytes, bytes]:
    """Make a request and its answer."""
    if version == 4:
        ends: tuple[Packet, Packet] = (IP(src="192.0.2.1", dst="192.0.2.9"), IP(src="192.0.2.9", dst="192.0.2.1"))
        return bytes(ends[0] / ICMP(type=8, id=7)), bytes(ends[1] / ICMP(type=0, id=7))
    ends = (IPv6(src="2001:db8::1", dst="2001:db8::9"), IPv6(src="2001:db8::9", dst="2001:db8::1"))
    return bytes(ends[0] / ICMPv6EchoRequest(id=7)), bytes(ends[1] / ICMPv6EchoReply(id=7))


@pytest.mark.tshark
@pytest.mark.parametrize("scenario", ["browsing", "dns.injection.gfw-3"])
def test_wireshark_has_the_same(scenario: str, tmp_path, tshark) -> None:
    """For the first packet of every flow of simulated captures, IPv4 and IPv6."""
    for seed in range(4):
        path, made = tmp_path / f"{seed}.pcap", run(scenario, seed)
        with path.open("wb") as held:
            write_pcap(held, made.times, made.frames, made.link_type, lengths=made.lengths)
        told = tshark(path, "frame.number", "communityid", options=("--enable-protocol", "communityid"))
        theirs = {int(number): one for number, one in told}
        ours = [one for one in netinterf.scan(path).verdicts if one.group is None]
        assert len(ours) > 5
        assert all(theirs[one.subject.first_frame] == one.community_id for one in ours)


def test_a_redacted_verdict_has_that_of_its_new_addresses() -> None:
    """The old one would tell the old addresses to whoever tries them all."""
    with as_file(files("netinterf") / "data" / "examples" / "tcp.reset.pcap.gz") as path:
        result = netinterf.scan(path)
    redacted = result.redacted(bytes(16))
    for before, after in zip(result.verdicts, redacted.verdicts, strict=True):
        if before.group is None:
            subject = after.subject
            ports = (subject.client_port or 0, subject.server_port or 0)
            protocol = {"tcp": 6, "udp": 17}[subject.protocol or ""]
            assert after.community_id == community_id(protocol, subject.client or "", subject.server or "", ports)
            assert after.community_id != before.community_id
