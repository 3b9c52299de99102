import gc
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from benchmarks.scoreboard.delay import first_true, time_to_verdict
from benchmarks.scoreboard.folders import entries
from benchmarks.scoreboard.judging import LIBRARY, Job, answer, judge
from benchmarks.scoreboard.labels import Row, of_labels
from benchmarks.scoreboard.left_out import LEFT_OUT
from benchmarks.scoreboard.mechanisms import MECHANISMS, answers, applies, built, forges, touches
from netinterf import read
from netinterf.capture import write_pcap
from netinterf.simulate import Labels, Truth, run, write
from tests.unit.benchmarks.helpers import row, truth, verdict

CATALOG = """file,repo,commit,path,bytes,packets,linktype,kind,phenomenon,expected_verdict,ground_truth_basis,notes
p.pcap,r,c,p.pcap,1,9,ether,positive,tcp_rst_injection,rst_injection,basis,"a note, with a comma"
q.pcap,r,c,q.pcap,1,9,ether,positive,throttling,policing,basis,
s.pcap,r,c,s.pcap,1,9,ether,benign,hard_negative,none,basis,HARD NEGATIVE for policing: shaped
a.pcap,r,c,a.pcap,1,9,ether,ambiguous,x,inconclusive,basis,
"""
FLOWS = """repo,path,file,proto,client,cport,server,sport,first_frame,trigger,verdict,unit,injected_frames,basis
r,p.pcap,p.pcap,tcp,10.0.0.1,1000,192.0.2.1,443,5,blocked.example,silent_drop;rst_injection,flow,7 8,b
r,p.pcap,p.pcap,dns,10.0.0.1,1001,192.0.2.1,53,9,x.example type 28 id 0x00ff,inconclusive,flow,,b
"""
ROOT = Path(__file__).resolve().parents[3]
NOBODY: frozenset[int] = frozenset()


def test_every_word_of_the_verdict_format_is_scored() -> None:
    """What its table lists, and nothing else, has a row of its own; prefixes that stand for several have none."""
    table = (ROOT / "docs" / "reference" / "verdict.md").read_text(encoding="utf-8")
    assert sorted(MECHANISMS) == sorted(re.findall(r"^\| \[`([a-z.]+)`\]\(", table, re.MULTILINE))
    assert {"tcp.reset", "reach.isolation", "reach.isolation.allowlist"} <= set(MECHANISMS)
    assert not {"tcp", "tcp.connect", "dns"} & set(MECHANISMS)
    assert {"tcp.reset", "dns.injection", "rate.policing"} <= built() <= set(MECHANISMS)


@pytest.mark.parametrize(
    ("said", "right", "expected"),
    [
        ("tcp.reset", "tcp.reset", True),
        ("tcp", "tcp.reset", True),
        ("tcp.connect", "tcp.connect.drop", True),
        ("tcp.res", "tcp.reset", False),
        ("tcp.drop", "tcp.reset", False),
        ("reach.isolation", "reach.isolation.allowlist", True),
        ("reach.isolation.allowlist", "reach.isolation", False),
    ],
)
def test_a_prefix_of_a_right_answer_is_right(said: str, right: str, expected: bool) -> None:
    """Dotted prefixes count; parts of words, other mechanisms and more than is known do not."""
    assert answers([said], [right]) is expected


def test_accusations_bear_on_what_can_happen() -> None:
    """General accusations count against every special mechanism; mechanisms have their kinds of subject."""
    assert touches(["tcp"], "tcp.reset")
    assert not touches(["tcp.drop"], "tcp.reset")
    assert applies("dns.drop", "exchange", "udp")
    assert not applies("dns.drop", "flow", "udp")
    assert not applies("tcp.reset", "flow", "udp")
    assert applies("rate.policing", "flow", "udp")
    assert [forges(word) for word in ("tcp.reset", "tcp.drop", "rate.policing")] == [True, False, False]


