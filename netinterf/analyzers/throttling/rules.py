"""The vocabulary of the throttling analyzer: what each observation is called, says and weighs.

Weights are natural-log likelihood ratios against the flows of ordinary traffic, most of which lose next to nothing.
They are set for two signs together, since only together do they tell a policer from all else. The basis are development
seeds of the simulator: 1,619 policed flows at the client and 19,281 others, most of them made to look alike; half of
the seeds were drawn after everything was set.

* A strict bucket beside servers that are spared, with no sign of a queue, was found in 569 policed flows and in 4
  others (3 in data plans); one without a queue and without a contrast in 225 and in 25 others (all in data plans). Of
  2,907 transfers of a second simulator, none had a bucket and no queue: the rule of three gives ln(2,907/3) = 6.9. That
  many losses are themselves 3 to 13 times as frequent in policed flows as in all (6.8 against 1.4 % in India, 2.6
  against 0.2 % in North America; Flach et al., Table 2): ln 5 = 1.6 more. Together 8.5.
* The losses alone earn 4.5 of it when the bucket is strict, 2.7 when it is rough (queues of a few packets look so too),
  1.0 when losses merely follow bursts, as behind many a queue.
* No queue earns 4.0: laboratory policers made packets wait for less than 0.02 of what a queue would, shapers for more
  than 0.3. Bursts alone earn 3.2, since radio links and receivers bunch packets too. Others that are spared earn 4.0
  where the bucket is sure (678 policed flows with a strict or a rough one, 9 others), and 1.0 where it is not.
* The arguments against are as strong as what they contradict, since they name the benign cause.
"""

from netinterf.schema import Rule

__all__ = [
    "APPLICATION",
    "BURSTS",
    "FASTER",
    "LOSS_AFTER_BURSTS",
    "NO_QUEUE",
    "OUTAGE",
    "QUEUE_BEFORE_LOSS",
    "RANDOM_LOSS",
    "RECEIVER_WINDOW",
    "ROUGH_BUCKET",
    "RULES",
    "SPARED",
    "TOKEN_BUCKET",
    "WEIGHTS",
    "WHOLE_LINK",
    "WITHIN",
]

FLACH = "Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016"
POLICING = "rate.policing"

TOKEN_BUCKET, ROUGH_BUCKET, LOSS_AFTER_BURSTS = "rate.token_bucket", "rate.rough_bucket", "rate.loss_after_bursts"
NO_QUEUE, BURSTS = "rate.no_queue", "rate.bursts_beyond_rate"
QUEUE_BEFORE_LOSS, RANDOM_LOSS, OUTAGE = "rate.queue_before_loss", "rate.random_loss", "rate.outage"
RECEIVER_WINDOW, APPLICATION = "rate.receiver_window", "rate.application"
WHOLE_LINK, WITHIN = "rate.whole_link", "rate.within_limit"
SPARED, FASTER = "rate.spared", "rate.others_faster"

BUCKET_MEASURES = ("rate_bps", "bucket_bytes", "losses", "info", "llr", "units")
QUEUE_MEASURES = ("waited_share", "waited_ms", "rtt_inflation", "samples", "burst_packets")

WEIGHTS: dict[str, float] = {
    TOKEN_BUCKET: 4.5,
    ROUGH_BUCKET: 2.7,
    LOSS_AFTER_BURSTS: 1.0,
    NO_QUEUE: 4.0,
    BURSTS: 3.2,
    QUEUE_BEFORE_LOSS: -4.0,
    RANDOM_LOSS: -3.0,
    OUTAGE: -3.0,
    RECEIVER_WINDOW: -1.0,
    APPLICATION: -1.0,
    WHOLE_LINK: -6.0,
    WITHIN: -2.0,
    SPARED: 4.0,
    FASTER: 1.0,
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
        id=ROUGH_BUCKET,
        mechanism=POLICING,
        group="rate.losses",
        says="{losses} packets were lost, most of them when a token bucket filled at {rate_bps} bit/s, {bucket_bytes} "
        "bytes deep, would be nearly empty; this explains a share of {info} of where the losses fell",
        measures=BUCKET_MEASURES,
        references=(f"{FLACH}, §3",),
    ),
    Rule(
        id=LOSS_AFTER_BURSTS,
        mechanism=POLICING,
        group="rate.losses",
        says="{losses} packets were lost, more often the more had been sent before; a token bucket filled at "
        "{rate_bps} bit/s explains a share of {info} of where they fell, which many causes would",
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
        id=BURSTS,
        mechanism=POLICING,
        group="rate.queue",
        says="{burst_packets} packets arrived at once beyond the rate that the losses show; a queue of that rate would "
        "have spaced them",
        measures=QUEUE_MEASURES,
        references=("Le Boudec and Thiran, Network Calculus, 2001, §1.3",),
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
        id=OUTAGE,
        mechanism=POLICING,
        group="rate.losses",
        says="most of the {losses} losses fell in one run in which nothing passed, while a token bucket would have let "
        "{granted_packets} packets through: the link was dead for a moment",
        measures=("losses", "granted_packets"),
        references=(f"{FLACH}, §3",),
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
        says="together with other servers the client exchanged {excess_bytes} bytes more than this limit and its "
        "bucket let through, up to {ratio} times its rate with them: they are spared",
        measures=("excess_bytes", "ratio", "selective"),
        references=("Xue et al., Throttling Twitter, IMC 2021",),
    ),
    Rule(
        id=FASTER,
        mechanism=POLICING,
        group="rate.contrast",
        says="the client exchanged {excess_bytes} bytes more with others than a bucket of the rate found here passes; "
        "but that rate is not sure",
        measures=("excess_bytes", "ratio", "selective"),
        references=("Xue et al., Throttling Twitter, IMC 2021",),
    ),
    Rule(
        id=WITHIN,
        mechanism=POLICING,
        group="rate.contrast",
        says="{other_bytes} bytes that the client exchanged with other servers stayed within the same limit of "
        "{rate_bps} bit/s: it may be the link's",
        measures=("other_bytes", "rate_bps"),
        references=("Le Boudec and Thiran, Network Calculus, 2001, §1.3",),
    ),
)
