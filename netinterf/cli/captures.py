"""Captures that a verb reads: judged one after the other as they are asked for, problems told as they come."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netinterf.capture.finding import CaptureSearch
from netinterf.cli.exit_status import complain
from netinterf.cli.output import Output
from netinterf.cli.progress import Progress
from netinterf.cli.rotation import Rotation
from netinterf.engine.each import Paths, captures_in, judge_path, judged_each
from netinterf.engine.judged import Judged
from netinterf.engine.options import Options
from netinterf.errors import CaptureError

if TYPE_CHECKING:
    from netinterf.privacy import Redaction

__all__ = ["Captures"]


class Captures:
    """Captures judged one after the other: what cannot be read is complained about, progress is shown.

    Attributes:
        read: How many could be read.
        interfered: How many verdicts say that somebody interfered.
        total: How many there are, those that cannot be read included.
        errors: What could not be read so far, as it may be written into an answer.

    Args:
        files: Those to judge.
        options: How.
        output: Where the answer goes: it is handed on capture by capture.
        redaction: What to take out of it.
        join: All files are one capture.
        jobs: Processes that judge; with several, captures come as they are done.
    """

    def __init__(
        self,
        files: CaptureSearch,
        options: Options,
        output: Output,
        redaction: "Redaction | None",
        *,
        join: bool = False,
        jobs: int = 1,
    ) -> None:
        self.read = self.interfered = 0
        self.errors: list[CaptureError] = []
        self._redaction = redaction
        self._note(*files.errors)
        self._output = output
        self._rotation, self._told = Rotation(), False
        captures = captures_in(files, join=join)
        self.total = len(captures) + len(files.errors)
        self._progress = Progress(captures)
        self._judged = judge_each(captures, options, self._progress, jobs)

    def __iter__(self) -> Iterator[Judged]:
        """Walk those that can be read until nobody reads the output; each is handed over before the next is judged."""
        for outcome in self._judged:
            with self._progress.aside():
                if not isinstance(outcome, Judged):
                    complain(str(outcome))
                    self._note(outcome)
                    continue
                self._rotation.see(outcome.summary)
                self.interfered += outcome.summary.outcomes["interfered"]
                self.read += 1
                yield outcome if self._redaction is None else outcome.redacted(self._redaction)
                self._output.flush()
            if self._output.closed:
                break
        self._progress.close()
        if self._rotation.names and not self._told and not self._output.closed:
            self._told = True
            some = ", ".join(self._rotation.names)
            complain(f"{some}: these look like one recording in several files; --join judges all files as one")

    def finish(self) -> None:
        """Judge what is left, though nobody reads it: the exit status is still to be told."""
        deque(self, maxlen=0)

    def _note(self, *errors: CaptureError) -> None:
        self.errors += errors if self._redaction is None else map(self._redaction.error, errors)


def judge_each(
    captures: Sequence[Paths], options: Options, progress: Progress, jobs: int
) -> Iterator[Judged | CaptureError]:
    """Judge captures one after the other, or side by side, with progress from the first to the last."""
    try:
        if jobs > 1:
            yield from judge_side_by_side(captures, options, progress, jobs)
            return
        for capture in captures:
            with progress.reading(capture) as advance:
                outcome = judge_path(capture, options, progress=advance)
            yield outcome
    finally:
        progress.close()


def judge_side_by_side(
    captures: Sequence[Paths], options: Options, progress: Progress, jobs: int
) -> Iterator[Judged | CaptureError]:
    """Judge captures by several processes; each is given when it is done."""
    from netinterf.engine.processes import Processes  # (asked for by few)

    processes = Processes(jobs)
    try:
        for place, outcome in judged_each(captures, options, processes, None):
            progress.over(captures[place])
            yield outcome
    finally:
        processes.shutdown(wait=False, cancel_futures=True)
