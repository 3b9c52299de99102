"""What an input must not do: raise, warn, take long, or take much memory."""

import resource
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from benchmarks.fuzz.twice import Told
from netinterf.values import frozen

__all__ = ["Finding", "examine", "quiet"]

SECONDS = 3.0
"""Processor time that an input of a few kilobytes may take; the slowest, a whole judgement, takes a tenth of that."""

MEMORY = 300 << 20
"""Bytes by which it may make the process grow."""


@frozen
class Finding:
    """What an input did."""

    what: str  # one line
    place: str  # where: what else fails there is the same

    @property
    def kind(self) -> str:
        """The kind of error and its place, by which findings are told apart."""
        return f"{self.what.partition(':')[0]} in {self.place}"


def quiet() -> None:
    """Make warnings errors from now on: of numbers, and of what will not work any more."""
    warnings.simplefilter("error")


def examine(check: Callable[[bytes], Told], data: bytes) -> Told | Finding:
    """Check one input; give what was said of it, or what it did that it must not."""
    began, large = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        told = check(data)
    except Exception as error:  # whatever it is
        return Finding(f"{type(error).__name__}: {error}"[:500], place_of(error))
    seconds, grown = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - large
    if seconds > SECONDS:
        return Finding(f"slow: {seconds:.1f} s", check.__name__)
    if grown << 10 > MEMORY:
        return Finding(f"large: {grown >> 10} MB", check.__name__)
    return told


def place_of(error: BaseException) -> str:
    """Name the innermost function of the library or of the check that an error came from, and of its cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if "netinterf" in Path(one.filename).parts or "fuzz" in Path(one.filename).parts]
    last = (ours or frames)[-1]
    return f"{Path(last.filename).stem}.{last.name}:{last.lineno}"
