"""The library with a fit that never saw the system, or the look-alike, that it is about to judge.

The packaged model was fitted to the very systems that the simulator plays; censors of tomorrow are not among them. So
each tenth of the systems is judged once more, by a model fitted to the other nine (`benchmarks.fit`).
"""

import json
from functools import cache
from typing import Any

import attrs

from benchmarks.machine import ROOT
from benchmarks.matching import Verdict, pair
from benchmarks.scoreboard.labels import LabelledCapture
from netinterf.schema import Evidence
from netinterf.trace import Trace
from netinterf.verdict.combine import judge
from netinterf.verdict.model import Model, default_model
from netinterf.verdict.subjects import list_subjects
from netinterf.written.ledger import explain

__all__ = ["FILE", "LEFT_OUT", "origin_of", "unseen"]

LEFT_OUT = "netinterf, system left out"
"""What it is called among the judges."""

FILE = ROOT / "benchmarks" / "left_out.json"


@cache
def fits() -> tuple[dict[str, int], tuple[Model, ...]]:
    """Read the folds, and the model that never saw each; nothing when there was no fit."""
    if not FILE.exists():
        return {}, ()
    held = json.loads(FILE.read_text(encoding="utf-8"))
    return held["folds"], tuple(model_of(one) for one in held["models"])


def model_of(part: dict[str, Any]) -> Model:
    """Put the fitted numbers into the packaged model."""
    return attrs.evolve(
        default_model(),
        version=default_model().version + ", left out",
        factors=part["factors"],
        quiet={(kind, word): nats for kind, word, nats in part["quiet"]},
        alone=part["alone"],
        total_caps=part["total_caps"],
    )


def origin_of(system: str, confounder: str, scenario: str) -> str:
    """Say with what a subject is left out: its system, else its look-alike, else its scenario."""
    return system or confounder or scenario


def unseen(trace: Trace, evidence: Evidence, labels: LabelledCapture, lines: list[Verdict]) -> list[Verdict]:
    """Judge every subject by the model that never saw where it comes from.

    Args:
        trace: The capture.
        evidence: What analyzers saw.
        labels: What is known of it.
        lines: The library's own verdicts, to find each subject's label by.

    Returns:
        As many verdicts as subjects; none when there was no fit.
    """
    folds, models = fits()
    if not models:
        return []
    subjects = list_subjects(trace, evidence)
    truth = {place: labels.rows[number].truth for number, place in pair(labels.rows, lines).items()}
    chosen = []
    for row in range(len(subjects)):
        known = truth.get(row)
        origin = origin_of(known.system if known else "", known.confounder if known else "", labels.scenario)
        chosen.append(folds.get(origin, 0))
    from netinterf.written.format import verdict_line

    ledgers = {
        fold: explain(judge(evidence, subjects, models[fold]), evidence, trace, model=models[fold], subjects=subjects)
        for fold in sorted(set(chosen))
    }
    return [verdict_line(ledgers[fold].write(row)) for row, fold in enumerate(chosen)]
