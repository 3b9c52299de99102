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
* That others passed right behind the waiting, while no burst can have been saved up, earns 6.5: lines change.
* That the sum of all keeps the rate costs 6.0: it is the line of the client.
"""

from netinterf.analyzers.vocabulary import Family

# fmt: off
__all__ = [
    "AT_CLIENT", "EACH_OWN", "FAST_START", "ONE_NAME", "ONE_SERVER", "RULES", "SEVERAL", "SPARED",
    "SPARED_ELSEWHEN", "UNCOMPARED", "WHOLE_LINK", "shaping",
]

shaping = Family("shaping.", "rate.shaping", exposed="transfer")

HELD = ("rate_bps", "steady", "waited_ms", "transfers")
KLEINROCK = "Kleinrock, Queueing Systems II, 1976, §3.4"
DIFFERENTIATION = "Kakhki et al., Identifying Traffic Differentiation in Mobile Networks, IMC 2015"
FLACH = "Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016, §4.4"
LOCAL = "Zhang et al., Localizing Traffic Differentiation, IMC 2023"

UNCOMPARED = shaping.rule(
    "uncompared", "queue", 9.0,
    "{transfers} transfers came at {rate_bps:bit/s} for {steady:%} of the time in which their packets waited "
    "in a queue ({waited_ms} ms); what else this client moved does not tell whether that was the line's rate",
    *HELD, "passed", "llr", source=KLEINROCK,
)
WHOLE_LINK = shaping.rule(
    "whole_link", "queue", -6.0,
    "{transfers} transfers came at {rate_bps:bit/s} for {steady:%} of the time in which their packets waited "
    "in a queue ({waited_ms} ms), and what other transfers of this client moved meanwhile was missing from it (log-"
    "likelihood ratio {llr}): the whole line has that rate",
    *HELD, "passed", "llr", "selective", source=KLEINROCK,
)
SPARED = shaping.rule(
    "spared", "queue", 8.0,
    "{transfers} transfers came at {rate_bps:bit/s} for {steady:%} of the time in which their packets waited "
    "in a queue ({waited_ms} ms), whatever else this client moved meanwhile: {passed} packets of others passed by "
    "that queue (log-likelihood ratio {llr})",
    *HELD, "passed", "llr", "selective", source=DIFFERENTIATION,
)
SPARED_ELSEWHEN = shaping.rule(
    "spared_elsewhen", "queue", 6.5,
    "{transfers} transfers came at {rate_bps:bit/s} for {steady:%} of the time in which their packets waited "
    "in a queue ({waited_ms} ms); within a minute of their waiting others of this client moved {passed} packets, "
    "{beyond_bytes} bytes more than this rate allows",
    *HELD, "passed", "beyond_bytes", "selective", source=DIFFERENTIATION,
)
AT_CLIENT = shaping.rule(
    "at_client", "place", 3.0,
    "the queue stood between the tap and the client, where the transfers that were spared pass as well", source=LOCAL,
)
SEVERAL = shaping.rule(
    "several_servers", "place", 3.0,
    "{servers} servers of different names or networks met this rate, so that no server's own line explains it",
    "servers", source=LOCAL,
)
ONE_NAME = shaping.rule(
    "one_name", "place", 3.0,
    "{passed} packets of another name at the same address passed by the queue, so that the server's line does not "
    "explain it (log-likelihood ratio {llr})", "passed", "llr", source="Xue et al., Throttling Twitter, IMC 2021, §6",
)
EACH_OWN = shaping.rule(
    "each_its_own", "place", 3.0,
    "{queues} transfers of one server came at this rate each, at the same time, which no line of that rate does",
    "queues", source=LOCAL,
)
FAST_START = shaping.rule(
    "fast_start", "place", 1.5,
    "{burst_bytes} bytes beyond the rate came before there was a queue, which no line of that speed lets through",
    "burst_bytes", source=FLACH,
)
ONE_SERVER = shaping.rule(
    "one_server", "place", -1.0, "only one server met this rate, and its own line may have it", source=LOCAL,
)
# fmt: on

RULES = shaping.rules
