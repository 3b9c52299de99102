import ipaddress
from functools import lru_cache

import numpy as np
import pytest
from cryptography import x509
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from netinterf.simulate import Conditions, Scenario, Simulated, Truth, run
from netinterf.simulate.messages.hellos import read_name
from netinterf.simulate.plays import filters, interception, quic_drops, silence, silence_connect

End = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]
Ends = tuple[bool, End, End]
"""Whether it is TCP, and two ends."""

MINE = (silence, silence_connect, filters, quic_drops, interception)
PLAYS = [play for room in MINE for play in room.PLAYS]
SILENT = [play for play in PLAYS if play.mechanism in ("tcp.drop", "protocol.filter")]


def names(plays: list[Scenario]) -> list[str]:
    """Name scenarios, for parameters."""
    return [play.name for play in plays]


def clean(name: str, seed: int, vantage: str = "client", **fixed: object) -> Simulated:
    """Play a scenario before a faithful recorder."""
    return run(name, seed, Conditions.clean(vantage=vantage, **fixed))


@lru_cache(maxsize=1)
def dissected(simulated: Simulated) -> dict[Ends, list[tuple[int, bool, Ether]]]:
    """Read each frame once: by transport and both ends, its number, which of them sent it, and itself."""
    found: dict[Ends, list[tuple[int, bool, Ether]]] = {}
    for number, raw in enumerate(simulated.frames, start=1):
        frame = Ether(raw)
        network = frame[IPv6] if IPv6 in frame else frame[IP]
        tcp = TCP in frame
        if not tcp and UDP not in frame:
            continue
        transport = frame[TCP] if tcp else frame[UDP]
        source = ipaddress.ip_address(network.src), transport.sport
        destination = ipaddress.ip_address(network.dst), transport.dport
        found.setdefault((tcp, source, destination), []).append((number, True, frame))
        found.setdefault((tcp, destination, source), []).append((number, False, frame))
    return found


def frames_of(simulated: Simulated, truth: Truth) -> list[tuple[bool, Ether]]:
    """Pick the frames of one conversation from its first one on, and whether each comes from the client."""
    client = ipaddress.ip_address(truth.client), truth.client_port
    server = ipaddress.ip_address(truth.server), truth.server_port
    mine = dissected(simulated).get((truth.protocol == "tcp", client, server), [])
    return [(outbound, frame) for number, outbound, frame in mine if number >= truth.first_frame]


def repeats(frames: list[tuple[bool, Ether]], outbound: bool) -> int:
    """Count segments with a number that was there before."""
    sent = [
        frame[TCP].seq
        for out, frame in frames
        if out == outbound and (len(frame[TCP].payload) > 6 or frame[TCP].flags & 3)
    ]
    return len(sent) - len(set(sent))


@pytest.mark.parametrize("name", names(PLAYS))
def test_each_run_has_hit_and_spared_conversations(name: str) -> None:
    """Client captures of either address family hold both; forged frames exist where bytes were forged only."""
    play = next(one for one in PLAYS if one.name == name)
    for seed, ip in ((1, 4), (2, 6)):
        truths = clean(name, seed, ip=ip).labels.truths
        words = {truth.mechanism for truth in truths}
        assert words == ({None, play.mechanism} if play.mechanism else {None})
        forged = any(truth.forged for truth in truths)
        assert forged == (play.mechanism == "tls.interception")


@pytest.mark.parametrize("name", names(SILENT))
def test_silenced_connections_are_repeated_in_vain(name: str) -> None:
    """Somebody repeats itself in most conversations that fell silent; untouched ones repeat nothing on a clean path."""
    simulated = clean(name, 3)
    hit = [frames_of(simulated, truth) for truth in simulated.labels.truths if truth.mechanism]
    waiting = sum(repeats(frames, True) + repeats(frames, False) > 0 or len(frames) < 20 for frames in hit)
    assert waiting >= 0.7 * len(hit)
    if name in ("tcp.drop.iran-sni", "tcp.drop.tspu-segment", "tcp.drop.geedge", "tcp.drop.tspu-sni-iv"):
        spared = [truth for truth in simulated.labels.truths if not truth.mechanism]
        assert sum(repeats(frames_of(simulated, truth), True) for truth in spared) == 0


