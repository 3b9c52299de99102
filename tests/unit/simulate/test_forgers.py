import io
import subprocess
from collections import defaultdict
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from shutil import which

import attrs
import numpy as np
import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from netinterf.capture import write_pcap
from netinterf.simulate import Conditions, Simulated, Truth, run
from netinterf.simulate.boxes.forger import Forger, Rule, burst
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.sight import ConnectionView, EndView
from netinterf.simulate.boxes.triggers import farewell, opens, says
from netinterf.simulate.documented import SYSTEMS
from netinterf.simulate.messages.tcp_options import timestamp_option
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, SYN, Packet, address
from netinterf.simulate.network.path import SECOND, World
from netinterf.simulate.plays import http_pages, tcp_adaptive, tcp_china, tcp_openings, tcp_payloads, tcp_world

ROOMS = (tcp_china, tcp_world, tcp_payloads, tcp_openings, tcp_adaptive, http_pages)
PLAYS = {play.name: play for room in ROOMS for play in room.PLAYS}
NAMES = list(PLAYS)
ONLY_TO_SERVERS = {"tcp.reset.ru-rostelecom-2019"}  # in some runs nothing forged comes to the client
SEEDS = {0: 4, 1: 6}
"""Seeds, and the address family that each is played with."""

Flow = list[tuple[int, int, Ether]]
"""Frame number, time and frame of all packets of a connection."""


class Played:
    """A capture, its labels, and the frames of its connections, dissected when they are asked for."""

    def __init__(self, simulated: Simulated) -> None:
        self.simulated, self.labels = simulated, simulated.labels
        self.numbers: dict[frozenset[bytes], list[int]] = defaultdict(list)
        for number, raw in enumerate(simulated.frames, start=1):
            source, ports = (slice(22, 38), 54) if raw[12:14] == b"\x86\xdd" else (slice(26, 30), 34)
            size = source.stop - source.start
            destination = raw[source.stop : source.stop + size]
            ends = {raw[source] + raw[ports : ports + 2], destination + raw[ports + 2 : ports + 4]}
            self.numbers[frozenset(ends)].append(number)

    def flow(self, truth: Truth) -> Flow:
        """Dissect the packets of a labelled connection."""
        ends = ((truth.client, truth.client_port), (truth.server, truth.server_port))
        key = frozenset(ip_address(host).packed + port.to_bytes(2, "big") for host, port in ends)
        return [(number, self.simulated.times[number - 1], self.frame(number)) for number in self.numbers[key]]

    def frame(self, number: int) -> Ether:
        """Dissect one frame."""
        return Ether(self.simulated.frames[number - 1])

    def interfered(self) -> list[tuple[Truth, Flow]]:
        """Give the labels of all flows that were interfered with, with their packets."""
        return [(truth, self.flow(truth)) for truth in self.labels.interfered()]


@pytest.fixture(scope="module")
def played() -> dict[tuple[str, int], Played]:
    """Play every scenario at the client, once with either address family."""
    return {
        (name, seed): Played(run(name, seed, Conditions.clean(vantage="client", ip=family)))
        for name in NAMES
        for seed, family in SEEDS.items()
    }


def hops(frame: Ether) -> int:
    """Give the hop limit."""
    return int(frame[IPv6].hlim if IPv6 in frame else frame[IP].ttl)


def inbound(truth: Truth, frame: Ether) -> bool:
    """Say whether a frame comes from the server."""
    return bool(frame[TCP].sport == truth.server_port and frame[TCP].dport == truth.client_port)


def data(frame: Ether) -> bytes:
    """Give the TCP payload."""
    network = frame[IPv6] if IPv6 in frame else frame[IP]
    size = network.plen if IPv6 in frame else network.len - 20
    return bytes(frame[TCP].payload)[: size - 4 * frame[TCP].dataofs]


def test_every_documented_system_is_played_in_every_way(played: dict[tuple[str, int], Played]) -> None:
    """Every mechanism that a scenario is named for, and no undocumented system, occurs in its labels."""
    wanted = {(play.system, play.mechanism) for play in PLAYS.values()}
    found = {
        (truth.system, word)
        for one in played.values()
        for truth in one.labels.interfered()
        for word in (truth.mechanism, *truth.also)
    }
    assert wanted <= found
    assert {system for system, _ in found} <= {*SYSTEMS, "generic", "adaptive"}


OTHER_PORTS = "tcp.synack.generic-swapped"
"""Its answers come to ports in the wrong byte order, so they belong to no conversation."""


def turned_round(port: int) -> int:
    """Give a port in the other byte order."""
    return int.from_bytes(port.to_bytes(2, "little"), "big")


