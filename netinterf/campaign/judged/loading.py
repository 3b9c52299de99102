"""From a store to the table that is judged: numbers in the place of keys and words, piece by piece.

Ten million rows take about 1.5 GB as numbers. Frames and words of single attempts are read later, for the few cells
that are written.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, Mask
from netinterf.arrow import pyarrow
from netinterf.campaign.collecting.facts import NOWHERE
from netinterf.campaign.judged.overlap import shown_by_packets, which_are_measurements
from netinterf.campaign.place import CONTROL
from netinterf.campaign.stored.reader import Snapshot
from netinterf.numbering import combined, numbered
from netinterf.observations.attempts import TRANSPORTS
from netinterf.observations.table import Observations
from netinterf.pooling.answers import Answered
from netinterf.pooling.cells import Cells
from netinterf.schema import Vantage
from netinterf.values import frozen

__all__ = ["Loaded", "Network", "load", "of_their_place"]

COUNTS = (
    "answered", "heard", "broken", "silent", "struck", "unknown", "unread", "visits", "abrupt", "at_opening",
    "neighbour_alive", "neighbour_dead", "around", "lost",
)  # fmt: skip
NATS = ("chance", "llr", "prior", "log_odds")
WORDS = ("capture", "place", "country", "vantage", "transport", "suffix", "mechanism")
KEYS = ("unit", "name_key", "service", "site")
COLUMNS = (*WORDS, "asn", "bin", "version", "clients", "missed", *KEYS, *COUNTS, *NATS)

TYPES: dict[str, Any] = {
    "capture": np.int32, "place": np.int32, "country": np.int32, "vantage": np.int8, "transport": np.uint8,
    "suffix": np.int32, "mechanism": np.int16, "asn": np.int64, "bin": np.int64, "version": np.uint8,
    "clients": np.uint16, "missed": np.float64,
}  # fmt: skip
"""What columns are held as, beside keys, counts and weights."""

LATER = {"version": 0, "unread": 0, "visits": np.iinfo(np.int32).max}
"""What stands for what the first stores do not tell; of visits that are not told there is one where any failed."""

NONE, EVERYTHING = np.iinfo(np.int64).min, np.iinfo(np.int64).min + 1
"""A key that is not there, and that of all that leaves a network: both lower than any name's."""


@frozen
class Network:
    """Whose attempts they are: a place, and one of the networks of its clients."""

    place: str
    asn: int | None
    country: str | None

    def __str__(self) -> str:
        return self.place if self.asn is None else f"{self.place} (AS{self.asn})"


@frozen(eq=False, kw_only=True)
class Loaded:
    """A store as numbers; what is told of units has one entry per number of a unit."""

    observations: Observations
    row: I64  # of each observation, its place in the store
    networks: tuple[Network, ...]  # by Observations.place
    countries: I64  # number of the country of each network, -1 for none
    captures: tuple[str, ...]  # content of each capture, by Observations.capture
    measured: Mask  # of each capture: it is a file of measurements
    mechanism: NDArray[np.int16]  # of each observation, place in mechanisms; -1 for none
    mechanisms: tuple[str, ...]
    unit_name: I64  # key of its name, `NONE` of servers, `EVERYTHING` of whole networks
    unit_service: I64  # key of a server at which it was tried
    unit_suffix: tuple[str, ...]  # public suffix of its name; empty of servers
    own_resolver: Mask  # of each observation: the server is in the network of the client
    cut_off: I64  # attempts of each observation that are not known, as most that leaves the network was silent
    answers: Answered  # addresses that names resolved to, one entry per capture
    answers_in: I64  # capture of each

    def take(self, rows: I64) -> Self:
        """Select observations, by their rising places."""
        return attrs.evolve(
            self,
            observations=self.observations.take(rows),
            row=self.row[rows],
            mechanism=self.mechanism[rows],
            own_resolver=self.own_resolver[rows],
            cut_off=self.cut_off[rows],
            **self._answers_of(rows),
        )

    def spared(self, cells: Cells) -> Cells:
        """Hold nothing to be blocked where nobody interferes: what fails at a control speaks for others alone."""
        control = np.array([network.place == CONTROL for network in self.networks], np.bool_)[cells.tallies.place]
        log_odds = np.where(control, np.minimum(cells.log_odds, cells.tallies.prior), cells.log_odds)
        return attrs.evolve(cells, log_odds=log_odds)

    def _answers_of(self, rows: I64) -> dict[str, Any]:
        """Keep answers of the captures of some observations."""
        kept = np.zeros(len(self.captures) + 1, np.bool_)
        kept[self.observations.capture[rows]] = True
        there = kept[self.answers_in]
        return {"answers": self.answers.take(there), "answers_in": self.answers_in[there]}


