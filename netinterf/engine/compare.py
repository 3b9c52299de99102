"""Two places or two times: scan both sides, and hold them against each other."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import cached_property
from typing import Any

import attrs

from netinterf.analyzers.base import Analyzer
from netinterf.comparison.judge import Contrasts, Judgement, judge_units
from netinterf.comparison.record import Change, ComparedUnit
from netinterf.comparison.units import Finding
from netinterf.comparison.written import Units, changes_of
from netinterf.context.outside import Answers, Networks
from netinterf.engine.scan import Paths, Result, scan
from netinterf.errors import CaptureError, ParameterError
from netinterf.notebook import html_lines
from netinterf.values import frozen
from netinterf.verdict.model import Model, default_model
from netinterf.writing import count_of, printable

__all__ = ["Comparison", "compare"]


@frozen(eq=False)
class Comparison:
    """What two sides show together.

    Attributes:
        here: The scan of the captures that are asked about.
        there: The scan of those that they are held against.
        judgement: Attempts of both sides, and what they add up to.
    """

    here: Result
    there: Result
    judgement: Judgement = attrs.field(repr=False)

    def __repr__(self) -> str:
        places = self.contrasts.finding.tolist()
        counts = ", ".join(f"{places.count(place):,} {finding.value}" for place, finding in enumerate(Finding))
        sides = " against ".join(count_of(len(side.judged), "capture") for side in (self.here, self.there))
        return f"<Comparison of {sides}: {counts}>"

    def __str__(self) -> str:
        told = (printable(unit.explanation) for unit in (*self.interfered, *self.units.of(Finding.SUSPECTED)))
        return "\n".join([repr(self)[1:-1], *told])

    def _repr_html_(self) -> str:
        return html_lines(str(self).splitlines())

    @cached_property
    def units(self) -> Units:
        """One entry per name and transport, and per server where no name was seen; the surest blocks first."""
        ledgers = (judged.ledger for judged in (*self.here.judged, *self.there.judged))
        return Units(self.judgement, tuple(ledgers))

    @property
    def blocked(self) -> tuple[ComparedUnit, ...]:
        """What somebody interferes with here, and not there as far as was tried."""
        return tuple(self.units.of(Finding.BLOCKED))

    @property
    def interfered(self) -> tuple[ComparedUnit, ...]:
        """What somebody interferes with here, be it on both sides."""
        return tuple(self.units.of(Finding.BLOCKED, Finding.BOTH))

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """When names and servers began or ceased to fail, the earliest first."""
        return changes_of(self.judgement.attempts)

    @property
    def contrasts(self) -> Contrasts:
        """All units as one table of numbers."""
        return self.judgement.contrasts

    @property
    def errors(self) -> tuple[CaptureError, ...]:
        """One per path of either side that could not be read."""
        return self.here.errors + self.there.errors


def compare(
    paths: Paths | Result,
    against: Paths | Result,
    *,
    analyzers: Sequence[Analyzer | str] | None = None,
    vantage: str = "auto",
    networks: Networks | None = None,
    answers: Answers | None = None,
    model: Model | None = None,
    executor: Executor | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    strict: bool = False,
) -> Comparison:
    """Hold captures against captures of another place or time: what fails here and works there, and why.

    Args:
        paths: Captures, folders or patterns of the place or time that is asked about, or a result of `scan`.
        against: Those of a place where nobody interferes, or of a time when nobody did; or a result.
        analyzers: Which questions to ask of both; as the following, without meaning for results.
        vantage: Where the captures were taken.
        networks: Whose addresses are: a file of networks, several, or their content.
        answers: What names are known to answer.
        model: Priors, caps and grades; None takes the model that ships with the library.
        executor: Judges captures side by side.
        progress: Called with the capture, the number of captures done, and the number in all, side by side.
        strict: Treat damage as an error of that capture.

    Returns:
        One finding per name and transport, the changes in time, and the scans of both sides.

    Raises:
        ParameterError: An argument is out of range, or one side has no capture that can be read.
    """
    used = model or default_model()
    options: dict[str, Any] = {
        "analyzers": analyzers, "vantage": vantage, "networks": networks, "answers": answers, "model": used,
        "executor": executor, "progress": progress, "strict": strict,
    }  # fmt: skip
    here, there = (side if isinstance(side, Result) else scan(side, **options) for side in (paths, against))
    return compared(here, there, used)


def compared(here: Result, there: Result, model: Model | None = None) -> Comparison:
    """Hold two scans against each other.

    Args:
        here: What is asked about.
        there: What it is held against.
        model: What both were judged with; None takes the model that ships with the library.

    Raises:
        ParameterError: A side has no capture that could be read.
    """
    for word, side in (("paths", here), ("against", there)):
        if not side.judged:
            reason = f" ({side.errors[0]})" if side.errors else ""
            raise ParameterError(word, "nothing", f"at least one capture that can be read{reason}")
    ours, theirs = ([judged.ledger for judged in side.judged] for side in (here, there))
    return Comparison(here, there, judge_units(ours, theirs, model or default_model()))
