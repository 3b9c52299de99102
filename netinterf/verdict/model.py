"""The numbers that turn evidence into probability: priors, caps and the ladder of grades, as one frozen value.

Analyzers say how much an observation weighs; the model says how common each kind of interference is to begin with,
how far one family of evidence may carry, and where the grades begin. Every number in the shipped file stands beside
its source, and a verdict names the model it was reached with, so that it can be recomputed with another one.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.errors import ParameterError

__all__ = ["SUBJECTS", "Model", "default_model"]

SUBJECTS = ("tcp", "udp", "other", "exchange")
"""Kinds of subject that have priors of their own; ``other`` are flows of any other protocol."""

MAX_NATS = 50.0
"""Largest weight a model may hold: e**50 is far from overflow and beyond any evidence."""


def _finite(_: object, attribute: Any, value: float) -> None:
    if not np.isfinite(value) or abs(value) > MAX_NATS:
        raise ParameterError(attribute.name, value, f"a finite number of nats within ±{MAX_NATS:g}")


def _positive(instance: object, attribute: Any, value: float) -> None:
    _finite(instance, attribute, value)
    if value <= 0:
        raise ParameterError(attribute.name, value, "a positive number of nats")


def _share(_: object, attribute: Any, value: float) -> None:
    if not 0 < value < 1:
        raise ParameterError(attribute.name, value, "between 0 and 1, both excluded")


def _tables(_: object, attribute: Any, value: dict[Any, float]) -> None:
    for key, number in value.items():
        if not np.isfinite(number) or abs(number) > MAX_NATS:
            raise ParameterError(f"{attribute.name}[{key!r}]", number, f"a finite number within ±{MAX_NATS:g}")


@attrs.frozen(kw_only=True)
class Model:
    """Priors, caps and grades.

    Attributes:
        fitted_on: What the numbers rest on: ``"literature"``, or the name of a labelled corpus.
        version: Version of the numbers.
        priors: Log-odds of (kind of subject, mechanism) against "nobody interfered", before any evidence.
        other_prior: The same for a mechanism that has no prior of its own.
        group_caps: How many nats all evidence of one independence group may carry, by group.
        other_cap: The same for groups not listed.
        decisive_cap: The same for an observation whose rule is decisive.
        total_cap: How many nats all evidence of one subject together may carry.
        possible, likely, confirmed: Probabilities at which the grades begin.
        support: Nats a group must carry to count as one of the two that confirm.
        shaping_ceiling: Highest probability of shaping that has no contrast.
        loss_ceiling: Share of packets a capture may have missed and still confirm.
    """

    fitted_on: str
    version: str
    priors: dict[tuple[str, str], float] = attrs.field(validator=_tables)
    other_prior: float = attrs.field(validator=_finite)
    group_caps: dict[str, float] = attrs.field(validator=_tables)
    other_cap: float = attrs.field(validator=_positive)
    decisive_cap: float = attrs.field(validator=_positive)
    total_cap: float = attrs.field(validator=_positive)
    possible: float = attrs.field(validator=_share)
    likely: float = attrs.field(validator=_share)
    confirmed: float = attrs.field(validator=_share)
    support: float = attrs.field(validator=_positive)
    shaping_ceiling: float = attrs.field(validator=_share)
    loss_ceiling: float = attrs.field(validator=_share)

    def __attrs_post_init__(self) -> None:
        if not self.possible <= self.likely <= self.confirmed:
            raise ParameterError("likely", self.likely, "possible <= likely <= confirmed")
        if unknown := sorted({subject for subject, _ in self.priors} - set(SUBJECTS)):
            raise ParameterError("priors", unknown[0], "subjects " + ", ".join(SUBJECTS))
        if negative := sorted(group for group, cap in self.group_caps.items() if cap <= 0):
            raise ParameterError(f"group_caps[{negative[0]!r}]", self.group_caps[negative[0]], "a positive number")

    @property
    def name(self) -> str:
        """What a verdict calls this model."""
        return f"{self.fitted_on}-{self.version}"

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Mechanisms that have a prior, in the order of the file, each once."""
        return tuple(dict.fromkeys(mechanism for _, mechanism in self.priors))

    def log_odds(self, mechanisms: tuple[str, ...]) -> NDArray[np.float64]:
        """Look up priors: one row per kind of subject (order of ``SUBJECTS``), one column per mechanism.

        A mechanism without a prior for that subject gives NaN.
        """
        return np.array(
            [[self.priors.get((subject, mechanism), np.nan) for mechanism in mechanisms] for subject in SUBJECTS],
            np.float64,
        ).reshape(len(SUBJECTS), len(mechanisms))

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Read a model file; None reads the one that ships with the library.

        Raises:
            ParameterError: The file is not a model, or a number in it is out of range.
        """
        source = files("netinterf") / "data" / "model.json" if path is None else Path(path)
        try:
            return cls.of(json.loads(source.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as cause:
            reason = f"a readable model file ({type(cause).__name__}: {cause})"
            raise ParameterError("path", str(source), reason) from cause

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Build from the parsed file, in which each number is a mapping with its ``source`` beside it."""
        caps, grades = document["caps"], document["grades"]
        return cls(
            fitted_on=document["fitted_on"],
            version=document["version"],
            priors={(row["subject"], row["mechanism"]): float(row["log_odds"]) for row in document["priors"]},
            other_prior=float(document["other_prior"]["nats"]),
            group_caps={row["group"]: float(row["nats"]) for row in caps["groups"]},
            other_cap=float(caps["other_group"]["nats"]),
            decisive_cap=float(caps["decisive"]["nats"]),
            total_cap=float(caps["total"]["nats"]),
            possible=float(grades["possible"]["probability"]),
            likely=float(grades["likely"]["probability"]),
            confirmed=float(grades["confirmed"]["probability"]),
            support=float(document["support"]["nats"]),
            shaping_ceiling=float(document["uncontrolled_shaping"]["probability"]),
            loss_ceiling=float(document["capture_loss"]["share"]),
        )


@cache
def default_model() -> Model:
    """Return the model that ships with the library."""
    return Model.load()
