"""The command as a user runs it: output, one clear line per problem, and the exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.cli.exit_status import EXIT_NO_OUTPUT
from netinterf.cli.formats import FORMATS
from netinterf.version import __version__
from tests.cli.here import ROOT, Run, run_here


def write(path: Path, scenario: str, **options: int) -> Path:
    """Write one scenario as pcap."""
    played = simulate.run(scenario, 1)
    write_pcap(path, played.times, played.frames, options.get("link_type", played.link_type))
    return path


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one interfered and one harmless capture, and a file that is none."""
    folder = tmp_path_factory.mktemp("captures")
    write(folder / "reset.pcap", "tcp.reset")
    write(folder / "harmless.pcap", "tcp.reset.benign")
    (folder / "text.pcap").write_text("no capture at all, whatever its name says", encoding="utf-8")
    return folder


def run(*arguments: object, stdin: bytes = b"", cwd: Path = ROOT) -> Run:
    """Run the command; it never fails with a traceback."""
    done = run_here(*arguments, stdin=stdin, cwd=cwd)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def in_a_process(*arguments: object) -> Run:
    """Run the command in a process of its own."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "netinterf", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def problems(done: Run) -> list[str]:
    """List the lines on standard error, each of which names the program."""
    lines = done.stderr.splitlines()
    assert all(line.startswith("netinterf: ") for line in lines), done.stderr
    return lines


def test_finds_the_forged_resets(captures: Path) -> None:
    """People get a page that names what was found, whom it hit, and where to look."""
    done = in_a_process("scan", captures / "reset.pcap")
    assert (done.returncode, problems(done)) == (0, [])
    assert done.stdout == run("scan", captures / "reset.pcap").stdout
    assert "INTERFERED: tcp.reset" in done.stdout
    for word in ("trigger", "evidence", "frames", "Wireshark", "probability", "when"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_writes_json_lines(captures: Path) -> None:
    """Programs get one object per line: the capture, its findings, with ``--all`` every subject, and the end."""
    done = run("scan", "--format", "jsonl", captures / "reset.pcap")
    first, *found, end = map(json.loads, done.stdout.splitlines())
    assert ("capture", str(captures / "reset.pcap"), __version__) == (first["type"], first["capture"], first["version"])
    assert found
    assert end == {"type": "end", "schema": 1, "captures": 1, "verdicts": len(found), "errors": 0}
    assert {verdict["grade"] for verdict in found} <= {"confirmed", "likely", "possible"}
    everything = run("scan", "--format", "jsonl", "--all", captures / "reset.pcap").stdout.splitlines()
    assert sum(first["outcomes"].values()) == len(everything) - 2


def test_exit_status_says_what_was_found(captures: Path) -> None:
    """With ``--fail-on interfered`` the status is 1 when something was found, else 0."""
    assert run("scan", "--fail-on", "interfered", captures / "reset.pcap").returncode == 1
    assert run("scan", "--fail-on", "interfered", captures / "harmless.pcap").returncode == 0
    assert run("scan", captures / "reset.pcap").returncode == 0


def test_reads_standard_input(captures: Path) -> None:
    """``-`` reads a capture from standard input and calls it so."""
    data = (captures / "reset.pcap").read_bytes()
    done = run("scan", "--format", "jsonl", "-", stdin=data)
    lines = done.stdout.splitlines()
    assert json.loads(lines[0])["capture"] == "-"
    assert len(lines) == len(run("scan", "--format", "jsonl", captures / "reset.pcap").stdout.splitlines())


def test_searches_folders(captures: Path) -> None:
    """A folder's captures are judged, files that are none are counted in one line, which names those called so."""
    done = run("scan", captures)
    assert done.returncode == 0
    named = [path for path in captures.iterdir() if path.suffix == ".pcap" and path.name not in done.stdout]
    assert problems(done) == [f"netinterf: 1 file is no capture{''.join(f', among them {path}' for path in named)}"]
    assert "reset.pcap" in done.stdout
    assert "harmless.pcap" in done.stdout


def missing(folder: Path) -> Path:
    """A path that does not exist."""
    return folder / "absent.pcap"


def empty(folder: Path) -> Path:
    """A file without a byte."""
    (folder / "empty.pcap").touch()
    return folder / "empty.pcap"


def text_file(folder: Path) -> Path:
    """A text file with the name of a capture."""
    (folder / "text.pcap").write_text("Dear reader, this is no capture.\n", encoding="utf-8")
    return folder / "text.pcap"


def no_captures(folder: Path) -> Path:
    """A folder without captures."""
    (folder / "bare").mkdir()
    (folder / "bare" / "readme.txt").write_text("nothing here", encoding="utf-8")
    return folder / "bare"


def odd_link_type(folder: Path) -> Path:
    """A capture of a link type that no decoder knows."""
    return write(folder / "odd.pcap", "tcp.reset", link_type=147)


