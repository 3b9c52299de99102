"""The demonstration: what is documented of published captures, beside what they show together."""

import json
from collections import Counter

import pytest

from benchmarks.campaigns import demonstration
from benchmarks.campaigns.demonstration import HINTED, Documented, Held, counted, told


@pytest.fixture(scope="module")
def ech(captures_dir):
    """Judge the captures of ECH results alone, to be quick."""
    captures = [one for one in demonstration.chosen(captures_dir) if "ech" in one.file]
    if not captures:
        pytest.skip("the captures of ECH results are absent")
    assert {one.place for one in captures} == {"china", "germany", "iran", "russia"}
    return demonstration.measure(captures_dir, captures)


def test_documented_blocks_are_told_and_what_passed_is_accused_nowhere(ech):
    """All over TCP, and those over QUIC but for a silence in China that is left to names which pass at other times."""
    blocks = [one for one in ech if one.documented != "none"]
    named = {(one.network, one.name, one.transport) for one in blocks if one.finding in HINTED and one.right}
    over_tcp = {(one.network, one.name, one.transport) for one in blocks if one.transport == "tcp/tls"}
    assert over_tcp <= named
    assert ("russia", "usersporn.com", "quic") in named
    assert {one.network for one in blocks} == {"china", "iran", "russia"}
    assert counted(ech)["accused"] == 0
    assert counted(ech)["non-blocks"] > 50


def test_each_block_is_told_with_its_reason_and_network(ech):
    """In a sentence that names the network, and what was done there."""
    blocked = [one for one in ech if one.finding == "blocked"]
    assert blocked
    for one in blocked:
        assert one.network in one.explanation
        assert f"{one.name}" in told(ech)
        assert one.mechanism is not None


def test_a_cell_is_a_block_where_one_of_its_flows_was_blocked():
    """The label of the flow that is surest by itself is kept."""
    about = Documented("a.example")
    for labels, probability in ((("left open",), 0.2), (("rst_injection", "silent_drop"), 0.9), (("none",), 0.1)):
        about.add(labels, probability)
    assert about.blocks == ["rst_injection", "silent_drop"]
    assert about.labels == Counter({"left open": 1, "none": 1, "rst_injection": 1, "silent_drop": 1})
    assert (about.alone, about.surest) == (0.9, "rst_injection;silent_drop")


def cell(documented, finding, mechanism=None, *, right=False):
    """Make a cell of which something is documented and found."""
    return Held(
        network="a", name="b.example", transport="tcp/tls", documented=documented, finding=finding,
        mechanism=mechanism, right=right, probability=0.95, alone=0.5, surest="left open", here="1 of 1",
        there="0 of 0", explanation="",
    )  # fmt: skip


def test_what_is_found_is_counted_by_what_is_documented():
    """A block counts by its own mechanism alone; whoever is spared and named is told by name."""
    held = [
        cell("silent_drop", "blocked", "tcp.drop", right=True),
        cell("silent_drop", "suspected", "tcp.drop", right=True),
        cell("silent_drop", "blocked", "tcp.reset"),
        cell("silent_drop", "fails"),
        cell("none", "clear"),
        cell("none", "blocked", "tcp.drop"),
        cell("none", "suspected", "tcp.drop"),
    ]
    assert counted(held) == {
        "blocks": 4, "blocked": 1, "possible or better": 2, "by another mechanism": 1, "sure alone": 0,
        "non-blocks": 3, "accused": 1, "suspected": 1,
    }  # fmt: skip
    assert [line.split(":")[0].strip() for line in told(held).splitlines()[-2:]] == ["blocked", "suspected"]


def test_captures_that_are_not_there_are_said_to_be_skipped(tmp_path, capsys):
    """Nothing is judged, and no file is written."""
    assert demonstration.run(tmp_path, tmp_path / "out.json") is None
    assert "skipped" in capsys.readouterr().out
    assert not (tmp_path / "out.json").exists()


def test_results_are_written_and_what_is_missing_is_said(captures_dir, tmp_path, capsys):
    """A folder with one of the captures."""
    one = next((one for one in demonstration.chosen(captures_dir) if "germany" in one.file), None)
    if one is None:
        pytest.skip("the captures of ECH results are absent")
    for name in ("CATALOG.csv", "FLOWS.csv"):
        (tmp_path / name).write_bytes((captures_dir / name).read_bytes())
    (tmp_path / one.file).parent.mkdir(parents=True)
    (tmp_path / one.file).write_bytes((captures_dir / one.file).read_bytes())
    results = demonstration.run(tmp_path, tmp_path / "out.json")
    assert "captures are not there" in capsys.readouterr().out
    assert results["captures"] == 1
    assert results["counts"]["accused"] == 0
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["cells"] == results["cells"]
