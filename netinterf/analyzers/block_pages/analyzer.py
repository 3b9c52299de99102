"""From odd or small HTTP answers to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.block_pages import rules
from netinterf.analyzers.block_pages.answers import Answers, find_answers
from netinterf.analyzers.block_pages.audience import Audience, find_audience, numbered_alike
from netinterf.analyzers.block_pages.content import Content, read_content
from netinterf.analyzers.block_pages.endings import ends_at_once, ends_off_by_one, goes_on_behind, left_alone
from netinterf.analyzers.forgery.followers import with_same_writer
from netinterf.analyzers.forgery.writer import written_signs
from netinterf.analyzers.signs import Cases, Measured, Sign, by_rule, record, sign, total, weakened
from netinterf.arrays import Mask
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["BlockPages"]

PLAIN = 5.0
"""Nats of time and header from which an answer was plainly written by somebody else: a premature one's weight."""

TELLING = 2.0
"""Nats from which an answer counts as somebody's page: that it closed at once, or leads elsewhere, is too little."""


@frozen(kw_only=True)
class BlockPages:
    """Find HTTP answers that somebody on the path wrote.

    What it looks for: answers that came before their claimed sender can have read the request, whose headers are not
    those of its greeting, that end the connection in ways no server does, or that say what known block pages say.

    Why: an injector sits elsewhere on the path and builds its packets from the request; a box in the path that answers
    in place of the server can hide all that, but not what it says.

    Also looks like this: redirects to TLS, errors of the origin or its delivery network, parked domains, pages about
    blocking, caches and portals on the client's own side. Lists and contrasts argue against.

    References: Jones et al., IMC 2014; Sundara Raman et al., CCS 2020, CoNEXT 2022; Bock et al., USENIX Security 2021.
    """

    name: ClassVar[str] = "block_pages"
    scope: ClassVar[Scope] = Scope.CAPTURE  # whether every name gets the same page shows in other flows
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the first answer of each HTTP conversation."""
        answers = find_answers(trace)
        if not len(answers):
            return Evidence.empty(rules=self.rules)
        content = read_content(trace, answers)
        written = written_signs(trace, answers.suspects)
        foreign = total(written, len(answers)) >= PLAIN
        alike = numbered_alike(trace, answers)
        same_id = sign(rules.ONE_ID, alike > 0, {"pages": alike})
        signs = written | by_rule([*content_signs(content), *ending_signs(trace, answers), same_id])
        heavy = sum((np.maximum(sign.llr, 0.0) for sign in signs.values()), np.zeros(len(answers)))
        telling = heavy >= TELLING
        audience = find_audience(trace, answers, content, telling, foreign)
        signs |= by_rule(audience_signs(audience, telling))
        suspect = (heavy > 0) | audience.made_alike
        tables = record(
            self,
            cases_of(trace, answers),
            {rule: beside_request(trace, answers, weakened(sign, suspect)) for rule, sign in signs.items()},
            rules.pages,
        )
        return join(tables or [Evidence.empty(rules=self.rules)])


def cases_of(trace: Trace, answers: Answers) -> Cases:
    """Ask about the packets that begin answers, and what follows them at once."""
    row = answers.suspects.row
    return Cases(
        subject=answers.suspects.flow, time=trace.packets.time[row], witness=row, forged=with_same_writer(trace, row)
    )


def beside_request(trace: Trace, answers: Answers, sign: Sign) -> Sign:
    """Show a sign beside the request that was answered, where it names no other packet."""
    request = trace.http.packet[answers.request].astype(np.int64)
    return attrs.evolve(sign, witness=request) if sign.witness is None else sign


def audience_signs(audience: Audience, telling: Mask) -> list[Sign]:
    """Tell whom pages of one make were shown to."""
    counts = {"pages": audience.pages, "others": audience.others, "names": audience.names}
    everybody: Measured = {"selective": 0.0, "names": audience.names}
    return [
        sign(rules.CONTRAST, audience.selective & telling, {"selective": 1.0, **counts}),
        sign(rules.MADE_ALIKE, audience.made_alike),
        sign(rules.ALL_ALIKE, audience.all_alike & telling, everybody),
    ]


def content_signs(content: Content) -> list[Sign]:
    """Tell what each page says."""
    return [
        sign(rules.KNOWN, content.known),
        sign(rules.WORDED, content.worded),
        sign(rules.HARMLESS, content.harmless),
        sign(rules.HEADLESS, content.headless),
        sign(rules.PRIVATE, content.private),
        sign(rules.ELSEWHERE, content.elsewhere & ~content.private),
    ]


def ending_signs(trace: Trace, answers: Answers) -> list[Sign]:
    """Tell how the connection ended after each answer."""
    gap, at_once = ends_at_once(trace, answers)
    since, after = goes_on_behind(trace, answers)
    return [
        sign(rules.ALIVE_AFTER, after >= 0, {"gap_ms": since}, witness=after),
        sign(rules.OFF_BY_ONE, ends_off_by_one(trace, answers)),
        sign(rules.AT_ONCE, at_once, {"gap_ms": gap}),
        sign(rules.DEAD_AFTER, left_alone(trace, answers)),
    ]
