"""The vocabulary of greetings: what two of them to one SYN show besides, and counters. Weights begin where a fit would.

Two numbers are no proof, since machines may share an address; each sign beside them is worth what a single foreign
field is worth. Ports in the other byte order are, beside the server's own answer: they were taken from the very SYN,
by somebody who does not listen on them.
"""

from netinterf.analyzers.rst_injection.contradiction_rules import VARIED_GREETING, VARIED_WEIGHT
from netinterf.schema import Rule

__all__ = ["GREETING_RULES", "GREETING_WEIGHTS", "SWAPPED_PORTS"]

WANG = "Wang et al., Your State is Not Mine, IMC 2017, section 2.1"

TABLE: tuple[tuple[float, str, str, str, tuple[str, ...], tuple[str, ...], bool], ...] = (
    (
        3.0,
        "nearer",
        "timing",
        "one SYN/ACK took {waited_ms} ms, one with another number {other_ms} ms: somebody nearer wrote the first",
        ("waited_ms", "other_ms"),
        ("Causality: a SYN was sent once", WANG),
        False,
    ),
    (
        2.0,
        "other_stack",
        "options",
        "the two SYN/ACKs answer one offer with different options, as two stacks do",
        (),
        ("RFC 9293 §3.2; RFC 7323 §1.3: options of a SYN/ACK answer those of the SYN", WANG),
        False,
    ),
    (
        3.0,
        "refused",
        "aftermath",
        "the client took the number of the first SYN/ACK, the server refused it, and nobody went on from there",
        (),
        ("RFC 9293 §3.10.7.4: an unacceptable acknowledgement in SYN-RECEIVED is reset", WANG),
        False,
    ),
    (
        3.0,
        "counting",
        "counter",
        "hop limit and window of the greetings in this server's name come out of one counter",
        (),
        ("Marczak et al., China's Great Cannon, FOCI 2015", WANG),
        True,
    ),
)

SWAPPED_PORTS = Rule(
    id="synack.swapped_ports",
    mechanism="tcp.synack",
    group="synack.ports",
    says="beside the server's own answer, a SYN/ACK acknowledges this connection's SYN from and to its ports in the "
    "other byte order",
    decisive=True,
    references=("Captures from China, July 2014: answers from port 20480 to SYNs to port 80", "RFC 9293 §3.4"),
)
SWAPPED_WEIGHT = 10.0
"""A number of 32 bits agrees by chance once in four thousand million times, and no host answers from two ports."""

GREETING_WEIGHTS: dict[str, float] = {
    **{f"synack.{name}": weight for weight, name, *_ in TABLE},
    SWAPPED_PORTS.id: SWAPPED_WEIGHT,
    VARIED_GREETING.id: VARIED_WEIGHT,
}

GREETING_RULES: tuple[Rule, ...] = (
    SWAPPED_PORTS,
    *(
        Rule(
            id=f"synack.{name}",
            mechanism="tcp.synack",
            group=f"synack.{group}",
            says=says,
            measures=measures,
            references=references,
            shared=shared,
        )
        for _, name, group, says, measures, references, shared in TABLE
    ),
)
