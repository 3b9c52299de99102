"""Conversations: reuse of ports, replies only, fragments, echo, and the flows of quoted packets."""

import attrs
import numpy as np
import pytest

from netinterf.flows.assign import assign_flows, tie_quotes
from netinterf.schema import IcmpQuotes, OrientedBy, Packets, Status
from tests.oracles.segments import CLIENT, SERVER, Segment, client, decoded, halves, server

pytestmark = pytest.mark.usefixtures("each_way")

SECOND = 10**9


def assign(*segments):
    """Assign flows to hand-written segments."""
    return assign_flows(*decoded(segments))


def flow_of(*segments):
    """Give the flow number of each segment."""
    return assign(*segments).packets.flow.tolist()


def test_empty_capture_gives_empty_tables():
    """No packets give no flows and no hosts."""
    assigned = assign()
    assert tuple(len(t) for t in (assigned.packets, assigned.hosts, assigned.flows, assigned.by_flow)) == (0, 0, 0, 0)


def test_frames_without_ip_have_no_flow():
    """A frame without an IP packet keeps flow -1 even between others."""
    assert flow_of(client("S"), Segment(version=0, protocol=0), server("SA")) == [0, -1, 0]


def test_repeated_syn_stays_and_new_syn_opens_a_flow():
    """A SYN with the same sequence number is a repeat; another number is another connection."""
    first = [client("S", 100), client("S", 100), server("SA", 900, 101), client("A", 101, 901)]
    second = [client("S", 5000), server("SA", 7000, 5001)]
    assert flow_of(*first, *second) == [0, 0, 0, 0, 1, 1]


def test_unanswered_attempts_are_flows_of_their_own():
    """Two SYNs with different numbers are two attempts even when none was answered."""
    assert flow_of(client("S", 100), client("S", 200), client("S", 200)) == [0, 1, 1]


def test_syn_after_the_rest_of_an_older_connection_opens_a_flow():
    """A first SYN behind other packets of the same ports begins a new connection."""
    assert flow_of(client("A", 5, 5, 10), server("RA", 5, 15), client("S", 100)) == [0, 0, 1]


def test_overtaken_syn_stays_with_its_answer():
    """A SYN captured just after the SYN/ACK that answers it belongs to the same flow, and its sender is the client."""
    assigned = assign(server("SA", 900, 101), client("S", 100), client("A", 101, 901))
    assert assigned.packets.flow.tolist() == [0, 0, 0]
    assert assigned.packets.outbound.tolist() == [False, True, True]


def test_simultaneous_open_is_one_flow():
    """Two sides that open towards each other have one conversation, whose client spoke first."""
    assigned = assign(client("S", 100), server("S", 900), server("SA", 900, 101), client("SA", 100, 901))
    assert assigned.packets.flow.tolist() == [0, 0, 0, 0]
    assert assigned.packets.outbound.tolist() == [True, False, False, True]


def test_replies_only_are_split_by_what_they_acknowledge():
    """Where only the server was captured, SYN/ACKs that answer different SYNs are different connections."""
    assigned = assign(
        server("SA", 900, 101),
        server("SA", 900, 101),
        server("A", 901, 200),
        server("SA", 7000, 5001),
        server("R", 901),
    )
    assert assigned.packets.flow.tolist() == [0, 0, 0, 1, 1]
    assert not assigned.packets.outbound.any()
    assert assigned.flows.oriented_by.tolist() == [OrientedBy.SYN_ACK] * 2
    assert assigned.flows.client_port.tolist() == [50000, 50000]


def test_forged_answers_do_not_split():
    """SYN/ACKs that contradict each other about one SYN stay in its flow: the contradiction is the evidence."""
    assert flow_of(client("S", 100), server("SA", 900, 101), server("SA", 12345, 101)) == [0, 0, 0]


@pytest.mark.parametrize(
    ("source", "target", "by_server", "how"),
    [
        (53, 40000, True, OrientedBy.PORTS),
        (40000, 53, False, OrientedBy.PORTS),
        (5353, 53, False, OrientedBy.PORTS),
        (8080, 40000, True, OrientedBy.PORTS),
        (123, 123, False, OrientedBy.FIRST_TALKER),
        (40000, 41000, False, OrientedBy.FIRST_TALKER),
        (0, 443, False, OrientedBy.PORTS),
        (443, 53, False, OrientedBy.FIRST_TALKER),
    ],
)
def test_service_port_tells_the_server(source, target, by_server, how):
    """Without a handshake the better-known port is the server's; equal ranks leave it to the first talker."""
    segment = Segment(source=("192.0.2.1", source), target=("198.51.100.7", target), protocol=17)
    assigned = assign(segment)
    assert [not by_server] == assigned.packets.outbound.tolist()
    assert [how] == assigned.flows.oriented_by.tolist()


