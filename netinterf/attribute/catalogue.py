"""The catalogue of documented systems: what each leaves on the wire, and where that is written.

``systems.json`` is written by hand from papers and reports; ``traits.json`` is counted by ``python -m benchmarks
attribution --fit`` on simulated systems: how common each trait is among systems at large, and how far a system is to be
trusted to show what is written of it.
"""

import fnmatch
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.attribute.trait import Trait
from netinterf.context.pages import signatures
from netinterf.mechanisms import MECHANISMS, Written
from netinterf.values import frozen

__all__ = ["CLASSES", "Background", "Feature", "System", "background", "class_of", "systems", "wanted_rules"]

CLASSES = {
    kind.value: tuple(record.path for record in MECHANISMS.values() if record.written is kind)
    for kind in Written
    if kind.value
}
"""What is common among resets is rare among pages: traits are counted for each class of mechanisms by itself."""


@frozen(kw_only=True)
class Feature:
    """One thing that is documented of a system."""

    says: str  # as a person reads it: "three RST/ACKs"
    source: str
    trait: Trait | None = None  # of packets; None for text and for rules
    low: int = 0  # values from low to high …
    high: int = -1
    values: tuple[int, ...] = ()  # … and these
    marks: tuple[bytes, ...] = ()  # one of these byte strings stands in what was sent
    pages: tuple[str, ...] = ()  # one of these signatures of the packaged lists matches it (shell patterns)
    rules: tuple[str, ...] = ()  # one of these observations was made
    key: bool = False  # whatever else fits, a finding that does not show it is of another system
    only: tuple[str, ...] = ()  # documented of findings with these mechanisms; empty for all

    def holds(self, value: I64) -> Mask:
        """Say of values of its trait whether they are as documented."""
        matches: Mask = (value >= self.low) & (value <= self.high)
        return matches | np.isin(value, self.values) if self.values else matches

    @property
    def is_text(self) -> bool:
        """Whether it is looked for in what the packets carried."""
        return bool(self.marks or self.pages)


@frozen(kw_only=True)
class System:
    """Something that interferes, as the literature describes it."""

    id: str  # country code or product, dot, name
    name: str
    country: str | None  # ISO 3166-1 code; None for products sold to many
    product: str | None
    years: str
    mechanisms: tuple[str, ...]  # words of the verdict format that a finding of it can have
    says: str
    features: tuple[Feature, ...]
    covers: tuple[str, ...] = ()  # documented variants that its marks do not tell apart


@frozen(eq=False, kw_only=True)
class Background:
    """How common traits are, whoever sent them: counted by ``python -m benchmarks attribution --fit``."""

    count: dict[str, int]  # systems that were counted, by class
    share: dict[str, dict[Trait, dict[int, float]]]  # of each value of a trait, mean over these systems, by class
    mass: dict[str, dict[str, tuple[float, ...]]]  # by system and class: how often others show each of its features
    agreement: float  # chance that a system shows what is documented of it
    temper: float  # what is left of the weight of each trait, since traits depend on each other
    unknown: float  # prior odds of an undocumented system against each documented one


def class_of(mechanism: str) -> str:
    """Name the class of a mechanism, empty for those whose findings have no packets to look at."""
    return next((kind for kind, words in CLASSES.items() if mechanism in words), "")


def feature_of(entry: dict[str, Any]) -> Feature:
    """Read one feature."""
    trait = Trait[entry["trait"].upper()] if "trait" in entry else None
    low, high = entry.get("range", (0, -1))
    return Feature(
        says=entry["says"],
        source=entry["source"],
        trait=trait,
        low=low,
        high=high,
        values=tuple(entry.get("is", ())),
        marks=tuple(mark.encode("latin-1") for mark in entry.get("marks", ())),
        pages=tuple(entry.get("pages", ())),
        rules=tuple(entry.get("rules", ())),
        key=entry.get("key", False),
        only=tuple(entry.get("only", ())),
    )


@cache
def pages_named(patterns: tuple[str, ...]) -> frozenset[str]:
    """Name the block pages of the packaged lists that shell patterns stand for."""
    if not patterns:
        return frozenset()
    wanted = re.compile("|".join(map(fnmatch.translate, patterns)))
    return frozenset(page.name for page in signatures() if page.blocks and wanted.match(page.name))


@cache
def systems() -> tuple[System, ...]:
    """Read the systems of the catalogue that ships with the library whose marks are described."""
    text = (files("netinterf.data") / "systems.json").read_text(encoding="utf-8")
    described = (entry for entry in json.loads(text)["systems"] if "features" in entry)
    return tuple(
        System(
            **{key: entry.get(key) for key in ("id", "name", "country", "product", "years", "says")},
            mechanisms=tuple(entry.get("found_as") or entry["mechanisms"]),
            features=tuple(map(feature_of, entry["features"])),
            covers=tuple(entry.get("covers", ())),
        )
        for entry in described
    )


@cache
def wanted_rules() -> tuple[str, ...]:
    """List the observations that the catalogue asks for."""
    return tuple(sorted({rule for system in systems() for feature in system.features for rule in feature.rules}))


@cache
def background() -> Background:
    """Read how common traits are."""
    data = json.loads((files("netinterf.data") / "traits.json").read_text(encoding="utf-8"))
    return Background(
        count=data["systems"],
        share={
            kind: {
                Trait[name.upper()]: {int(value): share for value, share in shares.items()}
                for name, shares in traits.items()
            }
            for kind, traits in data["share"].items()
        },
        mass={
            system: {kind: tuple(shares) for kind, shares in classes.items()}
            for system, classes in data["mass"].items()
        },
        agreement=data["agreement"],
        temper=data["temper"],
        unknown=data["unknown"],
    )
