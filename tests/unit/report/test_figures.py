"""Figures: every mark stands for something in the data, all is said in words as well, and nothing breaks them."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netinterf
from netinterf.analyzers.base import join, observe
from netinterf.analyzers.throttling.series import Series
from netinterf.capture import write_pcap
from netinterf.engine.scan import Result, scan
from netinterf.errors import ParameterError
from netinterf.report.figures import (
    Attempts,
    Limit,
    Panel,
    Slope,
    draw,
    freeze_positions,
    rate_series,
    reachability,
    sheet,
    time_sequence,
)
from netinterf.report.figures.attempts import attempts
from netinterf.report.figures.axes import clock_axis, count_axis, seconds_axis, unit_axis
from netinterf.report.figures.canvas import WIDTH
from netinterf.report.figures.gather import FittedLimit, exceeds, positions
from netinterf.report.figures.sequence import thinned
from netinterf.schema import Rule
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read
from netinterf.written.numbers import scaled
from netinterf.written.record import Observation, Verdict

SVG = "{http://www.w3.org/2000/svg}"
SECOND = 1_000_000_000
MIDDAY = 1_700_000_000 * SECOND


def drawn(*panels: Panel, title: str = "A figure") -> ET.Element:
    """Parse what panels become."""
    return ET.fromstring(sheet(title, panels))


def count(figure: ET.Element, kind: str, mark: str = "M") -> int:
    """Count the marks of one class outside the key: how often its paths set down the pen."""
    keys = {
        id(inner)
        for group in figure.iter(f"{SVG}g")
        for inner in group
        if "translate(0" not in group.attrib["transform"]
    }
    paths = (
        one for one in figure.iter(f"{SVG}path") if kind in one.attrib.get("class", "").split() and id(one) not in keys
    )
    return sum(one.attrib["d"].count(mark) for one in paths)


def said(figure: ET.Element) -> list[str]:
    """List all words."""
    return [one.text or "" for one in figure.iter(f"{SVG}text")]


def bars(figure: ET.Element, kind: str) -> int:
    """Add up the numbers that bars of one class stand for."""
    titles = [one.find(f"{SVG}title") for one in figure.iter(f"{SVG}rect") if one.attrib.get("class") == kind]
    return sum(int((one.text or "").split()[0].replace(",", "")) for one in titles if one is not None)


def staircase(packets: int = 40) -> dict[str, np.ndarray]:
    """Send one packet in 100 ms, lose every fourth and repeat it at once."""
    lost = np.arange(packets) % 4 == 2
    again = np.arange(packets) % 4 == 3
    start = 1000.0 * (np.arange(packets) - np.cumsum(again))
    length = np.full(packets, 1000.0)
    return {"time": 0.1 * np.arange(packets), "start": start, "length": length, "lost": lost, "again": again}


# --- the sheet


def test_a_figure_stands_alone_and_speaks() -> None:
    """One SVG with a title, a description and its own colours for light and dark; it scales, and refers to nothing."""
    text = sheet("Slow", [time_sequence(**staircase())])
    figure = ET.fromstring(text)
    assert figure.attrib["role"] == "img"
    assert figure.attrib["viewBox"].startswith(f"0 0 {WIDTH} ")
    assert figure.findtext(f"{SVG}title") == "Slow"
    assert "of 40 packets 10 were lost, 10 others had been sent before" in (figure.findtext(f"{SVG}desc") or "")
    assert "prefers-color-scheme:dark" in text
    assert not re.search(r"href|url\(|@import|<script|\bid=", text)
    assert text.count("http") == 1  # the namespace


HOSTILE = "a<script>&\"'\x00\x1b[31m\u202egnp.exe\ud800]]>" + "x" * 300


def test_hostile_names_are_only_words() -> None:
    """What a capture puts into names neither breaks the document nor adds to it, nor turns its text round."""
    row = Attempts(HOSTILE[:40], np.array([MIDDAY]), np.array([True]))
    text = sheet(HOSTILE, [time_sequence(**staircase(), title=HOSTILE[:30]), reachability([row], title="x")])
    figure = ET.fromstring(text.encode("utf-8"))
    assert "<script" not in text
    assert not {"\x00", "\x1b", "\u202e", "\ud800"} & set(text)
    assert (figure.findtext(f"{SVG}title") or "").startswith("a<script>&\"'\N{REPLACEMENT CHARACTER}")
    assert sum("head" in one.attrib["class"] for one in figure.iter(f"{SVG}text")) == 4  # however long the name


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80), st.text(max_size=20))
def test_any_words_give_a_document(title: str, name: str) -> None:
    """Whatever is written on it, a figure is well-formed and its words stay inside the paper's left edge."""
    figure = drawn(freeze_positions([1, 2], title=name), title=title)
    assert all(float(one.attrib["x"]) >= 0 for one in figure.iter(f"{SVG}text"))


