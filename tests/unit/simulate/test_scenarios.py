import io
import subprocess
import sys
from pathlib import Path
from shutil import which

import dns.message
import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from netinterf.capture import write_pcap
from netinterf.errors import ParameterError
from netinterf.simulate import Labels, Simulated, run, scenarios

NAMES = [play.name for play in scenarios()]
SEEDS = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def played() -> dict[tuple[str, int], Simulated]:
    """Play every scenario with a few seeds, once."""
    return {(name, seed): run(name, seed) for name in NAMES for seed in SEEDS}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_capture(name: str, played: dict[tuple[str, int], Simulated]) -> None:
    """Times, bytes and labels depend on name and seed alone."""
    again, first = run(name, 1), played[name, 1]
    assert (again.times, again.frames, again.labels) == (first.times, first.frames, first.labels)
    assert first.frames != played[name, 2].frames


@pytest.mark.parametrize("name", NAMES)
def test_times_never_fall(name: str, played: dict[tuple[str, int], Simulated]) -> None:
    """Captures are in order of time and last seconds, not years."""
    for seed in SEEDS:
        times = played[name, seed].times
        assert times == sorted(times)
        assert times[-1] - times[0] < 1000 * 10**9


def test_only_interfering_scenarios_have_interfered_subjects(played: dict[tuple[str, int], Simulated]) -> None:
    """A benign twin has no mechanism anywhere; the others show theirs and spare someone."""
    for play in scenarios():
        for seed in SEEDS:
            found = {truth.mechanism for truth in played[play.name, seed].labels.truths}
            assert found == {None} if play.mechanism is None else {None, play.mechanism} <= found


def ends(frame: Ether) -> set[tuple[str, int]]:
    """Name both ends of a frame."""
    network = frame[IPv6] if IPv6 in frame else frame[IP]
    transport = frame[TCP] if TCP in frame else frame[UDP]
    return {(network.src, transport.sport), (network.dst, transport.dport)}


@pytest.mark.parametrize("name", ["tcp.reset", "dns.injection"])
def test_labels_point_at_the_right_frames(name: str, played: dict[tuple[str, int], Simulated]) -> None:
    """Forged frames belong to their subject and are resets, or answers to its question; so does the first frame."""
    for seed in SEEDS:
        simulated = played[name, seed]
        for truth in simulated.labels.truths:
            expected = {(truth.client, truth.client_port), (truth.server, truth.server_port)}
            for number in (truth.first_frame, *truth.forged):
                assert ends(Ether(simulated.frames[number - 1])) == expected
            for number in truth.forged:
                frame = Ether(simulated.frames[number - 1])
                if name == "tcp.reset":
                    assert frame[TCP].flags & 4
                    continue
                message = dns.message.from_wire(bytes(frame[UDP].payload), ignore_trailing=True)
                assert message.flags & 0x8000
                assert message.id == truth.query_id
                assert str(message.question[0].name).rstrip(".") == truth.name


def test_a_forged_answer_comes_before_the_true_one(played: dict[tuple[str, int], Simulated]) -> None:
    """Both answers are captured for most poisoned exchanges, the forged one first."""
    races = won = 0
    for seed in SEEDS:
        simulated = played["dns.injection", seed]
        for truth in simulated.labels.interfered():
            same = [
                number
                for number, raw in enumerate(simulated.frames, start=1)
                if (frame := Ether(raw))[UDP].dport == truth.client_port and bytes(frame[UDP].payload)[2] & 0x80
            ]
            races += len(same) > len(truth.forged)
            won += same[0] == truth.forged[0]
    total = sum(len(played["dns.injection", seed].labels.interfered()) for seed in SEEDS)
    assert races > 0.9 * total
    assert won > 0.9 * total


def test_forged_resets_vary_from_seed_to_seed() -> None:
    """No single header field is the same in all forged packets of many seeds."""
    fields: dict[str, set[object]] = {name: set() for name in ("ttl", "id", "window", "flags", "df", "length")}
    for seed in range(30):
        simulated = run("tcp.reset", seed)
        for number in simulated.labels.of_frames():
            frame = Ether(simulated.frames[number - 1])
            if IP in frame:
                values = (
                    frame.ttl,
                    frame.id,
                    frame[TCP].window,
                    int(frame[TCP].flags),
                    int(frame[IP].flags),
                    frame[IP].len,
                )
                for name, value in zip(fields, values, strict=True):
                    fields[name].add(value)
    assert min(len(values) for values in fields.values()) >= 2
    assert len(fields["ttl"]) > 20
    assert len(fields["window"]) > 20


def test_policed_downloads_lose_packets_and_spared_ones_do_not(played: dict[tuple[str, int], Simulated]) -> None:
    """At least 15 segments of the policed server are sent again; a server that is spared repeats next to none."""
    for seed in SEEDS:
        simulated = played["rate.policing", seed]
        repeats: dict[str, int] = {}
        seen: set[tuple[object, ...]] = set()
        for raw in simulated.frames:
            frame = Ether(raw)
            key = (frame[IP].src, frame[TCP].dport, frame[TCP].seq)
            if len(frame[TCP].payload) > 500:
                repeats[frame[IP].src] = repeats.get(frame[IP].src, 0) + (key in seen)
                seen.add(key)
        policed = {truth.server for truth in simulated.labels.interfered()}
        spared = {truth.server for truth in simulated.labels.truths} - policed
        if simulated.labels.vantage == "server":
            assert all(repeats[server] >= 15 for server in policed)
        assert all(repeats[server] <= 5 for server in spared)


def test_labels_survive_json(played: dict[tuple[str, int], Simulated]) -> None:
    """Plain values give the same labels back."""
    labels = played["dns.injection", 0].labels
    assert Labels.from_dict(labels.to_dict()) == labels


@pytest.mark.parametrize(("name", "seed", "says"), [("nothing", 0, "tcp.reset"), ("tcp.reset", -1, "from 0 on")])
def test_wrong_arguments_are_named(name: str, seed: int, says: str) -> None:
    """An unknown scenario or a negative seed is refused with what is allowed."""
    with pytest.raises(ParameterError, match=says):
        run(name, seed)


def test_the_library_does_not_import_the_simulator() -> None:
    """Importing netinterf leaves the simulator alone."""
    code = "import sys, netinterf; sys.exit(any(name.startswith('netinterf.simulate') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.tshark
@pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_wireshark_finds_nothing_malformed(name: str, tmp_path: Path, played: dict[tuple[str, int], Simulated]) -> None:
    """Another dissector reads every frame, with all checksums right."""
    simulated = played[name, 1]
    held = io.BytesIO()
    write_pcap(held, simulated.times, simulated.frames, simulated.link_type)
    path = tmp_path / "simulated.pcap"
    path.write_bytes(held.getvalue())
    checks = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    bad = "_ws.malformed or ip.checksum.status==0 or tcp.checksum.status==0 or udp.checksum.status==0"
    words = ["tshark", "-r", str(path), *checks, "-Y", bad]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == ""
