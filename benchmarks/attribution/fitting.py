"""Counting how common traits are, and how far what is documented of a system is to be trusted."""

import json
from collections import defaultdict
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.attribution.findings import Known
from benchmarks.machine import ROOT
from netinterf.arrays import I64, Mask
from netinterf.attribute.catalogue import CLASSES, Background, Feature, systems
from netinterf.attribute.score import Words, find_feature, posterior, score
from netinterf.attribute.similarity import RAREST
from netinterf.attribute.trait import UNKNOWN, Trait

__all__ = ["FILE", "UNDOCUMENTED", "answers", "count", "document", "likelihood", "tuned"]

FILE = ROOT / "netinterf" / "data" / "traits.json"

UNDOCUMENTED = "unknown"

AGREEMENTS = (0.7, 0.8, 0.85, 0.9, 0.95)
TEMPERS = (0.4, 0.6, 0.8, 1.0)
PRIORS = (1.0, 3.0, 10.0, 30.0, 100.0)


def answers(known: Known) -> Mask:
    """Say which entries of the catalogue are right about each finding.

    Right is what covers its system and its mechanism; what several boxes write together is covered by several entries.

    Returns:
        Shape (findings, systems and one more): the last column stands for systems that are not in the catalogue.
    """
    whose, word = np.array(known.system, np.str_), known.mechanism
    right = np.array(
        [np.isin(whose, (system.id, *system.covers)) & np.isin(word, system.mechanisms) for system in systems()]
    ).T.reshape(len(known), len(systems()))
    return np.column_stack([right, ~right.any(axis=1)])


def count(known: Known) -> Background:
    """Count how common every trait is, each system counting as much, and how often others show each feature."""
    system = np.array(known.system)
    share: dict[str, dict[Trait, dict[int, float]]] = {}
    counted: dict[str, int] = {}
    mass: dict[str, dict[str, tuple[float, ...]]] = defaultdict(dict)
    words = Words.of(known.traits.text)
    for kind, mechanisms in CLASSES.items():
        mine = np.isin(known.mechanism, mechanisms)
        names = np.unique(system[mine])
        counted[kind] = len(names)
        share[kind] = {trait: shares(known.traits.value[:, trait], mine, system) for trait in Trait}
        for entry in systems():
            if set(entry.mechanisms).isdisjoint(mechanisms):
                continue
            others = mine & ~np.isin(system, (entry.id, *entry.covers))
            mass[entry.id][kind] = tuple(
                round(others_show(feature, known, words, others, system), 5) for feature in entry.features
            )
    return Background(count=counted, share=share, mass=dict(mass), agreement=0.9, temper=1.0, unknown=1.0)


def shares(value: I64, mine: Mask, system: NDArray[np.str_]) -> dict[int, float]:
    """Mean share of each value over the systems that show the trait at all."""
    told = mine & (value != UNKNOWN)
    names = np.unique(system[told])
    found: dict[int, float] = defaultdict(float)
    for name in names:
        values, counts = np.unique(value[told & (system == name)], return_counts=True)
        for one, part in zip(values.tolist(), (counts / counts.sum()).tolist(), strict=True):
            found[one] += part / len(names)
    return {one: round(part, 4) for one, part in sorted(found.items()) if part >= RAREST}


def others_show(feature: Feature, known: Known, words: Words, others: Mask, system: NDArray[np.str_]) -> float:
    """Mean share of findings of other systems that show a feature; half a system more, since more will come."""
    told, seen = find_feature(feature, known.traits.value, known.rules, words)
    told &= others
    names = np.unique(system[told])
    total = sum(float(seen[told & (system == name)].mean()) for name in names)
    return (total + 0.5) / (len(names) + 1)


def likelihood(known: Known, right: Mask, common: Background) -> float:
    """Mean log-probability of the right answers, each system counting as much."""
    scores = score(known.traits, known.mechanism, known.rules, systems(), common)
    hit = np.maximum(np.sum(posterior(scores.llr, common)[scores.look] * right, axis=1), 1e-9)
    return float(np.average(np.log(hit), weights=known.weight))


def tuned(known: Known, common: Background) -> Background:
    """Find the agreement, temper and prior of the undocumented that make the right answers likeliest."""
    right = answers(known)
    tried = [
        attrs.evolve(common, agreement=agreement, temper=temper, unknown=unknown)
        for agreement in AGREEMENTS
        for temper in TEMPERS
        for unknown in PRIORS
    ]
    return max(tried, key=lambda one: likelihood(known, right, one))


def document(common: Background, seeds: str, captures: int) -> None:
    """Write what was counted as the file that ships with the library."""
    share = {
        kind: {trait.name.lower(): {str(one): part for one, part in found.items()} for trait, found in traits.items()}
        for kind, traits in common.share.items()
    }
    data: dict[str, Any] = {
        "source": f"python -m benchmarks attribution --fit: simulator, seeds {seeds}, {captures:,} captures",
        "agreement": common.agreement,
        "temper": common.temper,
        "unknown": common.unknown,
        "systems": common.count,
        "mass": common.mass,
        "share": share,
    }
    FILE.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")