@pytest.mark.parametrize(
    "panel",
    [time_sequence([], [], [], [], []), rate_series([], []), freeze_positions([]), reachability([])],
    ids=["sequence", "rates", "positions", "reach"],
)
def test_nothing_is_said_to_be_nothing(panel: Panel) -> None:
    """Empty input gives a figure with axes or without, and the word "no"."""
    assert any(word.startswith("no ") for word in said(drawn(panel)))


# --- time and sequence


def test_every_packet_is_drawn_as_what_it_was() -> None:
    """One mark for each, counted in the key."""
    figure = drawn(time_sequence(**staircase()))
    assert [count(figure, kind) for kind in ("passed", "again", "lost")] == [20, 10, 10]
    assert {"20 arrived", "10 lost", "10 sent again"} <= set(said(figure))


def test_a_long_transfer_keeps_its_losses_and_its_size() -> None:
    """Of 200,000 packets, of which a twentieth is lost, the figure stays small; a loss that stands apart is there."""
    rng = np.random.default_rng(350_000)
    packets = 200_000
    lost = rng.random(packets) < 0.05
    lost[-2:] = [False, True]
    time = np.append(np.sort(rng.uniform(0, 100, packets - 1)), 200.0)
    start = np.append(np.sort(rng.uniform(0, 1e8, packets - 1)), 1.5e8)
    panel = time_sequence(time, start, np.full(packets, 500), lost, rng.random(packets) < 0.05, answered=(time, start))
    text = sheet("Long", [panel])
    assert len(text) < 200_000
    right = next(mark for mark in panel.marks if mark.startswith('<path class="lost')).rsplit("M", 1)[1]
    assert float(right.split()[0]) > 460
    assert f"{int(lost.sum()):,} lost" in text


def test_thinning_keeps_a_mark_near_every_point() -> None:
    """However many fall away, each point has one within a step."""
    rng = np.random.default_rng(350_001)
    x, y = rng.uniform(0, 400, 5000), rng.uniform(0, 200, 5000)
    kept = np.stack(thinned(x, y, 500))
    assert kept.shape[1] <= 500
    near = np.abs(np.stack([x, y])[:, :, None] - kept[:, None, :]).max(axis=0).min(axis=1)
    assert near.max() <= 16.0
    few = thinned(x[:50], y[:50], 500)
    assert len(few[0]) == 50


def test_nothing_passes_the_line_of_the_rate_after_a_loss() -> None:
    """The dashed line has the slope of the rate and touches the transfer where it lost; it ends within the plot."""
    sent = staircase(100)
    panel = time_sequence(**sent, slope=Slope(7_500.0, "7.5 kB/s"))
    path = next(mark for mark in panel.marks if mark.startswith('<path class="limit dash" d="M'))
    x0, y0, x1, y1 = map(float, re.findall(r"[-\d.]+", path.split('d="')[1]))
    x, y = seconds_axis(sent["time"].max()), unit_axis(sent["start"].max(), 1.0, 0.0, "", "B")
    rise = (y0 - y1) / 230 * y.high / ((x1 - x0) / (x.end - x.start) * x.high)
    assert rise == pytest.approx(7_500, rel=0.02)
    foot = float(re.findall(r'axis thin" d="M54 ([\d.]+)H', "".join(panel.marks))[0])
    at = (foot - y0) / 230 * y.high - rise * (x0 - x.start) / (x.end - x.start) * x.high
    passed = np.cumsum(np.where(sent["lost"], 0, 1000))
    assert at == pytest.approx((passed - 7_500 * sent["time"])[sent["lost"]].max(), abs=300)
    assert "7.5 kB/s" in panel.says