@pytest.mark.parametrize("name", NAMES)
def test_labels_name_forged_frames_of_their_flow(name: str, played: dict[tuple[str, int], Played]) -> None:
    """At the client forged frames are seen, all within labelled flows; other flows go untouched."""
    forged = 0
    for seed, family in SEEDS.items():
        one = played[name, seed]
        words = {word for truth in one.labels.truths for word in (truth.mechanism, *truth.also)}
        assert {None, PLAYS[name].mechanism} <= words
        for truth, flow in one.interfered():
            numbers = {number for number, _, _ in flow}
            strays = [one.frame(number) for number in sorted(set(truth.forged) - numbers)]
            assert not strays or name == OTHER_PORTS
            turned = {(turned_round(truth.server_port), turned_round(truth.client_port))}
            assert {(frame[TCP].sport, frame[TCP].dport) for frame in strays} <= turned
            assert truth.trigger in {0, *numbers}
            assert all((IPv6 in frame) == (family == 6) for _, _, frame in flow)
            forged += len(truth.forged)
    assert forged or name in ONLY_TO_SERVERS


@pytest.mark.parametrize("name", NAMES)
def test_the_wire_shows_the_mechanism(name: str, played: dict[tuple[str, int], Played]) -> None:
    """The first forged frame is what the mechanism says: RST, FIN, SYN/ACK, a web page or other payload."""
    for seed in SEEDS:
        for truth in played[name, seed].labels.interfered():
            if not truth.forged:
                continue
            first = played[name, seed].frame(truth.forged[0])
            flags, said = int(first[TCP].flags), data(first)
            kind = {
                "tcp.reset": bool(flags & RST),
                "tcp.connect.reset": bool(flags & RST),
                "tcp.fin": bool(flags & FIN),
                "tcp.synack": flags & (SYN | ACK) == SYN | ACK,
                "tcp.data": bool(said) and not said.startswith(b"HTTP/1."),
                "http.blockpage": said.startswith(b"HTTP/1.1 "),
            }
            if PLAYS[name].system == "cn.smtp":  # the forged command goes to the server
                assert flags & RST
            elif truth.mechanism in kind:
                assert kind[truth.mechanism]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("http.blockpage.")])
def test_a_page_comes_before_the_answer_and_is_whole(name: str, played: dict[tuple[str, int], Played]) -> None:
    """The client hears the forged page before the server's, and its segments follow each other without a gap."""
    won = total = 0
    for seed in SEEDS:
        for truth, flow in played[name, seed].interfered():
            answers = [(number, frame) for number, _, frame in flow if inbound(truth, frame) and data(frame)]
            assert truth.name.encode() in data(played[name, seed].frame(truth.trigger))
            total += 1
            won += bool(answers) and answers[0][0] in truth.forged
            pages = [frame for number, frame in answers if number in truth.forged]
            pages = list({frame[TCP].seq: frame for frame in pages}.values())
            for before, after in pairwise(pages):
                assert after[TCP].seq == (before[TCP].seq + len(data(before))) % 2**32
    assert won >= 0.8 * total


def test_openings_are_reset_before_anything_is_said(played: dict[tuple[str, int], Played]) -> None:
    """Clients whose SYNs are reset never send data, but for those that a late reset reaches in mid-sentence."""
    silent = total = 0
    for name in NAMES:
        if name.startswith("tcp.connect.reset."):
            for _, flow in played[name, 0].interfered():
                total += 1
                silent += not any(data(frame) for _, _, frame in flow)
    assert silent >= 0.8 * total


def test_forged_greetings_contradict_the_servers_own(played: dict[tuple[str, int], Played]) -> None:
    """A forged SYN/ACK has another number than the genuine one, which is seen too when the box only adds."""
    both = 0
    for name in ("tcp.synack.generic", "tcp.synack.cn-residual", "tcp.synack.adaptive-on-path"):
        for truth, flow in played[name, 0].interfered():
            greetings = {
                number in truth.forged: frame[TCP].seq
                for number, _, frame in flow
                if inbound(truth, frame) and frame[TCP].flags & SYN
            }
            both += len(greetings) == 2 and greetings[True] != greetings[False]
    assert both >= 3


@pytest.mark.parametrize("name", ["tcp.reset.post-handshake", "http.blockpage.fortinet", "tcp.fin.adaptive-in-path"])
def test_boxes_in_the_path_keep_the_trigger(name: str) -> None:
    """Servers never hear what provoked a box that stands in the path."""
    for seed in SEEDS:
        one = Played(run(name, seed, Conditions.clean(vantage="server")))
        for truth, flow in one.interfered():
            heard = b"".join(data(frame) for _, _, frame in flow if not inbound(truth, frame))
            assert truth.name.encode() not in heard


