"""The forms that an answer can be written in, each a writer of captures as they are judged.

Only the form that is asked for is imported: all of them together take as long as a small capture.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from netinterf.errors import ParameterError

if TYPE_CHECKING:
    from netinterf.cli.captures import Captures
    from netinterf.cli.output import Output

__all__ = ["FORMATS"]

Writer = Callable[["Captures", "Output", bool], None]
"""Takes captures, where to write, and whether every flow and exchange is asked for or findings only."""


def text(captures: "Captures", output: "Output", everything: bool) -> None:
    """Write for people, each capture as it is judged; what all of them show comes last, and what could not be read."""
    from netinterf.report.several import Several

    told = Several(alone=captures.total == 1, everything=everything)
    for judged in captures:
        output.write(told.capture(judged))
    if captures.read:
        output.write(told.end(captures.errors))


def jsonl(captures: "Captures", output: "Output", everything: bool) -> None:
    """Write the lines of the verdict format; the last one is written although nobody could be judged."""
    from netinterf.export import jsonl as write

    output.attempt(lambda stream: write(captures, stream, everything=everything, errors=captures.errors))


def parquet(captures: "Captures", output: "Output", everything: bool) -> None:
    """Write one Parquet file of verdicts.

    Raises:
        MissingExtra: pyarrow is not installed.
        ParameterError: The output is a terminal.
    """
    from netinterf.export import parquet as write

    if output.terminal:
        raise ParameterError("format", "parquet", "a file or a pipe to write bytes to (--out FILE)")
    output.attempt(lambda _: write(captures, output.binary, everything=everything, errors=captures.errors))


def html(captures: "Captures", output: "Output", everything: bool) -> None:
    """Write one page; nothing can be written before the last capture is judged, since the summary stands on top."""
    from netinterf.report import html as write

    output.attempt(lambda stream: write(captures, stream, everything=everything, errors=captures.errors))


def ooni(captures: "Captures", output: "Output", everything: bool) -> None:
    """Write measurements in the manner of OONI.

    Raises:
        UsageError: A capture came from a pipe or changed since it was judged.
        CaptureError: A capture cannot be read any more.
    """
    from netinterf.export import ooni as write

    output.attempt(lambda stream: write(captures, stream, everything=everything, errors=captures.errors))


def monitor(form: str) -> Writer:
    """Give what writes findings as another monitor writes its own; whatever is none has no place there."""

    def write_findings(captures: "Captures", output: "Output", everything: bool) -> None:
        from netinterf.export.monitors import MONITORS

        if everything:
            raise ParameterError("all", form, "a form in which what is no finding is no alert: text, jsonl, parquet")
        output.attempt(lambda stream: MONITORS[form](captures, stream, errors=captures.errors))

    return write_findings


FORMATS: Mapping[str, Writer] = {
    "text": text, "jsonl": jsonl, "parquet": parquet, "html": html, "ooni": ooni,
    "eve": monitor("eve"), "zeek": monitor("zeek"), "ecs": monitor("ecs"),
}  # fmt: skip
