"""On a terminal: its own width, colours for the words that decide, and nothing that a name could do to it."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from netinterf import simulate
from netinterf.capture import write_pcap
from tests.oracles.dns_frames import RAW_IP, Talk, address_record

SGR = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture with forged resets."""
    path = tmp_path_factory.mktemp("screen") / "reset.pcap"
    played = simulate.run("tcp.reset", 1)
    write_pcap(path, played.times, played.frames, played.link_type)
    return path


def shown(*arguments: str, columns: int = 80, **environment: str) -> str:
    """Run the command with its output on a terminal, and give what it wrote there."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "netinterf", *arguments], stdout=theirs, stderr=subprocess.PIPE, env=variables
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # Linux says so of the other end's close
                break
            if not piece:
                break
            written += piece
    os.close(ours)
    assert process.returncode == 0
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 100])
def test_lines_are_as_wide_as_the_terminal(capture: Path, columns: int) -> None:
    """Words fill the width there is; what is to be copied is not broken."""
    lines = [SGR.sub("", line) for line in shown("scan", str(capture), columns=columns).splitlines()]
    broken = [line for line in lines if " " in line.strip() and not line.startswith("  Wireshark ")]
    assert columns - 30 < max(map(len, broken)) <= columns
    assert all("tcp.port==" in line for line in lines if "Wireshark" in line)


def test_colours_go_with_what_terminals_say(capture: Path) -> None:
    """The words that decide stand out; NO_COLOR and a pipe have none, and the words are the same."""
    told = shown("scan", str(capture))
    assert re.search(r"\x1b\[1;31mINTERFERED: tcp\.reset\x1b\[0m", told)
    plain = shown("scan", str(capture), NO_COLOR="1", TERM="dumb")
    assert "\x1b" not in plain
    assert SGR.sub("", told) == plain


def test_json_lines_stay_what_they_are(capture: Path) -> None:
    """A program may read from a terminal as well."""
    assert "\x1b" not in shown("compare", "--format", "jsonl", str(capture), "--against", str(capture))


def test_names_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    """What a name brings along is replaced; the only escapes are colours of our own."""
    evil, path = "a\x1b[2J\x1b]0;title\x07.example", tmp_path / "evil.pcap"
    talk = Talk()
    talk.ask(evil)
    talk.reply(evil, address_record("192.0.2.1"))
    times, frames, _ = talk.capture()
    write_pcap(path, times, frames, RAW_IP)
    told = shown("scan", "--all", str(path))
    assert "example" in told
    assert not {"\x1b", "\x07", "\x9b"} & set(SGR.sub("", told))
