"""Benign look-alikes: each documented one is played, nothing is forged, and the wire shows what the name says."""

import subprocess
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from shutil import which

import attrs
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether

from netinterf.capture import write_pcap
from netinterf.simulate import Conditions, Simulated, run, scenarios
from netinterf.simulate.documented import LOOK_ALIKES
from netinterf.simulate.plays import (
    benign_tcp_boxes,
    benign_tcp_ends,
    benign_tcp_fronts,
    benign_tcp_late,
    benign_tcp_local,
    benign_tcp_probes,
    benign_tcp_routes,
    benign_udp,
    benign_web_http,
    benign_web_quic,
    benign_web_refusals,
    benign_web_tls,
    sweeps,
)

MODULES = (
    benign_tcp_ends, benign_tcp_boxes, benign_tcp_routes, benign_tcp_fronts, benign_tcp_probes, benign_tcp_late,
    benign_tcp_local, benign_web_http, benign_web_refusals, benign_web_tls, benign_web_quic, benign_udp,
    sweeps,
)  # fmt: skip
PLAYS = [play for module in MODULES for play in module.PLAYS if play.confounder]
NAMES = [play.name for play in PLAYS]
WORDS = {
    "tcp.reset", "tcp.fin", "tcp.synack",
    "tcp.data", "tcp.drop", "tcp.connect.drop", "tcp.connect.reset", "http.blockpage",
    "tls.interception", "quic.drop", "udp.drop", "rate.freeze", "rate.handshake", "protocol.filter", "reach.isolation",
}  # fmt: skip
FIN, SYN, RST, ACK = 1, 2, 4, 16


@attrs.frozen
class Seen:
    """One packet of a flow."""

    time: float  # s
    out: bool
    ttl: int
    flags: int = 0
    seq: int = 0
    ack: int = 0
    window: int = 0
    data: bytes = b""
    options: tuple[str, ...] = ()
    icmp: tuple[int, int] = (-1, -1)
    six: bool = False

    def has(self, flags: int) -> bool:
        """Say whether all of *flags* are set."""
        return self.flags & flags == flags


@cache
def played(name: str, seed: int, vantage: str = "client") -> Simulated:
    """Play a scenario on a clean path with a faithful recorder."""
    return run(name, seed, Conditions.clean(vantage=vantage))


def flows(name: str, seed: int) -> list[list[Seen]]:
    """Read the packets of every odd flow at the client."""
    simulated = played(name, seed)
    ends = {(t.client, t.client_port, t.server, t.server_port): [] for t in simulated.labels.truths if t.confounder}
    begin = simulated.times[0]
    for time, raw in zip(simulated.times, simulated.frames, strict=True):
        frame = Ether(raw)
        network = frame[IPv6] if IPv6 in frame else frame[IP]
        ttl, six = (network.hlim, True) if IPv6 in frame else (network.ttl, False)
        when = (time - begin) / 1e9
        error = next(
            (
                frame[kind]
                for kind in (ICMP, ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded)
                if kind in frame
            ),
            None,
        )
        if error is not None:
            quoted = bytes(error)[8:]
            size = 40 if quoted[0] >> 4 == 6 else 20
            port = int.from_bytes(quoted[size : size + 2], "big")
            for key, packets in ends.items():
                if key[1] == port:
                    packets.append(Seen(when, False, ttl, icmp=(error.type, error.code)))
            continue
        inner = frame[TCP] if TCP in frame else frame[UDP]
        there = (network.src, inner.sport, network.dst, inner.dport)
        out = there in ends
        key = there if out else (*there[2:], *there[:2])
        if key not in ends:
            continue
        if TCP not in frame:
            ends[key].append(Seen(when, out, ttl, data=bytes(inner.payload), six=six))
            continue
        size = network.len - 4 * network.ihl - 4 * inner.dataofs if IP in frame else network.plen - 4 * inner.dataofs
        ends[key].append(
            Seen(when, out, ttl, int(inner.flags), inner.seq, inner.ack, inner.window, bytes(inner.payload)[:size],
                 tuple(str(option[0]) for option in inner.options), six=six)
        )  # fmt: skip
    return [packets for packets in ends.values() if packets]


