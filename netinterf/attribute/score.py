"""How well findings fit each system of the catalogue, against a system that nobody has documented.

Each feature says how likely the system shows it (`Background.agreement`) and how common it is at large. A finding that
shows it speaks for the system by the ratio of the two, one that does not speaks against it, one of which it is not
known says nothing. The undocumented system has no features: it wins where nothing fits.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, Mask
from netinterf.attribute.catalogue import CLASSES, Background, Feature, System, wanted_rules
from netinterf.attribute.trait import UNKNOWN, Traits
from netinterf.context.pages import match_pages
from netinterf.table import Ragged

__all__ = ["Scores", "Words", "look", "posterior", "score"]

PAGE = 4096
"""Bytes of text that are looked at: marks stand at the head of pages, and certificates are as long."""


@attrs.frozen(eq=False, kw_only=True)
class Scores:
    """How findings fit; one row per finding, one column per system."""

    llr: F64  # log-likelihood ratio against an undocumented system, -inf for another mechanism
    shown: tuple[Mask, ...]  # per system, shape (findings, features): the feature was seen


def score(
    traits: Traits,
    mechanism: NDArray[np.str_],
    rules: Mask,
    known: tuple[System, ...],
    common: Background,
) -> Scores:
    """Hold findings against a catalogue.

    Args:
        traits: What their packets look like.
        mechanism: The mechanism of each.
        rules: Which of `wanted_rules` was observed of each, shape (findings, rules).
        known: The catalogue.
        common: How common traits are.
    """
    words = Words(traits.text)
    llr = np.zeros((len(traits), len(known)))
    shown = []
    for column, system in enumerate(known):
        seen = np.zeros((len(traits), len(system.features)), np.bool_)
        for place, feature in enumerate(system.features):
            told, seen[:, place] = look(feature, traits, rules, words)
            told &= np.isin(mechanism, feature.only or system.mechanisms)
            seen[:, place] &= told
            if feature.key:
                llr[told & ~seen[:, place], column] = -np.inf
            llr[:, column] += np.where(told, gain(system.id, place, seen[:, place], mechanism, common), 0.0)
        llr[~np.isin(mechanism, system.mechanisms), column] = -np.inf
        shown.append(seen)
    return Scores(llr=llr, shown=tuple(shown))


def gain(system: str, place: int, seen: Mask, mechanism: NDArray[np.str_], common: Background) -> F64:
    """Weigh whether a feature was seen: how likely the system shows it, against how often others do."""
    result = np.full(len(seen), np.log(1.0 - common.agreement))
    for kind, masses in common.mass[system].items():
        ratio = common.agreement / masses[place] + 1.0 - common.agreement
        result[seen & np.isin(mechanism, CLASSES[kind])] = np.log(ratio)
    return common.temper * result


def look(feature: Feature, traits: Traits, rules: Mask, words: "Words") -> tuple[Mask, Mask]:
    """Say of each finding whether a feature can be told, and whether it is there."""
    if feature.rules:
        asked = [wanted_rules().index(rule) for rule in feature.rules]
        return np.ones(len(traits), np.bool_), np.any(rules[:, asked], axis=1)
    if feature.is_text:
        return traits.text.lengths > 0, words.hold(feature)
    assert feature.trait is not None
    value = traits.value[:, feature.trait]
    return value != UNKNOWN, feature.holds(value) & (value != UNKNOWN)


class Words:
    """What the packets of findings carried, each different text looked at once."""

    def __init__(self, text: Ragged) -> None:
        found: dict[bytes, int] = {}
        self.which = np.array([found.setdefault(one.tobytes()[:PAGE], len(found)) for one in text], np.int64)
        self.texts = list(found)
        pages = match_pages(Ragged.of([np.frombuffer(one, np.uint8) for one in self.texts], np.uint8))
        self.names = [frozenset(signature.name for signature in one) for one in pages]

    def hold(self, feature: Feature) -> Mask:
        """Say of each finding whether its text holds a mark or matches a signature of *feature*."""
        wanted = frozenset(feature.pages)
        hit = [
            any(mark in text for mark in feature.marks) or not wanted.isdisjoint(names)
            for text, names in zip(self.texts, self.names, strict=True)
        ]
        result: Mask = np.array([*hit, False], np.bool_)[self.which]
        return result


def posterior(llr: F64, common: Background) -> F64:
    """Turn log-likelihood ratios (findings, systems) into probabilities; the last column is "undocumented"."""
    odds = np.concatenate([llr, np.full((len(llr), 1), np.log(common.unknown))], axis=1)
    shifted = np.exp(odds - odds.max(axis=1, keepdims=True))
    result: F64 = shifted / shifted.sum(axis=1, keepdims=True)
    return result
