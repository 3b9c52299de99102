from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import quality
from benchmarks.scoreboard import counts
from benchmarks.scoreboard.calibration import report, weights
from benchmarks.scoreboard.counts import alarms, by_mechanism, tally
from benchmarks.scoreboard.figure import draw, place
from benchmarks.scoreboard.intervals import clopper_pearson, clustered_upper, precision, upper_bound, wilson
from benchmarks.scoreboard.judging import LIBRARY
from benchmarks.scoreboard.results import details, results
from benchmarks.scoreboard.splits import SPLITS
from benchmarks.scoreboard.suspicions import suspicions
from benchmarks.scoreboard.tables import markdown, sections, text
from benchmarks.scoreboard.units import Answer, Judged
from tests.unit.benchmarks.helpers import unit

RIGHT = Answer(said=("tcp.reset",), hits=(True,), matched=True, probability=0.99, named=2, hit=1)
MISSED = Answer(hits=(False,), matched=True, probability=0.1)
WRONG = Answer(said=("tcp.drop",), hits=(False,), matched=True, probability=0.95)
QUIET = Answer(matched=True, probability=0.01)
ALARM = Answer(said=("tcp.reset",), matched=True, probability=0.93)


@pytest.mark.parametrize(("found", "count"), [(0, 10), (3, 10), (10, 10), (1, 1000), (640, 645)])
def test_intervals_agree_with_scipy(found: int, count: int) -> None:
    """Wilson's and the exact interval are those of `scipy.stats.binomtest`."""
    test = stats.binomtest(found, count)
    for mine, method in ((wilson(found, count), "wilson"), (clopper_pearson(found, count), "exact")):
        other = test.proportion_ci(0.95, method=method)
        assert mine == pytest.approx((other.low, other.high), abs=1e-12)
    one_sided = stats.binomtest(found, count, alternative="less").proportion_ci(0.95, method="exact")
    assert upper_bound(found, count) == pytest.approx(one_sided.high)


def test_the_rule_of_three() -> None:
    """No alarm among 30,000 shows at most 100 per million, among 300,000 at most 10."""
    assert 1e6 * upper_bound(0, 30_000) < 100 < 1e6 * upper_bound(0, 29_900)
    assert 1e6 * upper_bound(0, 300_000) < 10


def test_nothing_counted_shows_nothing() -> None:
    """Without observations the whole range is possible."""
    assert (wilson(0, 0), upper_bound(0, 0), clustered_upper([], [])) == ((0.0, 1.0), 1.0, 1.0)


def test_clusters_widen_the_bound() -> None:
    """Equal clusters without alarm count as one each; alarms in few clusters weigh more than scattered ones."""
    assert clustered_upper([0] * 50, [20] * 50) == pytest.approx(upper_bound(0, 50))
    assert clustered_upper([0] * 50, [1] * 50) == pytest.approx(upper_bound(0, 50))
    scattered, bunched = [1] * 10 + [0] * 90, [5, 5] + [0] * 98
    assert clustered_upper(bunched, [10] * 100) > clustered_upper(scattered, [10] * 100)
    assert clustered_upper(scattered, [10] * 100) == pytest.approx(upper_bound(10, 1000), rel=0.02)


def test_the_clustered_bound_covers() -> None:
    """Over drawn clusters whose members go wrong together, it holds the true rate about as often as it says."""
    rng = np.random.default_rng(1)
    held = []
    for _ in range(300):
        bad = rng.random(150) < 0.05
        wrong = np.where(bad, rng.binomial(10, 0.6, 150), 0)
        held.append(clustered_upper(wrong.tolist(), [10] * 150) >= 0.03)
    assert np.mean(held) > 0.9


def test_precision_falls_with_the_base_rate() -> None:
    """It is Bayes' rule over counts."""
    assert precision(0.9, 0.01, 1) == pytest.approx(0.9 / 0.91)
    assert precision(0.9, 0.01, 10_000) == pytest.approx(0.9 / 100.9)
    assert precision(1.0, 0.0, 100) == 1.0
    assert precision(0.0, 0.0, 1) is None


def test_interfered_units_are_counted() -> None:
    """Found, wrong and missed are told apart, for a mechanism and for all."""
    units = [
        unit("tcp.reset", answers={LIBRARY: RIGHT}, forged=2),
        unit("tcp.reset", answers={LIBRARY: WRONG}, capture="d"),
        unit("tcp.reset", answers={LIBRARY: MISSED}),
        unit(answers={LIBRARY: ALARM}),
    ]
    counts = tally(units, LIBRARY, "tcp.reset").rates()
    assert (counts["units"], counts["found"], counts["wrong"]) == (3, 1, 1)
    assert (counts["captures"], counts["captures_found"]) == (2, 1)
    assert (counts["frame_recall"], counts["frame_precision"]) == (0.5, 0.5)
    assert tally(units, LIBRARY, "tcp.drop").units == 0
    assert tally(units, "nobody").found == 0


