"""What a comparison is worth: the failures of one unit under a block, and under every harmless cause.

A unit (a name over a transport, or a server) failed on one side. Given that, was it blocked there, or does one of these
explain it as well?

- *gone*: the name, or what serves it, is out of service, wherever it is asked for or at this server only;
- *server*: the server as a whole is out of service;
- *access*: the link of this side loses packets or is out, or the recorder misses them, whatever is asked;
- *refused*: the server itself turns this place away without a word, by address or by name.

Each cause says how the unit fails here, how others at the same server fare, and how the unit and the server fare on the
other side. The log-likelihood ratio of a block against all of them together is what the comparison is worth. It is
bounded by the share of servers that refuse a place by themselves, since no capture at clients can tell those from a
block: two places see where it fails, not who lets it fail. A reset is an answer, which servers give as boxes do: there
the comparison may clear but never accuses, and whether the reset was forged is for its packets to say. What the packets
of the failures say by themselves is not in here: it is in the verdicts of the scan.

Source of the form: competing causes as in `netinterf.analyzers.isolation.causes`; Gelman et al., "Bayesian Data
Analysis", 3rd edition, section 2.4 (beta-binomial). The weights are judgements, each with its reason.
"""

from enum import IntEnum

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.values import frozen

__all__ = ["CAUSES", "FAILING", "Cause", "Failures", "Kind", "ordinary_failure", "weigh_causes"]


class Cause(IntEnum):
    """Harmless causes, in the order of the columns of `weigh_causes`."""

    GONE = 0
    SERVER = 1
    ACCESS = 2
    REFUSED_ADDRESS = 3
    REFUSED_NAME = 4


CAUSES = tuple(cause.name.lower().replace("_", "-") for cause in Cause)


class Kind(IntEnum):
    """What kind of failure a unit shows: it decides how common each cause is."""

    SILENT = 0  # asked by name, and met silence
    RESET = 1  # asked by name, and was reset
    UNOPENED = 2  # never opened, whatever would have been asked for
    LOOKUP = 3  # a DNS lookup


SHARES = np.array([
    # gone  server access  by address  by name
    [0.35, 0.30, 0.32, 0.02, 0.01],
    [0.40, 0.20, 0.20, 0.10, 0.10],
    [0.00, 0.60, 0.25, 0.15, 0.00],
    [0.58, 0.20, 0.20, 0.01, 0.01],
])  # fmt: skip
"""How often each cause lies behind a failure that is no block, by `Kind`. Judgements: most failures are of what was
asked for, since lists of names hold dead ones, fewer of whole servers or of the client's link. Servers that turn away a
country mostly say so (403, 451: McDonald et al., "403 Forbidden", IMC 2018) and seldom by silence for a name among
others; resets and unanswered SYNs are what firewalls do that turn away addresses (Afroz et al., "Exploring Server-side
Blocking of Regions", 2018), so these get a tenth and more, and an address that never answers is never likely to be
blocked by this alone."""

LOCAL = np.array([0.5, 0.5, 0.5, 0.1])
"""Share of the names that are gone which are so at this server only, by `Kind`: places are sent to different servers of
a delivery network, and one may not know a name that others serve. Resolvers seldom differ so: what one cannot find out
it answers with an error (judgements)."""

FAILING = 0.07
"""Share of units that are asked for again and again and fail though nobody blocks them: judgement, between a twentieth
and a tenth, as lists of popular names hold dead ones. A block lets nearly all fail, so that failing weighs the inverse
of it, and only where the packets of the failures say nothing more telling by themselves."""

STEADY = (4.0, 1.0)
"""Beta prior of the share of attempts that a lasting cause lets fail, a block among them: mostly all (judgement)."""

LASTS_NS = 6 * 3600 * 10**9
"""Mean time that a passing outage goes on, and FOREVER the share of outages that do not pass: names that are dead stay
so (judgements). They say how much an answer from the other side, hours or days away, tells about the time here."""
FOREVER = 0.5

MOST = 3
"""Attempts of one kind beyond the third tell nothing new: what they share, they share all (as ``LEAST`` in groups)."""