def test_a_queue_that_lost_nothing_has_its_line_too() -> None:
    """The line of a shaped transfer lies on it, all the way."""
    time = np.arange(50) / 10
    nothing = np.zeros(50, np.bool_)
    panel = time_sequence(time, 800 * np.arange(50), np.full(50, 800), nothing, nothing, slope=Slope(8_000.0, "8 kB/s"))
    path = next(mark for mark in panel.marks if mark.startswith('<path class="limit dash" d="M'))
    x0, y0, x1, y1 = map(float, re.findall(r"[-\d.]+", path.split('d="')[1]))
    assert x1 - x0 == pytest.approx(468 - 54, abs=1)
    assert y0 - y1 == pytest.approx(230 * 39_200 / 40_000, abs=6)


def test_columns_of_different_length_are_refused() -> None:
    """Each function names what does not fit."""
    with pytest.raises(ParameterError, match="start, length, lost, again"):
        time_sequence([1.0], [], [], [], [])
    with pytest.raises(ParameterError, match="size"):
        rate_series([1.0], [])
    with pytest.raises(ParameterError, match="others"):
        rate_series([1.0], [1.0], others=([1.0], []))
    with pytest.raises(ParameterError, match="answered"):
        Attempts("web", np.array([1]), np.array([True, False]))


# --- rates


