"""``netinterf extract`` writes the packets of the conversation that was named, with what they show."""

import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

import netinterf
from netinterf.cli.main import main
from tests.cli.here import run_here


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the example with forged resets."""
    path = tmp_path_factory.mktemp("captures") / "reset.pcap"
    packed = files("netinterf") / "data" / "examples" / "tcp.reset.pcap.gz"
    with packed.open("rb") as source, gzip.open(source) as plain, path.open("wb") as file:
        shutil.copyfileobj(plain, file)
    return path


def test_it_writes_what_the_library_writes(capture: Path, tmp_path: Path) -> None:
    """Packets and comments are those of the verdict of a scan; in pcap there is no room for comments."""
    result = netinterf.scan(capture)
    verdict = result.findings[0]
    for kind in ("pcap", "pcapng"):
        ran = run_here("extract", capture, verdict.frames[0], "--out", tmp_path / f"a.{kind}")
        assert (ran.returncode, ran.stderr) == (0, "")
        packets = result.extract(verdict, tmp_path / f"b.{kind}")
        assert ran.stdout.startswith(f"{tmp_path}/a.{kind}: {packets} packets")
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
        assert ("comments" in ran.stdout) == (kind == "pcapng")


@pytest.mark.tshark
def test_a_pipe_gets_comments(tshark: Callable[..., list[list[str]]], capture: Path, tmp_path: Path) -> None:
    """Wireshark reads what comes out, and shows at the forged packet what it is."""
    with (tmp_path / "x.pcapng").open("wb") as file:
        subprocess.run([sys.executable, "-m", "netinterf", "extract", str(capture), "5"], stdout=file, check=True)
    told = [comment for (comment,) in tshark(tmp_path / "x.pcapng", "frame.comment") if "shows tcp.reset" in comment]
    assert len(told) == 1


def test_redacted_packets_hold_no_payload(capture: Path, tmp_path: Path) -> None:
    """Addresses are replaced, and what was said is gone."""
    (tmp_path / "key").write_bytes(bytes(range(32)))
    words = ["extract", capture, 5, "--out", tmp_path / "x.pcapng", "--redact", "--key", tmp_path / "key"]
    assert run_here(*words).returncode == 0
    trace, whole = netinterf.read(tmp_path / "x.pcapng"), netinterf.read(capture)
    assert len(trace.flows) == 1
    assert trace.packets.payload_captured.sum() == 0
    assert not {trace.address(host) for host in range(len(trace.hosts))} & {
        whole.address(host) for host in range(len(whole.hosts))
    }


def test_what_cannot_be_written_is_said(capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The capture is never the target, and a conversation that is not there has no packets."""
    before = capture.read_bytes()
    for words, status, said in (
        ([str(capture), "5", "--out", str(capture)], 2, "another file"),
        ([str(capture), "99999", "--out", str(tmp_path / "x.pcap")], 2, "no frame 99999"),
        ([str(tmp_path / "none.pcap"), "5", "--out", str(tmp_path / "x.pcap")], 3, "none.pcap"),
        ([str(capture), "5", "--out", str(tmp_path / "none" / "x.pcap")], 74, "No such file"),
    ):
        assert main(["extract", *words]) == status
        assert said in capsys.readouterr().err
    assert capture.read_bytes() == before
    assert not (tmp_path / "x.pcap").exists()
