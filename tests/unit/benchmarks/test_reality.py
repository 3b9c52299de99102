"""Real captures: the reserve, exposure and bounds, and changes that say the same of the same traffic."""

import csv
import io
import math

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reality.bounds import SMALLEST, UNKNOWN, Support, bound_of, bounds_of, support_of
from benchmarks.reality.exposure import Count, count, met
from benchmarks.reality.judging import Told, Unit, consistent
from benchmarks.reality.reserve import LOOKED_AT, home_of, open_folder, reserved
from benchmarks.reality.tables import counted, suspected
from benchmarks.scoreboard.labels import Row
from benchmarks.scoreboard.units import Answer
from netinterf.analyzers.registry import builtin
from netinterf.analyzers.run import analyze
from netinterf.analyzers.silence import rules as silence
from netinterf.analyzers.silence.probes import in_a_sweep
from netinterf.analyzers.vocabulary import Family
from netinterf.capture import write_pcap
from netinterf.schema import Rule
from netinterf.simulate import Conditions, Truth, run
from netinterf.trace import Trace, read
from netinterf.verdict.subjects import list_subjects

SCENES = ["tcp.reset.cn-gfw-many", "benign.tcp.traffic", "dns.injection.benign", "benign.rate.random-loss"]


def trace_of(scene: str, seed: int = 3) -> Trace:
    """Simulate a capture and read it."""
    made = run(scene, seed)
    held = io.BytesIO()
    write_pcap(held, made.times, made.frames, made.link_type, lengths=made.lengths)
    return read(held.getvalue())


@pytest.fixture(scope="module", params=SCENES)
def trace(request: pytest.FixtureRequest) -> Trace:
    """Give one simulated capture."""
    return trace_of(request.param)


def test_the_reserve_is_a_quarter_by_name_alone() -> None:
    """What was looked at is not in it, and nothing but the name decides about the rest."""
    names = [f"somebody/project-{number}" for number in range(4000)]
    assert 900 < sum(map(reserved, names)) < 1100
    assert not any(map(reserved, LOOKED_AT))
    assert home_of("someone/DNS-Injector-2020") == home_of("Other/dnspoison-detect") != home_of("zeek/zeek")


def test_an_open_folder_holds_no_reserve(tmp_path) -> None:
    """Links to what may be looked at, and tables without the rest."""
    captures, target = tmp_path / "all", tmp_path / "open"
    (captures / "benign").mkdir(parents=True)
    target.mkdir()
    names = [f"somebody/project-{number}" for number in range(40)]
    for table in ("CATALOG.csv", "FLOWS.csv"):
        with (captures / table).open("w", newline="") as text:
            writer = csv.DictWriter(text, ["file", "repo"])
            writer.writeheader()
            for number, name in enumerate(names):
                (captures / "benign" / f"{number}.pcap").write_bytes(b"x")
                writer.writerow({"file": f"benign/{number}.pcap", "repo": name})
    open_folder(captures, target)
    shown = {int(path.stem) for path in target.rglob("*.pcap")}
    assert shown == {number for number, name in enumerate(names) if not reserved(name)} != set(range(40))
    assert "project-" in (target / "FLOWS.csv").read_text()


def test_more_silence_supports_more_and_more_fire_less() -> None:
    """The bound is the inverse of a rate, with one more file that fires added by half."""
    seen = Support(exposed=8000, files=100, homes=20)
    assert bound_of(seen, 1.0) == pytest.approx(math.log(16000))
    assert bound_of(attrs.evolve(seen, weights=(9.0,) * 7, against=(0.0,) * 7), 2.0) == pytest.approx(math.log(1000))
    assert not attrs.evolve(seen, homes=9).enough
    assert not attrs.evolve(seen, exposed=299).enough
    assert bound_of(seen, 1.0, known=False) == UNKNOWN
    assert bound_of(Support(), 1.0) == UNKNOWN
    assert bound_of(Support(exposed=5, weights=(9.0,) * 5, against=(0.0,) * 5, files=5, homes=5), 1.0) == SMALLEST


@given(st.lists(st.floats(0.01, 20), max_size=30), st.integers(40, 3000), st.floats(0.5, 3), st.floats(0.5, 4))
def test_no_weight_is_said_more_often_than_it_may_be(weights, exposed, factor, clustering) -> None:
    """Up to the bound each weight is rarer than its inverse, right above it one is not (a slow twin tries them)."""
    support = Support(exposed=exposed, weights=tuple(weights), against=(0.0,) * len(weights), homes=30)
    bound = bound_of(support, clustering, factor, support.enough)

    def allowed(weight: float) -> float:
        said = sum(one * factor >= weight for one in weights)
        return -math.log(min((said + clustering / 2) / exposed, 1.0))

    if exposed < 300:
        assert bound <= UNKNOWN
        return
    tried = sorted({0.99 * bound, *(one * factor for one in weights if one * factor < bound)})
    assert all(allowed(weight) >= weight - 1e-9 for weight in tried) or bound == SMALLEST
    assert allowed(bound + 1e-6) < bound + 1e-6


