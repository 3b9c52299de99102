"""The vocabulary of who wrote an ordinary packet: what its time and its header say, whatever the packet is.

Data and FINs are written by the stack that wrote the greeting, unlike resets, which other devices and other parts of a
stack write too: in public control captures 399 of 399 genuine FINs and 411 of 411 acknowledgements and data packets
carried the hop limit of their connection, and 105 of 151 resets; timestamps are mandatory where they were agreed on
(RFC 7323 §3.2). So for ordinary packets the header weighs more than for resets. Weights are natural-log likelihood
ratios, where the fit (``python -m benchmarks fit``) begins.

These rules are of no mechanism: families of FINs, data, pages and acknowledgements adopt them.
"""

from netinterf.analyzers.vocabulary import HOPS, IDS, MADE, SKEWED, STAMPS, TIMED, Family

# fmt: off
__all__ = [
    "ACK_REGRESSION", "ACK_REORDERED", "CENTRACE", "COPIED_ID", "COPIED_WINDOW", "DF", "GATEWAY", "IN_COUNTER",
    "IP_ID", "NEARER", "NO_TIMESTAMPS", "ODD_WINDOW", "ON_TIME", "OWN_TIMESTAMPS", "PREMATURE", "TRIGGER_DIED",
    "TTL", "TTL_CLASS", "WEAVER", "WRITTEN", "written",
]

written = Family("written.", "", noun="{noun}")

TIMES = ("ratio", "waited_ms", "rtt_ms")
CAUSALITY = "Causality; RFC 9293 §3.4"
WEAVER = "Weaver, Sommer, Paxson: Detecting Forged TCP Reset Packets, NDSS 2009"
CENTRACE = "Sundara Raman et al., CenTrace, CoNEXT 2022"
NEXT = "RFC 9293 §3.4: a packet carries the number of the next byte that its sender will send"

PREMATURE = written.rule(
    "premature", "timing", 5.0,
    "{noun} acknowledged the request after {waited_ms} ms; to its claimed sender and back takes {rtt_ms} ms", *TIMES,
    source=CAUSALITY, needs=(TIMED,), blind=(SKEWED,),
)
NEARER = written.rule(
    "nearer", "timing", 3.0,
    "{noun} came after {waited_ms} ms, faster than anything else from its claimed sender ({rtt_ms} ms)", *TIMES,
    source=CAUSALITY, needs=(TIMED,), blind=(SKEWED,),
)
TRIGGER_DIED = written.rule(
    "trigger_died", "trigger", 5.0,
    "{noun} acknowledged what never reached its claimed sender: a router reported it expired on the way",
    source=f"{CENTRACE}; RFC 792",
)
ON_TIME = written.rule(
    "on_time", "timing", -0.4, "{noun} took {waited_ms} ms, as long as its sender's other packets ({rtt_ms} ms)",
    *TIMES, source="Causality: an injector nearer than the server need not wait", blind=(SKEWED,),
)
ACK_REGRESSION = written.rule(
    "ack_regression", "ack_regression", 5.0,
    "{gap_ms} ms after {noun} its claimed sender acknowledged from before it, as if it had not sent it", "gap_ms",
    source=NEXT, needs=(TIMED,), blind=(MADE,), was="taken_back",
)
ACK_REORDERED = written.rule(
    "ack_reordered", "ack_regression", 2.0,
    "{gap_ms} ms after {noun} its sender acknowledged from before it, unless both were swapped in transit", "gap_ms",
    source=NEXT, needs=(TIMED,), blind=(MADE,), was="soon_back",
)
TTL = written.rule(
    "ttl", "ttl", 3.0, "the hop limit of {noun} is off its sender's by {jump}", "jump", source=WEAVER, needs=(HOPS,),
)
TTL_CLASS = written.rule(
    "ttl_class", "ttl", 3.0, "the hop limit of {noun} started from another value than its sender's: off by {jump}",
    "jump", source=WEAVER, needs=(HOPS,),
)
NO_TIMESTAMPS = written.rule(
    "no_timestamps", "options", 5.0, "{noun} lacks the timestamps that both ends had agreed on",
    source="RFC 7323 §3.2", needs=(STAMPS,),
)
IP_ID = written.rule(
    "ip_id", "ip_id", 2.0, "the IP ID of {noun} is {distance} off its sender's counter", "distance", source=CENTRACE,
    needs=(IDS,),
)
COPIED_ID = written.rule(
    "copied_id", "ip_id", 3.0, "the IP ID of {noun} is copied from the packet it answers", source=CENTRACE,
    needs=(IDS,),
)
DF = written.rule(
    "df", "df", 1.5, "the don't-fragment flag of {noun} differs from all other packets of its side", source=CENTRACE,
    needs=(IDS,),
)
ODD_WINDOW = written.rule(
    "odd_window", "window", 1.0, "the window field of {noun} is unlike any its sender used", source=CENTRACE,
)
COPIED_WINDOW = written.rule(
    "copied_window", "window", 2.0, "the window field of {noun} is the addressee's own value", source=CENTRACE,
)
OWN_TIMESTAMPS = written.rule(
    "own_timestamps", "options", -4.0, "{noun} continues its sender's timestamps", source="RFC 7323 §4",
    needs=(STAMPS,),
)
GATEWAY = written.rule(
    "gateway", "own_network", -0.5,
    "{noun} crossed no router: a device on the client's own network wrote it (its gateway, a portal, a filter)",
    source="RFC 1812 §5.3.1: each router lowers the hop limit; RFC 8952 for portals",
)
IN_COUNTER = written.rule(
    "in_counter", "ip_id", -3.0, "the IP ID of {noun} is the next of its sender's counter", source=WEAVER, needs=(IDS,),
)
# fmt: on

WRITTEN = written.rules
