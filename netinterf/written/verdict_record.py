"""Verdicts about single subjects written out, many at a time: from columns to objects in the words of the format."""

from itertools import pairwise
from typing import Any

import numpy as np

from netinterf.arrays import I64
from netinterf.schema import Grade, Outcome
from netinterf.verdict.judgement import Judgement
from netinterf.written.parts import community_ids, ipv4_hosts, lists, observations, subjects, triggers
from netinterf.written.record import Further, Verdict, whys
from netinterf.written.words import sentences

__all__ = ["write_verdicts"]

OUTCOMES, GRADES = tuple(Outcome), tuple(Grade)
SELECTIVE = {1: True, 0: False, -1: None}


def write_verdicts(judgement: Judgement, rows: I64) -> list[Verdict]:
    """Write out verdicts, n of them by their rows in the table."""
    table, flow = judgement.verdicts, judgement.verdicts.flow[rows]
    names = (*table.mechanisms, None)  # -1 is none
    about = subjects(judgement, rows)
    score = judgement.anomalies.score[rows]
    fields = {
        "subject": about,
        "outcome": [OUTCOMES[code] for code in table.outcome[rows].tolist()],
        "grade": [GRADES[code] for code in table.grade[rows].tolist()],
        "grade_if_rarer": [GRADES[code] for code in table.grade_if_rarer[rows].tolist()],
        "mechanism": [names[code] for code in table.mechanism[rows].tolist()],
        "raised": table.raised[rows].tolist(),
        "probability": table.probability[rows].tolist(),
        "also": further(judgement, rows),
        "q_value": table.q_value[rows].tolist(),
        "evidence": evidence(judgement, rows),
        "reasons": [whys(code) for code in table.reasons[rows].tolist()],
        "frames": map(tuple, lists(judgement.forged, rows)),
        "trigger": triggers(judgement, rows, about),
        "selective": [SELECTIVE[code] for code in table.selective[rows].tolist()],
        "attribution": judgement.attributions.each(rows),
        "start": table.start[rows].tolist(),
        "end": table.end[rows].tolist(),
        "row": table.subject[rows].tolist(),
        "ip_version": np.where(ipv4_hosts(judgement.hosts, judgement.flows.client[flow]), 4, 6).tolist(),
        "anomaly": [None if unknown else one for one, unknown in zip(score.tolist(), np.isnan(score), strict=True)],
    }
    fields["community_id"] = community_ids(judgement, rows, about)
    fields["ja4"] = [text or None for text in judgement.subjects.ja4.take(rows)]
    whole = {"capture": judgement.capture, "files": judgement.files, "group": None}
    return [write(whole | dict(zip(fields, values, strict=True))) for values in zip(*fields.values(), strict=True)]


def write(fields: dict[str, Any]) -> Verdict:
    """Write out one verdict, and explain it."""
    return Verdict(explanation=sentences(Verdict(**fields)), **fields)


def further(judgement: Judgement, rows: I64) -> list[tuple[Further, ...]]:
    """List the further mechanisms of each verdict."""
    table = judgement.verdicts
    return [
        tuple(Further(mechanism=table.mechanisms[code], probability=one) for code, one in zip(*pair, strict=True))
        for pair in zip(lists(table.also, rows), lists(table.also_probability, rows), strict=True)
    ]


def evidence(judgement: Judgement, rows: I64) -> list[Any]:
    """List what was observed of each verdict's subject, strongest first."""
    places, weights = judgement.verdicts.evidence.take(rows), judgement.verdicts.weight.take(rows)
    written = observations(judgement, places.values, weights.values)
    return [tuple(written[begin:end]) for begin, end in pairwise(places.offsets.tolist())]
