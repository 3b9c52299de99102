"""Networks as a whole among the cells: one unit, all that leaves a network, of which each hour is one attempt."""

from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, Mask
from netinterf.mechanisms import borders
from netinterf.observations.attempts import ALL
from netinterf.observations.line import USUAL
from netinterf.observations.table import Observations
from netinterf.pooling.cells import Cells
from netinterf.pooling.isolation import Isolation, isolation_of
from netinterf.pooling.reach import Reach, Servers
from netinterf.pooling.witnesses import Hours
from netinterf.values import frozen
from netinterf.verdict.model import SUBJECTS, Model

__all__ = ["Whole"]


@frozen(eq=False, kw_only=True)
class Whole:
    """Networks as a whole."""

    reach: Reach  # hour by hour
    isolation: Isolation  # of each place
    closed: Mask  # of each observation that was looked at: most was silent in its network then, for one reason
    prior: float  # log-odds that a network is cut off, before any evidence

    @classmethod
    def of(cls, table: Observations, places: int, hushed: Mask, border: Mask, model: Model) -> Self:
        """Judge networks as a whole.

        Args:
            table: Observations of all of them.
            places: How many there are.
            hushed: Which observations a scan holds to be silenced, rather than answered by somebody else.
            border: In which of them a scan found a closed border.
            model: Priors.
        """
        odds = np.nan_to_num(model.log_odds(borders())[SUBJECTS.index("tcp")], nan=model.other_prior)
        prior = float(np.logaddexp.reduce(odds))
        hours = Hours.of(table.time)
        servers = Servers.living(table, hours, hushed)
        scanned, held = np.zeros(len(table)), np.flatnonzero(border)
        scanned[held] = np.maximum(table.log_odds[held] - prior, 0.0)
        reach = Reach.seen(servers, table, hours, scanned)
        isolation = isolation_of(reach, servers, hours, places, prior)
        closed = reach.closed(table.place, hours.step, isolation.together)
        return cls(reach=reach, isolation=isolation, closed=closed, prior=prior)

    def observations(self, table: Observations) -> Observations:
        """Write each hour as an attempt at the world: silent where most of it was, else answered.

        Args:
            table: What was looked at.
        """
        reach = self.reach
        look, count = table.take(reach.row), len(reach)
        scanned, nothing = reach.scanned > 0, np.zeros(count, np.uint32)
        return Observations(
            place=look.place,
            capture=look.capture,
            unit=np.full(count, int(table.unit.max(initial=-1)) + 1),
            service=np.full(count, int(table.service.max(initial=-1)) + 1),
            site=look.site,
            transport=np.full(count, ALL, np.uint8),
            version=np.zeros(count, np.uint8),
            called=np.full(count, -1),
            time=look.time,
            clients=look.clients,
            answered=(~reach.cut & ~reach.out).astype(np.uint32),
            heard=nothing,
            broken=nothing,
            silent=(reach.cut & ~scanned).astype(np.uint32),
            struck=scanned.astype(np.uint32),
            unknown=reach.out.astype(np.uint32),
            unread=nothing,
            visits=(reach.cut | scanned).astype(np.uint32),
            abrupt=nothing,
            at_opening=nothing,
            neighbour_alive=nothing,
            neighbour_dead=nothing,
            around=nothing,
            lost=nothing,
            chance=np.where(reach.cut, np.log(USUAL), 0.0),
            missed=np.zeros(count),
            llr=np.zeros(count),
            prior=np.full(count, self.prior),
            log_odds=self.prior + reach.scanned,
        )

    def spared(self, table: Observations, hushed: Mask) -> tuple[Observations, I64]:
        """Take what was silent while most was for not known: it tells nothing of what was asked for.

        Args:
            table: What was looked at.
            hushed: As for `of`.

        Returns:
            The observations, and how many attempts of each that were.
        """
        if not self.closed.any():
            return table, np.zeros(len(table), np.int64)
        silent = np.where(self.closed, table.silent, 0)
        struck = np.where(self.closed & hushed, table.struck, 0)
        moved = silent.astype(np.int64) + struck
        some = moved > 0
        if not some.any():
            return table, moved
        left = some & (table.failed == moved)

        def cleared(values: NDArray[Any]) -> NDArray[Any]:
            return np.where(left, np.zeros_like(values), values)

        spared = attrs.evolve(
            table,
            silent=(table.silent - silent).astype(np.uint32),
            struck=(table.struck - struck).astype(np.uint32),
            unknown=(table.unknown + moved).astype(np.uint32),
            llr=np.where(some, np.minimum(table.llr, 0.0), table.llr),
            log_odds=np.where(some, np.minimum(table.log_odds, table.prior), table.log_odds),
            visits=cleared(table.visits),
            at_opening=cleared(table.at_opening),
            neighbour_alive=cleared(table.neighbour_alive),
            neighbour_dead=cleared(table.neighbour_dead),
            around=cleared(table.around),
            lost=cleared(table.lost),
            chance=cleared(table.chance),
        )
        return spared, moved

    def settled(self, cells: Cells) -> Cells:
        """Let what was found of networks as a whole stand for their cells, of which time alone is told otherwise."""
        whole = np.flatnonzero(cells.tallies.transport == ALL)
        place = cells.tallies.place[whole]
        prior, llr, nothing = np.full(len(whole), self.prior), self.isolation.llr[place], np.zeros(len(whole))

        def told(column: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
            result = column.copy()
            result[whole] = values
            return result

        return attrs.evolve(
            cells,
            prior=told(cells.prior, prior),
            own=told(cells.own, llr),
            contrast=told(cells.contrast, nothing),
            log_odds=told(cells.log_odds, prior + llr),
            cause=told(cells.cause, np.where(cells.tallies.failed[whole] > 0, self.isolation.cause[place], -1)),
            independent=told(cells.independent, cells.tallies.known[whole]),
        )
