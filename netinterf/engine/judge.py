"""One capture from bytes to verdicts: as one where it is small enough, else client by client."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import chain
from typing import cast

import attrs

from netinterf.capture import Listing, Source
from netinterf.engine.judged import Judged, judge_trace
from netinterf.engine.options import WHOLE, Options
from netinterf.schema import Records
from netinterf.trace import Trace, decode_capture

__all__ = ["judge"]


def judge(
    source: Source | Sequence[Source],
    options: Options | None = None,
    *,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
    look: Callable[[Trace], object] | None = None,
) -> Judged:
    """Read one capture, ask all questions of it, and judge.

    Args:
        source: A path, ``"-"``, bytes, or a binary file object; or a list of these, the files of one recording.
        options: How to judge; None asks all built-in questions, of the packets alone.
        name: What to call the capture; None takes the path as given, of several files that of the first.
        progress: Called with bytes done and bytes in all.
        executor: Looks at shards of a large capture side by side.
        look: Called with the trace before that is let go; not for a large capture, of which there never is one trace.

    Raises:
        NetinterfError: The capture cannot be read, or no analyzer answered.
    """
    options = options or Options()
    paths = paths_in(source)
    listing = Listing(source, strict=options.strict, progress=progress)
    alone = os.fspath(source) if isinstance(source, str | os.PathLike) else listing.name
    called = alone if name is None else name
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
        judged = judge_trace(trace, called, options)
    return attrs.evolve(judged, source=paths)


def paths_in(source: Source | Sequence[Source]) -> tuple[str, ...] | None:
    """List the files that packets can be read from again; None where any is no file."""
    sources = source if isinstance(source, list | tuple) else [cast("Source", source)]
    paths = tuple(os.fspath(one) for one in sources if isinstance(one, str | os.PathLike))
    return None if len(paths) < len(sources) or "-" in paths else paths
