"""What is kept of a capture that was judged: a summary and a ledger, no packets."""

from functools import cache
from typing import TYPE_CHECKING, Any, Self

import attrs
import numpy as np

from netinterf.analyzers.everywhere import everywhere_notes
from netinterf.analyzers.run import analyze, analyze_each
from netinterf.arrays import Mask
from netinterf.engine.options import Options
from netinterf.errors import UsageError
from netinterf.recording import notes
from netinterf.schema import Anomalies, Diagnostic, Evidence, Files, Outcome, Rule, SubjectKind, Verdicts
from netinterf.trace import Trace
from netinterf.values import frozen
from netinterf.verdict.combine import judge as judge_subjects
from netinterf.verdict.model import Model
from netinterf.verdict.subjects import list_subjects
from netinterf.version import __version__
from netinterf.writing import readable
from netinterf.written.ledger import Ledger, explain

if TYPE_CHECKING:
    from netinterf.privacy.redaction import Redaction
    from netinterf.privacy.traces import RedactedSource

__all__ = ["Judged", "Summary", "judge_trace", "outcome_counts", "summarize"]

OUTCOMES = tuple(Outcome)


@frozen(kw_only=True)
class Summary:
    """One capture as a whole, field by field as its line in the verdict format; times are ns since 1970 UTC."""

    capture: str
    packets: int
    flows: int
    exchanges: int
    outcomes: dict[str, int]
    first: int | None
    last: int | None
    bytes: int  # on the wire
    vantage: str
    link_types: tuple[int, ...]
    diagnostics: tuple[Diagnostic, ...]
    version: str
    model: str
    files: Files = attrs.field(factory=Files)  # that it was joined from


@frozen(eq=False, kw_only=True)
class Judged:
    """What a scan keeps of one capture."""

    summary: Summary
    ledger: Ledger
    source: "tuple[str, ...] | RedactedSource | None" = None  # paths that the packets can be read from again

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in self.summary.outcomes.items())
        return readable(f"<{type(self).__name__} {self.summary.capture}: {counts}>")

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with built-in rules by name: their texts are three quarters of a small capture.

        So it is read by the version that wrote it only.
        """
        evidence, known = self.ledger.evidence, builtin_rules()
        named: tuple[Any, ...] = tuple(rule.id if known.get(rule.id) is rule else rule for rule in evidence.rules)
        ledger = attrs.evolve(self.ledger, evidence=attrs.evolve(evidence, rules=named))
        fields = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        return restored, (type(self), fields | {"ledger": ledger})

    def under(self, model: Model) -> Self:
        """Judge the capture again under another model, without reading it."""
        ledger = self.ledger.under(model)
        was, now = outcome_counts(self.ledger.verdicts), outcome_counts(ledger.verdicts)
        released = {word: count - was[word] for word, count in self.summary.outcomes.items()}  # of a session: no ledger
        counts = {word: count + now[word] for word, count in released.items()}
        summary = attrs.evolve(self.summary, outcomes=counts, model=ledger.verdicts.model)
        return attrs.evolve(self, summary=summary, ledger=ledger)

    def redacted(self, redaction: "Redaction") -> Self:
        """Take addresses and names out, so that they are in nothing that is written of this capture.

        Raises:
            UsageError: They were taken out before.
        """
        from netinterf.privacy.ledgers import redact_ledger  # (asked for by few)
        from netinterf.privacy.traces import RedactedSource

        if isinstance(self.source, RedactedSource):
            raise UsageError("this is redacted already: go back to what it was made of for another key")
        return attrs.evolve(
            self,
            summary=attrs.evolve(
                self.summary,
                capture=redaction.capture(self.summary.capture),
                diagnostics=redaction.notes(self.summary.diagnostics, self.ledger.files),
                files=redaction.files(self.ledger.files),
            ),
            ledger=redact_ledger(self.ledger, redaction),
            source=None if self.source is None else RedactedSource(paths=self.source, redaction=redaction),
        )

    @property
    def evidence(self) -> Evidence:
        """All evidence about the capture."""
        return self.ledger.evidence


def restored(kind: type[Judged], fields: dict[str, Any]) -> Judged:
    """Put rules in the place of their names.

    Raises:
        UsageError: Another version wrote it, whose rules may be others.
    """
    if fields["summary"].version != __version__:
        raise UsageError(f"this was judged by version {fields['summary'].version}, and cannot be read by {__version__}")
    evidence = fields["ledger"].evidence
    rules = tuple(builtin_rules()[rule] if isinstance(rule, str) else rule for rule in evidence.rules)
    return kind(**fields | {"ledger": attrs.evolve(fields["ledger"], evidence=attrs.evolve(evidence, rules=rules))})


@cache
def builtin_rules() -> dict[str, Rule]:
    """List the rules of all built-in analyzers by id."""
    from netinterf.analyzers.registry import builtin  # (loads every analyzer)

    return {rule.id: rule for analyzer in builtin() for rule in analyzer.rules}


def judge_trace(
    trace: Trace, name: str, options: Options | None = None, *, without: Mask | None = None, in_part: bool = False
) -> Judged:
    """Ask all questions of a capture that was read, and judge; a diagnostic names analyzers that failed.

    Args:
        trace: The capture.
        name: What to call it.
        options: How to judge; None asks all built-in questions.
        without: Flows that are seen as company of others but get no verdict, one entry per flow.
        in_part: The capture has others, which are not in the trace.

    Raises:
        AnalyzerError: No analyzer answered; where options are strict, one failed.
    """
    options = options or Options()
    asked = options.analyzers
    evidence, notes = (analyze(trace, asked), ()) if options.strict else analyze_each(trace, asked)
    if without is not None:
        about_flow = evidence.subject_kind == SubjectKind.FLOW
        evidence = evidence.take(~(about_flow & without[np.where(about_flow, evidence.subject, 0)]))
    subjects = list_subjects(trace, evidence, without=without, in_part=in_part)
    verdicts = judge_subjects(evidence, subjects, options.model)
    nobody = None if options.anomalies else Anomalies(score=np.full(len(subjects), np.nan))
    ledger = explain(verdicts, evidence, trace, model=options.model, subjects=subjects, anomalies=nobody)
    ledger = attrs.evolve(ledger, capture=name)
    summary = summarize(trace, verdicts, name)
    diagnostics = summary.diagnostics + everywhere_notes(evidence) + notes
    return Judged(summary=attrs.evolve(summary, diagnostics=diagnostics), ledger=ledger)


def summarize(trace: Trace, verdicts: Verdicts, name: str) -> Summary:
    """Write the capture's own line."""
    time = trace.packets.time
    return Summary(
        capture=name,
        packets=len(trace.packets),
        flows=len(trace.flows),
        exchanges=len(trace.exchanges),
        outcomes=outcome_counts(verdicts),
        first=int(time.min()) if len(time) else None,
        last=int(time.max()) if len(time) else None,
        bytes=int(trace.packets.length.sum(dtype=np.int64)),
        vantage=str(trace.vantage),
        link_types=tuple(dict.fromkeys(interface.link_type for interface in trace.interfaces)),
        diagnostics=trace.diagnostics + notes(trace),
        version=__version__,
        model=verdicts.model,
        files=trace.files,
    )


def outcome_counts(verdicts: Verdicts) -> dict[str, int]:
    """Count the verdicts of each outcome."""
    counts = np.bincount(verdicts.outcome, minlength=len(OUTCOMES)).tolist()
    return {outcome.value: counts[code] for code, outcome in enumerate(OUTCOMES)}
