"""The lab: its packets, its path, its rules and labels; and, where root may make namespaces, the lab itself."""

import concurrent.futures
import itertools
import json
import random
import shutil
from pathlib import Path
from typing import Any

import attrs
import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from benchmarks.lab import available
from benchmarks.lab.box import Box
from benchmarks.lab.check import check
from benchmarks.lab.check_looks import LOOKS
from benchmarks.lab.check_mechanisms import SHOWN
from benchmarks.lab.command import listing
from benchmarks.lab.join import labels, packed, place_forged, subjects
from benchmarks.lab.path import Line
from benchmarks.lab.plays import SCENARIOS
from benchmarks.lab.programs.names import addresses_of, query, reply
from benchmarks.lab.rules import RULES
from benchmarks.lab.runner import play
from benchmarks.lab.scenario import LINES, Stage
from benchmarks.lab.wire import ACK, PSH, RST, SYN, TCP, UDP, Packet, lowered, parse, timestamps
from netinterf.simulate.coverage import coverage

ENDS = {4: ("192.168.7.9", "51.20.30.40"), 6: ("2a01:1:2:3:4:5:6:7", "2a02:9:8:7:6:5:4:3")}
STAMPS = bytes.fromhex("0101080a000000640000000a")


def packet(version: int = 4, *, outbound: bool = True, protocol: int = TCP, **fields: Any) -> Packet:
    """Make a packet between the two ends."""
    source, destination = ENDS[version] if outbound else ENDS[version][::-1]
    ports = (40_000, 53 if protocol == UDP else 443)
    sport, dport = ports if outbound else ports[::-1]
    plain = Packet(b"", version, packed(source), packed(destination), protocol, 60, 7, True, sport=sport, dport=dport)
    made = parse(attrs.evolve(plain, **fields).rebuilt())
    assert made is not None
    made.seen = made.raw
    return made


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", [TCP, UDP])
@pytest.mark.parametrize("payload", [b"", b"odd", b"even"])
def test_packets_are_read_back_and_their_checksums_hold(version: int, protocol: int, payload: bytes) -> None:
    """What is built is what scapy builds, and parsing gives the fields again."""
    extra = {"seq": 2**32 - 1, "ack": 5, "flags": PSH | ACK, "window": 99, "options": STAMPS} if protocol == TCP else {}
    made = packet(version, protocol=protocol, payload=payload, **extra)
    assert made.payload == payload
    assert {name: getattr(made, name) for name in extra} == extra
    again = (IP if version == 4 else IPv6)(made.raw)
    for layer in (again, again.payload):
        if "chksum" in layer.fields:
            del layer.chksum
    assert bytes(again) == made.raw
    if protocol == TCP:
        assert timestamps(made.options) == (100, 10)
        assert made.end == (2**32 - 1 + len(payload)) % 2**32


@pytest.mark.parametrize("version", [4, 6])
def test_hops_are_taken_and_packets_die(version: int) -> None:
    """The hop count falls, the header checksum follows, and zero is death."""
    one = packet(version)
    fewer = parse(lowered(one.raw, 9))
    assert fewer is not None
    assert fewer.ttl == 51
    again = (IP if version == 4 else IPv6)(fewer.raw)
    if version == 4:
        del again.chksum
    assert bytes(again) == fewer.raw
    assert lowered(one.raw, 60) == b""


def test_a_path_keeps_order_unless_told_otherwise() -> None:
    """Jitter never reorders; reordering does; a queue delays, then drops; a dead link passes nothing."""
    rng = random.Random(1)
    jittery = Line(delay=0.01, jitter=0.005)
    came = [jittery.cross(place * 1e-4, 1500, rng)[0] for place in range(500)]
    assert came == sorted(came)
    assert min(came[1:]) >= 0.01
    strange = Line(delay=0.01, reorder=0.1, lag=0.01)
    came = [strange.cross(place * 1e-4, 1500, rng)[0] for place in range(500)]
    assert came != sorted(came)
    narrow = Line(rate=15_000, queue=4_500)
    waits = [narrow.cross(0.0, 1500, rng) for _ in range(5)]
    assert waits == [(0.1,), (0.2,), (0.30000000000000004,), (), ()]
    dead = Line(dead_from=1.0, dead_until=2.0)
    assert [len(dead.cross(when, 100, rng)) for when in (0.5, 1.5, 2.5)] == [1, 0, 1]


@pytest.mark.parametrize("burst", [1.0, 5.0])
def test_losses_have_their_share_and_their_bursts(burst: float) -> None:
    """About the asked share is lost; runs of losses are as long as asked."""
    line, rng = Line(loss=0.05, burst=burst), random.Random(2)
    lost = [not line.cross(0.0, 100, rng) for _ in range(40_000)]
    assert 0.035 < sum(lost) / len(lost) < 0.065
    runs = sum(now and not before for before, now in zip([False, *lost], lost, strict=False))
    assert 0.7 * burst < sum(lost) / runs < 1.5 * burst


