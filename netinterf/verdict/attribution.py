"""Which documented systems findings look like: traits of their packets, held against the catalogue.

Only findings are looked at, and only those of mechanisms that leave packets of their own; silence has no handwriting.
"""

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.attribute.catalogue import CLASSES, background, systems, wanted_rules
from netinterf.attribute.naming import NOBODY, SURE, Names, name_findings
from netinterf.attribute.score import posterior, score
from netinterf.attribute.trait import Finding, Traits
from netinterf.attribute.traits import read_traits
from netinterf.schema import Evidence, Grade, Verdicts

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Attributed", "Attributions", "Look", "attribute", "look_at"]

POSSIBLE = tuple(Grade).index(Grade.POSSIBLE)

LEAST = 0.1
"""Systems less likely than this are not listed beside the likeliest: one in ten is no lead."""

COMPANY = "what other findings of this mechanism show at the same client"
"""By what a finding is named that shows too little itself."""


@attrs.frozen(kw_only=True)
class Attributed:
    """A documented system that may have done it."""

    system: str  # id in the catalogue
    score: float  # probability that it is this one rather than another or an undocumented one
    matched: tuple[str, ...]  # what is documented of it and was seen


@attrs.frozen(eq=False, kw_only=True)
class Look:
    """What findings look like; aligned."""

    row: I64  # rows in Verdicts, ascending
    flow: I64  # rows in Flows
    mechanism: NDArray[np.str_]
    rules: Mask  # shape (findings, `wanted_rules`): the observation was made
    company: I64  # findings of one mechanism at one client have one number
    traits: Traits


@attrs.frozen(eq=False, kw_only=True)
class Attributions:
    """How findings fit the catalogue."""

    row: I64  # rows in Verdicts, ascending
    llr: F64  # shape (findings, systems)
    shown: tuple[Mask, ...]  # per system, shape (findings, features)
    names: Names
    traits: Traits
    mechanism: NDArray[np.str_]

    def of(self, rows: I64) -> tuple[Attributed, ...]:
        """List the systems that verdicts look like, the likeliest first; empty when none is `SURE`.

        Several verdicts are taken together by the mean of their likelihood ratios, which holds however alike they are.
        Those that show too little are named by their company (`name_findings`).
        """
        place = np.searchsorted(self.row, rows)
        place = place[(place < len(self.row)) & (np.append(self.row, -1)[place] == rows)]
        if not len(place):
            return ()
        mean = self.llr[place].mean(axis=0, keepdims=True)
        chance = posterior(mean, background())[0]
        if chance[:-1].max() <= SURE:
            return self.by_company(place)
        order = np.argsort(-chance[:-1], kind="stable")
        return tuple(
            Attributed(system=systems()[one].id, score=float(chance[one]), matched=self.matched(one, place))
            for one in order.tolist()
            if chance[one] >= LEAST
        )

    def by_company(self, place: I64) -> tuple[Attributed, ...]:
        """Name findings by their company, if all that are named are named alike."""
        named = np.unique(self.names.system[place])
        named = named[named != NOBODY]
        if len(named) != 1:
            return ()
        one = int(named[0])
        seen = (*self.matched(one, place), COMPANY)
        return (Attributed(system=systems()[one].id, score=float(self.names.chance[place].mean()), matched=seen),)

    def matched(self, system: int, place: I64) -> tuple[str, ...]:
        """List what most of some findings show of a system, what others show most seldom first."""
        features, masses = systems()[system].features, background().mass[systems()[system].id].values()
        rarest = np.min(list(masses), axis=0)
        seen = self.shown[system][place].mean(axis=0) > 0.5
        return tuple(features[one].says for one in np.argsort(rarest, kind="stable").tolist() if seen[one])


def look_at(verdicts: Verdicts, evidence: Evidence, trace: "Trace") -> Look:
    """Read the traits of all findings whose mechanism leaves packets of its own."""
    telling = np.array([any(word in words for words in CLASSES.values()) for word in verdicts.mechanisms] + [False])
    row = np.flatnonzero((verdicts.grade <= POSSIBLE) & telling[verdicts.mechanism])
    found = Finding(
        flow=verdicts.flow[row].astype(np.int64),
        forged=verdicts.forged.take(row),
        trigger=verdicts.trigger[row],
        trigger_packet=verdicts.trigger_packet[row].astype(np.int64),
    )
    held = verdicts.evidence.take(row)
    owner, rule = held.parents(), evidence.rule[held.values]
    names = np.array([known.id for known in evidence.rules] or [""])
    asked = wanted_rules() if len(row) else ()
    seen = np.zeros((len(row), len(asked)), np.bool_)
    for place, wanted in enumerate(asked):
        seen[owner[names[rule] == wanted], place] = True
    return Look(
        row=row,
        flow=found.flow,
        mechanism=np.array([*verdicts.mechanisms, ""])[verdicts.mechanism[row]],
        rules=seen,
        company=trace.flows.client[found.flow].astype(np.int64) << 8 | verdicts.mechanism[row],
        traits=read_traits(trace, found),
    )


def attribute(verdicts: Verdicts, evidence: Evidence, trace: "Trace") -> Attributions:
    """Hold all findings against the catalogue."""
    look = look_at(verdicts, evidence, trace)
    llr, shown, names = np.empty((0, 0)), tuple[Mask, ...](), Names.none()
    if len(look.row):  # the catalogue, with its lists of pages, is read when there is something to compare
        scores = score(look.traits, look.mechanism, look.rules, systems(), background())
        llr, shown = scores.llr, scores.shown
        names = name_findings(llr, look.company, background())
    return Attributions(row=look.row, llr=llr, shown=shown, names=names, traits=look.traits, mechanism=look.mechanism)
