"""The vocabulary for HTTP answers: headers and time as for FINs, and what the page itself shows.

Weights are natural-log likelihood ratios, where the fit (``python -m benchmarks fit``) begins. An answer is written by
the stack that wrote the greeting, so its header weighs as a FIN's does; pages of known makes also come from origins and
from pages about blocking, so a signature alone is no proof (one third of what Censored Planet flagged was none).
"""

from netinterf.schema import Rule

__all__ = ["ONE_WRITER", "RULES", "WEIGHTS"]

ONE_WRITER = 6.0
"""What all header fields together may say: they stand for one thing, that somebody else wrote it."""

CENTRACE = "Sundara Raman et al., CenTrace, CoNEXT 2022"
PLANET = "Sundara Raman et al., Censored Planet, CCS 2020; Citizen Lab, filtering-annotations"
WEAVER = "Weaver, Sommer, Paxson: Detecting Forged TCP Reset Packets, NDSS 2009"
TIMES = ("ratio", "waited_ms", "rtt_ms")


def rule(name: str, group: str, says: str, *measures: str, source: str, shared: bool = False) -> Rule:
    """Shorten the declaration of one rule of this analyzer."""
    return Rule(
        id=f"page.{name}",
        mechanism="http.blockpage",
        group=f"page.{group}",
        says=says,
        measures=measures,
        references=(source,),
        shared=shared,
    )


TABLE: tuple[tuple[float, Rule], ...] = (
    (
        5.0,
        rule(
            "premature",
            "timing",
            "an answer acknowledged the request {waited_ms} ms after it was sent, although the round trip "
            "to its claimed sender takes {rtt_ms} ms: somebody nearer wrote it",
            *TIMES,
            source="Causality; RFC 9293 §3.4",
        ),
    ),
    (
        3.0,
        rule(
            "nearer",
            "timing",
            "the answer came after {waited_ms} ms, faster than anything else from its claimed sender ({rtt_ms} ms)",
            *TIMES,
            source="Causality",
        ),
    ),
    (
        -0.4,
        rule(
            "on_time",
            "timing",
            "the answer took {waited_ms} ms, as long as its sender's other packets ({rtt_ms} ms)",
            *TIMES,
            source="Causality: an injector nearer than the server need not wait",
        ),
    ),
    (
        3.0,
        rule(
            "ttl",
            "ttl",
            "the answer's hop limit is off its sender's by {jump}",
            "jump",
            source=WEAVER,
        ),
    ),
    (
        3.0,
        rule(
            "ttl_class",
            "ttl",
            "the answer's hop limit started from another value than its sender's: off by {jump}",
            "jump",
            source=WEAVER,
        ),
    ),
    (
        5.0,
        rule(
            "no_timestamps",
            "options",
            "the answer lacks the TCP timestamps that both ends had agreed on",
            source="RFC 7323 §3.2",
        ),
    ),
    (
        2.0,
        rule(
            "ip_id",
            "ip_id",
            "the answer's IP ID is {distance} away from its sender's counter",
            "distance",
            source=CENTRACE,
        ),
    ),
    (
        3.0,
        rule(
            "copied_id",
            "ip_id",
            "the answer's IP ID is copied from the request",
            source=CENTRACE,
        ),
    ),
    (
        1.5,
        rule(
            "df",
            "df",
            "the answer's don't-fragment flag differs from all other packets of its side",
            source=CENTRACE,
        ),
    ),
    (
        1.0,
        rule(
            "odd_window",
            "window",
            "the answer's window field is unlike any its sender used",
            source=CENTRACE,
        ),
    ),
    (
        2.0,
        rule(
            "copied_window",
            "window",
            "the answer's window field is the addressee's own value",
            source=CENTRACE,
        ),
    ),
    (
        -4.0,
        rule(
            "own_timestamps",
            "options",
            "the answer continues its sender's timestamps",
            source="RFC 7323 §4",
        ),
    ),
    (
        -3.0,
        rule(
            "in_counter",
            "ip_id",
            "the answer's IP ID is the next of its sender's counter",
            source=WEAVER,
        ),
    ),
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

WEIGHTS: dict[str, float] = {known.id: weight for weight, known in TABLE}
RULES: tuple[Rule, ...] = tuple(known for _, known in TABLE)