def test_csv_labels_take_the_words_of_the_contract(tmp_path: Path) -> None:
    """Several labels, frames and questions are split; what is not known is not scored; policed files count whole."""
    (tmp_path / "CATALOG.csv").write_text(CATALOG)
    (tmp_path / "FLOWS.csv").write_text(FLOWS)
    flows, policed, shaped = (one.labels for one in entries(tmp_path))
    assert flows is not None and policed is not None and shaped is not None  # noqa: PT018
    first, second = flows.rows
    assert (first.mechanisms, first.truth.forged, first.scored) == (("tcp.reset", "tcp.drop"), (7, 8), True)
    assert (second.mechanisms, second.scored) == ((), False)
    assert (second.truth.name, second.truth.query_type, second.truth.query_id) == ("x.example", "AAAA", 255)
    assert (policed.rows[0].truth.kind, policed.rows[0].mechanisms) == ("capture", ("rate.policing",))
    assert (shaped.interfered, shaped.tolerated) == (False, ("rate.shaping",))


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    """It says what it looked for."""
    with pytest.raises(FileNotFoundError, match=r"labels\.json"):
        entries(tmp_path)


def test_one_of_several_mechanisms_is_enough_to_be_right() -> None:
    """Each mechanism is also held against what was said by itself."""
    both = row("tcp.reset", also=("tcp.drop",))
    half = answer([both], [verdict("tcp.reset")], NOBODY, ())
    full = answer([both], [verdict("tcp.reset", also=["tcp.drop"])], NOBODY, ())
    assert (half.hits, half.right) == ((True, False), True)
    assert full.hits == (True, True)


def test_a_forged_answer_alone_counts_where_only_one_reply_was_captured() -> None:
    """`dns.forged` answers an injection only then."""
    dns = row("dns.injection", kind="exchange", name="x.example")
    said = verdict("dns.forged", kind="exchange", name="x.example")
    assert [answer([dns], [said], single, ()).right for single in (frozenset({1}), NOBODY)] == [True, False]


def test_suspicion_is_no_finding() -> None:
    """It is noted when it names the right mechanism."""
    told = answer([row()], [verdict(grade="possible")], NOBODY, ())
    assert (told.said, told.right, told.possible) == ((), False, True)
    assert not answer([row()], [verdict("tcp.fin", grade="possible")], NOBODY, ()).possible


def test_forged_frames_are_compared() -> None:
    """Frames count where some are labelled, and never those before a silence."""
    forged = row(forged=(3, 4, 5, 6))
    told = answer([forged], [verdict(frames=[3, 4, 9])], NOBODY, ())
    assert (told.named, told.hit) == (3, 2)
    assert answer([forged], [verdict("tcp.drop", frames=[3])], NOBODY, ()).named == 0
    assert answer([row()], [verdict(frames=[3])], NOBODY, ()).named == 0


def test_tolerated_accusations_are_no_alarms() -> None:
    """They are kept apart, and only while nothing else is said."""
    shaped = answer([row(None)], [verdict("rate.shaping")], NOBODY, ("rate.shaping",))
    policed = answer([row(None)], [verdict("rate.shaping", also=["rate.policing"])], NOBODY, ("rate.shaping",))
    assert (shaped.said, shaped.spared) == ((), ("rate.shaping",))
    assert policed.said == ("rate.shaping", "rate.policing")


@pytest.mark.parametrize("rivals", [False, True])
def test_a_simulated_capture_is_judged_in_memory(rivals: bool) -> None:
    """Every labelled flow becomes a unit with an answer of every judge, a fit that never saw its system among them."""
    judged = judge(Job(source="simulator", name="x", scenario="tcp.reset", seed=3, rivals=rivals))
    labels = run("tcp.reset", 3).labels
    assert judged.failed == {}
    assert len(judged.units) == len(labels.truths)
    assert sum(bool(unit.mechanisms) for unit in judged.units) == len(labels.interfered())
    assert all((len(unit.answers) > 2) == rivals and {LIBRARY, LEFT_OUT} <= set(unit.answers) for unit in judged.units)
    assert any(unit.answers[LIBRARY].right for unit in judged.units)


def test_a_file_with_labels_beside_it_is_judged_alike(tmp_path: Path) -> None:
    """The same capture gives the same units from memory and from a labelled folder."""
    write(run("dns.injection", 5), tmp_path / "one.pcap")
    (entry,) = entries(tmp_path)
    file = judge(Job(source="f", name=entry.name, path=tmp_path / entry.name, rivals=False))
    memory = judge(Job(source="f", name=entry.name, scenario="dns.injection", seed=5, rivals=False))
    assert file.units == memory.units
    assert file.failed == {}