def test_every_mechanism_at_work_has_its_own_count() -> None:
    """A unit with two stands in both rows; the frames stand only with what forges any."""
    both = unit(
        "tcp.reset", "tcp.drop", answers={LIBRARY: Answer(said=("tcp.reset",), hits=(True, False), hit=1)}, forged=1
    )
    assert [tally([both], LIBRARY, word).found for word in ("tcp.reset", "tcp.drop")] == [1, 0]
    assert [tally([both], LIBRARY, word).forged for word in ("tcp.reset", "tcp.drop")] == [1, 0]


def test_alarms_are_counted_among_what_can_be_accused() -> None:
    """A mechanism is held against the subjects it can happen to; captures are kept for the clustered bound."""
    units = [
        unit(answers={LIBRARY: ALARM}),
        unit(answers={LIBRARY: QUIET}, capture="d"),
        unit(answers={LIBRARY: QUIET}, kind="exchange", protocol="udp"),
        unit("tcp.reset", answers={LIBRARY: RIGHT}),
    ]
    everything, resets = alarms(units, LIBRARY), alarms(units, LIBRARY, "tcp.reset")
    assert (everything.units, everything.alarms, everything.said) == (3, 1, Counter({"tcp.reset": 1}))
    assert (resets.units, resets.alarms, len(resets.captures_alarmed)) == (2, 1, 1)
    assert alarms(units, LIBRARY, "dns.injection").alarms == 0


def test_suspicions_are_held_against_what_was_done() -> None:
    """Right, something else, and untouched are told apart; whoever is accused is not only suspected."""
    doubt = Answer(matched=True, doubted=("tcp.drop",), probability=0.6)
    units = [
        *[unit("tcp.drop", answers={LIBRARY: doubt})] * 3,
        unit("tcp.reset", answers={LIBRARY: doubt}),
        unit("tcp.drop", answers={LIBRARY: MISSED}),
        unit("tcp.drop", answers={LIBRARY: Answer(said=("tcp.reset",), doubted=("tcp.drop",), hits=(False,))}),
        unit(answers={LIBRARY: doubt}),
        *[unit(answers={LIBRARY: QUIET})] * 99,
    ]
    found = suspicions(units)
    assert list(found) == ["tcp.drop", "any"]
    for row in found.values():
        assert (row["printed"], row["right"], row["other"], row["untouched"]) == (5, 3, 1, 1)
        assert (row["benign"], row["untouched_share"], row["right_share"]) == (100, 0.01, 0.6)
    assert found["tcp.drop"]["right_share_100"] == pytest.approx(precision(3 / 5, 0.01, 100))
    assert suspicions([unit(answers={LIBRARY: QUIET})]) == {}


