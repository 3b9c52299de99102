"""Made-up attempts of many places: who tries what at which server, and what comes of it, run by run."""

import numpy as np

from netinterf.numbering import combined
from netinterf.observations.attempts import TRANSPORTS, Attempts, State
from netinterf.observations.table import observe
from netinterf.pooling.cells import pool
from netinterf.pooling.grades import FINDINGS, grade_cells
from netinterf.pooling.rates import learn_rates
from netinterf.table import Text
from netinterf.verdict.model import default_model

DAY, PRIOR, QUIET = 24 * 3600 * 10**9, -3.76, -2.5
START = 1_700_000_000 * 10**9


class Campaign:
    """Attempts of some places, one of each name in each run.

    Args:
        places: How many places.
        names: How many names, each at a server of its own unless told.
        runs: How many runs, a day apart.
        server: Server of each name.
        transport: Over which they are asked for: all of them, or each.
        six: Names that are reached over IPv6.
    """

    def __init__(self, places, names, runs, *, server=None, transport="tcp/tls", six=()):
        self.shape = (places, names, runs)
        self.server = np.arange(names) if server is None else np.array(server)
        self.transport = [transport] * names if isinstance(transport, str) else transport
        self.six = np.isin(np.arange(names), six)
        self.state = np.full(self.shape, State.ANSWERED, np.uint8)
        self.opening = np.zeros(self.shape, bool)
        self.llr = np.full(self.shape, QUIET)
        self.unread = np.zeros(self.shape, bool)

    def fail(self, where, *, opening=False, llr=0.0, state=State.SILENT):
        """Let attempts fail: an index into places, names and runs."""
        self.state[where], self.opening[where], self.llr[where] = state, opening, llr
        return self

    def attempts(self):
        """Lay the attempts out."""
        place, name, run = (axis.ravel() for axis in np.indices(self.shape))
        server, opening = self.server[name], self.opening.ravel()
        count = len(place)
        unit = combined(opening.astype(np.int64), np.where(opening, server, name))
        return Attempts(
            place=place.astype(np.int32), capture=combined(place, run).astype(np.int32),
            row=np.arange(count, dtype=np.int32), client=np.zeros(count, np.int32), asn=np.full(count, -1),
            site=server.astype(np.int64), unit=unit, called=np.where(opening, -1, name), service=combined(server),
            host=combined(server), high=np.where(self.six[name], 0x2001_0DB8 << 32, 0).astype(np.uint64),
            low=np.where(self.six[name], 0, 0xFFFF << 32).astype(np.uint64) + server.astype(np.uint64),
            port=np.full(count, 443, np.uint16),
            transport=np.array([TRANSPORTS.index(one) for one in self.transport], np.uint8)[name],
            name=Text.of(["" if shut else f"n{number}" for shut, number in zip(opening, name, strict=True)]),
            time=START + run * DAY + place * 60 * 10**9 + name * 2 * 10**9, state=self.state.ravel(),
            abrupt=self.state.ravel() == State.BROKEN, at_opening=opening,
            unread=self.unread.ravel(), traced=np.zeros(count, bool), missed=np.zeros(count),
            prior=np.full(count, PRIOR), llr=self.llr.ravel(), log_odds=PRIOR + self.llr.ravel(),
        )  # fmt: skip

    def judged(self, countries=None):
        """Judge all, and give the finding and the row of each place and unit."""
        attempts = self.attempts()
        table = observe(attempts)
        countries = np.full(self.shape[0], -1) if countries is None else np.array(countries)
        cells = learn_rates(table, pool(table, countries, default_model()))
        return Judged(attempts, cells, grade_cells(cells, default_model()))


class Judged:
    """What came of a campaign."""

    def __init__(self, attempts, cells, graded):
        self.cells, self.graded = cells, graded
        self.unit = {str(attempts.name[row]): int(unit) for row, unit in enumerate(attempts.unit)}
        self.shut = {
            int(attempts.low[row]) & 0xFFFF_FFFF: int(attempts.unit[row]) for row in np.flatnonzero(attempts.at_opening)
        }

    def row(self, place, name=None, server=None):
        """Find a cell."""
        unit = self.unit[f"n{name}"] if server is None else self.shut[server]
        tallies = self.cells.tallies
        return int(np.flatnonzero((tallies.place == place) & (tallies.unit == unit))[0])

    def finding(self, place, name=None, server=None):
        """Say what was found of a cell."""
        return FINDINGS[self.graded.finding[self.row(place, name, server)]].value

    def blocked(self):
        """Count the cells that are accused."""
        return int((self.graded.finding == 0).sum())
