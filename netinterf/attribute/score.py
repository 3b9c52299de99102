"""How well findings fit each system of the catalogue, against a system that nobody has documented.

Each feature says how likely the system shows it (`Background.agreement`) and how common it is at large. A finding that
shows it speaks for the system by the ratio of the two, one that does not speaks against it, one of which it is not
known says nothing. The undocumented system has no features: it wins where nothing fits.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.attribute.catalogue import CLASSES, Background, Feature, System, pages_named, wanted_rules
from netinterf.attribute.trait import UNKNOWN, Traits
from netinterf.context.pages import match_pages
from netinterf.numbering import combined, numbered, numbered_text
from netinterf.pieces import gather
from netinterf.table import Ragged, Text
from netinterf.values import frozen

__all__ = ["Scores", "Words", "find_feature", "posterior", "score"]

PAGE = 4096
"""Bytes of text that are looked at: marks stand at the head of pages, and certificates are as long."""


@frozen(eq=False, kw_only=True)
class Scores:
    """How findings fit: most look like others, so one row per look, one column per system."""

    look: I64  # of each finding: the row of what it looks like
    llr: F64  # log-likelihood ratio against an undocumented system, -inf for another mechanism
    matches: tuple[Mask, ...]  # per system, shape (looks, features): the feature was seen

    @classmethod
    def none(cls) -> "Scores":
        """Hold nothing against the catalogue."""
        return cls(look=np.empty(0, np.int64), llr=np.empty((0, 0)), matches=())


class Mechanisms:
    """The mechanism of each finding, each different one looked at once."""

    def __init__(self, mechanism: NDArray[np.str_]) -> None:
        words = mechanism.tolist()
        self.different = {word: number for number, word in enumerate(dict.fromkeys(words))}
        self.which = np.array([self.different[word] for word in words], np.int64)

    def among(self, words: Iterable[str]) -> Mask:
        """Say of each finding whether its mechanism is one of some."""
        wanted = frozenset(words)
        found: Mask = np.array([word in wanted for word in self.different], np.bool_)[self.which]
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
    words = Words.of(traits.text)
    shown = (*traits.value.T, *rules.T, Mechanisms(mechanism).which, words.which)
    look, first = numbered(combined(*shown))
    value, rules, words, mechanisms = traits.value[first], rules[first], words.take(first), Mechanisms(mechanism[first])
    llr = np.zeros((len(first), len(catalogue)))
    matches = []
    for column, system in enumerate(catalogue):
        present = np.zeros((len(first), len(system.features)), np.bool_)
        matches.append(present)
        for place, feature in enumerate(system.features):
            asked = mechanisms.among(feature.only or system.mechanisms)
            if not asked.any():
                continue
            observable, present[:, place] = find_feature(feature, value, rules, words)
            observable &= asked
            present[:, place] &= observable
            if feature.key:
                llr[observable & ~present[:, place], column] = -np.inf
            llr[:, column] += np.where(observable, gain(system.id, place, present[:, place], mechanisms, common), 0.0)
        if system.id not in common.mass:  # nobody counted yet how often others look like it: it is never named
            llr[:, column] = -np.inf
        llr[~mechanisms.among(system.mechanisms), column] = -np.inf
    return Scores(look=look, llr=llr, matches=tuple(matches))


def gain(system: str, place: int, present: Mask, mechanisms: Mechanisms, common: Background) -> F64:
    """Weigh whether a feature was seen: how likely the system shows it, against how often others do."""
    result = np.full(len(present), np.log(1.0 - common.agreement))
    for kind, masses in common.mass.get(system, {}).items():
        ratio = common.agreement / masses[place] + 1.0 - common.agreement
        result[present & mechanisms.among(CLASSES[kind])] = np.log(ratio)
    return common.temper * result


def find_feature(feature: Feature, value: I64, rules: Mask, words: "Words") -> tuple[Mask, Mask]:
    """Say of each finding, by its traits, rules and words, whether a feature can be told, and whether it is there."""
    if feature.rules:
        columns = [wanted_rules().index(rule) for rule in feature.rules]
        return np.ones(len(value), np.bool_), np.any(rules[:, columns], axis=1)
    if feature.is_text:
        return words.there, words.hold(feature)
    assert feature.trait is not None
    column = value[:, feature.trait]
    return column != UNKNOWN, feature.holds(column) & (column != UNKNOWN)


@frozen(eq=False)
class Words:
    """What the packets of findings carried, each different text looked at once."""

    which: I64  # of each finding: the number of its text
    texts: "Texts"

    @classmethod
    def of(cls, text: Ragged) -> "Words":
        """Look at the heads of texts."""
        lengths = np.minimum(text.lengths, PAGE)
        cut = Text.from_lengths(lengths, gather(text.values, text.offsets[:-1], lengths))
        which, different = numbered_text(cut)
        return cls(which, Texts(different))

    def take(self, rows: I64) -> "Words":
        """Select findings."""
        return Words(self.which[rows], self.texts)

    @property
    def there(self) -> Mask:
        """Say which findings carried text."""
        return np.append(self.texts.different.lengths > 0, False)[self.which]

    def hold(self, feature: Feature) -> Mask:
        """Say of each finding whether its text holds a mark or matches a signature of *feature*."""
        return self.texts.hold(feature)[self.which]


class Texts:
    """Different texts."""

    def __init__(self, different: Text) -> None:
        self.different = different
        self.values = different.values.tobytes()

    @cached_property
    def names(self) -> list[frozenset[str]]:
        """Name the signatures that each text matches."""
        return [frozenset(page.name for page in pages) for pages in match_pages(self.different)]

    def hold(self, feature: Feature) -> Mask:
        """Say of each text whether it holds a mark or matches a signature of *feature*."""
        hit = np.zeros(len(self.different), np.bool_)
        for mark in feature.marks:
            hit[list(self.places(mark))] = True
        if feature.pages:
            wanted = pages_named(feature.pages)
            hit |= np.array([not wanted.isdisjoint(names) for names in self.names], np.bool_)
        return hit

    def places(self, mark: bytes) -> Iterator[int]:
        """Walk the texts that hold a mark, which most do not: all are searched as one."""
        offsets, at = self.different.offsets, self.values.find(mark)
        while at >= 0:
            row = int(np.searchsorted(offsets, at, side="right")) - 1
            if at + len(mark) <= offsets[row + 1]:
                yield row
                at = self.values.find(mark, int(offsets[row + 1]))
            else:  # it lies across the end of a text
                at = self.values.find(mark, at + 1)


def posterior(llr: F64, common: Background) -> F64:
    """Turn log-likelihood ratios (findings, systems) into probabilities; the last column is "undocumented"."""
    odds = np.concatenate([llr, np.full((len(llr), 1), np.log(common.unknown))], axis=1)
    shifted = np.exp(odds - odds.max(axis=1, keepdims=True))
    result: F64 = shifted / shifted.sum(axis=1, keepdims=True)
    return result
