"""From a store to the table that is judged: numbers in the place of keys and words, piece by piece.

Ten million rows take about 1.5 GB as numbers. Frames and words of single attempts are read later, for the few cells
that are written.
"""

from collections.abc import Callable, Iterator
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64
from netinterf.campaign.reader import Reader
from netinterf.numbering import combined, numbered
from netinterf.observations.attempts import TRANSPORTS
from netinterf.observations.table import Observations
from netinterf.values import frozen

__all__ = ["Loaded", "Network", "load"]

COUNTS = (
    "answered", "heard", "broken", "silent", "struck", "unknown", "abrupt", "at_opening", "neighbour_alive",
    "neighbour_dead", "around", "lost",
)  # fmt: skip
NATS = ("chance", "llr", "prior", "log_odds")
WORDS = ("capture", "place", "country", "transport", "suffix", "mechanism")
KEYS = ("unit", "name_key", "service", "site")
COLUMNS = (*WORDS, "asn", "bin", "clients", "missed", *KEYS, *COUNTS, *NATS)

NONE = np.iinfo(np.int64).min
"""A key that is not there."""


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
    mechanism: NDArray[np.int16]  # of each observation, place in mechanisms; -1 for none
    mechanisms: tuple[str, ...]
    unit_name: I64  # key of its name, `NONE` of servers
    unit_service: I64  # key of a server at which it was tried
    unit_suffix: tuple[str, ...]  # public suffix of its name; empty of servers

    def take(self, rows: I64) -> Self:
        """Select observations, by their rising places."""
        return attrs.evolve(
            self, observations=self.observations.take(rows), row=self.row[rows], mechanism=self.mechanism[rows]
        )


def load(campaign: Reader) -> Loaded:
    """Read all observations of a store.

    Args:
        campaign: The store.

    Raises:
        UsageError: There is no store, or a later version wrote it.
    """
    words: dict[str, dict[str, int]] = {name: {} for name in WORDS}
    pieces = list(_pieces(campaign, words))

    def taken(name: str, dtype: Any = None) -> NDArray[Any]:
        """Join the pieces of a column, which are let go of."""
        return _joined([piece.pop(name) for piece in pieces], name, dtype)

    place, networks = _networks(taken("place"), taken("asn"), taken("country"), words)
    keys = taken("unit")
    unit, first = numbered(keys)
    names, services, suffix = taken("name_key"), taken("service"), taken("suffix")
    suffixes, listed = [*words["suffix"], ""], list(words["country"])
    about: dict[str, Any] = {
        "unit_name": names[first],
        "unit_service": services[first],
        "unit_suffix": tuple(suffixes[code] for code in suffix[first].tolist()),
    }
    del keys, suffix
    called = _called(names)
    del names
    service, _ = numbered(services)
    del services
    table = Observations(
        place=place,
        capture=taken("capture"),
        unit=unit,
        service=service,
        site=taken("site"),
        transport=_transports(words["transport"])[taken("transport")],
        called=called,
        time=taken("bin"),
        clients=np.minimum(taken("clients"), np.iinfo(np.uint16).max).astype(np.uint16),
        missed=taken("missed"),
        **_numbers(taken),
    )
    return Loaded(
        observations=table,
        row=np.arange(len(table)),
        networks=networks,
        countries=np.array([listed.index(one.country) if one.country else -1 for one in networks], np.int64),
        captures=tuple(words["capture"]),
        mechanism=taken("mechanism", np.int16),
        mechanisms=tuple(words["mechanism"]),
        **about,
    )


def _numbers(taken: Callable[..., Any]) -> dict[str, Any]:
    """Take counts, which have no sign, and weights."""
    counts = {name: taken(name, np.uint32) for name in COUNTS}
    return counts | {name: taken(name) for name in NATS}


def _called(keys: I64) -> I64:
    """Number names, -1 for none."""
    number, _ = numbered(keys)
    return np.where(keys == NONE, -1, number)


def _pieces(campaign: Reader, words: dict[str, dict[str, int]]) -> Iterator[dict[str, NDArray[Any]]]:
    """Read piece by piece, each as arrays; words are numbered alike in all of them."""
    for batch in campaign.observations(COLUMNS):
        piece = {}
        for name in COLUMNS:
            column = batch.column(name)
            if name in WORDS:
                piece[name] = _coded(column, words[name])
            elif name in KEYS or name == "asn":
                piece[name] = column.fill_null(NONE if name in KEYS else -1).to_numpy(zero_copy_only=False)
            elif name == "bin":
                piece[name] = column.cast("int64").to_numpy(zero_copy_only=False)
            else:
                piece[name] = column.to_numpy(zero_copy_only=False)
        yield piece


def _coded(column: Any, known: dict[str, int]) -> NDArray[np.int32]:
    """Number words as they are known, and get to know those that are new; -1 for null."""
    numbers = [known.setdefault(word, len(known)) for word in column.dictionary.to_pylist()]
    codes = column.indices.fill_null(len(numbers)).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*numbers, -1], np.int32)[codes])


def _joined(parts: list[NDArray[Any]], name: str, dtype: Any) -> NDArray[Any]:
    """Join the parts of a column; a store without rows has none."""
    if not parts:
        whole = name in KEYS or name in {"asn", "bin"}
        parts = [np.zeros(0, np.int64 if whole else np.float64 if name in NATS or name == "missed" else np.int32)]
    joined = np.empty(sum(map(len, parts)), dtype or parts[0].dtype)
    at = 0
    for part in parts:
        joined[at : at + len(part)] = part
        at += len(part)
    return joined


def _networks(
    place: NDArray[Any], asn: NDArray[Any], country: NDArray[Any], words: dict[str, dict[str, int]]
) -> tuple[NDArray[np.int32], tuple[Network, ...]]:
    """Number the networks of clients: by place and AS; the country is that of the first row of each."""
    number, first = numbered(combined(place, asn))
    places, countries = list(words["place"]), [*words["country"], None]
    networks = [
        Network(places[int(place[row])], int(asn[row]) if asn[row] >= 0 else None, countries[int(country[row])])
        for row in first.tolist()
    ]
    return number.astype(np.int32), tuple(networks)


def _transports(words: dict[str, int]) -> NDArray[np.uint8]:
    """Give the code of each transport by the number of its word."""
    return np.array([TRANSPORTS.index(word) for word in words] or [0], np.uint8)
