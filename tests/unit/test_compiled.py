"""The compiled part: loaded when it is of the sources at hand, not missed where it is not there."""

import os
import re
import shutil
import subprocess
import sys

import attrs
import numpy as np
import pytest

import netinterf
from netinterf import compiled, simulate
from netinterf.decode.block import Columns
from netinterf.decode.headers import Kind
from netinterf.flows import segments
from netinterf.schema import Endpoints, Mark, Packets, Sides, Status, TcpFlag, TcpOption

needs_library = pytest.mark.skipif(not compiled.is_there(), reason="nothing is compiled here (hatch_build.py)")

SCAN = """
import sys
from netinterf.cli.main import main
from netinterf.compiled import is_there
assert (not is_there()) == (sys.argv[1] == "pure")
sys.exit(main(["scan", "--all", "--format", "jsonl", sys.argv[2]]))
"""


@needs_library
@pytest.mark.parametrize("scenario", ["rate.policing", "dns.injection"])
def test_a_scan_says_the_same_without_a_library(tmp_path, scenario):
    """Where the environment asks for none, none is loaded, and a capture is judged to the same bytes."""
    path = tmp_path / "capture.pcap"
    simulate.write(simulate.run(scenario, 5), path)
    said = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", SCAN, "pure" if pure else "compiled", str(path)],
            env={**os.environ, "NETINTERF_PURE": pure, "PYTHONPATH": os.path.dirname(netinterf.__path__[0])},
            capture_output=True,
            check=True,
        ).stdout
        for pure in ("", "1")
    ]
    assert f'"{scenario}"'.encode() in said[0]
    assert said[0] == said[1]


@needs_library
def test_a_library_of_another_source_is_not_used(tmp_path, monkeypatch):
    """Nor is one that is damaged; one that was built from what lies beside it is."""
    for path in (*compiled.sources(), compiled.FOLDER / compiled.NAME):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(compiled, "FOLDER", tmp_path)
    assert compiled.library.__wrapped__() is not None
    with (tmp_path / "shared.h").open("a", encoding="utf-8") as header:
        header.write("\n")
    assert compiled.library.__wrapped__() is None
    library = tmp_path / compiled.NAME
    library.unlink()  # and not written over: it is loaded
    library.write_bytes(b"no library")
    assert compiled.library.__wrapped__() is None


@needs_library
def test_arrays_with_gaps_are_refused():
    """C would read what lies between."""
    with pytest.raises(ValueError, match="not contiguous"):
        compiled.call("follow", np.zeros(4)[::2])


ENUMS = {"KIND": Kind, "STATUS": Status, "FLAG": TcpFlag, "OPTION": TcpOption, "MARK": Mark}
HEADERS = "".join(path.read_text(encoding="utf-8") for path in compiled.sources())


def test_codes_are_those_of_the_tables():
    """Whatever C calls by a name has the number that Python has for it."""
    named = re.findall(rf"\b({'|'.join(ENUMS)})_(\w+) = (\w+)(?: << (\d+))?[, ]", HEADERS)
    assert len(named) > 20
    for kind, name, number, shift in named:
        assert ENUMS[kind][name] == int(number, 0) << int(shift or 0), name


@pytest.mark.parametrize(
    ("struct", "names"),
    [
        ("packets", segments.COLUMNS),
        ("columns", tuple(field.name for field in attrs.fields(Columns))),
        ("sides", segments.SUMS),
    ],
)
def test_columns_are_those_of_the_tables(struct, names):
    """C has the same columns in the same order and of the same numbers as Python."""
    (body,) = re.findall(rf"struct {struct} {{(.*?)}};", HEADERS, re.DOTALL)
    found = [(name, kind) for kind, name in re.findall(r"(\w+)_t \*(\w+);", body)]
    tables = (*Packets.schema(), *Endpoints.schema()) if struct != "sides" else Sides.schema()
    dtypes = {known.name: np.dtype(known.dtype) for known in tables}
    assert found == [(name, dtypes[name].name.replace("bool", "uint8")) for name in names]
