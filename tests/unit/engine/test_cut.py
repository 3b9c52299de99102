"""A capture that is cut by time says what the whole says, and counts what it could not join."""

import io
import json
import pickle
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Raw

from netinterf import simulate
from netinterf.capture import Listing, write_pcap
from netinterf.engine.cut import CROSSED, OVERLAP_NS, PIECES, Counts, join_pieces, look_at_piece, with_beside
from netinterf.engine.judge import judge
from netinterf.engine.options import Options
from netinterf.errors import UnsupportedLinkType
from netinterf.export.jsonl import lines
from netinterf.schema import Records
from tests.oracles import containers as c

RAW, SECOND = 101, 1_000_000_000
SCENARIOS = ("tcp.reset", "dns.injection")


def cut(source, *places, look=None, analyzers=None):
    """Judge a capture that is cut behind some of its frames."""
    listing, options = Listing(source), Options(analyzers=analyzers)
    records = Records.concat(list(listing.parts()))
    edges = [0, *sorted(set(places)), len(records)]
    pieces = [records.take(slice(*edge)) for edge in pairwise(edges) if edge[0] < edge[1]]
    none = Records.empty()
    seen = [
        look_at_piece(listing.capture([with_beside(before, piece, behind)]), piece, "x", options, len(pieces), look)
        for before, piece, behind in zip([none, *pieces], pieces, [*pieces[1:], none], strict=False)
    ]
    seen = pickle.loads(pickle.dumps(seen))  # as it travels
    return join_pieces(seen, listing.capture([records]), Counts.of(pieces), "x", options, look)[0]


def told(judged):
    """Write all that is said of a capture, but for notes."""
    written = [json.loads(line) for line in lines(judged, everything=True)]
    return [{key: value for key, value in line.items() if key not in {"diagnostics", "capture"}} for line in written]


def crossed(judged):
    """Count what could not be joined."""
    return sum(note.count for note in judged.summary.diagnostics if note.code == CROSSED)


@cache
def played(scenario):
    """Play a scenario, shorter than what is looked at beside a piece."""
    capture = simulate.run(scenario, 1)
    with io.BytesIO() as file:
        write_pcap(file, capture.times, capture.frames, capture.link_type)
        return file.getvalue(), len(capture.frames)


def whole(source):
    """Judge a capture as a whole, but for who stands out, which pieces are not asked."""
    return judge(source, Options(anomalies=False), name="x")


@cache
def whole_of(scenario):
    """Judge a scenario as a whole."""
    return told(whole(played(scenario)[0]))


@settings(max_examples=5)
@given(st.sampled_from(SCENARIOS), st.data())
def test_cut_anywhere_says_what_the_whole_says(scenario, data):
    """Wherever a capture is cut whose pieces see it all: the same verdicts, evidence, frames, groups and counts."""
    source, count = played(scenario)
    judged = cut(source, data.draw(st.integers(1, count - 1)))
    assert told(judged) == whole_of(scenario)
    assert crossed(judged) == 0
    assert [note.count for note in judged.summary.diagnostics if note.code == PIECES] == [2]


