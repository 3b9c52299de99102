"""From attempts to reach networks to evidence about those that a closed border stopped."""

from collections.abc import Sequence
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.isolation import rules
from netinterf.analyzers.isolation.attempts import Attempts, Origins
from netinterf.analyzers.isolation.closures import HINT, Closure, judge
from netinterf.analyzers.isolation.observed import Observed
from netinterf.analyzers.isolation.places import candidates, own_country, place
from netinterf.analyzers.isolation.spans import onset_p
from netinterf.analyzers.isolation.untabled import FEWEST_TOGETHER, fell_together, find_unreached
from netinterf.analyzers.signs import Cases, Sign, by_rule, each_once, record, sign
from netinterf.arrays import Mask
from netinterf.context.networks import country_code
from netinterf.context.outside import Outside
from netinterf.schema import Evidence, Rule, SubjectKind
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Isolation"]

Measured = dict[str, ArrayLike]


@frozen(kw_only=True)
class Isolation:
    """Find out whether somebody cut off what lies abroad, wholly or but for a list.

    What it looks for: networks abroad that give no answer, in many autonomous systems at once, while those at home do;
    handshakes that complete and are followed by nothing; protocols that pass while others do not.

    Why: a border that is closed writes no packets, and single silences have a thousand causes. All together they have
    few, and these differ in whom they spare.

    Also looks like this: dead hosts, lines that are down, firewalls without UDP, addresses without service, cut cables,
    overloaded ways, hosters that are down. Each is held against what was seen as an explanation of its own.

    References: OONI 2019-11-23; net4people/bbs 516, 561, 630; Aryapour, arXiv:2507.14183; Shin, Ramdas and Rinaldo,
    NEJSDS 2024; Killick et al., JASA 2012.
    """

    name: ClassVar[str] = "isolation"
    scope: ClassVar[Scope] = Scope.CAPTURE  # only all destinations together show a border
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    country: str = ""
    """Two letters of the country that is home; empty takes that of the client's network, or infers it."""

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down who could not be reached, and whether a closed border explains that best."""
        return join([self.conclude([self.observe(trace)], trace.outside), self.alone(trace)])

    def alone(self, trace: Trace, /) -> Evidence:
        """Write down what a client never reached, where nobody can say whether it lies abroad."""
        if trace.outside.networks or not len(trace.flows):
            return Evidence.empty(rules=self.rules)
        return join([*self.never_reached(trace), Evidence.empty(rules=self.rules)])

    def observe(self, trace: Trace, /) -> Observed:
        """List attempts to reach somebody, and their outcomes."""
        return Observed.of(trace)

    def conclude(self, observed: Sequence[Observed], outside: Outside, /) -> Evidence:
        """Write down which attempts a closed border explains best."""
        whole, nothing = Observed.joined(observed), Evidence.empty(rules=self.rules)
        passed = whole.attempts.passed
        if not (passed == 0).any() or not (passed == 1).any():  # then nothing is unreachable, or one direction missing
            return nothing
        whole = whole.in_time()
        if not outside.networks:
            return join([*self.by_behaviour(whole), nothing])
        attempts = place(whole, outside.networks)
        own = country_code(self.country.upper()) if self.country else own_country(whole, outside.networks)
        homes = candidates(attempts) if own is None else {own: 0.0}
        judged = [
            (attrs.evolve(judged, llr=judged.llr + likely), home)
            for home, likely in homes.items()
            if (judged := self.at_home(attempts, home)) is not None
        ]
        if not judged:
            return nothing
        closure, home = max(judged, key=lambda pair: pair[0].llr)
        p = onset_p(attempts, (attempts.country >= 0) & (attempts.country != home), closure.begins, closure.ends)
        return self.by_table(whole, closure, own is None, p)

    def at_home(self, attempts: Attempts, home: int) -> Closure | None:
        """Judge with one country as home."""
        known = attempts.country >= 0
        return judge(attempts, known & (attempts.country != home), known & (attempts.country == home))

    def by_table(self, observed: Observed, closure: Closure, assumed: bool, p: float) -> Evidence:
        """Write down what explains best that networks abroad gave no answer.

        Args:
            observed: The attempts.
            closure: What explains it.
            assumed: Whether it was inferred which country is home.
            p: Of the test whether anything changed; NaN where it was closed from the start.
        """
        began, until = observed.began, min(int(closure.ends[-1]), observed.ended)
        measured: Measured = {
            "silent": closure.silent, "tried": closure.tried, "systems": closure.systems, "answered": closure.answered,
            "home": closure.home, "passing": closure.passing, "opened": closure.opened,
            "since": (int(closure.begins[0]) - began) / 1e9, "until": (until - began) / 1e9, "p": p,
        }  # fmt: skip
        if closure.llr <= 0:
            harmless = measured_sign(rules.harmless_of(closure.match.harmless), max(closure.llr, rules.LEAST), measured)
            return join(self.write(observed.origins, closure.struck, [harmless]))
        form, worth = rules.form_of(closure.match.closed), min(closure.llr, rules.MOST)
        parts = [
            measured_sign(rules.ASSUMED[form] if assumed else form, worth / 2, measured),
            measured_sign(rules.SPARED, worth / 2, measured),
        ]
        tables = self.write(observed.origins, closure.struck, parts)
        return join(tables + self.untriggered(observed.origins, closure.struck, worth, closure.silent))

    def by_behaviour(self, observed: Observed) -> list[Evidence]:
        """Write down what fell silent together, where nobody can say whether it lies abroad."""
        tables: list[Evidence] = []
        for home in observed.by_home(FEWEST_TOGETHER):
            fallen = fell_together(home.attempts)
            if fallen is None:
                continue
            began, until = home.began, min(int(fallen.ends[-1]), home.ended)
            measured: Measured = {
                "silent": fallen.silent, "steady": fallen.steady, "since": (int(fallen.begins[0]) - began) / 1e9,
                "until": (until - began) / 1e9,
            }  # fmt: skip
            tables += self.write(home.origins, fallen.struck, [measured_sign(rules.TOGETHER, HINT, measured)])
            tables += self.untriggered(home.origins, fallen.struck, HINT, fallen.silent)
        return tables

    def never_reached(self, trace: Trace) -> list[Evidence]:
        """Write down web servers that never answered while others did, where nobody can say where they lie."""
        unreached = find_unreached(trace)
        if not len(unreached):
            return []
        worth = np.minimum(unreached.surprise, HINT)
        measured: Measured = {"silent": unreached.silent}
        cases = Cases(
            subject=unreached.flow,
            time=trace.packets.time[unreached.first],
            witness=each_once(unreached.first, unreached.last),
            forged=unreached.first,
        )
        signs = [
            measured_sign(rules.UNREACHED, worth, {**measured, "steady": unreached.steady}),
            *(measured_sign(rules.UNTRIGGERED[name], -worth, measured) for name in ("drop", "connect")),
        ]
        return record(self, cases, by_rule(signs))

    def untriggered(self, origins: Origins, struck: Mask, worth: float, silent: int) -> list[Evidence]:
        """Write down that what was asked for did not matter."""
        is_exchange = origins.kind == SubjectKind.EXCHANGE
        tables = []
        for name, rule in rules.UNTRIGGERED.items():
            where = struck & (is_exchange == (name == "dns"))
            tables += self.write(origins, where, [measured_sign(rule, -worth, {"silent": silent})])
        return tables

    def write(self, origins: Origins, where: Mask, signs: list[Sign]) -> list[Evidence]:
        """Write signs down for the attempts where they hold, each subject once."""
        pick = np.flatnonzero(where)
        _, first = np.unique(origins.kind[pick].astype(np.int64) << 32 | origins.subject[pick], return_index=True)
        pick = np.sort(pick[first])
        tables = []
        for kind in (SubjectKind.FLOW, SubjectKind.EXCHANGE):
            rows = pick[origins.kind[pick] == kind]
            cases = Cases(
                subject=origins.subject[rows],
                time=origins.since[rows],
                witness=each_once(origins.first[rows], np.maximum(origins.first[rows], origins.last[rows])),
                forged=origins.first[rows],
                kind=kind,
            )
            seen = [weightless(one, origins.filtered[rows]) for one in signs]
            tables += record(self, cases, by_rule(seen))
        return tables


def measured_sign(rule: Rule, llr: ArrayLike, measured: Measured) -> Sign:
    """Say something of all attempts that are asked about, with the numbers that the rule names."""
    return sign(rule, True, {name: value for name, value in measured.items() if name in rule.measures}, llr=llr)


def weightless(seen: Sign, filtered: Mask) -> Sign:
    """Take the weight from what speaks for interference where packets were left out on purpose."""
    return attrs.evolve(seen, llr=np.where(filtered, np.minimum(seen.llr, 0.0), seen.llr))
