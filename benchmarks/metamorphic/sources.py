"""Captures that are changed: those of a labelled folder, and simulated ones."""

import io
from collections.abc import Sequence
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import attrs
import numpy as np

from benchmarks.reality.looking import cases
from netinterf.capture import write_pcap
from netinterf.simulate import run, scenarios

__all__ = ["Origin", "shared", "simulated", "simulated_bytes", "spread"]


@attrs.frozen(kw_only=True)
class Origin:
    """Where a capture comes from: a file, or a scenario and its seed."""

    file: str  # as it is called in tables
    path: Path | None = None
    scenario: str = ""
    seed: int = 0

    @property
    def simulated(self) -> bool:
        """Whether it is made."""
        return self.path is None

    def content(self) -> Path | bytes:
        """Give what can be read."""
        return simulated_bytes(self.scenario, self.seed) if self.path is None else self.path


def shared(folder: Path, pattern: str = "*") -> list[Origin]:
    """List the open captures of a labelled folder."""
    return [
        Origin(file=case.file, path=case.path)
        for case in cases(folder)
        if not case.reserved and fnmatch(case.file, pattern)
    ]


def simulated(seeds: Sequence[int], pattern: str = "*") -> list[Origin]:
    """List a capture of every scenario for each seed."""
    return [
        Origin(file=f"{play.name} {seed}", scenario=play.name, seed=seed)
        for seed in seeds
        for play in scenarios()
        if fnmatch(play.name, pattern)
    ]


@cache
def simulated_bytes(scenario: str, seed: int) -> bytes:
    """Play a scenario, and write what its tap recorded."""
    made, held = run(scenario, seed), io.BytesIO()
    write_pcap(held, made.times, made.frames, made.link_type, lengths=made.lengths)
    return held.getvalue()


def spread(origins: Sequence[Origin], most: int | None) -> list[Origin]:
    """Take at most so many, evenly from the whole list; None takes all."""
    if most is None or most >= len(origins):
        return list(origins)
    return [origins[place] for place in np.linspace(0, len(origins) - 1, most).round().astype(int).tolist()]