def load(store: Snapshot) -> Loaded:
    """Read all observations of a store, but those of probes of which packets tell.

    Args:
        store: The store as it is now.
    """
    words: dict[str, dict[str, int]] = {name: {} for name in WORDS}
    columns = _columns(store, words)
    untold = np.flatnonzero(columns["visits"] == LATER["visits"])
    columns["visits"][untold] = (columns["silent"] + columns["broken"] + columns["struck"])[untold] > 0
    unheard(columns, words["vantage"].get(Vantage.SERVER, -2))
    columns["asn"] = of_their_place(columns["place"], columns["asn"])
    own = (columns["site"] == columns["asn"]) & (columns["asn"] > 0)
    place, networks = _networks(columns.pop("place"), columns.pop("asn"), columns.pop("country"), words)
    listed, suffixes = list(words["country"]), [*words["suffix"], ""]
    keys = columns.pop("unit")
    unit, first = numbered(keys)
    about: dict[str, Any] = {
        "unit_name": columns["name_key"][first],
        "unit_service": columns["service"][first],
        "unit_suffix": tuple(suffixes[code] for code in columns.pop("suffix")[first].tolist()),
    }
    called = _called(columns.pop("name_key"))
    service, _ = numbered(columns.pop("service"))
    mechanism, transport = columns.pop("mechanism"), _transports(words["transport"])[columns.pop("transport")]
    table = Observations(
        place=place, unit=unit, service=service, transport=transport, called=called, time=columns.pop("bin"), **columns
    )
    measured = which_are_measurements(store, words["capture"])
    loaded = Loaded(
        observations=table,
        row=np.arange(len(table)),
        networks=networks,
        countries=np.array([listed.index(one.country) if one.country else -1 for one in networks], np.int64),
        captures=tuple(words["capture"]),
        measured=measured,
        mechanism=mechanism,
        mechanisms=tuple(words["mechanism"]),
        own_resolver=own,
        cut_off=np.zeros(len(table), np.int64),
        **_answers(store, networks, keys[first], words["capture"]),
        **about,
    )
    return loaded.take(np.flatnonzero(~shown_by_packets(table, measured))) if measured.any() else loaded


def unheard(columns: dict[str, Any], server: int) -> None:
    """Take silence at servers for not known: what one does not answer there is no matter of the path to it.

    Args:
        columns: As they were read; what came of attempts is written anew.
        server: Number of the word for that vantage.
    """
    there = np.flatnonzero(columns.pop("vantage") == server)
    silent = columns["silent"][there]
    columns["unknown"][there] += silent
    columns["silent"][there] = 0
    for name in ("at_opening", "abrupt", "visits"):
        columns[name][there] = np.minimum(columns[name][there], columns["broken"][there] + columns["struck"][there])


