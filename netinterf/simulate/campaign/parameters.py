"""What a campaign is made of: how many networks, names and runs, what is blocked, and what else goes wrong."""

import numpy as np

from netinterf.errors import ParameterError
from netinterf.values import frozen

__all__ = ["MECHANISMS", "MOST_NETWORKS", "Campaign", "Causes", "Seeds"]

MECHANISMS = (
    "tcp.drop", "dns.injection", "http.blockpage", "tcp.reset", "quic.drop", "dns.forged", "tcp.connect.drop",
    "tls.interception", "rate.policing", "dns.drop", "reach.isolation.allowlist",
)  # fmt: skip
"""Mechanisms that censors of a campaign use, in the order they are dealt."""

MOST_NETWORKS = 256
"""Client networks: so many /23 are in the block for benchmarks (RFC 2544)."""

EVERY = {"hour": 3_600, "day": 86_400}  # seconds between two runs


@frozen(kw_only=True)
class Causes:
    """How often something harmless looks like a block, each as a share from 0 to 1.

    None of these shares is measured on the Internet as a whole; what they rest on is said beside each. A fit or a
    benchmark that rests on them inherits that. Large delivery networks neither die nor turn networks away.
    """

    dead: float = 0.02  # of single servers, down for everybody from some run on; judgement: lists of names grow old
    gone: float = 0.02  # of names, NXDOMAIN or unanswered at every resolver; judgement, as above
    outage: float = 0.02  # of single servers, down for everybody in a few runs; judgement: some hours a month
    ban: float = 0.003  # of pairs of a server and a network; judgement: firewalls that ban by address are common, but
    # each bans few, and a probe that asks once a day seldom gives cause
    geoblock: float = 0.01  # of single servers, which turn away one or two countries; judgement, after McDonald et al.
    # (IMC 2018), who met geoblocking in nearly all of 177 countries, at a small share of popular sites
    bad_line: float = 0.03  # of runs, in which a network loses 5 to 15 % of all packets; judgement
    line_out: float = 0.01  # of runs, in which nothing passes for a part of it or all of it; judgement: 99 % uptime
    recorder: float = 0.03  # of runs, in which the recorder misses 1 to 10 % of the packets; judgement
    clock: float = 0.05  # of networks, whose recorder's clock is off by minutes to hours all the time; judgement

    def __attrs_post_init__(self) -> None:
        for name, share in vars(self).items():
            if not 0 <= share <= 1:
                raise ParameterError(name, share, "a share from 0 to 1")


@frozen(kw_only=True)
class Campaign:
    """The measure of a campaign; the same values give the same bytes.

    Raises:
        ParameterError: A value is out of range.
    """

    seed: int = 0
    networks: int = 4
    names: int = 20
    runs: int = 3
    blocked: float = 0.25  # share of the names that somebody blocks, in the mean over all networks
    every: str = "day"  # a run is made once an hour or a day
    mechanisms: tuple[str, ...] = MECHANISMS  # those that are dealt to censors
    causes: Causes = Causes()

    def __attrs_post_init__(self) -> None:
        least = {"seed": 0, "networks": 1, "names": 1, "runs": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ParameterError(name, getattr(self, name), f"a whole number from {low} on")
        if self.networks > MOST_NETWORKS:
            raise ParameterError("networks", self.networks, f"at most {MOST_NETWORKS}")
        if not 0 <= self.blocked <= 1:
            raise ParameterError("blocked", self.blocked, "a share from 0 to 1")
        if self.every not in EVERY:
            raise ParameterError("every", self.every, "one of " + ", ".join(EVERY))
        if unknown := set(self.mechanisms) - set(MECHANISMS):
            raise ParameterError("mechanisms", sorted(unknown), "some of " + ", ".join(MECHANISMS))

    @property
    def interval(self) -> int:
        """Nanoseconds between the begins of two runs."""
        return EVERY[self.every] * 10**9

    def chance(self, what: int, *which: int) -> np.random.Generator:
        """Give the source of chance for one thing alone: whatever else is drawn does not touch it.

        Args:
            what: One of :class:`Seeds`.
            which: Numbers of what it is about: a network, a server, a run.
        """
        return np.random.default_rng([self.seed, what, *(number + 1 for number in which)])  # (0 would add nothing)


class Seeds:
    """What has a source of chance of its own."""

    NETWORKS, HOSTS, SITES, WAY, CHAIN, CENSORS, BOX, CAUSES, RUN, START = range(1, 11)