def data(packets: list[Seen], out: bool) -> list[Seen]:
    """Pick the packets with payload of one direction."""
    return [one for one in packets if one.out == out and one.data]


def resets(packets: list[Seen], out: bool) -> list[Seen]:
    """Pick the resets of one direction."""
    return [one for one in packets if one.out == out and one.has(RST)]


def conflict(packets: list[Seen], out: bool) -> bool:
    """Say whether one range was sent with two contents."""
    told: dict[int, bytes] = {}
    for one in data(packets, out):
        before = told.setdefault(one.seq, one.data)
        size = min(len(before), len(one.data))
        if before[:size] != one.data[:size]:
            return True
    return False


def silence(packets: list[Seen], out: bool) -> float:
    """Measure the longest time between packets of one direction."""
    times = [one.time for one in packets if one.out == out]
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)


def unanswered(packets: list[Seen]) -> int:
    """Count the client's last packets that nothing followed."""
    last = max((order for order, one in enumerate(packets) if not one.out), default=-1)
    return len(packets) - 1 - last


def greetings(packets: list[Seen]) -> list[Seen]:
    """Pick the SYN/ACKs that came in."""
    return [one for one in packets if not one.out and one.has(SYN | ACK)]


def says(packets: list[Seen], *marks: bytes) -> bool:
    """Say whether the server's bytes hold one of *marks*."""
    told = b"".join(one.data for one in data(packets, False))
    return any(mark in told for mark in marks)


def status(*numbers: int) -> Callable[[list[Seen]], bool]:
    """Ask for an HTTP status."""
    return lambda packets: says(packets, *(b"HTTP/1.1 %d " % number for number in numbers))


def alerted(packets: list[Seen], out: bool) -> bool:
    """Say whether an alert in the clear was sent."""
    return any(one.data[-7:-4] == b"\x15\x03\x03" for one in data(packets, out))


def quick_ack(packets: list[Seen], share: float) -> bool:
    """Say whether data was acknowledged within a share of the greeting's round trip."""
    start = next(one.time for one in packets if one.has(SYN))
    trip = greetings(packets)[0].time - start
    return any(
        not two.out and 0 < two.time - one.time < share * trip
        and two.ack == (one.seq + len(one.data)) % 2**32
        for one, two in pairwise(packets) if one.out and one.data
    )  # fmt: skip


