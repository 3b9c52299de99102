"""DNS of a capture: which packets are DNS, and what belongs to one question."""

import numpy as np

from netinterf.protocols.dns import parse_dns
from netinterf.protocols.dns_exchanges import WINDOW_NS
from netinterf.protocols.streams import Streams
from netinterf.schema import ParseError
from netinterf.trace import read
from tests.oracles.dns_frames import CLIENT, MILLISECOND, OTHER, RAW_IP, RESOLVER, Talk, address_record, message, packet

SECOND = 10**9


def trace_of(talk):
    """Read the frames of a talk."""
    times, frames, _ = talk.capture()
    return read(times=times, frames=frames, link_type=RAW_IP)


def members(trace):
    """List the frames of the queries and replies of each exchange."""
    frames = trace.packets.frame[trace.dns.packet]
    return [
        ([int(frames[row]) for row in queries], [int(frames[row]) for row in replies])
        for queries, replies in zip(trace.exchanges.queries, trace.exchanges.replies, strict=True)
    ]


def test_every_reply_is_kept():
    """Three replies to one query make one exchange, in time order."""
    talk = Talk()
    talk.ask("www.example.com")
    for delay in (30, 10, 20):
        talk.reply("www.example.com", address_record(f"1.2.3.{delay}"), after=delay * MILLISECOND)
    trace = trace_of(talk)
    assert members(trace) == [([1], [2, 3, 4])]
    assert trace.dns.exchange.tolist() == [0, 0, 0, 0]


def test_a_query_sent_again_joins_its_exchange():
    """The same question with the same port and number is one exchange; another port or number is another."""
    talk = Talk()
    talk.ask("www.example.com")
    talk.ask("www.example.com", new=False, after=SECOND)
    talk.reply("www.example.com", address_record("1.2.3.4"), after=SECOND + 20 * MILLISECOND)
    talk.ask("www.example.com", after=2 * SECOND)
    assert members(trace_of(talk)) == [([1, 2], [3]), ([4], [])]


def test_letter_case_does_not_split():
    """Replies in another letter case belong to the query, and both spellings are kept."""
    talk = Talk()
    talk.ask("wWw.ExAmple.com")
    talk.reply("www.example.com", address_record("1.2.3.4"))
    trace = trace_of(talk)
    assert members(trace) == [([1], [2])]
    assert list(trace.dns.raw_name) == ["wWw.ExAmple.com", "www.example.com"]
    assert list(trace.exchanges.name) == ["www.example.com"]


def test_types_are_told_apart():
    """Two types asked under one number and port are two exchanges."""
    talk = Talk()
    talk.ask("www.example.com", kind=1)
    talk.ask("www.example.com", kind=28, new=False)
    talk.reply("www.example.com", kind=28)
    assert members(trace_of(talk)) == [([1], []), ([2], [3])]


def test_the_window_ends_after_ten_seconds():
    """A reply later than the window begins an exchange of its own."""
    talk = Talk()
    talk.ask("a.example.com")
    talk.reply("a.example.com", after=WINDOW_NS)
    talk.reply("a.example.com", after=WINDOW_NS + 1)
    assert members(trace_of(talk)) == [([1], [2]), ([], [3])]


def test_replies_alone_make_exchanges():
    """In a capture of one direction replies are tied to each other."""
    talk = Talk()
    for delay in (1, 2):
        talk.reply("a.example.com", address_record("1.2.3.4"), after=delay * MILLISECOND)
    assert members(trace_of(talk)) == [([], [1, 2])]


def test_a_damaged_question_is_tied_by_its_number():
    """A reply whose question lost its class belongs to the query before it, with the query's type and class."""
    talk = Talk()
    talk.ask("google.com")
    talk.reply(
        "google.com", address_record("10.10.34.35", ttl=418), qclass=b"", opt=False, counts=(1, 1, 0, 1), after=9
    )
    talk.reply("google.com", address_record("142.250.1.1"))
    trace = trace_of(talk)
    assert members(trace) == [([1], [2, 3])]
    assert trace.dns.error.tolist() == [ParseError.NONE, ParseError.BAD_VALUE, ParseError.NONE]
    assert list(zip(trace.exchanges.kind.tolist(), trace.exchanges.qclass.tolist(), strict=True)) == [(1, 1)]