@pytest.mark.parametrize("name", ["tcp.reset.cn-gfw-ii", "http.blockpage.th-redirect", "tcp.fin.generic"])
def test_boxes_beside_the_path_cannot_keep_it(name: str) -> None:
    """Servers hear the trigger of a box that works on a copy."""
    for seed in SEEDS:
        one = Played(run(name, seed, Conditions.clean(vantage="server")))
        heard = [
            any(data(frame) for _, _, frame in flow if not inbound(truth, frame)) for truth, flow in one.interfered()
        ]
        assert all(heard)


def test_resets_of_both_ends_reach_the_server() -> None:
    """The server hears resets in the client's name."""
    for seed in SEEDS:
        one = Played(run("tcp.reset.cn-rae", seed, Conditions.clean(vantage="server")))
        for truth in one.labels.interfered():
            forged = [one.frame(number) for number in truth.forged]
            assert forged
            assert all(not inbound(truth, frame) and frame[TCP].flags & RST for frame in forged)


def test_rewritten_packets_keep_their_header(played: dict[tuple[str, int], Played]) -> None:
    """All that the server says after the trigger is a RST/ACK with the hop limit of its SYN/ACK."""
    for seed in SEEDS:
        for truth, flow in played["tcp.reset.ru-tspu-sni-i", seed].interfered():
            ttl = next(hops(frame) for _, _, frame in flow if inbound(truth, frame))
            after = [frame for number, _, frame in flow if inbound(truth, frame) and number > truth.trigger]
            resets = [frame for frame in after if frame[TCP].flags & RST]
            assert resets
            assert all(frame[TCP].flags & RST for frame in after[after.index(resets[0]) :])
            assert {hops(frame) for frame in resets} == {ttl}


@pytest.mark.parametrize("word", ["tcp.reset", "tcp.fin", "tcp.data", "http.blockpage"])
@pytest.mark.parametrize("kind", ["adaptive-on-path", "adaptive-in-path"])
def test_imitators_leave_no_trace_in_hop_limit_and_time(
    word: str, kind: str, played: dict[tuple[str, int], Played]
) -> None:
    """Their packets have the server's hop limit and come no earlier than its answer could."""
    for seed in SEEDS:
        for truth, flow in played[f"{word}.{kind}", seed].interfered():
            frames = {number: (time, frame) for number, time, frame in flow}
            opened = flow[0][1]
            greeting = next((time, frame) for _, time, frame in flow if inbound(truth, frame))
            for number in truth.forged[:1]:
                time, frame = frames[number]
                assert hops(frame) == hops(greeting[1])
                assert time - frames[truth.trigger][0] > 0.8 * (greeting[0] - opened)


def test_punishment_ends(played: dict[tuple[str, int], Played]) -> None:
    """While it lasts SYNs are answered falsely; later ones pass, and the connection is reset for what it says."""
    for seed in SEEDS:
        one = played["tcp.synack.cn-residual", seed]
        times = one.simulated.times
        soon: dict[bool, set[str | None]] = {True: set(), False: set()}
        for truth in one.labels.truths:
            soon[times[truth.first_frame - 1] < times[0] + 150 * SECOND].add(truth.mechanism)
        assert soon[True] == {None, "tcp.reset", "tcp.synack"}
        assert soon[False]
        assert "tcp.synack" not in soon[False]


def test_only_flows_without_a_trace_of_their_own_are_labelled_as_a_series(
    played: dict[tuple[str, int], Played],
) -> None:
    """What an imitator in the path does to one connection a server might do too; names set it apart."""
    for name in NAMES:
        marked = {truth.series for truth in played[name, 0].labels.interfered()}
        assert marked == {"adaptive-in-path" in name or "ru-tspu" in name or name == "tcp.connect.reset.cisco"}


