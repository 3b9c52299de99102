"""Every scenario plays, over both address families, and its labels keep their promises."""

import importlib
import ipaddress
import json
import subprocess
import sys
from pathlib import Path
from shutil import which

import dns.message
import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from benchmarks.simulator import digest
from netinterf.errors import ParameterError
from netinterf.mechanisms import MECHANISMS as RECORDS
from netinterf.simulate import Conditions, Labels, run, scenarios, write
from netinterf.simulate.coverage import coverage

PLAYS = {play.name: play for play in scenarios()}
MECHANISMS = {one.path for one in RECORDS.values() if not one.general}
SEEDS = (0, 1, 2, 3)
SAMPLE = sorted(PLAYS)[::6]


@pytest.mark.parametrize("name", PLAYS)
def test_every_scenario_keeps_its_promise(name: str) -> None:
    """Over IPv6: interference is labelled with the mechanism, look-alikes with none; addresses are of the family."""
    play, seed = PLAYS[name], len(name) % 7
    played = run(name, seed, Conditions(ip=6, direction="both", capture_loss=0.0, clock="good"))
    truths = played.labels.truths
    assert truths
    assert len(played.frames) < 6_000
    assert played.times == sorted(played.times)
    found = {truth.mechanism for truth in truths}
    if play.mechanism is None:
        assert found == {None}
        assert not any(truth.forged for truth in truths)
    else:
        assert play.mechanism in found | {word for truth in truths for word in truth.also}
        assert {truth.system for truth in truths if truth.mechanism} == {play.system}
    hosts = {ipaddress.ip_address(host) for truth in truths for host in (truth.client, truth.server)}
    assert any(host.version == 6 for host in hosts)
    for truth in truths:
        assert all(1 <= number <= len(played.frames) for number in (truth.first_frame, *truth.forged))
        assert truth.confounder in ("", play.confounder)


def test_names_and_words_are_those_of_the_contract() -> None:
    """Names are unique; mechanisms are words of the verdict format; families say whether somebody interferes."""
    plays = scenarios()
    assert len({play.name for play in plays}) == len(plays)
    for play in plays:
        assert play.mechanism is None or play.mechanism in MECHANISMS
        assert play.family.startswith("benign.") == (play.mechanism is None)
        assert play.says.endswith(".")


def test_everything_documented_is_played() -> None:
    """No documented system and no documented look-alike lacks a scenario; no scenario plays something undocumented."""
    found = coverage()
    assert found.gaps() == ()
    systems = {system.id for system, _ in found.systems} | {"", "generic", "adaptive"}
    assert len({one.id for one in found.confounders}) == len(found.confounders)
    confounders = {one.id for one in found.confounders} | {""}
    assert {play.system for play in scenarios()} <= systems
    assert {play.confounder for play in scenarios()} <= confounders


def test_the_manual_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of scenarios says how many there are, and how many systems and look-alikes they play: all."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "docs"))
    page = importlib.import_module("generate").covered()
    plays, found = scenarios(), coverage()
    benign = sum(play.mechanism is None for play in plays)
    assert f"There are {len(plays)} scenarios, {len(plays) - benign} with interference and {benign} without." in page
    counts = f"{len(found.systems)} documented systems, counted by mechanism, and {len(found.confounders)} look-alikes"
    assert counts in page
    assert "**none**" not in page


def test_a_mechanism_of_which_nobody_chose_a_picture_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The documentation finds a scenario by itself."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "docs"))
    pictures = importlib.import_module("mechanism_facts")
    monkeypatch.setattr(pictures, "SHOWN", {})
    assert pictures.draw("tcp.reset").startswith("<svg")


def test_there_are_at_least_as_many_look_alikes_as_systems() -> None:
    """Benign causes are as many as interfering ones, and every mechanism of the verdict format is played."""
    plays = scenarios()
    benign = sum(play.mechanism is None for play in plays)
    assert len(coverage().confounders) >= 100
    assert benign >= 100
    assert {play.mechanism for play in plays} - {None} == MECHANISMS


