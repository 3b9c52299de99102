"""What failures are worth: those of one cell under a block, and under every harmless cause.

A cell is a unit (a name over a transport, or a server) in one place. It failed there. Was it blocked, or does one of
these explain it as well?

- *gone*: the name, or what serves it, is out of service, wherever it is asked for or at this server only;
- *server*: the server as a whole is out of service;
- *access*: the link of this place loses packets or is out, or the recorder misses them, whatever is asked;
- *refused*: the server itself turns this place away without a word, by address or by name: this network alone, as those
  who ban do, or its whole country, as sanctions and licences ask for.

Each cause says how the unit fails here while it is at work (`netinterf.pooling.spans`), how others at the same server
fare meanwhile, and how the unit and the server fare in other places. All is told relative to a world in which others
are spared, so that what tells no cause from another is left out. The log-likelihood ratio of a block against all causes
together is what the contrast is worth. It is bounded by the share of servers that refuse a place by themselves, since
no capture at clients can tell those from a block: places see where it fails, not who lets it fail. A reset is an
answer, which servers give as boxes do: there the contrast may clear but never accuses, and whether the reset was forged
is for its packets to say. What the packets of the failures say by themselves is not in here: it is in the verdicts of
the scan.

Source of the form: competing causes as in `netinterf.analyzers.isolation.causes`; Gelman et al., "Bayesian Data
Analysis", 3rd edition, section 2.4 (beta-binomial). The weights are judgements, each with its reason.
"""

from enum import IntEnum

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.observations.line import OUT, USUAL
from netinterf.pooling.episodes import Episodes
from netinterf.pooling.spans import Spans, span_evidence
from netinterf.pooling.standing import Standing
from netinterf.values import frozen

__all__ = ["CAUSES", "FAILING", "Cause", "Kind", "Worth", "weigh_causes"]


class Cause(IntEnum):
    """Harmless causes, in the order of the columns of `weigh_causes`."""

    GONE = 0
    SERVER = 1
    ACCESS = 2
    REFUSED_ADDRESS = 3
    REFUSED_NAME = 4


CAUSES = tuple(cause.name.lower().replace("_", "-") for cause in Cause)


class Kind(IntEnum):
    """What kind of failure a cell shows: it decides how common each cause is."""

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

COUNTRY = 0.5
"""Share of servers that refuse a place which refuse its whole country, where others of that country tell: judgement,
since both are seen (Afroz et al. 2018: by country; McDonald et al. 2018: by networks of hosting and of proxies too)."""

FAILING = 0.07
"""Share of units that are asked for again and again and fail though nobody blocks them: judgement, between a twentieth
and a tenth, as lists of popular names hold dead ones. A block lets nearly all fail, so that failing weighs the inverse
of it, and only where the packets of the failures say nothing more telling by themselves."""

STEADY = (4.0, 1.0)
"""Beta prior of the share of attempts that a lasting cause lets fail, a block among them: mostly all (judgement)."""


@frozen(eq=False, kw_only=True)
class Worth:
    """What the contrasts of cells are worth, one entry per cell."""

    llr: F64  # a block against all harmless causes, nats
    alone: F64  # the same by what the place itself shows
    shares: F64  # shape (cells, causes): how much each explains, were it none of a block
    spans: Spans  # from when to when it was blocked, if it was


def weigh_causes(episodes: Episodes, standing: Standing, kind: I64) -> Worth:
    """Weigh "blocked in this place" against all harmless causes.

    Args:
        episodes: Cells that failed at least once, in time, and what others show at these times.
        standing: What other places show of them over the whole time.
        kind: `Kind` of each.
    """
    alone, _, _ = _weigh(episodes, None, kind)
    llr, shares, spans = _weigh(episodes, standing, kind)
    return Worth(llr=llr, alone=alone, shares=shares, spans=spans)


def _weigh(episodes: Episodes, standing: Standing | None, kind: I64) -> tuple[F64, F64, Spans]:
    """Weigh with what other places show, or without.

    Returns:
        Log-likelihood ratio of each cell, shares of causes, and when a block was at work.
    """
    own = _lasting(episodes) - _by_chance(episodes)
    whole = episodes.neighbours  # an outage of the whole server rather than spared others, nats
    unopened = kind == Kind.UNOPENED
    blocked, spans = span_evidence(episodes, own + np.where(unopened[episodes.cell], whole, 0.0))
    by_address, _ = span_evidence(episodes, own + whole)
    by_name, _ = span_evidence(episodes, own)
    unit, local, server, works, alike, scope = (np.zeros(1),) * 6
    if standing is not None:
        unit, local, server = episodes.unit_gone, episodes.local_gone, episodes.server_gone
        works, alike = standing.elsewhere, standing.siblings
        scope = np.logaddexp(np.log1p(-COUNTRY), np.log(COUNTRY) + standing.country)
    gone, _ = span_evidence(episodes, own + unit)
    gone_here, _ = span_evidence(episodes, own + local)
    down, _ = span_evidence(episodes, own + whole + server)
    harmless = np.empty((len(kind), len(Cause)))
    harmless[:, Cause.GONE] = np.logaddexp(np.log1p(-LOCAL)[kind] + gone, np.log(LOCAL)[kind] + gone_here)
    harmless[:, Cause.SERVER] = down
    harmless[:, Cause.ACCESS] = works
    harmless[:, Cause.REFUSED_ADDRESS] = by_address + works + scope
    harmless[:, Cause.REFUSED_NAME] = by_name + works + scope
    harmless += np.log(np.maximum(SHARES[kind], 1e-300))
    top = harmless.max(axis=1, initial=-np.inf)
    total = top + np.log(np.exp(harmless - top[:, None]).sum(axis=1))
    llr = blocked + works + alike - total
    return np.where(kind == Kind.RESET, np.minimum(llr, 0.0), llr), np.exp(harmless - total[:, None]), spans


def _lasting(episodes: Episodes) -> F64:
    """Give the log-likelihood of each episode under a cause that lasts, over the share it lets fail."""
    from scipy.special import betaln

    a, b = STEADY
    return np.asarray(betaln(a + episodes.failed, b + episodes.answered) - betaln(a, b), np.float64)


def _by_chance(episodes: Episodes) -> F64:
    """Give the log-likelihood of each episode if attempts fail for no reason that lasts."""
    rate = np.where(episodes.failed > 0, np.exp(episodes.chance / np.maximum(episodes.failed, 1)), USUAL)
    return np.asarray(episodes.chance + episodes.answered * np.log1p(-np.minimum(rate, OUT)))
