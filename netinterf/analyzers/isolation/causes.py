"""Which cause explains who was reached best: closed borders against everything harmless that looks alike.

What is compared are networks (/24, /48), each by the share of its attempts that passed, per protocol, at home and
abroad, while it seemed closed and otherwise. One dead host hammered ten thousand times is one observation. Each cause
says what shares it expects, as beta distributions; the likelihood of what was seen is a product of beta-binomials.
Causes with an unknown (which systems are cut, which protocols pass) are averaged over it, so that they pay for what
they leave open.

The expectations are judgements: nearly all is Beta(18, 2), nine of ten and seldom less than seven; hardly any is
Beta(1, 19), one of twenty; mixed is Beta(4, 4), since Beta(2, 2) allows that nothing at all passes; dead hosts and what
a list does not hold answer once in a thousand times at most, and a border that is closed wholly not once in ten
thousand. How common the harmless causes are in a capture with networks at home that answer and ten abroad that do not
is judgement, too, except where a source is named; `HARMLESS` holds it, relative to a capture in which nothing happened.
"""

from typing import NamedTuple

import numpy as np

from netinterf.analyzers.isolation.attempts import IPV6_ROWS, ROWS, Row
from netinterf.arrays import F64, I64
from netinterf.values import frozen

__all__ = ["CLOSED", "HARMLESS", "Counts", "Match", "match"]

Beta = tuple[float, float]

HIGH: Beta = (18.0, 2.0)
LOW: Beta = (1.0, 19.0)
NONE: Beta = (1.0, 999.0)
NOT_ONE: Beta = (1.0, 9999.0)
MIXED: Beta = (4.0, 4.0)
PARTLY: Beta = (4.0, 8.0)
"""Handshakes among what a lossy way stopped: if x of all complete, and x of these are served, then x / (1 + x) of what
failed had been opened, a half at most."""
ANY: Beta = (1.0, 1.0)
FEW: Beta = (1.0, 3.0)
"""Places abroad on a list: a handful of those that people try."""
MOST: Beta = (6.0, 2.0)
"""Places at home on a list that is kept near the user: three quarters and more (net4people/bbs 516)."""
SCARCE: Beta = (1.0, 9.0)
"""Places abroad on such a list."""

CLOSED = {"full": 1.0, "listed": 0.5, "near": 0.15, "protocols": 0.35}
"""Closed borders: nothing passes, listed addresses pass, only listed addresses pass wherever they are, some protocols
pass. The last three are of one mechanism and share it: lists of addresses are documented most often (net4people/bbs
516 and 630), then filters that let protocols pass (Aryapour, arXiv:2507.14183), then lists kept near the user.
Judgement."""

HARMLESS = {
    "alike": 0.4,  # home fares no better, per protocol: a firewall, no IPv6
    "hosts": 0.4,  # dead hosts, at home as abroad
    "line": 0.2,  # home fares no better, in all protocols together
    "chosen": 1.0,  # what the client tries abroad in some protocols is dead by choice: scanners, peers; see CHOSEN
    "stale": 5e-4,  # what it tries abroad is dead in all protocols: a list of addresses that is long out of date
    "tarpits": 3e-4,  # many hosts abroad accept and say nothing
    "degraded": 0.02,  # the way abroad is overloaded
    "hoster": 0.02,  # one system abroad is down
    "cut": 8e-4,  # whole systems are cut off: about 60 visible cuts a year for 200 countries (Cloudflare, 2022-2025)
}

CHOSEN = {Row.WEB: 1e-3, Row.DNS: 1e-3}
CHOSEN_ELSE = 0.05
"""How often nearly all that a client tries abroad in one protocol is dead, and nothing at home: hardly ever on the web,
now and then among peers and tunnels."""

ALIKE_ROW = 0.3
"""How often a protocol fares at home as abroad for a reason of its own: no UDP, no IPv6, no answers to pings."""

HALF_LOST = 0.1
"""How often what befalls the client's side is neither all nor nothing: for half of the attempts to fail, four packets
of five must be lost (three SYNs within four seconds). Judgement."""

SPOKEN = (Row.WEB, Row.TCP, Row.DNS)

AGAIN = 0.01
"""What is cut and comes back again and again is no cable."""

SLOWER: Beta = (4.5, 1.0)
SPARED, SLOWER_ELSE = 0.15, 0.05
"""Which share of the networks that are still reached is clearly farther away than before, by other routes and full
queues, where a cable is cut or a way is overloaded: most of them, but now and then none, so that a single one is as
near as before three times in ten. How often half of them are farther otherwise. Judgement."""

ALIVE, LEFT = 0.93, 0.01
"""Share of the networks of a system that can be reached: of one that is well (a few hosts are always dead), and of one
that is down or cut off (now and then another way is left)."""

