"""How often resets look like their claimed sender in every field: forged ones, and genuine ones.

Forged resets are those whose frames a label names, genuine ones those of captures that are labelled benign. Both counts
bound what ``rst.as_the_host`` may weigh. A connection counts once, where all of its resets that could be
compared look so, and a repository as much as another, however many connections it has.
"""

import collections
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.reality.reserve import reserved
from benchmarks.truth import load
from netinterf.analyzers.forgery.header import compare_headers
from netinterf.analyzers.forgery.suspects import find_suspects
from netinterf.analyzers.rst_injection.header import compare_with_sender, foreign_fields
from netinterf.errors import NetinterfError
from netinterf.trace import Trace, read

__all__ = ["alike", "measure", "share"]

Counts = dict[str, list[int]]
"""By repository: connections whose resets are like their sender, and those that could be compared."""


def alike(trace: Trace, frames: frozenset[int] | None = None) -> list[int]:
    """Count connections whose resets look like their sender, and those that could be compared.

    Args:
        trace: The capture.
        frames: Only resets of these frames count; all where left out.
    """
    suspects = find_suspects(trace)
    headers = compare_headers(trace, suspects)
    foreign = foreign_fields(trace, suspects, headers, 0)
    compared, like = compare_with_sender(trace, suspects, headers, foreign)
    compared &= suspects.previous >= 0
    if frames is not None:
        compared &= np.isin(trace.packets.frame[suspects.row], list(frames))
    flow = np.unique(suspects.flow[compared])
    return [len(flow) - len(np.unique(suspects.flow[compared & ~like])), len(flow)]


def measure(captures: Path) -> dict[str, Counts]:
    """Count over a labelled folder without its reserve: ``forged`` and ``genuine``."""
    found: dict[str, Counts] = {kind: collections.defaultdict(lambda: [0, 0]) for kind in ("forged", "genuine")}
    for file, repository, frames in labelled(captures):
        try:
            some = alike(read(captures / file), frames)
        except (NetinterfError, FileNotFoundError):
            continue
        if some[1]:
            kept = found["genuine" if frames is None else "forged"][repository]
            kept[:] = [one + more for one, more in zip(kept, some, strict=True)]
    return found


def labelled(captures: Path) -> Iterator[tuple[str, str, frozenset[int] | None]]:
    """List captures with their repository and the frames of their forged resets, none for benign ones."""
    truth = load(captures)
    for row in truth.files:
        resets = [flow.forged for flow in truth.flows.get(row.file, ()) if any("rst" in label for label in flow.labels)]
        forged = frozenset[int]().union(*resets)
        if reserved(row.repo):
            continue
        if forged:
            yield row.file, row.repo, forged
        if row.kind == "benign":
            yield row.file, row.repo, None


def share(counts: Counts) -> float:
    """Mean over repositories of the share of connections whose resets are like their sender."""
    return float(np.mean([like / all_of_them for like, all_of_them in counts.values()])) if counts else float("nan")