def written(*packets):
    """Write packets, (seconds to a tenth, packet), as a capture."""
    with io.BytesIO() as file:
        times = [10**18 + round(10 * second) * SECOND // 10 for second, _ in packets]
        write_pcap(file, times, [bytes(packet) for _, packet in packets], RAW)
        return file.getvalue()


def out(port, flags, seq=1, data=b"", ack=1):
    """Make a packet of a client."""
    return IP(src="10.0.0.1", dst="192.0.2.1") / TCP(sport=port, dport=443, flags=flags, seq=seq, ack=ack) / Raw(data)


def back(port, flags, seq=1, data=b"", ack=1):
    """Make one of its server."""
    return IP(src="192.0.2.1", dst="10.0.0.1") / TCP(sport=443, dport=port, flags=flags, seq=seq, ack=ack) / Raw(data)


def opened(port, isn, second):
    """Open a connection."""
    return [
        (second, out(port, "S", isn)),
        (second + 0.1, back(port, "SA", 7, ack=isn + 1)),
        (second + 0.2, out(port, "A", isn + 1, ack=8)),
    ]


def test_a_conversation_through_many_pieces_is_one():
    """It is judged by its beginning, whether anybody sees it go on or not, and is counted as one that goes on."""
    steps = [(10 * number, out(4000, "PA", 101 + number, b"x", 8)) for number in range(1, 100)]
    source = written(*opened(4000, 100, 0), *steps)
    judged = cut(source, 20, 40, 60, 80)
    (row,) = (line for line in told(judged) if line["type"] == "verdict")
    assert row["subject"]["first_frame"] == 1
    assert (judged.summary.flows, judged.summary.packets, crossed(judged)) == (1, 102, 1)


def test_silence_longer_than_what_is_looked_at_makes_no_other_conversation():
    """Two pieces take it for their own, and the first is right; a handshake makes another one."""
    hour = 3600
    first = opened(4000, 100, 0)
    later = [(hour, out(4000, "PA", 101, b"x", 8)), (hour + 0.1, back(4000, "A", 8, ack=102))]
    judged = cut(written(*first, *later), 3)
    assert (judged.summary.flows, crossed(judged)) == (1, 1)
    judged = cut(written(*first, *opened(4000, 900, hour)), 3)
    assert (judged.summary.flows, crossed(judged)) == (2, 0)


def test_what_ends_behind_a_piece_is_seen_to_end():
    """A connection that is reset a minute behind the cut is judged with its reset, once."""
    source = written(*opened(4000, 100, 0), (60, back(4000, "R", 8)), *opened(5000, 900, 61))
    assert told(cut(source, 3)) == told(whole(source))


TIMES = st.lists(st.integers(0, 900), min_size=1, max_size=8)


@settings(max_examples=12)
@given(st.lists(st.tuples(st.booleans(), TIMES), min_size=1, max_size=5), st.lists(st.integers(1, 40), max_size=4))
def test_everybody_is_told_once_and_who_goes_on_is_counted(conversations, places):
    """Conversations with or without a handshake, with pauses of any length, cut anywhere, against a slow twin."""
    packets = []
    for number, (handshake, times) in enumerate(conversations):
        begin, *later = sorted(times)
        packets.append((begin + number / 10, out(4000 + number, "S" if handshake else "PA", 100)))
        packets += [(time + number / 10, out(4000 + number, "PA", 101, b"x")) for time in later]
    packets.sort(key=lambda pair: pair[0])
    ports = [packet[TCP].sport for _, packet in packets]
    edges = [0, *sorted({place for place in places if place < len(packets)}), len(packets)]
    crossing = 0
    for port in set(ports):
        frames = [frame for frame, other in enumerate(ports) if other == port]
        piece = max(place for place in range(len(edges) - 1) if edges[place] <= frames[0])
        behind = edges[piece + 2] if piece + 2 < len(edges) else len(packets)  # no more than the next piece is seen
        end = packets[edges[piece + 1] - 1][0] + OVERLAP_NS / SECOND + 0.05
        until = next((frame for frame in range(edges[piece + 1], behind) if packets[frame][0] > end), behind)
        crossing += frames[-1] >= until
    judged = cut(written(*packets), *edges[1:-1], analyzers=["rst_injection"])
    told_of = sorted(line["subject"]["first_frame"] for line in told(judged) if line["type"] == "verdict")
    assert told_of == sorted(ports.index(port) + 1 for port in set(ports))
    assert crossed(judged) == crossing


def test_lookups_of_one_port_belong_where_they_were_asked():
    """A resolver that asks from one port for an hour: each lookup is told once, as in the whole."""
    packets = []
    for number in range(60):
        question = DNS(id=number, rd=1, qd=DNSQR(qname=f"n{number}.example"))
        answer = DNS(id=number, qr=1, qd=question.qd, an=DNSRR(rrname=f"n{number}.example", rdata="192.0.2.9"))
        packets += [
            (60 * number, IP(src="10.0.0.1", dst="192.0.2.53") / UDP(sport=5353, dport=53) / question),
            (60 * number + 1, IP(src="192.0.2.53", dst="10.0.0.1") / UDP(sport=53, dport=5353) / answer),
        ]
    source = written(*packets)
    judged = cut(source, 31, 60, 90)
    assert judged.summary.exchanges == 60
    assert crossed(judged) == 0
    assert told(judged)[1:] == told(whole(source))[1:]


@pytest.mark.parametrize(("pause", "lookups", "going_on"), [(5, 1, 1), (15, 2, 0)])
def test_a_lookup_that_is_repeated_out_of_sight_is_one(pause, lookups, going_on):
    """Where a second of traffic is all that is looked at: as long as the whole takes both questions for one."""
    question = DNS(id=7, rd=1, qd=DNSQR(qname="n.example"))
    ask = IP(src="10.0.0.1", dst="192.0.2.53") / UDP(sport=5353, dport=53) / question
    others = [(second, out(4000 + second, "S", 1)) for second in (1, 2)]
    source = written((0, ask), *others, (pause, ask), (pause + 1, out(5000, "S", 1)))
    judged, uncut = cut(source, 1, 3), whole(source)
    assert judged.summary.exchanges == uncut.summary.exchanges == lookups
    assert crossed(judged) == going_on
    told_of, told_whole = ([line["subject"] for line in told(one)[1:] if "subject" in line] for one in (judged, uncut))
    assert told_of == told_whole


def test_a_clock_that_is_set_back_loses_nobody():
    """Packets of the second half are an hour earlier than those of the first: everybody is told once."""
    packets = [one for number in range(40) for one in opened(4000 + number, 100, number - 3600 * (number >= 20))]
    source = written(*packets)
    for place in (30, 59, 60, 61, 90):
        judged = cut(source, place)
        frames = sorted(line["subject"]["first_frame"] for line in told(judged) if line["type"] == "verdict")
        assert frames == list(range(1, 121, 3))


def test_pieces_are_looked_at_with_their_neighbours_of_the_same_time():
    """Two minutes of them, and no more."""
    source = written(*((second, out(4000, "A")) for second in range(0, 1000, 10)))
    records = Records.concat(list(Listing(source).parts()))
    before, piece, behind = (records.take(slice(*edge)) for edge in ((0, 40), (40, 60), (60, 100)))
    seen = with_beside(before, piece, behind)
    assert int(seen.time[0]) == int(piece.time[0]) - OVERLAP_NS
    assert int(seen.time[-1]) == int(piece.time[-1]) + OVERLAP_NS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nobody_is_said_to_stand_out(scenario):
    """A piece is not all that there is to stand out from: what it would say depends on where the capture was cut."""
    source, count = played(scenario)
    anomalies = cut(source, count // 3, 2 * count // 3).ledger.anomalies
    assert len(anomalies) > 0
    assert np.isnan(anomalies.score).all()
    assert not anomalies.fact.lengths.any()


def test_what_nobody_can_decode_is_an_error():
    """As in the whole."""
    source = c.pcap_header("<", link_type=9999) + b"".join(c.pcap_record("<", second, 1, b"abc") for second in range(9))
    with pytest.raises(UnsupportedLinkType):
        cut(source, 4)
