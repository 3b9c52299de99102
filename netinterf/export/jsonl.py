"""JSON lines: one object per line, in the words of the verdict format."""

from collections.abc import Iterable, Iterator

from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, captures_of
from netinterf.writing import TextTarget, dump, write_lines
from netinterf.written.format import ANOMALY, capture_line, line, verdict_line

__all__ = ["jsonl", "lines"]


def lines(judged: Judged, *, everything: bool = False) -> Iterator[str]:
    """Write one capture: its own line, its verdicts, then what stands out unexplained; without line ends.

    Args:
        judged: What a scan kept of the capture.
        everything: Write one verdict for every flow and exchange, not only findings.
    """
    yield dump(capture_line(judged.summary))
    for verdict in judged.ledger if everything else judged.ledger.findings():
        yield dump(verdict_line(verdict))
    for anomaly in judged.ledger.unexplained():
        yield dump(line("anomaly", anomaly, ANOMALY))


def jsonl(result: Result | Iterable[Judged], target: TextTarget, *, everything: bool = False) -> None:
    """Write a whole result as JSON lines.

    Args:
        result: A scan's result, or the captures of one.
        target: A path (replaced when the file is whole) or a text file object.
        everything: Write one verdict for every flow and exchange, not only findings.

    Raises:
        ParameterError: The target is one of the captures.
        OSError: The target cannot be written.
    """
    captures = captures_of(result, target)
    write_lines(target, (line for judged in captures for line in lines(judged, everything=everything)))
