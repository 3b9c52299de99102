"""What shells are given: completion that they load and use, a manual page without faults, and the verb that prints."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from netinterf.cli import completion
from netinterf.cli.manual import MANUAL, manual
from netinterf.cli.shells import shared_files
from netinterf.cli.verbs import COMPLETIONS, build_parser
from netinterf.version import __version__
from tests.cli.every import verbs
from tests.cli.here import ROOT, run_here

ZSH = """
autoload -Uz compinit && compinit -u -d "$1/dump"
print -r -- "${_comps[netinterf]}"
autoload +X _netinterf && print -r -- "loaded"
"""

BASH = """
source "$1"; shift
complete -p netinterf >/dev/null || exit 1
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_shtab_netinterf netinterf "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""

LINTERS = {
    "mandoc": ("-T", "lint", "-W", "style"),
    "groff": ("-w", "w", "-m", "man", "-k", "-T", "utf8"),
}
"""What finds faults of a page; either is enough."""

Complete = Callable[..., list[str]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write what the build makes, as an installation does."""
    place = tmp_path_factory.mktemp("prefix")
    for path, text in shared_files().items():
        (place / path).parent.mkdir(parents=True)
        (place / path).write_text(text, encoding="utf-8")
    return place


def run_in(program: str, *words: object, **environment: str) -> str:
    """Run a program that must find no fault; skip without it."""
    if (found := shutil.which(program)) is None:
        pytest.skip(f"{program} is not installed")
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **environment}
    done = subprocess.run([found, *map(str, words)], capture_output=True, text=True, env=env, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(params=["bash", "fish"])
def complete(request: pytest.FixtureRequest, shared: Path) -> Complete:
    """Give what a shell offers for the last of some words."""
    if request.param == "bash":
        return lambda *words: run_in("bash", "--norc", "-c", BASH, "-", shared / COMPLETIONS["bash"], *words).split()
    return lambda *words: [
        line.split("\t")[0]
        for line in run_in(
            "fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", shared / COMPLETIONS["fish"],
            " ".join(words), HOME=str(shared / "home"),
        ).splitlines()
    ]  # fmt: skip


def test_verbs_are_completed(complete: Complete) -> None:
    """Those of the command, and those of verbs that have verbs of their own."""
    assert complete("netinterf", "sc") == ["scan"]
    assert set(complete("netinterf", "")) == {name.split()[0] for name, _ in verbs()}
    assert set(complete("netinterf", "campaign", "co")) == {"collect", "compact"}


def test_options_are_completed(complete: Complete) -> None:
    """Each option of each verb, and none of another's."""
    for name, parser in verbs():
        known = {word for action in parser._actions for word in action.option_strings if word.startswith("--")}
        assert set(complete("netinterf", *name.split(), "--")) == known, name


def test_values_are_completed(complete: Complete, tmp_path: Path) -> None:
    """Words where there is a choice, names of files where one is read or written."""
    assert set(complete("netinterf", "scan", "--vantage", "")) == {"auto", "client", "server", "middle"}
    assert complete("netinterf", "scan", "--vantage", "cl") == ["client"]
    (tmp_path / "visit.pcap").touch()
    for words in (["scan"], ["scan", "--out"], ["scan", "--strict"], ["explain"]):
        assert complete("netinterf", *words, f"{tmp_path}/vi") == [f"{tmp_path}/visit.pcap"], words


def test_zsh_finds_and_loads_it(shared: Path, tmp_path: Path) -> None:
    """The file is what completes the command, and zsh reads it to its end."""
    path = shared / COMPLETIONS["zsh"]
    run_in("zsh", "-f", "-n", path)
    told = run_in("zsh", "-f", "-c", f"fpath=({path.parent} $fpath); {ZSH}", "-", tmp_path)
    assert told.split() == ["_netinterf", "loaded"]


@pytest.mark.parametrize("linter", LINTERS)
def test_the_page_has_no_faults(linter: str, shared: Path) -> None:
    """Not one, but that it has no date: it is of a version."""
    if (found := shutil.which(linter)) is None:
        pytest.skip(f"{linter} is not installed")
    command = [found, *LINTERS[linter], str(shared / MANUAL)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = done.stderr + (done.stdout if linter == "mandoc" else "")
    assert [line for line in told.splitlines() if "missing date" not in line] == []


def test_the_page_tells_all() -> None:
    """Every verb with every option and its help, under the version that it is of; and what is typed can be copied."""
    page = manual(build_parser())
    read = page.replace("\\-", "-").replace("\\&", "").replace("\n", " ")
    assert f'"netinterf {__version__}"' in page
    for name, parser in verbs():
        assert f".SS netinterf {name}\n" in page
        for action in parser._actions:
            assert all(f"\\fB{word}\\fR" in read for word in action.option_strings if action.dest != "help")
            assert action.dest == "help" or (action.help or "") % vars(action) in read
    assert "\\fB\\-\\-files-from\\fR" in page


def test_a_line_that_begins_like_a_command_is_none() -> None:
    """Neither a dot nor an apostrophe at the beginning, nor a backslash anywhere, is obeyed."""
    parser = build_parser()
    parser.description = ".so /etc/passwd and 'x \\n"
    page = manual(parser)
    assert "\n\\&.so /etc/passwd and 'x \\en" in page


def test_the_verb_prints_what_was_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the installation that runs, as they are."""
    about, made = tmp_path / "site" / "netinterf-9.dist-info", shared_files()
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Name: netinterf\nVersion: 9\n", encoding="utf-8")
    (about / "RECORD").write_text("".join(f"../{path},,\n" for path in made), encoding="utf-8")
    for path, text in made.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(about.parent)
    for shell, path in COMPLETIONS.items():
        run = run_here("completion", shell)
        assert (run.returncode, run.stdout, run.stderr) == (0, made[path], "")


def test_a_copy_that_was_not_installed_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said in a line."""

    def absent(_: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(completion, "distribution", absent)
    run = run_here("completion", "fish")
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (2, "", 1)
    assert "pip install netinterf" in run.stderr


def test_a_build_has_no_need_of_what_the_library_needs() -> None:
    """The parser and what is made of it run on the standard library (and shtab): nothing else is there at a build."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from netinterf.cli import shells, verbs; verbs.build_parser()"
    subprocess.run([sys.executable, "-I", "-S", "-c", code, str(ROOT)], check=True)
