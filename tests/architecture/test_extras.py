"""Without an optional package a line says what to install, wherever it is needed, and all else goes on."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from tests.cli.here import run_here

ROOT = Path(__file__).resolve().parents[2]

OURS = {"test", "fuzz", "docs", "release"}
"""Extras of those who work on the project."""

PACKAGES = {
    "arrow": ["pyarrow"],
    "dask": ["distributed"],
    "geo": ["maxminddb"],
    "mcp": ["mcp"],
    "zstd": ["compression.zstd", "backports.zstd"],
}
"""What each of the others brings."""

START = """
import sys
class Absent:
    names = sys.argv.pop(1).split(",")
    def find_spec(name, path=None, target=None):
        if name in Absent.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent)
"""

PYTHON = (
    START
    + """
from pathlib import Path
import netinterf
from netinterf.errors import MissingExtra
result = netinterf.scan(sys.argv[1])
trace = netinterf.example("tcp.reset")
store = Path(sys.argv[2], "store")
for needs in (
    result.to_arrow,
    result.to_pandas,
    result.__arrow_c_stream__,
    trace.flows.to_arrow,
    trace.flows.to_pandas,
    trace.flows.__arrow_c_stream__,
    lambda: netinterf.export.parquet(result, Path(sys.argv[2], "new.parquet")),
    lambda: netinterf.Campaign(store).collect(sys.argv[1]),
    lambda: netinterf.Campaign(store).report(),
    lambda: netinterf.Campaign(store).compact(),
):
    try:
        needs()
    except MissingExtra as error:
        print(error)
assert list(Path(sys.argv[2]).rglob("*.parquet")) == []
"""
)

PANDAS = (
    START
    + """
import netinterf
from netinterf.errors import UsageError
for needs in (netinterf.scan(sys.argv[1]).to_pandas, netinterf.example("tcp.reset").flows.to_pandas):
    try:
        needs()
    except UsageError as error:
        print(error)
"""
)

COMMAND = (
    START
    + """
from netinterf.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
)


@pytest.fixture(scope="module")
def capture() -> Path:
    """Name a capture that is at hand."""
    return ROOT / "netinterf" / "data" / "examples" / "tcp.reset.pcap.gz"


def run_without(extra: str, code: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a program in a process that cannot import the packages of an extra, or those that are named instead of it."""
    command = [sys.executable, "-c", code, ",".join(PACKAGES.get(extra, [extra])), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def line(extra: str) -> str:
    """Write how the line ends that says what to install."""
    return f"needs an optional dependency: pip install 'netinterf[{extra}]'"


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give what sees that the command ends at once, with that line alone."""

    def see(extra: str, *words: object) -> None:
        with monkeypatch.context() as without:
            for name in PACKAGES[extra]:
                for loaded in (name, *(one for one in [*sys.modules] if one.startswith(f"{name}."))):
                    without.setitem(sys.modules, loaded, None)
            run = run_here(*words)
        assert (run.returncode, run.stdout) == (2, ""), words
        (told,) = run.stderr.splitlines()
        assert told.startswith("netinterf: "), words
        assert told.endswith(line(extra)), words

    return see


def test_every_extra_for_users_is_tried() -> None:
    """Those that the project itself is worked on with aside."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["optional-dependencies"]) - OURS == set(PACKAGES)


def test_frames_parquet_and_stores_need_arrow(capture: Path, tmp_path: Path) -> None:
    """In Python each of them says so, and leaves nothing behind."""
    run = run_without("arrow", PYTHON, capture, tmp_path)
    assert run.returncode == 0, run.stderr
    told = run.stdout.splitlines()
    assert len(told) == 10
    assert all(one.endswith(line("arrow")) for one in told)


def test_no_extra_brings_pandas(capture: Path) -> None:
    """Where it is missing that is said as well, and that it is what to install."""
    pytest.importorskip("pyarrow")
    run = run_without("pandas", PANDAS, capture)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == ["a pandas.DataFrame needs pandas: pip install pandas"] * 2


def test_the_command_says_it_too(capture: Path, tmp_path: Path, refused: Callable[..., None]) -> None:
    """Before anything is judged, and whatever asked for it."""
    refused("arrow", "scan", "--format", "parquet", "--out", tmp_path / "new", capture)
    refused("arrow", "scan", "--out", tmp_path / "new.parquet", capture)
    for words in (["collect", "--into", tmp_path / "store", capture], ["report", tmp_path], ["compact", tmp_path]):
        refused("arrow", "campaign", *words)
    (tmp_path / "networks.mmdb").write_bytes(bytes(64))  # no text begins so
    refused("geo", "scan", "--networks", tmp_path / "networks.mmdb", capture)
    pytest.importorskip("pyarrow")
    refused("dask", "campaign", "collect", "--scheduler", "tcp://127.0.0.1:9", "--into", tmp_path / "store", capture)


def test_a_server_needs_mcp(refused: Callable[..., None], tmp_path: Path) -> None:
    """It says so before it takes a word of another program for a question."""
    refused("mcp", "mcp", "--root", tmp_path)


def test_one_capture_that_needs_zstd_is_told_of_and_the_others_are_judged(capture: Path, tmp_path: Path) -> None:
    """It is a capture that cannot be read, as a damaged one is."""
    packed = tmp_path / "visit.pcap.zst"
    packed.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(64))  # the magic number of RFC 8878 section 3.1.1
    run = run_without("zstd", COMMAND, "scan", packed, capture)
    assert run.returncode == 0
    assert "INTERFERED: tcp.reset" in run.stdout
    assert line("zstd") in run.stdout + run.stderr
    assert "Traceback" not in run.stderr


def test_without_any_of_them_all_else_is_the_same(capture: Path) -> None:
    """To the last sign of every verdict."""
    words = ("scan", "--format", "jsonl", capture)
    packages = ",".join(chain.from_iterable(PACKAGES.values()))
    everything, nothing = (run_without(absent, COMMAND, *words) for absent in ("none", packages))
    assert (nothing.returncode, nothing.stdout) == (0, everything.stdout)
