"""What may have kept segments of handshakes: a lossy way, a lossy line, a troubled server, or somebody on the path.

A visit is slow or quick. On a way that loses every segment with probability p, a handshake of m segments is slow with
``1 - (1 - p)^m`` whatever its name, and p shows in everything else that went the same way. If somebody slows a name,
its visits are slow with a share of their own. A server that troubles handshakes troubles those of all its names. So
three harmless causes are held against the one, each with the company that would share it:

* the way to the server: its other handshakes, and the rest of all connections to it;
* the client's line: the same of all its servers;
* the server: its other handshakes alone, at odds for how rare such servers are.

The likelihood ratio against the three together is that against the likeliest of them, or a little less. Visits are the
independent unit, never segments: those of one visit are lost together.
"""

from collections.abc import Sequence
from functools import cache
from math import lgamma, log
from types import EllipsisType

import attrs
import numpy as np

from netinterf.arrays import F64, I64
from netinterf.values import frozen

__all__ = [
    "LINE",
    "Counts",
    "against_all",
    "against_loss",
    "against_queues",
    "against_server",
    "against_way",
    "losses_known",
    "way_prior",
]

SEGMENTS = 6
"""Segments whose loss makes a handshake wait: the median of 2,577 simulated benign handshakes is 5 with payload, and
there is an acknowledgement."""

TEMPER = 0.5
"""What each further segment of one connection counts beside the first: losses come in runs, and conditional on one the
next is lost up to half the time (Bolot, SIGCOMM 1993; Yajnik et al., INFOCOM 1999)."""

BURST, SPOILT = 0.15, 0.2
"""Shares of slow visits on otherwise clean ways in which one disturbance brought several rounds of repeats, and
of these in which it spoilt the rest of the connection as well: of 8 among 2,800 benign simulated visits one and none
(Laplace's rule of succession, rounded)."""

LOSS: F64 = np.geomspace(1e-5, 0.9, 80)
"""Probabilities of loss that are tried."""


def loss_prior(a: float, b: float, bad: float) -> F64:
    """Weigh `LOSS` by a beta distribution, and a share *bad* evenly; logarithms that sum to 1."""
    weight = a * np.log(LOSS) + (b - 1) * np.log1p(-LOSS)
    usual = weight - np.logaddexp.reduce(weight)
    evenly = np.log(LOSS) - np.log(LOSS.sum())
    whole: F64 = np.logaddexp(np.log(1 - bad) + usual, np.log(bad) + evenly)
    return whole


BAD, WAYS = 0.1, 20.0
"""A priori one way in 200 loses anything up to all (0.6 % of 4,150 benign simulated pairs of client and server whose
handshakes finished lose more than 30 % of their segments), as sure as if twenty had been seen."""


@cache
def way_prior(bad: int, ways: int) -> F64:
    """Give how much a way to a server loses: mostly next to nothing, and the likelier more the more others do.

    Ways of one client share stretches, so bad ones come together.

    Args:
        bad: How many of the client's other servers are mostly slow.
        ways: How many others there are.
    """
    return loss_prior(0.1, 20.0, (BAD + bad) / (WAYS + ways))


OWN_WAY = 0.2
"""Share of bad ways that lead to one machine only. Judgement: machines of one /24 or /48 share all but the last step,
which is why names in the same prefix are controls (OONI, Türkiye, 2025)."""

LINE = loss_prior(0.2, 10.0, 0.05)
"""How much clients' lines lose: as ways, but policed plans and full queues are frequent (fitted on 1,023 benign
simulated clients, of which 3 to 6 % lose more than 30 %)."""

LATE_PATH, LATE_LINE, LATE_SERVER = 0.01, 0.1, 0.1
"""Shares of ways, of lines and of troubled servers where segments are held without being lost: full queues (benign
simulated captures: one way in a hundred, one line in ten) and frozen machines (judgement: as lines)."""

LATE = 0.03
"""Share of slow visits in which losses alone look so: none of 80 on other benign simulated ways; rule of three."""

RARE = log(7158 / 3)
"""How rare servers are that make handshakes be sent again and nothing else: of 7,158 benign simulated pairs of client
and server two remained that neither way nor line explained by 7 nats (rule of three)."""

SLOW, QUICK = np.log(-np.expm1(SEGMENTS * np.log1p(-LOSS))), SEGMENTS * np.log1p(-LOSS)
HIT, PASSED = np.log(LOSS), np.log1p(-LOSS)


@frozen(eq=False, kw_only=True)
class Counts:
    """Visits and what else went the same way; visits that are one event count once, so counts may be fractions.

    Several companies are counted side by side: numbers of one shape, which is that of whatever is asked of them.
    """

    slow: F64 | float = 0.0  # slow visits
    visits: F64 | float = 0.0
    delayed: F64 | float = 0.0  # slow visits in which a segment was late for a second and yet not lost
    more: F64 | float = 0.0  # segments sent again in slow visits beyond the first of each
    resent: F64 | float = 0.0  # segments sent again in the rest of their connections
    segments: F64 | float = 0.0

    @classmethod
    def joined(cls, companies: Sequence["Counts"]) -> "Counts":
        """Put companies, each several, one after the other."""
        names = [field.name for field in attrs.fields(cls)]
        return cls(**{name: np.concatenate([getattr(company, name) for company in companies]) for name in names})

    def along(self, place: tuple[int | slice | I64 | EllipsisType | None, ...]) -> "Counts":
        """Select companies, or lay them out along another axis, as numpy indexes."""
        return Counts(**{field.name: np.asarray(getattr(self, field.name))[place] for field in attrs.fields(Counts)})


