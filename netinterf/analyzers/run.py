"""Run a trace through analyzers."""

from collections.abc import Sequence

from netinterf.analyzers.base import Analyzer, join
from netinterf.analyzers.registry import builtin
from netinterf.errors import AnalyzerError, NetinterfError
from netinterf.schema import Evidence
from netinterf.trace import Trace

__all__ = ["analyze"]


def analyze(trace: Trace, analyzers: Sequence[Analyzer] | None = None) -> Evidence:
    """Run *trace* through analyzers and collect what they saw.

    Args:
        trace: What to look at.
        analyzers: Which questions to ask; None asks all built-in ones with their defaults.

    Raises:
        AnalyzerError: An analyzer raised; the cause is chained.
    """
    if analyzers is None:
        analyzers = builtin()
    found = []
    for analyzer in analyzers:
        try:
            found.append(analyzer(trace))
        except NetinterfError:
            raise
        except Exception as cause:
            raise AnalyzerError(analyzer.name, f"raised {type(cause).__name__}: {cause}") from cause
    return join(found)
