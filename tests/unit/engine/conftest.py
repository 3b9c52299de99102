"""Captures of simulated traffic, as files."""

from pathlib import Path

import pytest

from netinterf import simulate
from netinterf.capture import write_pcap


def write(path: Path, scenario: str, seed: int = 1) -> Path:
    """Write one scenario as pcap."""
    played = simulate.run(scenario, seed)
    write_pcap(path, played.times, played.frames, played.link_type)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two captures, one of them below, and two files that are none."""
    (tmp_path / "below").mkdir()
    write(tmp_path / "dns.pcap", "dns.injection")
    write(tmp_path / "below" / "reset.pcap", "tcp.reset")
    (tmp_path / "notes.txt").write_text("nothing to see", encoding="utf-8")
    (tmp_path / "fake.pcap").write_text("not a capture either", encoding="utf-8")
    return tmp_path
