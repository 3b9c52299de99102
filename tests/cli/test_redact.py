"""Taking out what tells of people, as a user does it: keys, outputs, and what goes wrong."""

import json
import re
from pathlib import Path

import pytest

import netinterf
from netinterf.cli.exit_status import EXIT_NO_OUTPUT
from netinterf.cli.main import main
from tests.cli.test_command import problems, run, write
from tests.oracles.traces_left import addresses_of, left_in_bytes, left_in_text

CHANCE = "netinterf: no --key: what is taken out is replaced under a key that is forgotten after this run"


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture with findings, and a key beside it."""
    folder = tmp_path_factory.mktemp("alexandra")
    (folder / "key").write_bytes(bytes(range(100, 132)))
    return write(folder / "visit.pcap", "dns.injection")


def told(*arguments: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command in this process: status, output and problems."""
    status = main([*map(str, arguments)])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_scan_writes_nothing_of_anybody(visit: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--redact`` neither addresses nor names nor the place of the capture are written."""
    key = visit.parent / "key"
    status, output, problems = told("scan", "--redact", "--key", key, "--format", form, "--all", visit, capsys=capsys)
    assert (status, problems) == (0, "")
    assert left_in_text(output, netinterf.read(visit)) == []
    assert "alexandra" not in output
    assert "dns.injection" in output


def test_the_same_key_replaces_alike(visit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs under one key agree; a key that is left to chance is another every time, and that is said."""
    keyed = [told("scan", "--redact", "--key", visit.parent / "key", visit, capsys=capsys) for _ in range(2)]
    free = [told("scan", "--redact", visit, capsys=capsys) for _ in range(2)]
    assert keyed[0] == keyed[1] == (0, keyed[0][1], "")
    assert free[0][1] != free[1][1]
    assert free[0][2] == f"{CHANCE}\n"


def test_names_are_kept_when_asked_for(visit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--keep names`` leaves the names of findings."""
    _, output, _ = told("scan", "--redact", "--keep", "names", "--format", "jsonl", visit, capsys=capsys)
    lines = [json.loads(line) for line in output.splitlines()]
    names = {verdict.subject.name for verdict in netinterf.scan(visit).findings}
    assert {line["subject"]["name"] for line in lines if line["type"] == "verdict"} == names


def test_redact_writes_a_capture_that_can_be_scanned(
    visit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new capture holds as many frames, nothing of anybody, and the addresses that the same key gives results."""
    key = visit.parent / "key"
    done = told("redact", "--key", key, visit, "--out", tmp_path / "shared.pcap", capsys=capsys)
    count = len(netinterf.read(visit).packets)
    assert done == (0, f"{tmp_path / 'shared.pcap'}: {count:,} frames, 0 of them empty (no IP packet)\n", "")
    assert left_in_bytes((tmp_path / "shared.pcap").read_bytes(), netinterf.read(visit)) == []
    _, lines, _ = told("scan", "--redact", "--key", key, "--format", "jsonl", visit, capsys=capsys)
    clients = set(re.findall(r'"client": "([^"]+)"', lines))
    assert clients <= {str(one) for one in addresses_of(netinterf.read(tmp_path / "shared.pcap"))}


def test_redact_takes_and_gives_pipes(visit: Path, tmp_path: Path) -> None:
    """``tcpdump -w - | netinterf redact - > FILE`` works, and gives what a file gives."""
    key = visit.parent / "key"
    done = run("redact", "--key", key, "--out", tmp_path / "piped.pcap", "-", stdin=visit.read_bytes())
    assert (done.returncode, problems(done)) == (0, [])
    netinterf.redact(visit, tmp_path / "file.pcap", key=key.read_bytes())
    assert (tmp_path / "piped.pcap").read_bytes() == (tmp_path / "file.pcap").read_bytes()


def test_problems_are_told_in_one_line(visit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys that are none, captures that are none, places that cannot be written, options without their company."""

    def wrong(*arguments: object, status: int) -> str:
        found, output, problems = told(*arguments, capsys=capsys)
        lines = [line for line in problems.splitlines() if line != CHANCE]
        assert (found, output, len(lines)) == (status, "", 1)
        return lines[0]

    (tmp_path / "short").write_bytes(b"fifteen bytes !")
    (tmp_path / "text.pcap").write_text("no capture", "utf-8")
    short = tmp_path / "short"
    assert "a file of 16 to 4096 random bytes" in wrong("scan", "--redact", "--key", short, visit, status=2)
    assert "fifteen" not in wrong("redact", "--key", short, visit, "--out", tmp_path / "out", status=2)
    assert "expected a readable file" in wrong("redact", "--key", tmp_path / "gone", visit, status=2)
    assert "--key goes with --redact" in wrong("scan", "--key", visit.parent / "key", visit, status=2)
    assert "--keep goes with --redact" in wrong("scan", "--keep", "names", visit, status=2)
    assert "invalid choice: 'payload'" in wrong("scan", "--redact", "--keep", "payload", visit, status=2)
    assert "neither pcap nor pcapng" in wrong("redact", tmp_path / "text.pcap", "--out", tmp_path / "out", status=3)
    assert "cannot be read" in wrong("redact", tmp_path / "gone.pcap", "--out", tmp_path / "out", status=3)
    assert not (tmp_path / "out").exists()
    assert "another file" in wrong("redact", visit, "--out", visit, status=2)
    place = tmp_path / "no" / "folder.pcap"
    assert str(place) in wrong("redact", visit, "--out", place, status=EXIT_NO_OUTPUT)


def test_what_is_explained_is_of_nobody(visit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A conversation is found by its own addresses and told under others."""
    verdict = netinterf.scan(visit).findings[0].subject
    ends = f"{verdict.client}:{verdict.client_port}-{verdict.server}:{verdict.server_port}"
    status, output, _ = told("explain", "--redact", visit, ends, capsys=capsys)
    assert status == 0
    assert left_in_text(output, netinterf.read(visit)) == []
    assert "dns.injection" in output


def test_what_is_watched_is_of_nobody(visit: Path) -> None:
    """What a watcher tells of a redacted stream is what a scan tells of the redacted file, under the same key."""
    key = visit.parent / "key"
    done = run("watch", "--redact", "--key", key, "--format", "jsonl", "--all", "-", stdin=visit.read_bytes())
    scanned = run("scan", "--redact", "--key", key, "--format", "jsonl", "--all", visit)
    assert left_in_text(done.stdout, netinterf.read(visit)) == []
    told = [json.loads(line) for line in done.stdout.splitlines()]
    known = [json.loads(line) for line in scanned.stdout.splitlines()]
    subjects = [
        [(str(one["subject"]), one["mechanism"]) for one in lines if "subject" in one] for lines in (told, known)
    ]
    assert sorted(set(subjects[0])) == sorted(set(subjects[1]))
