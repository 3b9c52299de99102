"""The vocabulary of the isolation analyzer: what each observation is called, says and weighs.

What speaks for a closed border weighs what the comparison of causes says (`causes`), up to the cap; it is about the
capture as a whole, so every attempt that the border stopped carries it, and groups do not count it again. Neither what
is silent abroad nor what answers at home says anything without the other, so each of the two carries half. What speaks
against a border is the harmless cause that explains the same better.
"""

import attrs

from netinterf.analyzers.base import family
from netinterf.schema import Rule

__all__ = ["LEAST", "MOST", "RULES", "SPARED", "TRIGGERED", "UNREACHED", "form_of", "harmless_of"]

DESIGN = "OONI 2019-11-23; Cloudflare 2026-01-13; net4people/bbs 561, 630"
LISTS = "net4people/bbs 516, 630; hyperion-cs/dpi-checkers"
PROTOCOLS = "Aryapour, arXiv:2507.14183"
CABLES = "Cloudflare and Kentik, Red Sea cables 2024"
OUTAGE = "OONI Web Connectivity specification; OONI 2019-11-23"

MOST = 10.0
"""Nats that one capture may say about its border: the cap of a group of rules."""

LEAST = -5.0
"""Nats by which a harmless cause may argue against it."""

TRIGGERED = {
    "drop": "tcp.drop",
    "connect": "tcp.connect.drop",
    "filter": "protocol.filter",
    "quic": "quic.drop",
    "dns": "dns.drop",
}
"""Mechanisms that strike at what somebody asks for: that all that lies abroad is struck alike speaks against them."""

SEEN = "silent", "tried", "systems", "answered", "home", "since", "until", "p"
SPAN = "from {since} s to {until} s of the capture"
isolated = family("reach", "reach.isolation")
listed = family("reach", "reach.isolation.allowlist")

FULL = isolated(
    "isolated", "border",
    "{silent} of {tried} networks abroad, in {systems} autonomous systems, gave no answer, and {answered} of {home} at "
    f"home did, {SPAN}",
    *SEEN, source=DESIGN, shared=True,
)  # fmt: skip
LISTED = listed(
    "listed", "border",
    "{silent} of {tried} networks abroad, in {systems} autonomous systems, were cut off ({opened} let handshakes "
    f"complete), {{passing}} passed, and {{answered}} of {{home}} at home answered, {SPAN}",
    *SEEN, "passing", "opened", source=LISTS, shared=True,
)  # fmt: skip
BY_PROTOCOL = listed(
    "protocols", "border",
    "only some protocols passed to networks abroad: {silent} of {tried}, in {systems} autonomous systems, gave no "
    f"answer in the others, and {{answered}} of {{home}} at home did, {SPAN}",
    *SEEN, "passing", "opened", source=PROTOCOLS, shared=True,
)  # fmt: skip

SPARED = isolated(
    "spared", "home", "{answered} of {home} networks at home answered meanwhile", "answered", "home", source=DESIGN,
    shared=True,
)  # fmt: skip

TOGETHER = isolated(
    "together", "border",
    "{silent} networks that answer at other times gave no answer together, and {steady} others did, "
    f"{SPAN}; without a table of networks nobody can say whether they lie abroad",
    "silent", "steady", "since", "until", source=DESIGN, shared=True,
)  # fmt: skip

UNREACHED = isolated(
    "unreached", "border",
    "{silent} networks whose web servers names led to never answered, and {steady} others did meanwhile; without a "
    "table of networks nobody can say whether they lie abroad",
    "silent", "steady", source=DESIGN, shared=True,
)  # fmt: skip

HARMLESS = {
    "line": isolated(
        "line", "border",
        "networks at home fared no better: {answered} of {home} answered while {silent} of {tried} abroad did not",
        "answered", "home", "silent", "tried", source=OUTAGE, shared=True,
    ),
    "dead": isolated(
        "dead", "border",
        "{silent} of {tried} networks abroad gave no answer, and destinations that are dead by themselves explain it",
        "silent", "tried", source="RFC 5461", shared=True,
    ),
    "overloaded": isolated(
        "overloaded", "border",
        "{silent} of {tried} networks abroad gave no answer and others did, as on an overloaded way",
        "silent", "tried", source="Anderson, arXiv:1306.4361", shared=True,
    ),
    "cut": isolated(
        "cut", "border",
        "{silent} of {tried} networks abroad gave no answer: whole autonomous systems, {systems} of them, as when a "
        "cable is cut or a hoster is down",
        "silent", "tried", "systems", source=CABLES, shared=True,
    ),
}  # fmt: skip


def assumed(known: Rule) -> Rule:
    """Make the twin of a rule for captures whose client is in no listed network: home is assumed."""
    says = known.says + "; which country is home was inferred from who answered"
    return attrs.evolve(known, id=known.id + "_assumed", says=says)


RULES: tuple[Rule, ...] = (
    FULL, LISTED, BY_PROTOCOL,
    *(assumed(known) for known in (FULL, LISTED, BY_PROTOCOL)),
    SPARED,
    TOGETHER, UNREACHED,
    *HARMLESS.values(),
    *(
        family("reach", mechanism)(
            f"untriggered_{name}", "trigger",
            "{silent} networks were struck alike, whatever was asked of them: no trigger",
            "silent", source=DESIGN, shared=True,
        )
        for name, mechanism in TRIGGERED.items()
    ),
)  # fmt: skip

FORMS = {"full": FULL.id, "listed": LISTED.id, "near": LISTED.id, "protocols": BY_PROTOCOL.id}
CAUSES = {
    "line": ("alike", "hosts", "line"),
    "dead": ("chosen", "stale", "tarpits"),
    "overloaded": ("degraded",),
    "cut": ("hoster", "cut"),
}


def form_of(closed: str) -> str:
    """Name the rule that tells of a kind of closed border."""
    return FORMS[closed]


def harmless_of(cause: str) -> str:
    """Name the rule that tells of a harmless cause."""
    return next(HARMLESS[name].id for name, causes in CAUSES.items() if cause in causes)
