"""Which documented systems findings look like: traits of their packets, held against the catalogue.

Only findings are looked at, and only those of mechanisms that leave packets of their own; silence has no handwriting.
"""

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.attribute.catalogue import CLASSES, background, systems, wanted_rules
from netinterf.attribute.naming import NOBODY, SURE, Names, name_findings
from netinterf.attribute.score import Scores, posterior, score
from netinterf.attribute.trait import Findings, Traits
from netinterf.attribute.traits import read_traits
from netinterf.schema import Evidence, Grade, Verdicts
from netinterf.values import frozen

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Appearance", "Attributed", "Attributions", "appearance_of", "attribute"]

POSSIBLE = tuple(Grade).index(Grade.POSSIBLE)

LEAST = 0.1
"""Systems less likely than this are not listed beside the likeliest: one in ten is no lead."""

PEERS = "what other findings of this mechanism show at the same client"
"""By what a finding is named that shows too little itself."""


@frozen(kw_only=True)
class Attributed:
    """A documented system that may have done it."""

    system: str  # id in the catalogue
    score: float  # probability that it is this one rather than another or an undocumented one
    matched: tuple[str, ...]  # what is documented of it and was seen


@frozen(eq=False, kw_only=True)
class Appearance:
    """What findings look like; aligned."""

    row: I64  # rows in Verdicts, ascending
    flow: I64  # rows in Flows
    mechanism: NDArray[np.str_]
    rules: Mask  # shape (findings, `wanted_rules`): the observation was made
    peers: I64  # findings of one mechanism at one client have one number
    traits: Traits


@frozen(eq=False, kw_only=True)
class Attributions:
    """How findings fit the catalogue."""

    row: I64  # rows in Verdicts, ascending
    scores: Scores
    names: Names
    traits: Traits
    mechanism: NDArray[np.str_]

    @classmethod
    def none(cls) -> "Attributions":
        """Hold no finding against the catalogue."""
        nothing, words = np.empty(0, np.int64), np.empty(0, np.str_)
        return cls(row=nothing, scores=Scores.none(), names=Names.none(), traits=Traits.none(), mechanism=words)

    def of(self, rows: I64) -> tuple[Attributed, ...]:
        """List the systems that verdicts look like, the likeliest first; empty when none is `SURE`.

        Several verdicts are taken together by the mean of their likelihood ratios, which holds however alike they are.
        Those that show too little are named by their peers (`name_findings`).
        """
        first, behind = np.searchsorted(self.row, rows), np.searchsorted(self.row, rows, side="right")
        place = first[behind > first]
        if not len(place):
            return ()
        look = self.scores.look[place]
        chance = self.alone[look[0]]
        if len(place) > 1:
            chance = posterior(self.scores.llr[look].mean(axis=0, keepdims=True), background())[0]
        if chance[:-1].max() <= SURE:
            return self.by_peers(place)
        order = np.argsort(-chance[:-1], kind="stable")
        return tuple(
            Attributed(system=systems()[index].id, score=float(chance[index]), matched=self.matched(index, place))
            for index in order.tolist()
            if chance[index] >= LEAST
        )

    def each(self, rows: I64) -> list[tuple[Attributed, ...]]:
        """List the systems that each verdict by itself looks like, once for those that look and are named alike."""
        place = np.minimum(np.searchsorted(self.row, rows), max(len(self.row) - 1, 0))
        listed: list[tuple[Attributed, ...]] = [()] * len(rows)
        there = np.flatnonzero(self.row[place] == rows) if len(self.row) else place[:0]
        names, shown = self.names, place[there]
        columns = (self.scores.look[shown], names.system[shown], names.chance[shown])
        for number, row, *key in zip(
            there.tolist(), shown.tolist(), *(column.tolist() for column in columns), strict=True
        ):
            if (look := tuple(key)) not in self.listed:
                self.listed[look] = self.of(self.row[row : row + 1])
            listed[number] = self.listed[look]
        return listed

    @cached_property
    def listed(self) -> dict[tuple[Any, ...], tuple[Attributed, ...]]:
        """What was listed of findings by themselves: by their look, and by the system that they are named after."""
        return {}

    @cached_property
    def alone(self) -> F64:
        """What each look by itself is like: probabilities, shape (looks, systems and none of them)."""
        return posterior(self.scores.llr, background())

    def by_peers(self, place: I64) -> tuple[Attributed, ...]:
        """Name findings by their peers, if all that are named are named alike."""
        named = set(self.names.system[place].tolist()) - {NOBODY}
        if len(named) != 1:
            return ()
        (system,) = named
        matched = (*self.matched(system, place), PEERS)
        return (Attributed(system=systems()[system].id, score=float(self.names.chance[place].mean()), matched=matched),)

    def matched(self, system: int, place: I64) -> tuple[str, ...]:
        """List what most of some findings show of a system, what others show most seldom first."""
        common = self.scores.matches[system][self.scores.look[place]].mean(axis=0) > 0.5
        return tuple(systems()[system].features[index].says for index in rarest_first(system) if common[index])


@cache
def rarest_first(system: int) -> tuple[int, ...]:
    """Order the features of a system by how seldom others show them."""
    masses = background().mass[systems()[system].id].values()
    return tuple(np.argsort(np.min(list(masses), axis=0), kind="stable").tolist())


def appearance_of(verdicts: Verdicts, evidence: Evidence, trace: "Trace") -> Appearance:
    """Read the traits of all findings whose mechanism leaves packets of its own."""
    leaves_packets = np.array(
        [any(word in words for words in CLASSES.values()) for word in verdicts.mechanisms] + [False]
    )
    row = np.flatnonzero((verdicts.grade <= POSSIBLE) & leaves_packets[verdicts.mechanism])
    findings = Findings(
        flow=verdicts.flow[row].astype(np.int64),
        forged=verdicts.forged.take(row),
        trigger=verdicts.trigger[row],
        trigger_packet=verdicts.trigger_packet[row].astype(np.int64),
    )
    observations = verdicts.evidence.take(row)
    owner, rule_row = observations.parents(), evidence.rule[observations.values]
    wanted = {rule: place for place, rule in enumerate(wanted_rules() if len(row) else ())}
    place = np.array([wanted.get(rule.id, -1) for rule in evidence.rules] or [-1])[rule_row]
    observed = np.zeros((len(row), len(wanted)), np.bool_)
    observed[owner[place >= 0], place[place >= 0]] = True
    return Appearance(
        row=row,
        flow=findings.flow,
        mechanism=np.array([*verdicts.mechanisms, ""])[verdicts.mechanism[row]],
        rules=observed,
        peers=trace.flows.client[findings.flow].astype(np.int64) << 8 | verdicts.mechanism[row],
        traits=read_traits(trace, findings),
    )


def attribute(verdicts: Verdicts, evidence: Evidence, trace: "Trace") -> Attributions:
    """Hold all findings against the catalogue."""
    if not (verdicts.grade <= POSSIBLE).any():
        return Attributions.none()
    appearance = appearance_of(verdicts, evidence, trace)
    scores, names = Scores.none(), Names.none()
    if len(appearance.row):  # the catalogue, with its lists of pages, is read when there is something to compare
        scores = score(appearance.traits, appearance.mechanism, appearance.rules, systems(), background())
        names = name_findings(scores.llr, scores.look, appearance.peers, background())
    return Attributions(
        row=appearance.row,
        scores=scores,
        names=names,
        traits=appearance.traits,
        mechanism=appearance.mechanism,
    )
