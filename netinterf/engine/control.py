"""Control answers from another capture: what names were answered where nobody interferes."""

import os

import numpy as np

from netinterf.analyzers.run import analyze
from netinterf.capture.source import peek
from netinterf.context.answers import KnownAnswers
from netinterf.context.outside import Answers
from netinterf.context.special import Special, special_bits
from netinterf.errors import NetinterfError, ParameterError
from netinterf.protocols.dns_messages import RecordType
from netinterf.protocols.dns_names import lowered
from netinterf.schema import Outcome, SubjectKind
from netinterf.trace import Trace, host_text, read
from netinterf.verdict.combine import classify

__all__ = ["answers_of", "known_answers"]

OK = tuple(Outcome).index(Outcome.OK)


def known_answers(answers: Answers | None) -> Answers | None:
    """Read control answers where a capture is named; anything else is returned as it is.

    Raises:
        ParameterError: The capture cannot be read.
    """
    if not isinstance(answers, str | os.PathLike):
        return answers
    try:
        return answers_of(read(answers)) if os.path.isfile(answers) and peek(os.fspath(answers)) else answers
    except NetinterfError as cause:
        raise ParameterError("answers", os.fspath(answers), f"a table of answers or a capture ({cause})") from cause


def answers_of(trace: Trace) -> KnownAnswers:
    """Collect the global addresses that names were answered with in exchanges that are judged *ok*."""
    verdicts = classify(analyze(trace), trace)
    fine = (verdicts.subject_kind == SubjectKind.EXCHANGE) & (verdicts.outcome == OK)
    good = np.zeros(len(trace.exchanges) + 1, np.bool_)
    good[verdicts.subject[fine]] = True
    answers, names = trace.answers, lowered(trace.exchanges.name)
    address = np.isin(answers.kind, (RecordType.A, RecordType.AAAA)) & (answers.section == 1)
    reachable = special_bits(answers.high, answers.low) & np.uint16(Special.BOGON | Special.TEREDO) == 0
    exchange = trace.dns.exchange[answers.message]
    rows = np.flatnonzero(address & reachable & good[exchange])
    return KnownAnswers.of(
        (names[int(exchange[row])], host_text(int(answers.high[row]), int(answers.low[row]))) for row in rows.tolist()
    )
