"""The vocabulary of the throttling analyzer: what each observation is called, says and weighs.

The weights are where the fit (``python -m benchmarks fit``) begins: natural-log likelihood ratios against the flows of
ordinary traffic, most of which lose next to nothing.

* Losses that fit a bucket strictly earn 4.5: that many losses alone are 3 to 13 times as frequent in policed flows as
  in all (6.8 against 1.4 % in India, 2.6 against 0.2 % in North America; Flach et al., Table 2), and chance and fading
  explain them at most one time in twenty. Roughly they earn 2.7 (queues of a few packets look so too), and 1.0 when
  they merely follow bursts, as behind many a queue.
* No queue earns 4.0: laboratory policers made packets wait for less than 0.02 of what a queue would, shapers for more
  than 0.3. Bursts alone earn 3.2, since radio links and receivers bunch packets too.
* Others that are spared meanwhile earn 4.0, at other times 2.0, since a limit may begin and end. Others that do not
  tell cost 0.5: a plan may limit them as well, but a bucket that drops is policing whoever put it there. Where names of
  different domains, or several ports, of one server are limited and only other servers are spared, it may be that
  server's own line, as a hoster polices it: that does not tell either, and the finding stays a hint.
* The other arguments against are as strong as what they contradict, since they name the benign cause.
"""

from netinterf.analyzers.vocabulary import Family

# fmt: off
__all__ = [
    "APPLICATION", "BURSTS", "LOSS_AFTER_BURSTS", "MAY_BE_THE_LINK", "NO_QUEUE", "ONE_SERVER", "QUEUE_BEFORE_LOSS",
    "RANDOM_LOSS", "RECEIVER_WINDOW", "ROUGH_BUCKET", "RULES", "SKIPPED", "SPARED", "SPARED_ADDRESS",
    "SPARED_ELSEWHEN", "SPARED_NAME", "TOKEN_BUCKET", "UNCLEAR", "UNHEARD", "UNRECORDED", "WHOLE_LINK", "policing",
]

policing = Family("rate.", "rate.policing", exposed="transfer")

XUE = "Xue et al., Throttling Twitter, IMC 2021"
FLACH = "Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016"
ZHANG = "Zhang et al., On the Characteristics and Origins of Internet Flow Rates, SIGCOMM 2002"
LOCALIZING = "Zhang et al., Localizing Traffic Differentiation, IMC 2023"
BUCKET = (
    "rate_bps", "rate_low_bps", "rate_high_bps", "bucket_bytes", "bucket_low_bytes", "bucket_high_bytes", "losses",
    "info", "llr", "units",
)
QUEUE = ("waited_share", "waited_ms", "rtt_inflation", "samples", "burst_packets")