def level_of(panel: Panel, kind: str) -> list[float]:
    """List the heights at which a curve runs."""
    path = next(mark for mark in panel.marks if mark.startswith(f'<path class="{kind}" d='))
    return [float(y) for _, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_the_curve_is_what_passed_and_the_line_the_limit() -> None:
    """A steady 80 kbit/s runs level at 80 of the axis, and a limit of 100 is drawn above it with its words."""
    time = 0.05 + np.arange(200) / 10
    panel = rate_series(time, np.full(200, 1000.0), limit=Limit(100_000, 5_000))
    heights = np.array(level_of(panel, "passed stroke"))
    dash = next(mark for mark in panel.marks if mark.startswith('<path class="limit dash" d="M54 '))
    line = float(re.findall(r"M54 ([\d.]+)H", dash)[0])
    foot = next(float(y) for y in re.findall(r'axis thin" d="M54 ([\d.]+)H', "".join(panel.marks)))
    assert (foot - heights[2:-2]) / (foot - line) == pytest.approx(0.8, rel=0.01)
    assert "fitted limit: 100 kbit/s, bursts of 5 kB" in panel.says


def test_others_that_are_far_faster_leave_the_plot_with_their_number() -> None:
    """The limited curve stays readable; how fast the others were is written."""
    time = np.arange(200) / 10
    panel = rate_series(time, np.full(200, 1000.0), limit=Limit(80_000), others=([5.0], [10_000_000.0]))
    up = re.findall(r"up to ([\d.]+) Mbit/s", "".join(panel.marks))
    assert up == ["160"]
    assert min(level_of(panel, "others dotted")) < min(level_of(panel, "passed stroke"))
    assert "other connections of the client, at most 160 Mbit/s" in panel.says


def test_a_full_bucket_may_pass_its_burst() -> None:
    """What the bucket has in store is tinted: most at the beginning, its rate when all is spent at once."""
    limit = Limit(80_000, 40_000)
    spent = rate_series(np.arange(0, 20, 0.01), np.full(2000, 1000.0), limit=limit)
    tint = next(mark for mark in spent.marks if mark.startswith("<polygon"))
    heights = [float(pair.split(",")[1]) for pair in re.findall(r'points="([^"]+)"', tint)[0].split()]
    assert heights[1] < heights[-2]  # up is less
    assert heights[-2] == pytest.approx(heights[-1], abs=0.2)


# --- positions


def test_every_connection_is_in_a_bar() -> None:
    """Those that stopped and those that went on add up; who came too far to be shown is counted in words."""
    stopped, alive = [24, 25, 25, 26, 25], [3, 30, 60, 500, 900]
    figure = drawn(freeze_positions(stopped, alive, limit=25))
    assert bars(figure, "lost-area") == 5
    assert bars(figure, "others hollow") == 3
    assert any("2 came further" in word for word in said(figure))
    assert "common limit: about 25 packets" in said(figure)


def test_bytes_have_units() -> None:
    """Positions in bytes are written in kB, on the axis and in words."""
    figure = drawn(freeze_positions([15_800.0, 16_100.0], unit="bytes", limit=16_000.0))
    assert "common limit: about 16 kB" in said(figure)
    assert "how far it came, kB" in said(figure)


# --- reachability


def test_every_attempt_is_a_stroke_on_its_side() -> None:
    """Up when it was answered, down when not, in the row of its class, which counts them."""
    time = MIDDAY + SECOND * np.arange(0, 600, 20)
    cut = (MIDDAY + 300 * SECOND, MIDDAY + 600 * SECOND)
    rows = [Attempts("home", time, time > 0), Attempts("abroad", time, time < cut[0], (cut,))]
    figure = drawn(reachability(rows))
    tints = [one for one in figure.iter(f"{SVG}rect") if one.attrib["class"] == "shade"]
    assert len(tints) == 2  # one in the key, one in the row
    assert count(figure, "others") == 30 + 15
    assert count(figure, "lost") == 15
    assert {"home: 30 of 30 answered", "abroad: 15 of 30 answered", "cut off"} <= set(said(figure))
    assert "Cut off from 2023-11-14T22:18:20 to 2023-11-14T22:23:20 UTC" in (figure.findtext(f"{SVG}desc") or "")


def test_a_thousand_attempts_in_a_moment_are_one_stroke() -> None:
    """Size is bounded by the width of the plot."""
    time = MIDDAY + np.arange(100_000) * 1000
    panel = reachability([Attempts("web", time, np.arange(100_000) % 2 == 0)])
    assert len(sheet("Busy", [panel])) < 20_000
    assert "50,000 of 100,000 answered" in panel.says


# --- axes


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-3, 1e10))
def test_axes_cover_what_they_show_with_few_short_ticks(high: float) -> None:
    """Ticks lie within, are few and short, and what is shown fits."""
    for axis in (unit_axis(high, 0, 1, "x", "B"), count_axis(high, 0, 1, "x"), seconds_axis(high, 0, 1)):
        assert axis.high >= min(high, axis.high)
        assert 1 <= len(axis.ticks) <= 9
        assert all(axis.low <= value <= axis.high * (1 + 1e-9) for value, _ in axis.ticks)
        assert len({label for _, label in axis.ticks}) == len(axis.ticks)
    assert unit_axis(high, 0, 1, "x", "B").high >= high


@pytest.mark.parametrize(("span", "first"), [(20, "22:13:20"), (7200, "22:30"), (20 * 86400, "11-19")])
def test_clocks_show_what_matters(span: int, first: str) -> None:
    """Seconds within minutes, minutes within days, days beyond; at most eight of them."""
    axis = clock_axis(MIDDAY, MIDDAY + span * SECOND)
    assert axis.ticks[0][1] == first
    assert len(axis.ticks) <= 8


@pytest.mark.parametrize(
    ("value", "words"), [(140_040, "140 kbit/s"), (1.5e6, "1.5 Mbit/s"), (999.6, "1,000 bit/s"), (0, "0 bit/s")]
)
def test_quantities_have_three_digits(value: float, words: str) -> None:
    """And the prefix that suits them."""
    assert scaled(value, "bit/s") == words


# --- from a capture


