"""The vocabulary for acknowledgements of what was never said; weights are where the fit begins.

An end acknowledges what it got (RFC 9293 §3.4). Where it has got more than its peer had sent by then, somebody else
wrote the rest: injected data, a page, or an end of the stream. The same holds where it acknowledges in a fraction of
the round trip what its peer sent. Each is as much as a reset whose sender goes on, 5 nats. Where only the peer's own
later bytes show it, a packet that the capture lost and the network lost again explains it too, and it is 3; so it is
where the round trip was measured once. A greeting that nobody gave is answered by nobody, 4, where the server resets or
repeats its own.
"""

from netinterf.schema import Rule

__all__ = ["ONE_SAMPLE_SHARE", "RULES", "UNANSWERED_SHARE", "WEIGHTS"]

NEXT = "RFC 9293 §3.4: a packet carries the number of the next byte that its sender will send"
CENSUS = "Sundara Raman et al., SIGCOMM 2023: what servers see of boxes on the way to their clients"
WANG = "Wang et al., Your State is Not Mine, IMC 2017"

ONE_SAMPLE_SHARE = 0.6
"""Share of its weight that haste keeps where one sample tells the round trip, as in `forgery.writer`."""

UNANSWERED_SHARE = 0.5
"""Share of its weight that an unknown number keeps where the server says nothing to it: half a conversation that was
written by hand looks so. Judgement, not fitted."""

KINDS: tuple[tuple[str, str, str], ...] = (
    ("data", "tcp.data", "{bytes} bytes"),
    ("page", "http.blockpage", "{bytes} bytes of an answer to its request"),
    ("fin", "tcp.fin", "an end of the stream"),
)

SHOWN: tuple[tuple[float, str, str, tuple[str, ...]], ...] = (
    (
        5.0,
        "acked_unsent",
        "the client acknowledged {what} that the server had not sent {gap_ms} ms later: somebody else did",
        ("bytes", "gap_ms"),
    ),
    (
        3.0,
        "acked_early",
        "the client acknowledged {what} {gap_ms} ms before the server began to send its own in their place",
        ("bytes", "gap_ms"),
    ),
    (
        5.0,
        "acked_soon",
        "the client acknowledged {what} {waited_ms} ms after the server sent its own; to it and back takes {rtt_ms} ms",
        ("bytes", "waited_ms", "rtt_ms"),
    ),
    (
        5.0,
        "acked_between",
        "the client acknowledged {what}, to the middle of what the server had sent: it had got others",
        ("bytes",),
    ),
)

TABLE: tuple[tuple[float, Rule], ...] = (
    *(
        (
            weight,
            Rule(
                id=f"{kind}.{name}",
                mechanism=mechanism,
                group=f"{kind}.acknowledgement",
                says=says.replace("{what}", what),
                measures=measures,
                references=(NEXT, CENSUS),
            ),
        )
        for kind, mechanism, what in KINDS
        for weight, name, says, measures in SHOWN
    ),
    (
        4.0,
        Rule(
            id="synack.unknown_number",
            mechanism="tcp.synack",
            group="synack.acknowledgement",
            says="the client answered a greeting with a number that the server never gave, and never the server's own",
            references=(WANG,),
        ),
    ),
)

WEIGHTS: dict[str, float] = {known.id: weight for weight, known in TABLE}
RULES: tuple[Rule, ...] = tuple(known for _, known in TABLE)
