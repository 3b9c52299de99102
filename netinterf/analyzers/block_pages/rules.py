"""The vocabulary for HTTP answers: headers and time as for FINs, and what the page itself shows.

Weights are natural-log likelihood ratios, where the fit (``python -m benchmarks fit``) begins. An answer is written by
the stack that wrote the greeting, so its header weighs as a FIN's does; pages of known makes also come from origins and
from pages about blocking, so a signature alone is no proof (one third of what Censored Planet flagged was none).
"""

from netinterf.analyzers.forgery.rules import WRITTEN, written
from netinterf.analyzers.vocabulary import IDS, SKEWED, Family

# fmt: off
__all__ = [
    "ALIVE_AFTER", "ALL_ALIKE", "AT_ONCE", "CONTRAST", "DEAD_AFTER", "ELSEWHERE", "HARMLESS", "HEADLESS", "KNOWN",
    "MADE_ALIKE", "OFF_BY_ONE", "ONE_ID", "PRIVATE", "RULES", "WORDED", "pages",
]

pages = Family("page.", "http.blockpage", exposed="page", noun="the answer")
pages.adopt(written, *WRITTEN)

PLANET = "Sundara Raman et al., Censored Planet, CCS 2020; Citizen Lab, filtering-annotations"

KNOWN = pages.rule(
    "known", "content", 4.0, "the page bears the mark of a known blocking product, operator or country", source=PLANET,
)
WORDED = pages.rule(
    "worded", "content", 2.0, "the page says what block pages say", source=PLANET,
)
HARMLESS = pages.rule(
    "harmless", "content", -4.0, "the page is on a list of pages that are mistaken for block pages", source=PLANET,
)
HEADLESS = pages.rule(
    "headless", "content", 2.0, "what answered the request has no status line: no server of HTTP/1 writes so",
    source="RFC 9112 §4",
)
ONE_ID = pages.rule(
    "one_id", "numbered", 5.0,
    "{pages} answers to this client carry one and the same IP identification, which their servers do not use: one "
    "machine wrote them all", "pages", source="RFC 6864 §4.1; Citizen Lab, Bad Traffic, 2018", shared=True,
    needs=(IDS,),
)
PRIVATE = pages.rule(
    "private", "target", 4.0, "the page leads its reader to an address of no public service",
    source="Aryan et al., FOCI 2013",
)
ELSEWHERE = pages.rule(
    "elsewhere", "target", 1.0, "the page leads its reader to another site, without TLS",
    source="Singh et al., WebSci 2020",
)
OFF_BY_ONE = pages.rule(
    "off_by_one", "ending", 4.0, "what ends the connection acknowledges one byte more than the client had sent",
    source="Captures from Iran, 2025",
)
AT_ONCE = pages.rule(
    "at_once", "ending", 1.0, "the whole answer and the end of the connection came within {gap_ms} ms", "gap_ms",
    source="Bock et al., USENIX Security 2021",
)
ALIVE_AFTER = pages.rule(
    "alive_after", "aftermath", 5.0,
    "the server sent new bytes {gap_ms} ms behind the end of stream that came with the answer", "gap_ms",
    source="RFC 9293 §3.6: nothing follows a FIN", blind=(SKEWED,),
)
DEAD_AFTER = pages.rule(
    "dead_after", "aftermath", 4.0, "the client's end of the connection was never acknowledged after the answer",
    source="Captures from Iran, 2025", blind=(SKEWED,),
)
MADE_ALIKE = pages.rule(
    "made_alike", "make", 3.0, "another page of this make was plainly written by somebody else than its server",
    source="Marczak et al., Bad Traffic, Citizen Lab 2018", shared=True,
)
CONTRAST = pages.rule(
    "contrast", "company", 3.0,
    "{pages} pages of this make came under {names} names, and {others} other names got other answers",
    "pages", "names", "others", "selective", source="OONI Web Connectivity specification", shared=True,
)
ALL_ALIKE = pages.rule(
    "all_alike", "company", -4.0,
    "every one of {names} names got a page of this make: a portal, a proxy or a filter on the client's own side",
    "names", "selective", source="RFC 8910", shared=True,
)
# fmt: on

RULES = pages.rules
