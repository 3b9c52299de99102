"""Files in, verdicts out: each file is one capture, or all are, and one that cannot be read does not stop the others.

Only a summary and a ledger of each capture are kept, so a folder of any size needs the memory of its largest capture
and of its verdicts; of `scan_each`, those of a few captures. With an executor, captures are judged side by side, a
bounded number at a time.
"""

import os
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from itertools import islice
from typing import Any, BinaryIO, Self

import attrs
from numpy.typing import ArrayLike

from netinterf.analyzers.base import Analyzer
from netinterf.arrow import arrow_to_pandas
from netinterf.context.outside import Answers, Networks, Outside
from netinterf.engine.each import Progress, judged_each
from netinterf.engine.extract import extract, read_again
from netinterf.engine.judged import Judged, Summary
from netinterf.engine.options import options_of
from netinterf.engine.sources import Sources, sources_of
from netinterf.errors import CaptureError, ParameterError
from netinterf.notebook import MOST_ROWS, html_lines
from netinterf.privacy.redaction import Redaction
from netinterf.privacy.traces import paths_of
from netinterf.schema import Evidence, Outcome
from netinterf.values import frozen
from netinterf.verdict.model import Model
from netinterf.writing import TextTarget, count_of, printable, refuse_overwriting
from netinterf.written.flat import write_csv, write_sqlite
from netinterf.written.frames import verdicts_to_arrow
from netinterf.written.record import Verdict
from netinterf.written.several import SeveralVerdicts
from netinterf.written.unexplained import Unexplained

