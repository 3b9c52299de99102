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

from netinterf.schema import Rule

__all__ = [
    "APPLICATION",
    "BURSTS",
    "LOSS_AFTER_BURSTS",
    "NO_QUEUE",
    "ONE_SERVER",
    "QUEUE_BEFORE_LOSS",
    "RANDOM_LOSS",
    "RECEIVER_WINDOW",
    "ROUGH_BUCKET",
    "RULES",
    "SPARED",
    "SPARED_ADDRESS",
    "SPARED_ELSEWHEN",
    "SPARED_NAME",
    "TOKEN_BUCKET",
    "UNCLEAR",
    "UNHEARD",
    "WEIGHTS",
    "WHOLE_LINK",
]

XUE = "Xue et al., Throttling Twitter, IMC 2021"
FLACH = "Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016"
POLICING = "rate.policing"

TOKEN_BUCKET, ROUGH_BUCKET, LOSS_AFTER_BURSTS = "rate.token_bucket", "rate.rough_bucket", "rate.loss_after_bursts"
UNHEARD = "rate.acknowledgements"
NO_QUEUE, BURSTS = "rate.no_queue", "rate.bursts_beyond_rate"
QUEUE_BEFORE_LOSS, RANDOM_LOSS = "rate.queue_before_loss", "rate.random_loss"
RECEIVER_WINDOW, APPLICATION = "rate.receiver_window", "rate.application"
WHOLE_LINK, UNCLEAR = "rate.whole_link", "rate.others_unclear"
SPARED, SPARED_ELSEWHEN = "rate.spared", "rate.spared_elsewhen"
SPARED_NAME, SPARED_ADDRESS = "rate.spared_name", "rate.spared_address"
ONE_SERVER = "rate.one_server"

BUCKET_MEASURES = (
    "rate_bps", "rate_low_bps", "rate_high_bps", "bucket_bytes", "bucket_low_bytes", "bucket_high_bytes", "losses",
    "info", "llr", "units",
)  # fmt: skip
QUEUE_MEASURES = ("waited_share", "waited_ms", "rtt_inflation", "samples", "burst_packets")

WEIGHTS: dict[str, float] = {
    TOKEN_BUCKET: 4.5,
    ROUGH_BUCKET: 2.7,
    LOSS_AFTER_BURSTS: 1.0,
    UNHEARD: 4.5,
    NO_QUEUE: 4.0,
    BURSTS: 3.2,
    QUEUE_BEFORE_LOSS: -4.0,
    RANDOM_LOSS: -3.0,
    RECEIVER_WINDOW: -1.0,
    APPLICATION: -1.0,
    WHOLE_LINK: -6.0,
    SPARED: 4.0,
    SPARED_NAME: 4.0,
    SPARED_ADDRESS: 4.0,
    SPARED_ELSEWHEN: 2.0,
    UNCLEAR: -0.5,
    ONE_SERVER: -0.5,
}
"""Weight of each rule at full strength, nats; see the module's text for the sources."""

RULES: tuple[Rule, ...] = (
    Rule(
        id=TOKEN_BUCKET,
        mechanism=POLICING,
        group="rate.losses",
        says="{losses} packets were lost just when a token bucket filled at {rate_low_bps} to {rate_high_bps} "
        "bit/s, {bucket_low_bytes} to {bucket_high_bytes} bytes deep, would be empty; "
        "this explains a share of {info} of where the losses fell",
        measures=BUCKET_MEASURES,
        references=(f"{FLACH}, §3",),
    ),
    Rule(
        id=ROUGH_BUCKET,
        mechanism=POLICING,
        group="rate.losses",
        says="{losses} packets were lost, most of them when a token bucket filled at {rate_low_bps} to {rate_high_bps} "
        "bit/s, {bucket_low_bytes} to {bucket_high_bytes} bytes deep, would be nearly empty; this explains a share of "
        "{info} of where the losses fell",
        measures=BUCKET_MEASURES,
        references=(f"{FLACH}, §3",),
    ),
    Rule(
        id=LOSS_AFTER_BURSTS,
        mechanism=POLICING,
        group="rate.losses",
        says="{losses} packets were lost, more often the more had been sent before; a token bucket "
        "explains a share of {info} of where they fell, which many causes would",
        measures=BUCKET_MEASURES,
        references=(f"{FLACH}, §3",),
    ),
    Rule(
        id=UNHEARD,
        mechanism=POLICING,
        group="rate.losses",
        says="{losses} acknowledgements never arrived, just when a token bucket filled at {rate_low_bps} to "
        "{rate_high_bps} bit/s, {bucket_low_bytes} to {bucket_high_bytes} bytes deep, would be empty (a share of "
        "{info} explained): data was repeated that had arrived",
        measures=BUCKET_MEASURES,
        references=("RFC 7323, §4.3", "net4people/bbs 382"),
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
        says="no limit that drops explains where the {losses} losses fell: they came by chance, in runs, as on radio "
        "links and in outages, or at a full queue",
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
        says="{servers} domains or servers that this client used lost packets as often, "
        "and nothing was spared: it is the link's",
        measures=("servers", "rate_bps", "selective"),
        references=("Zhang et al., Localizing Traffic Differentiation, IMC 2023",),
    ),
    Rule(
        id=SPARED,
        mechanism=POLICING,
        group="rate.contrast",
        says="{passed} packets of other connections of this client passed meanwhile, as they would not if they shared "
        "its limit (log-likelihood ratio {llr}): they are spared",
        measures=("passed", "llr", "selective"),
        references=(XUE,),
    ),
    Rule(
        id=SPARED_NAME,
        mechanism=POLICING,
        group="rate.contrast",
        says="{passed} packets of other names at the same address passed meanwhile, as they would not if they shared "
        "the limit (log-likelihood ratio {llr}): it is the name that is limited",
        measures=("passed", "llr", "selective"),
        references=(XUE,),
    ),
    Rule(
        id=SPARED_ADDRESS,
        mechanism=POLICING,
        group="rate.contrast",
        says="{passed} packets of the same name at other addresses passed meanwhile, as they would not if they shared "
        "the limit (log-likelihood ratio {llr}): it is the address that is limited",
        measures=("passed", "llr", "selective"),
        references=(XUE,),
    ),
    Rule(
        id=SPARED_ELSEWHEN,
        mechanism=POLICING,
        group="rate.contrast",
        says="{passed} packets of other connections of this client passed before, after, or the other way, as they "
        "would not if they shared its limit (log-likelihood ratio {llr})",
        measures=("passed", "llr"),
        references=(XUE,),
    ),
    Rule(
        id=ONE_SERVER,
        mechanism=POLICING,
        group="rate.contrast",
        says="whatever this one server was asked for was limited, and only other servers were spared ({passed} "
        "packets): it may be the server's own line",
        measures=("passed", "own_line"),
        references=("Zhang et al., Localizing Traffic Differentiation, IMC 2023",),
    ),
    Rule(
        id=UNCLEAR,
        mechanism=POLICING,
        group="rate.contrast",
        says="the {passed} packets of other connections of this client do not tell whether they are limited as well "
        "(log-likelihood ratio {llr}): the capture cannot show whom the limit is aimed at, it may be the link's",
        measures=("passed", "llr"),
        references=("Zhang et al., Localizing Traffic Differentiation, IMC 2023",),
    ),
)
