"""How well findings fit each system of the catalogue, against a system that nobody has documented.

Each feature says how likely the system shows it (`Background.agreement`) and how common it is at large. A finding that
shows it speaks for the system by the ratio of the two, one that does not speaks against it, one of which it is not
known says nothing. The undocumented system has no features: it wins where nothing fits.
"""

from collections.abc import Iterable
from functools import cached_property

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, Mask
from netinterf.attribute.catalogue import CLASSES, Background, Feature, System, pages_named, wanted_rules
from netinterf.attribute.trait import UNKNOWN, Traits
from netinterf.context.pages import match_pages
from netinterf.numbering import numbered_text
from netinterf.pieces import gather
from netinterf.table import Ragged, Text

__all__ = ["Scores", "Words", "find_feature", "posterior", "score"]

PAGE = 4096
"""Bytes of text that are looked at: marks stand at the head of pages, and certificates are as long."""


@attrs.frozen(eq=False, kw_only=True)
class Scores:
    """How findings fit; one row per finding, one column per system."""

    llr: F64  # log-likelihood ratio against an undocumented system, -inf for another mechanism
    matches: tuple[Mask, ...]  # per system, shape (findings, features): the feature was seen


class Mechanisms:
    """The mechanism of each finding, each different one looked at once."""

    def __init__(self, mechanism: NDArray[np.str_]) -> None:
        self.different, self.which = np.unique(mechanism, return_inverse=True)

    def among(self, words: Iterable[str]) -> Mask:
        """Say of each finding whether its mechanism is one of some."""
        found: Mask = np.isin(self.different, list(words))[self.which]
        return found


def score(
    traits: Traits,
    mechanism: NDArray[np.str_],
    rules: Mask,
    catalogue: tuple[System, ...],
    common: Background,
) -> Scores:
    """Hold findings against a catalogue.

    Args:
        traits: What their packets look like.
        mechanism: The mechanism of each.
        rules: Which of `wanted_rules` was observed of each, shape (findings, rules).
        catalogue: The systems that are documented.
        common: How common traits are.
    """
    words, mechanisms = Words(traits.text), Mechanisms(mechanism)
    llr = np.zeros((len(traits), len(catalogue)))
    matches = []
    for column, system in enumerate(catalogue):
        present = np.zeros((len(traits), len(system.features)), np.bool_)
        matches.append(present)
        for place, feature in enumerate(system.features):
            asked = mechanisms.among(feature.only or system.mechanisms)
            if not asked.any():
                continue
            observable, present[:, place] = find_feature(feature, traits, rules, words)
            observable &= asked
            present[:, place] &= observable
            if feature.key:
                llr[observable & ~present[:, place], column] = -np.inf
            llr[:, column] += np.where(observable, gain(system.id, place, present[:, place], mechanisms, common), 0.0)
        if system.id not in common.mass:  # nobody counted yet how often others look like it: it is never named
            llr[:, column] = -np.inf
        llr[~mechanisms.among(system.mechanisms), column] = -np.inf
    return Scores(llr=llr, matches=tuple(matches))


def gain(system: str, place: int, present: Mask, mechanisms: Mechanisms, common: Background) -> F64:
    """Weigh whether a feature was seen: how likely the system shows it, against how often others do."""
    result = np.full(len(present), np.log(1.0 - common.agreement))
    for kind, masses in common.mass.get(system, {}).items():
        ratio = common.agreement / masses[place] + 1.0 - common.agreement
        result[present & mechanisms.among(CLASSES[kind])] = np.log(ratio)
    return common.temper * result


def find_feature(feature: Feature, traits: Traits, rules: Mask, words: "Words") -> tuple[Mask, Mask]:
    """Say of each finding whether a feature can be told, and whether it is there."""
    if feature.rules:
        columns = [wanted_rules().index(rule) for rule in feature.rules]
        return np.ones(len(traits), np.bool_), np.any(rules[:, columns], axis=1)
    if feature.is_text:
        return traits.text.lengths > 0, words.hold(feature)
    assert feature.trait is not None
    value = traits.value[:, feature.trait]
    return value != UNKNOWN, feature.holds(value) & (value != UNKNOWN)


class Words:
    """What the packets of findings carried, each different text looked at once."""

    def __init__(self, text: Ragged) -> None:
        lengths = np.minimum(text.lengths, PAGE)
        cut = Text.from_lengths(lengths, gather(text.values, text.offsets[:-1], lengths))
        self.which, different = numbered_text(cut)
        self.texts, self.different = [different.bytes(row) for row in range(len(different))], different

    @cached_property
    def names(self) -> list[frozenset[str]]:
        """Name the signatures that each text matches."""
        return [frozenset(page.name for page in pages) for pages in match_pages(self.different)]

    def hold(self, feature: Feature) -> Mask:
        """Say of each finding whether its text holds a mark or matches a signature of *feature*."""
        hit = [any(mark in text for mark in feature.marks) for text in self.texts]
        if feature.pages:
            wanted = pages_named(feature.pages)
            hit = [marked or not wanted.isdisjoint(names) for marked, names in zip(hit, self.names, strict=True)]
        result: Mask = np.array([*hit, False], np.bool_)[self.which]
        return result


def posterior(llr: F64, common: Background) -> F64:
    """Turn log-likelihood ratios (findings, systems) into probabilities; the last column is "undocumented"."""
    odds = np.concatenate([llr, np.full((len(llr), 1), np.log(common.unknown))], axis=1)
    shifted = np.exp(odds - odds.max(axis=1, keepdims=True))
    result: F64 = shifted / shifted.sum(axis=1, keepdims=True)
    return result
