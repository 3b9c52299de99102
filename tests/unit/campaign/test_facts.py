"""What is read of packets for a store: answers, denials, and how far they came."""

import pytest
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

import netinterf
from netinterf.campaign.collecting.facts import NXDOMAIN, Kind, facts_of

CLIENT, RESOLVER = "192.0.2.10", "198.51.100.53"


def lookup(number, *, rcode=0, address=None, repeats=1, ttl=57):
    """Ask for a name, and be answered, perhaps more than once."""
    name = f"name{number}.example"
    ask = IP(src=CLIENT, dst=RESOLVER) / UDP(sport=40000 + number, dport=53) / DNS(id=number, qd=[DNSQR(qname=name)])
    records = [DNSRR(rrname=name, rdata=address, ttl=60)] if address else []
    reply = (
        IP(src=RESOLVER, dst=CLIENT, ttl=ttl) / UDP(sport=53, dport=40000 + number)
        / DNS(id=number, qr=1, rcode=rcode, qd=[DNSQR(qname=name)], an=records)
    )  # fmt: skip
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")  # else scapy asks the network for them
    return [frame / ask, *[frame / reply] * repeats]


@pytest.mark.parametrize("denied", [0, 1, 2, 3])
def test_denials_are_answers_with_their_hop_limits(tmp_path, denied):
    """Each once for an exchange, however often it came; a failure of the resolver is none."""
    packets = [*lookup(1, address="203.0.113.7", ttl=51), *lookup(2, rcode=2)]
    for number in range(denied):
        packets += lookup(10 + number, rcode=3, repeats=1 + number, ttl=60 + number)
    for place, packet in enumerate(packets):
        packet.time = 1_700_000_000 + place / 100
    path = tmp_path / "lookups.pcap"
    wrpcap(str(path), packets)
    trace = netinterf.read(path)
    facts = facts_of(trace)
    told = sorted(
        (str(trace.exchanges.name[int(exchange)]), str(value), float(number), bool(hidden))
        for exchange, value, number, hidden in zip(
            facts.exchange, facts.value, facts.number, facts.hidden, strict=True
        )
    )  # fmt: skip
    expected = [("name1.example", "203.0.113.7", 51.0, False)]
    expected += [(f"name{10 + number}.example", NXDOMAIN, 60.0 + number, False) for number in range(denied)]
    assert told == sorted(expected)
    assert set(facts.kind.tolist()) == {Kind.ANSWER}
