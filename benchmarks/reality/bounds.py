"""How many nats a rule may carry, by what real benign traffic showed of it.

What weighs w nats is said of less than exp(-w) of benign subjects, or it is not worth w (Markov's inequality; Royall,
JASA 2000). So of N benign subjects in which a rule could have fired, those are counted in which it said w or more,
Y(w). Nobody knows how often it will in the next repository, but what fires once in a file fires often there, so one
more file that fires is added by half: the rate is taken for (Y(w) + D/2)/N, D being the mean number of firing subjects
in a file that fires, pooled over the rules that look at the same thing. The bound is the greatest weight up to which
that rate is nowhere above exp(-w). Of a rule that gives every subject the same weight, it is the logarithm of the
inverse rate. What argued against the mechanism in the same subject is subtracted first: it counts there whatever the
bound.
"""

from collections.abc import Iterable, Mapping

import attrs
import numpy as np

from benchmarks.reality.exposure import Count, family_of

__all__ = ["LEAST_HOMES", "LEAST_SUBJECTS", "SMALLEST", "UNKNOWN", "Support", "bound_of", "bounds_of", "support_of"]

LEAST_SUBJECTS, LEAST_HOMES = 300, 10
"""Exposed subjects and repositories without which reality says too little: the rule of three allows one wrong in a
hundred subjects then, and repositories are what traffic is drawn by."""

UNKNOWN = 3.0
"""Nats for a rule that reality says too little about: twenty to one, strong evidence (Kass and Raftery, JASA 1995)."""

TWINS = {f"quic.{sign}": f"drop.{sign}" for sign in ("served", "again", "residual", "recovered")}
"""Rules that ask of QUIC conversations and their company what another asks of TCP connections. Where reality holds few
of the former, but showed often enough that the question is sound, what it showed of the few may stand by itself."""

SMALLEST = 0.1
"""Nats that are left to a rule that fires nearly everywhere: a bound is positive."""


@attrs.frozen(kw_only=True)
class Support:
    """What real benign traffic showed of one rule."""

    exposed: int = 0  # subjects in which it could have fired
    weights: tuple[float, ...] = ()  # nats, of those in which it did …
    against: tuple[float, ...] = ()  # … and what argued there against the same mechanism
    files: int = 0  # with such a subject
    homes: int = 0  # repositories, students of one course counted once, with an exposed subject
    files_fired: int = 0
    homes_fired: int = 0

    @property
    def fired(self) -> int:
        """Subjects in which it spoke for interference."""
        return len(self.weights)

    @property
    def enough(self) -> bool:
        """Whether it is much enough to bound the rule by."""
        return self.exposed >= LEAST_SUBJECTS and self.homes >= LEAST_HOMES


def support_of(captures: Iterable[tuple[str, Mapping[str, Count]]]) -> dict[str, Support]:
    """Add up the counts of captures.

    Args:
        captures: Home of each capture, and what was counted in it, by rule.
    """
    found: dict[str, list[tuple[str, Count]]] = {}
    for home, counts in captures:
        for rule, counted in counts.items():
            found.setdefault(rule, []).append((home, counted))
    return {
        rule: Support(
            exposed=sum(one.exposed for _, one in rows),
            weights=tuple(weight for _, one in rows for weight in one.weights),
            against=tuple(weight for _, one in rows for weight in one.against),
            files=len(rows),
            homes=len({home for home, _ in rows}),
            files_fired=sum(one.fired > 0 for _, one in rows),
            homes_fired=len({home for home, one in rows if one.fired}),
        )
        for rule, rows in found.items()
    }


def bounds_of(support: Mapping[str, Support], factors: Mapping[str, float]) -> dict[str, float]:
    """Compute the bound of every rule, nats.

    Args:
        support: What was seen of each rule.
        factors: By how much weights are multiplied before they are bounded, 1 where none is given.
    """
    pooled: dict[str, tuple[int, int]] = {}
    for rule, one in support.items():
        fired, files = pooled.get(family_of(rule), (0, 0))
        pooled[family_of(rule)] = fired + one.fired, files + one.files_fired
    mean = {family: fired / files if files else 1.0 for family, (fired, files) in pooled.items()}
    return {
        rule: round(bound_of(one, mean[family_of(rule)], factors.get(rule, 1.0), known(rule, support)), 2)
        for rule, one in support.items()
    }


def known(rule: str, support: Mapping[str, Support]) -> bool:
    """Say whether reality showed enough of a rule, or of its twin."""
    return support[rule].enough or support.get(TWINS.get(rule, ""), Support()).enough


def bound_of(support: Support, clustering: float, factor: float = 1.0, known: bool = True) -> float:
    """Compute how many nats a rule may carry.

    Args:
        support: What was seen of it.
        clustering: Mean number of firing subjects in a file in which a rule of its kind fires.
        factor: By how much its weights are multiplied.
        known: Reality showed enough of it; otherwise it carries `UNKNOWN` at most.
    """
    if not support.exposed:
        return UNKNOWN
    net = np.maximum(np.array(support.weights) * factor + np.array(support.against), 0.0)
    said = np.append(np.sort(net)[::-1], 0.0)
    allowed = -np.log(np.minimum((np.arange(len(said)) + clustering / 2) / support.exposed, 1.0))
    # where i benign subjects say w or more, w lies between said[i] and said[i - 1], and must not exceed allowed[i]
    wrong = np.flatnonzero(allowed[1:] < said[:-1]) + 1
    bound = float(max(allowed[wrong[-1]], said[wrong[-1]]) if len(wrong) else allowed[0])
    if not known:
        bound = min(bound, UNKNOWN)
    return max(bound, SMALLEST)
