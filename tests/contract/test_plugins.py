"""Plugins: the manual's example is built, installed and asked by name; broken ones are named, without a traceback."""

import gzip
import html
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netinterf.analyzers.registry import BUILTIN, names
from netinterf.engine.examples import FOLDER
from netinterf.engine.options import pick_analyzers
from netinterf.engine.scan import scan
from netinterf.engine.session import Session
from netinterf.errors import AnalyzerError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "plugin"
CAPTURE = str(FOLDER / "benign.pcap.gz")
Run = subprocess.CompletedProcess[str]


def run(*words: object, path: Path) -> Run:
    """Run Python in a process of its own that also finds what is installed in *path*."""
    found = os.pathsep.join(map(str, (ROOT, path)))
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": found},
        cwd=path,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pip installed the example plugin, from its source and without a network."""
    target = tmp_path_factory.mktemp("installed")
    words = ["install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    done = run("-m", "pip", *words, "--target", target, EXAMPLE, path=target)
    assert done.returncode == 0, done.stderr
    return target


def test_the_example_plugin_passes_its_own_tests(installed: Path) -> None:
    """Its tests check the contract, what it finds, what it does not accuse, and that the command knows it by name."""
    done = run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", EXAMPLE / "tests", path=installed
    )
    assert done.returncode == 0, done.stdout


def test_analyzers_are_listed_with_where_they_come_from(installed: Path) -> None:
    """The verb ``analyzers`` names built-in ones, then plugins with distribution and version, and their rules."""
    done = run("-m", "netinterf", "analyzers", path=installed)
    assert (done.returncode, done.stderr) == (0, "")
    heads = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert heads == [*(f"{name} (built-in)" for name in BUILTIN), "masked_starttls (netinterf-starttls 1.0)"]
    assert "rules: starttls.masked" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


SOUND = """
import attrs
import numpy as np
from netinterf import Rule, Scope, observe

RULE = Rule(id="mine.one", mechanism="tcp.reset", group="mine", says="something", references=("nowhere",))

@attrs.frozen
class Mine:
    name, scope, rules = "mine", Scope.FLOW, (RULE,)

    def __call__(self, trace, /):
        rows = np.flatnonzero(trace.packets.flow >= 0)[:3]
        flow, weight = trace.packets.flow[rows], 1.0
        pass
        return observe(self, "mine.one", subject=flow, time=0, llr=weight, witness=rows)
"""


def install(folder: Path, source: str, *, distribution: str = "mine", name: str = "mine") -> Path:
    """Put a module and what pip writes about it into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / f"{distribution}.py").write_text(source, encoding="utf-8")
    about = folder / f"{distribution}-2.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5\n", encoding="utf-8")
    declared = f"[netinterf.analyzers]\n{name} = {distribution}:Mine\n"
    (about / "entry_points.txt").write_text(declared, encoding="utf-8")
    return folder