def wireless(*rules: dict[str, Any]) -> Box:
    """Make a box without wires whose path takes no time."""
    made = [
        RULES[one["rule"]](number=place, **{k: v for k, v in one.items() if k != "rule"})
        for place, one in enumerate(rules)
    ]
    return Box({}, {name: Line() for name in LINES}, made, None, random.Random(3), {})


def passed(box: Box, *packets: Packet) -> list[tuple[str, Packet]]:
    """Let packets come to the box; list what it would write and where."""
    for one in packets:
        box.cross("box.up" if one.source == packed(ENDS[one.version][0]) else "box.down", one, 0.0)
    out = []
    while box.heap:
        when, _, place, one = box.heap.pop(0)
        if place.startswith("on."):
            box.arrive(place, one, when)
        else:
            out.append((place, one))
    return out


HANDSHAKE = (
    packet(flags=SYN, seq=100),
    packet(outbound=False, flags=SYN | ACK, seq=900, ack=101, ttl=50, window=777, options=STAMPS),
    packet(flags=ACK, seq=101, ack=901),
)
TRIGGER = packet(flags=PSH | ACK, seq=101, ack=901, payload=b"GET / HTTP/1.1\r\nHost: bad.example\r\n\r\n")
ANSWER = packet(outbound=False, flags=PSH | ACK, seq=901, ack=140, payload=b"HTTP/1.1 200 OK\r\n\r\n")


def test_a_forged_reset_fits_the_connection() -> None:
    """Numbers fit what the receiver expects; imitated fields are those of the imitated end."""
    forged = [
        {"flags": RST | ACK, "ack": 0, "ttl": "genuine", "window": "genuine", "options": "genuine"},
        {"to": "server", "flags": RST, "ttl": 33, "ip_id": 5},
    ]
    box = wireless({"rule": "Forge", "mechanism": "tcp.reset", "names": ["bad.example"], "forged": forged})
    out = passed(box, *HANDSHAKE, TRIGGER)
    made = {place: one for place, one in out if one.note is not None and one.note.kind == "forged"}
    end = 101 + len(TRIGGER.payload)
    to_client, to_server = made["client"], made["server"]
    assert (to_client.seq, to_client.ack, to_client.ttl, to_client.window) == (901, end, 50, 777)
    assert timestamps(to_client.options) is not None
    assert (to_server.seq, to_server.flags, to_server.ttl, to_server.ip_id) == (end, RST, 33, 5)
    assert [line["mechanism"] for line in box.log if line["what"] == "touch"] == ["tcp.reset"]


def test_a_trigger_split_over_segments_is_still_heard() -> None:
    """The name counts even when its bytes come in two packets out of order."""
    box = wireless({"rule": "Cut", "mechanism": "tcp.drop", "names": ["bad.example"]})
    first = packet(flags=ACK, seq=101, ack=901, payload=TRIGGER.payload[:25])
    second = packet(flags=ACK, seq=126, ack=901, payload=TRIGGER.payload[25:])
    assert len(passed(box, *HANDSHAKE, second)) == 4
    assert passed(box, first, ANSWER) == []


def test_a_cut_counts_packets_before_it_bites() -> None:
    """Two more packets pass in either direction, then nothing does."""
    box = wireless({"rule": "Cut", "mechanism": "rate.freeze", "names": ["bad.example"], "packets": 2})
    out = passed(box, *HANDSHAKE, TRIGGER, ANSWER, packet(flags=ACK, seq=140, ack=920), ANSWER, TRIGGER)
    assert len(out) == 6
    untouched = wireless({"rule": "Cut", "mechanism": "rate.freeze", "names": ["other.example"], "packets": 2})
    assert len(passed(untouched, *HANDSHAKE, TRIGGER, ANSWER)) == 5
    assert not untouched.log


def test_a_bucket_drops_and_a_queue_delays() -> None:
    """Of ten packets at once a bucket passes what its tokens cover; a queue passes all, the later the more."""
    many = [packet(outbound=False, flags=ACK, seq=901 + 1000 * place, payload=bytes(1000)) for place in range(10)]
    rule = {"rule": "Limit", "mechanism": "rate.policing", "names": ["bad.example"], "rate": 1e4, "burst": 3_200.0}
    assert len(passed(wireless(rule), *HANDSHAKE, TRIGGER, *many)) == 4 + 3
    shaped = wireless({**rule, "kind": "shape"})
    for one in (*HANDSHAKE, TRIGGER, *many):
        shaped.cross("box.up" if one.dport == 443 else "box.down", one, 0.0)
    held = sorted(when for when, _, place, _ in shaped.heap if place == "on.down")
    assert len(held) == 7
    assert held[-1] > 0.6


