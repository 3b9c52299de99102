"""The vocabulary of the freeze analyzer: what each observation is called, says and weighs (where the fit begins).

In public captures without interference 13 stops in the middle, with the client heard elsewhere, were counted on 1,659
connections (``python -m benchmarks freezes``): a stop is worth at most ln 128, and what breaks a connection breaks its
neighbours, too, so three nats. That one direction is cut weighs what it weighs for `netinterf.analyzers.silence`, where
the fit confirmed it. A limit, and its lack, weigh the measured likelihood ratio. Who is spared is part of the
comparison already.
"""

from netinterf.analyzers.vocabulary import Family

# fmt: off
__all__ = [
    "LIMIT", "ONE_WAY", "RULES", "SCATTERED", "SPARED", "STOPPED", "freezes",
]

freezes = Family("freeze.", "rate.freeze", exposed="answered")

CHECKER = "net4people/bbs 490; dpi-checkers, ru/dpi-ch; Cloudflare, 2025-06-26"
EXEMPT = "dpi-checkers, ru/tcp-16-20_dwc"

STOPPED = freezes.rule(
    "stopped", "stop", 3.0,
    "after {packets} packets of both directions and {bytes} bytes from the server nothing passed any more for "
    "{seconds} s, in the middle of the connection, while the client was heard elsewhere", "packets", "bytes", "seconds",
    source=CHECKER,
)
ONE_WAY = freezes.rule(
    "one_way", "direction", 5.0,
    "the other end was heard {seconds} s after it should have got what it never acknowledged: it is alive, and only "
    "one direction is cut", "seconds", source="Captures from Russia, 2025: 10 of 12 silenced connections",
)
LIMIT = freezes.rule(
    "limit", "limit", None,
    "{stopped} connections to {servers} servers stopped at the same count, about {limit_packets} packets or "
    "{limit_bytes} bytes (log-likelihood ratio of a limit against failures {llr}, of a count of packets against one "
    "of bytes {in_packets})", "stopped", "servers", "limit_packets", "limit_bytes", "llr", "in_packets", source=CHECKER,
    shared=True,
)
SCATTERED = freezes.rule(
    "scattered", "limit", None,
    "{stopped} connections stopped at no common count, as failures make them (log-likelihood ratio {llr})",
    "stopped", "llr", source=CHECKER, shared=True,
)
SPARED = freezes.rule(
    "spared", "contrast", 0.0,
    "{spared} connections of the same client with other names or servers went beyond that count", "spared", "selective",
    source=EXEMPT, shared=True,
)
# fmt: on

RULES = freezes.rules