def each_loss(count: F64 | float) -> F64:
    """Lay counts out so that they are held against every probability of loss."""
    return np.asarray(count, np.float64)[..., None]


def likelihoods(counts: Counts) -> F64:
    """Give the log-likelihood of company under each probability of loss, along the last axis."""
    slow, visits, resent, segments = map(each_loss, (counts.slow, counts.visits, counts.resent, counts.segments))
    rest = resent * HIT + (segments - resent) * PASSED
    total: F64 = slow * SLOW + (visits - slow) * QUICK + TEMPER * rest
    return total


def log_beta(a: F64 | float, b: F64 | float) -> F64:
    """Give the logarithm of the beta function."""
    return log_gamma(a) + log_gamma(b) - log_gamma(np.add(a, b))


def log_gamma(values: F64 | float) -> F64:
    """Give the logarithm of the gamma function of each number, as the standard library has it."""
    numbers = np.asarray(values, np.float64)
    return np.fromiter(map(lgamma, numbers.reshape(-1).tolist()), np.float64, numbers.size).reshape(numbers.shape)


LISTED = 2.0
"""Boxes slow most visits of a name that they know, but not all: the shares of reports rise towards one."""


def own_share(hits: F64 | float, trials: F64 | float) -> F64:
    """Give the log-likelihood of so many hits if their share may be anything."""
    return log_beta(np.add(1, hits), 1 + np.maximum(np.subtract(trials, hits), 0.0))


def against_queues(suspects: Counts, share: float) -> F64:
    """Weigh segments that were held against ways that only lose, and those, a share of all, that keep them waiting."""
    lost = np.multiply(suspects.delayed, log(LATE)) + np.subtract(suspects.slow, suspects.delayed) * log(1 - LATE)
    any_share = own_share(suspects.delayed, suspects.slow)
    own: F64 = np.logaddexp(any_share, lost) - log(2)
    return own - np.logaddexp(log(1 - share) + lost, log(share) + any_share)


def losses_known(prior: F64, others: Counts) -> F64:
    """Give how much ways or lines lose, now that it is known how their company fared.

    Args:
        prior: How much such ways or lines lose: `way_prior` or `LINE`.
        others: What else went the same way.

    Returns:
        Logarithms of the weight of each of `LOSS`, along the last axis, that sum to 1.
    """
    way = prior + likelihoods(others)
    way -= np.logaddexp.reduce(way, axis=-1, keepdims=True)
    return way


def against_loss(suspects: Counts, way: F64) -> F64:
    """Weigh a share of their own against losses that hit everything on the same way alike.

    Args:
        suspects: The visits in question, and the rest of their connections: that may be slowed as well, or not.
        way: How much their way or line loses: `losses_known`.

    Returns:
        Log-likelihood ratios, nats; of as many suspects and ways as go together when numpy broadcasts them.
    """
    slow, visits, more, resent, segments = map(
        each_loss, (suspects.slow, suspects.visits, suspects.more, suspects.resent, suspects.segments)
    )
    rest = TEMPER * (resent * HIT + (segments - resent) * PASSED)
    again = own_share(TEMPER * more, TEMPER * (more + slow))
    slowed = own_share(TEMPER * resent, TEMPER * segments)
    # one disturbance may spoil a handshake, or a whole connection
    bursts = slow * log(BURST) + again + np.logaddexp(rest, slow * log(SPOILT) + slowed)
    apart = TEMPER * (more * HIT + slow * PASSED) + rest
    seen = slow * SLOW + (visits - slow) * QUICK
    lossy = np.logaddexp.reduce(way + seen + np.logaddexp(bursts, apart), axis=-1)
    spared = np.logaddexp.reduce(way + rest, axis=-1)
    told: F64 = listed_share(suspects) + again[..., 0] + np.logaddexp(spared, slowed[..., 0]) - log(2) - lossy
    return told


def listed_share(suspects: Counts) -> F64:
    """Give the log-likelihood of so many slow visits of a listed name: the higher the share, the likelier (2θ)."""
    quick = np.maximum(np.subtract(suspects.visits, suspects.slow), 0.0)
    return log_beta(np.add(LISTED, suspects.slow), 1 + quick) - log_beta(LISTED, 1)


def against_server(suspects: Counts, others: Counts, prior: F64) -> F64:
    """Weigh lists of names against servers that slow a share of all handshakes; 0 without others.

    If it is the names, then the server's others are slow as often as on such ways; else all have one share, whatever it
    is.
    """
    slow, visits = each_loss(others.slow), each_loss(others.visits)
    usual = np.logaddexp.reduce(prior + slow * SLOW + (visits - slow) * QUICK, axis=-1)
    one_share = own_share(np.add(suspects.slow, others.slow), np.add(suspects.visits, others.visits))
    return np.where(np.greater(others.visits, 0), listed_share(suspects) + usual - one_share, 0.0)


def against_way(alone: F64, network: F64) -> F64:
    """Join the log-likelihood ratios against a bad way to the server alone, and against one to its whole network."""
    joined: F64 = -np.logaddexp(log(OWN_WAY) - alone, log(1 - OWN_WAY) - network)
    return joined


def against_all(path: F64 | float, line: F64 | float, server: F64 | float) -> F64:
    """Join the log-likelihood ratios against the three harmless causes, of which one may be at work."""
    causes = np.stack(np.broadcast_arrays(np.negative(path), np.negative(line), -np.add(server, RARE)))
    joined: F64 = -np.logaddexp.reduce(causes, axis=0)
    return joined
