"""One process that fuzzes: ``python -m benchmarks.fuzz.rounds TARGET FOLDER SECONDS SEED``.

libFuzzer chooses inputs and keeps those that reach something new, atheris tells it which branches of Python were taken,
and what was said of the parts is told to it as if it were branches, too: code that reads thousands of messages with the
same calls of numpy has hardly any others. Findings do not end the process: the smallest input of each kind is kept.
Only what ends it from below (a crash of what is compiled, a hang) is left to libFuzzer, which keeps the input.
"""

import json
import os
import resource
import sys
import time
import zlib
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType
from typing import Any

import attrs

from benchmarks.fuzz.guard import Finding, examine, quiet
from benchmarks.fuzz.targets import TARGETS, Target

__all__ = ["Round", "functions_of", "round_of"]

SAID = 1 << 14
"""Things said that are told apart, by their checksums."""

RUNS = 20_000
"""Inputs of one process: the tracer keeps some 16 to 90 kB of each."""

ROOM = 8 << 30
"""Bytes of addresses that the process may have, so that a bomb is a MemoryError here and no harm to others."""

OWN = 0.9
"""Share of changes that are ours; the rest are libFuzzer's, which knows nothing of parts."""

HANG = 60
"""Seconds after which libFuzzer ends an input that does not end, by the clock. Below that it calls none slow: what is
slow is told by processor time (`benchmarks.fuzz.guard`), since others may have the processor meanwhile."""


@attrs.define
class Round:
    """What one process did."""

    inputs: int = 0
    parts: int = 0
    seconds: float = 0.0
    busy: float = 0.0  # of processor time
    said: set[int] = attrs.field(factory=set)

    def write(self, path: Path) -> None:
        """Keep it for whoever began the process."""
        path.write_text(json.dumps(attrs.asdict(self) | {"said": len(self.said)}))


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """List the functions and methods that a module defines: the search follows where these were."""
    for one in vars(module).values():
        held = vars(one).values() if isinstance(one, type) and one.__module__ == module.__name__ else (one,)
        for each in map(plain, held):
            if isinstance(each, FunctionType) and each.__module__ == module.__name__:
                yield each


def plain(one: Any) -> Any:
    """Take the function out of a method of a class, a property or one that is kept."""
    if isinstance(one, classmethod | staticmethod):
        return one.__func__
    if isinstance(one, cached_property):
        return one.func
    return one.fget if isinstance(one, property) else one


def keep(folder: Path, data: bytes, found: Finding) -> None:
    """Keep the smallest input of each kind, and what it did."""
    name = sha256(found.kind.encode()).hexdigest()[:12]
    path, words = folder / f"{name}.input", folder / f"{name}.txt"
    if not path.exists() or path.stat().st_size > len(data):
        path.write_bytes(data)
        words.write_text(f"{found.what}\n{found.place}\n")


def round_of(name: str, held: Path, seconds: float, seed: int) -> None:
    """Fuzz in this process, and end it."""
    import atheris

    target, found, done = TARGETS[name], held / "found", Round()
    corpus = held / "corpus"
    for path in sorted(corpus.iterdir())[:3]:  # imports what is imported when it is first needed
        examine(target.check, path.read_bytes())
    follow(target, atheris)
    counters = [atheris._reserve_counter() for _ in range(SAID)]
    quiet()
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    began, busy = time.monotonic(), time.process_time()

    def check(data: bytes) -> None:
        done.inputs += 1
        done.parts += target.parts(data)
        said = examine(target.check, data)
        if isinstance(said, Finding):
            keep(found, data, said)
        else:
            for one in said:
                place = zlib.crc32(repr(one).encode()) % SAID
                done.said.add(place)
                atheris._trace_branch(counters[place])
        done.seconds, done.busy = time.monotonic() - began, time.process_time() - busy
        if done.inputs % 64 == 0 or done.seconds > seconds - 1:
            done.write(held / "round.json")
        if done.seconds > seconds + 1:  # libFuzzer tries all that it begins with, however long that takes
            os._exit(0)

    def change(data: bytes, most: int, number: int) -> bytes:
        rng = Random(number)
        if rng.random() > OWN:
            return bytes(atheris.Mutate(data, most))
        return target.change(data, rng)[:most]

    def cross(data: bytes, other: bytes, most: int, number: int) -> bytes:
        rng = Random(number)
        return (data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :])[:most]

    limits = [f"-max_total_time={max(1, int(seconds))}", f"-runs={RUNS}", f"-timeout={HANG}",
              f"-report_slow_units={HANG}", "-rss_limit_mb=0",
              f"-max_len={target.longest}", "-len_control=0", "-reduce_inputs=0", f"-seed={seed}",
              f"-artifact_prefix={found}/"]  # fmt: skip
    atheris.Setup([sys.argv[0], *limits, str(corpus)], check, custom_mutator=change, custom_crossover=cross)
    atheris.Fuzz()


def follow(target: Target, atheris: Any) -> None:
    """Have the branches of a target's modules traced."""
    for module in [one for name, one in sys.modules.items() if target.follows(name)]:
        for function in functions_of(module):
            atheris.instrument_func(function)


if __name__ == "__main__":
    round_of(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