GRID = np.linspace(0.01, 0.99, 99)
"""Shares of systems or networks that something hits or spares."""


class Match(NamedTuple):
    """Which causes explain it best."""

    llr: float  # nats: the better mechanism, against harmless causes together
    closed: str  # the best closed border
    harmless: str  # the best harmless cause


@frozen(eq=False, kw_only=True)
class Counts:
    """Networks that were reached, of those that were tried; shares of attempts, so they need not be whole."""

    abroad: F64  # (2, ROWS): reached, tried, while it seemed closed
    home: F64  # (2, ROWS): the same at home
    otherwise: F64  # (2, ROWS): abroad at other times
    networks: F64  # (2, networks): abroad while it seemed closed: protocols that were reached, of those that were tried
    system: I64  # (networks,): number of the autonomous system of each of them, from 0
    networks_home: F64  # (2, networks): the same at home
    networks_rest: F64  # (2, networks): the same abroad at other times
    networks_ever: F64  # (2, networks): both together
    opened: F64  # (2,): TCP abroad meanwhile: gave a sign of life at all, of those that were not served
    turns: F64  # (2,): observations meanwhile, home and abroad: unlike the one before, and all but the first
    intermittent: F64  # (2,): networks abroad meanwhile: some attempts passed and some did not, of those tried again
    spans: int  # how often it closed
    search: float  # nats that it costs to have looked for these spans
    slower: bool  # networks that are still reached became slower, half of them and more
    survivors: int  # networks of which that can be told


def beta_binomial(counts: F64, beta: Beta) -> F64:
    """Compute the log-likelihood of counts (reached, tried) along the first axis, if shares come from *beta*."""
    from scipy.special import betaln

    return np.asarray(betaln(beta[0] + counts[0], beta[1] + counts[1] - counts[0]) - betaln(*beta), np.float64)


def mixed(counts: F64, share: Beta, low: Beta) -> float:
    """Compute the log-likelihood of counts per network or system, of which an unknown share is well and the rest not.

    What is not reached in one protocol is mostly not reached in the others either, so it is a network that is listed,
    cut off or dead, not a pair of network and protocol.

    Args:
        counts: Reached and tried, shape (2, n).
        share: What is expected of the share that is well.
        low: What is expected of the others.
    """
    return spread(beta_binomial(counts, HIGH), beta_binomial(counts, low), share)


def spread(well: F64, gone: F64, share: Beta) -> float:
    """Average over the share that is well: each network or system is, or it is gone, with these log-likelihoods."""
    each = np.logaddexp(np.log(GRID)[:, None] + well, np.log1p(-GRID)[:, None] + gone).sum(axis=1)
    weight = (share[0] - 1) * np.log(GRID) + (share[1] - 1) * np.log1p(-GRID)
    return log_sum(each + weight) - log_sum(weight)


def by_system(counts: Counts, share: float) -> F64:
    """Compute the log-likelihood of each system abroad, if that share of its networks can be reached."""
    each = np.logaddexp(
        np.log(share) + beta_binomial(counts.networks, HIGH), np.log1p(-share) + beta_binomial(counts.networks, NONE)
    )
    return np.asarray(np.bincount(counts.system, each), np.float64)


def match(counts: Counts) -> Match:
    """Weigh all causes against each other."""
    closed, harmless = closed_borders(counts), harmless_causes(counts)
    lists = {name: value for name, value in closed.items() if name != "full"}
    whole, but_for_some = closed["full"], log_sum(list(lists.values()))
    return Match(
        llr=max(whole, but_for_some) - log_sum(list(harmless.values())),
        closed="full" if whole >= but_for_some else max(lists, key=lambda name: lists[name]),
        harmless=max(harmless, key=lambda name: harmless[name]),
    )


def closed_borders(counts: Counts) -> dict[str, float]:
    """Compute the log-likelihood of each kind of closed border, its share among them included."""
    abroad, home = counts.abroad.sum(axis=1), mixed(counts.networks_home, HIGH, NONE)
    rest = (
        mixed(counts.networks_rest, HIGH, NONE)
        + float(beta_binomial(counts.intermittent, LOW))
        + slower_term(counts, expected=False)
        - counts.search
    )
    strict = float(beta_binomial(counts.opened, SCARCE))
    # lists are kept before or after the handshake
    lax = float(np.logaddexp(beta_binomial(counts.opened, HIGH), strict) - np.log(2))
    tried = np.flatnonzero(counts.abroad[1] > 0)
    rows = counts.abroad[:, tried]
    passing = np.logaddexp(beta_binomial(rows, HIGH), beta_binomial(rows, LOW)) - np.log(2)
    likelihoods = {
        "full": float(beta_binomial(abroad, NOT_ONE)) + home + rest + strict,
        "listed": mixed(counts.networks, FEW, NONE) + home + rest + lax,
        "near": mixed(counts.networks, SCARCE, NONE) + mixed(counts.networks_home, MOST, NONE) + rest + lax,
        "protocols": float(passing.sum()) + home + rest + lax,
    }
    return {name: value + float(np.log(CLOSED[name])) for name, value in likelihoods.items()}