SHOWN: dict[str, Callable[[list[Seen]], bool]] = {
    "tcp.client-abort": lambda p: any(one.has(RST | ACK) for one in resets(p, True)),
    "tcp.abort-unheard": lambda p: any(not one.has(ACK) for one in resets(p, True)),
    "tcp.miscounting-proxy": lambda p: any(
        one.seq == two.seq and len(one.data) < len(two.data) and not two.data.startswith(one.data)
        for one, two in pairwise(data(p, False))
    ),
    "tcp.client-lingers-not": lambda p: resets(p, True)[0].has(RST | ACK) and bool(data(p, False)),
    "tcp.reset-per-segment": lambda p: len({one.seq for one in resets(p, True)}) >= 3,
    "tcp.server-unread-data": lambda p: any(one.has(RST | ACK) for one in resets(p, False)),
    "tcp.server-closes-first": lambda p: any(one.has(FIN) for one in p if not one.out),
    "tcp.closed-port": lambda p: resets(p, False)[0].ack == (p[0].seq + 1) % 2**32 and not data(p, False),
    "tcp.refused-and-retried": lambda p: len([one for one in p if one.out]) == 3 == len(resets(p, False)),
    "tcp.keepalive-garbage": lambda p: any(len(one.data) == 1 for one in p),
    "tcp.crash-and-reboot": lambda p: bool(resets(p, False)) and not resets(p, False)[0].has(ACK),
    "tcp.client-gives-up": lambda p: any(one.out and one.flags & (FIN | RST) for one in p),
    "tcp.silent-service": lambda p: bool(data(p, True)) and not data(p, False),
    "tcp.slow-backend": lambda p: bool(data(p, False)) and silence(p, False) > 0.35,
    "tcp.sticky-server": lambda p: greetings(p)[0].window <= 10 and not data(p, False),
    "tcp.zero-window-death": lambda p: any(one.out and one.window == 0 and not one.has(RST) for one in p),
    "tcp.reset-with-text": lambda p: any(one.data for one in resets(p, False)),
    "tcp.left-over-acknowledgement": lambda p: any(one.ack and not one.has(ACK) for one in resets(p, False)),
    "tcp.doubled-resets": lambda p: len(resets(p, False)) >= 2,
    "tcp.simultaneous-open": lambda p: any(not one.out and one.flags & (SYN | ACK) == SYN for one in p),
    "tcp.nat-timeout-silence": lambda p: unanswered(p) >= 4,
    "tcp.nat-timeout-reset": lambda p: bool(resets(p, False)) and silence(p, True) > 25,
    "tcp.firewall-unknown-fin": lambda p: any(one.out and one.has(FIN) for one in p) and bool(resets(p, False)),
    "tcp.balancer-idle-reset": lambda p: bool(resets(p, False)) and "Timestamp" not in resets(p, False)[0].options,
    "tcp.second-backend": lambda p: (
        len({one.seq for one in greetings(p)}) == 2 == len({p[0].seq, greetings(p)[0].ack - 1}) + 1
    ),
    "tcp.anycast-flip": lambda p: bool(resets(p, False)),
    "tcp.syn-cookies": lambda p: greetings(p)[0].options == ("MSS",),
    "tcp.syn-proxy": lambda p: greetings(p)[0].options == ("MSS",) and bool(data(p, False)),
    "tcp.reset-cookies": lambda p: sum(one.out and one.has(SYN) for one in p) >= 2 and bool(data(p, False)),
    "tcp.accelerator": lambda p: quick_ack(p, 0.7),
    "tcp.user-mode-nat": lambda p: quick_ack(p, 0.3),
    "tcp.path-mtu-black-hole": lambda p: max(len(one.data) for one in p) < 1401 or unanswered(p) >= 2,
    "tcp.packet-too-big": lambda p: any(one.icmp in ((3, 4), (2, 0)) for one in p),
    "tcp.syn-scan": lambda p: len(p) <= 3 and not any(one.data for one in p),
    "tcp.half-open-scan": lambda p: not any(one.data for one in p),
    "tcp.opened-and-left": lambda p: not data(p, True) and not any(one.out and one.flags & (FIN | RST) for one in p),
    "tcp.odd-flag-scan": lambda p: p[0].flags & (SYN | RST) == 0,
    "tcp.health-check": lambda p: bool(resets(p, True)) and not any(one.data for one in p),
    "tcp.dead-host": lambda p: len(p) >= 3 and all(one.has(SYN) and one.out for one in p),
    "tcp.refused-by-icmp": lambda p: any(one.icmp[0] in (1, 3) for one in p),
    "tcp.tcp-traceroute": lambda p: any(one.icmp[0] in (11, 3) for one in p),
    "tcp.request-sweep": lambda p: len(data(p, True)) == 1 and data(p, True)[0].ttl < 64,
    "tcp.sweep-meets-outage": lambda p: len(data(p, True)) == 1 and not data(p, False) and unanswered(p) == 3,
    "tcp.circumvention": lambda p: (
        conflict(p, True) or any(one.ttl < 6 for one in p) or any(len(one.data) < 64 for one in data(p, True))
    ),
    "tcp.port-reused": lambda p: len({one.seq for one in p if one.out and one.has(SYN)}) >= 3,
    "tcp.damaged-segments": lambda p: conflict(p, False),
    "tcp.rewritten-retransmission": lambda p: conflict(p, False),
    "tcp.path-failure": lambda p: unanswered(p) >= 3,
    "tcp.late-segment-guard": lambda p: len(resets(p, False)) >= 2,
    "tcp.idle-front-end": lambda p: max(b.time - a.time for a, b in pairwise(p)) > 4,
    "tcp.marks-data-only": lambda p: bool(data(p, False)),
    "tcp.program-stack": lambda p: greetings(p)[0].ttl in (64, 255) and greetings(p)[0].time - p[0].time < 0.004,
    "tcp.gateway-redials": lambda p: any(one.ttl in (64, 255) for one in resets(p, False)),
    "tcp.roles-reversed": lambda p: not p[0].has(SYN),
    "http.geoblock": lambda p: status(403, 451)(p) or not data(p, False),
    "http.captcha": lambda p: says(p, b"cf-mitigated: challenge"),
    "http.rate-ban": status(429),
    "http.inline-firewall": lambda p: bool(resets(p, False)) and not data(p, False),
    "tcp.capture-began-late": lambda p: not p[0].has(SYN),
    "http.origin-forbidden": status(403),
    "http.origin-legal": status(451, 403),
    "http.application-firewall": status(403, 406),
    "http.delivery-error": status(502, 503, 504, 429),
    "http.redirect-to-tls": status(301, 302, 307, 308),
    "http.redirect-elsewhere": status(301, 302, 307),
    "http.page-about-blocking": lambda p: says(p, b"10.10.34.36"),
    "http.answer-in-one-packet": lambda p: any(one.has(FIN) for one in data(p, False)),
    "http.empty-answer": lambda p: not data(p, False) and any(not one.out and one.flags & (FIN | RST) for one in p),
    "http.transparent-proxy": lambda p: says(p, b"Via: 1.1 cache"),
    "http.portal-login": lambda p: bool(resets(p, False)) or status(302, 307)(p),
    "tls.unknown-name-alert": lambda p: alerted(p, False),
    "tls.unknown-name-reset": lambda p: bool(resets(p, False)) and not data(p, False),
    "tls.unknown-name-close": lambda p: any(not one.out and one.has(FIN) for one in p) and not data(p, False),
    "tls.unknown-name-silence": lambda p: not data(p, False),
    "tls.old-version": lambda p: data(p, False)[0].data[9:11] == b"\x03\x01",
    "tls.client-distrusts": lambda p: alerted(p, True),
    "tls.balancer-without-backend": lambda p: bool(resets(p, False)) and not data(p, False),
    "quic.server-without-quic": lambda p: len(data(p, True)) >= 2 and not data(p, False),
    "quic.quic-port-closed": lambda p: any(one.icmp in ((3, 3), (1, 4)) for one in p),
    "quic.network-without-udp": lambda p: not data(p, False),
    "quic.version-negotiation": lambda p: any(one.data[1:5] == bytes(4) for one in data(p, False)),
    "quic.address-validation": lambda p: any(one.data[0] & 0xF0 == 0xF0 for one in data(p, False)),
    "quic.large-datagrams-lost": lambda p: not data(p, False),
    "udp.translator-forgets": lambda p: bool(data(p, False)) and silence(p, True) > 15,
    "udp.peer-leaves": lambda p: bool(data(p, False)) and unanswered(p) >= 3,
    "udp.service-ends": lambda p: bool(data(p, False)) and unanswered(p) >= 3,
    "udp.nobody-listens": lambda p: len(p) >= 3 and not data(p, False),
    "udp.lossy-datagrams": lambda p: bool(data(p, False)) and len(data(p, True)) > len(data(p, False)) / 2 + 1,
    "udp.server-restarts": lambda p: bool(data(p, False)) and max(unanswered(p), silence(p, True)) > 3,
    "udp.network-of-few-ports": lambda p: not data(p, False),
    "udp.one-way-sender": lambda p: not data(p, False),
    "udp.line-fails": lambda p: bool(data(p, False)) and max(unanswered(p), silence(p, True)) > 3,
    "udp.narrow-tunnel": lambda p: max(len(one.data) for one in data(p, True)) > 600,
}
"""What the wire of an odd flow must show, by scenario."""