def test_a_forged_answer_belongs_to_its_question() -> None:
    """Number, name and type are the query's; the address is the forger's."""
    asked = packet(protocol=UDP, payload=query("www.bad.example", "A", 77, 1232))
    box = wireless(
        {
            "rule": "Answer",
            "mechanism": "dns.injection",
            "names": ["bad.example"],
            "replies": [{"addresses": ["9.9.9.1"]}],
        }
    )
    out = passed(box, asked)
    assert [place for place, _ in out] == ["server", "client"]
    assert out[1][1].payload[:2] == asked.payload[:2]
    assert addresses_of(out[1][1].payload) == ["9.9.9.1"]
    true = reply(asked.payload, {"A": ["5.5.5.5"], "ttl": 60, "alias": "cdn.example"}, 0)
    assert addresses_of(true) == ["5.5.5.5"]


def test_log_and_frames_are_joined_by_bytes_then_time() -> None:
    """Each frame is used once, the nearest first; a packet that no frame shows is named."""
    same = packet(outbound=False, flags=RST)
    rows = [(1.0, packet(flags=SYN)), (2.0, same), (3.0, same)]
    told = [{"what": "forged", "packet": same.raw.hex(), "time": time, "flow": []} for time in (3.1, 2.1, 9.0)]
    placed, missing = place_forged(rows, told)
    assert placed == {0: 3, 1: 2}
    assert len(missing) == 1


def test_subjects_are_split_by_syn_and_by_query_number() -> None:
    """A port used again is another connection; a repeated SYN or query is not."""
    syns = [packet(flags=SYN, seq=seq) for seq in (1, 1, 500)]
    asked = [packet(protocol=UDP, payload=query("a.example", "AAAA", number, 0)) for number in (7, 7, 8)]
    found = subjects(
        [(float(place), one) for place, one in enumerate([*syns, *asked])], frozenset([packed(ENDS[4][0])])
    )
    assert [(one.kind, one.first) for one in found] == [("flow", 1), ("flow", 3), ("exchange", 4), ("exchange", 6)]
    assert (found[2].name, found[2].query_type, found[2].query_id) == ("a.example", "AAAA", 7)


def test_labels_say_what_the_log_says(tmp_path: Path) -> None:
    """What was touched gets mechanism, forged frames and trigger; an answer that stood alone is forged."""
    scenario = next(one for one in SCENARIOS if one.name == "dns.injection.one")
    stage = Stage(scenario, 1, tmp_path)
    stage.four = ENDS[4][0]
    asked = packet(protocol=UDP, payload=query("www.bad.example", "A", 77, 1232))
    made = packet(protocol=UDP, outbound=False, payload=reply(asked.payload, {"A": ["9.9.9.1"], "ttl": 60}, 0))
    flow = [ENDS[4][0], 40_000, ENDS[4][1], 53, UDP]
    log = [
        {"what": "trigger", "side": "client", "packet": asked.raw.hex(), "time": 1.0, "flow": flow, "number": 1},
        {"what": "touch", "flow": flow, "time": 1.0, "mechanism": "dns.injection", "number": 1},
        {"what": "forged", "side": "client", "packet": made.raw.hex(), "time": 1.01, "flow": flow},
    ]
    told, missing = labels(stage, "client", [(1.0, asked), (1.01, made)], log, [])
    (truth,) = told.truths
    assert not missing
    assert (truth.mechanism, truth.forged, truth.trigger, truth.query_id) == ("dns.forged", (2,), 1, 77)
    genuine = packet(protocol=UDP, outbound=False, payload=reply(asked.payload, {"A": ["5.5.5.5"], "ttl": 60}, 0))
    told, _ = labels(stage, "client", [(1.0, asked), (1.01, made), (1.1, genuine)], log, [])
    assert told.truths[0].mechanism == "dns.injection"
    server, _ = labels(stage, "server", [(1.05, asked), (1.06, genuine)], log, [])
    assert server.truths == ()