def test_failures_and_unreadable_captures_are_part_of_the_result(tmp_path: Path) -> None:
    """What cannot be read says why, what fails keeps its traceback, and labelled units in it count as missed."""
    (tmp_path / "bad.pcap").write_bytes(b"no capture")
    labels = of_labels(run("tcp.reset", 3).labels)
    bad = judge(Job(source="f", name="bad.pcap", path=tmp_path / "bad.pcap", labels=labels))
    assert bad.unreadable
    assert len(bad.units) == len(run("tcp.reset", 3).labels.interfered())
    assert not any(unit.answers[LIBRARY].right for unit in bad.units)
    gone = judge(Job(source="f", name="none.pcap", path=tmp_path / "none.pcap"))
    assert "FileNotFoundError" in gone.failed["reading"]


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Collect no garbage: an alarm that strikes inside a callback of the collector is reported, and not raised."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
def test_a_capture_that_takes_too_long_is_a_failure() -> None:
    """It is ended and named, and the next one has its own time."""
    late = judge(Job(source="s", name="x", scenario="benign.tcp.traffic", seed=3), limit=5e-3)
    assert "TimeoutError" in late.failed["reading"]
    assert judge(Job(source="s", name="x", scenario="tcp.reset", seed=3, rivals=False)).failed == {}


@pytest.mark.parametrize("interfered", [False, True])
def test_flows_without_a_label_are_benign_only_where_nobody_interferes(tmp_path: Path, interfered: bool) -> None:
    """In a benign capture every flow counts; beside interference their truth is not known, and accusations stray."""
    simulated = run("tcp.reset", 3)
    write_pcap(tmp_path / "one.pcap", simulated.times, simulated.frames, simulated.link_type)
    labels = attrs.evolve(of_labels(simulated.labels), rows=(), interfered=interfered)
    judged = judge(Job(source="f", name="one.pcap", path=tmp_path / "one.pcap", labels=labels, rivals=False))
    accused = sum(bool(unit.answers[LIBRARY].said) for unit in judged.units)
    assert len(judged.units) == (0 if interfered else len(simulated.labels.truths))
    assert (accused > 0) is not interfered
    assert (judged.stray[LIBRARY].total() > 0) is interfered


def test_the_first_number_that_holds_is_found() -> None:
    """Bisection agrees with a walk."""
    for least in range(1, 9):
        assert first_true(lambda number, least=least: number >= least, 1, 8) == least
    assert first_true(lambda _: False, 1, 8) == -1
    assert first_true(lambda _: True, 3, 2) == -1


def test_time_to_verdict_counts_from_the_trigger() -> None:
    """A reset is named when it is captured, or soon after; never before its trigger."""
    simulated = run("tcp.reset", 3)
    trace = read(times=simulated.times, frames=simulated.frames, link_type=simulated.link_type)
    struck = simulated.labels.interfered()[0]
    reset, start = struck.forged[0], struck.trigger or struck.forged[0]
    found = time_to_verdict(trace, row_of(struck))
    least = (simulated.times[reset - 1] - simulated.times[start - 1]) / 1e9
    span = (simulated.times[-1] - simulated.times[0]) / 1e9
    assert found is not None
    assert least <= found <= span
    timed = judge(Job(source="s", name="x", scenario="tcp.reset", seed=3, rivals=False, timed=True))
    assert [unit.delay for unit in timed.units if unit.delay is not None] == [found]


def row_of(one: Truth) -> Row:
    """Make the label of a simulated truth."""
    return of_labels(Labels(scenario="x", seed=0, vantage="client", truths=(one,))).rows[0]


def test_series_and_also_survive_the_common_form() -> None:
    """Words at work are listed once, the main one first."""
    labels = Labels(
        scenario="x", seed=0, vantage="client", truths=(truth("tcp.reset", also=("tcp.drop", "tcp.reset")),)
    )
    assert of_labels(labels).rows[0].mechanisms == ("tcp.reset", "tcp.drop")