__all__ = ["Paths", "Result", "captures_of", "scan", "scan_each"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def unread_of(result: "Result") -> tuple[str, ...]:
    """List what could not be read."""
    return tuple(error.source for error in result.errors)


@frozen(eq=False, kw_only=True)
class Result:
    """What a scan found.

    Attributes:
        judged: One entry per capture that could be read.
        errors: One per path that could not; each names the path and the reason.
        skipped: How many files in folders and behind patterns are no captures.
        unread: The paths of those that could not be read, redacted or not: nothing is written there.
    """

    judged: tuple[Judged, ...] = attrs.field(repr=False)
    errors: tuple[CaptureError, ...] = ()
    skipped: int = 0
    unread: tuple[str, ...] = attrs.field(default=attrs.Factory(unread_of, takes_self=True), repr=False)

    @property
    def captures(self) -> tuple[Summary, ...]:
        """One summary per capture."""
        return tuple(judged.summary for judged in self.judged)

    def __repr__(self) -> str:
        total = sum((Counter(summary.outcomes) for summary in self.captures), Counter[str]())
        counts = ", ".join(f"{total[outcome.value]:,} {outcome.value}" for outcome in Outcome)
        unread = f", {len(self.errors):,} could not be read" if self.errors else ""
        return f"<Result of {count_of(len(self.judged), 'capture')}: {counts}{unread}>"

    def __str__(self) -> str:
        found = [printable(verdict.explanation) for verdict in islice(self._found(), MOST_ROWS)]
        more = sum(1 for _ in self._found()) - len(found) if len(found) == MOST_ROWS else 0
        rest = [f"and {more:,} more"] * bool(more)
        return "\n".join([repr(self)[1:-1], *found, *rest, *map(printable, map(str, self.errors))])

    def _repr_html_(self) -> str:
        return html_lines(str(self).splitlines())

    def _found(self) -> Iterator[Verdict]:
        return (verdict for judged in self.judged for verdict in judged.ledger.findings())

    @property
    def verdicts(self) -> SeveralVerdicts:
        """One verdict per flow and DNS exchange of every capture, and one per group that was found."""
        return SeveralVerdicts.of([judged.ledger for judged in self.judged])

    @property
    def findings(self) -> tuple[Verdict, ...]:
        """Only the verdicts that are interfered or possibly so."""
        return tuple(self._found())

    @property
    def unexplained(self) -> tuple[Unexplained, ...]:
        """What stands out from its peers and has no mechanism: no finding, but where to look for one."""
        return tuple(anomaly for judged in self.judged for anomaly in judged.ledger.unexplained())

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """One table of evidence per capture, in the order of ``captures``."""
        return tuple(judged.evidence for judged in self.judged)

    def under(self, model: Model) -> Self:
        """Judge everything again under another model, without the captures: with other priors, for instance."""
        return attrs.evolve(self, judged=tuple(judged.under(model) for judged in self.judged))

    def redacted(self, key: bytes | None = None, *, keep: Sequence[str] | str = ()) -> Self:
        """Take out addresses, names and paths: nothing that is written of the result holds them any more.

        Args:
            key: 16 bytes or more that nobody can guess: the same key maps alike in results and captures. None draws one
                at random and forgets it.
            keep: ``"names"`` to keep names.

        Raises:
            ParameterError: The key is too short, or something else is to be kept.
            UsageError: They were taken out before.
        """
        redaction = Redaction.of(key, keep)
        return attrs.evolve(
            self,
            judged=tuple(judged.redacted(redaction) for judged in self.judged),
            errors=tuple(map(redaction.error, self.errors)),
        )

    def extract(self, verdict: Verdict, path: str | os.PathLike[str] | BinaryIO) -> int:
        """Write all packets of a verdict's flow or exchange to a pcap file; return how many.

        A path that ends in ``.pcapng`` gets pcapng, with what the verdict says of frames as packet comments.

        Raises:
            ParameterError: The verdict is not about a file of this result, it has changed, or *path* is a file of it.
            CaptureError: The capture cannot be read any more.
            OSError: The target cannot be written.
        """
        self.spare(path)
        return extract(verdict, path, self._judged(verdict))

    def figure(self, verdict: Verdict) -> str:
        """Draw what a verdict rests on, as SVG that stands alone.

        Limits of the rate are drawn as a time–sequence plot above a rate series, freezes as a histogram of where
        connections stopped, isolation as a timeline of attempts, and everything else as a ladder of packets.

        Raises:
            ParameterError: The verdict names no mechanism, is not about a file of this result, or the file has changed.
            CaptureError: The capture cannot be read any more.
        """
        from netinterf.report.figures import draw  # (needed by few)

        judged = self._judged(verdict)
        trace, _ = read_again(verdict, judged)
        return draw(attrs.evolve(trace, outside=Outside(judged.ledger.networks)), verdict, judged.evidence)

    def to_arrow(self) -> Any:
        """Give all verdicts as a ``pyarrow.Table``, with the keys of a verdict as columns (needs netinterf[arrow])."""
        return verdicts_to_arrow(self.verdicts)

    def to_csv(self, target: TextTarget) -> None:
        """Write all verdicts as a table for spreadsheets, one a row (`netinterf.written.flat.COLUMNS`).

        Raises:
            ParameterError: The target is one of the captures.
            OSError: It cannot be written.
        """
        self.spare(target)
        write_csv(self.verdicts, target)

    def to_sqlite(self, target: str | os.PathLike[str] | BinaryIO) -> None:
        """Write all verdicts as the table ``verdicts`` of a new SQLite database, with the same columns.

        Raises:
            ParameterError: The target is one of the captures.
            OSError: It cannot be written.
        """
        self.spare(target)
        write_sqlite(self.verdicts, target)

    def to_pandas(self) -> Any:
        """Give a ``pandas.DataFrame`` of the same columns (needs pandas besides netinterf[arrow])."""
        return arrow_to_pandas(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Hand all verdicts to whatever speaks the Arrow PyCapsule interface: polars, duckdb, pyarrow, pandas."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def spare(self, target: object) -> None:
        """Refuse to write onto anything that was read.

        Raises:
            ParameterError: The target is one of the captures, or of those that could not be read.
        """
        refuse_overwriting(target, (path for judged in self.judged for path in paths_of(judged.source)))
        refuse_overwriting(target, self.unread)

    def _judged(self, verdict: Verdict) -> Judged:
        """Find the capture that a verdict is about."""
        matches = [judged for judged in self.judged if judged.ledger.capture == verdict.capture]
        if not matches:
            raise ParameterError("verdict", verdict.capture, "a verdict of this result")
        return matches[-1]


def captures_of(result: Result | Iterable[Judged], target: object = None) -> Iterator[Judged]:
    """List the captures of a result; captures may as well be given by themselves, as they are judged.

    Args:
        result: A scan's result, or the captures of one.
        target: What is written of them; while it is written aside, nothing is lost if it turns out to be one of them.

    Raises:
        ParameterError: A capture is the target.
    """
    if isinstance(result, Result):
        result.spare(target)
    for judged in result.judged if isinstance(result, Result) else result:
        refuse_overwriting(target, paths_of(judged.source))
        yield judged


def scan(
    paths: Sources | None = None,
    *,
    times: ArrayLike | None = None,
    frames: Sequence[bytes] | None = None,
    link_type: int | str | None = None,
    analyzers: Sequence[Analyzer | str] | None = None,
    vantage: str = "auto",
    networks: Networks | None = None,
    answers: Answers | None = None,
    model: Model | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    strict: bool = False,
    join: bool = False,
) -> Result:
    """Judge captures: who was interfered with, how, how sure that is, and which packets show it.

    Args:
        paths: Captures, folders, patterns or ``"-"``; bytes, binary file objects, or packets of scapy; one or many.
            Each file is one capture, unless they are joined.
        times: Instead: capture time of each frame, ns since 1970 UTC.
        frames: The bytes of each frame.
        link_type: Link type of the frames, by number or name.
        analyzers: Which questions to ask, by name or as values; None asks all built-in ones, as ``"builtin"`` does
            among others: plugins are asked only by name.
        vantage: Where the captures were taken: ``"client"``, ``"server"``, ``"middle"``, or ``"auto"`` to infer it.
        networks: Whose addresses are, for groups by AS and country, and to tell whether answers lie in one network: a
            file of networks (a table or a database) or several, of which the first that knows counts, or their content.
        answers: What names are known to answer, measured where nobody interferes: a CSV file ``name,address``, its
            content, or a capture.
        model: Priors, caps and grades; None takes the model that ships with the library.
        executor: Judges captures side by side; any of `concurrent.futures`, or one whose ``submit`` gives
            futures with the same ``add_done_callback``, ``result`` and ``cancel``.
        progress: Called with a capture, the number of captures done, and the number in all: first with the first of
            them and 0, then with each that is done.
        strict: Treat damage as an error of that capture.
        join: All files are one recording: rotated, cut, or of several taps. They are put in the order of their packets.

    Returns:
        Verdicts, evidence, one summary per capture, and the errors of paths that could not be read.

    Raises:
        ParameterError: An argument is out of range. Problems of single captures are kept in ``errors`` instead.
        AnalyzerError: A plugin could not be loaded.
    """
    options = options_of(analyzers, vantage, networks, answers, model, strict=strict)
    given = sources_of(paths, times, frames, link_type, join=join)
    outcomes = dict(judged_each(given.captures, options, executor, progress))
    ordered = [outcomes[place] for place in sorted(outcomes)]
    return Result(
        judged=tuple(outcome for outcome in ordered if isinstance(outcome, Judged)),
        errors=(*given.errors, *(outcome for outcome in ordered if not isinstance(outcome, Judged))),
        skipped=given.skipped,
    )


def scan_each(
    paths: Sources | None = None,
    *,
    times: ArrayLike | None = None,
    frames: Sequence[bytes] | None = None,
    link_type: int | str | None = None,
    analyzers: Sequence[Analyzer | str] | None = None,
    vantage: str = "auto",
    networks: Networks | None = None,
    answers: Answers | None = None,
    model: Model | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    strict: bool = False,
    join: bool = False,
) -> Generator[Judged | CaptureError, None, None]:
    """Judge captures as `scan` does, and give each as soon as it is judged; none is kept but the last few.

    Without an executor they come in the order of the paths, with one in the order in which they are done, so that no
    file waits for a slow one. The arguments are those of `scan`. Files in folders that are no captures are passed over.

    Yields:
        What a capture holds, or why it cannot be read.

    Raises:
        ParameterError: An argument is out of range.
        AnalyzerError: A plugin could not be loaded.
    """
    options = options_of(analyzers, vantage, networks, answers, model, strict=strict)
    given = sources_of(paths, times, frames, link_type, join=join)
    return one_by_one(given.errors, judged_each(given.captures, options, executor, progress))


def one_by_one(
    errors: Iterable[CaptureError], outcomes: Generator[tuple[int, Judged | CaptureError], None, None]
) -> Generator[Judged | CaptureError, None, None]:
    """Give what could not be found, then what is judged."""
    with closing(outcomes):
        yield from errors
        for _, outcome in outcomes:
            yield outcome
