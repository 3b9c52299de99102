"""JSON lines: one object per line, in the words of the verdict format."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, captures_of
from netinterf.errors import CaptureError
from netinterf.writing import TextTarget, dump, write_lines
from netinterf.written.format import ANOMALY, capture_line, end_line, error_line, line, verdict_line

__all__ = ["jsonl", "lines"]


def lines(judged: Judged, *, everything: bool = False) -> Iterator[str]:
    """Write one capture: its own line, its verdicts, then what stands out unexplained; without line ends.

    Args:
        judged: What a scan kept of the capture.
        everything: Write one verdict for every flow and exchange, not only findings.
    """
    return map(dump, objects(judged, everything))


def objects(judged: Judged, everything: bool) -> Iterator[dict[str, Any]]:
    """Build the objects of the lines of one capture."""
    yield capture_line(judged.summary)
    yield from map(verdict_line, judged.ledger if everything else judged.ledger.findings())
    yield from (line("anomaly", anomaly, ANOMALY) for anomaly in judged.ledger.unexplained())


def jsonl(
    result: Result | Iterable[Judged],
    target: TextTarget,
    *,
    everything: bool = False,
    errors: Sequence[CaptureError] = (),
) -> None:
    """Write a whole result as JSON lines: captures, then those that could not be read, and last how many there were.

    Args:
        result: A scan's result, or the captures of one.
        target: A path (replaced when the file is whole) or a text file object.
        everything: Write one verdict for every flow and exchange, not only findings.
        errors: What could not be read, where *result* does not know; it may grow while captures come.

    Raises:
        ParameterError: The target is one of the captures.
        OSError: The target cannot be written.
    """
    errors = result.errors if isinstance(result, Result) else errors
    write_lines(target, ended(captures_of(result, target), everything, errors))


def ended(captures: Iterable[Judged], everything: bool, errors: Sequence[CaptureError]) -> Iterator[str]:
    """Write captures, errors, and the last line."""
    count = verdicts = 0
    for judged in captures:
        count += 1
        for one in objects(judged, everything):
            verdicts += one["type"] == "verdict"
            yield dump(one)
    yield from map(dump, map(error_line, errors))
    yield dump(end_line(count, verdicts, len(errors)))
