"""From questions that nobody answered to evidence about their exchanges."""

from typing import ClassVar

import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.dns_silence import rules
from netinterf.analyzers.dns_silence.controls import FEWEST, LEAST_TRIES, Controls, find_controls, worth_a_look
from netinterf.analyzers.dns_silence.lost_answers import find_lost_answers
from netinterf.analyzers.dns_silence.questions import Lookups, list_lookups
from netinterf.analyzers.signs import Cases, Measured, Sign, by_rule, record, sign, weight_of
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Evidence, Rule, SubjectKind
from netinterf.stats.rates import beta_binomial_tail
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

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


@frozen(kw_only=True)
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
        return join(
            [*self.silences(trace, lookups), *self.lost_answers(trace, lookups), Evidence.empty(rules=self.rules)]
        )

    def lost_answers(self, trace: Trace, lookups: Lookups) -> list[Evidence]:
        """Write down whose answers did not seem to arrive."""
        lost = find_lost_answers(trace, lookups, MOST)
        measured: Measured = {
            "repeats": lost.repeats, "others": lost.others, "repeated": lost.repeated, "selective": 1.0,
        }  # fmt: skip
        lost_sign = sign(rules.UNHEARD, True, measured, llr=lost.llr)
        return record(self, cases_of(trace, lost.exchange), by_rule([lost_sign]))

    def silences(self, trace: Trace, lookups: Lookups) -> list[Evidence]:
        """Write down which questions were met with silence, and what others say about them."""
        silent = worth_a_look(lookups, np.flatnonzero(lookups.silent))
        if not len(silent):
            return []
        signs = silence_signs(find_controls(lookups, silent), lookups.known[silent], lookups.servfail_norm[silent])
        return record(self, cases_of(trace, silent), by_rule(signs))


def cases_of(trace: Trace, exchange: I64) -> Cases:
    """Ask about exchanges, by the packets of their queries; the first stands for what was swallowed."""
    queries = trace.exchanges.queries.take(exchange)
    packets = Ragged(queries.offsets, trace.dns.packet[queries.values].astype(np.int32))
    first = packets.values[packets.offsets[:-1]]
    return Cases(
        subject=exchange, time=trace.packets.time[first], witness=packets, forged=first, kind=SubjectKind.EXCHANGE
    )


def silence_signs(controls: Controls, known: Mask, servfail_norm: Mask) -> list[Sign]:
    """Tell what speaks for a box or against one, for each silent question.

    Args:
        controls: What else was asked and answered.
        known: Names that are known to have such addresses.
        servfail_norm: Resolvers that say so when they reach no server of a name.
    """
    again = controls.tries >= LEAST_TRIES
    alive, down = again & (controls.answered_most >= FEWEST), again & (controls.silent > controls.answered)
    steady, never_later = (
        controls.intermittent <= UNANSWERED * (controls.intermittent + controls.answered_total),
        controls.later == 0,
    )
    spared = alive & ~down & steady
    gone, certain = (
        (controls.in_a_row >= FEWEST) & (controls.alive_later == 0),
        np.minimum(controls.row_surprise / MOST, 1.0),
    )
    telling = np.minimum(controls.surprise / CHANCE, 1.0)
    failing = telling * np.minimum(controls.lookups * FAILS_IN_SILENCE / weight_of(rules.SERVFAIL_NORM), 1.0)
    counts = {"answered": controls.answered_most, "silent": controls.silent}
    tries: Measured = {"tries": controls.tries, "selective": 1.0, **counts}
    unfailed = spared & never_later & (controls.failed == 0)
    confirmed = spared & known & (controls.confirmed > 0) & never_later
    return [
        sign(rules.UNANSWERED, alive, tries, llr=np.minimum(controls.surprise, MOST)),
        sign(rules.ELSEWHERE, spared & (controls.elsewhere > 0) & (controls.named_later == 0), strength=telling),
        sign(rules.KNOWN, confirmed, strength=telling),
        sign(rules.SERVFAIL_NORM, unfailed & servfail_norm, {"lookups": controls.lookups}, strength=failing),
        sign(rules.OVER_TCP, spared & (controls.over_tcp > 0) & never_later, strength=telling),
        sign(
            rules.ONLY_TCP,
            gone & (controls.streamed > 0) & (controls.cut_short == 0),
            {"silent": controls.in_a_row},
            strength=certain,
        ),
        sign(rules.OTHER_TYPE, spared & (controls.other_type > 0) & (controls.ever == 0), strength=telling),
        sign(
            rules.ALIKE,
            unfailed & (controls.alike > 1),
            {"domains": controls.alike, "tried": controls.domains},
            llr=dead_by_chance(controls, unfailed & (controls.alike > 1)),
        ),
        sign(rules.EVERYWHERE, spared & (controls.resolvers > 1), {"resolvers": controls.resolvers}, strength=telling),
        sign(rules.FAILED, again & (controls.failed > 0)),
        sign(rules.INTERMITTENT, again & ~never_later, {"answered": controls.later}),
        sign(rules.DOWN, down, counts),
    ]


def dead_by_chance(controls: Controls, where: Mask) -> F64:
    """Say how unlikely it is that so many domains of those asked for are dead, nats, up to `MOST`; 0 elsewhere.

    As far as loss is excluded by all that was asked about them: on a lossy way several domains go unanswered as well.
    """
    dead, asked = controls.alike[where], controls.domains[where]
    unlikely = np.zeros(len(where))
    unlikely[where] = np.minimum(-beta_binomial_tail(dead, np.maximum(asked, dead), *SILENT), MOST)
    lost = controls.vain * controls.surprise / np.maximum(controls.tries, 1)
    weight: F64 = unlikely * np.minimum(lost / CHANCE, 1.0)
    return weight
