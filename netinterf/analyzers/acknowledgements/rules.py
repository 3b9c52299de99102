"""The vocabulary for acknowledgements of what was never said; weights are where the fit begins.

An end acknowledges what it got (RFC 9293 §3.4). Where it has got more than its peer had sent by then, somebody else
wrote the rest: injected data, a page, or an end of the stream. The same holds where it acknowledges in a fraction of
the round trip what its peer sent. Each is as much as a reset whose sender goes on, 5 nats. Where only the peer's own
later bytes show it, a packet that the capture lost and the network lost again explains it too, and it is 3; so it is
where the round trip was measured once. A greeting that nobody gave is answered by nobody, 4, where the server shows
that it does not understand.
"""

from netinterf.analyzers.vocabulary import MADE, SKEWED, TIMED, Family

# fmt: off
__all__ = [
    "ACKED_BETWEEN", "ACKED_EARLY", "ACKED_SOON", "ACKED_UNSENT", "ONE_SAMPLE_SHARE", "RULES", "UNANSWERED_SHARE",
    "UNKNOWN_NUMBER", "data", "fins", "greetings", "pages",
]

data = Family("data.", "tcp.data", exposed="tcp", noun="{bytes} bytes")
pages = Family("page.", "http.blockpage", exposed="page", noun="{bytes} bytes of an answer to its request")
fins = Family("fin.", "tcp.fin", exposed="tcp", noun="an end of the stream")
greetings = Family("synack.", "tcp.synack", exposed="opened")

NEXT = "RFC 9293 §3.4: a packet carries the number of the next byte that its sender will send"
CENSUS = "Sundara Raman et al., SIGCOMM 2023: what servers see of boxes on the way to their clients"
WANG = "Wang et al., Your State is Not Mine, IMC 2017"

ONE_SAMPLE_SHARE = 0.6
"""Share of its weight that haste keeps where one sample tells the round trip, as in `forgery.writer`."""

UNANSWERED_SHARE = 0.5
"""Share of its weight that an unknown number keeps where the server says nothing to it: half a conversation that was
written by hand looks so. Judgement, not fitted."""

ACKED_UNSENT = data.rule(
    "acked_unsent", "acknowledgement", 5.0,
    "the client acknowledged {noun} that the server had not sent {gap_ms} ms later: somebody else did", "bytes",
    "gap_ms", source=(NEXT, CENSUS), needs=(TIMED,), blind=(MADE, SKEWED), twins=(pages, fins),
)
ACKED_EARLY = data.rule(
    "acked_early", "acknowledgement", 3.0,
    "the client acknowledged {noun} {gap_ms} ms before the server began to send its own in their place", "bytes",
    "gap_ms", source=(NEXT, CENSUS), needs=(TIMED,), blind=(MADE, SKEWED), twins=(pages, fins),
)
ACKED_SOON = data.rule(
    "acked_soon", "acknowledgement", 5.0,
    "the client acknowledged {noun} {waited_ms} ms after the server sent its own; to it and back takes {rtt_ms} ms",
    "bytes", "waited_ms", "rtt_ms", source=(NEXT, CENSUS), needs=(TIMED,), blind=(MADE, SKEWED), twins=(pages, fins),
)
ACKED_BETWEEN = data.rule(
    "acked_between", "acknowledgement", 5.0,
    "the client acknowledged {noun}, to the middle of what the server had sent: it had got others", "bytes",
    source=(NEXT, CENSUS), needs=(TIMED,), blind=(MADE, SKEWED), twins=(pages, fins),
)
UNKNOWN_NUMBER = greetings.rule(
    "unknown_number", "acknowledgement", 4.0,
    "the client answered a greeting with a number that the server never gave, and never the server's own", source=WANG,
    blind=(MADE, SKEWED),
)
# fmt: on

RULES = (*data.rules, *pages.rules, *fins.rules, *greetings.rules)