@pytest.mark.tshark
@pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")
def test_wireshark_finds_nothing_malformed(tmp_path: Path, played: dict[tuple[str, int], Played]) -> None:
    """Another dissector reads every frame, with all checksums right."""
    simulated = [one.simulated for one in played.values()]
    held = io.BytesIO()
    times = [moment for one in simulated for moment in one.times]
    write_pcap(held, times, [frame for one in simulated for frame in one.frames], simulated[0].link_type)
    path = tmp_path / "forged.pcap"
    path.write_bytes(held.getvalue())
    checks = [word for layer in ("ip", "tcp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    quick = ["-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE"]
    bad = "_ws.malformed or ip.checksum.status==0 or tcp.checksum.status==0"
    words = ["tshark", "-r", str(path), *checks, *quick, "-Y", bad]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == ""


# --- parts ---

HERE, THERE = address("192.0.2.1"), address("198.51.100.7")


def packet(**fields: object) -> Packet:
    """Make a packet of a client."""
    return Packet(source=HERE, destination=THERE, sport=4000, dport=443, **fields)  # type: ignore[arg-type]


def seen(*packets: Packet) -> ConnectionView:
    """Show a box some packets of a client."""
    view = ConnectionView({True: EndView(), False: EndView()}, 0)
    for one in packets:
        view.see(one, True, 0)
    return view


def test_triggers_reassemble_unless_told_otherwise() -> None:
    """A word split over two packets offends only boxes that reassemble, at the packet that completes it."""
    halves = packet(payload=b"hello bad", flags=ACK), packet(payload=b"word.", flags=ACK)
    words = frozenset({b"badword"})
    assert [says(words)(one, True, seen(*halves[: place + 1])) for place, one in enumerate(halves)] == [False, True]
    assert not says(words, whole=True)(halves[1], True, seen(*halves))
    whole = packet(payload=b"a badword", flags=ACK)
    assert says(words, whole=True)(whole, True, seen(whole))
    assert not says(words, turn=2)(whole, True, seen(whole))
    stamped = packet(payload=b"a badword", options=timestamp_option(1, 2))
    assert not says(words, bare_header=True)(stamped, True, seen(stamped))


def test_a_copy_may_reach_the_forger_before_the_traffic_gets_on() -> None:
    """With a lag the trigger leaves after the resets; a box that swallows it numbers them from the trigger's start."""
    bad = packet(payload=b"badword", flags=ACK | PSH, seq=500, ack=900)
    for swallow in (False, True):
        packets = burst(Handwriting(delay=1e6), (RST, RST), step=10, to_client=False) + burst(
            Handwriting(delay=1e6), (RST | ACK,)
        )
        rule = Rule(
            when=says(frozenset({b"badword"})), mechanism="tcp.reset", bursts=(packets,), spread=0.0, swallow=swallow
        )
        world = World(np.random.default_rng(1))
        onward = Forger(world, (rule,), lag=5_000_000).cross(bad, True)
        assert [(delay, one.forged) for delay, _, one in onward if one is bad] == [(5_000_000, "")] * (not swallow)
        made = [(outbound, one.seq, one.ack) for delay, outbound, one in onward if one.forged and delay < 2_000_000]
        begin = 500 if swallow else 507
        assert made == [(True, begin, 0), (True, begin + 10, 0), (False, 900, 507)]


def test_triggers_know_openings_and_farewells() -> None:
    """SYNs offend by their address, FINs only after the connection was cut off."""
    syn, end = packet(flags=SYN), packet(flags=FIN | ACK)
    assert opens(frozenset({THERE}))(syn, True, seen())
    assert not opens(frozenset({HERE}))(syn, True, seen())
    cut = seen()
    cut.silent.add(True)
    assert (farewell(end, True, seen()), farewell(end, True, cut)) == (False, True)


@pytest.mark.parametrize(
    ("form", "field", "expected"),
    [
        (Handwriting(id_rule="mirror"), "ip_id", 700),
        (Handwriting(id_rule="next"), "ip_id", 701),
        (Handwriting(id_rule="after", id_step=-26), "ip_id", 65_512),
        (Handwriting(id_rule="sequence", ip_id=5, id_step=3), "ip_id", 5 + 9 + 6),
        (Handwriting(ttl_rule="match", ttl=99), "ttl", 47),
        (Handwriting(ttl_rule="mirror"), "ttl", 61),
        (Handwriting(ttl_rule="counter"), "ttl", 40 + 9 + 2),
        (Handwriting(ttl_rule="spread", ttl=100, ttl_high=103), "ttl", 101),
        (Handwriting(window_rule="mirror"), "window", 555),
        (Handwriting(window_rule="counter", window=1000), "window", 1051),
        (Handwriting(dont_fragment=True), "ip_flags", 2),
    ],
)
def test_forms_follow_their_rules(form: Handwriting, field: str, expected: int) -> None:
    """Each rule takes its field from where it says."""
    trigger = packet(ip_id=700, ttl=61, window=555)
    fields = form.header_fields(trigger, 47, 2, np.random.default_rng(0), 9, last_id=0)
    assert fields[field] == expected


def test_an_imitator_continues_what_it_saw() -> None:
    """IP IDs, timestamps and window go on where the impersonated end stopped."""
    server, client = EndView(), EndView()
    options = timestamp_option(5_000, 77)
    for number in (10, 11):
        server.see(packet(ip_id=number, ttl=50, window=300, tos=8, options=options, flags=ACK | PSH), 0)
    client.see(packet(options=timestamp_option(90, 1)), 0)
    fields = server.imitated(client, 30_000_000, 0, 4242)
    expected = {"ip_id": 12, "ttl": 50, "window": 300, "tos": 8, "ip_flags": 2, "options": timestamp_option(5_030, 90)}
    assert fields == expected
    scattered = attrs.evolve(server, ids=(10, 9_000))
    assert scattered.imitated(client, 0, 0, 4242)["ip_id"] == 4242