def test_echo_reply_names_its_receiver_as_client():
    """An ICMP echo reply that was captured alone still goes to the client."""
    reply = Segment(source=("198.51.100.7", 77), target=("192.0.2.1", 77), protocol=1, icmp=0)
    assigned = assign(reply)
    assert not assigned.packets.outbound[0]
    assert assigned.hosts.low[assigned.flows.client[0]] == halves("192.0.2.1")[1]


def fragments(ip_id, *, first=True, time=0, ports=(53, 40000)):
    """Give the fragments of one UDP packet, the later one first when *first* is None."""
    base = Segment(source=("198.51.100.7", 0), target=("192.0.2.1", 0), protocol=17, ip_id=ip_id, time=time)
    later = attrs.evolve(base, status=Status.FRAGMENT_LATER)
    head = attrs.evolve(
        base, source=("198.51.100.7", ports[0]), target=("192.0.2.1", ports[1]), status=Status.FRAGMENT_FIRST
    )
    return [head, later] if first else [later]


def test_later_fragments_join_the_flow_of_their_first():
    """Fragments follow the nearest first fragment before them, also when identifications come round again."""
    one, two = fragments(7, time=0), fragments(7, time=10 * SECOND, ports=(53, 41000))
    assert flow_of(*one, *two) == [0, 0, 1, 1]


def test_fragments_that_overtook_their_first_join_it():
    """A later fragment captured before its first fragment still belongs to it."""
    head, later = fragments(7)
    assert flow_of(later, head) == [0, 0]


def test_fragments_without_their_first_have_a_flow_without_ports():
    """A later fragment whose first one is missing, or too old, gets a flow with ports 0."""
    assigned = assign(*fragments(9, first=False))
    assert assigned.flows.server_port.tolist() == [0]
    assert flow_of(*fragments(7), *fragments(7, first=False, time=61 * SECOND)) == [0, 0, 1]


def test_hosts_are_unique_and_of_both_families():
    """Each address is one host, in the order of appearance."""
    six = Segment(source=("2001:db8::1", 50000), target=("2001:db8::2", 443), version=6)
    assigned = assign(client("S"), six, client("A"), attrs.evolve(six, source=("2001:db8::3", 1)))
    addresses = list(zip(assigned.hosts.high.tolist(), assigned.hosts.low.tolist(), strict=True))
    names = ("192.0.2.1", "198.51.100.7", "2001:db8::1", "2001:db8::2", "2001:db8::3")
    assert [halves(name) for name in names] == addresses


def quote(packet, source, target, protocol=6):
    """Quote one packet in an ICMP error captured as row *packet*."""
    columns = {field.name: [0] for field in IcmpQuotes.schema() if field.name not in ("flow", "outbound")}
    columns |= {"packet": [packet], "protocol": [protocol], "version": [4]}
    columns |= {"source_port": [source[1]], "target_port": [target[1]]}
    for name, end in (("source", source), ("target", target)):
        columns[f"{name}_high"], columns[f"{name}_low"] = [[half] for half in halves(end[0])]
    return IcmpQuotes.of(**columns)


def test_quotes_find_the_flow_that_was_open():
    """A quoted packet belongs to the last flow between its ends that had begun, in the direction it went."""
    error = Segment(source=("203.0.113.1", 0), target=("192.0.2.1", 0), protocol=1, icmp=3 << 8)
    assigned = assign(client("S", 1), error, client("S", 2), error, server("SA", 9, 3))
    quotes = IcmpQuotes.concat(
        [
            quote(1, CLIENT, SERVER),
            quote(3, CLIENT, SERVER),
            quote(3, SERVER, CLIENT),
            quote(3, CLIENT, ("192.0.2.9", 1)),
        ]
    )
    tied = tie_quotes(quotes, assigned.packets, assigned.flows, assigned.hosts)
    assert tied.flow.tolist() == [0, 2, 2, -1]
    assert tied.outbound.tolist() == [True, True, False, False]
    assert np.array_equal(quotes.packet, tied.packet)


def test_quotes_of_other_protocols_or_none_stay_alone():
    """A quote whose protocol differs has no flow; no quotes give no quotes."""
    assigned = assign(client("S", 1))
    assert tie_quotes(quote(0, CLIENT, SERVER, 17), assigned.packets, assigned.flows, assigned.hosts).flow.tolist() == [
        -1
    ]
    assert len(tie_quotes(IcmpQuotes.empty(), Packets.empty(), assigned.flows, assigned.hosts)) == 0
