"""Scanning one labelled file after the other through the public interface, in a few processes."""

import io
import json
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

import attrs

from benchmarks.matching import Verdict

__all__ = ["Scanned", "scan_all", "scan_one"]


@attrs.frozen
class Scanned:
    """What scanning one file gave."""

    file: str
    verdicts: list[Verdict]
    packets: int = 0
    seconds: float = 0.0
    unreadable: str = ""  # reason, when the file cannot be used
    failed: str = ""  # traceback of an error that should not happen
    single_replies: frozenset[int] = frozenset()  # first frames of DNS exchanges with one reply


def scan_one(root: str, file: str, replies: bool = False) -> Scanned:
    """Scan one file.

    Args:
        root: Folder of the captures.
        file: Path below it.
        replies: Also count the replies of each DNS exchange.
    """
    import netinterf
    from netinterf.export.jsonl import jsonl

    path = str(Path(root) / file)
    begin = time.perf_counter()
    try:
        result = netinterf.scan([path])
        text = io.StringIO()
        jsonl(result, text, everything=True)
        lines = [json.loads(line) for line in text.getvalue().splitlines()]
        single = single_replies(path) if replies else frozenset()
    except netinterf.NetinterfError as error:
        return Scanned(file, [], unreadable=f"{type(error).__name__}: {error}")
    except Exception:
        return Scanned(file, [], failed=traceback.format_exc())
    seconds = time.perf_counter() - begin
    captures = [line for line in lines if line["type"] == "capture"]
    if not captures:
        return Scanned(file, [], seconds=seconds, unreadable="; ".join(map(str, result.errors)) or "nothing readable")
    verdicts = [line for line in lines if line["type"] == "verdict"]
    return Scanned(file, verdicts, captures[0]["packets"], seconds, single_replies=single)


def single_replies(path: str) -> frozenset[int]:
    """Find the first frames of DNS exchanges that hold exactly one reply."""
    import netinterf

    trace = netinterf.read(path)
    frames = trace.packets.frame[trace.dns.packet]
    table = trace.exchanges
    rows = [place for place, count in enumerate(table.replies.lengths) if count == 1]
    return frozenset(int(min(frames[[*table.queries[row], *table.replies[row]]])) for row in rows)


def scan_all(root: Path, files: list[str], *, jobs: int, replies: frozenset[str] = frozenset()) -> Iterator[Scanned]:
    """Scan files in *jobs* processes; results come in the order given."""
    with ExitStack() as stack:
        if jobs <= 1:
            yield from (scan_one(str(root), file, file in replies) for file in files)
            return
        pool = stack.enter_context(ProcessPoolExecutor(jobs, mp_context=get_context("spawn")))
        yield from pool.map(scan_one, [str(root)] * len(files), files, [file in replies for file in files], chunksize=4)
