"""The vocabulary of the reset analyzer: what each sign is called, says and weighs.

Weights are natural-log likelihood ratios, the starting values of the literature review behind this analyzer, each
bounded by the size of the evidence behind it: 28 % of genuine resets carry another hop limit (Weaver et al. 2009), no
genuine packet among 625 was premature while 52 of 53 forged ones were, and so on. Factors are fitted on top, and what
benign public captures showed of each rule bounds it (the model page of the manual).
"""

import attrs

from netinterf.analyzers.forgery.writer import WEAVER
from netinterf.analyzers.rst_injection.contradiction_rules import CONTRADICTIONS
from netinterf.analyzers.rst_injection.own_rules import OWN
from netinterf.schema import Rule

__all__ = ["CONNECT", "CONNECT_SIGNS", "ELSEWHERE", "RULES", "WEIGHTS"]

RESET = "tcp.reset"


def rule(name: str, group: str, says: str, *measures: str, source: str = WEAVER) -> Rule:
    """Shorten the declaration of one rule of this analyzer."""
    return Rule(
        id=f"rst.{name}",
        mechanism=RESET,
        group=f"rst.{group}",
        says=says,
        measures=measures,
        references=(source,),
    )


FOREIGN: tuple[tuple[float, Rule], ...] = (
    (
        5.0,
        rule(
            "premature",
            "timing",
            "a reset acknowledged data {waited_ms} ms after it was sent, although the round trip to its claimed "
            "sender takes {rtt_ms} ms: somebody nearer wrote it",
            "ratio",
            "waited_ms",
            "rtt_ms",
            source="Causality; RFC 9293 §3.4; the same idea for DNS in Duan et al., Hold-On, SATIN 2012",
        ),
    ),
    (
        3.0,
        rule(
            "too_soon",
            "timing",
            "a bare reset came {waited_ms} ms after data that takes {rtt_ms} ms to its claimed sender and back",
            "ratio",
            "waited_ms",
            "rtt_ms",
            source="Causality; RFC 9293 §3.10.7.1: a bare reset answers a segment",
        ),
    ),
    (
        1.0,
        rule(
            "nearer",
            "timing",
            "the reset came after {waited_ms} ms, faster than anything else from its claimed sender ({rtt_ms} ms)",
            "ratio",
            "waited_ms",
            "rtt_ms",
            source="Causality; the measured path from tap to server is the least of all round trips",
        ),
    ),
    (
        5.0,
        rule(
            "alive_after",
            "aftermath",
            "the side that seems to have reset the connection went on sending {gap_ms} ms later",
            "gap_ms",
        ),
    ),
    (
        2.0,
        rule(
            "alive_beside",
            "aftermath",
            "right behind the reset its side sent something new, unless both were swapped on the way",
            source="Weaver et al. 2009; Paxson, End-to-End Internet Packet Dynamics, SIGCOMM 1997: 0.1 to 2 % of "
            "packets change places",
        ),
    ),
    (
        3.0,
        rule(
            "ignored",
            "aftermath",
            "resets with numbers that their receiver ignores came right behind the first data of {connections} "
            "connections of this client, which went on",
            "connections",
            source="RFC 9293 §3.10.7.4 and RFC 5961 §3: a reset outside the window is dropped; an older connection "
            "explains one pair of ports",
        ),
    ),
    (
        4.0,
        rule(
            "forgot",
            "aftermath",
            "the client, which had neither closed nor reset, no longer knew the connection {gap_ms} ms after its last "
            "packet: somebody had reset it",
            "gap_ms",
            source="RFC 9293 §3.10.7.1 and §3.10.7.4: who believes a reset forgets, and answers what still comes",
        ),
    ),
    (
        6.0,
        rule(
            "seq_change",
            "sequence",
            "two resets carry sequence numbers beyond anything that was sent or acknowledged",
        ),
    ),
    (3.0, rule("behind_data", "sequence", "the reset's sequence number lies behind data its side had already sent")),
    (4.0, rule("ack_unsent", "acknowledgement", "the reset acknowledges bytes that were never sent")),
    (
        8.0,
        rule(
            "trigger_died",
            "timing",
            "a reset acknowledged data that never reached its claimed sender: a router reported it expired on the way",
            source="Sundara Raman et al., CenTrace, CoNEXT 2022; RFC 792",
        ),
    ),
    (
        2.0,
        rule(
            "after_request",
            "stage",
            "the reset came right after the client's first data, before any answer",
            source="Sundara Raman et al., SIGCOMM 2023: 5.3 % of 25.7 % of connections end so",
        ),
    ),
    (
        1.0,
        rule(
            "after_ack",
            "stage",
            "the reset came after the server had acknowledged the client's first data, before any answer",
            source="Sundara Raman et al., SIGCOMM 2023; a proxy without backend ends connections so",
        ),
    ),
    (1.0, rule("ttl", "ttl", "the reset's hop limit is off its sender's by {jump}", "jump")),
    (
        2.0,
        rule(
            "ttl_class",
            "ttl",
            "the reset's hop limit started from another value than its sender's: off by {jump}",
            "jump",
        ),
    ),
    (
        3.0,
        rule(
            "ttl_varies",
            "ttl",
            "resets from this address arrive with ever different hop limits, its other packets do not",
            source="Anonymous et al., Triplet Censors, FOCI 2020; Wu et al., A Wall Behind A Wall, IEEE S&P 2025",
        ),
    ),
    (
        3.0,
        rule(
            "no_timestamps",
            "options",
            "the reset lacks the TCP timestamps that every other packet of its side carries",
            source="RFC 7323 §3.2",
        ),
    ),
    (2.0, rule("ip_id", "ip_id", "the reset's IP ID is {distance} away from its sender's counter", "distance")),
    (
        3.0,
        rule(
            "copied_id",
            "ip_id",
            "the reset's IP ID is copied from the packet it answers",
            source="Sundara Raman et al., CenTrace, CoNEXT 2022",
        ),
    ),
    (1.5, rule("df", "df", "the reset's don't-fragment flag differs from all other packets of its side")),
    (
        3.0,
        rule(
            "copied_window",
            "window",
            "the reset's window field is the addressee's own value",
            source="Sundara Raman et al., CenTrace, CoNEXT 2022",
        ),
    ),
    (1.0, rule("odd_window", "window", "the reset's window field is unlike any its sender used")),
    (
        1.0,
        rule(
            "bare_window",
            "window",
            "the bare reset carries a window although a side without a connection has none",
            source="Linux tcp_v4_send_reset, Windows and BSD write 0; p0f 2 signature list p0fr.fp",
        ),
    ),
    (
        3.0,
        rule(
            "window_varies",
            "window",
            "bare resets from this address carry ever other windows, which no stack computes for them",
            source="Wang et al., Your State is Not Mine, IMC 2017, section 2.1; captures from China, 2025",
        ),
    ),
    (2.0, rule("odd_flags", "flags", "the reset carries flags that no TCP stack sets on a reset")),
    (
        4.0,
        rule(
            "payload",
            "payload",
            "the reset carries {bytes} bytes of payload",
            "bytes",
            source="Wu et al., A Wall Behind A Wall, IEEE S&P 2025",
        ),
    ),
    (
        2.0,
        rule(
            "burst",
            "burst",
            "{size} resets came at once, more or other ones than a host answers with",
            "size",
            source="Clayton, Murdoch, Watson, PET 2006; Wang et al., IMC 2017",
        ),
    ),
    (
        2.0,
        rule(
            "cloned_id",
            "clone",
            "resets of one burst share one IP ID, as copies of one packet do",
            source="Wu et al., A Wall Behind A Wall, IEEE S&P 2025",
        ),
    ),
    (
        4.0,
        rule(
            "counting",
            "counter",
            "hop limit and window climb together from reset to reset",
            source="Marczak et al., China's Great Cannon, FOCI 2015",
        ),
    ),
)

