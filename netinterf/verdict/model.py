"""The numbers that turn evidence into probability, as one frozen value.

Analyzers say how much an observation weighs by itself; the model says how much of that weight holds when observations
come together (`factors`), what it means that nothing was seen (`quiet`), how far any evidence may carry (caps), how
common each kind of interference is to begin with (`priors`), and where the grades begin. The shipped file is written by
``python -m benchmarks fit``; priors stand in a table of their own, which users replace by what they know of their
network. A verdict names the model it was reached with, so that it can be reached again, or with other priors.
"""

import csv
import json
import math
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Self

import attrs
import numpy as np

from netinterf.arrays import F64
from netinterf.errors import ParameterError
from netinterf.schema import Rule
from netinterf.values import frozen

__all__ = ["MAX_NATS", "SUBJECTS", "Model", "default_model", "read_priors"]

SUBJECTS = ("tcp", "udp", "other", "exchange")
"""Kinds of subject that have priors of their own; ``other`` are flows of any other protocol."""

MAX_NATS = 50.0
"""Largest weight a model may hold: e**50 is far from overflow and beyond any evidence."""

MOST_TIMES = 10.0
"""By how much a certain case may raise the prior of others on its path: as much as grades are tried for, ten times."""

PRIOR_COLUMNS = ("subject", "mechanism", "probability", "source")


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


def _correlation(_: object, attribute: Any, value: float) -> None:
    if not 0 <= value <= 1:
        raise ParameterError(attribute.name, value, "from 0 to 1")


def _times(_: object, attribute: Any, value: float) -> None:
    if not 1 <= value <= MOST_TIMES:
        raise ParameterError(attribute.name, value, f"from 1 to {MOST_TIMES:g}")


def _table(_: object, attribute: Any, value: dict[Any, float]) -> None:
    for key, number in value.items():
        if not np.isfinite(number) or abs(number) > MAX_NATS:
            raise ParameterError(f"{attribute.name}[{key!r}]", number, f"a finite number within ±{MAX_NATS:g}")


def _factors(instance: object, attribute: Any, value: dict[str, float]) -> None:
    _table(instance, attribute, value)
    for rule, factor in value.items():
        if factor < 0:
            raise ParameterError(f"factors[{rule!r}]", factor, "at least 0: evidence never changes sides")


def _not_positive(instance: object, attribute: Any, value: dict[str, float]) -> None:
    _table(instance, attribute, value)
    for mechanism, nats in value.items():
        if nats > 0:
            raise ParameterError(f"alone[{mechanism!r}]", nats, "at most 0: fewer signs never say more")


def _caps(instance: object, attribute: Any, value: dict[str, float]) -> None:
    _table(instance, attribute, value)
    for kind, cap in value.items():
        if cap <= 0:
            raise ParameterError(f"{attribute.name}[{kind!r}]", cap, "a positive number of nats")