def test_look_alikes_resemble_mechanisms() -> None:
    """What is played here is in the catalogue, and says which mechanism it can be taken for."""
    assert set(PLAYS) <= set(scenarios())
    assert {word for play in PLAYS for word in LOOK_ALIKES[play.confounder].resembles} <= WORDS


@pytest.mark.parametrize("name", NAMES)
def test_nobody_interferes(name: str) -> None:
    """Nothing is forged, what is odd is named, and ordinary flows stand beside it."""
    play = next(play for play in PLAYS if play.name == name)
    home = play.vantages[0]
    for seed, conditions in ((1, Conditions.clean(vantage=home)), (2, Conditions(ip=6)), (3, Conditions())):
        simulated = run(name, seed, conditions)
        truths = simulated.labels.truths
        assert all(truth.mechanism is None and not truth.forged for truth in truths)
        assert {truth.confounder for truth in truths} <= {"", play.confounder}
        assert 10 < len(simulated.frames) <= 2500
        assert simulated.times[-1] - simulated.times[0] < 1000 * 10**9
        if seed == 1:
            assert any(truth.confounder for truth in truths)
        if seed == 2 and name != "benign.tcp.happy-eyeballs":
            assert all(":" in truth.client and ":" in truth.server for truth in truths)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_the_wire_shows_it(name: str) -> None:
    """In each of two captures some odd flow shows what the scenario is named for."""
    for seed in (1, 2):
        assert any(SHOWN[name](packets) for packets in flows(f"benign.{name}", seed))