def header_only(folder: Path) -> Path:
    """The first bytes of a capture."""
    path = write(folder / "short.pcap", "tcp.reset")
    path.write_bytes(path.read_bytes()[:10])
    return path


def no_match(folder: Path) -> Path:
    """A pattern that matches nothing."""
    return folder / "*.nothing"


@pytest.mark.parametrize("make", [missing, empty, text_file, no_captures, odd_link_type, header_only, no_match])
def test_what_cannot_be_read_is_one_clear_line(make: Callable[[Path], Path], tmp_path: Path, captures: Path) -> None:
    """Such a path is named with the reason, the status is 3 when nothing else could be read, and others still run."""
    path = make(tmp_path)
    alone = run("scan", path)
    assert (alone.returncode, alone.stdout) == (3, "")
    named = [line for line in problems(alone) if str(path) in line]
    assert len(named) == 1, alone.stderr
    assert len(named[0]) > len(f"netinterf: {path}: ") + 5
    together = run("scan", path, captures / "reset.pcap")
    assert together.returncode == 0
    assert named[0] in problems(together)
    assert "INTERFERED" in together.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "VERB"),
        (["scan"], "PATH"),
        (["frobnicate"], "frobnicate"),
        (["scan", "--format", "xml", "x"], "xml"),
        (["scan", "--vantage", "moon", "x"], "moon"),
        (["scan", "--analyzers", "horoscope", "x"], "horoscope"),
        (["scan", "--analyzers", ",", "x"], "analyzer"),
        (["scan", "--networks", "absent.csv", "x"], "absent.csv"),
        (["scan", "--fail-on", "monday", "x"], "monday"),
        (["scan", "--unknown", "x"], "--unknown"),
        (["scan", "--form", "text", "x"], "--form"),
    ],
)
def test_wrong_usage_is_one_clear_line(arguments: list[str], word: str) -> None:
    """Wrong arguments give one line that names them, nothing on standard output, and status 2."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(problems(done)) == 1
    assert word in done.stderr


def test_networks_are_checked(captures: Path, tmp_path: Path) -> None:
    """Well-formed tables of networks are taken, one or two; a malformed line is wrong usage that names it."""
    table, second = tmp_path / "networks.csv", tmp_path / "pfx2as"
    second.write_text("192.0.2.0\t24\t64496_64497\n", encoding="utf-8")
    table.write_text("prefix,asn,country\n192.0.2.0/24,64496,DE\n2001:db8::/32,64497,US\n", encoding="utf-8")
    assert run("scan", "--networks", second, "--networks", table, captures / "harmless.pcap").returncode == 0
    table.write_text("prefix,asn,country\n192.0.2.0/99,64496,DE\n", encoding="utf-8")
    done = run("scan", "--networks", second, "--networks", table, captures / "harmless.pcap")
    assert done.returncode == 2
    assert "line 2" in done.stderr


def test_known_answers_are_used(tmp_path: Path) -> None:
    """A simulated capture with the table beside it: more is said than without; a malformed table is wrong usage."""
    played = tmp_path / "forged.pcap"
    assert run("simulate", "dns.forged.er-telecom", "--seed", "2", "--clean", "--out", played).returncode == 0
    table = tmp_path / "forged.answers.csv"
    said = [run("scan", "--all", "--format", "jsonl", *more, played).stdout for more in ((), ("--answers", table))]
    assert ["unlike_known" in one for one in said] == [False, True]
    table.write_text("name,address\nwww.example.org,nowhere\n", encoding="utf-8")
    done = run("scan", "--answers", table, played)
    assert done.returncode == 2
    assert "line 2" in done.stderr


def test_analyzers_can_be_chosen(captures: Path) -> None:
    """Only the questions that were asked are answered."""
    done = run("scan", "--analyzers", "dns_poisoning", captures / "reset.pcap")
    assert done.returncode == 0
    assert "INTERFERED: tcp.reset" not in done.stdout
    assert "INTERFERED: tcp.reset" in run("scan", "--analyzers", "rst_injection", captures / "reset.pcap").stdout


def test_vantage_is_taken(captures: Path) -> None:
    """The user's vantage stands in the capture line."""
    done = run("scan", "--format", "jsonl", "--vantage", "middle", captures / "harmless.pcap")
    assert json.loads(done.stdout.splitlines()[0])["vantage"] == "middle"


def test_a_cut_capture_is_analysed_and_says_so(captures: Path, tmp_path: Path) -> None:
    """A file cut off in the middle gives verdicts and a note; with ``--strict`` it is refused."""
    path = tmp_path / "cut.pcap"
    path.write_bytes((captures / "reset.pcap").read_bytes()[:-7])
    done = run("scan", "--format", "jsonl", path)
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["diagnostics"]
    assert "note: " in run("scan", path).stdout
    assert run("scan", "--strict", path).returncode == 3


