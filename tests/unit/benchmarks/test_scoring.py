from pathlib import Path
from typing import Any

import pytest

from benchmarks.matching import mechanisms, pair, units
from benchmarks.scoring import Score, score_file
from benchmarks.truth import CatalogRow, FlowRow, answers, load

CATALOG = """file,repo,commit,path,bytes,packets,linktype,kind,phenomenon,expected_verdict,ground_truth_basis,notes
p.pcap,r,c,p.pcap,1,9,ether,positive,tcp_rst_injection,rst_injection,basis,"a note, with a comma"
"""
FLOWS = """repo,path,file,proto,client,cport,server,sport,first_frame,trigger,verdict,unit,injected_frames,basis
r,p.pcap,p.pcap,tcp,10.0.0.1,1000,192.0.2.1,443,5,blocked.example,rst_injection;silent_drop,flow,7 8,b
r,p.pcap,p.pcap,dns,10.0.0.1,1001,192.0.2.1,53,9,x.example type 28 id 0x00ff,inconclusive,flow,,b
"""


def row(labels: str = "rst_injection", **changes: Any) -> FlowRow:
    """Make a label."""
    given: dict[str, Any] = {
        "file": "f", "protocol": "tcp", "client": "10.0.0.1", "client_port": 1000, "server": "192.0.2.1",
        "server_port": 443, "first_frame": 1, "trigger": "blocked.example", "series": False, "forged": frozenset(),
        "labels": tuple(word for word in labels.split(";") if word not in {"none", "inconclusive"}),
        "scored": labels != "inconclusive",
    }  # fmt: skip
    return FlowRow(**{**given, **changes})


def verdict(mechanism: str | None = "tcp.reset", grade: str = "confirmed", **changes: Any) -> dict[str, Any]:
    """Make a verdict line."""
    subject = {
        "kind": "flow", "protocol": "tcp", "client": "10.0.0.1", "client_port": 1000, "server": "192.0.2.1",
        "server_port": 443, "name": None, "first_frame": 1, "query_type": None, "query_id": None, "by": None,
    }  # fmt: skip
    outcome = {"confirmed": "interfered", "likely": "interfered", "none": "ok"}.get(grade, "insufficient")
    also = [{"mechanism": one, "probability": 0.9} for one in changes.pop("also", ())]
    frames = changes.pop("frames", [])
    return {"subject": {**subject, **changes}, "outcome": outcome, "grade": grade, "mechanism": mechanism, "also": also,
            "frames": frames, "probability": 0.9, "evidence": []}  # fmt: skip


def catalog(
    kind: str = "positive", expected: str = "rst_injection", notes: str = "", phenomenon: str = "x"
) -> CatalogRow:
    """Make a row of the catalogue."""
    return CatalogRow("f", kind, phenomenon, tuple(expected.split(";")), "ether", notes)


def scored(file: CatalogRow, rows: list[FlowRow], verdicts: list[dict[str, Any]], **options: Any) -> Score:
    """Score one file."""
    score = Score()
    score_file(score, file, tuple(rows), verdicts, **options)
    return score


def test_labels_are_read_from_a_folder(tmp_path: Path) -> None:
    """Catalogue and flow labels come back as rows, several labels and frames split, inconclusive set aside."""
    (tmp_path / "CATALOG.csv").write_text(CATALOG)
    (tmp_path / "FLOWS.csv").write_text(FLOWS)
    truth = load(tmp_path)
    first, second = truth.flows["p.pcap"]
    assert truth.files[0].notes == "a note, with a comma"
    assert (first.labels, first.forged, first.scored) == (("rst_injection", "silent_drop"), frozenset({7, 8}), True)
    assert (second.labels, second.scored) == ((), False)


@pytest.mark.parametrize(
    ("mechanism", "label", "right"),
    [
        ("tcp.reset", "rst_injection", True),
        ("tcp", "rst_injection", True),
        ("tcp.connect", "rst_injection", True),
        ("tcp.res", "rst_injection", False),
        ("tcp.drop", "rst_injection", False),
        ("dns.forged", "dns_injection", False),
        ("dns", "dns_injection", True),
        ("rate.shaping", "policing", False),
        ("protocol.filter", "silent_drop", True),
    ],
)
def test_a_prefix_of_a_right_answer_is_right(mechanism: str, label: str, right: bool) -> None:
    """Dotted prefixes count, parts of words and other mechanisms do not."""
    assert answers([mechanism], label) is right


def test_a_forged_answer_alone_counts_where_only_one_reply_was_captured() -> None:
    """`dns.forged` answers the label only then."""
    assert answers(["dns.forged"], "dns_injection", single_reply=True)
    dns = row("dns_injection", protocol="dns", trigger="x.example type 1 id 0x0001", server_port=53)
    said = verdict("dns.forged", kind="exchange", name="x.example", query_id=1, query_type="A", server_port=53)
    for single, found in ((frozenset({1}), 1), (frozenset(), 0)):
        score = scored(catalog(expected="dns_injection"), [dns], [said], single_replies=single)
        assert score.positive["dns_injection"].found == found


def test_orientation_does_not_matter() -> None:
    """A verdict that took the server for the client is matched all the same."""
    turned = verdict(client="192.0.2.1", client_port=443, server="10.0.0.1", server_port=1000)
    assert pair([row()], [turned]) == {0: 0}