WEIGHTS: dict[str, float] = {known.id: weight for weight, known in FOREIGN + OWN}

CONNECT = "connect_"

CONNECT_SIGNS = frozenset(
    {
        *("premature", "nearer", "on_time"),
        *("alive_after", "after_request"),
        *("ttl", "ttl_class", "ttl_varies", "no_timestamps", "copied_id", "df"),
        *("copied_window", "odd_window", "bare_window", "window_varies", "odd_flags", "payload"),
        *("burst", "cloned_id", "counting"),
        *("refused", "stray"),
    }
)
"""What a reset that answers a SYN can show. Its claimed sender has said nothing yet: there is neither a counter nor a
clock that it could continue, no connection that anybody ended, rested or forgot, and no data to acknowledge."""


def connect_rule(known: Rule) -> Rule:
    """Return the twin of a rule for resets that answer a SYN."""
    return attrs.evolve(known, id=known.id.replace("rst.", f"rst.{CONNECT}"), mechanism="tcp.connect.reset")


ELSEWHERE = Rule(
    id="rst.elsewhere",
    mechanism=RESET,
    group="rst.company",
    says="resets like it came in the name of {servers} unrelated servers of this client, while {spared} sites were "
    "left alone",
    measures=("servers", "spared"),
    references=("Sundara Raman et al., SIGCOMM 2023", WEAVER),
    shared=True,
)

RULES: tuple[Rule, ...] = (
    *(known for _, known in FOREIGN + OWN),
    *(connect_rule(known) for _, known in FOREIGN + OWN if known.id.removeprefix("rst.") in CONNECT_SIGNS),
    ELSEWHERE,
    *CONTRADICTIONS,
)