def test_a_reply_without_question_is_tied_by_its_number():
    """Servers that refuse may leave the question out; the reply still finds its query."""
    talk = Talk()
    talk.ask("a.example.com")
    talk.send(
        message("", number=talk.number, flags=0x8185, counts=(0, 0, 0, 0))[:12], outbound=False, after=MILLISECOND
    )
    assert members(trace_of(talk)) == [([1], [2])]


def test_other_protocols_on_the_wire_stay_out():
    """Multicast DNS, LLMNR and what makes no sense on port 53 are no DNS exchanges."""
    query = message("printer.local", flags=0)
    frames = [
        packet(CLIENT, "224.0.0.251", 5353, 5353, query),
        packet(CLIENT, "224.0.0.252", 40000, 5355, query),
        packet(CLIENT, RESOLVER, 40000, 53, b"\xff" * 40),
    ]
    trace = read(times=[1, 2, 3], frames=frames, link_type=RAW_IP)
    assert (len(trace.dns), len(trace.exchanges)) == (0, 0)


def test_odd_messages_of_a_dns_flow_are_kept():
    """In a flow that is DNS a message too short for a header keeps its row."""
    talk = Talk()
    talk.ask("a.example.com")
    talk.send(b"\0\1\2", outbound=False, after=MILLISECOND)
    trace = trace_of(talk)
    assert trace.dns.error.tolist() == [ParseError.NONE, ParseError.BAD_LENGTH]


def test_servers_are_told_apart():
    """The same question to two servers from one port is two exchanges."""
    query = message("a.example.com", flags=0x0100)
    answer = message("a.example.com", address_record("1.2.3.4"))
    frames = [
        packet(CLIENT, RESOLVER, 40000, 53, query),
        packet(CLIENT, OTHER, 40000, 53, query),
        packet(OTHER, CLIENT, 53, 40000, answer),
        packet(RESOLVER, CLIENT, 53, 40000, answer),
    ]
    trace = read(times=[1, 2, 3, 4], frames=frames, link_type=RAW_IP)
    assert members(trace) == [([1], [4]), ([2], [3])]


def test_ipv6_works_alike():
    """Addresses of version 6 change nothing."""
    talk = Talk(client="2001:db8::2", server="2606:4700:4700::1111")
    talk.ask("a.example.com", kind=28)
    talk.reply("a.example.com", address_record("2606:4700::1"), kind=28)
    assert members(trace_of(talk)) == [([1], [2])]


def test_messages_over_tcp_are_cut_at_their_lengths():
    """Two queries and two replies in two streams give two exchanges; a message cut off is marked."""

    def framed(*wires):
        return b"".join(len(wire).to_bytes(2, "big") + wire for wire in wires)

    names = ("a.example.com", "b.example.com")
    queries = framed(*(message(name, number=9, flags=0x0100) for name in names))
    replies = framed(*(message(name, address_record("1.2.3.4"), number=9) for name in names))
    talk = Talk()
    talk.ask("udp.example.com")
    base = trace_of(talk)
    streams = Streams.of([queries, replies[:-3]], side=[0, 1], packet=[0, 0])
    tables = parse_dns(base.buffer, base.packets, base.flows, base.hosts, streams)
    assert ["udp.example.com", *names] == sorted(tables.exchanges.name, key=len, reverse=True)
    assert {
        ParseError(code).name: count
        for code, count in zip(*np.unique(tables.dns.error, return_counts=True), strict=True)
    } == {"NONE": 4, "CUT": 1}
    both = [row for row, name in enumerate(tables.exchanges.name) if name in names]
    assert [(len(tables.exchanges.queries[row]), len(tables.exchanges.replies[row])) for row in both] == [
        (1, 1),
        (1, 1),
    ]
    assert (np.diff(tables.answers.message) >= 0).all()
    assert tables.dns.at[np.isin(tables.dns.exchange, both)].tolist() == [-1] * 4


def test_streams_of_something_else_stay_out():
    """A stream on port 53 that is not DNS gives no messages."""
    base = trace_of(Talk())
    streams = Streams.of([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3], side=[0], packet=[0])
    tables = parse_dns(base.buffer, base.packets, base.flows, base.hosts, streams)
    assert (len(tables.dns), len(tables.exchanges)) == (0, 0)


def test_a_message_that_lies_about_its_counts_is_kept():
    """A readable question of an assigned class makes a message DNS, whatever its counts promise."""
    wire = message("a.example.com", counts=(1, 500, 0, 0))
    trace = read(times=[1], frames=[packet(RESOLVER, CLIENT, 53, 40000, wire)], link_type=RAW_IP)
    assert trace.dns.error.tolist() == [ParseError.MISSING]