def test_reused_ports_are_told_apart_by_the_first_frame() -> None:
    """Two connections with the same ends go to the nearest frames, one to one."""
    rows = [row(first_frame=100), row(first_frame=5)]
    assert pair(rows, [verdict(first_frame=1), verdict(first_frame=90)]) == {0: 1, 1: 0}
    assert pair(rows, [verdict(first_frame=7)]) == {1: 0}


def test_exchanges_are_told_apart_by_their_question() -> None:
    """One port may carry several questions: name, type and identifier decide before the frame does."""
    rows = [row(protocol="dns", trigger=f"x.example type {kind} id 0x00{kind:02x}", first_frame=9) for kind in (1, 28)]
    said = [
        verdict(kind="exchange", name="x.example", query_type="AAAA", query_id=28, first_frame=9),
        verdict(kind="exchange", name="x.example", query_type="A", query_id=1, first_frame=50),
        verdict(kind="exchange", name="other.example", query_type="A", query_id=1, first_frame=9),
    ]
    assert pair(rows, said) == {0: 1, 1: 0}


def test_only_accusations_count() -> None:
    """A possible verdict is no finding; it is counted by itself."""
    score = scored(catalog(), [row()], [verdict(grade="possible")])
    tally = score.positive["rst_injection"]
    assert (tally.units, tally.found, tally.possible, tally.files_found) == (1, 0, 1, 0)
    assert mechanisms(verdict(grade="possible")) == ()


def test_another_mechanism_is_wrong_but_no_false_alarm() -> None:
    """On an affected flow a wrong mechanism is counted apart."""
    score = scored(catalog(), [row()], [verdict("http.blockpage")])
    tally = score.positive["rst_injection"]
    assert (tally.found, tally.wrong, score.controls_flagged.total()) == (0, 1, 0)


def test_one_of_several_labels_is_enough_to_be_found() -> None:
    """All of them, with `also`, are needed to be fully right."""
    labels = row("silent_drop;rst_injection")
    half = scored(catalog(), [labels], [verdict("tcp.reset")])
    full = scored(catalog(), [labels], [verdict("tcp.reset", also=["tcp.drop"])])
    assert [one.positive["rst_injection;silent_drop"].found for one in (half, full)] == [1, 1]
    assert [one.positive["rst_injection;silent_drop"].fully for one in (half, full)] == [0, 1]


def test_forged_frames_are_compared() -> None:
    """Recall and precision of frames come from labelled and named frames of the unit."""
    score = scored(catalog(), [row(forged=frozenset({3, 4, 5, 6}))], [verdict(frames=[3, 4, 9])])
    rates = score.positive["rst_injection"].rates()
    assert (rates["frame_recall"], rates["frame_precision"]) == (0.5, pytest.approx(2 / 3))


def test_controls_and_unlabelled_flows_are_counted_apart() -> None:
    """A flagged control is an error; a flagged flow without a label is only noted."""
    rows = [row("none"), row("inconclusive", client_port=1001)]
    said = [verdict(), verdict(client_port=1001), verdict(client_port=1002)]
    score = scored(catalog(), rows, said)
    assert (score.controls, score.controls_flagged.total(), score.unlabelled_flagged.total()) == (1, 1, 1)


def test_a_series_is_one_unit() -> None:
    """Probes of one server and name count once; any member's verdict or a group's finds them."""
    rows = [row("silent_drop", client_port=port, series=True) for port in (1000, 1001, 1002)]
    group = verdict("tcp.drop", kind="group", by="name", name="blocked.example", client=None, server=None)
    assert len(units(rows, [])) == 1
    for said in ([group], [verdict("tcp.drop", client_port=1002)]):
        score = scored(catalog(expected="silent_drop"), rows, said)
        assert (score.positive["silent_drop"].units, score.positive["silent_drop"].found) == (1, 1)


def test_benign_files_count_files_and_flows() -> None:
    """Each flagged flow counts, the file once; inconclusive flows leave every count."""
    rows = [row("inconclusive", client_port=1001)]
    said = [verdict(), verdict(client_port=1001), verdict(None, grade="none", client_port=1002)]
    score = scored(catalog("benign", "none"), rows, said)
    assert (score.benign_files, score.benign_files_flagged["any"]) == (1, 1)
    assert (score.benign_units, score.benign_units_flagged.total()) == (2, 1)


def test_silence_of_absent_peers_is_counted_apart() -> None:
    """Where the notes say that peers never answer, a drop is neither right nor wrong."""
    score = scored(catalog("benign", "none", notes="tcp=4 unanswered_syn"), [], [verdict("tcp.connect.drop")])
    assert (score.benign_files_flagged["any"], score.silence_apart["tcp.connect.drop"]) == (0, 1)


def test_policing_is_scored_by_file() -> None:
    """One accepted verdict finds a policed file; on a control, shaping is right and policing is wrong."""
    found = scored(catalog(expected="policing"), [], [verdict(None, grade="none"), verdict("rate.policing")])
    assert found.positive["policing"].files_found == 1
    notes = "HARD NEGATIVE for policing: shaped bottleneck"
    for mechanism, policed, flagged in (("rate.shaping", 0, 0), ("rate.policing", 1, 1)):
        score = scored(catalog("benign", "none", notes, "hard_negative"), [], [verdict(mechanism)])
        assert (score.rate_controls, score.rate_controls_policed) == (1, policed)
        assert score.benign_files_flagged["any"] == flagged


def test_ambiguous_files_leave_every_count() -> None:
    """A file whose truth one vantage does not show is not scored."""
    assert scored(catalog("ambiguous", "inconclusive"), [row()], [verdict()]) == Score()