def test_help_and_version() -> None:
    """Help names every option and the exit status; both leave with 0."""
    done = run("scan", "--help")
    assert done.returncode == 0
    for word in ("--format", "--all", "--analyzers", "--networks", "--answers", "--strict", "--fail-on", "Exit status"):
        assert word in done.stdout
    assert (0, f"netinterf {__version__}\n") == (run("--version").returncode, run("--version").stdout)


def test_a_reader_that_leaves_is_no_error(captures: Path) -> None:
    """When the reader of a pipe has seen enough, the command ends quietly."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "netinterf", "scan", "--format", "jsonl", "--all", *[str(captures)] * 1]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read().decode()
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in complaint
    assert "Broken pipe" not in complaint


def test_names_from_the_wire_cannot_write_to_the_terminal(tmp_path: Path, captures: Path) -> None:
    """Control characters in a file's name do not reach the terminal."""
    path = tmp_path / "evil\x1b[31m\n.pcap"
    path.write_bytes((captures / "reset.pcap").read_bytes())
    done = run("scan", path, tmp_path / "absent\x1b[31m.pcap")
    assert "\x1b" not in done.stdout + done.stderr
    assert len(problems(done)) == 1


HOOK = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(event) if event.startswith("socket.") else None)
from netinterf.cli.main import main
status = main(sys.argv[1:])
print(status, opened, file=sys.stderr)
"""


def test_a_scan_opens_no_socket(captures: Path) -> None:
    """Nothing touches the network: no socket is made, no name is looked up."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", HOOK, "scan", "--all", str(captures / "reset.pcap")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=60,
        check=True,
    )
    assert done.stderr.strip() == "0 []"


def test_an_answer_that_cannot_be_written_is_no_finding():
    """A full disk or a closed output gives one line and a status of its own, never the status of a finding."""
    benign = files("netinterf") / "data" / "examples" / "benign.pcap.gz"
    command = [sys.executable, "-m", "netinterf", "scan", "--fail-on", "interfered", str(benign)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 74
    assert done.stderr.startswith("netinterf: standard output: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_leaves_does_not_hide_a_finding():
    """With --fail-on the status tells what was found, also when nobody reads on."""
    attack = str(files("netinterf") / "data" / "examples" / "dns.injection.pcap.gz")
    words = [sys.executable, "-m", "netinterf", "scan", "--fail-on", "interfered", "--format", "jsonl", "--all"]
    with subprocess.Popen([*words, attack, attack], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.close()
        assert child.wait(60) == 1


def test_a_table_of_priors_changes_the_judgement(captures: Path, tmp_path: Path) -> None:
    """Where resets are said to be all but impossible, no reset is accused; a bad line is wrong usage and named."""
    table = tmp_path / "priors.csv"
    table.write_text("subject,mechanism,probability,source\ntcp,tcp.reset,1e-15,never here\n", encoding="utf-8")
    assert "INTERFERED: tcp.reset" in run("scan", captures / "reset.pcap").stdout
    assert "INTERFERED: tcp.reset" not in run("scan", "--priors", str(table), captures / "reset.pcap").stdout
    table.write_text("subject,mechanism,probability,source\ntcp,tcp.reset,2,x\n", encoding="utf-8")
    wrong = run("scan", "--priors", str(table), captures / "reset.pcap")
    assert (wrong.returncode, "line 2" in wrong.stderr) == (2, True)


def test_the_answer_goes_to_a_file(captures: Path, tmp_path: Path) -> None:
    """With --out nothing is printed, and the file holds what would have been; one that cannot be made is a problem."""
    printed = run("scan", "--format", "jsonl", captures)
    done = run("scan", "--format", "jsonl", "--out", tmp_path / "found.jsonl", captures)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "found.jsonl").read_text(encoding="utf-8") == printed.stdout
    lost = run("scan", "--out", tmp_path / "nowhere" / "found.txt", captures)
    assert lost.returncode == EXIT_NO_OUTPUT
    assert str(tmp_path / "nowhere" / "found.txt") in problems(lost)[-1]


def test_frames_are_written_as_parquet(captures: Path, tmp_path: Path) -> None:
    """The form parquet holds the verdicts of all captures, to a file as to a pipe."""
    parquet = pytest.importorskip("pyarrow.parquet")
    done = run("scan", "--all", "--format", "parquet", "--out", tmp_path / "found.parquet", captures)
    assert (done.returncode, done.stdout) == (0, "")
    table = parquet.read_table(tmp_path / "found.parquet")
    lines = [json.loads(line) for line in run("scan", "--all", "--format", "jsonl", captures).stdout.splitlines()]
    assert [line["probability"] for line in lines if line["type"] == "verdict"] == table["probability"].to_pylist()


def test_every_form_is_offered() -> None:
    """The forms that the help names are those that can be written."""
    assert "{" + ",".join(FORMATS) + "}" in "".join(run("scan", "--help").stdout.split())
