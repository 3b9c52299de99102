"""``python -m benchmarks metamorphic``: what moves when captures are changed, or put into one file."""

import random
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs

from benchmarks.machine import describe, write_json
from benchmarks.manual import put
from benchmarks.metamorphic.changing import ALL, PAIR, Changed, change_all, merge_pair
from benchmarks.metamorphic.comparing import Compared, added
from benchmarks.metamorphic.sources import Origin, shared, simulated, spread
from benchmarks.metamorphic.tables import sections, verdict
from benchmarks.scoreboard.tables import markdown, text

__all__ = ["gathered", "pairs_of", "run"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "project" / "benchmarks.md"
SEED = 1


def run(options: Namespace) -> dict[str, Any]:
    """Change captures and merge pairs of them, print what moved, and write it down."""
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    made = spread(simulated(seeds, options.scenarios), options.limit)
    real = [] if options.captures is None else spread(shared(options.captures, options.files), options.limit)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        origins = made + real
        done = list(pool.map(change_all, origins, [options.changes] * len(origins), chunksize=4))
        pairs = merge_pairs(pool, pairs_of(origins), options.pairs)
    found = gathered([*done, *pairs])
    tables = sections(found)
    print(text(tables), verdict(found), sep="\n\n")
    for one in done:
        if one.failure:
            print(f"given up: {one.origin.file}: {one.failure}")
    if options.docs:
        put(PAGE, "metamorphic", f"{markdown(tables[:2])}\n\n{verdict(found)}")
    if options.json is not None:
        flips = [attrs.asdict(flip) for flip in found["flips"]]
        changes = {name: {word: in_words(part) for word, part in parts.items()} for name, parts in
                   found["changes"].items()}  # fmt: skip
        write_json(
            options.json, {"benchmark": "metamorphic", "changes": changes, "flips": flips, "machine": describe()}
        )
    return found


def in_words(part: dict[str, Any]) -> dict[str, Any]:
    """Write transitions by name."""
    return {**part, "transitions": {" → ".join(step): count for step, count in sorted(part["transitions"].items())}}


def pairs_of(origins: Sequence[Origin]) -> Iterator[tuple[Origin, Origin]]:
    """Draw pairs of different captures, without end; the same list gives the same pairs."""
    luck = random.Random(SEED)
    while len(origins) > 1:
        first, second = luck.sample(origins, 2)
        yield first, second


def merge_pairs(pool: ProcessPoolExecutor, pairs: Iterator[tuple[Origin, Origin]], wanted: int) -> list[Changed]:
    """Merge pairs until so many were of captures without a common host; at most ten times as many are tried."""
    found: list[tuple[Changed, ...]] = []
    for _ in range(10):
        batch = list(islice(pairs, wanted if len(found) < wanted else 0))
        found += [both for both in pool.map(merge_pair, batch, chunksize=4) if both]
    return [one for both in found[:wanted] for one in both]


def gathered(done: Sequence[Changed]) -> dict[str, Any]:
    """Add up what changes did, by change, and by whether captures are simulated."""
    changes = {}
    for name in (*(change.name for change in ALL), PAIR):
        those = [one for one in done if name in one.done]
        if those:
            changes[name] = {
                word: part_of([one.done[name] for one in those if one.origin.simulated == made])
                for word, made in (("simulated", True), ("shared", False))
            }
    return {"changes": changes, "flips": [flip for one in done for part in one.done.values() for flip in part.flips]}


def part_of(own: Iterable[Compared]) -> dict[str, Any]:
    """Add up what one change did."""
    listed = list(own)
    total = added(listed)
    return {"captures": len(listed), "subjects": total.subjects, "transitions": total.transitions}
