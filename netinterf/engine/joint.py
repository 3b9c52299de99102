"""Questions of all clients together, asked of a capture that is looked at in parts."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import attrs

from netinterf.analyzers.base import Analyzer, Joint, Observations, Scope
from netinterf.analyzers.check import sound
from netinterf.analyzers.microseconds import in_microseconds
from netinterf.analyzers.run import answer, note_of
from netinterf.arrays import I64
from netinterf.context.outside import Outside
from netinterf.engine.options import Options
from netinterf.errors import AnalyzerError
from netinterf.schema import Diagnostic, Evidence, Rule
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["JointQuestions"]

PartSeen = tuple[Sequence[Any], I64, I64]


@frozen
class OneByOne:
    """A joint analyzer that looks at each client by itself."""

    joint: Joint

    @property
    def name(self) -> str:
        """That of the analyzer."""
        return self.joint.name

    @property
    def scope(self) -> Scope:
        """That of the analyzer."""
        return self.joint.scope

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those of the analyzer."""
        return self.joint.rules

    def __call__(self, trace: Trace, /) -> Evidence:
        """Look at each client by itself."""
        return self.joint.alone(trace)


@frozen
class NotObserved:
    """Stands where an analyzer failed to observe a part."""

    note: Diagnostic

    def moved(self, *_: I64) -> "NotObserved":
        """Stay."""
        return self


class JointQuestions:
    """The joint analyzers among those that are asked; one that fails costs its own answers only.

    Args:
        options: How the capture is judged.
        look: What else is kept of each part, none where it is None.

    Attributes:
        options: The same for each part: joint analyzers look at each client by itself.
        notes: Which of them failed to conclude, once they have.
        looked: What else was kept of each part, once they have; rows are those of the whole.
    """

    def __init__(self, options: Options, look: Callable[[Trace], Observations] | None = None) -> None:
        from netinterf.analyzers.registry import builtin  # (loads every analyzer)

        asked = builtin() if options.analyzers is None else options.analyzers
        self._joint = [one for one in asked if isinstance(one, Joint)]
        alone = tuple(cast("Analyzer", OneByOne(one)) if isinstance(one, Joint) else one for one in asked)
        self.options = attrs.evolve(options, analyzers=alone)
        self.notes: tuple[Diagnostic, ...] = ()
        self._look = look
        self.looked: tuple[Any, ...] = ()

    def observe(self, trace: Trace, flow: I64, exchange: I64, packet: I64) -> list[Any]:
        """Have each of them observe a part, and follow what it names to other rows; see `Observations.moved`."""
        told = in_microseconds(trace)
        seen = [self._attempt(one, partial(observed, one, told, flow, exchange, packet)) for one in self._joint]
        return seen if self._look is None else [*seen, self._look(trace).moved(flow, exchange, packet)]

    def conclude(self, parts: Sequence[PartSeen], flows: int, exchanges: int) -> list[Evidence]:
        """Have each of them conclude, but those that failed to observe.

        Args:
            parts: What was observed of each part, and where its flows and exchanges are in the whole.
            flows: How many of them there are in the whole.
            exchanges: The same.
        """
        if self._look is not None:
            self.looked = tuple(every[-1].moved(flow, exchange) for every, flow, exchange in parts)
        tables: list[Any] = []
        for place, analyzer in enumerate(self._joint):
            seen = [(every[place], flow, exchange) for every, flow, exchange in parts]
            failed = [one for one, _, _ in seen if isinstance(one, NotObserved)]
            question = partial(concluded, analyzer, seen, self.options.outside, flows, exchanges)
            tables.append(failed[0] if failed else self._attempt(analyzer, question))
        self.notes = tuple(table.note for table in tables if isinstance(table, NotObserved))
        return [table for table in tables if not isinstance(table, NotObserved)]

    def _attempt(self, analyzer: Joint, question: Callable[[], Any]) -> Any:
        try:
            return answer(analyzer, question)
        except AnalyzerError as error:
            if self.options.strict:
                raise
            return NotObserved(note_of(error))


def observed(analyzer: Joint, trace: Trace, flow: I64, exchange: I64, packet: I64) -> Observations:
    """Have an analyzer observe a part, and follow rows."""
    return analyzer.observe(trace).moved(flow, exchange, packet)


def concluded(
    analyzer: Joint, seen: Sequence[tuple[Observations, I64, I64]], outside: Outside, flows: int, exchanges: int
) -> Evidence:
    """Have an analyzer conclude from what it observed of each part, and check what it says."""
    parts = [one.moved(flow, exchange) for one, flow, exchange in seen]
    return sound(analyzer, analyzer.conclude(parts, outside), flows, exchanges)
