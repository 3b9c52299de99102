"""The vocabulary for HTTP answers: headers and time as for FINs, and what the page itself shows.

Weights are natural-log likelihood ratios, where the fit (``python -m benchmarks fit``) begins. An answer is written by
the stack that wrote the greeting, so its header weighs as a FIN's does; pages of known makes also come from origins and
from pages about blocking, so a signature alone is no proof (one third of what Censored Planet flagged was none).
"""

from netinterf.analyzers.base import family
from netinterf.analyzers.forgery.writer import written_rules
from netinterf.schema import Rule

__all__ = ["RULES", "WEIGHTS"]

PLANET = "Sundara Raman et al., Censored Planet, CCS 2020; Citizen Lab, filtering-annotations"


rule = family("page", "http.blockpage")

TABLE: tuple[tuple[float, Rule], ...] = (
    (
        4.0,
        rule(
            "known",
            "content",
            "the page bears the mark of a known blocking product, operator or country",
            source=PLANET,
        ),
    ),
    (
        2.0,
        rule(
            "worded",
            "content",
            "the page says what block pages say",
            source=PLANET,
        ),
    ),
    (
        -4.0,
        rule(
            "harmless",
            "content",
            "the page is on a list of pages that are mistaken for block pages",
            source=PLANET,
        ),
    ),
    (
        2.0,
        rule(
            "headless",
            "content",
            "what answered the request has no status line: no server of HTTP/1 writes so",
            source="RFC 9112 §4",
        ),
    ),
    (
        5.0,
        rule(
            "one_id",
            "numbered",
            "{pages} answers to this client carry one and the same IP identification, which their servers do not use: "
            "one machine wrote them all",
            "pages",
            source="RFC 6864 §4.1; Citizen Lab, Bad Traffic, 2018",
            shared=True,
        ),
    ),
    (
        4.0,
        rule(
            "private",
            "target",
            "the page leads its reader to an address of no public service",
            source="Aryan et al., FOCI 2013",
        ),
    ),
    (
        1.0,
        rule(
            "elsewhere",
            "target",
            "the page leads its reader to another site, without TLS",
            source="Singh et al., WebSci 2020",
        ),
    ),
    (
        4.0,
        rule(
            "off_by_one",
            "ending",
            "what ends the connection acknowledges one byte more than the client had sent",
            source="Captures from Iran, 2025",
        ),
    ),
    (
        1.0,
        rule(
            "at_once",
            "ending",
            "the whole answer and the end of the connection came within {gap_ms} ms",
            "gap_ms",
            source="Bock et al., USENIX Security 2021",
        ),
    ),
    (
        5.0,
        rule(
            "alive_after",
            "aftermath",
            "the server sent new bytes {gap_ms} ms behind the end of stream that came with the answer",
            "gap_ms",
            source="RFC 9293 §3.6: nothing follows a FIN",
        ),
    ),
    (
        4.0,
        rule(
            "dead_after",
            "aftermath",
            "the client's end of the connection was never acknowledged after the answer",
            source="Captures from Iran, 2025",
        ),
    ),
    (
        3.0,
        rule(
            "made_alike",
            "make",
            "another page of this make was plainly written by somebody else than its server",
            source="Marczak et al., Bad Traffic, Citizen Lab 2018",
            shared=True,
        ),
    ),
    (
        3.0,
        rule(
            "contrast",
            "company",
            "{pages} pages of this make came under {names} names, and {others} other names got other answers",
            "pages",
            "names",
            "others",
            "selective",
            source="OONI Web Connectivity specification",
            shared=True,
        ),
    ),
    (
        -4.0,
        rule(
            "all_alike",
            "company",
            "every one of {names} names got a page of this make: a portal, a proxy or a filter on the "
            "client's own side",
            "names",
            "selective",
            source="RFC 8910",
            shared=True,
        ),
    ),
)

WEIGHTS: dict[str, float] = {known.id.removeprefix("page."): weight for weight, known in TABLE}
RULES: tuple[Rule, ...] = (*written_rules("page", "http.blockpage", "the answer"), *(known for _, known in TABLE))
