"""From observations to what is said of each cell: a unit (a name over a transport, or a server) in one place.

Two views of the same evidence are possible, and the stronger counts:

- the surest single verdict of the cell, which already knows what its own capture shows around it, and what other
  captures and places add to that;
- all attempts of the cell by their own packets, or by the mere fact that they failed, whichever tells more, and all
  that the contrast with other places and times shows.

Neither counts anything twice. All places are judged alike, each against all others, so that one that is censored itself
is no control.
"""

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.observations.attempts import DNS
from netinterf.observations.table import Observations
from netinterf.pooling.causes import FAILING, Kind, weigh_causes
from netinterf.pooling.episodes import Episodes, lay_out
from netinterf.pooling.spans import Spans
from netinterf.pooling.standing import standing_of
from netinterf.pooling.tallies import Tallies, own_llr, tally
from netinterf.values import frozen
from netinterf.verdict.model import Model

__all__ = ["Cells", "Weighed", "pool"]


@frozen(eq=False, kw_only=True)
class Weighed:
    """What the contrasts of failing cells say, one entry per failing cell."""

    cell: I64  # row in Cells
    episodes: Episodes
    spans: Spans
    shares: F64  # of harmless causes, shape (failing cells, causes)


@frozen(eq=False, kw_only=True)
class Cells:
    """Cells and how sure it is that somebody interferes there, one entry per cell."""

    tallies: Tallies
    prior: F64  # log-odds of interference before any evidence, -inf where nothing was tried
    own: F64  # what the packets weigh by themselves, nats
    contrast: F64  # a block against all harmless causes, nats; 0 without failures
    log_odds: F64
    independent: I64  # observations behind own
    kind: I64  # Kind of the failures, -1 without any
    cause: I64  # likeliest harmless cause, -1 without failures
    weighed: Weighed

    def __len__(self) -> int:
        return len(self.prior)

    @property
    def probability(self) -> F64:
        """The same as probabilities."""
        return 1.0 / (1.0 + np.exp(-np.clip(self.log_odds, -700, 700)))


def pool(observations: Observations, countries: I64, model: Model) -> Cells:
    """Say how sure it is that somebody interferes, cell by cell.

    Args:
        observations: Of any places.
        countries: Country of each place, by its number; -1 where it is not known.
        model: Priors and weights.
    """
    tallies = tally(observations)
    count = len(tallies)
    own, independent = own_llr(observations, tallies, model.site_correlation)
    failing = np.flatnonzero(tallies.failed > 0)
    kinds = kinds_of(tallies, failing)
    episodes = lay_out(observations, tallies, failing)
    worth = weigh_causes(episodes, standing_of(observations, tallies, failing, countries), kinds)
    contrast, added = np.zeros(count), np.zeros(count)
    cause, kind = np.full(count, -1), np.full(count, -1)
    contrast[failing], added[failing] = worth.llr, worth.llr - worth.alone
    cause[failing], kind[failing] = worth.shares.argmax(axis=1), kinds
    plain = (kind >= 0) & (kind != Kind.RESET)
    by_failing = np.where(plain, np.minimum(own, 0.0) - np.log(FAILING), -np.inf)
    log_odds = np.maximum(tallies.surest + added, tallies.prior + np.maximum(own, by_failing) + contrast)
    return Cells(
        tallies=tallies,
        prior=tallies.prior,
        own=own,
        contrast=contrast,
        log_odds=log_odds,
        independent=independent,
        kind=kind,
        cause=cause,
        weighed=Weighed(cell=failing, episodes=episodes, spans=worth.spans, shares=worth.shares),
    )


def kinds_of(tallies: Tallies, cells: I64) -> I64:
    """Say what kind of failure some cells show."""
    failed = tallies.failed[cells]
    kind = np.where(tallies.abrupt[cells] * 2 > failed, Kind.RESET, Kind.SILENT)
    kind = np.where((tallies.at_opening[cells] == failed) & ~tallies.named[cells], Kind.UNOPENED, kind)
    return np.where(tallies.transport[cells] == DNS, Kind.LOOKUP, kind).astype(np.int64)
