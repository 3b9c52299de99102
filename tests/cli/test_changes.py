"""What a watcher tells, and tells again."""

import json
import time
from importlib.resources import as_file, files
from pathlib import Path
from unittest.mock import patch

import pytest

from netinterf.analyzers.registry import find
from netinterf.cli.changes import FORMS, ChangeWriter
from netinterf.cli.output import Output
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.engine.options import Options


@pytest.fixture(scope="module")
def found() -> Judged:
    """A capture with findings."""
    return example(None)


@pytest.fixture(scope="module")
def nothing() -> Judged:
    """The same capture, asked a question that finds nothing in it."""
    return example("shaping")


def example(analyzer: str | None) -> Judged:
    """Judge the example with forged resets, by one analyzer or all."""
    with as_file(files("netinterf") / "data" / "examples" / "tcp.reset.pcap.gz") as path:
        return judge(path, Options(analyzers=None if analyzer is None else [find(analyzer)]))


def flows(judged: Judged) -> list[int | None]:
    """List the first frames of the flows that were found."""
    return [verdict.subject.first_frame for verdict in judged.ledger.findings() if verdict.group is None]


def test_a_finding_is_told_once_while_it_stays(found: Judged, tmp_path: Path) -> None:
    """What did not change is not told again; in JSON it is told once more when it is final."""
    path = tmp_path / "told.jsonl"
    output = Output(str(path))
    told = ChangeWriter(FORMS["jsonl"], output, everything=False)
    told.so_far(found)
    told.so_far(found)
    told.end(list(found.ledger), found.summary)
    output.close()
    *verdicts, last, end = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert last["type"] == "capture"
    assert end == {"type": "end", "schema": 1, "captures": 1, "verdicts": len(verdicts), "errors": 0}
    single = [(line["subject"]["first_frame"], line["final"]) for line in verdicts if line["group"] is None]
    assert single == [(frame, final) for final in (False, True) for frame in flows(found)]


def test_what_is_new_comes_before_what_is_final(found: Judged, nothing: Judged, tmp_path: Path) -> None:
    """Final verdicts wait until there is time, and for no more than those that become final after them."""
    path = tmp_path / "told.jsonl"
    output = Output(str(path))
    told = ChangeWriter(FORMS["jsonl"], output, everything=False)
    told.final(list(found.ledger))
    told.catch_up(until=time.monotonic())
    assert told.behind
    told.so_far(found)
    told.final([])
    assert told.behind
    told.final(list(nothing.ledger))
    told.catch_up()
    assert not told.behind
    output.close()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    told_so_far = len(flows(found))
    assert [line["final"] for line in lines[:told_so_far]] == [False] * told_so_far
    assert all(line["final"] for line in lines[told_so_far:])
    assert [line["subject"] for line in lines[told_so_far:] if line["group"] is None] == [
        line["subject"] for line in lines[:told_so_far]
    ]


def test_what_is_late_does_not_wait_for_a_flood(found: Judged, tmp_path: Path) -> None:
    """Findings are told in the order of their packets; where there is no time, the latest first, and none is lost."""
    told = {}
    for until, at_once in ((float("inf"), 256), (0.0, 1)):
        path = tmp_path / f"{until}.jsonl"
        output = Output(str(path))
        changes = ChangeWriter(FORMS["jsonl"], output, everything=False)
        with patch("netinterf.cli.changes.AT_ONCE", at_once):
            for _ in flows(found):
                changes.so_far(found, until)
        output.close()
        lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        told[until] = [(max(line["frames"]), line["subject"]["first_frame"]) for line in lines]
    assert len(told[0.0]) == len(flows(found)) > 1
    assert told[0.0] == sorted(told[0.0], reverse=True)
    assert told[float("inf")] == told[0.0][::-1]


def test_a_finding_that_is_none_is_withdrawn(found: Judged, nothing: Judged, tmp_path: Path) -> None:
    """A finding that does not hold any more is told with what is known now, once, and again when it returns."""
    path = tmp_path / "told.txt"
    output = Output(str(path))
    told = ChangeWriter(FORMS["text"], output, everything=False)
    for judged in (found, nothing, nothing, found):
        told.so_far(judged)
    output.close()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(flows(found)) > 0
    assert sum(line.startswith("withdrawn: frame ") for line in lines) == len(flows(found))
    assert sum(line.startswith(("INTERFERED: ", "Suspected: ")) for line in lines) == 2 * len(flows(found))
