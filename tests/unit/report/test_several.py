"""Several captures as text: nothing is said twice, everything is counted, and the last screen sums up."""

import attrs
import pytest

from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.engine.scan import Result, scan
from netinterf.errors import CaptureError
from netinterf.report.lines import laid_out
from netinterf.report.several import MOST_FOUND, Several, text
from netinterf.report.text import capture_text
from netinterf.schema import Outcome

SCENARIOS = ("tcp.reset", "dns.injection", "browsing", "tcp.reset.benign")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Captures with and without interference, each of them twice."""
    folder = tmp_path_factory.mktemp("evening")
    for scenario in SCENARIOS:
        played = simulate.run(scenario, 1)
        for copy in "ab":
            write_pcap(folder / f"{scenario}.{copy}.pcap", played.times, played.frames, played.link_type)
    return scan(folder)


def test_one_capture_is_told_in_full(result: Result) -> None:
    """Nothing is summed up, and nothing left out."""
    (first, *_) = result.judged
    assert text([first]) == "\n".join(laid_out(capture_text(first)))


def test_everything_is_told_in_full(result: Result) -> None:
    """With everything, each capture stands as it would alone."""
    told = text(result, everything=True)
    for judged in result.judged:
        assert "\n".join(laid_out(capture_text(judged, everything=True))) in told


def test_no_block_is_told_twice(result: Result) -> None:
    """Of two captures that are alike, the second takes a line for each kind of finding, which names the first."""
    told = text(result).split("\n\n")
    blocks = [block.partition("\n")[2] for block in told if block.startswith("INTERFERED")]
    assert len(blocks) == len(set(blocks)) > 1
    lines = text(result, width=400).splitlines()
    again = [line for line in lines if line.startswith("INTERFERED") and "; like that of " in line]
    assert len(again) >= 2
    assert all("; like that of tcp.reset.a.pcap" in line or "dns.injection.a.pcap" in line for line in again)


def test_the_last_screen_counts_all_findings(result: Result) -> None:
    """Captures, findings and names are those of the verdicts; the surest stand first."""
    lines = text(result, width=400).rpartition("All together, ")[2].splitlines()
    hit = [one for one in result.captures if one.outcomes["interfered"]]
    assert lines[0].startswith(f"{len(result.captures)} captures: {len(hit)} with interference")
    for mechanism in ("tcp.reset", "dns.injection"):
        found = [one for one in result.verdicts if one.outcome is Outcome.INTERFERED and one.group is None]
        mine = [one for one in found if one.mechanism == mechanism]
        (line,) = (line for line in lines if line.startswith(f"  {mechanism}, {mine[0].grade.value[0]}"))
        assert f": {len(mine):,} in {len({one.capture for one in mine})} captures: " in line
        assert str(mine[0].subject.name) in line or "other name" in line
    down = sum(one.outcomes["down"] for one in result.captures)
    assert not down or any(line.startswith("Did not work") for line in lines)


def test_what_could_not_be_read_stands_before_the_last_screen(result: Result) -> None:
    """It is named, counted, and scrolls nothing away."""
    errors = (CaptureError("broken.pcap", "it is empty"),)
    told = text(attrs.evolve(result, errors=errors))
    assert told.index("broken.pcap") < told.index("All together, ")
    assert "and 1 that could not be read" in " ".join(told.split())
    alone = text(attrs.evolve(result, judged=(), errors=errors))
    assert alone.splitlines() == ["Could not be read:", "  broken.pcap: it is empty"]


def test_the_last_screen_is_one(result: Result) -> None:
    """However many mechanisms there are, it fits a terminal of 80 columns and 40 rows."""
    told = Several(alone=False)
    for number in range(MOST_FOUND + 5):
        for judged in result.judged:
            table = judged.ledger.verdicts
            words = tuple(f"{word}.kind-{number}" for word in table.mechanisms)
            verdicts = attrs.evolve(table, mechanisms=words)
            list(told.capture(attrs.evolve(judged, ledger=attrs.evolve(judged.ledger, verdicts=verdicts))))
    screen = list(laid_out(told.end(), 80))
    assert len(screen) <= 40
    assert any("further mechanisms" in line for line in screen)


def test_no_captures_say_nothing() -> None:
    """There is nothing to sum up."""
    assert text([]) == ""
