"""The same judgement for programs that own the loop: bytes in, verdicts out.

For now a session keeps what it is fed in a temporary file without a name and judges on `Session.close`, so that its
verdicts are those of a scan of the same bytes.
"""

import tempfile
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from netinterf.analyzers.base import Analyzer
from netinterf.context.outside import Answers, Networks, Outside
from netinterf.engine.control import known_answers
from netinterf.engine.judged import Judged, Summary, judge
from netinterf.engine.scan import Options
from netinterf.errors import UsageError
from netinterf.verdict.model import Model
from netinterf.verdict.record import Verdict

__all__ = ["Session"]


class Session:
    """Judge one capture that arrives piece by piece.

    Args:
        analyzers: Which questions to ask, by name or as values; None asks all built-in ones.
        vantage: Where the capture is taken, ``"auto"`` to infer it.
        model: Priors, caps and grades; None takes the model that ships with the library.
        networks: A CSV file ``prefix,asn,country``, or its content.
        answers: What names are known to answer: a CSV file ``name,address``, its content, or a capture.
        name: What to call the capture in verdicts.

    Raises:
        ParameterError: An argument is out of range.
    """

    def __init__(
        self,
        analyzers: Sequence[Analyzer | str] | None = None,
        *,
        vantage: str = "auto",
        model: Model | None = None,
        networks: Networks | None = None,
        answers: Answers | None = None,
        name: str = "-",
    ) -> None:
        outside = Outside.of(networks, known_answers(answers))
        self._options = Options(analyzers=analyzers, vantage=vantage, model=model, outside=outside)
        self._name = name
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        self._judged: Judged | None = None
        self._closed = False

    def feed(self, data: bytes | bytearray | memoryview) -> list[Verdict]:
        """Take in the next bytes of the capture, cut anywhere; return verdicts that became final, none before `close`.

        Raises:
            UsageError: The session is closed.
        """
        if self._closed:
            raise UsageError("this session is closed: open another one for another capture")
        self._spool.write(data)
        return []

    def close(self) -> list[Verdict]:
        """End the capture and return all verdicts that were not returned before; a second call returns none.

        Raises:
            CaptureError: What was fed is no capture.
        """
        if self._closed:
            return []
        self._closed = True
        with self._spool:
            self._spool.seek(0)
            options = self._options
            self._judged = judge(
                self._spool,
                analyzers=options.analyzers,
                vantage=options.vantage,
                model=options.model,
                outside=options.outside,
                name=self._name,
            )
        return list(self._judged.ledger)

    @property
    def judged(self) -> Judged:
        """Summary, verdicts and evidence of the capture.

        Raises:
            UsageError: The session is not closed yet, or what it was fed could not be judged.
        """
        if self._judged is None:
            raise UsageError("nothing is judged yet: close the session first")
        return self._judged

    @property
    def summary(self) -> Summary:
        """The capture as a whole, once closed."""
        return self.judged.summary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._spool.close()
