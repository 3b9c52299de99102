"""From questions that nobody answered to evidence about their exchanges."""

from typing import ClassVar

import attrs
import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.dns_silence import rules
from netinterf.analyzers.dns_silence.controls import FEWEST, LEAST_TRIES, Controls, look_around
from netinterf.analyzers.dns_silence.questions import Lookups, list_lookups
from netinterf.analyzers.dns_silence.unheard import find_unheard
from netinterf.analyzers.signs import Cases, Measured, Sign, gathered, record, sign, weight_of
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Evidence, Rule, SubjectKind
from netinterf.stats.rates import beta_binomial_tail
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["DnsSilence"]

UNANSWERED = 0.02
"""Share of other questions that a resolver may leave unanswered now and then and still be steady: that of healthy
neighbours (Brandhorst and Pras 2006, but for names that are never answered). One that limits answers leaves more."""

SILENT = (1.0, 49.0)
"""Beta distribution of the share of domains about which a resolver stays silent though it answers others: one in fifty,
with long tails, since dead zones come in company. Judgement: of 2,189 benign lookups in public captures none was asked
twice in vain beside others that were answered (rule of three: one in 730)."""

FAILS_IN_SILENCE = 3.1
"""Nats by which a lookup in vain speaks against dead servers at a public resolver: ln(67 / 3), of 67 lookups of a name
with dead servers that RIPE Atlas probes sent to 8.8.8.8 three timed out and the others drew SERVFAIL (S. Bortzmeyer,
postbank.de, 2019-11-14)."""

MOST = 6.0
"""Nats that so many silences in a row may carry: beyond that not chance decides but what its cause is."""

CHANCE = 11.5
"""Nats by which chance must be excluded for a contrast to weigh in full: losses that one question in 100,000 meets.
A contrast refutes that the name's servers are dead; it does not refute that this resolver's answers were lost."""


@attrs.frozen(kw_only=True)
class DnsSilence:
    """Find DNS questions that somebody swallowed.

    What it looks for: names about which a resolver stays silent while it answers about others, and that another
    resolver, TCP, or a question for another type brings an answer for; resolvers that all at once answer over TCP only;
    and, near the resolver, answers that did not seem to arrive.

    Why: a box that drops queries or answers by name leaves no packet of its own; what it cannot hide is whom it spares.

    Also looks like this: lost packets, a resolver that is down or limits its answers, and names whose own servers are
    dead, about which forwarders stay silent. Each has a contrast that argues against.

    References: Brandhorst and Pras 2006; OONI specification; Niaki et al., ICLab, IEEE S&P 2020.
    """

    name: ClassVar[str] = "dns_silence"
    scope: ClassVar[Scope] = Scope.CAPTURE  # only other questions show that a silence is no failure
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down which names were met with silence, and what speaks for a box or against one."""
        if len(trace.exchanges) == 0:
            return Evidence.empty(rules=self.rules)
        lookups = list_lookups(trace)
        return join([*self.silences(trace, lookups), *self.unheard(trace, lookups), Evidence.empty(rules=self.rules)])

    def unheard(self, trace: Trace, lookups: Lookups) -> list[Evidence]:
        """Write down whose answers did not seem to arrive."""
        found = find_unheard(trace, lookups, MOST)
        measured: Measured = {
            "repeats": found.repeats, "others": found.others, "repeated": found.repeated, "selective": 1.0,
        }  # fmt: skip
        lost = sign(rules.UNHEARD, True, measured, llr=found.llr)
        return record(self, asked(trace, found.exchange), gathered([lost]))

    def silences(self, trace: Trace, lookups: Lookups) -> list[Evidence]:
        """Write down which questions were met with silence, and what others say about them."""
        silent = np.flatnonzero(lookups.silent)
        if not len(silent):
            return []
        signs = silence_signs(look_around(lookups, silent), lookups.known[silent], lookups.candid[silent])
        return record(self, asked(trace, silent), gathered(signs))


def asked(trace: Trace, exchange: I64) -> Cases:
    """Ask about exchanges, by the packets of their queries; the first stands for what was swallowed."""
    queries = trace.exchanges.queries.take(exchange)
    packets = Ragged(queries.offsets, trace.dns.packet[queries.values].astype(np.int32))
    first = packets.values[packets.offsets[:-1]]
    return Cases(
        subject=exchange, time=trace.packets.time[first], witness=packets, forged=first, kind=SubjectKind.EXCHANGE
    )


def silence_signs(seen: Controls, known: Mask, candid: Mask) -> list[Sign]:
    """Tell what speaks for a box or against one, for each silent question.

    Args:
        seen: What else was asked and answered.
        known: Names that are known to have such addresses.
        candid: Resolvers that say so when they reach no server of a name.
    """
    again = seen.tries >= LEAST_TRIES
    alive, down = again & (seen.lit >= FEWEST), again & (seen.silent > seen.answered)
    steady, forsaken = seen.moods <= UNANSWERED * (seen.moods + seen.told), seen.later == 0
    spared = alive & ~down & steady
    gone, certain = (seen.in_a_row >= FEWEST) & (seen.lived_later == 0), np.minimum(seen.row_surprise / MOST, 1.0)
    telling = np.minimum(seen.surprise / CHANCE, 1.0)
    failing = telling * np.minimum(seen.lookups * FAILS_IN_SILENCE / weight_of(rules.SERVFAIL_NORM), 1.0)
    counts = {"answered": seen.lit, "silent": seen.silent}
    tries: Measured = {"tries": seen.tries, "selective": 1.0, **counts}
    unfailed = spared & forsaken & (seen.failed == 0)
    confirmed = spared & known & (seen.confirmed > 0) & forsaken
    return [
        sign(rules.UNANSWERED, alive, tries, llr=np.minimum(seen.surprise, MOST)),
        sign(rules.ELSEWHERE, spared & (seen.elsewhere > 0) & (seen.named_later == 0), strength=telling),
        sign(rules.KNOWN, confirmed, strength=telling),
        sign(rules.SERVFAIL_NORM, unfailed & candid, {"lookups": seen.lookups}, strength=failing),
        sign(rules.OVER_TCP, spared & (seen.over_tcp > 0) & forsaken, strength=telling),
        sign(
            rules.ONLY_TCP,
            gone & (seen.streamed > 0) & (seen.cut_short == 0),
            {"silent": seen.in_a_row},
            strength=certain,
        ),
        sign(rules.OTHER_TYPE, spared & (seen.other_type > 0) & (seen.ever == 0), strength=telling),
        sign(
            rules.ALIKE,
            unfailed & (seen.alike > 1),
            {"domains": seen.alike, "tried": seen.domains},
            llr=dead_by_chance(seen),
        ),
        sign(rules.EVERYWHERE, spared & (seen.resolvers > 1), {"resolvers": seen.resolvers}, strength=telling),
        sign(rules.FAILED, again & (seen.failed > 0)),
        sign(rules.INTERMITTENT, again & ~forsaken, {"answered": seen.later}),
        sign(rules.DOWN, down, counts),
    ]


def dead_by_chance(seen: Controls) -> F64:
    """Say how unlikely it is that so many domains of those asked for are dead, nats, up to `MOST`.

    As far as loss is excluded by all that was asked about them: on a lossy way several domains go unanswered as well.
    """
    unlikely = np.minimum(-beta_binomial_tail(seen.alike, np.maximum(seen.domains, seen.alike), *SILENT), MOST)
    lost = seen.vain * seen.surprise / np.maximum(seen.tries, 1)
    weight: F64 = unlikely * np.minimum(lost / CHANCE, 1.0)
    return weight