def harmless_causes(counts: Counts) -> dict[str, float]:
    """Compute the log-likelihood of each harmless cause, its weight included."""
    abroad = counts.abroad.sum(axis=1)
    home, rest = mixed(counts.networks_home, HIGH, NONE), mixed(counts.networks_rest, HIGH, NONE) - counts.search
    well, gone = (by_system(counts, share) for share in (ALIVE, LEFT))
    one_gone = well.sum() - well + gone
    again = np.log(AGAIN) if counts.spans > 1 else 0.0
    likelihoods = {
        "alike": float(alike(counts.abroad + counts.home).sum()) + rest,
        "hosts": mixed(np.concatenate([counts.networks_ever, counts.networks_home], axis=1), ANY, NONE),
        "line": line(counts) + rest,
        "chosen": chosen(counts),
        "stale": mixed(counts.networks_ever, ANY, NONE) + home,
        "tarpits": mixed(counts.networks_ever, MIXED, NONE) + home,
        "degraded": float(beta_binomial(abroad, MIXED)) + home + rest + slower_term(counts, expected=True),
        "hoster": log_sum(one_gone) - float(np.log(len(one_gone))) + home + rest + slower_term(counts, expected=True),
        "cut": spread(well, gone, ANY) + home + rest + again + slower_term(counts, expected=True),
    }
    handshakes = {"alike": ANY, "line": ANY, "tarpits": HIGH, "degraded": PARTLY}  # dead hosts and paths complete none
    return {
        name: value
        + float(np.log(HARMLESS[name]))
        + float(beta_binomial(counts.opened, handshakes.get(name, SCARCE)))
        + float(beta_binomial(counts.intermittent, MIXED if name == "degraded" else LOW))
        for name, value in likelihoods.items()
    }


def chosen(counts: Counts) -> float:
    """Let each protocol fare for a reason of its own, at any time: well, as at home, or dead abroad by choice."""
    tried = np.flatnonzero((counts.abroad + counts.home + counts.otherwise)[1] > 0)
    as_home = alike(counts.abroad + counts.otherwise + counts.home)[tried] + np.log(ALIKE_ROW)
    abroad, home = (counts.abroad + counts.otherwise)[:, tried], counts.home[:, tried]
    share = np.array([CHOSEN.get(Row(row % IPV6_ROWS), CHOSEN_ELSE) for row in range(ROWS)])[tried]
    well = beta_binomial(abroad, HIGH) + beta_binomial(home, HIGH) + np.log1p(-share - ALIKE_ROW)
    dead = beta_binomial(abroad, ANY) + beta_binomial(home, HIGH) + np.log(share)
    return float(np.logaddexp(np.logaddexp(well, as_home), dead).sum())


def alike(counts: F64) -> F64:
    """Compute the log-likelihood of each protocol, if it fares alike everywhere.

    Which hosts speak a protocol is up to them; TCP and DNS over IPv4 all hosts speak that are there at all, so what
    befalls these on the client's side is all or nothing, but for what loses half of everything.
    """
    parts = (beta_binomial(counts, HIGH), beta_binomial(counts, NONE), beta_binomial(counts, ANY) + np.log(HALF_LOST))
    spoken = np.logaddexp(np.logaddexp(*parts[:2]) - np.log(2), parts[2])
    return np.asarray(np.where(np.isin(np.arange(ROWS), SPOKEN), spoken, beta_binomial(counts, ANY)), np.float64)


def line(counts: Counts) -> float:
    """Compute the log-likelihood of everything, if the client's line was down at times, or loses half of everything.

    A line that is down at times is so for a while: what is tried next, at home or abroad, mostly fares as the last did.
    """
    whole = (counts.abroad + counts.home).sum(axis=1)
    at_times = float(beta_binomial(counts.turns, SCARCE)) - float(np.log(2))
    return float(np.logaddexp(at_times, beta_binomial(whole, ANY) + np.log(HALF_LOST)))


def slower_term(counts: Counts, *, expected: bool) -> float:
    """Weigh whether half of those that are still reached became slower; 0 where nobody can tell."""
    if not counts.survivors:
        return 0.0
    half = np.array([0, -(-counts.survivors // 2)])
    spared = SPARED + (1 - SPARED) * float(np.exp(beta_binomial(half, SLOWER)))
    share = 1 - spared if expected else SLOWER_ELSE
    return float(np.log(share if counts.slower else 1 - share))


def log_sum(values: F64 | list[float]) -> float:
    """Add up likelihoods given as logarithms."""
    return float(np.logaddexp.reduce(np.asarray(values, np.float64)))
