"""What the captures of a campaign show together: cells of each name and server in each network, and of all of it.

Only the cells that are asked for are written out; frames and paths of their attempts are looked up then.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Self

import attrs
import numpy as np

from netinterf.arrays import F64, I64
from netinterf.campaign.judged.loading import NONE, Loaded, load
from netinterf.campaign.judged.per_cell import networks_tried, spans_of, usual_mechanism
from netinterf.campaign.judged.record import (
    CampaignSummary,
    Cell,
    CellCounts,
    Elsewhere,
    Moment,
    Settled,
    Shown,
    address_and_port,
    called_as,
)
from netinterf.campaign.judged.settled import Frames, Settling, lets_fail
from netinterf.campaign.judged.whole import kind_of, with_networks
from netinterf.campaign.judged.words import reasons_of, says
from netinterf.campaign.stored.reader import Reader, Snapshot, by_key
from netinterf.errors import ParameterError
from netinterf.mechanisms import answer_of, reset_of, silence_of
from netinterf.notebook import MOST_ROWS, html_lines, html_table
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import ALL, TRANSPORTS
from netinterf.pooling.answers import forged_weight
from netinterf.pooling.causes import CAUSES
from netinterf.pooling.cells import Cells, pool
from netinterf.pooling.episodes import NEVER
from netinterf.pooling.grades import FINDINGS, Finding, Graded, grade_cells
from netinterf.pooling.rates import learn_rates
from netinterf.pooling.whole import Whole
from netinterf.schema import Grade, Outcome
from netinterf.values import frozen
from netinterf.verdict.model import Model, default_model
from netinterf.version import __version__
from netinterf.writing import count_of, readable

__all__ = ["OUTCOMES", "Report", "report"]

GRADES = tuple(Grade)

OUTCOMES = {Finding.BLOCKED: Outcome.INTERFERED, Finding.DOWN: Outcome.DOWN, Finding.CLEAR: Outcome.OK}
"""Outcome of each finding in the words of the verdict format; of the others nothing can be said."""

NAMED = (Grade.CONFIRMED, Grade.LIKELY, Grade.POSSIBLE)

SHOWN, SETTLES = 6, 3
"""Captures of a cell that are named as those to look at, the surest first, and the first of those that it settles."""


def report(campaign: Reader, *, model: Model | None = None) -> "Report":
    """Judge all observations of a store together.

    Args:
        campaign: The store.
        model: Priors and grades; None takes the model that ships with the library.

    Raises:
        UsageError: There is no store, or a later version wrote it.
    """
    snapshot = Snapshot(campaign.path)
    model = model or default_model()
    return Report.judged(snapshot, *with_networks(load(snapshot), model), model)


@frozen(eq=False)
class Report:
    """What a campaign shows."""

    campaign: Reader
    loaded: Loaded
    cells: Cells
    graded: Graded
    model: Model

    @classmethod
    def judged(cls, campaign: Reader, loaded: Loaded, networks: Whole, model: Model) -> Self:
        """Judge what was loaded of a store.

        Args:
            campaign: The store.
            loaded: What is judged, as `with_networks` gives it.
            networks: What it found of networks as a whole.
            model: Priors and grades.
        """
        cells = pool(loaded.observations, loaded.countries, model)
        answers = forged_weight(loaded.answers, loaded.observations, loaded.own_resolver, loaded.countries)
        cells = learn_rates(loaded.observations, cells.told(answers))
        cells = loaded.spared(networks.settled(cells))
        return cls(campaign, loaded, cells, grade_cells(cells, model), model)

    def __len__(self) -> int:
        return len(self.cells)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {finding}" for finding, count in self.counts().items())
        return readable(f"<Report on {count_of(len(self), 'cell')} of {self.campaign.path}: {counts}>")

    def _repr_html_(self) -> str:
        rows = self.rows(Finding.BLOCKED, Finding.SUSPECTED)
        named = ("subject", "network", "finding", "mechanism", "probability", "explanation")
        cells = [[getattr(cell, name) for name in named] for cell in self.written(rows[:MOST_ROWS])]
        return html_lines([repr(self)[1:-1]]) + html_table(named, cells, len(rows) - len(cells))

    def path_of(self, capture: int) -> str:
        """Give the path of a capture by its number."""
        content = self.loaded.captures[capture]
        return self._paths.get(content, content)

    def where(self, capture: int, numbers: Sequence[int]) -> dict[str, Any]:
        """Give the path of a capture, and numbers in it: frames, or lines of measurements."""
        word = "lines" if self.loaded.measured[capture] else "frames"
        return {"capture": self.path_of(capture), "frames": (), word: tuple(numbers)}

    def counts(self) -> dict[str, int]:
        """Count the cells of each finding."""
        found = np.bincount(self.graded.finding, minlength=len(FINDINGS)).tolist()
        return {finding.value: found[place] for place, finding in enumerate(FINDINGS)}

    @cached_property
    def summary(self) -> CampaignSummary:
        """The campaign as a whole."""
        time, states = self.loaded.observations.time, Counter[str]()
        for batch in self.campaign.captures(("state",)):
            states.update(batch.column("state").to_pylist())
        return CampaignSummary(
            store=self.campaign.path,
            captures=states["judged"],
            errors=states["error"],
            networks=self.loaded.networks,
            observations=int(np.count_nonzero(self.loaded.observations.transport != ALL)),
            cells=len(self),
            findings=self.counts(),
            first=int(time.min()) if len(time) else None,
            last=int(time.max()) if len(time) else None,
            version=__version__,
            model=self.model.name,
        )

    def rows(self, *findings: Finding | str) -> I64:
        """List the cells of some findings, all of them where none is named.

        Within each, whole networks come first, then the surest.

        Raises:
            ParameterError: There is no such finding.
        """
        for finding in findings:
            if finding not in FINDINGS:
                raise ParameterError("finding", finding, f"one of {', '.join(FINDINGS)}")
        wanted = [FINDINGS.index(Finding(finding)) for finding in findings or FINDINGS]
        rows = np.flatnonzero(np.isin(self.graded.finding, wanted))
        part = self.cells.tallies.transport[rows] != ALL
        return rows[np.lexsort((-self.cells.log_odds[rows], part, self.graded.finding[rows]))]

    def of(self, *findings: Finding | str) -> Iterator[Cell]:
        """Walk the cells of some findings."""
        return self.written(self.rows(*findings))

    def written(self, rows: I64) -> Iterator[Cell]:
        """Write out some cells, in their order."""
        listed, settling = self._worth_a_look(rows), self.settling.first(rows, SETTLES)
        frames = self._frames(np.union1d(listed, settling.row))
        shown, settles = self._shown(listed, frames), self._settles(settling, frames)
        told = zip(rows.tolist(), self.mechanisms_of(rows), strict=True)
        return (self._cell(row, mechanism, shown.get(row, ()), settles.get(row, ())) for row, mechanism in told)

    @cached_property
    def settling(self) -> Settling:
        """What is settled, as rows of the observations."""
        accused = self.rows(Finding.BLOCKED)
        ways = np.full(len(self), -1)
        ways[accused] = [-1 if (way := lets_fail(one)) is None else way for one in self.mechanisms_of(accused)]
        return Settling.of(self.loaded.observations, self.cells, self.graded.probability, ways, self.model.likely)

    def settled(self, most: int | None = None) -> Iterator[tuple[Cell, Settled]]:
        """Walk the verdicts of single captures that all of them settle, the surest cell first, then by time.

        Args:
            most: Of one cell at most; None for all.

        Yields:
            A cell, without where to look, and attempts in one capture that it settles.
        """
        blocked = self.rows(Finding.BLOCKED)
        listed = self.settling if most is None else self.settling.first(blocked, most)
        rank = np.zeros(len(self), np.int64)
        rank[blocked] = np.arange(len(blocked))
        for piece in listed.take(np.argsort(rank[listed.cell], kind="stable")).pieces():
            settles = self._settles(piece, self._frames(np.sort(piece.row)))
            cells = np.array(list(settles), np.int64)
            for row, mechanism in zip(cells.tolist(), self.mechanisms_of(cells), strict=True):
                cell = self._cell(row, mechanism, (), ())
                yield from ((cell, one) for one in settles[row])

    @cached_property
    def called(self) -> tuple[str, ...]:
        """Name all units, as far as they may be told."""
        loaded = self.loaded
        columns = (loaded.unit_name.tolist(), loaded.unit_suffix, loaded.unit_service.tolist())
        return tuple(
            called_as(kind_of(key), self._names.get(key), suffix or None, self._servers.get(service))
            for key, suffix, service in zip(*columns, strict=True)
        )

    def mechanisms_of(self, rows: I64) -> list[str]:
        """Name what was done in some cells: what most captures were found to suffer, else what failures are called."""
        tallies = self.cells.tallies
        failed = tallies.failed[rows]
        columns = (
            self._usual_mechanism[rows],
            tallies.transport[rows],
            tallies.abrupt[rows] * 2 > failed,
            tallies.at_opening[rows] * 2 > failed,
            self.cells.by_answers[rows],
        )
        named = zip(*(column.tolist() for column in columns), strict=True)
        return [
            self.loaded.mechanisms[usual]
            if usual >= 0
            else answer_of()
            if answered
            else reset_of(opening=opening)
            if abrupt
            else silence_of(TRANSPORTS[transport], opening=opening)
            for usual, transport, abrupt, opening, answered in named
        ]

    # --- one cell ---

    def _cell(self, row: int, mechanism: str, shown: Sequence[Shown], settles: Sequence[Settled]) -> Cell:
        tallies, unit = self.cells.tallies, int(self.cells.tallies.unit[row])
        key, finding = int(self.loaded.unit_name[unit]), FINDINGS[self.graded.finding[row]]
        grade, cause = GRADES[self.graded.grade[row]], int(self.cells.cause[row])
        began, ended = self._moments(row, mechanism)
        cell = Cell(
            kind=kind_of(key),
            name=self._names.get(key),
            suffix=self.loaded.unit_suffix[unit] or None,
            server=self._servers.get(int(self.loaded.unit_service[unit])) if key == NONE else None,
            transport=TRANSPORTS[tallies.transport[row]],
            network=self.loaded.networks[tallies.place[row]],
            finding=finding,
            outcome=OUTCOMES.get(finding, Outcome.INSUFFICIENT),
            grade=grade,
            mechanism=mechanism if grade in NAMED else None,
            probability=float(self.graded.probability[row]),
            q_value=float(self.graded.q_value[row]),
            here=self._counts(row),
            there=Elsewhere(
                networks=int(self._networks[unit]) - 1,
                answered=int(tallies.others_answered[row]),
                failed=int(tallies.others_failed[row]),
            ),
            own=float(self.cells.own[row]),
            answers=float(self.cells.answers[row]),
            contrast=float(self.cells.contrast[row]),
            cause=CAUSES[cause] if cause >= 0 else None,
            began=began,
            ended=ended,
            start=int(self._span[row, 0]),
            end=int(self._span[row, 1]),
            settled=int(self._settled[row]),
            settles=tuple(settles),
            shown=tuple(shown),
        )
        return attrs.evolve(cell, reasons=reasons_of(cell), explanation=says(cell))

    def _counts(self, row: int) -> CellCounts:
        tallies = self.cells.tallies
        words = ("captures", "failing", "answered", "heard", "broken", "silent", "struck", "unknown", "unread")
        counts = {word: int(getattr(tallies, word)[row]) for word in words}
        return CellCounts(attempts=sum(counts[word] for word in words[2:-1]), cut_off=int(self._cut_off[row]), **counts)

    def _moments(self, row: int, mechanism: str) -> tuple[Moment | None, Moment | None]:
        """Say when it began and ended, where that was while captures were taken."""
        place, (after, first) = int(self._failing[row]), self.cells.changed[row].tolist()
        if self.cells.answers[row] > 0 and mechanism == answer_of():  # what failed besides is of no concern
            return None if after == NEVER else Moment(after=after, before=first, likely=first), None
        if place < 0:
            return None, None
        spans, episodes = self.cells.worth.spans, self.cells.episodes
        hours = slice(episodes.begin[place], episodes.begin[place + 1])
        first, last = episodes.time[hours], episodes.last[hours]

        def between(*columns: F64, more: int) -> Moment:
            return Moment.between(first, last, *(int(column[place]) + more for column in columns))

        began = between(spans.first_low, spans.first_high, spans.first, more=0) if spans.began[place] > 0.5 else None
        ended = between(spans.last_low, spans.last_high, spans.last, more=1) if spans.ended[place] > 0.5 else None
        return began, ended

    # --- what is found for all cells at once, when first asked for ---

    @cached_property
    def _names(self) -> dict[int, str]:
        return by_key(self.campaign.names(), "name_key", lambda row: str(row["name"]))

    @cached_property
    def _servers(self) -> dict[int, str]:
        return by_key(self.campaign.servers(), "service", lambda row: address_and_port(row["address"], row["port"]))

    @cached_property
    def _failing(self) -> I64:
        """Place of each cell among those that failed, -1 for none."""
        place = np.full(len(self.cells), -1, np.int64)
        place[self.cells.failing] = np.arange(len(self.cells.failing))
        return place

    @cached_property
    def _cut_off(self) -> I64:
        """Count the attempts of each cell that a network cut off as a whole explains."""
        return totals(self.cells.tallies.cell, self.loaded.cut_off, len(self.cells)).astype(np.int64)

    @cached_property
    def _networks(self) -> I64:
        return networks_tried(self.loaded.observations, self.cells.tallies)

    @cached_property
    def _span(self) -> I64:
        return spans_of(self.cells.tallies.cell, self.loaded.observations.time, len(self.cells))

    @cached_property
    def _usual_mechanism(self) -> I64:
        return usual_mechanism(self.cells.tallies.cell, self.loaded.mechanism.astype(np.int64), len(self.cells))

    @cached_property
    def _settled(self) -> I64:
        """Count for each cell the captures in which it settles anything."""
        _, first = numbered(combined(self.settling.cell, self.loaded.observations.capture[self.settling.row]))
        return np.bincount(self.settling.cell[first], minlength=len(self))

    # --- where to look ---

    def _worth_a_look(self, cells: I64) -> I64:
        """List observations of some cells to look at, rising: the surest, and those first that show what is told."""
        table, of = self.loaded.observations, self.cells.tallies.cell
        wanted = np.zeros(len(self.cells), np.bool_)
        wanted[cells] = True
        rows = np.flatnonzero(wanted[of])
        beside = (table.failed[rows] > 0) == self.cells.by_answers[of[rows]]
        rows = rows[np.lexsort((table.time[rows], -table.log_odds[rows], beside, of[rows]))]
        rank = np.arange(len(rows)) - np.searchsorted(of[rows], of[rows])
        return np.sort(rows[rank < SHOWN])

    def _frames(self, rows: I64) -> Frames:
        """Read the first frames of attempts of some observations, rising, and what came of them."""
        rows = rows[np.argsort(self.loaded.row[rows], kind="stable")]
        read = self.campaign.observations_at(self.loaded.row[rows], ("frames", "states"))
        told = ((row["frames"] or [], row["states"] or []) for row in read)
        return dict(zip(rows.tolist(), told, strict=True))

    def _shown(self, rows: I64, frames: Frames) -> dict[int, list[Shown]]:
        """Say where to look, by cell."""
        shown: dict[int, list[Shown]] = {}
        captures = self.loaded.observations.capture[rows].tolist()
        for row, cell, capture in zip(rows.tolist(), self.cells.tallies.cell[rows].tolist(), captures, strict=True):
            numbers, states = frames[row]
            one = Shown(states=tuple(states), **self.where(capture, numbers))
            shown.setdefault(cell, []).append(one)
        return shown

    def _settles(self, settling: Settling, frames: Frames) -> dict[int, list[Settled]]:
        """Write out what is settled, by cell."""
        cells = np.unique(settling.cell)
        mechanisms = dict(zip(cells.tolist(), self.mechanisms_of(cells), strict=True))
        settles: dict[int, list[Settled]] = {}
        for cell, one in settling.written(self.loaded.observations, frames, self.where, mechanisms):
            settles.setdefault(cell, []).append(one)
        return settles

    @cached_property
    def _paths(self) -> dict[str, str]:
        """Path of each capture by its content; of several files of one content the first."""
        paths: dict[str, str] = {}
        for batch in self.campaign.captures(("capture", "path", "state")):
            for row in batch.to_pylist():
                if row["state"] == "judged":
                    paths.setdefault(row["capture"], row["path"])
        return paths