def test_the_same_seed_gives_the_same_capture_in_another_process() -> None:
    """Times, bytes and labels depend on name, seed and conditions alone, not on the process that plays them."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_scenarios import SAMPLE, digest, run\n"
        "print(*(digest(run(name, 5)) for name in SAMPLE))"
    )
    words = [sys.executable, "-c", code, str(Path(__file__).parent)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert told == [digest(run(name, 5)) for name in SAMPLE]
    assert digest(run(SAMPLE[0], 6)) != told[0]


def ends(frame: Ether) -> set[tuple[str, int]]:
    """Name both ends of a frame."""
    network = frame[IPv6] if IPv6 in frame else frame[IP]
    transport = frame[TCP] if TCP in frame else frame[UDP]
    return {(network.src, transport.sport), (network.dst, transport.dport)}


@pytest.mark.parametrize("name", ["tcp.reset", "dns.injection"])
@pytest.mark.parametrize("seed", SEEDS)
def test_labels_point_at_the_right_frames(name: str, seed: int) -> None:
    """Forged frames belong to their subject and are resets, or answers to its question; so does the first frame."""
    played = run(name, seed, Conditions.clean(vantage="client"))
    for truth in played.labels.truths:
        expected = {(truth.client, truth.client_port), (truth.server, truth.server_port)}
        for number in (truth.first_frame, *truth.forged):
            assert ends(Ether(played.frames[number - 1])) == expected
        if truth.forged:
            assert truth.first_frame <= truth.trigger < truth.forged[0]
        for number in truth.forged:
            frame = Ether(played.frames[number - 1])
            if name == "tcp.reset":
                assert frame[TCP].flags & 4
                continue
            message = dns.message.from_wire(bytes(frame[UDP].payload), ignore_trailing=True)
            assert message.flags & 0x8000
            assert message.id == truth.query_id
            assert str(message.question[0].name).rstrip(".").lower() == truth.name.lower()


def test_forged_resets_vary_from_seed_to_seed() -> None:
    """No single header field is the same in all forged packets of many seeds."""
    fields: dict[str, set[object]] = {name: set() for name in ("ttl", "id", "window", "flags", "df")}
    for seed in range(30):
        played = run("tcp.reset", seed, Conditions.clean())
        for number in played.labels.of_frames():
            frame = Ether(played.frames[number - 1])
            values = (frame.ttl, frame.id, frame[TCP].window, int(frame[TCP].flags), int(frame[IP].flags))
            for name, value in zip(fields, values, strict=True):
                fields[name].add(value)
    assert min(len(values) for values in fields.values()) >= 2
    assert len(fields["ttl"]) > 20
    assert len(fields["window"]) > 20


def test_labels_survive_json_and_lie_beside_the_capture(tmp_path: Path) -> None:
    """Plain values give the same labels back, also from the file beside the capture."""
    played = run("dns.injection", 0)
    place = write(played, tmp_path / "one.pcap")
    assert place.name == "one.labels.json"
    assert Labels.from_dict(json.loads(place.read_text())) == played.labels
    assert (tmp_path / "one.pcap").stat().st_size == 24 + sum(16 + len(frame) for frame in played.frames)


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
def test_another_dissector_sees_handshakes_and_retransmissions(tmp_path: Path) -> None:
    """In ordinary traffic tshark finds every handshake complete, losses repeated, and nothing malformed."""
    write(run("benign.tcp.traffic", 3, Conditions.clean(vantage="server")), tmp_path / "one.pcap")
    checks = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]

    def count(wanted: str) -> int:
        words = ["tshark", "-r", str(tmp_path / "one.pcap"), *checks, "-Y", wanted]
        return len(subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines())

    assert count("_ws.malformed or ip.checksum.status==0 or tcp.checksum.status==0 or udp.checksum.status==0") == 0
    assert count("tcp.flags.syn==1 and tcp.flags.ack==1") >= count("tcp.flags.syn==1 and tcp.flags.ack==0") > 10
    repeats = count("tcp.analysis.retransmission or tcp.analysis.fast_retransmission")
    assert repeats > 5
    assert count("tcp.analysis.ack_lost_segment") == 0
    assert count("tls.handshake.type==1") > 10