def _columns(store: Snapshot, words: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Read the columns into arrays that are made as a whole beforehand: ten million rows are 1.5 GB, once."""
    types = TYPES | dict.fromkeys(KEYS, np.int64) | dict.fromkeys(COUNTS, np.uint32) | dict.fromkeys(NATS, np.float64)
    at, size = 0, store.size()  # (each part is opened for that)
    columns = {name: np.empty(size, kind) for name, kind in types.items()}
    for piece in _pieces(store, words):
        rows = slice(at, at + len(piece["bin"]))
        for name, values in piece.items():
            columns[name][rows] = values
        at = rows.stop
    return columns


def _called(keys: I64) -> I64:
    """Number names, -1 for none."""
    number, _ = numbered(keys)
    return np.where(keys == NONE, -1, number)


def _pieces(store: Snapshot, words: dict[str, dict[str, int]]) -> Iterator[dict[str, NDArray[Any]]]:
    """Read piece by piece, each as arrays; words are numbered alike in all of them."""
    for batch in store.observations(COLUMNS):
        piece = {}
        for name in COLUMNS:
            column = batch.column(name)
            if name in WORDS:
                piece[name] = _coded(column, words[name])
            elif name in KEYS or name == "asn":
                piece[name] = column.fill_null(NONE if name in KEYS else -1).to_numpy(zero_copy_only=False)
            elif name == "bin":
                piece[name] = column.cast("int64").to_numpy(zero_copy_only=False)
            elif name in LATER:
                piece[name] = column.fill_null(LATER[name]).to_numpy(zero_copy_only=False)
            elif name == "clients":
                piece[name] = np.minimum(column.to_numpy(zero_copy_only=False), np.iinfo(np.uint16).max)
            else:
                piece[name] = column.to_numpy(zero_copy_only=False)
        yield piece


def _coded(column: Any, known: dict[str, int]) -> NDArray[np.int32]:
    """Number words as they are known, and get to know those that are new; -1 for null."""
    numbers = [known.setdefault(word, len(known)) for word in column.dictionary.to_pylist()]
    codes = column.indices.fill_null(len(numbers)).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*numbers, -1], np.int32)[codes])


def of_their_place(place: NDArray[Any], asn: I64) -> I64:
    """Take clients whose network is not known for those of their place, where only one network of that is known.

    A probe tells its network, and a capture that was taken beside it shows private addresses.

    Args:
        place: Number of the place of each observation.
        asn: AS of its clients, -1 where it is not known.
    """
    known = np.flatnonzero(asn >= 0)
    if len(known) in {0, len(asn)}:
        return asn
    known = known[numbered(combined(place[known], asn[known]))[1]]
    networks = np.bincount(place[known], minlength=int(place.max(initial=-1)) + 1)
    only = np.full(len(networks), -1, np.int64)
    only[place[known]] = np.where(networks[place[known]] == 1, asn[known], -1)
    return np.where(asn >= 0, asn, only[place])


def _networks(
    place: NDArray[Any], asn: NDArray[Any], country: NDArray[Any], words: dict[str, dict[str, int]]
) -> tuple[NDArray[np.int32], tuple[Network, ...]]:
    """Number the networks of clients: by place and AS; the country is that of the first row of each that tells it."""
    number, first = numbered(combined(place, asn))
    telling = np.flatnonzero(country >= 0)
    first[number[telling[::-1]]] = telling[::-1]
    places, countries = list(words["place"]), [*words["country"], None]
    networks = [
        Network(places[int(place[row])], int(asn[row]) if asn[row] >= 0 else None, countries[int(country[row])])
        for row in first.tolist()
    ]
    return number.astype(np.int32), tuple(networks)


def _answers(store: Snapshot, networks: Sequence[Network], units: I64, captures: dict[str, int]) -> dict[str, Any]:
    """Read which addresses names resolved to, in which network.

    Args:
        store: The store.
        networks: All networks, by their number.
        units: Key of each unit, by its number.
        captures: Number of each capture.
    """
    number = {(one.place, -1 if one.asn is None else one.asn): place for place, one in enumerate(networks)}
    for place, one in enumerate(networks):
        number.setdefault((one.place, -1), place)  # see `of_their_place`
    order, parts = np.argsort(units), [np.zeros((6, 0), np.int64)]
    for batch in store.marks(("capture", "place", "asn", "bin", "unit", "kind", "key", "value", "number")):
        known = {name: batch.column(name).dictionary.to_pylist() for name in ("capture", "place", "kind")}
        codes = {name: batch.column(name).indices.to_numpy() for name in known}
        rows = np.flatnonzero(codes["kind"] == (known["kind"].index("answer") if "answer" in known["kind"] else -1))
        if not (len(rows) and len(units)):
            continue
        asn = batch.column("asn").fill_null(-1).to_numpy()[rows]
        unit, key = (batch.column(name).fill_null(NONE).to_numpy()[rows] for name in ("unit", "key"))
        at = order[np.minimum(np.searchsorted(units[order], unit), len(units) - 1)]
        names = [known["place"][code] for code in codes["place"][rows].tolist()]
        network = np.array([number.get(pair, -1) for pair in zip(names, asn.tolist(), strict=True)])
        held = np.array([captures.get(capture, -1) for capture in known["capture"]])[codes["capture"][rows]]
        hops = batch.column("number").fill_null(0).to_numpy(zero_copy_only=False)[rows]
        time = batch.column("bin").cast("int64").to_numpy(zero_copy_only=False)[rows]
        values = batch.column("value").take(pyarrow().array(rows)).to_pylist()
        denied = np.array([value in NOWHERE for value in values], np.bool_)
        there = np.flatnonzero((units[at] == unit) & (network >= 0) & (held >= 0))
        told = [network, at, np.where(denied, NONE, key), held, time, np.round(hops).astype(np.int64)]
        parts.append(np.stack(told)[:, there])
    place, unit, key, held, time, limit = np.concatenate(parts, axis=1)
    hops = np.where(limit > 0, limit.astype(np.float64), np.nan)
    answers = Answered(
        place=place, unit=unit, address=numbered(key)[0], denied=key == NONE, first=time, last=time, least=hops,
        most=hops,
    )  # fmt: skip
    return {"answers": answers, "answers_in": held}


def _transports(words: dict[str, int]) -> NDArray[np.uint8]:
    """Give the code of each transport by the number of its word."""
    return np.array([TRANSPORTS.index(word) for word in words] or [0], np.uint8)
