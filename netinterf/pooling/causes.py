"""What failures are worth: those of one cell under a block, and under every harmless cause.

A cell is a unit (a name over a transport, or a server) in one place. It failed there. Was it blocked, or does one of
these explain it as well?

- *gone*: the name, or what serves it, is out of service, wherever it is asked for or at this server only;
- *server*: the server as a whole is out of service;
- *access*: the link of this place loses packets or is out, or the recorder misses them, whatever is asked;
- *refused*: the server itself turns this place away without a word, by address or by name: this network alone, as those
  who ban do, or its whole country, as sanctions and licences ask for.

Each cause says how the unit fails here while it is at work (`netinterf.pooling.spans`), how others at the same server
fare meanwhile, and how the unit and the server fare in other places. Whatever else is at work, servers pause and names
die (`netinterf.pooling.outages`): hours in which the unit was out for everybody are explained by that. All is told
relative to a world in which others are spared, so that what tells no cause from another is left out. The log-likelihood
ratio of a block against all causes together is what the contrast is worth. It is bounded by the share of servers that
refuse a place by themselves, since no capture at clients can tell those from a block: places see where it fails, not
who lets it fail. A reset is an answer, which servers give as boxes do: there the contrast may clear but never accuses,
and whether the reset was forged is for its packets to say. What the packets of the failures say by themselves is not in
here: it is in the verdicts of the scan.

Source of the form: competing causes as in `netinterf.analyzers.isolation.causes`; Gelman et al., "Bayesian Data
Analysis", 3rd edition, section 2.4 (beta-binomial). The weights are judgements, each with its reason.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Self

import attrs
import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.observations.line import OUT, USUAL
from netinterf.pooling.episodes import Episodes
from netinterf.pooling.outages import outages
from netinterf.pooling.spans import BLOCK_HOURS, OUTAGE_HOURS, Spans, span_evidence
from netinterf.pooling.standing import Standing, blocked_in, over_shares, sums
from netinterf.values import frozen

__all__ = [
    "BY_COUNTRY", "CAUSES", "COUNTRY", "FAILING", "ONE_NETWORK", "SHARES", "Cause", "Kind", "Worth", "weigh_causes",
]  # fmt: skip


class Cause(IntEnum):
    """Harmless causes, in the order of the columns of `Worth.harmless`."""

    GONE = 0
    SERVER = 1
    ACCESS = 2
    REFUSED_ADDRESS = 3
    REFUSED_NAME = 4
    REFUSED_COUNTRY_ADDRESS = 5
    REFUSED_COUNTRY_NAME = 6


CAUSES = (*(cause.name.lower().replace("_", "-") for cause in Cause), "transit")  # the last of whole networks alone

ONE_NETWORK = [Cause.REFUSED_ADDRESS, Cause.REFUSED_NAME]
BY_COUNTRY = [Cause.REFUSED_COUNTRY_ADDRESS, Cause.REFUSED_COUNTRY_NAME]
"""Refusals of one network, and the same of its country."""


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
"""Share of servers that refuse a place which refuse its whole country: judgement, since both are seen (Afroz et al.
2018: by country; McDonald et al. 2018: by networks of hosting and of proxies too)."""

BESIDE = (0.05, 0.95)
"""Beta prior of how often what is nearest in time at the same server fails for reasons of its own: it is blocked as
well (one in twenty), now and then, or always where the same is nearest each time (judgement)."""

FAILING = 0.07
"""Share of units that are asked for again and again and fail though nobody blocks them: judgement, between a twentieth
and a tenth, as lists of popular names hold dead ones. A block lets nearly all fail, so that failing weighs the inverse
of it, and only where the packets of the failures say nothing more telling by themselves."""

PASSES = (OUTAGE_HOURS, BLOCK_HOURS)
"""Mean times that an outage which ends goes on, hours, one as common as the other: servers pause, and what is not in
use yet, or moves, is out of service for weeks (judgement)."""

STEADY = (9.0, 1.0)
"""Beta prior of the share of attempts that a lasting cause lets fail, a block among them: mostly all (judgement)."""


@frozen(eq=False, kw_only=True)
class Worth:
    """What the contrasts of cells are worth, one entry per cell."""

    alone: F64  # a block against all harmless causes by one hour of the place itself, where it says most; nats
    blocked: F64  # log-likelihood of a block, nats
    harmless: F64  # of each harmless cause and how common it is, nats; shape (cells, causes)
    listed: F64  # of that of a block, what other networks of the country say of a list that they may share; nats
    siblings: Mask  # other networks of the country tell anything
    kind: I64  # Kind of the failures
    spans: Spans  # from when to when it was blocked, if it was, among the hours in which it was tried

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Join what contrasts of different cells are worth."""
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("alone", "blocked", "harmless", "listed", "siblings", "kind")
        }
        return cls(spans=Spans.concat([part.spans for part in parts]), **columns)

    def own_list(self, share: F64) -> F64:
        """Say how likely the list that a cell is on is the network's own, and no other of the country has it.

        Args:
            share: How often lists are that, of each cell.
        """
        own, shared = np.log(share), np.log1p(-share) + self.listed
        return np.asarray(np.exp(own - np.logaddexp(own, shared)))

    def where_lists_are_own(self, share: F64) -> Self:
        """Say what contrasts are worth where lists are the network's own so often, of each cell."""
        mixed = np.logaddexp(np.log(share), np.log1p(-share) + self.listed)
        return attrs.evolve(self, blocked=self.blocked - self.listed + mixed, listed=mixed)

    def llr(self, common: F64 | None = None) -> F64:
        """Weigh a block against all harmless causes together, in nats: what is added to evidence that packets give.

        Args:
            common: How much more common each cause is here than anywhere, as logarithms, shape (cells, causes).
        """
        worth = self.blocked - _together(self.harmless if common is None else self.harmless + common)
        return np.where(self.kind == Kind.RESET, np.minimum(worth, 0.0), worth)

    def llr_of_failing(self, common: F64 | None = None) -> F64:
        """Weigh the mere fact of failing: a block against all that lasts, and against chance, which is always at work.

        Args:
            common: As for `llr`.
        """
        logs = np.array(self.harmless if common is None else self.harmless + common)
        logs += np.log(FAILING)
        logs[:, Cause.ACCESS] -= np.log(FAILING) + np.log(SHARES[:, Cause.ACCESS])[self.kind]
        return np.where(self.kind == Kind.RESET, -np.inf, self.blocked - _together(logs))

    def shares(self, common: F64 | None = None) -> F64:
        """Say how much each cause explains, were it none of a block; shape (cells, causes)."""
        logs = self.harmless if common is None else self.harmless + common
        return np.asarray(np.exp(logs - _together(logs)[:, None]))

    def likeliest(self, common: F64 | None = None) -> I64:
        """Name the likeliest cause; a refusal is of this network where no other of its country tells.

        Args:
            common: As for `llr`.
        """
        shares = self.shares(common)
        lone = ~self.siblings[:, None]
        shares[:, ONE_NETWORK] += np.where(lone, shares[:, BY_COUNTRY], 0.0)
        shares[:, BY_COUNTRY] *= ~lone
        return np.asarray(shares.argmax(axis=1))