@frozen(eq=False, kw_only=True)
class Failures:
    """What is known of each unit that failed on a side, one entry per unit."""

    kind: I64  # Kind
    failed: F64  # attempts on this side that failed
    answered: F64  # attempts on this side that were answered
    chance: F64  # sum over the failures of `ordinary_failure`
    neighbour_alive: F64  # failures whose nearest neighbour in time at the same server was alive
    neighbour_dead: F64  # failures whose nearest neighbour there failed as well
    same_alive: F64  # the unit on the other side, at the same servers
    same_dead: F64
    elsewhere_alive: F64  # the unit on the other side, at other servers
    elsewhere_dead: F64
    others_alive: F64  # other units on the other side, at the same servers
    others_dead: F64
    unit_gap: F64  # ns from its failures to its attempts on the other side, infinity without any
    server_gap: F64  # ns from its failures to any attempt at the same servers there


def weigh_causes(failures: Failures, *, compared: bool = True) -> tuple[F64, F64]:
    """Weigh "blocked on this side" against all harmless causes.

    Args:
        failures: Units that failed at least once on this side.
        compared: Whether what the other side saw counts; without, only what the capture itself shows around them.

    Returns:
        Log-likelihood ratio of each unit in nats, and the share of each harmless cause, shape (units, causes), were
        it none.
    """
    each = np.log(np.maximum(SHARES[failures.kind], 1e-300))
    pattern = np.empty((len(failures.kind), len(Cause)))
    lasting = _lasting(failures)
    pattern[:] = lasting[:, None]
    rate = np.exp(failures.chance / np.maximum(failures.failed, 1))
    pattern[:, Cause.ACCESS] = failures.chance + failures.answered * np.log1p(-rate)
    spared = _spared(failures.neighbour_alive, failures.neighbour_dead)
    gone = _gone(failures.neighbour_alive, failures.neighbour_dead)
    whole = [Cause.SERVER, Cause.REFUSED_ADDRESS]
    neighbours = np.repeat(spared[:, None], len(Cause), axis=1)
    neighbours[:, whole] = gone[:, None]
    blocked = lasting + np.where(failures.kind == Kind.UNOPENED, gone, spared)
    harmless = each + pattern + neighbours
    if compared:
        unit = failures.same_alive + failures.elsewhere_alive, failures.same_dead + failures.elsewhere_dead
        server = failures.same_alive + failures.others_alive, failures.same_dead + failures.others_dead
        others = _spared(failures.others_alive, failures.others_dead)
        works = _spared(*unit) + others
        harmless[:, [Cause.ACCESS, Cause.REFUSED_ADDRESS, Cause.REFUSED_NAME]] += works[:, None]
        harmless[:, Cause.GONE] += others + np.logaddexp(
            np.log1p(-LOCAL)[failures.kind] + _elsewhere(*unit, failures.unit_gap),
            np.log(LOCAL)[failures.kind]
            + _elsewhere(failures.same_alive, failures.same_dead, failures.server_gap)
            + _spared(failures.elsewhere_alive, failures.elsewhere_dead),
        )
        harmless[:, Cause.SERVER] += _elsewhere(*server, failures.server_gap) + _spared(
            failures.elsewhere_alive, failures.elsewhere_dead
        )
        blocked += works
    top = harmless.max(axis=1, initial=-np.inf)
    total = top + np.log(np.exp(harmless - top[:, None]).sum(axis=1))
    llr = np.where(failures.kind == Kind.RESET, np.minimum(blocked - total, 0.0), blocked - total)
    return llr, np.exp(harmless - total[:, None])


def _lasting(failures: Failures) -> F64:
    """Give the log-likelihood of the failures under a cause that lasts, over the share it lets fail."""
    from scipy.special import betaln

    a, b = STEADY
    return np.asarray(betaln(a + failures.failed, b + failures.answered) - betaln(a, b), np.float64)


def _spared(alive: F64, dead: F64) -> F64:
    """Give the log-likelihood of attempts that nothing ails."""
    return np.asarray(np.minimum(alive, MOST) * np.log1p(-USUAL) + np.minimum(dead, MOST) * np.log(USUAL))


def _gone(alive: F64, dead: F64) -> F64:
    """Give the log-likelihood of attempts at something that is out."""
    return np.asarray(np.minimum(alive, MOST) * np.log1p(-OUT) + np.minimum(dead, MOST) * np.log(OUT))


def _elsewhere(alive: F64, dead: F64, gap: F64) -> F64:
    """Give the log-likelihood of attempts on the other side, were it out here: it may be over by then, or not yet."""
    still = FOREVER + (1 - FOREVER) * np.exp(-gap / LASTS_NS)
    over = np.log1p(-np.minimum(still, 1 - 1e-12))
    return np.logaddexp(np.log(still) + _gone(alive, dead), over + _spared(alive, dead))