def put(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process find what is installed in a folder."""
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "mine", raising=False)


def changed(code: str) -> str:
    """The sound plugin with one change in its call."""
    return SOUND.replace("pass", code)


LOADING = {
    "no such module": ("import no_such_module", "no_such_module"),
    "not Python": ("class Mine(:", "SyntaxError"),
    "no such class": ("Other = 1", "Mine"),
    "fails when made": ("def Mine():\n    raise OSError('no licence')", "no licence"),
    "no analyzer": ("Mine = dict", "gives no analyzer"),
    "a class, not an analyzer": (f"{SOUND}\nMade = Mine\ndef Mine():\n    return Made", "gives no analyzer"),
    "another name": (SOUND.replace('"mine", Scope', '"yours", Scope'), "'yours'"),
}


@pytest.mark.parametrize(("source", "reason"), LOADING.values(), ids=LOADING)
def test_a_plugin_that_cannot_be_loaded_is_named(
    source: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with it, the error says whose plugin it is, and why it cannot be used."""
    put(install(tmp_path / "site", source), monkeypatch)
    with pytest.raises(AnalyzerError, match=r"^analyzer 'mine': the plugin .* mine 2\.5") as caught:
        scan(CAPTURE, analyzers=["mine"])
    assert reason in str(caught.value)


def test_the_command_says_so_on_one_line(tmp_path: Path) -> None:
    """To ask for it is wrong usage; the list goes on without it, with the same line."""
    folder = install(tmp_path / "site", "import no_such_module")
    done = run("-m", "netinterf", "scan", "--analyzers", "builtin,mine", CAPTURE, path=folder)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr
    assert done.stderr.startswith("netinterf: analyzer 'mine': ")
    listed = run("-m", "netinterf", "analyzers", path=folder)
    assert (listed.returncode, listed.stderr) == (0, done.stderr)
    assert "rst_injection (built-in)" in listed.stdout


CALLING = {
    "raises": ("raise KeyError('ttl')", "raised KeyError: 'ttl'"),
    "asks the trace wrongly": ("trace.stream(-1, outbound=True)", "raised ParameterError: flow=-1"),
    "returns nothing": ("return None", "returned NoneType, not Evidence"),
    "weight": ("weight = float('nan')", "a weight that is not finite"),
    "packet": ("rows = rows + 10**6", "a packet that is not there"),
    "flow": ("flow = flow + 10**6", "a flow that is not there"),
    "rule": ("return observe(self, 'mine.two', subject=[], time=0, llr=0, witness=[])", "'mine.two' is not declared"),
}


@pytest.mark.parametrize(("code", "reason"), CALLING.values(), ids=CALLING)
def test_a_plugin_that_breaks_its_contract_is_an_error_of_the_capture(
    code: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named with the capture and the reason; nothing is judged on what it said."""
    put(install(tmp_path / "site", changed(code)), monkeypatch)
    result = scan(CAPTURE, analyzers=["mine"])
    assert result.captures == ()
    assert [str(error).startswith(f"{CAPTURE}: analyzer 'mine': ") for error in result.errors] == [True]
    assert reason in str(result.errors[0])
    assert "please report" not in str(result.errors[0])


FAILING = {
    "memory": ("raise MemoryError('65.7 GiB')", "raised MemoryError: 65.7 GiB"),
    "letters": ("raise KeyError('\\x1b[2J')", "raised KeyError"),
    "weight": ("weight = float('nan')", "gives a weight that is not finite"),
}


@pytest.mark.parametrize(("code", "reason"), FAILING.values(), ids=FAILING)
def test_an_analyzer_that_fails_costs_its_own_answers_only(
    code: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are judged as without it, and the capture says by name whose question was not answered."""
    put(install(tmp_path / "site", changed(code)), monkeypatch)
    capture = str(FOLDER / "tcp.reset.pcap.gz")
    alone, both = (scan(capture, analyzers=asked) for asked in (["builtin"], ["mine", "builtin"]))
    assert alone.findings
    assert [*both.verdicts] == [*alone.verdicts]
    known, note = both.captures[0].diagnostics[:-1], both.captures[0].diagnostics[-1]
    assert (known, both.errors) == (alone.captures[0].diagnostics, ())
    assert note.code == "analyzer.failed"
    assert note.message.startswith(f"analyzer 'mine' failed, and what it asks was not answered: {reason}")
    assert note.message.isprintable()
    assert reason in str(scan(capture, analyzers=["mine", "builtin"], strict=True).errors[0])


def test_every_output_names_it_and_the_status_is_that_of_a_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text, lines and page hold the sentence; what is redacted lacks the reason, which may quote a name."""
    folder = install(tmp_path / "site", changed("raise KeyError('who.example')"))
    words = "analyzer 'mine' failed, and what it asks was not answered"
    for form in ("text", "jsonl", "html"):
        done = run("-m", "netinterf", "scan", "--analyzers", "builtin,mine", "--format", form, CAPTURE, path=folder)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert f"{words}: raised KeyError: 'who.example'" in " ".join(html.unescape(done.stdout).split())
    put(folder, monkeypatch)
    redacted = scan(CAPTURE, analyzers=["builtin", "mine"]).redacted()
    assert [note.message for note in redacted.captures[0].diagnostics] == [words]


def test_a_session_says_so_once_for_all_of_its_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found in windows is found; how often the analyzer failed is counted."""
    put(install(tmp_path / "site", changed("raise ValueError(len(trace.packets))")), monkeypatch)
    data = gzip.decompress((FOLDER / "tcp.reset.pcap.gz").read_bytes())
    found = []
    for asked in (["builtin"], ["builtin", "mine"]):
        session = Session(asked, max_packets=60)
        found.append(session.feed(data) + session.close())
        notes = [note for note in session.summary.diagnostics if note.code == "analyzer.failed"]
        assert [note.count > 1 for note in notes] == [True] * (len(asked) - 1)
    assert found[0] == found[1]


def test_plugins_are_asked_by_name_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed plugin changes no scan that does not name it; ``builtin`` stands for all others, each asked once."""
    put(install(tmp_path / "site", SOUND), monkeypatch)
    assert names() == (*BUILTIN, "mine")
    rules = [{rule.id for rule in scan(CAPTURE, analyzers=asked).evidence[0].rules} for asked in (None, ["mine"])]
    assert ["mine.one" in known for known in rules] == [False, True]
    picked = pick_analyzers(["rst_injection", "builtin", "mine", "mine"])
    assert picked is not None
    assert sorted(one.name for one in picked) == sorted(names())


def test_two_plugins_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell which is meant, so both are named; a built-in analyzer cannot be replaced by a plugin."""
    folder = install(tmp_path / "site", SOUND)
    install(folder, SOUND, distribution="other")
    install(folder, SOUND, distribution="third", name="rst_injection")
    put(folder, monkeypatch)
    with pytest.raises(AnalyzerError, match=r"'mine': declared by mine 2\.5 and by other 2\.5"):
        pick_analyzers(["mine"])
    assert type(pick_analyzers(["rst_injection"])[0]) is BUILTIN["rst_injection"]  # type: ignore[index]
