"""The vocabulary of the handshake analyzer: what each observation is called and says.

The weights are likelihood ratios that `causes` computes for each case; a rule only says which part of one it carries.
"""

from netinterf.analyzers.vocabulary import Family

# fmt: off
__all__ = [
    "AFTER", "AGAIN", "ELSEWHERE", "ENDS", "FINISHED", "KEPT", "LOSSY", "MOST", "MOST_ELSEWHERE", "RULES", "SERVER",
    "SPARED", "handshakes",
]

handshakes = Family("handshake.", "rate.handshake", exposed="opened")

OONI = "OONI, methodology dd-007; OONI, Türkiye: throttling of social media, 2025"
TURKEY = "net4people/bbs 155"
TIMERS = "RFC 6298 §5.5"

MOST = 6.0
"""Nats that one visit may weigh by itself, and what finished against a cut. Judgement: the likelihood ratio is that of
all visits together; this only parts it between the visit and the others."""

MOST_ELSEWHERE = 3.0
"""Nats that contrasts at other servers add: the same list speaks there."""

KEPT = handshakes.rule(
    "kept", "slow", None,
    "the handshake took {seconds} s, {round_trips} times the path's round trip, and {kept} of its segments came again "
    "or late", "seconds", "round_trips", "kept", source=f"{OONI}; {TIMERS}",
)
AGAIN = handshakes.rule(
    "again", "again", None,
    "{slow} of {visits} handshakes with this name were slow so, at different times, though the way and the line lost "
    "less in all that went beside them", "slow", "visits", source=OONI, shared=True,
)
AFTER = handshakes.rule(
    "after", "again", None,
    "it followed a handshake with another name to the same address by {seconds} s: {slow} of {visits} handshakes with "
    "that name or soon after it were slow", "seconds", "slow", "visits", source=TURKEY, shared=True,
)
SPARED = handshakes.rule(
    "spared", "contrast", None,
    "of {others} handshakes with the same server under other names meanwhile or within a minute {others_slow} were "
    "slow", "others", "others_slow", "selective", source=OONI, shared=True,
)
ELSEWHERE = handshakes.rule(
    "elsewhere", "elsewhere", None,
    "at another server of this client, too, handshakes with some names were slow and those with others were not",
    source=OONI, shared=True,
)
SERVER = handshakes.rule(
    "server", "contrast", None,
    "handshakes with the same server under other names were slow as well: {others_slow} of {others}",
    "others", "others_slow", source=OONI, shared=True,
)
LOSSY = handshakes.rule(
    "lossy", "loss", None,
    "the way to the server, or the client's line, loses so much that such handshakes are to be expected", source=TIMERS,
    shared=True,
)
FINISHED = handshakes.rule(
    "finished", "finished", None,
    "other handshakes with the name were as slow and finished: who silences a name lets none finish", source=TURKEY,
    mechanism="tcp.drop", shared=True,
)
ENDS = handshakes.rule(
    "ends", "ends", None,
    "the handshake took {seconds} s, and nothing had to be sent again: the time was the server's or the client's",
    "seconds", source="RFC 9293 §3.8.6.3",
)
# fmt: on

RULES = handshakes.rules
