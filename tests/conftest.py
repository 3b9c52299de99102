"""What every test may use: the labelled captures, the tshark program, and both ways of doing one thing."""

import gc
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from benchmarks.reality.reserve import open_folder
from netinterf import compiled
from tests.captures import FOLDER

pytest_plugins = ["tests.fired"]

ROOT = Path(__file__).resolve().parents[1]
settings.register_profile("netinterf", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("netinterf")


SLOW = {
    "analyzers": "acknowledgements block_pages dns_poisoning freezes handshakes isolation look_alikes rivals shaping "
    "silence tampering_signatures throttling timings tls_interception",
    "architecture": "docs extras image layers package platforms",
    "cli": "campaign chosen command completion contract explain hostile inputs interfaces mcp outputs redact "
    "report ring screen watch",
    "contract": "builtin json_schema plugins",
    "examples": "batch notebook probe",
    "properties": "compiled decode flows flows_captures metamorphic stream",
    "unit/anomaly": "score",
    "unit/assistants": "answers worker",
    "unit/attribute": "attribution injectors traits",
    "unit/benchmarks": "attribution dns_company isolation judging lab quality reality ways",
    "unit/campaign": "collect compact cut dask ooni real",
    "unit/capture": "containers records resync wireshark",
    "unit/decode": "stacks wireless wireshark",
    "unit/engine": "company compare crowd departure large lost scan session",
    "unit/export": "ooni",
    "unit/flows": "messages stream",
    "unit/pooling": "flaky",
    "unit/privacy": "addresses captures results",
    "unit/protocols": "tls",
    "unit/recording": "doubled_datagrams recording",
    "unit/report": "campaign_page figures html",
    "unit/simulate": "campaign dns_plays forgers look_alikes rates scenarios silence",
    "unit/stats": "bucketsearch calibration concentration ratelimit rates",
    "unit/verdict": "groups same_path weigh",
    "unit/written": "frames",
}
"""Folders and the modules in them that take more than a second or two each: what is left runs within a minute."""


SLOW_MODULES = {ROOT / "tests" / folder / f"test_{name}.py" for folder, names in SLOW.items() for name in names.split()}


def pytest_collection_modifyitems(items):
    """Mark the tests of slow modules, so that ``-m "not slow"`` leaves the quick ones."""
    for item in items:
        if item.path in SLOW_MODULES:
            item.add_marker("slow")


def pytest_collection_finish():
    """Let the collector of cycles leave alone what stays to the end, which it would look through again and again."""
    gc.collect()
    gc.freeze()


def pytest_ignore_collect(collection_path, config):
    """Do not even read them where they would be left out."""
    return True if config.getoption("markexpr") == "not slow" and collection_path in SLOW_MODULES else None


@pytest.fixture(scope="session")
def captures_dir(tmp_path_factory):
    """Give the folder of the labelled public captures without the reserve; skip where they are absent."""
    if not FOLDER.is_dir():
        pytest.skip(f"labelled captures are absent: set NETINTERF_CAPTURES (looked in {FOLDER})")
    return open_folder(FOLDER, tmp_path_factory.mktemp("captures"))


@pytest.fixture(scope="module", params=["numpy", "C"])
def each_way(request):
    """Run the tests of a module twice: with what is compiled, and with its twins in numpy alone."""
    if request.param == "C":
        if not compiled.is_there():
            pytest.skip("nothing is compiled here (hatch_build.py)")
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "library", lambda: None)
        yield


@pytest.fixture(scope="session")
def tshark():
    """Give a function that lists fields of a capture with tshark; skip where tshark is absent."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")

    def fields(path, *names, options=()):
        """Return one list of strings per frame; damage in the file is no failure."""
        command = [program, "-n", "-r", str(path), *options, "-T", "fields", "-E", "separator=\t"]
        for name in names:
            command += ["-e", name]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=100, check=False)
        return [line.split("\t") for line in run.stdout.splitlines()]

    return fields
