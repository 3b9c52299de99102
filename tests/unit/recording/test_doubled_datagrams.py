"""Datagrams captured twice are the datagrams captured once; senders that repeat themselves are no copies."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.all import IP, UDP, IPv6, Raw

from netinterf.engine.judged import judge_trace
from netinterf.flows.datagrams import COPY_NS, REACH, repeated_datagrams
from netinterf.schema import Mark
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read
from tests.analyzers.talk import BEGIN_NS, RAW_IP

LATER_NS = 20_000


def hop_less(frame: bytes) -> bytes:
    """Pass a raw IP packet on as a router does; checksums of headers are not looked at."""
    changed = bytearray(frame)
    changed[8 if frame[0] >> 4 == 4 else 7] -= 1
    return bytes(changed)


def recorded(scenario: str, ip: int) -> tuple[list[int], list[bytes], list[bool], int]:
    """Play a scenario: times, frames, and whether a client sent each."""
    played = run(scenario, 71_003, Conditions.clean(ip=ip, vantage="client"))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    return list(played.times), list(played.frames), trace.packets.outbound.tolist(), played.link_type


def said_of(trace: Trace) -> dict[tuple[object, ...], tuple[object, ...]]:
    """What is judged of every subject."""
    said = {}
    for one in judge_trace(trace, "x").ledger:
        who = one.subject
        key = (who.kind, who.client, who.server, who.client_port, who.name, one.start)
        said[key] = (one.outcome, one.mechanism, one.grade, round(one.probability, 6))
    return said


WAYS: dict[str, Callable[[bool], bool]] = {
    "both": lambda _: True,
    "answers": lambda outbound: not outbound,
    "requests": lambda outbound: outbound,
}


@pytest.mark.parametrize("ip", [4, 6])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scenario", ["dns.injection", "dns.forged", "quic.drop.tspu-sni", "benign.dns.rotating-cdn"])
def test_doubled_datagrams_move_no_verdict(scenario: str, way: str, ip: int) -> None:
    """A mirror port copies one direction or both; the verdicts are those of the capture without copies."""
    times, frames, outbound, link = recorded(scenario, ip)
    whole = read(times=times, frames=frames, link_type=link)
    twice = [
        (time + late, frame)
        for time, frame, out in zip(times, frames, outbound, strict=True)
        for late in ((0, LATER_NS) if WAYS[way](out) else (0,))
    ]
    twice.sort(key=lambda row: row[0])
    doubled = read(times=[at for at, _ in twice], frames=[frame for _, frame in twice], link_type=link)
    assert len(doubled.packets) > len(whole.packets)
    assert said_of(doubled) == said_of(whole)


@pytest.mark.parametrize("ip", [4, 6])
def test_routed_twice_moves_no_verdict(ip: int) -> None:
    """Taps on both sides of a router: the copy has one hop less."""
    times, frames, _, link = recorded("dns.injection.gfw-triplet", ip)
    raw = [frame[14:] if link != RAW_IP else frame for frame in frames]
    rows = [
        (at + late * LATER_NS, hop_less(one) if late else one)
        for at, one in zip(times, raw, strict=True)
        for late in (0, 1)
    ]
    rows.sort(key=lambda row: row[0])
    whole = read(times=times, frames=raw, link_type=RAW_IP)
    routed = read(times=[at for at, _ in rows], frames=[one for _, one in rows], link_type=RAW_IP)
    assert routed.recording.hops_apart.any()
    assert said_of(routed) == said_of(whole)


def datagram(out: bool, ident: int, payload: bytes, ttl: int = 64) -> bytes:
    """Write one datagram between two hosts."""
    ends, ports = ("198.51.100.7", "192.0.2.9"), (40_000, 4_000)
    source, target = ends if out else ends[::-1]
    sport, dport = ports if out else ports[::-1]
    header = UDP(sport=sport, dport=dport) / Raw(payload)
    return bytes(IP(src=source, dst=target, id=ident, ttl=ttl) / header)


def captured(rows: list[tuple[int, bytes]]) -> Trace:
    """Read raw frames at nanoseconds from the beginning."""
    rows = sorted(rows, key=lambda row: row[0])
    return read(times=[BEGIN_NS + at for at, _ in rows], frames=[frame for _, frame in rows], link_type=RAW_IP)


def test_a_burst_copied_behind_its_end() -> None:
    """Twenty packets pass a router at once, and their copies follow: more lie between than are looked at first."""
    burst = [(10_000_000 + place, datagram(False, 100 + place, b"%d" % place)) for place in range(20)]
    first = [(0, datagram(True, 5, b"ask"))]
    trace = captured([(at + late, one) for at, one in first + burst for late in (0, LATER_NS)])
    assert np.count_nonzero(trace.packets.marks & Mark.DUPLICATE_FRAME) == 21


sent = st.tuples(
    st.integers(0, 3).map(lambda step: step * COPY_NS // 2),
    st.booleans(),
    st.integers(0, 1),
    st.sampled_from([b"a", b"b", b"ab"]),
    st.integers(62, 64),
)


@given(st.lists(sent, min_size=1, max_size=24))
def test_repeated_datagrams_one_by_one(rows: list[tuple[int, bool, int, bytes, int]]) -> None:
    """As a comparison with each of the packets before finds them."""
    at, talk = 0, []
    for step, *fields in rows:
        at += step
        talk.append((at, *fields))
    trace = captured([(time, datagram(out, ident, data, ttl)) for time, out, ident, data, ttl in talk])

    def copied(place: int, among: list[tuple[int, bool, int, bytes, int]]) -> bool:
        time, *what, ttl = talk[place]
        return any([*other[1:4]] == what and time - other[0] <= COPY_NS and abs(ttl - other[4]) <= 1 for other in among)

    near = {place for place in range(len(talk)) if copied(place, talk[max(place - REACH, 0) : place])}
    far = set()
    for place, (_, out, ident, data, _) in enumerate(talk):
        alike = [other for other in talk[:place] if (*other[1:3], len(other[3])) == (out, ident, len(data))]
        if near and alike and copied(place, alike[-1:]):
            far.add(place)
    expected = sorted(near | far)
    found = repeated_datagrams(trace.buffer, trace.packets, trace.flows, trace.by_flow)
    assert found.tolist() == expected


def test_who_repeats_single_datagrams_is_not_doubled() -> None:
    """One reply in ten comes twice at once, without a number that could tell: its sender wrote it twice."""
    talk = [
        (10_000_000 * place + 1_000 * again, datagram(out, 0, b"%d" % place))
        for place in range(20)
        for out in (True, False)
        for again in range(1 + (place % 10 == 0 and not out))
    ]
    assert not (captured(talk).packets.marks & Mark.DUPLICATE_FRAME).any()
    twice = captured([(at + late, frame) for at, frame in talk for late in (0, LATER_NS)])
    assert np.count_nonzero(twice.packets.marks & Mark.DUPLICATE_FRAME) >= len(talk)


def test_fields_that_tell_datagrams_apart() -> None:
    """Another identification, another payload, another hop limit by two, or IPv6 with another answer: no copies."""
    base = [(0, datagram(True, 7, b"ask"))]
    for other in (datagram(True, 8, b"ask"), datagram(True, 7, b"asK"), datagram(True, 7, b"ask", 62)):
        trace = captured([*base, (LATER_NS, other)])
        assert not len(repeated_datagrams(trace.buffer, trace.packets, trace.flows, trace.by_flow))
    six = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP(sport=4, dport=5)
    trace = captured([(0, bytes(six / Raw(b"one"))), (1, bytes(six / Raw(b"one"))), (2, bytes(six / Raw(b"two")))])
    assert repeated_datagrams(trace.buffer, trace.packets, trace.flows, trace.by_flow).tolist() == [1]
