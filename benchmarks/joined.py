"""Real captures cut into pieces, shuffled and joined again: the same verdicts, frames and evidence as of the whole.

Files are cut between frames where chance wants, as rotating recorders do: each piece of a pcap file gets the file's
header, each of a pcapng file the section's header and the interfaces that were described before. What is written of the
joined pieces is held against what is written of the whole, line by line; only the path, the list of files, and notes
about damaged places (whose offsets are those of another file) may differ.

Pieces are named as recorders and archives name them: by numbers that count up, by those of a ring that began anew in
the middle, by dates, or by hashes, which leave their order to their first packets. Names change nothing but that order,
so pieces that come in one that was held against the whole already are not judged again.
"""

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise, product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np

from benchmarks.machine import write_json
from netinterf.capture import open_capture
from netinterf.capture.gaps import GAP
from netinterf.capture.source import load
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.errors import NetinterfError
from netinterf.export.jsonl import lines

__all__ = ["NAMES", "PIECES", "cut", "run"]

PIECES = (2, 10, 100)
NAMES = ("counted", "ring", "dated", "hashed")
LEAST = 200  # packets of a capture that is worth cutting
OWN = ("capture", "files", "diagnostics")  # keys that tell how a recording lies on disk
SECTION, INTERFACE = 0x0A0D0D0A, 1
"""Block types of pcapng (draft-ietf-opsawg-pcapng, section 4)."""

Compared: TypeAlias = tuple[tuple[str, ...], int]
"""Keys of lines that differ, each time; and gaps that were seen where there is none."""


@attrs.frozen
class Trial:
    """A capture cut into pieces and joined.

    Args:
        file: Which one.
        pieces: How many.
        names: What their names count.
        lines: Lines that were compared.
        differing: Keys of lines that differ, each time.
        in_order: Whether pieces were put in the order in which they were written.
        gaps: Gaps that were seen where there is none.
    """

    file: str
    pieces: int
    names: str
    lines: int
    differing: tuple[str, ...]
    in_order: bool
    gaps: int


def cut(path: Path, count: int, seed: int = 0) -> list[bytes]:
    """Cut a capture between frames, in their order.

    Args:
        path: The capture.
        count: How many pieces there should be; no more than it has frames.
        seed: What chance is.
    """
    content, records = load(os.fspath(path)), open_capture(os.fspath(path)).records
    data, end = content.buffer.tobytes(), (records.at + records.captured).tolist()
    places = sorted(random.Random(seed).sample(range(1, len(records)), min(count, len(records)) - 1))
    if content.format == "pcap":
        edges = [24, *(end[place - 1] for place in places), len(data)]
        return [data[:24] + data[begin:until] for begin, until in pairwise(edges)]
    blocks = list(blocks_of(data))
    starts = [start for start, _ in blocks]
    edges = [starts[np.searchsorted(starts, end[place - 1], side="left")] for place in places]
    pieces = []
    for begin, until in zip([0, *edges], [*edges, len(data)], strict=True):
        pieces.append(b"".join(headers(data, blocks, begin)) + data[begin:until])
    return pieces


def blocks_of(data: bytes) -> Iterator[tuple[int, int]]:
    """List where the blocks of a pcapng file begin, and of what type they are."""
    at = 0
    order: Literal["little", "big"] = "little"
    while at + 12 <= len(data):
        kind = int.from_bytes(data[at : at + 4], order)
        if kind == SECTION:
            order = "little" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else "big"
        yield at, kind
        at += max(int.from_bytes(data[at + 4 : at + 8], order), 12)
    yield len(data), -1


def headers(data: bytes, blocks: list[tuple[int, int]], begin: int) -> Iterator[bytes]:
    """Give the blocks before a place that what follows refers to: its section, and the interfaces of that."""
    before = [(start, kind) for start, kind in blocks if start < begin]
    last = max((place for place, (_, kind) in enumerate(before) if kind == SECTION), default=0)
    ends = [start for start, _ in blocks][1:]
    for place in range(last, len(before)):
        start, kind = before[place]
        if kind in {SECTION, INTERFACE}:
            yield data[start : ends[place]]