@pytest.mark.parametrize(
    ("done", "data", "mechanism"),
    [
        ("http.blockpage", b"HTTP/1.1 302 Found\r\n\r\n", "http.blockpage"),
        ("http.blockpage", b"", "tcp.reset"),
        ("tcp.connect.reset", b"", "tcp.reset"),
    ],
)
def test_what_the_server_sees_is_a_reset(tmp_path: Path, done: str, data: bytes, mechanism: str) -> None:
    """The page goes to the client, and its SYN was answered: at the server nothing but a forged reset is to be seen."""
    scenario = next(one for one in SCENARIOS if one.name == "http.blockpage.raced")
    stage = Stage(scenario, 1, tmp_path)
    stage.four = ENDS[4][0]
    opened, made = packet(flags=SYN, seq=1), packet(outbound=bool(not data), flags=RST | ACK, seq=2, payload=data)
    flow = [ENDS[4][0], opened.sport, ENDS[4][1], opened.dport, TCP]
    side = "client" if data else "server"
    log = [
        {"what": "touch", "flow": flow, "time": 1.0, "mechanism": done, "number": 1},
        {"what": "forged", "side": side, "packet": made.raw.hex(), "time": 1.01, "flow": flow},
    ]
    told, missing = labels(stage, side, [(1.0, opened), (1.01, made)], log, [])
    assert not missing
    assert [(one.mechanism, one.forged) for one in told.truths] == [(mechanism, (2,))]


def test_scenarios_cover_the_contract_and_can_be_checked() -> None:
    """Names are unique and begin with their mechanism; the check knows what each must show."""
    names = [one.name for one in SCENARIOS]
    assert len(set(names)) == len(names)
    for one in SCENARIOS:
        assert one.mechanism in SHOWN and one.system if one.mechanism else one.confounder in LOOKS
        assert one.name.startswith(one.mechanism or "benign.")
    played = {one.mechanism for one in SCENARIOS} - {None}
    assert played == set(SHOWN)
    assert sum(one.mechanism is None for one in SCENARIOS) >= 25


def test_the_manual_lists_the_scenarios() -> None:
    """The table of the page is what the command prints."""
    page = Path(__file__).resolve().parents[3] / "docs" / "project" / "lab.md"
    assert listing() in page.read_text(encoding="utf-8")


def test_a_stage_is_drawn_from_its_seed(tmp_path: Path) -> None:
    """The same seed gives the same play; both IP versions occur."""
    scenario = next(one for one in SCENARIOS if one.name == "tcp.reset.burst")
    drawn = []
    for seed in (5, 5, 6):
        stage = Stage(scenario, seed, tmp_path)
        scenario.play(stage)
        drawn.append(json.dumps([stage.errands, stage.rules, stage.lines]))
    assert drawn[0] == drawn[1] != drawn[2]
    assert {Stage(scenario, seed, tmp_path).version for seed in range(20)} == {4, 6}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play three scenarios on real stacks, or skip and say why."""
    if reason := available():
        pytest.skip(reason)
    out = tmp_path_factory.mktemp("lab")
    chosen = [
        one for one in SCENARIOS if one.name in ("tcp.reset.burst", "dns.injection.one", "benign.tcp.closed-port")
    ]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = list(pool.map(play, chosen, itertools.repeat(0), itertools.repeat(out)))
    assert [one.problems for one in done] == [(), (), ()]
    return out


def test_the_lab_gives_labelled_captures_of_both_ends(folder: Path) -> None:
    """Each run gives two captures whose labels name what was played."""
    told = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.labels.json")}
    assert len(told) == 6
    resets = told["lab.tcp.reset.burst.0.client.labels.json"]["truths"]
    assert sum(truth["mechanism"] == "tcp.reset" and len(truth["forged"]) >= 2 for truth in resets) == 2
    assert any(truth["mechanism"] is None and truth["protocol"] == "tcp" for truth in resets)
    closed = told["lab.benign.tcp.closed-port.0.client.labels.json"]["truths"]
    assert not any(truth["mechanism"] for truth in closed)
    assert sum(truth["confounder"] == "closed-port" for truth in closed) == 4


def test_the_check_agrees_and_notices_wrong_labels(folder: Path) -> None:
    """Every label is confirmed by tshark; a forged frame left out or made up is a problem."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    assert check(folder) == []
    path = folder / "lab.tcp.reset.burst.0.client.labels.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    (one, *_) = [truth for truth in told["truths"] if truth["forged"]]
    left_out, made_up = one["forged"][0], one["first_frame"] + 1
    one["forged"] = [*one["forged"][1:], made_up]
    path.write_text(json.dumps(told), encoding="utf-8")
    problems = "\n".join(check(folder))
    assert f"frame {left_out} was sent by nobody" in problems
    assert f"frame {made_up} is labelled forged but" in problems  # it left this host, or the other end sent it


def test_ids_are_those_of_the_documented_lists() -> None:
    """Systems and look-alikes have the ids of the simulator's lists, but for a few plain habits of hosts and paths."""
    found = coverage()
    plain = {"", "ordinary", "half-close", "path-duplicates", "nxdomain"}
    assert {play.system for play in SCENARIOS} <= {one.id for one, _ in found.systems} | {"", "generic", "adaptive"}
    assert {play.confounder for play in SCENARIOS} <= {one.id for one in found.confounders} | plain