@pytest.mark.parametrize("name", ["tcp.drop.iran-sni", "tcp.drop.tspu-sni-iv", "tcp.drop.tspu-segment"])
def test_a_dropped_hello_is_never_answered(name: str) -> None:
    """The client sends its hello at least three times; the server says nothing, or only acknowledges a part of it."""
    seen = 0
    for seed in range(3):
        simulated = clean(name, seed)
        for truth in simulated.labels.truths:
            if truth.mechanism and not truth.series:
                frames = frames_of(simulated, truth)
                hello = [frame[TCP].seq for out, frame in frames if out and len(frame[TCP].payload) > 6]
                assert max(hello.count(number) for number in set(hello)) >= 2
                assert not any(
                    bytes(frame[TCP].payload)[:1] == b"\x16"
                    for out, frame in frames
                    if not out and not frame[TCP].flags & 1
                )
                seen += 1
    assert seen >= 3


def test_a_muted_hello_is_acknowledged() -> None:
    """The server acknowledges hellos whose answers are lost, and sends no byte."""
    simulated = clean("tcp.drop.iran-muted", 1)
    for truth in simulated.labels.interfered():
        frames = frames_of(simulated, truth)
        answers = [frame for out, frame in frames if not out and not frame[TCP].flags & 2]
        assert answers
        padding = sum(len(bytes(frame[TCP].payload).rstrip(b"\0")) for frame in answers)
        assert padding == 0


def test_the_server_sees_an_open_connection_without_a_hello() -> None:
    """Beyond the box there are handshakes and no data."""
    simulated = clean("tcp.drop.iran-sni", 1, "server")
    hit = [frames_of(simulated, truth) for truth in simulated.labels.interfered()]
    assert hit
    for frames in hit:
        assert not any(
            bytes(frame[TCP].payload).rstrip(b"\0") for out, frame in frames if out and len(frame[TCP].payload)
        )


@pytest.mark.parametrize("name", [play.name for play in silence_connect.PLAYS if play.system != "adaptive"])
def test_swallowed_syns_are_repeated_and_not_answered(name: str) -> None:
    """Nothing comes back, and the SYN is sent again."""
    simulated = clean(name, 1)
    for truth in simulated.labels.interfered():
        frames = frames_of(simulated, truth)
        assert all(out for out, _ in frames)
        assert truth.series
        assert sum(bool(frame[TCP].flags & 2) for _, frame in frames) >= 2


def chain(frames: list[tuple[bool, Ether]]) -> list[x509.Certificate]:
    """Read the certificates that a server sent in the clear."""
    parts = {
        frame[TCP].seq: bytes(frame[TCP].payload) for out, frame in frames if not out and len(frame[TCP].payload) > 6
    }
    stream = b"".join(parts[number] for number in sorted(parts))
    at, found = 0, []
    while at + 5 <= len(stream) and stream[at] == 22:
        size = int.from_bytes(stream[at + 3 : at + 5], "big")
        body = stream[at + 5 : at + 5 + size]
        if body[:1] == b"\x0b":
            inner = 7
            while inner < len(body):
                length = int.from_bytes(body[inner : inner + 3], "big")
                found.append(x509.load_der_x509_certificate(body[inner + 3 : inner + 3 + length]))
                inner += 3 + length
        at += 5 + size
    return found


@pytest.mark.parametrize(
    "name", ["tls.interception.kazakhstan", "tls.interception.gateway", "tls.interception.generic"]
)
def test_intercepted_names_have_chains_of_the_box(name: str) -> None:
    """False leaves name the host, lack timestamps and verify against what comes along; no genuine issuer signs them."""
    simulated = clean(name, 2)
    genuine, false = set[str](), set[str]()
    for truth in simulated.labels.truths:
        sent = chain(frames_of(simulated, truth))
        assert sent
        leaf = sent[0]
        alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert truth.name in alternatives.get_values_for_type(x509.DNSName)
        if len(sent) > 1:
            leaf.verify_directly_issued_by(sent[1])
        stamped = any(one.oid.dotted_string == "1.3.6.1.4.1.11129.2.4.2" for one in leaf.extensions)
        assert stamped == (truth.mechanism is None)
        (false if truth.mechanism else genuine).add(leaf.issuer.rfc4514_string())
        assert bool(truth.forged) == bool(truth.mechanism)
    assert genuine
    assert false
    assert not genuine & false


def test_beyond_a_gateway_the_server_hears_the_box() -> None:
    """The hello at the server has the name of the client's, and is marked as forged."""
    simulated = clean("tls.interception.gateway", 1, "server")
    for truth in simulated.labels.interfered():
        frame = Ether(simulated.frames[truth.forged[0] - 1])
        assert read_name(bytes(frame[TCP].payload)[5:])[0] == truth.name


def test_runs_vary_from_seed_to_seed() -> None:
    """Punishments last differently, and strike different directions."""
    lengths = {len(clean("tcp.drop.generic", seed).frames) for seed in range(6)}
    assert len(lengths) >= 5
    assert np.ptp(list(lengths)) > 50