def test_a_mechanism_without_an_analyzer_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it is not built, with the units that were played."""
    monkeypatch.setattr(counts, "built", lambda: frozenset({"tcp.reset"}))
    rows = by_mechanism([unit("reach.isolation", answers={LIBRARY: MISSED})], LIBRARY)
    assert (rows["reach.isolation"]["built"], rows["reach.isolation"]["units"]) == (False, 1)
    assert rows["any"]["units"] == 0
    shown = markdown(sections(results([Judged(source="s", capture="c")], {})))
    assert any(line.startswith("| reach.isolation |") and "not built" in line for line in shown.splitlines())


@pytest.mark.parametrize(
    ("split", "where", "part"),
    [
        ("IP version", {"ip": 6}, "IPv6"),
        ("capture loss", {"capture_loss": 0.004}, "below 1 %"),
        ("capture loss", {"capture_loss": 0.0}, "none"),
        ("path", {"loss": 0.02}, "1 % and more"),
        ("path", {"luck": 0.9}, "bad path"),
        ("path", {}, "not known"),
        ("snaplen", {"snaplen": 96}, "cut to 128"),
        ("snaplen", {"snaplen": 0}, "whole"),
        ("direction", {"direction": "inbound"}, "inbound"),
        ("clock", {}, ""),
    ],
)
def test_units_are_parted_by_condition(split: str, where: dict[str, object], part: str) -> None:
    """Every split names its part, or leaves out what has no such property."""
    assert SPLITS[split](unit(where=where)) == part


def test_a_base_rate_is_reached_by_weights() -> None:
    """Interfered units together weigh one in ten at 1:9, and a corpus of one kind has equal weights."""
    true = np.random.default_rng(5).random(200) < 0.3
    w = weights(true, 9)
    assert w.sum() == pytest.approx(1)
    assert w[true].sum() == pytest.approx(0.1)
    assert set(weights([True, True], 9)) == {0.5}


def test_right_probabilities_are_no_worse_than_chance() -> None:
    """Outcomes drawn from the probabilities give about the error that chance explains; shifted ones give more."""
    rng = np.random.default_rng(7)
    said = rng.random(3000)
    true = rng.random(3000) < said
    honest, boastful = report(said, true, None), report(np.sqrt(said), true, None)
    assert honest["error"] < 2 * honest["error_if_calibrated"]
    assert boastful["error"] > 5 * boastful["error_if_calibrated"]
    assert report([], [], None) == {"units": 0}


def judged() -> list[Judged]:
    """Make a small run: two captures with interference and one without."""
    first = [unit("tcp.reset", answers={LIBRARY: RIGHT, "other": MISSED}, forged=2, system="gfw", delay=0.5),
             unit(answers={LIBRARY: QUIET, "other": QUIET}, control=True)]  # fmt: skip
    second = [unit("tcp.reset", answers={LIBRARY: MISSED, "other": RIGHT}, capture="d", where={"ip": 6})]
    third = [unit(answers={LIBRARY: ALARM, "other": QUIET}, capture="e", confounder="abort")]
    return [
        Judged(source="simulator", capture="c", interfered=True, units=tuple(first)),
        Judged(source="simulator", capture="d", interfered=True, units=tuple(second), failed={"other": "Traceback"}),
        Judged(source="simulator", capture="e", units=tuple(third)),
    ]


def test_results_hold_every_table() -> None:
    """Counts are split by source, scenario, system, look-alike and condition, beside the rivals."""
    found = results(judged(), {"other": ("tcp.reset",), "elsewhere": ("dns",)})
    assert found["mechanisms"]["tcp.reset"]["found"] == 1
    assert found["by_source"]["simulator"]["tcp.reset"]["captures_found"] == 1
    assert found["false_alarms"]["all"]["in_benign_captures"]["alarms"] == 1
    assert found["false_alarms"]["all"]["beside_interference"]["units"] == 1
    assert found["systems"]["gfw"]["recall"] == 1.0
    assert found["confounders"]["abort"]["alarms"] == 1
    assert found["splits"]["IP version"]["IPv6"]["units"] == 1
    assert found["mechanism_splits"]["tcp.reset"]["system"]["gfw"]["found"] == 1
    assert found["time_to_verdict"]["tcp.reset"]["median"] == 0.5
    assert found["rivals"]["tcp.reset"]["other"]["ahead"] == ["false alarms", "precision at 1:100"]
    assert set(found["rivals"]) == {"tcp.reset", "dns.injection", "dns.forged", "dns.drop"}
    assert found["failed"] == {"d: other": "Traceback"}
    assert [one["what"] for one in details(one for run in judged() for one in run.units)] == ["missed", "false alarm"]


def test_tables_are_the_same_on_terminal_and_page(tmp_path: Path) -> None:
    """Both show every section; the page keeps what stands around the marks, and the figure stands beside it."""
    found = {
        **results(judged(), {"other": ("tcp.reset",)}),
        "seconds": 1.0,
        "processor_seconds": 2.0,
        "lab": "not asked for",
    }
    tables = sections(found)
    assert all(one.title in text(tables) and f"### {one.title}" in markdown(tables) for one in tables)
    assert all(len(line) == len(one.head) for one in tables for line in one.rows)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- quality: begin -->\nold\n<!-- quality: end -->\nafter\n")
    quality.write_page(page, found)
    quality.write_page(page, found)
    written = page.read_text()
    assert written.startswith("before\n")
    assert written.endswith("<!-- quality: end -->\nafter\n")
    assert "old" not in written
    assert written.count("### Mechanisms\n") == 1
    assert (tmp_path / quality.FIGURE).read_text().startswith("<svg")
    with pytest.raises(ValueError, match="has no lines"):
        quality.write_page(tmp_path / quality.FIGURE, found)
    assert "1 times, first at d: other" in quality.summary(found)


def test_the_figure_shows_every_bin() -> None:
    """Points lie where log-odds put them, and the axes hold all probabilities."""
    bins = report([0.1, 0.5, 0.9], [False, True, True], None)["bins"]
    assert draw({"a": bins}).count("<circle") == len(bins)
    assert [place(p) for p in (0.0, 0.5, 1.0)] == [0.0, 0.5, 1.0]
    assert place(0.1) == pytest.approx(1 - place(0.9))
