"""The vocabulary of the shaping analyzer: what each observation is called, says and weighs.

The weights are where the fit (``python -m benchmarks fit``) begins: natural-log likelihood ratios against the flows of
ordinary traffic, a small part of which is held back by a queue at all.

* A queue of a transfer's own alone earns 9.0: one flow in two hundred is worth asking about (the prior of shaping),
  and this one was held to a rate for certain. No more is known then, and the verdict holds it back: a slow link does
  the same.
* That others passed meanwhile earns 8.0, with what tells where the queue stands on top: at the client's side of the
  tap, or near the client since several networks, or one name of several at an address, met it, 3.0; a fast start, which
  a line of that speed cannot give, 1.5: a server that paces after a first burst gives one as well, so that others
  passed before and after is not enough with it. Where all of it was one server's, the queue may be that server's own
  line, as that of a private host: -1.0.
* That others passed before and after, between two times of waiting, earns 6.5: lines change.
* That the sum of all keeps the rate costs 6.0: it is the line of the client.
"""

from netinterf.analyzers.base import family
from netinterf.schema import Rule

__all__ = [
    "AT_CLIENT",
    "EACH_OWN",
    "FAST_START",
    "ONE_NAME",
    "ONE_SERVER",
    "RULES",
    "SEVERAL",
    "SPARED",
    "SPARED_ELSEWHEN",
    "UNCOMPARED",
    "WEIGHTS",
    "WHOLE_LINK",
]

UNCOMPARED, WHOLE_LINK = "shaping.uncompared", "shaping.whole_link"
SPARED, SPARED_ELSEWHEN = "shaping.spared", "shaping.spared_elsewhen"
AT_CLIENT, SEVERAL, ONE_NAME = "shaping.at_client", "shaping.several_servers", "shaping.one_name"
EACH_OWN, FAST_START, ONE_SERVER = "shaping.each_its_own", "shaping.fast_start", "shaping.one_server"

WEIGHTS: dict[str, float] = {
    UNCOMPARED: 9.0,
    SPARED: 8.0,
    SPARED_ELSEWHEN: 6.5,
    WHOLE_LINK: -6.0,
    AT_CLIENT: 3.0,
    SEVERAL: 3.0,
    ONE_NAME: 3.0,
    EACH_OWN: 3.0,
    FAST_START: 1.5,
    ONE_SERVER: -1.0,
}
"""Weight of each rule at full strength, nats; see the module's text for the sources."""

rule = family("shaping", "rate.shaping")

QUEUE = ("rate_bps", "steady", "waited_ms", "transfers")
HELD = (
    "{transfers} transfers came at {rate_bps} bit/s for a share of {steady} of the time in which their packets waited "
    "in a queue ({waited_ms} ms)"
)
KLEINROCK = "Kleinrock, Queueing Systems II, 1976, §3.4"
DIFFERENTIATION = "Kakhki et al., Identifying Traffic Differentiation in Mobile Networks, IMC 2015"
FLACH = "Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016, §4.4"
LOCAL = "Zhang et al., Localizing Traffic Differentiation, IMC 2023"

RULES: tuple[Rule, ...] = (
    rule(
        "uncompared",
        "queue",
        HELD + "; what else this client moved does not tell whether that was the line's rate",
        *QUEUE,
        "passed",
        "llr",
        source=KLEINROCK,
    ),
    rule(
        "whole_link",
        "queue",
        HELD + ", and what other transfers of this client moved meanwhile was missing from it (log-likelihood ratio "
        "{llr}): the whole line has that rate",
        *QUEUE,
        "passed",
        "llr",
        "selective",
        source=KLEINROCK,
    ),
    rule(
        "spared",
        "queue",
        HELD + ", whatever else this client moved meanwhile: {passed} packets of others passed by that queue "
        "(log-likelihood ratio {llr})",
        *QUEUE,
        "passed",
        "llr",
        "selective",
        source=DIFFERENTIATION,
    ),
    rule(
        "spared_elsewhen",
        "queue",
        HELD + "; between two times of waiting others of this client moved {passed} packets that this rate does not "
        "allow ({beyond_bytes} bytes beyond it)",
        *QUEUE,
        "passed",
        "beyond_bytes",
        "selective",
        source=DIFFERENTIATION,
    ),
    rule(
        "at_client",
        "place",
        "the queue stood between the tap and the client, where the transfers that were spared pass as well",
        source=LOCAL,
    ),
    rule(
        "several_servers",
        "place",
        "{servers} servers of different names or networks met this rate, so that no server's own line explains it",
        "servers",
        source=LOCAL,
    ),
    rule(
        "one_name",
        "place",
        "{passed} packets of another name at the same address passed by the queue, so that the server's line does not "
        "explain it (log-likelihood ratio {llr})",
        "passed",
        "llr",
        source="Xue et al., Throttling Twitter, IMC 2021, §6",
    ),
    rule(
        "each_its_own",
        "place",
        "{queues} transfers of one server came at this rate each, at the same time, which no line of that rate does",
        "queues",
        source=LOCAL,
    ),
    rule(
        "fast_start",
        "place",
        "{burst_bytes} bytes beyond the rate came before there was a queue, which no line of that speed lets through",
        "burst_bytes",
        source=FLACH,
    ),
    rule(
        "one_server",
        "place",
        "only one server met this rate, and its own line may have it",
        source=LOCAL,
    ),
)
