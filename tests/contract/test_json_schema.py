"""Every line that is printed fits the JSON Schema, and what breaks the contract does not."""

import copy
import json
from importlib import resources

import jsonschema
import pytest

import netinterf
from netinterf import export
from netinterf.export.jsonl import lines

VALIDATOR = jsonschema.Draft202012Validator(export.json_schema())


@pytest.fixture(scope="module")
def printed():
    """Print everything about the captures that ship with the library."""
    result = netinterf.scan(str(netinterf.__path__[0]) + "/data/examples")
    return [json.loads(line) for one in result.judged for line in lines(one, everything=True)]


def test_the_schema_is_one():
    """The description itself is a valid JSON Schema."""
    jsonschema.Draft202012Validator.check_schema(export.json_schema())


def test_every_line_fits(printed):
    """Captures, flows, exchanges and groups; and no line has a key that is not described."""
    assert {line["type"] for line in printed} == {"capture", "verdict"}
    assert {line["subject"]["kind"] for line in printed if line["type"] == "verdict"} == {"flow", "exchange", "group"}
    described = {one["properties"]["type"]["const"]: one for one in export.json_schema()["oneOf"]}
    for line in printed:
        VALIDATOR.validate(line)
        assert set(described[line["type"]]["required"]) <= set(line) <= set(described[line["type"]]["properties"])


def test_joined_files_are_named(tmp_path):
    """The line of a recording of several files lists them, of one file it does not, and both fit."""
    data = (resources.files("netinterf") / "data/examples/tcp.reset.pcap.gz").read_bytes()
    paths = [tmp_path / name for name in ("one.pcap", "two.pcap")]
    for path in paths:
        path.write_bytes(data)
    alone, joined = (netinterf.scan(list(map(str, paths)), join=join).judged[0] for join in (False, True))
    told = [json.loads(next(lines(one))) for one in (alone, joined)]
    for line in told:
        VALIDATOR.validate(line)
    listed = [{"path": str(path), "first_frame": first} for path, first in zip(paths, (1, 218), strict=True)]
    assert (told[0].get("files"), told[1]["files"], told[1]["capture"]) == (None, listed, str(paths[0]))


def test_a_real_capture_fits(captures_dir):
    """Lines about captures of others, damaged ones included."""
    found = sorted((captures_dir / "positive").rglob("*.pcap*"))[:12] + sorted(captures_dir.rglob("*malformed*"))[:12]
    result = netinterf.scan([str(path) for path in found])
    for one in result.judged:
        for line in lines(one, everything=True):
            VALIDATOR.validate(json.loads(line))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("outcome",), "guilty"),
        (("grade",), None),
        (("probability",), "high"),
        (("subject", "kind"), None),
        (("evidence",), None),
        (("frames",), ["1"]),
        (("type",), "rumour"),
    ],
)
def test_what_breaks_the_contract_does_not_fit(printed, place, value):
    """A wrong word, a wrong type, a null where none may be."""
    line = copy.deepcopy(next(line for line in printed if line["type"] == "verdict"))
    inner = line
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    assert not VALIDATOR.is_valid(line)


def test_a_missing_key_does_not_fit(printed):
    """Every key is always present."""
    for kind in ("capture", "verdict"):
        line = next(line for line in printed if line["type"] == kind)
        for key in line:
            assert not VALIDATOR.is_valid({name: value for name, value in line.items() if name != key}), key
