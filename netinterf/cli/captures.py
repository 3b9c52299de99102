"""Captures that a verb reads: judged one after the other as they are asked for, problems told as they come."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netinterf.capture.finding import CaptureSearch
from netinterf.cli.exit_status import complain
from netinterf.cli.output import Output
from netinterf.cli.progress import Progress
from netinterf.cli.rotation import Rotation
from netinterf.engine.each import Paths, called, captures_in, judge_path
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
        errors: What could not be read so far, as it may be written into an answer.
    """

    def __init__(
        self,
        files: CaptureSearch,
        options: Options,
        output: Output,
        redaction: "Redaction | None",
        *,
        join: bool = False,
    ) -> None:
        self.read = self.interfered = 0
        self.errors: list[CaptureError] = []
        self._redaction = redaction
        self._note(*files.errors)
        self._output = output
        self._rotation, self._told = Rotation(), False
        self._judged = judge_each(captures_in(files, join=join), options)

    def __iter__(self) -> Iterator[Judged]:
        """Walk those that can be read until nobody reads the output; each is handed over before the next is judged."""
        for outcome in self._judged:
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
                return
        if self._rotation.names and not self._told:
            self._told = True
            some = ", ".join(self._rotation.names)
            complain(f"{some}: these look like one recording in several files; --join judges all files as one")

    def finish(self) -> None:
        """Judge what is left, though nobody reads it: the exit status is still to be told."""
        deque(self, maxlen=0)

    def _note(self, *errors: CaptureError) -> None:
        self.errors += errors if self._redaction is None else map(self._redaction.error, errors)


def judge_each(captures: Sequence[Paths], options: Options) -> Iterator[Judged | CaptureError]:
    """Judge captures one after the other, with progress from the first to the last."""
    progress = Progress()
    for place, capture in enumerate(captures, 1):
        with progress.reading(called(capture), place, len(captures)) as advance:
            outcome = judge_path(capture, options, progress=advance)
        yield outcome