def weigh_causes(episodes: Episodes, standing: Standing, kind: I64) -> Worth:
    """Weigh "blocked in this place" against all harmless causes.

    Args:
        episodes: Cells that failed at least once, in time, and what others show at these times.
        standing: What other places show of them over the whole time.
        kind: `Kind` of each.
    """
    cell, count = episodes.cell, len(kind)
    unopened = (kind == Kind.UNOPENED)[cell]
    shown, out = _out_for_everybody(episodes, unopened)
    failing = _lasting(episodes) - _by_chance(episodes)
    explained = shown + np.bincount(cell, out * failing, count)
    own, whole = (1 - out) * failing, _whole(episodes)
    here, rows = episodes.tried()

    def lasting(gain: F64) -> tuple[F64, Spans]:
        return span_evidence(here.begin, here.hour, gain[rows], BLOCK_HOURS)

    def passing(gain: F64) -> F64:
        """Half of what is gone for a while is so for hours, half for as long as a block: names not yet in use, say."""
        spells = (span_evidence(episodes.begin, episodes.hour, failing + gain, hours)[0] for hours in PASSES)
        return np.asarray(np.logaddexp(*spells) - np.log(len(PASSES)) - explained)

    spared = (1 - out) * whole
    blocked, spans = lasting(own + np.where(unopened, spared, 0.0))
    by_address, by_name = lasting(own + spared)[0], lasting(own)[0]
    gone, gone_here = passing(episodes.gone), passing(episodes.gone_here)
    server = passing(whole + episodes.down) - np.bincount(cell, out * np.maximum(whole, 0.0), count)
    single = np.where(kind == Kind.UNOPENED, 0.0, _beside_for_their_own(episodes, out))
    works = standing.elsewhere + standing.siblings_alone
    harmless = _common(kind)
    harmless[:, Cause.GONE] += np.logaddexp(np.log1p(-LOCAL)[kind] + gone, np.log(LOCAL)[kind] + gone_here) + single
    harmless[:, Cause.SERVER] += server
    harmless[:, Cause.ACCESS] += np.bincount(cell, (1 - out) * _beside_by_chance(episodes), count)
    harmless[:, [Cause.GONE, Cause.SERVER, Cause.ACCESS]] += works[:, None]
    for cause, seen in (
        (Cause.REFUSED_ADDRESS, by_address),
        (Cause.REFUSED_NAME, by_name + single + episodes.same_name),
    ):
        harmless[:, cause] += seen + works
        harmless[:, cause + 2] += seen + standing.elsewhere + standing.country
    return Worth(
        alone=_alone(episodes, failing, kind),
        blocked=blocked + standing.elsewhere + standing.siblings + single,
        harmless=harmless,
        listed=standing.siblings,
        siblings=standing.country != 0,
        kind=kind,
        spans=spans,
    )


