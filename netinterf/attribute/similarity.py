"""Whether two captures show the same kind of box, whatever it may be called.

What the makers of a box chose shows in what its packets have in common. Two captures are compared trait by trait: a
choice that both share speaks for one make by how rare it is at large, one in which they differ speaks against it. What
varies from packet to packet inside a capture is no choice, and what belongs to the place (how far away the box is, who
asked for what) is left out.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64
from netinterf.attribute.catalogue import CLASSES, Background, background
from netinterf.attribute.trait import UNKNOWN, Trait, Traits
from netinterf.values import frozen

__all__ = ["RAREST", "Alike", "Similarity", "similarity"]

PLACE = frozenset({Trait.TTL, Trait.TRIGGER, Trait.STAGE, Trait.SECOND_TTL})
"""Traits that tell of the place and the trigger rather than of the box."""

HALF = 0.5
"""What more than half of a capture's findings share is what its box does."""

RAREST = 0.002
"""Shares below this are not listed by ``benchmarks attribution``: of 66 systems, what one shows in one finding of
eight."""


class FindingTraits(Protocol):
    """What a capture's findings look like."""

    @property
    def traits(self) -> Traits: ...
    @property
    def mechanism(self) -> NDArray[np.str_]: ...


@frozen(kw_only=True)
class Alike:
    """One trait that both captures show."""

    trait: str
    first: int  # the value that most findings of the first capture share
    second: int
    llr: float  # natural-log likelihood ratio: one make against two


@frozen(kw_only=True)
class Similarity:
    """How alike the boxes behind two captures are."""

    score: float  # probability that they are of one make; NaN when nothing can be compared
    llr: float  # natural-log likelihood ratio
    findings: tuple[int, int]  # of one class that were compared
    traits: tuple[Alike, ...]  # what speaks for and against, strongest first


def similarity(result_a: Any, result_b: Any) -> Similarity:
    """Say whether two captures show the same kind of box.

    Args:
        result_a: What `netinterf.scan` returned for one capture or several from one place.
        result_b: The same for another.

    Returns:
        The comparison of the class of findings (resets, content, certificates) in which most can be said.
    """
    sides = [[judged.ledger.attributions for judged in result.judged] for result in (result_a, result_b)]
    compared = [compare(kind, *(of_class(side, kind) for side in sides)) for kind in CLASSES]
    return max(compared, key=lambda comparison: (len(comparison.traits), abs(comparison.llr)))


def of_class(parts: list[FindingTraits], kind: str) -> I64:
    """Gather the traits of findings of one class."""
    values = [part.traits.value[np.isin(part.mechanism, CLASSES[kind])] for part in parts]
    return np.concatenate([np.empty((0, len(Trait)), np.int64), *values])


def compare(kind: str, first: I64, second: I64) -> Similarity:
    """Compare the findings of one class."""
    common = background()
    compared = []
    for trait in Trait:
        if trait in PLACE:
            continue
        value, other_value = chosen(first[:, trait]), chosen(second[:, trait])
        if UNKNOWN not in (value, other_value):
            llr = common.temper * gain(common, kind, trait, value, other_value)
            compared.append(Alike(trait=trait.name.lower(), first=value, second=other_value, llr=llr))
    total = sum(alike.llr for alike in compared)
    score = 1.0 / (1.0 + common.unknown * np.exp(-total)) if compared else np.nan
    return Similarity(
        score=float(score),
        llr=float(total),
        findings=(len(first), len(second)),
        traits=tuple(sorted(compared, key=lambda alike: -abs(alike.llr))),
    )


def chosen(value: I64) -> int:
    """Find the value that more than half of the findings that show a trait share; `UNKNOWN` when there is none."""
    values, counts = np.unique(value[value != UNKNOWN], return_counts=True)
    if not len(values) or counts.max() <= HALF * counts.sum():
        return UNKNOWN
    return int(values[counts.argmax()])


def gain(common: Background, kind: str, trait: Trait, first: int, second: int) -> float:
    """Weigh one trait: two boxes of one make agree as often as documented ones keep to their description."""
    if first != second:
        return float(np.log(1.0 - common.agreement))
    share = common.share.get(kind, {}).get(trait, {}).get(first, RAREST)
    return float(np.log(common.agreement / share + 1.0 - common.agreement))
