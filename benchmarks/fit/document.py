"""The model file: every number with its source."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fit.design import Design
from netinterf.verdict.model import Model

__all__ = ["document_of", "left_out_of", "seen_in", "write"]

COMMAND = "python -m benchmarks fit"
ON_PATH = (
    "how much more often a mechanism was at work where evidence of equal weight stood beside a certain case on its path"
)


def document_of(design: Design, before: dict[str, Any], fitted: Model, about: dict[str, Any]) -> dict[str, Any]:
    """Write a fitted model as the file that ships with the library.

    Args:
        design: What it was fitted on.
        before: The file as it was: grades, ceilings and what is not fitted stay.
        fitted: The numbers.
        about: What the corpus was made of.
    """
    hit, spared = seen_in(design)
    subjects = f"{COMMAND}: {about['captures']:,} captures, {about['interfered']:,} interfered subjects"
    return {
        "fitted_on": "simulator+lab",
        "version": about["version"],
        "provenance": {**about, "source": subjects},
        "other_prior": before["other_prior"],
        "weights": [
            {
                "rule": rule.id,
                "literature": rule.weight,
                "factor": fitted.factors[rule.id],
                "fitted": None if rule.weight is None else round(rule.weight * fitted.factors[rule.id], 3),
                "interfered": hit[rule.id],
                "untouched": spared[rule.id],
                "source": f"{COMMAND}: logistic regression; counts are suspicions that showed it",
            }
            for rule in sorted(design.rules, key=lambda rule: rule.id)
        ],
        "quiet": [
            {
                "subject": kind,
                "happened": word,
                "nats": nats,
                "source": f"{COMMAND}: how much less frequent among interfered than among untouched subjects",
            }
            for (kind, word), nats in fitted.quiet.items()
        ],
        "caps": {
            **before["caps"],
            "total": [
                {"subject": kind, "nats": nats, "source": f"{COMMAND}: rule of three on its untouched subjects"}
                for kind, nats in fitted.total_caps.items()
            ],
        },
        "alone": [
            {
                "mechanism": mechanism,
                "nats": nats,
                "source": f"{COMMAND}: share of interfered subjects for which one group speaks and no other",
            }
            for mechanism, nats in fitted.alone.items()
        ],
        "same_path": {"times": fitted.same_path, "source": f"{COMMAND}: {ON_PATH}"},
        "joint": before["joint"],
        "bounds": before["bounds"],
        "grades": before["grades"],
        "uncontrolled_shaping": before["uncontrolled_shaping"],
        "capture_loss": before["capture_loss"],
        "groups": {
            **before["groups"],
            "site_correlation": {
                "value": fitted.site_correlation,
                "source": f"{COMMAND}: intraclass correlation of the evidence about untouched subjects of one server",
            },
        },
    }


def seen_in(design: Design) -> tuple[Counter[str], Counter[str]]:
    """Count, for each rule, the interfered and the untouched suspicions that showed it."""
    place = np.full(len(design.suspicions), -1, np.int64)
    place[design.kept] = np.arange(len(design.kept))
    row = place[design.suspicions.pair_hypothesis]
    mine = row >= 0
    rule = design.corpus.evidence.rule[design.suspicions.pair_evidence[mine]].astype(np.int64)
    pairs = np.unique(np.stack([row[mine], rule], axis=1), axis=0)
    right = design.right[pairs[:, 0]]
    names = [known.id for known in design.rules]
    hit = np.bincount(pairs[right, 1], minlength=len(names)).tolist()
    spared = np.bincount(pairs[~right, 1], minlength=len(names)).tolist()
    return Counter(dict(zip(names, hit, strict=True))), Counter(dict(zip(names, spared, strict=True)))


def left_out_of(folds: Mapping[str, int], models: list[Model]) -> dict[str, Any]:
    """Write what the fits that left out a tenth each came to."""
    return {
        "folds": dict(sorted(folds.items())),
        "models": [
            {
                "factors": dict(sorted(model.factors.items())),
                "quiet": [[kind, word, nats] for (kind, word), nats in model.quiet.items()],
                "alone": model.alone,
                "total_caps": model.total_caps,
            }
            for model in models
        ],
    }


def write(path: Path, document: dict[str, Any], *, indent: int | None = 2) -> None:
    """Write JSON with a line end."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, separators=None if indent else (",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
