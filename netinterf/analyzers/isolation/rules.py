"""The vocabulary of the isolation analyzer: what each observation is called, says and weighs.

What speaks for a closed border weighs what the comparison of causes says (`causes`), up to the cap; it is about the
capture as a whole, so every attempt that the border stopped carries it, and groups do not count it again. Neither what
is silent abroad nor what answers at home says anything without the other, so each of the two carries half. What speaks
against a border is the harmless cause that explains the same better.
"""

import attrs

from netinterf.analyzers.vocabulary import Family
from netinterf.schema import Rule

# fmt: off
__all__ = [
    "ASSUMED", "BY_PROTOCOL", "CUT", "DEAD", "ISOLATED", "LEAST", "LINE", "LISTED", "MOST", "OVERLOADED", "RULES",
    "SPARED", "TOGETHER", "UNREACHED", "UNTRIGGERED", "borders", "form_of", "harmless_of", "lists",
]

borders = Family("reach.", "reach.isolation", exposed="opened")
lists = Family("reach.", "reach.isolation.allowlist", exposed="opened")

DESIGN = "OONI 2019-11-23; Cloudflare 2026-01-13; net4people/bbs 561, 630"
OPEN_TO_SOME = "net4people/bbs 516, 630; hyperion-cs/dpi-checkers"
ARYAPOUR = "Aryapour, arXiv:2507.14183"
CABLES = "Cloudflare and Kentik, Red Sea cables 2024"
OUTAGE = "OONI Web Connectivity specification; OONI 2019-11-23"

MOST = 10.0
"""Nats that one capture may say about its border: the cap of a group of rules."""

LEAST = -5.0
"""Nats by which a harmless cause may argue against it."""

SEEN = ("silent", "tried", "systems", "answered", "home", "since", "until", "p")

ISOLATED = borders.rule(
    "isolated", "border", None,
    "{silent} of {tried} networks abroad, in {systems} autonomous systems, gave no answer, and {answered} of {home} "
    "at home did, from {since} s to {until} s of the capture", *SEEN, source=DESIGN, shared=True,
)
LISTED = lists.rule(
    "listed", "border", None,
    "{silent} of {tried} networks abroad, in {systems} autonomous systems, were cut off ({opened} let handshakes "
    "complete), {passing} passed, and {answered} of {home} at home answered, from {since} s to {until} s of the "
    "capture", *SEEN, "passing", "opened", source=OPEN_TO_SOME, shared=True,
)
BY_PROTOCOL = lists.rule(
    "protocols", "border", None,
    "only some protocols passed to networks abroad: {silent} of {tried}, in {systems} autonomous systems, gave no "
    "answer in the others, and {answered} of {home} at home did, from {since} s to {until} s of the capture",
    *SEEN, "passing", "opened", source=ARYAPOUR, shared=True,
)
SPARED = borders.rule(
    "spared", "home", None, "{answered} of {home} networks at home answered meanwhile", "answered", "home",
    source=DESIGN, shared=True,
)
TOGETHER = borders.rule(
    "together", "border", None,
    "{silent} networks that answer at other times gave no answer together, and {steady} others did, from {since} s to "
    "{until} s of the capture; without a table of networks nobody can say whether they lie abroad",
    "silent", "steady", "since", "until", source=DESIGN, shared=True,
)
UNREACHED = borders.rule(
    "unreached", "border", None,
    "{silent} networks whose web servers names led to never answered, and {steady} others did meanwhile; without a "
    "table of networks nobody can say whether they lie abroad", "silent", "steady", source=DESIGN, shared=True,
)
LINE = borders.rule(
    "line", "border", None,
    "networks at home fared no better: {answered} of {home} answered while {silent} of {tried} abroad did not",
    "answered", "home", "silent", "tried", source=OUTAGE, shared=True,
)
DEAD = borders.rule(
    "dead", "border", None,
    "{silent} of {tried} networks abroad gave no answer, and destinations that are dead by themselves explain it",
    "silent", "tried", source="RFC 5461", shared=True,
)
OVERLOADED = borders.rule(
    "overloaded", "border", None,
    "{silent} of {tried} networks abroad gave no answer and others did, as on an overloaded way", "silent", "tried",
    source="Anderson, arXiv:1306.4361", shared=True,
)
CUT = borders.rule(
    "cut", "border", None,
    "{silent} of {tried} networks abroad gave no answer: whole autonomous systems, {systems} of them, as when a cable "
    "is cut or a hoster is down", "silent", "tried", "systems", source=CABLES, shared=True,
)
# fmt: on

ASSUMED: dict[Rule, Rule] = {
    known: attrs.evolve(
        known,
        id=f"{known.id}_assumed",
        says=f"{known.says}; which country is home was inferred from who answered",
    )
    for known in (ISOLATED, LISTED, BY_PROTOCOL)
}
"""Rules, and what they are called where the client is in no listed network: home is assumed."""

TRIGGERED = {
    "drop": "tcp.drop",
    "connect": "tcp.connect.drop",
    "filter": "protocol.filter",
    "quic": "quic.drop",
    "dns": "dns.drop",
}

UNTRIGGERED: dict[str, Rule] = {
    name: borders.rule(
        f"untriggered_{name}",
        "trigger",
        None,
        "{silent} networks were struck alike, whatever was asked of them: no trigger",
        "silent",
        source=DESIGN,
        mechanism=mechanism,
        shared=True,
    )
    for name, mechanism in TRIGGERED.items()
}
"""That all that lies abroad is struck alike speaks against what strikes at what somebody asks for."""

RULES = (*borders.rules, *lists.rules, *ASSUMED.values())

FORMS = {"full": ISOLATED, "listed": LISTED, "near": LISTED, "protocols": BY_PROTOCOL}
HARMLESS = {
    LINE: ("alike", "hosts", "line"),
    DEAD: ("chosen", "stale", "tarpits"),
    OVERLOADED: ("degraded",),
    CUT: ("hoster", "cut"),
}


def form_of(closed: str) -> Rule:
    """Name the rule that tells of a kind of closed border."""
    return FORMS[closed]


def harmless_of(cause: str) -> Rule:
    """Name the rule that tells of a harmless cause."""
    return next(rule for rule, causes in HARMLESS.items() if cause in causes)
