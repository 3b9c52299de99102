"""Which lines of a target's modules its corpus reaches: ``python -m benchmarks.fuzz.reached TARGET FOLDER SECONDS``.

Only lines inside functions are counted: those outside run when the module is imported, whatever the input. It runs in a
process of its own, since what traces lines makes everything slow.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from benchmarks.fuzz.guard import examine
from benchmarks.fuzz.rounds import functions_of
from benchmarks.fuzz.targets import TARGETS

__all__ = ["lines_of", "reached", "traced"]

Lines = set[tuple[str, int]]


def lines_of(name: str) -> Lines:
    """List the lines inside the functions of a target's modules that are imported: file and number."""
    modules = [module for title, module in sys.modules.items() if TARGETS[name].follows(title)]
    found: Lines = set()
    for module in modules:
        for function in functions_of(module):
            if function.__code__.co_filename == module.__file__:  # not what attrs wrote
                found.update(lines_in(function.__code__))
    return found


def lines_in(code: CodeType) -> Iterator[tuple[str, int]]:
    """List the lines of a function and of those inside it, without the line that names it."""
    yield from ((code.co_filename, line) for _, _, line in code.co_lines() if line and line != code.co_firstlineno)
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from lines_in(one)


def traced(call: Callable[[], object], files: set[str], lines: Lines) -> None:
    """Call something, and note the lines of some files that it goes through."""

    def on_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return on_line

    def on_call(frame: FrameType, event: str, argument: Any) -> Any:
        del event, argument
        return on_line if frame.f_code.co_filename in files else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        call()
    finally:
        sys.settrace(before)


def reached(name: str, corpus: Path, seconds: float) -> dict[str, int]:
    """Try the inputs of a corpus for some seconds of processor time; count lines that were reached, and all."""
    check, seen, tried = TARGETS[name].check, set[tuple[str, int]](), 0
    paths, began = sorted(corpus.iterdir(), key=lambda path: path.stat().st_size), time.process_time()
    paths = paths[::2] + paths[1::2]  # small and large ones, where there is no time for all
    for path in paths[:3]:
        examine(check, path.read_bytes())  # imports what is imported when it is first needed
    every = lines_of(name)
    files = {file for file, _ in every}
    for path in paths:
        data = path.read_bytes()
        traced(lambda data=data: examine(check, data), files, seen)  # type: ignore[misc]
        tried += 1
        if time.process_time() - began > seconds:
            break
    every |= lines_of(name)
    return {"reached": len(seen & every), "lines": len(every), "corpus": len(paths), "tried": tried}


if __name__ == "__main__":
    print(json.dumps(reached(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))))
