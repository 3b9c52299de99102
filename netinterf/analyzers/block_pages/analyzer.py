"""From odd or small HTTP answers to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.block_pages.answers import Answers, find_answers
from netinterf.analyzers.block_pages.company import find_company
from netinterf.analyzers.block_pages.content import Content, read_content
from netinterf.analyzers.block_pages.endings import ends_at_once, ends_off_by_one, left_alone
from netinterf.analyzers.block_pages.rules import ONE_WRITER, RULES, WEIGHTS
from netinterf.analyzers.forgery.header import compare_headers
from netinterf.analyzers.forgery.timing import measure_timing
from netinterf.schema import Evidence, Rule
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["BlockPages"]

WRITER = ("ttl", "ttl_class", "no_timestamps", "ip_id", "df", "odd_window")
"""Header fields that all say the same thing: somebody else wrote it."""

TELLING = 2.0
"""Nats from which an answer counts as somebody's page: that it closed at once, or leads elsewhere, is too little."""

Signs = dict[str, tuple[NDArray[np.bool_], dict[str, ArrayLike]]]


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
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "sides", "rtts", "http"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the first answer of each HTTP conversation."""
        answers = find_answers(trace)
        if not len(answers):
            return Evidence.empty(rules=self.rules)
        content = read_content(trace, answers)
        signs = {**self.written(trace, answers), **said(content), **ended(trace, answers)}
        accusing = [shown & (WEIGHTS[f"page.{name}"] > 0) for name, (shown, _) in signs.items()]
        suspect = np.any(accusing, axis=0)
        heavy = np.sum([WEIGHTS[f"page.{name}"] * some for some, name in zip(accusing, signs, strict=True)], axis=0)
        company = find_company(trace, answers, content, heavy >= TELLING)
        signs |= {
            "contrast": (
                company.selective & (heavy >= TELLING),
                {"pages": company.pages, "names": company.names, "others": company.others, "selective": 1.0},
            ),
            "all_alike": (company.all_alike & (heavy >= TELLING), {"names": company.names, "selective": 0.0}),
        }
        share = device_share(signs)
        tables = [
            self.write(trace, answers, name, shown & suspect, told, share) for name, (shown, told) in signs.items()
        ]
        return join([table for table in tables if len(table)] or [Evidence.empty(rules=self.rules)])

    def written(self, trace: Trace, answers: Answers) -> Signs:
        """Tell who wrote each answer, by time and headers."""
        suspects = answers.suspects
        headers, timing = compare_headers(trace, suspects), measure_timing(trace, suspects)
        jump = np.where(headers.ttl_jump != 0, headers.ttl_jump, np.nan)
        telling = ~np.isnan(jump) & trace.facts.ttl_informative
        jumps = ~np.isnan(headers.ip_id_jump) & trace.facts.ip_id_informative
        times: dict[str, ArrayLike] = {
            "ratio": timing.ratio, "waited_ms": timing.ratio * timing.rtt / 1e6, "rtt_ms": timing.rtt / 1e6
        }  # fmt: skip
        return {
            "premature": (timing.premature, times),
            "nearer": (timing.nearer, times),
            "on_time": (timing.on_time, times),
            "ttl": (telling & ~headers.ttl_class, {"jump": jump}),
            "ttl_class": (telling & headers.ttl_class, {"jump": jump}),
            "no_timestamps": (headers.no_timestamps, {}),
            "ip_id": (jumps & ~headers.copied_id, {"distance": headers.ip_id_jump}),
            "copied_id": (headers.copied_id, {}),
            "df": (headers.fragment_flag, {}),
            "odd_window": (headers.odd_window, {}),
            "copied_window": (headers.copied_window, {}),
            "own_timestamps": (headers.own_timestamps, {}),
            "in_counter": (headers.in_counter, {}),
        }

    def write(
        self,
        trace: Trace,
        answers: Answers,
        name: str,
        shown: NDArray[np.bool_],
        measured: dict[str, ArrayLike],
        share: NDArray[np.float64],
    ) -> Evidence:
        """Write one rule down for the answers that show it."""
        pick = np.flatnonzero(shown)
        row = answers.suspects.row[pick]
        request = trace.http.packet[answers.request[pick]].astype(np.int64)
        witness = np.stack([request, row], axis=1).reshape(-1).astype(np.int32)
        return observe(
            self,
            f"page.{name}",
            subject=answers.suspects.flow[pick],
            time=trace.packets.time[row],
            llr=WEIGHTS[f"page.{name}"] * (share[pick] if name in WRITER else 1.0),
            forged=row,
            witness=Ragged.from_lengths(np.full(len(pick), 2), witness),
            measured={key: np.broadcast_to(value, (len(answers),))[pick] for key, value in measured.items()},
        )


def device_share(signs: Signs) -> NDArray[np.float64]:
    """Share of its weight that each header field keeps so that together they stay below `ONE_WRITER`."""
    total = np.sum([WEIGHTS[f"page.{name}"] * signs[name][0] for name in WRITER], axis=0)
    share: NDArray[np.float64] = np.minimum(1.0, ONE_WRITER / np.maximum(total, 1e-9))
    return share


def said(content: Content) -> Signs:
    """Tell what each page says."""
    return {
        "known": (content.known, {}),
        "worded": (content.worded, {}),
        "harmless": (content.harmless, {}),
        "private": (content.private, {}),
        "elsewhere": (content.elsewhere & ~content.private, {}),
    }


def ended(trace: Trace, answers: Answers) -> Signs:
    """Tell how the connection ended after each answer."""
    gap, at_once = ends_at_once(trace, answers)
    return {
        "off_by_one": (ends_off_by_one(trace, answers), {}),
        "at_once": (at_once, {"gap_ms": gap}),
        "dead_after": (left_alone(trace, answers), {}),
    }
