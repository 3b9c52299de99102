"""The vocabulary of the throttling analyzer: what each observation is called, says and weighs.

Weights are natural-log likelihood ratios against the flows of ordinary traffic, most of which lose next to nothing.
They are set for the two signs together, since only together do they tell a policer from all else:

* Transfers limited by a queue or hit by chance, with 15 losses and more, for which both signs were found: none of 24
  from the public laboratory traces and none of 2,907 simulated ones (one was, before queues of less than four packets
  were set aside); the rule of three gives ln(2,907/3) = 6.9. That many losses are themselves 3 to 13 times as frequent
  in policed flows as in all (6.8 against 1.4 % in India, 2.6 against 0.2 % in North America; Flach et al., Table 2):
  ln 5 = 1.6 more. Together 8.5.
* The losses alone earn 4.5 of it. A bucket explains those of a shaper as well in half of the laboratory transfers, but
  never those of chance; what explains or drops less weighs less.
* No queue earns 4.0: laboratory policers made packets wait for less than 0.02 of what a queue would, shapers for more
  than 0.3.
* The arguments against are as strong as what they contradict, since they name the benign cause.
"""

from netinterf.schema import Rule

__all__ = [
    "APPLICATION",
    "NO_QUEUE",
    "QUEUE_BEFORE_LOSS",
    "RANDOM_LOSS",
    "RECEIVER_WINDOW",
    "RULES",
    "SPARED",
    "TOKEN_BUCKET",
    "WEIGHTS",
    "WHOLE_LINK",
]

FLACH = "Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016"
POLICING = "rate.policing"

TOKEN_BUCKET, NO_QUEUE = "rate.token_bucket", "rate.no_queue"
QUEUE_BEFORE_LOSS, RANDOM_LOSS = "rate.queue_before_loss", "rate.random_loss"
RECEIVER_WINDOW, APPLICATION = "rate.receiver_window", "rate.application"
WHOLE_LINK, SPARED = "rate.whole_link", "rate.spared"

BUCKET_MEASURES = ("rate_bps", "bucket_bytes", "losses", "info", "llr", "units")
QUEUE_MEASURES = ("waited_share", "waited_ms", "rtt_inflation", "samples", "burst_packets")

WEIGHTS: dict[str, float] = {
    TOKEN_BUCKET: 4.5,
    NO_QUEUE: 4.0,
    QUEUE_BEFORE_LOSS: -4.0,
    RANDOM_LOSS: -3.0,
    RECEIVER_WINDOW: -1.0,
    APPLICATION: -1.0,
    WHOLE_LINK: -6.0,
    SPARED: 1.0,
}
"""Weight of each rule at full strength, nats; see the module's text for the sources."""

RULES: tuple[Rule, ...] = (
    Rule(
        id=TOKEN_BUCKET,
        mechanism=POLICING,
        group="rate.losses",
        says="{losses} packets were lost just when a token bucket filled at {rate_bps} bit/s, {bucket_bytes} bytes "
        "deep, would be empty; this explains a share of {info} of where the losses fell",
        measures=BUCKET_MEASURES,
        references=(f"{FLACH}, §3",),
    ),
    Rule(
        id=NO_QUEUE,
        mechanism=POLICING,
        group="rate.queue",
        says="packets sent just before the losses came through as fast as all others (they waited a share of "
        "{waited_share} of what a queue of that rate and depth would cost): nothing queued before it was dropped",
        measures=QUEUE_MEASURES,
        references=(f"{FLACH}, §3.2",),
    ),
    Rule(
        id=QUEUE_BEFORE_LOSS,
        mechanism=POLICING,
        group="rate.queue",
        says="packets waited {waited_ms} ms before others were lost: a queue filled up, as congestion and shapers do",
        measures=QUEUE_MEASURES,
        references=(f"{FLACH}, §3.2",),
    ),
    Rule(
        id=RANDOM_LOSS,
        mechanism=POLICING,
        group="rate.losses",
        says="the {losses} losses do not depend on how much had been sent before: chance loss, not a rate limit",
        measures=("losses", "loss_share", "llr"),
        references=(f"{FLACH}, §3.3",),
    ),
    Rule(
        id=RECEIVER_WINDOW,
        mechanism=POLICING,
        group="rate.sender",
        says="for {share} of the transfer the receiver's own window held the sender back",
        measures=("share",),
        references=("Zhang et al., On the Characteristics and Origins of Internet Flow Rates, SIGCOMM 2002",),
    ),
    Rule(
        id=APPLICATION,
        mechanism=POLICING,
        group="rate.sender",
        says="for {share} of the transfer the sender had nothing to send",
        measures=("share",),
        references=("Zhang et al., On the Characteristics and Origins of Internet Flow Rates, SIGCOMM 2002",),
    ),
    Rule(
        id=WHOLE_LINK,
        mechanism=POLICING,
        group="rate.contrast",
        says="all {servers} servers that this client used share the limit of {rate_bps} bit/s: it is the link's",
        measures=("servers", "rate_bps", "selective"),
        references=("Zhang et al., Localizing Traffic Differentiation, IMC 2023",),
    ),
    Rule(
        id=SPARED,
        mechanism=POLICING,
        group="rate.contrast",
        says="at the same time the same client fetched from another server {ratio} times as fast as this limit",
        measures=("ratio", "selective"),
        references=("Xue et al., Throttling Twitter, IMC 2021",),
    ),
)
