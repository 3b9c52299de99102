"""What a store keeps of measurements of OONI's probes: the rows that a capture of the same attempts would give.

A probe is at the place that the store was told, else in the country and system that it wrote down; its address is not
read. What its test helper tried is of a place of its own, `CONTROL`, which stands beside all others as any place does.
It asks for what probes have it ask for, so that it is never one more who met a name.
"""

from collections.abc import Iterator
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, Mask
from netinterf.campaign.collecting.facts import NXDOMAIN, Kind, address_text
from netinterf.campaign.collecting.marks import Marks, mark_table
from netinterf.campaign.collecting.observed import Keyed, Meant, Observed, laid_out
from netinterf.campaign.place import CONTROL, HERE, Place
from netinterf.campaign.stored.schema import MEASUREMENTS
from netinterf.context.networks import KnownNetworks, country_letters
from netinterf.context.special import special_bits
from netinterf.numbering import combined, numbered
from netinterf.observations.attempts import Attempts
from netinterf.observations.table import observe
from netinterf.ooni import Measured, Measurements, Tries, read_parts
from netinterf.ooni.attempts import attempts_in, is_stand_in, resolvers_of
from netinterf.table import Text
from netinterf.values import frozen
from netinterf.verdict.model import Model

__all__ = ["probed"]

CLIENT = "client"
"""Where probes look from, in the words of vantages."""


def probed(
    path: str, capture: str, place: Place, networks: KnownNetworks, secret: bytes, model: Model
) -> tuple[list[tuple[str, Observed]], dict[str, Any]]:
    """Add up what probes and their test helpers tried.

    Args:
        path: A file of measurements.
        capture: What to call it: a hash of its content.
        place: Where the store was told that the probes are.
        networks: Whose servers are.
        secret: Key of the store.
        model: Priors.

    Returns:
        Names of places with what is kept of them, and columns of `schema.CAPTURES` that tell of the file.

    Raises:
        UnreadableSource: It cannot be read.
        UnknownFormat: It holds no measurement.
        MissingExtra: pyarrow is not installed.
    """
    seen, times, notes, places = list[tuple[str, Observed]](), list[int](), list[str](), set[str]()
    for part in read_parts(path):
        where = Whereabouts.of(part.measurements, place)
        probes = Side(part, part.tries, where)
        helpers = Side(part, part.controls, Whereabouts.of_control(len(part.measurements)))
        seen += probes.added_up(capture, networks, secret, model)
        seen += ((name, one.unmet()) for name, one in helpers.added_up(capture, networks, secret, model))
        times += part.measurements.time.tolist()
        notes += (note.code for note in part.diagnostics)
        places.update(where.names)
    about = {
        "first": min(times, default=None),
        "last": max(times, default=None),
        "vantage": CLIENT,
        "notes": notes,
        "model": model.name,
        "kind": MEASUREMENTS,
        "place": places.pop() if len(places) == 1 else None,
    }
    return seen, about


@frozen(eq=False)
class Whereabouts:
    """Where measurements were made, one entry each."""

    names: tuple[str, ...]  # of places
    place: I64  # number of its place
    asn: I64  # -1 where it is not known
    country: tuple[str | None, ...]

    @classmethod
    def of(cls, measurements: Measurements, place: Place) -> Self:
        """Say where probes were; where nobody named the place it is called after the country that they wrote down."""
        countries = [country_letters(code) for code in measurements.country.tolist()]
        called = [place.name if place.name != HERE else country or HERE for country in countries]
        names = tuple(dict.fromkeys(called))
        asn = np.where(measurements.asn > 0, measurements.asn.astype(np.int64), -1)
        return cls(
            names,
            np.array([names.index(name) for name in called], np.int64),
            asn if place.asn is None else np.full(len(asn), place.asn),
            tuple(place.country or country or None for country in countries),
        )

    @classmethod
    def of_control(cls, count: int) -> Self:
        """Say where test helpers are: nobody tells, and nobody interferes there."""
        return cls((CONTROL,), np.zeros(count, np.int64), np.full(count, -1), (None,) * count)


