"""From odd or small HTTP answers to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.block_pages.answers import Answers, find_answers
from netinterf.analyzers.block_pages.company import find_company, numbered_alike
from netinterf.analyzers.block_pages.content import Content, read_content
from netinterf.analyzers.block_pages.endings import ends_at_once, ends_off_by_one, goes_on_behind, left_alone
from netinterf.analyzers.block_pages.rules import RULES, WEIGHTS
from netinterf.analyzers.forgery.follow import with_followers
from netinterf.analyzers.forgery.suspects import couples
from netinterf.analyzers.forgery.writer import Signs, written_signs
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace

__all__ = ["BlockPages"]

PLAIN = 5.0
"""Nats of time and header from which an answer was plainly written by somebody else: a premature one's weight."""

TELLING = 2.0
"""Nats from which an answer counts as somebody's page: that it closed at once, or leads elsewhere, is too little."""


Sign = tuple[NDArray[np.float64], dict[str, NDArray[np.float64]], NDArray[np.int64] | None]


@attrs.frozen(kw_only=True)
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
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "sides", "rtts", "tls", "http"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the first answer of each HTTP conversation."""
        answers = find_answers(trace)
        if not len(answers):
            return Evidence.empty(rules=self.rules)
        content = read_content(trace, answers)
        written = written_signs(trace, answers.suspects)
        foreign = sum((llr for llr, _, _ in written.values()), np.zeros(len(answers))) >= PLAIN
        alike = numbered_alike(trace, answers)
        signs = {**written, **said(content), **ended(trace, answers), "one_id": weigh("one_id", alike > 0, pages=alike)}
        heavy = sum((np.maximum(llr, 0.0) for llr, _, _ in signs.values()), np.zeros(len(answers)))
        telling = heavy >= TELLING
        company = find_company(trace, answers, content, telling, foreign)
        names = {"names": company.names.astype(np.float64)}
        counts = {"pages": company.pages.astype(np.float64), "others": company.others.astype(np.float64), **names}
        signs |= {
            "contrast": weigh("contrast", company.selective & telling, selective=1.0, **counts),
            "made_alike": weigh("made_alike", company.made_alike),
            "all_alike": weigh("all_alike", company.all_alike & telling, selective=0.0, **names),
        }
        suspect = (heavy > 0) | company.made_alike
        tables = [
            self.write(trace, answers, name, (np.where(suspect, llr, 0.0), told, shown))
            for name, (llr, told, shown) in signs.items()
        ]
        return join([table for table in tables if len(table)] or [Evidence.empty(rules=self.rules)])

    def write(
        self,
        trace: Trace,
        answers: Answers,
        name: str,
        sign: Sign,
    ) -> Evidence:
        """Write one rule down for the answers that show it, beside what shows it, else beside their request."""
        llr, measured, shown = sign
        pick = np.flatnonzero(llr)
        row = answers.suspects.row[pick]
        request = trace.http.packet[answers.request[pick]].astype(np.int64)
        return observe(
            self,
            f"page.{name}",
            subject=answers.suspects.flow[pick],
            time=trace.packets.time[row],
            llr=llr[pick],
            forged=with_followers(trace, row),
            witness=couples(row, request if shown is None else shown[pick]),
            measured={key: value[pick] for key, value in measured.items()},
        )


def weigh(name: str, shown: NDArray[np.bool_], **measured: ArrayLike) -> Sign:
    """Give the rule's weight where it shows, with what was measured."""
    return (
        np.where(shown, WEIGHTS[name], 0.0),
        {key: np.broadcast_to(np.asarray(value, np.float64), (len(shown),)) for key, value in measured.items()},
        None,
    )


def said(content: Content) -> Signs:
    """Tell what each page says."""
    return {
        "known": weigh("known", content.known),
        "worded": weigh("worded", content.worded),
        "harmless": weigh("harmless", content.harmless),
        "headless": weigh("headless", content.headless),
        "private": weigh("private", content.private),
        "elsewhere": weigh("elsewhere", content.elsewhere & ~content.private),
    }


def ended(trace: Trace, answers: Answers) -> Signs:
    """Tell how the connection ended after each answer."""
    gap, at_once = ends_at_once(trace, answers)
    since, after = goes_on_behind(trace, answers)
    llr, measured, _ = weigh("alive_after", after >= 0, gap_ms=since)
    return {
        "alive_after": (llr, measured, after),
        "off_by_one": weigh("off_by_one", ends_off_by_one(trace, answers)),
        "at_once": weigh("at_once", at_once, gap_ms=gap),
        "dead_after": weigh("dead_after", left_alone(trace, answers)),
    }