def judged(folder: Path, scenario: str, seed: int) -> Result:
    """Scan a clean simulated capture at the client."""
    played = run(scenario, seed, Conditions(ip=4, vantage="client", luck=0.0))
    write_pcap(folder / "capture.pcap", played.times, played.frames, played.link_type)
    return scan(folder / "capture.pcap", vantage="client")


def test_a_policed_transfer_is_drawn_from_its_capture(tmp_path: Path) -> None:
    """The figure of a policing verdict shows its losses, its rate and who was spared, and is the same each time."""
    result = judged(tmp_path, "rate.policing.tspu-twitter", 350_001)
    verdict = next(one for one in result.findings if one.mechanism == "rate.policing")
    bucket = next(seen for seen in verdict.evidence if "bucket_bytes" in seen.measured)
    text = result.figure(verdict)
    figure = ET.fromstring(text)
    assert count(figure, "lost") == int(bucket.measured["losses"] or 0)
    words = said(figure)
    assert f"fitted limit: {scaled(bucket.measured['rate_bps'] or 0.0, 'bit/s')}" in words
    assert "other connections of the client" in words
    assert result.figure(verdict) == text
    assert len(text) < 200_000


@pytest.mark.parametrize(("limits", "apart"), [(1, False), (2, True)])
def test_a_limit_that_each_has_is_not_drawn_as_one(limits: int, apart: bool) -> None:
    """Two connections that get the told rate together share it; two that get it each are drawn apart."""
    packets = 400
    series = Series(
        time=np.arange(packets) / 100,
        size=np.full(packets, 1000.0),
        lost=np.zeros(packets, np.bool_),
        row=np.arange(packets),
        flow=np.arange(packets) % 2,
        start=np.arange(packets),
        payload=np.full(packets, 900),
        delay=np.zeros(packets),
        upstream=False,
    )
    rate = 800_000.0 / limits
    found = FittedLimit(flow=0, outbound=False, acks=False, rate=rate, depth=np.nan, flows=np.array([0, 1]))
    assert exceeds(series, found) == apart
    assert not exceeds(series, attrs.evolve(found, rate=np.nan))
    assert not exceeds(series.take(slice(0, 0)), found)


@pytest.mark.parametrize(
    ("scenario", "seed", "mechanism"),
    [("tcp.reset.ir-sni", 350_007, "tcp.reset"), ("dns.injection.gfw-triplet", 350_008, "dns.injection")],
)
def test_other_mechanisms_get_a_ladder(scenario: str, seed: int, mechanism: str, tmp_path: Path) -> None:
    """What is held to be forged is marked, with the rule that says so."""
    result = judged(tmp_path, scenario, seed)
    verdict = next(one for one in result.findings if one.mechanism == mechanism)
    figure = ET.fromstring(result.figure(verdict))
    marked = [one for one in figure.iter(f"{SVG}path") if {"arrow", "lost"} <= set(one.attrib["class"].split())]
    assert len(marked) == len(verdict.frames)
    assert any(verdict.evidence[0].rule.startswith(word) for word in said(figure) if "." in word)


def test_what_has_no_figure_is_refused(tmp_path: Path) -> None:
    """A verdict without a mechanism, of another result, or about a capture that is gone."""
    result = judged(tmp_path, "tcp.reset.ir-sni", 350_007)
    verdict = next(one for one in result.findings if one.mechanism)
    with pytest.raises(ParameterError, match="a mechanism"):
        result.figure(attrs.evolve(verdict, mechanism=None))
    with pytest.raises(ParameterError, match="a verdict of this result"):
        result.figure(attrs.evolve(verdict, capture="other.pcap"))
    write_pcap(tmp_path / "capture.pcap", [0], [b"\0" * 60], 1)
    with pytest.raises(ParameterError, match="as it was"):
        result.figure(verdict)


class Freezer:
    """Say of some flows that they froze."""

    name = "freezer"
    rules = (
        Rule(id="freeze.at", mechanism="rate.freeze", group="a", says="", measures=("packets", "bytes")),
        Rule(id="freeze.limit", mechanism="rate.freeze", group="b", says="", measures=("limit_packets",)),
    )


