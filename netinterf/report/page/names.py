"""What was hit, by name: how often of how many, in which way and when, for whoever asks about one site."""

from collections import Counter
from collections.abc import Iterable, Sequence

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.report.digest import rows_of_outcome
from netinterf.report.folding import numbered_places, places_of
from netinterf.report.page.markup import Markup, join, moment, name, raw, table, tag
from netinterf.schema import Outcome
from netinterf.values import frozen
from netinterf.writing import count_of
from netinterf.written.ledger import Ledger
from netinterf.written.record import iso_time

__all__ = ["Hit", "hits_of", "names_table", "strip"]

MOST_NAMES = 50
"""Names that are listed, those hit most often: more than a reader goes through."""

KEPT = 4 * MOST_NAMES
"""Names that are kept of one capture, since what is rare in one may be frequent in all."""

BINS = 60
"""Parts of the time that a strip tells apart: 2 px each on a phone."""


@frozen(eq=False, kw_only=True)
class Hit:
    """A name some of whose conversations were interfered with."""

    name: str  # or an address and port
    seen: int  # conversations
    mechanisms: Counter[str]  # interfered ones, by what was done
    times: I64  # when these began, ns since 1970
    captures: int = 1

    @property
    def count(self) -> int:
        """How many were interfered with."""
        return len(self.times)

    def joined(self, other: "Hit") -> "Hit":
        """Add what another capture shows of the same name."""
        return attrs.evolve(
            self,
            seen=self.seen + other.seen,
            mechanisms=self.mechanisms + other.mechanisms,
            times=np.concatenate([self.times, other.times]),
            captures=self.captures + other.captures,
        )


def hits_of(ledger: Ledger) -> list[Hit]:
    """List the names of a capture that were hit, the most frequent first, at most `KEPT`."""
    rows, verdicts = rows_of_outcome(ledger, Outcome.INTERFERED), ledger.verdicts
    if not len(rows):
        return []
    _, place = np.unique(numbered_places(ledger, np.arange(len(verdicts))), return_inverse=True)
    seen, hit = np.bincount(place), np.bincount(place[rows], minlength=int(place.max()) + 1)
    hits = []
    for number in np.argsort(-hit, kind="stable")[: min(KEPT, np.count_nonzero(hit))].tolist():
        mine = rows[place[rows] == number]
        ((called, _),) = places_of(ledger, mine[:1], place[mine[:1]]).listed
        code, times = np.unique(verdicts.mechanism[mine], return_counts=True)
        mechanisms = Counter({verdicts.mechanisms[at]: count for at, count in zip(code, times.tolist(), strict=True)})
        hits.append(Hit(name=called, seen=int(seen[number]), mechanisms=mechanisms, times=verdicts.start[mine]))
    return hits


def names_table(hits: Iterable[Hit], begin: int, end: int, *, alone: bool) -> Markup:
    """Write what was hit by name, with what is known of one name from several captures together.

    Args:
        hits: Of each capture.
        begin: When the first packet was recorded, ns since 1970.
        end: When the last one was.
        alone: There is one capture.
    """
    by_name: dict[str, Hit] = {}
    for hit in hits:
        by_name[hit.name] = by_name[hit.name].joined(hit) if hit.name in by_name else hit
    ranked = sorted(by_name.values(), key=lambda hit: -hit.count)
    if sum(hit.count for hit in ranked) < 2:  # the card says it all
        return raw("")
    rows = [
        (
            name(hit.name),
            f"{hit.count:,} of {hit.seen:,}",
            ways(hit.mechanisms),
            *([] if alone else [f"{hit.captures:,}"]),
            strip(hit.times, begin, end),
        )
        for hit in ranked[:MOST_NAMES]
    ]
    more = len(ranked) - MOST_NAMES
    heads = ("Name", "Interfered with", "How", *([] if alone else ["Captures"]), "When")
    where = "" if alone else ", in the captures in which it was"  # of the others nothing is counted
    unshown = f"; {count_of(more, 'more name')} not shown" if more > 0 else ""
    caption = f"What was interfered with, by name{where}{unshown}"
    span = tag("p", "Time runs from ", moment(begin), " to ", moment(end), ".", class_="soft")
    return join([table(caption, heads, rows), span])


def ways(mechanisms: Counter[str]) -> Markup:
    """List mechanisms, and how often each where there are several."""
    counted = mechanisms.most_common()
    several = len(counted) > 1
    parts: Sequence[Sequence[str]] = [
        (", " * bool(place), tag("code", mechanism), f" ({count:,})" * several)
        for place, (mechanism, count) in enumerate(counted)
    ]
    return join(part for own in parts for part in own)


def strip(times: I64, begin: int, end: int) -> Markup:
    """Draw when something happened, as marks on a line.

    Args:
        times: ns since 1970.
        begin: Where the line begins.
        end: Where it ends.
    """
    span = max(end - begin, 1)
    held = np.unique(np.clip((times - begin) * BINS // span, 0, BINS - 1)).tolist()
    marks = [tag("rect", x=f"{at}", width="1", height="8") for at in held]
    first, last = ((iso_time(int(time)) or "")[:19].replace("T", " ") for time in (times.min(), times.max()))
    says = f"{count_of(len(times), 'time')}, {first}" + (f" to {last}" if first != last else "")
    return tag(
        "svg", *marks, viewBox=f"0 0 {BINS} 8", preserveAspectRatio="none", class_="strip", role="img", aria_label=says
    )
