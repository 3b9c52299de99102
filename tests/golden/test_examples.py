"""The captures that ship with the library get exactly the verdicts that they were made for."""

import json
from importlib.resources import files

import pytest

import netinterf
from netinterf.engine.examples import example_names
from netinterf.simulate.labels import Labels

FOLDER = files("netinterf") / "data" / "examples"
LABELS = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", example_names())
def test_every_label_is_found_and_nothing_else(name: str) -> None:
    """Subjects, mechanisms and forged frames are those of the labels; everything else is spared."""
    labels = Labels.from_dict(LABELS[name])
    result = netinterf.scan(str(FOLDER / f"{name}.pcap.gz"))
    found = {
        (v.subject.client_port, v.subject.server, v.subject.query_id): (v.mechanism, set(v.frames))
        for v in result.verdicts
        if v.outcome == "interfered" and v.group is None
    }
    truth = {(t.client_port, t.server, t.query_id): (t.mechanism, set(t.forged)) for t in labels.truths if t.mechanism}
    assert found.keys() == truth.keys()
    for subject, (mechanism, frames) in truth.items():
        assert found[subject][0] == mechanism
        assert frames <= found[subject][1] or mechanism == "rate.policing"  # a policer forges nothing


def test_the_examples_are_small() -> None:
    """All examples together stay below 200 kB."""
    assert sum(len(entry.read_bytes()) for entry in FOLDER.iterdir() if ".pcap" in entry.name) < 200_000