def told(judged: Judged) -> list[dict[str, Any]]:
    """Give what is written of a capture without how it lies on disk."""
    written = [json.loads(line) for line in lines(judged, everything=True)]
    return [{key: value for key, value in line.items() if key not in OWN} for line in written]


def trials(path: Path) -> list[Trial]:
    """Cut one capture in every way, and compare; none of one that cannot be read, or is too short."""
    try:
        whole = told(judge(os.fspath(path)))
    except NetinterfError:
        return []
    if whole[0]["packets"] < LEAST:
        return []
    done = []
    for count in PIECES:
        pieces, known = cut(path, count), dict[tuple[int, ...], Compared]()
        for names in NAMES:
            with tempfile.TemporaryDirectory() as folder:
                paths = [os.path.join(folder, name) for name in named(names, pieces)]
                for at, piece in zip(paths, pieces, strict=True):
                    Path(at).write_bytes(piece)
                shuffled = random.Random(1).sample(paths, len(paths))
                order = tuple(paths.index(file.path) for file in open_capture(shuffled).files)
                if order not in known:
                    known[order] = compared(whole, shuffled)
            differing, gaps = known[order]
            in_order = order == tuple(range(len(pieces)))
            done.append(Trial(path.name, count, names, len(whole), differing, in_order, gaps))
    return done


def named(names: str, pieces: list[bytes]) -> list[str]:
    """Name pieces that come in the order in which they were written."""
    count = len(pieces)
    if names == "hashed":
        return [f"{hashlib.sha256(piece).hexdigest()}.pcap" for piece in pieces]
    begun = random.Random(count).randrange(1, count) if names == "ring" else 0
    numbers = [(number + begun) % count for number in range(count)]
    return [f"piece{20260101 + number if names == 'dated' else number}.pcap" for number in numbers]


def compared(whole: list[dict[str, Any]], paths: list[str]) -> Compared:
    """Join pieces, and hold what is told of them against the whole."""
    judged = judge(paths)
    joined = told(judged)
    gaps = sum(note.count for note in judged.summary.diagnostics if note.code == GAP)
    differing = [
        key
        for one, other in zip(whole, joined, strict=False)
        for key in one.keys() | other.keys()
        if one.get(key) != other.get(key)
    ]
    differing += ["lines"] * (len(whole) != len(joined))
    return tuple(sorted(differing)), gaps


def run(captures: Path, jobs: int, out: Path | None = None) -> int:
    """Cut every capture of a folder; print how many differ, and which; give how many do."""
    paths = sorted(path for path in captures.rglob("*") if path.is_file() and path.suffix not in {".csv", ".md"})
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        done = [trial for several in pool.map(trials, paths, chunksize=8) for trial in several]
    table = []
    for names, count in product(NAMES, PIECES):
        alike = [trial for trial in done if (trial.names, trial.pieces) == (names, count)]
        other = [trial for trial in alike if trial.differing]
        row = {
            "names": names,
            "pieces": count,
            "captures": len(alike),
            "lines": sum(trial.lines for trial in alike),
            "differing": len(other),
            "in_another_order": sum(not trial.in_order for trial in alike),
            "with_gaps": sum(trial.gaps > 0 for trial in alike),
        }
        table.append(row)
        print(", ".join(f"{name} {value}" for name, value in row.items()))
        for trial in other:
            keys = {key: trial.differing.count(key) for key in dict.fromkeys(trial.differing)}
            print(f"  {trial.file}{'' if trial.in_order else ' (files in another order)'}: {keys}")
    if out is not None:
        write_json(out, {"trials": table})
    return sum(trial.differing != () for trial in done)
