"""How rules are declared: a family of rules about one thing, each rule once, with its twins in other families.

A rule (`netinterf.schema.Rule`) is everything that the library knows of one kind of observation but what a fit made of
its weight. Families only shorten its declaration: rules of one family begin with one prefix, speak for or against one
mechanism, and ask the same of a subject. A sign that means the same elsewhere, as a foreign hop limit does on a reset,
on a FIN and on a page, is declared once and has a twin in each family that can show it.

Detectors name rules by these declarations and never by their ids.
"""

from collections.abc import Iterable

import attrs

from netinterf.schema import Rule
from netinterf.values import frozen

__all__ = [
    "COMPANY",
    "GREETED_TWICE",
    "HOPS",
    "IDS",
    "MADE",
    "SKEWED",
    "STAMPS",
    "SWEPT",
    "TIMED",
    "Family",
]

HOPS, IDS, STAMPS, TIMED = "hops", "ids", "stamps", "timed"
"""Signals that some subjects lack: hop limits and IP IDs that nobody rewrote, timestamps that both ends agreed on, a
measured round trip. Where one is missing a rule that needs it says nothing, and was exposed to nothing."""

COMPANY, GREETED_TWICE, SWEPT = "company", "greeted twice", "swept"
"""What others must have done for a rule to speak: the client used its protocol elsewhere as well, a SYN drew two
answers, connections of a sweep of hop limits."""

MADE, SKEWED = "made", "skewed"
"""Kinds of recording that blind single rules (`netinterf.recording.blinds`)."""


@frozen(eq=False)
class Family:
    """Rules that begin with one prefix, for or against one mechanism.

    Attributes:
        prefix: What their ids begin with, with the dot: ``"rst."``.
        mechanism: In the words of the verdict format.
        exposed: What a subject must have shown for these rules to look at it (`Rule.exposed`).
        noun: What stands for ``{noun}`` in sentences that several families share.
        group: What their groups begin with; the prefix up to its dot when empty.
        was: What their ids began with before, if with something else.
    """

    prefix: str
    mechanism: str
    exposed: str = "any"
    noun: str = ""
    group: str = ""
    was: str = ""
    _declared: dict[str, Rule] = attrs.field(factory=dict, init=False, repr=False)
    _twins: dict[Rule, Rule] = attrs.field(factory=dict, init=False, repr=False)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What was declared so far, in that order."""
        return tuple(self._declared.values())

    def rule(
        self,
        name: str,
        group: str,
        weight: float | None,
        says: str,
        *measures: str,
        source: str | tuple[str, ...],
        mechanism: str = "",
        decisive: bool = False,
        shared: bool = False,
        needs: tuple[str, ...] = (),
        blind: tuple[str, ...] = (),
        leaves: str = "",
        twins: Iterable["Family"] = (),
        was: str = "",
    ) -> Rule:
        """Declare a rule; see `Rule` for what is not said here.

        Args:
            name: Its id behind the prefix.
            group: Its independence group behind the family's.
            weight: Nats at full strength; None where a test computes it.
            says: One sentence, with ``{measure}`` and ``{noun}``.
            *measures: Names of its numbers, in order.
            source: Where the sign and its weight come from.
            mechanism: Another than the family's.
            decisive: It may confirm on its own.
            shared: It is drawn from other subjects of the capture.
            needs: Signals without which it is blind.
            blind: Kinds of recording that blind it.
            leaves: Code of the reason for which a subject could not be looked at, where it says so.
            twins: Families that have the same sign.
            was: Its name before, if it had another.
        """
        plain = Rule(
            id=name,
            mechanism=mechanism or self.mechanism,
            group=group,
            says=says,
            measures=measures,
            weight=weight,
            decisive=decisive,
            references=(source,) if isinstance(source, str) else source,
            shared=shared,
            exposed=(*needs, *([COMPANY] if shared else [])),
            blind=blind,
            leaves=leaves,
            was=was,
        )
        declared = self._declare(plain)
        for family in twins:
            family._twins[declared] = family._declare(attrs.evolve(plain, mechanism=family.mechanism))
        return declared

    def adopt(self, other: "Family", *rules: Rule) -> None:
        """Declare twins of rules of a family without a mechanism: the same signs, for this one."""
        for rule in rules:
            name, group = rule.id.removeprefix(other.prefix), rule.group.removeprefix(f"{other.group_name}.")
            was = rule.was.removeprefix(other.prefix)
            plain = attrs.evolve(
                rule, id=name, group=group, mechanism=self.mechanism, exposed=rule.exposed[1:], was=was
            )
            self._twins[rule] = self._declare(plain)

    def _declare(self, plain: Rule) -> Rule:
        """Give a rule its full names, and keep it."""
        declared = attrs.evolve(
            plain,
            id=f"{self.prefix}{plain.id}",
            group=f"{self.group_name}.{plain.group}" if plain.group else self.group_name,
            says=plain.says.replace("{noun}", self.noun),
            exposed=(self.exposed, *plain.exposed),
            was=f"{self.was or self.prefix}{plain.was or plain.id}" if self.was or plain.was else "",
        )
        self._declared[plain.id] = declared
        return declared

    def of(self, rule: Rule) -> Rule | None:
        """Give this family's rule for a sign: the rule itself, its twin, or None where there is none."""
        return rule if self._declared.get(rule.id.removeprefix(self.prefix)) is rule else self._twins.get(rule)

    @property
    def group_name(self) -> str:
        """What groups of the family begin with."""
        return self.group or self.prefix.partition(".")[0]