def test_counts_add_up_over_captures_and_clustering_over_a_family() -> None:
    """A rule that never fired is bounded by how its relatives fire where they do."""
    six, none = Count(exposed=1000, weights=(9.0,) * 6, against=(0.0,) * 6), Count(exposed=1000)
    captures = [("a", {"x.one": six, "x.two": none}) for _ in range(2)]
    captures += [(f"home {n}", {"x.one": Count(exposed=100), "x.two": Count(exposed=100)}) for n in range(10)]
    support = support_of(captures)
    said = {"weights": (9.0,) * 12, "against": (0.0,) * 12}
    expected = Support(exposed=3000, **said, files=12, homes=11, files_fired=2, homes_fired=1)
    assert support["x.one"] == expected
    assert bounds_of(support, {}) == {
        "x.one": pytest.approx(-math.log((12 + 3) / 3000), abs=0.01),
        "x.two": pytest.approx(-math.log(3 / 3000), abs=0.01),
    }
    argued = attrs.evolve(support["x.one"], against=(-9.0,) * 12)
    assert bounds_of({"x.one": argued}, {})["x.one"] == pytest.approx(-math.log(3 / 3000), abs=0.01)
    assert bounds_of(support, {"x.one": 0.1})["x.one"] == pytest.approx(-math.log(3 / 3000), abs=0.01)


def test_few_conversations_count_where_the_question_is_known() -> None:
    """What asks of QUIC as of TCP is bounded by its own few subjects, if TCP showed enough."""
    few, many = Support(exposed=150, files=9, homes=9), Support(exposed=4000, files=200, homes=26)
    bounds = bounds_of({"quic.served": few, "quic.once": few, "drop.served": many}, {})
    assert bounds == {
        "quic.served": pytest.approx(math.log(300), abs=0.01),
        "quic.once": UNKNOWN,
        "drop.served": pytest.approx(math.log(8000), abs=0.01),
    }
    assert bounds_of({"quic.served": few, "drop.served": few}, {})["quic.served"] == UNKNOWN


def test_who_is_exposed(trace: Trace) -> None:
    """Exposure is of subjects that are there, never less than what fired, and needs what the rule looks at."""
    evidence = analyze(trace)
    subjects = list_subjects(trace, evidence)
    everybody = np.ones(len(subjects), np.bool_)
    counts = count(trace, subjects, evidence, everybody)
    assert counts
    assert all(0 <= one.fired <= one.exposed <= len(subjects) for one in counts.values())
    assert not count(trace, subjects, evidence, ~everybody)
    passed = count(trace, subjects, evidence, everybody, ("tcp.drop",))
    spoken = {rule.id for rule in evidence.rules if rule.mechanism == "tcp.drop"}
    assert set(passed) == set(counts) - spoken
    shown = met(trace, subjects)
    assert all(set(rule.exposed) <= set(shown) for rule in evidence.rules)


def test_the_closer_label_holds() -> None:
    """Where an untouched exchange holds a frame that is called forged, the word about the frame stands."""
    ends = {"kind": "exchange", "protocol": "udp", "client": "10.0.0.2", "client_port": 4000, "server": "9.9.9.9",
            "server_port": 53}  # fmt: skip
    wrong, other = (Row(truth=Truth(**ends, name=name, first_frame=1)) for name in ("a.example", "b.example"))
    forged = Row(truth=Truth(**ends, name="a.example", first_frame=2, forged=(2,)), right=(("dns.injection",),))
    lines = [
        {"subject": {**ends, "name": name, "first_frame": 1}, "frames": [2]} for name in ("a.example", "b.example")
    ]
    lines[1]["frames"] = [7]
    assert consistent((wrong, other, forged), lines) == ((other, forged), 1)
    assert consistent((wrong, other), lines) == ((wrong, other), 0)


def test_suspicions_of_labelled_subjects_are_counted() -> None:
    """Right ones, those about something else, and those about somebody whom nobody touched."""
    doubt, right = Answer(doubted=("tcp.drop",)), Answer(doubted=("tcp.drop",), possible=True)
    answers = [("silent_drop", right), ("rst_injection", doubt), ("", doubt), ("", Answer())]
    answers += [("silent_drop", Answer(said=("tcp.drop",), hits=(True,), doubted=("tcp.reset",)))]
    units = tuple(Unit(family=family, answer=answer, forged=0) for family, answer in answers)
    found = counted(
        [Told(file="f", home="h", repository="r", kind="positive", expected=(), reserved=False, units=units)]
    )
    assert found["open"]["suspicions"] == {"printed": 3, "right": 1, "other": 1, "untouched": 1}
    assert [cell.split(" ")[0] for cell in suspected(found).rows[0]] == ["open", "3", "1/3", "1", "1/2"]


def test_a_shared_rule_needs_company() -> None:
    """What compares with others could not have fired where nobody else is."""
    house = Family("house.", "tcp.drop", exposed="asked")
    assert house.rule("served", "x", 1.0, "x", source="x", shared=True).exposed == ("asked", "company")
    assert house.rule("ttl", "x", 1.0, "x", source="x", needs=("hops",)).exposed == ("asked", "hops")
    assert Rule(id="house.own", mechanism="x", group="x", says="x").exposed == ("any",)


def test_only_sweeps_can_show_what_sweeps_show() -> None:
    """Requests at several hop limits for one name make a sweep; connections that simply are together do not."""
    swept = run("tcp.drop.sweep", 1, Conditions.clean(vantage="client"))
    together = run("benign.tcp.traffic", 1, Conditions.clean(vantage="client"))
    found = [in_a_sweep(read(times=one.times, frames=one.frames, link_type=one.link_type)) for one in (swept, together)]
    assert np.count_nonzero(found[0]) > len(found[0]) / 2
    assert not found[1].any()
    known = [rule for analyzer in builtin() for rule in analyzer.rules if "swept" in rule.exposed]
    assert known == [silence.BEFORE_SERVER, silence.NAME_BEYOND]