def _out_for_everybody(episodes: Episodes, unopened: Mask) -> tuple[F64, F64]:
    """Find the hours in which others show that the thing, or what serves it, was out; see `outages`.

    Of servers that nobody else asks, nothing is known but that others are served the thing.
    """
    here = np.where(unopened, -np.inf, episodes.gone_here)  # who opens a connection asks for a name, mostly
    asked = (episodes.gone_here != 0) | (episodes.down != 0)
    shared = (np.bincount(episodes.cell, asked, len(episodes.begin) - 1) > 0)[episodes.cell]
    others = np.where(shared | unopened, np.max([episodes.gone, episodes.down, here], axis=0), episodes.gone)
    return outages(episodes.begin, episodes.hour, others)


def _whole(episodes: Episodes) -> F64:
    """Weigh an outage of the whole server here, nats: by neighbours, unless others within the hour refute it."""
    refuted = np.where(episodes.company < 0, episodes.company, np.inf)
    return np.minimum(episodes.neighbours, refuted)


def _alone(episodes: Episodes, own: F64, kind: I64) -> F64:
    """Weigh a block against all harmless causes by one hour of the place itself, where it says most.

    Args:
        episodes: Cells in time.
        own: What a cause that lasts explains of each hour.
        kind: Of the cells.
    """
    of_hour, whole = kind[episodes.cell], episodes.neighbours
    harmless = _common(of_hour) + own[:, None]
    harmless[:, Cause.ACCESS] += _beside_by_chance(episodes) - own
    harmless[:, [Cause.SERVER, Cause.REFUSED_ADDRESS, Cause.REFUSED_COUNTRY_ADDRESS]] += whole[:, None]
    worth = own + np.where(of_hour == Kind.UNOPENED, whole, 0.0) - _together(harmless)
    most = np.full(len(kind), -np.inf)
    tried = episodes.failed > 0
    np.maximum.at(most, episodes.cell[tried], worth[tried])
    return np.where(kind == Kind.RESET, np.minimum(most, 0.0), most)


def _common(kind: I64) -> F64:
    """Give how common each harmless cause is among failures of some kinds, as logarithms; shape (n, causes)."""
    logs = np.log(np.maximum(SHARES, 1e-300))[kind][:, [0, 1, 2, 3, 4, 3, 4]]
    logs[:, ONE_NETWORK] += np.log1p(-COUNTRY)
    logs[:, BY_COUNTRY] += np.log(COUNTRY)
    return np.asarray(logs)


def _together(logs: F64) -> F64:
    """Add causes up, in logarithms."""
    return np.asarray(np.logaddexp.reduce(logs, axis=1))


def _lasting(episodes: Episodes) -> F64:
    """Give the log-likelihood of each episode under a cause that lasts, over the share it lets fail."""
    from scipy.special import betaln

    a, b = STEADY
    return np.asarray(betaln(a + episodes.failed, b + episodes.answered) - betaln(a, b), np.float64)


def _beside_by_chance(episodes: Episodes) -> F64:
    """Give the log-likelihood of neighbours that fail for no reason that lasts, as often as what they are beside.

    Where its transport may be shut, what was lost around it may be all of that; and what comes and goes may do so with
    its server. Whichever tells more of them counts.
    """

    def beside(chance: F64, failures: F64) -> F64:
        rate = np.where(failures > 0, np.exp(chance / np.maximum(failures, 1e-9)), USUAL)
        return np.asarray(np.logaddexp(np.log1p(-np.minimum(rate, OUT)), np.log(rate) + episodes.neighbours))

    line, unshared = (beside(chance, episodes.failed) for chance in (episodes.line, episodes.unshared))
    return np.asarray(np.max([line, unshared, beside(episodes.chance, episodes.visits)], axis=0))


def _beside_for_their_own(episodes: Episodes, out: F64) -> F64:
    """Give the log-likelihood of what is nearest to the failures of each cell, if that fails for reasons of its own.

    Args:
        episodes: Cells in time.
        out: Chance that others show each hour to be one in which the server was out: it explains its neighbours.
    """
    rows = np.flatnonzero(episodes.neighbours)
    own = blocked_in(((1 - out) * episodes.neighbours)[rows])
    shares = sums(episodes.cell[rows], own, len(episodes.begin) - 1)
    return over_shares(shares, BESIDE)


def _by_chance(episodes: Episodes) -> F64:
    """Give the log-likelihood of each episode if attempts fail for no reason that lasts."""
    rate = np.where(episodes.visits > 0, np.exp(episodes.chance / np.maximum(episodes.visits, 1e-9)), USUAL)
    return np.asarray(episodes.chance + episodes.answered * np.log1p(-np.minimum(rate, OUT)))
