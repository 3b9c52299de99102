"""Captures cut in time and judged as one: how many answers differ from those of the capture that is not cut.

Real captures are cut into 2, 4 and 10 pieces of equal bytes, as `netinterf campaign collect` cuts those that are too
large for one worker; each piece is looked at with up to two minutes of what lies beside it, and no more than its
neighbours. What is compared is each verdict: of the same conversation or lookup, by its first frame.
"""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import attrs

from benchmarks.machine import write_json
from benchmarks.mixes.catalogue import made
from netinterf.capture import Listing
from netinterf.capture.cutting import in_pieces
from netinterf.engine.cut import CROSSED, OPEN, PIECE_PACKETS, Counts, join_pieces, look_at_piece, with_beside
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.engine.options import WHOLE, Options
from netinterf.errors import NetinterfError
from netinterf.schema import Grade, Records

__all__ = ["PIECES", "judged_in_pieces", "run", "trial"]

PIECES = (2, 4, 10)
LEAST = 2000  # packets of a capture that is worth cutting
MIXES = (
    "browsing", "transfers", "HTTP", "QUIC", "policed", "shaped", "frozen", "slow handshakes", "forged resets",
    "silent drops", "silent connects", "block pages", "interception", "injected DNS", "dropped DNS", "dropped QUIC",
)  # fmt: skip
"""Simulated traffic of hours, twenty plays at a time by other addresses each (`benchmarks.mixes`)."""

ACCUSED = tuple(Grade).index(Grade.POSSIBLE)

Subject = tuple[int, int]
"""Kind, and first frame."""


@attrs.frozen
class Trial:
    """A capture cut into pieces and judged as one.

    Args:
        file: Which one.
        pieces: How many.
        crossed: Conversations that went on unseen.
        left_open: Conversations and lookups that were open where what was looked at ended.
        verdicts: Of the whole.
        differing: Verdicts with another outcome, grade or mechanism.
        absent: Verdicts that only the whole has.
        added: Verdicts that only the pieces have.
        findings: Verdicts of the whole that are possible or better.
        lost: Findings of the whole that are none of the pieces, or of another mechanism.
        gained: Findings of the pieces that are none of the whole.
    """

    file: str
    pieces: int
    crossed: int
    left_open: int
    verdicts: int
    differing: int
    absent: int
    added: int
    findings: int
    lost: int
    gained: int


def judged_in_pieces(path: str, count: int) -> Judged:
    """Cut a capture into so many pieces, or more where they are large, and judge it as `campaign collect` does."""
    listing, options = Listing(path), Options()
    size = -(-len(listing.capture([Records.empty()]).buffer) // count)
    pieces = list(in_pieces(listing.parts(), size, PIECE_PACKETS))
    none = Records.empty()
    seen = [
        look_at_piece(listing.capture([with_beside(before, piece, behind)]), piece, path, options, len(pieces))
        for before, piece, behind in zip([none, *pieces], pieces, [*pieces[1:], none], strict=False)
    ]
    return join_pieces(seen, listing.capture([]), Counts.of(pieces), path, options)[0]


def verdicts(judged: Judged) -> dict[Subject, tuple[str, int, str]]:
    """Give outcome, grade and mechanism of each verdict."""
    ledger = judged.ledger
    table = ledger.verdicts
    words = [*table.mechanisms, ""]
    keys = zip(table.subject_kind.tolist(), ledger.first_frame.tolist(), strict=True)
    return {
        key: (outcome, grade, words[mechanism])
        for key, outcome, grade, mechanism in zip(
            keys, table.outcome.tolist(), table.grade.tolist(), table.mechanism.tolist(), strict=True
        )
    }


def trial(path: str, count: int, whole: Judged) -> Trial:
    """Cut a capture, and compare."""
    judged = judged_in_pieces(path, count)
    one, other = verdicts(whole), verdicts(judged)
    counts = {note.code: note.count for note in judged.summary.diagnostics}
    both = one.keys() & other.keys()
    found = {key for key, (_, grade, _) in one.items() if grade <= ACCUSED}
    found_cut = {key for key, (_, grade, _) in other.items() if grade <= ACCUSED}
    return Trial(
        file=os.path.basename(path),
        pieces=count,
        crossed=counts.get(CROSSED, 0),
        left_open=counts.get(OPEN, 0),
        verdicts=len(one),
        differing=sum(one[key] != other[key] for key in both),
        absent=len(one.keys() - other.keys()),
        added=len(other.keys() - one.keys()),
        findings=len(found),
        lost=sum(key not in found_cut or one[key][2] != other[key][2] for key in found),
        gained=len(found_cut - found),
    )


def trials(path: Path) -> list[Trial]:
    """Cut one capture in every way; none of one that cannot be read, is too short, or is never looked at as one."""
    try:
        if not LEAST <= sum(map(len, Listing(os.fspath(path)).parts())) <= WHOLE:
            return []
        whole = judge(os.fspath(path))
    except NetinterfError:
        return []
    return [trial(os.fspath(path), count, whole) for count in PIECES]


def run(captures: Path, packets: int, jobs: int, out: Path | None = None) -> int:
    """Cut every capture of a folder, and simulated hours; print how many verdicts differ, and where; give how many do.

    Args:
        captures: The folder.
        packets: Of each simulated capture; 0 for none.
        jobs: Processes.
        out: Where to write it as JSON.
    """
    real = sorted(path for path in captures.rglob("*") if path.is_file() and path.suffix not in {".csv", ".md"})
    simulated = [made(mix, packets) for mix in MIXES] if packets else []
    tables = {}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for kind, paths in (("captures", real), ("simulated", simulated)):
            done = [one for several in pool.map(trials, paths) for one in several]
            tables[kind] = list(rows(done))
            for row in tables[kind]:
                print(kind + ": " + ", ".join(f"{name} {value:,}" for name, value in row.items()))
            for one in done:
                if one.differing + one.absent + one.added:
                    print(f"  {attrs.asdict(one)}")
    if out is not None:
        write_json(out, {"trials": tables})
    return sum(row["differing"] + row["absent"] + row["added"] for table in tables.values() for row in table)


def rows(done: list[Trial]) -> Iterator[dict[str, int]]:
    """Add up trials with so many pieces."""
    numbers = [field.name for field in attrs.fields(Trial) if field.name not in {"file", "pieces"}]
    for count in PIECES:
        alike = [one for one in done if one.pieces == count]
        total = Counter({name: sum(getattr(one, name) for one in alike) for name in numbers})
        yield {"pieces": count, "captures": len(alike), **total}