@frozen(kw_only=True)
class Model:
    """Priors, weights, caps and grades.

    Attributes:
        fitted_on: What the numbers rest on: ``"literature"``, or the name of a labelled corpus.
        version: Version of the numbers.
        priors: Log-odds of (kind of subject, mechanism) against "nobody interfered", before any evidence.
        other_prior: The same for a mechanism that has no prior of its own.
        factors: By how much the weight of a rule's observations is multiplied; rules not listed keep their weight.
        quiet: What it weighs when a subject shows nothing that supports a mechanism, nats, by kind of subject and
            what happened to it: ``"ok"`` or a code of `netinterf.verdict.reasons`. Missing information is not listed.
        group_cap: How many nats all evidence of one independence group may carry, either way.
        bounds: How many nats an observation may carry for interference whose rule is no proof, by rule: what its
            exposure to real benign traffic supports (``python -m benchmarks reality``).
        other_bound: The same for rules not listed: nobody has seen them stay quiet.
        dependence: Which share of the weight of a further independence group the strongest has said already, 0 to 1.
        alone: What it weighs that one group speaks for a mechanism and no other does, nats, at most 0: the logarithm of
            how seldom it shows no more than that.
        same_path: How many times likelier a mechanism is to begin with where a certain case of it was met between the
            same two hosts; 1 raises nothing.
        joint: Mechanisms whose rules are parts of one likelihood ratio by design: their groups add up in full.
        decisive_cap: As ``group_cap``, for an observation whose rule is decisive, and for a subject that has one.
        total_caps: How many nats all evidence of one subject may carry, either way, by kind of subject.
        other_total_cap: The same for kinds not listed.
        possible, likely, confirmed: Probabilities at which the grades begin.
        shaping_ceiling: Highest probability of shaping that has no contrast.
        loss_ceiling: Share of packets a capture may have missed and still confirm.
        group_prior: Log-odds that a group of subjects is interfered with, before any evidence.
        site_correlation: How alike the evidence about one server is from one connection to the next when nobody
            interferes, 0 to 1: what a server does by itself it does again.
        provenance: What the fit was made of, for people.
    """

    fitted_on: str
    version: str
    priors: dict[tuple[str, str], float] = attrs.field(validator=_table)
    other_prior: float = attrs.field(validator=_finite)
    factors: dict[str, float] = attrs.field(factory=dict, validator=_factors)
    quiet: dict[tuple[str, str], float] = attrs.field(factory=dict, validator=_table)
    group_cap: float = attrs.field(validator=_positive)
    bounds: dict[str, float] = attrs.field(factory=dict, validator=_caps)
    other_bound: float = attrs.field(validator=_positive)
    dependence: float = attrs.field(validator=_correlation)
    alone: dict[str, float] = attrs.field(factory=dict, validator=_not_positive)
    same_path: float = attrs.field(default=1.0, validator=_times)
    joint: tuple[str, ...] = ()
    decisive_cap: float = attrs.field(validator=_positive)
    total_caps: dict[str, float] = attrs.field(factory=dict, validator=_caps)
    other_total_cap: float = attrs.field(validator=_positive)
    possible: float = attrs.field(validator=_share)
    likely: float = attrs.field(validator=_share)
    confirmed: float = attrs.field(validator=_share)
    shaping_ceiling: float = attrs.field(validator=_share)
    loss_ceiling: float = attrs.field(validator=_share)
    group_prior: float = attrs.field(validator=_finite)
    site_correlation: float = attrs.field(validator=_correlation)
    provenance: dict[str, Any] = attrs.field(factory=dict, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if not self.possible <= self.likely <= self.confirmed:
            raise ParameterError("likely", self.likely, "possible <= likely <= confirmed")
        kinds = {kind for kind, _ in [*self.priors, *self.quiet]} | {*self.total_caps}
        if unknown := sorted(kinds - set(SUBJECTS)):
            raise ParameterError("model", unknown[0], "subjects " + ", ".join(SUBJECTS))

    @property
    def name(self) -> str:
        """What a verdict calls this model."""
        return f"{self.fitted_on}-{self.version}"

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Mechanisms that have a prior, in the order of the table, each once."""
        return tuple(dict.fromkeys(mechanism for _, mechanism in self.priors))

    def factor(self, rule: Rule) -> float:
        """Say what the weight of a rule's observations is multiplied by; its former id is as good as its own."""
        return self.factors.get(rule.id, self.factors.get(rule.was, 1.0))

    def bound(self, rule: Rule) -> float:
        """Say how many nats an observation of a rule may carry for interference that is no proof by itself."""
        known = self.bounds.get(rule.id, self.bounds.get(rule.was, self.other_bound))
        return min(known, self.group_cap)

    def log_odds(self, mechanisms: tuple[str, ...]) -> F64:
        """Look up priors: one row per kind of subject (order of ``SUBJECTS``), one column per mechanism.

        A mechanism without a prior for that subject gives NaN.
        """
        return np.array(
            [[self.priors.get((subject, mechanism), np.nan) for mechanism in mechanisms] for subject in SUBJECTS],
            np.float64,
        ).reshape(len(SUBJECTS), len(mechanisms))

    @classmethod
    def load(cls, path: str | Path | None = None, priors: str | Path | None = None) -> Self:
        """Read a model file and a table of priors; None reads those that ship with the library.

        Raises:
            ParameterError: A file is not what it should be, or a number in it is out of range.
        """
        source = _packaged("model.json") if path is None else Path(path)
        table = read_priors(priors)
        try:
            return cls.of(json.loads(source.read_text(encoding="utf-8")), table)
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as cause:
            reason = f"a readable model file ({type(cause).__name__}: {cause})"
            raise ParameterError("path", str(source), reason) from cause

    @classmethod
    def of(cls, document: dict[str, Any], priors: dict[tuple[str, str], float]) -> Self:
        """Build from the parsed file, in which each number is a mapping with its ``source`` beside it."""
        caps, grades, groups = document["caps"], document["grades"], document["groups"]
        return cls(
            fitted_on=document["fitted_on"],
            version=document["version"],
            priors=priors,
            other_prior=float(document["other_prior"]["nats"]),
            factors={row["rule"]: float(row["factor"]) for row in document["weights"]},
            quiet={(row["subject"], row["happened"]): float(row["nats"]) for row in document["quiet"]},
            group_cap=float(caps["group"]["nats"]),
            bounds={row["rule"]: float(row["nats"]) for row in document["bounds"]},
            other_bound=float(caps["other_rule"]["nats"]),
            dependence=float(caps["dependence"]["value"]),
            alone={row["mechanism"]: float(row["nats"]) for row in document["alone"]},
            same_path=float(document["same_path"]["times"]),
            joint=tuple(document["joint"]["mechanisms"]),
            decisive_cap=float(caps["decisive"]["nats"]),
            total_caps={row["subject"]: float(row["nats"]) for row in caps["total"]},
            other_total_cap=float(caps["other_total"]["nats"]),
            possible=float(grades["possible"]["probability"]),
            likely=float(grades["likely"]["probability"]),
            confirmed=float(grades["confirmed"]["probability"]),
            shaping_ceiling=float(document["uncontrolled_shaping"]["probability"]),
            loss_ceiling=float(document["capture_loss"]["share"]),
            group_prior=float(groups["prior"]["log_odds"]),
            site_correlation=float(groups["site_correlation"]["value"]),
            provenance=document.get("provenance", {}),
        )


def _packaged(name: str) -> Traversable:
    return files("netinterf") / "data" / name


def read_priors(path: str | Path | None = None) -> dict[tuple[str, str], float]:
    """Read a table of priors: a CSV file with the columns ``subject,mechanism,probability,source``.

    Args:
        path: The file; None reads the one that ships with the library.

    Returns:
        Log-odds by (kind of subject, mechanism), in file order.

    Raises:
        ParameterError: The file cannot be read, or a line of it is malformed (its number is given).
    """
    source = _packaged("priors.csv") if path is None else Path(path)
    try:
        rows = list(csv.DictReader(source.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise ParameterError("priors", str(source), f"a readable CSV file ({cause})") from cause
    if not rows or not set(PRIOR_COLUMNS[:3]) <= set(rows[0]):
        raise ParameterError("priors", str(source), "a CSV file that begins with " + ",".join(PRIOR_COLUMNS))
    priors: dict[tuple[str, str], float] = {}
    for line, row in enumerate(rows, 2):
        where = f"{source}, line {line}"
        try:
            probability = float(row["probability"])
        except (TypeError, ValueError) as cause:
            raise ParameterError("priors", where, f"a probability ({cause})") from cause
        if row["subject"] not in SUBJECTS or not row["mechanism"] or not 0 < probability < 1:
            raise ParameterError("priors", where, f"a subject ({', '.join(SUBJECTS)}), a mechanism, and 0 < p < 1")
        priors[row["subject"], row["mechanism"]] = math.log(probability / (1 - probability))
    return priors


@cache
def default_model() -> Model:
    """Return the model that ships with the library."""
    return Model.load()