@frozen(eq=False)
class Side:
    """What one side of measurements tried: the probes, or their test helpers."""

    part: Measured
    tries: Tries
    where: Whereabouts

    @property
    def measurements(self) -> Measurements:
        """Those of both sides."""
        return self.part.measurements

    def added_up(
        self, capture: str, networks: KnownNetworks, secret: bytes, model: Model
    ) -> Iterator[tuple[str, Observed]]:
        """Add up what was tried, place by place; see `probed`."""
        attempts = attempts_in(self.measurements, self.tries, self.where.asn, model)
        resolvers = resolvers_of(self.measurements, self.tries, attempts)
        known = KnownNetworks((resolvers, *networks.sources))
        place, marks = self.where.place[self._of(attempts)], self._marks()
        for number, name in enumerate(self.where.names):
            some = attempts.take(place == number)
            if len(some):
                yield name, self._observed(some, marks, {"capture": capture, "place": name}, known, secret)

    def _of(self, attempts: Attempts) -> I32:
        """Say of which measurements attempts are."""
        return self.tries.measurement[attempts.row]

    def _observed(
        self, attempts: Attempts, marks: Marks, about: dict[str, str], networks: KnownNetworks, secret: bytes
    ) -> Observed:
        """Add up what was tried at one place; where to look are lines of the file."""
        rows, of, asn = observe(attempts), self._of(attempts), self.where.asn
        together = attrs.evolve(attempts, capture=np.zeros(len(attempts), np.int32))  # its systems are its clients
        keys = Keyed.of(together, Place(name=about["place"]), secret)
        client = of[rows.surest]
        count = len(rows)
        told: dict[str, Any] = {name: [value] * count for name, value in (about | {"vantage": CLIENT}).items()} | {
            "asn": np.ma.masked_array(asn[client], asn[client] < 0),
            "country": [self.where.country[one] for one in client.tolist()],
            "mechanism": [None] * count,
            "probability": 1 / (1 + np.exp(-rows.log_odds)),
        }
        table = laid_out(attempts, rows, keys, networks, self.measurements.line[of], told)
        row, known = attempts.row.astype(np.int64), [(about["capture"], 0)]
        marked, values, texts = mark_table(marks, attempts, row, keys.unit, asn[of], about["place"], known, secret)
        made_up = keys.service[is_stand_in(attempts)]
        servers = keys.servers.some(~np.isin(keys.servers.key, made_up))
        return Observed(
            table, marked, keys.names, servers, Meant("value", values, texts, np.ones(len(texts), np.int64))
        )

    def _marks(self) -> Marks:
        """List answers, denials among them, and who signed certificates of which key.

        Which certificates signed themselves, tries do not tell.
        """
        owner, high, low = self.tries.answer_high.parents(), self.tries.answer_high.values, self.tries.answer_low.values
        _, once = numbered(combined(owner, high.view(np.int64), low.view(np.int64)))
        high, low = high[once], low[once]
        answers = Text.of(address_text(*halves) for halves in zip(high.tolist(), low.tolist(), strict=True))
        parts = [self._marks_of(owner[once], Kind.ANSWER, answers, special_bits(high, low) == 0)]
        denied = self._denied()
        no_name = Text.of([NXDOMAIN] * len(denied))
        parts.append(self._marks_of(denied, Kind.ANSWER, no_name, np.zeros(len(denied), np.bool_)))
        for kind, values in ((Kind.ISSUER, self.tries.issuer), (Kind.KEY, self.tries.key)):
            rows = np.flatnonzero(values.lengths > 0)
            parts.append(self._marks_of(rows, kind, values.take(rows), np.ones(len(rows), np.bool_)))
        return Marks.concat(parts)

    def _denied(self) -> I64:
        """Find who was answered that there is no such name.

        Systems say so as well where nobody answers, above all without a network (github.com/systemd/systemd issue
        15076), so that what they say counts where the probe reached anybody.
        """
        told = ~self.tries.by_system | self.part.on_the_network[self.tries.measurement]
        return np.flatnonzero(self.tries.denied & told)

    def _marks_of(self, rows: NDArray[Any], kind: Kind, values: Text, hidden: Mask) -> Marks:
        """Mark tries with values."""
        return Marks.of(
            capture=np.zeros(len(rows), np.int64),
            row=rows,
            kind=np.full(len(rows), kind),
            value=values,
            hidden=hidden,
            number=np.full(len(rows), np.nan),
            frame=self.measurements.line[self.tries.measurement[rows]],
            count=np.ones(len(rows), np.int64),
        )