TOKEN_BUCKET = policing.rule(
    "token_bucket", "losses", 4.5,
    "{losses} packets were lost just when a token bucket filled at {rate_low_bps:bit/s} to {rate_high_bps:bit/s}, "
    "{bucket_low_bytes:B} to {bucket_high_bytes:B} deep, would be empty; this explains {info:%} of where "
    "the losses fell", *BUCKET, source=f"{FLACH}, §3",
)
ROUGH_BUCKET = policing.rule(
    "rough_bucket", "losses", 2.7,
    "{losses} packets were lost, most of them when a token bucket filled at {rate_low_bps:bit/s} to "
    "{rate_high_bps:bit/s}, {bucket_low_bytes:B} to {bucket_high_bytes:B} deep, would be nearly empty; this explains "
    "{info:%} of where the losses fell", *BUCKET, source=f"{FLACH}, §3",
)
LOSS_AFTER_BURSTS = policing.rule(
    "loss_after_bursts", "losses", 1.0,
    "{losses} packets were lost, more often the more had been sent before; a token bucket explains {info:%} "
    "of where they fell, which many causes would", *BUCKET, source=f"{FLACH}, §3",
)
UNHEARD = policing.rule(
    "acknowledgements", "losses", 4.5,
    "{losses} acknowledgements never arrived, just when a token bucket filled at {rate_low_bps:bit/s} to "
    "{rate_high_bps:bit/s}, {bucket_low_bytes:B} to {bucket_high_bytes:B} deep, would be empty ({info:%} explained): "
    "data was repeated that had arrived", *BUCKET, source=("RFC 7323, §4.3", "net4people/bbs 382"),
)
NO_QUEUE = policing.rule(
    "no_queue", "queue", 4.0,
    "packets sent just before the losses came through as fast as all others (they waited {waited_share:%} of "
    "what a queue of that rate and depth would cost): nothing queued before it was dropped", *QUEUE,
    source=f"{FLACH}, §3.2",
)
BURSTS = policing.rule(
    "bursts_beyond_rate", "queue", 3.2,
    "{burst_packets} packets arrived at once beyond the rate that the losses show; a queue of that rate would have "
    "spaced them", *QUEUE, source="Le Boudec and Thiran, Network Calculus, 2001, §1.3",
)
QUEUE_BEFORE_LOSS = policing.rule(
    "queue_before_loss", "queue", -4.0,
    "packets waited {waited_ms} ms before others were lost: a queue filled up, as congestion and shapers do", *QUEUE,
    source=f"{FLACH}, §3.2",
)
RANDOM_LOSS = policing.rule(
    "random_loss", "losses", -3.0,
    "no limit that drops explains where the {losses} losses fell: they came by chance, in runs, as on radio links and "
    "in outages, or at a full queue", "losses", "loss_share", "llr", source=f"{FLACH}, §3.3",
)
RECEIVER_WINDOW = policing.rule(
    "receiver_window", "sender", -1.0, "for {share:%} of the transfer the receiver's own window held the sender back",
    "share", source=ZHANG,
)
APPLICATION = policing.rule(
    "application", "sender", -1.0, "for {share:%} of the transfer the sender had nothing to send", "share",
    source=ZHANG,
)
WHOLE_LINK = policing.rule(
    "whole_link", "compare", -6.0,
    "{servers} domains or servers that this client used lost packets as often, and nothing was spared: it is the "
    "link's", "servers", "rate_bps", "selective", source=LOCALIZING,
)
MAY_BE_THE_LINK = policing.rule(
    "may_be_the_link", "budget", 0.0,
    "one limit for everything that this client exchanged is not told from a limit for each (log-likelihood ratio "
    "{llr}), so it may be the link's or not", "llr", source=LOCALIZING, leaves="rate.no_contrast",
)
SPARED = policing.rule(
    "spared", "compare", 4.0,
    "{passed} packets of other connections of this client passed meanwhile, as they would not if they shared its "
    "limit (log-likelihood ratio {llr}): they are spared", "passed", "llr", "selective", source=XUE,
)
SPARED_NAME = policing.rule(
    "spared_name", "compare", 4.0,
    "{passed} packets of other names at the same address passed meanwhile, as they would not if they shared the limit "
    "(log-likelihood ratio {llr}): it is the name that is limited", "passed", "llr", "selective", source=XUE,
)
SPARED_ADDRESS = policing.rule(
    "spared_address", "compare", 4.0,
    "{passed} packets of the same name at other addresses passed meanwhile, as they would not if they shared the "
    "limit (log-likelihood ratio {llr}): it is the address that is limited", "passed", "llr", "selective", source=XUE,
)
SPARED_ELSEWHEN = policing.rule(
    "spared_elsewhen", "compare", 2.0,
    "{passed} packets of other connections of this client passed before, after, or the other way, as they would not "
    "if they shared its limit (log-likelihood ratio {llr})", "passed", "llr", source=XUE,
)
ONE_SERVER = policing.rule(
    "one_server", "compare", -0.5,
    "whatever this one server was asked for was limited, and only other servers were spared ({passed} packets): it "
    "may be the server's own line", "passed", "own_line",
    source=LOCALIZING,
)
UNCLEAR = policing.rule(
    "others_unclear", "compare", -0.5,
    "the {passed} packets of other connections of this client do not tell whether they are limited as well (log-"
    "likelihood ratio {llr}): the capture cannot show whom the limit is aimed at, it may be the link's",
    "passed", "llr", source=LOCALIZING,
)
SKIPPED = policing.rule(
    "skipped", "budget", 0.0,
    "{found} servers of this client lost many packets in this direction; only the {looked} that lost most were "
    "examined, and this one was not among them", "found", "looked", source="docs/analyzers/throttling.md",
    leaves="analysis.budget",
)
UNRECORDED = policing.rule(
    "unrecorded", "budget", 0.0,
    "the receiver acknowledged so much that was never captured that losses on the way cannot be told from what the "
    "recorder missed", source="docs/analyzers/throttling.md", leaves="flow.too_few_packets",
)
# fmt: on

RULES = policing.rules
