"""One capture from bytes to verdicts: as one where it is small enough, else client by client."""

import os
from collections.abc import Callable
from concurrent.futures import Executor
from itertools import chain
from typing import BinaryIO

import attrs

from netinterf.capture import Listing
from netinterf.engine.judged import Judged, judge_trace
from netinterf.engine.options import WHOLE, Options
from netinterf.schema import Records
from netinterf.trace import Trace, decode_capture

__all__ = ["judge"]


def judge(
    source: str | os.PathLike[str] | BinaryIO,
    options: Options | None = None,
    *,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
    look: Callable[[Trace], object] | None = None,
) -> Judged:
    """Read one capture, ask all questions of it, and judge.

    Args:
        source: A path, ``"-"``, or a binary file object.
        options: How to judge; None asks all built-in questions, of the packets alone.
        name: What to call the capture; None takes the path as given.
        progress: Called with bytes done and bytes in all.
        executor: Looks at shards of a large capture side by side.
        look: Called with the trace before that is let go; not for a large capture, of which there never is one trace.

    Raises:
        NetinterfError: The capture cannot be read, or no analyzer answered.
    """
    options = options or Options()
    path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
    listing = Listing(source, strict=options.strict, progress=progress)
    called = name if name is not None else path if path is not None else listing.name
    parts, held, count = listing.parts(), list[Records](), 0
    for records in parts:
        held.append(records)
        count += len(records)
        if count > WHOLE:
            from netinterf.engine.large import judge_large  # (most captures are not)

            judged = judge_large(listing, chain(held, parts), options, called, executor=executor)
            break
    else:
        trace = decode_capture(listing.capture(held), vantage=options.vantage, strict=options.strict)
        trace = attrs.evolve(trace, outside=options.outside)
        if look is not None:
            look(trace)
        judged = judge_trace(trace, called, analyzers=options.analyzers, model=options.model, strict=options.strict)
    return attrs.evolve(judged, source=None if path == "-" else path)
