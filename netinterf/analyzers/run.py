"""Run a trace through analyzers."""

from collections.abc import Sequence

from netinterf.analyzers.base import Analyzer, join
from netinterf.analyzers.check import fits
from netinterf.analyzers.everywhere import everywhere
from netinterf.analyzers.registry import builtin
from netinterf.errors import AnalyzerError
from netinterf.recording.blinds import blinded
from netinterf.schema import Evidence
from netinterf.trace import Trace

__all__ = ["analyze"]


def analyze(trace: Trace, analyzers: Sequence[Analyzer] | None = None) -> Evidence:
    """Run *trace* through analyzers and collect what they saw.

    Evidence that does not fit the trace is refused: judged further, it would hit a wrong packet or nobody at all.

    Args:
        trace: What to look at.
        analyzers: Which questions to ask; None asks all built-in ones with their defaults.

    Raises:
        AnalyzerError: An analyzer raised (the cause is chained), or gave evidence that does not fit the trace.
    """
    if analyzers is None:
        analyzers = builtin()
    found = []
    for analyzer in analyzers:
        try:
            evidence = analyzer(trace)
        except AnalyzerError:
            raise
        except Exception as cause:
            raise AnalyzerError(analyzer.name, f"raised {type(cause).__name__}: {cause}") from cause
        fits(analyzer, trace, evidence)
        found.append(evidence)
    seen = blinded(trace, join(found))
    return join([seen, everywhere(trace, seen)])