@pytest.mark.tshark
@pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")
def test_another_dissector_reads_them(tmp_path: Path) -> None:
    """Tshark finds nothing malformed and no wrong checksum, but where packets are damaged on purpose or quoted."""
    marred = {"benign.tcp.damaged-segments", "benign.tcp.circumvention"}
    times, frames = list[int](), list[bytes]()
    for name in NAMES:
        if name not in marred:
            simulated = run(name, 4, Conditions.clean())
            times += simulated.times
            frames += simulated.frames
    write_pcap(tmp_path / "all.pcap", times, frames, 1)
    checks = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    quick = ["-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE"]
    bad = "(_ws.malformed or ip.checksum.status==0 or tcp.checksum.status==0 or udp.checksum.status==0)"
    words = ["tshark", "-r", str(tmp_path / "all.pcap"), *checks, *quick, "-Y", bad + " and not icmp and not icmpv6"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == ""


@pytest.mark.parametrize("name", NAMES[::9])
def test_same_seed_same_bytes(name: str) -> None:
    """Times and bytes depend on name and seed alone."""
    first, again = (run(name, 5) for _ in range(2))
    assert (first.times, first.frames, first.labels) == (again.times, again.frames, again.labels)


def test_both_families_race() -> None:
    """Happy eyeballs: the loser speaks the other address family, and it ends without data."""
    for seed in (1, 2):
        for packets in flows("benign.tcp.happy-eyeballs", seed):
            assert all(one.six for one in packets)
            assert not any(one.data for one in packets)


def test_certificates_change_and_differ() -> None:
    """Rotation shows two certificates for one name; several certificates at one address are valid for other names."""
    for name in ("benign.tls.certificate-rotation", "benign.tls.several-certificates"):
        found = set()
        for packets in flows(name, 1):
            told = b"".join(one.data for one in data(packets, False))
            at = told.index(b"\x0b", 60)
            found.add(told[at : at + 900])
        assert len(found) >= 2


def test_limits_recover() -> None:
    """After a ban or a limit the same client is served again."""
    for name in ("benign.tcp.fail-to-ban", "benign.tcp.connection-limit", "benign.tcp.server-restart"):
        every = [flow for seed in (1, 2, 3) for flow in flows(name, seed)]
        served = [bool(data(flow, False)) for flow in every]
        assert any(served)
        assert not all(served)
