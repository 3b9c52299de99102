"""How captures are judged: which questions are asked, and what is known beside the packets."""

from collections.abc import Sequence

import attrs

from netinterf.analyzers.base import Analyzer
from netinterf.context.outside import Answers, Networks, Outside
from netinterf.engine.control import known_answers
from netinterf.errors import ParameterError
from netinterf.trace import VANTAGES
from netinterf.values import frozen
from netinterf.verdict.model import Model

__all__ = ["WHOLE", "Options", "options_of", "pick_analyzers"]

WHOLE = 1 << 20
"""Packets that are looked at as one where nothing else is to be done: the largest capture that is not cut into shards,
and the window of a client that has more. It takes 400 MB where a hundred packets are a conversation, and 1.2 GB where
each is one (``python -m benchmarks speed --large``)."""


def pick_analyzers(analyzers: Sequence[Analyzer | str] | None) -> tuple[Analyzer, ...] | None:
    """Turn names into analyzers; None stands for all built-in ones.

    Raises:
        ParameterError: A name is unknown, or there is none.
        AnalyzerError: A plugin could not be loaded.
    """
    if analyzers is None:
        return None
    from netinterf.analyzers.registry import pick  # (loads every analyzer)

    if isinstance(analyzers, str) or not analyzers:
        raise ParameterError("analyzers", analyzers, "a list of at least one analyzer or its name")
    return pick(analyzers)


@frozen(kw_only=True)
class Options:
    """How captures are judged."""

    analyzers: tuple[Analyzer, ...] | None = attrs.field(default=None, converter=pick_analyzers)
    vantage: str = attrs.field(default="auto")
    outside: Outside = attrs.field(factory=Outside)
    model: Model | None = None
    strict: bool = False
    anomalies: bool = True  # find out who stands out, whatever its verdict: a store does not keep it

    @vantage.validator
    def _check_vantage(self, _: object, value: str) -> None:
        if value not in VANTAGES:
            raise ParameterError("vantage", value, "one of " + ", ".join(VANTAGES))


def options_of(
    analyzers: Sequence[Analyzer | str] | None,
    vantage: str,
    networks: Networks | None,
    answers: Answers | None,
    model: Model | None,
    *,
    strict: bool,
) -> Options:
    """Read what captures are judged with, before any is."""
    outside = Outside.of(networks, known_answers(answers))
    return Options(analyzers=analyzers, vantage=vantage, outside=outside, model=model, strict=strict)