def test_positions_are_those_of_the_same_limit() -> None:
    """Connections that froze at the limit of the verdict; others that froze are left out, and the rest was spared."""
    trace = netinterf.example("rate.policing")
    flows = np.flatnonzero(trace.sides.payload_packets[1::2] > 0)
    subject = flows[:3]
    freezer = Freezer()
    at = observe(freezer, "freeze.at", subject=subject, time=0, llr=1.0, witness=subject,
                 measured={"packets": [25.0, 26.0, 90.0], "bytes": [1e4, 9e4, 2e5]})  # fmt: skip
    limit = observe(freezer, "freeze.limit", subject=subject, time=0, llr=1.0, witness=subject,
                    measured={"limit_packets": [25.0, 25.0, 90.0]})  # fmt: skip
    verdict = attrs.evolve(blank(trace), row=int(subject[0]), mechanism="rate.freeze")
    found = positions(trace, verdict, join([at, limit]))
    assert found is not None
    assert found.unit == "packets"
    assert found.stopped.tolist() == [25.0, 26.0]
    assert found.limit == 25.0
    assert len(found.survivors) == len(flows) - 3
    assert positions(trace, verdict, limit) is None
    assert "common limit: about 25 packets" in said(ET.fromstring(draw(trace, verdict, join([at, limit]))))


def blank(trace: Trace) -> Verdict:
    """Take any verdict about the first flow."""
    evidence = netinterf.analyze(trace)
    return netinterf.explain(netinterf.classify(evidence, trace), evidence, trace)[0]


class Border:
    """Say of some flows that they were cut off."""

    name = "border"
    rules = (Rule(id="reach.cut", mechanism="reach.isolation", group="a", says="", measures=("since", "until")),)


def test_what_was_cut_off_is_tinted_for_as_long() -> None:
    """Only the class with attempts that the evidence calls cut off, from when to when it says."""
    trace = netinterf.example("rate.policing")
    web = np.flatnonzero(trace.flows.server_port == 443)[:1]
    evidence = observe(Border(), "reach.cut", subject=web, time=0, llr=5.0, witness=web,
                       measured={"since": 1.5, "until": 2.5})  # fmt: skip
    seen = Observation(rule="reach.cut", says="", llr=5.0, frames=(), measured={"since": 1.5, "until": 2.5})
    verdict = attrs.evolve(blank(trace), row=int(web[0]), mechanism="reach.isolation", evidence=(seen,))
    rows = attempts(trace, verdict, evidence)
    began = int(trace.packets.time[0])
    assert {row.name: row.windows for row in rows if row.windows} == {
        "web": ((began + 1_500_000_000, began + 2_500_000_000),)
    }
    assert sum(len(row.time) for row in rows) >= len(web)


def test_isolation_is_drawn_with_countries(tmp_path: Path) -> None:
    """Attempts of the client are counted class by class: all of them, whatever became of them."""
    played = run("reach.isolation.iran-curfew", 350_001, Conditions(ip=4, vantage="client", luck=0.0))
    table = tmp_path / "networks.csv"
    rows = "".join(f"{prefix},{asn},{country}\n" for prefix, asn, country in played.labels.networks)
    table.write_text("prefix,asn,country\n" + rows, encoding="utf-8")
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type, networks=table)
    evidence = netinterf.analyze(trace)
    verdict = netinterf.explain(netinterf.classify(evidence, trace), evidence, trace)[0]
    figure = ET.fromstring(draw(trace, attrs.evolve(verdict, mechanism="reach.isolation"), evidence))
    told = [re.fullmatch(r"(.+): (\d+) of (\d+) answered", word) for word in said(figure)]
    counted = [(found[1], int(found[2]), int(found[3])) for found in told if found]
    mine = (trace.flows.client == trace.flows.client[0]) & np.isin(trace.flows.protocol, (6, 17))
    assert sum(tried for _, _, tried in counted) == np.count_nonzero(mine)
    assert any(name.startswith("other countries") and good < tried for name, good, tried in counted)
    assert all(good == tried for name, good, tried in counted if name.startswith("XA"))
