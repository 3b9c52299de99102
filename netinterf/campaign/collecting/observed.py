"""What a store keeps of captures that were judged: rows of numbers, and apart from them what the numbers stand for."""

from collections.abc import Mapping, Sequence
from itertools import compress, pairwise
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, U64, Mask
from netinterf.campaign.collecting.facts import address_text
from netinterf.campaign.collecting.marks import Seen, mark_table, marked
from netinterf.campaign.place import Place
from netinterf.campaign.stored.keys import keyed
from netinterf.campaign.stored.schema import OBSERVATIONS
from netinterf.columns import Text
from netinterf.context.domains import suffix_classes
from netinterf.context.networks import KnownNetworks, country_letters
from netinterf.context.special import is_ipv4, special_bits
from netinterf.numbering import combined, numbered, numbered_text, offsets
from netinterf.observations.attempts import HERE_ONLY, TRANSPORTS, Attempts, State, attempts_of
from netinterf.observations.table import Observations, observe
from netinterf.values import frozen
from netinterf.verdict.keys import BIN_NS
from netinterf.verdict.model import Model
from netinterf.written.ledger import Ledger

__all__ = ["Keyed", "Meant", "Observed", "laid_out", "observed"]

STATES = [state.name.lower() for state in State]


@frozen(eq=False)
class Meant:
    """What numbers stand for, aligned."""

    kind: str  # name, server or value
    key: I64
    text: list[str]
    clients: I64  # how many of a capture asked for it, the most of any
    port: list[int] | None = None  # of servers
    transport: list[str] | None = None  # of servers

    def some(self, kept: Mask) -> "Meant":
        """Keep what some numbers stand for."""
        keep = kept.tolist()
        port = None if self.port is None else list(compress(self.port, keep))
        transport = None if self.transport is None else list(compress(self.transport, keep))
        return Meant(self.kind, self.key[kept], list(compress(self.text, keep)), self.clients[kept], port, transport)


@frozen(eq=False)
class Observed:
    """What is kept of captures: rows as `schema.OBSERVATIONS` and `MARKS` have them, and what numbers stand for."""

    rows: Any  # pyarrow.Table
    marks: Any  # pyarrow.Table
    names: Meant
    servers: Meant
    values: Meant

    def unmet(self) -> Self:
        """Keep the rows alone: nobody met what their numbers stand for."""
        every = self.names, self.servers, self.values
        names, servers, values = (one.some(np.zeros(len(one.key), np.bool_)) for one in every)
        return attrs.evolve(self, names=names, servers=servers, values=values)


@frozen(eq=False)
class Keyed:
    """Numbers under the key, one per attempt."""

    name: I64
    service: I64
    unit: I64
    site: I64
    names: Meant
    servers: Meant

    @classmethod
    def of(cls, attempts: Attempts, place: Place, secret: bytes) -> Self:
        """Number names, servers, what was tried, and networks."""
        name, names = _name_keys(attempts, secret)
        service, servers = _service_keys(attempts, place, secret)
        named = attempts.name.lengths > 0
        pair, first = numbered(combined(name, attempts.transport))
        what = (int(name[row]).to_bytes(8, "little", signed=True) + bytes([attempts.transport[row]]) for row in first)
        unit = np.where(named, keyed(secret, "netinterf.unit", what)[pair], service)
        return cls(name, service, unit, _site_keys(attempts, place, secret), names, servers)


def observed(captures: Sequence[Seen], place: Place, networks: KnownNetworks, secret: bytes, model: Model) -> Observed:
    """Add up what was tried in captures, each for itself: what is around an attempt is what its own capture shows.

    They are added up together since numpy takes as long for one small capture as for a hundred.

    Args:
        captures: The captures.
        place: Where their clients are.
        networks: What was known of networks when they were judged.
        secret: Key of the store.
        model: Priors and weights that they were judged with.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    ledgers = [seen.judged.ledger for seen in captures]
    attempts = attempts_of(ledgers, range(len(ledgers)), model)  # each as a place: none is another's company
    rows = observe(attempts)
    rows = rows.take(np.argsort(rows.capture, kind="stable"))
    keys = Keyed.of(attempts, place, secret)
    row = offsets(ledger.verdicts for ledger in ledgers)[attempts.capture] + attempts.row
    server, verdict = attempts.take(rows.surest), row[rows.surest]
    asn, country = _whose(networks, *_clients_of(ledgers, server), place)
    told = {
        "capture": [captures[number].capture for number in rows.capture.tolist()],
        "place": [place.name] * len(rows),
        "vantage": [captures[number].judged.summary.vantage for number in rows.capture.tolist()],
        "asn": asn,
        "country": country,
        "mechanism": _mechanisms(ledgers, server.capture, verdict),
        "probability": np.concatenate([ledger.verdicts.probability for ledger in ledgers])[verdict],
    }
    frame = np.concatenate([ledger.first_frame for ledger in ledgers])[row]
    table = laid_out(attempts, rows, keys, networks, frame, told)
    whose = np.where(attempts.asn < 0, -1 if place.asn is None else place.asn, attempts.asn)
    known = [(seen.capture, seen.judged.summary.first or 0) for seen in captures]
    marks, values, texts = mark_table(marked(captures), attempts, row, keys.unit, whose, place.name, known, secret)
    alone = Meant("value", values, texts, np.ones(len(texts), np.int64))
    return Observed(table, marks, keys.names, keys.servers, alone)


def laid_out(
    attempts: Attempts, rows: Observations, keys: Keyed, networks: KnownNetworks, frame: I32, told: Mapping[str, Any]
) -> Any:
    """Lay observations out as a store has them, a ``pyarrow.Table``.

    Args:
        attempts: What was tried.
        rows: What it adds up to.
        keys: Numbers of the attempts under the key.
        networks: Whose servers are.
        frame: Where to look for each attempt.
        told: Columns that attempts do not tell.
    """
    server = attempts.take(rows.surest)
    server_asn, server_country = _whose(networks, server.high, server.low)
    site, shown = keys.site[rows.surest], rows.shown.values
    columns = (
        dict(told)
        | _counts(rows)
        | {
            "bin": rows.time // BIN_NS * BIN_NS,
            "transport": [TRANSPORTS[code] for code in rows.transport.tolist()],
            "version": rows.version.astype(np.int32),
            "unit": keys.unit[rows.surest],
            "name_key": np.ma.masked_array(keys.name[rows.surest], ~rows.named),
            "suffix": [suffix or None for suffix in suffix_classes(server.name)],
            "service": keys.service[rows.surest],
            "site": np.ma.filled(server_asn, 0) + np.where(np.ma.getmaskarray(server_asn), site, 0),
            "server_asn": server_asn,
            "server_country": server_country,
            "frames": _lists(rows, frame[shown].tolist()),
            "states": _lists(rows, [STATES[code] for code in attempts.state[shown].tolist()]),
        }
    )
    return OBSERVATIONS.table(columns)


COUNTS = (
    "clients", "answered", "heard", "broken", "silent", "struck", "unknown", "unread", "visits", "abrupt",
    "at_opening", "neighbour_alive", "neighbour_dead", "around", "lost",
)  # fmt: skip
NUMBERS = ("chance", "missed", "llr", "prior", "log_odds")


def _counts(rows: Observations) -> dict[str, Any]:
    """Take over what is stored as it is; what exceeds 31 bits, as an attack may, stays there."""
    most = np.iinfo(np.int32).max
    counts = {name: np.minimum(getattr(rows, name).astype(np.int64), most).astype(np.int32) for name in COUNTS}
    return counts | {name: getattr(rows, name) for name in NUMBERS}


def _mechanisms(ledgers: Sequence[Ledger], capture: I32, verdict: I64) -> list[str | None]:
    """Name what was done to some verdicts of all captures, None where nothing was found."""
    codes = np.concatenate([ledger.verdicts.mechanism for ledger in ledgers])[verdict]
    pairs = zip(capture.tolist(), codes.tolist(), strict=True)
    return [None if code < 0 else ledgers[number].verdicts.mechanisms[code] for number, code in pairs]


def _clients_of(ledgers: Sequence[Ledger], attempts: Attempts) -> tuple[U64, U64]:
    """Give the halves of the addresses of clients."""
    host = offsets(ledger.hosts for ledger in ledgers)[attempts.capture] + attempts.client
    high, low = (np.concatenate([getattr(ledger.hosts, half) for ledger in ledgers])[host] for half in ("high", "low"))
    return high, low


def _lists(rows: Observations, values: list[Any]) -> list[list[Any]]:
    """Cut values of all attempts that are shown into lists, one per row."""
    ends = rows.shown.offsets.tolist()
    return [values[begin:end] for begin, end in pairwise(ends)]


def _whose(
    networks: KnownNetworks, high: U64, low: U64, otherwise: Place | None = None
) -> tuple[Any, list[str | None]]:
    """Look up AS (masked where it is not known) and country of addresses, with those of a place for what is unknown."""
    owners = networks.whose(high, low)
    asn = owners.asn.astype(np.int64)
    if otherwise is not None and otherwise.asn is not None:
        asn[asn == 0] = otherwise.asn
    default = "" if otherwise is None else otherwise.country
    countries = [country_letters(code) or default or None for code in owners.country.tolist()]
    return np.ma.masked_array(asn, asn == 0), countries


def _name_keys(attempts: Attempts, secret: bytes) -> tuple[I64, Meant]:
    """Number the names of attempts, 0 where there is none."""
    number, different = numbered_text(attempts.name)
    clients = _clients(attempts, number, len(different))
    there = np.flatnonzero(different.lengths > 0)
    keys = np.zeros(max(len(different), 1), np.int64)
    keys[there] = keyed(secret, "netinterf.name", map(different.bytes, there.tolist()))
    return keys[number], Meant("name", keys[there], _texts(different, there), clients[there])


def _texts(names: Text, rows: I64) -> list[str]:
    """Write names as text that every reader takes: what is no UTF-8 is shown as U+FFFD."""
    return [names.bytes(row).decode("utf-8", "replace") for row in rows.tolist()]


def _service_keys(attempts: Attempts, place: Place, secret: bytes) -> tuple[I64, Meant]:
    """Number the servers of attempts: address, port, transport, and the place where only that gives them a meaning."""
    number, first = numbered(attempts.service)
    high, low, port = attempts.high[first], attempts.low[first], attempts.port[first]
    transport = attempts.transport[first]
    tails = (int(one).to_bytes(2, "big") + bytes([way]) for one, way in zip(port, transport, strict=True))
    places = _addresses(high, low, place)
    keys = keyed(secret, "netinterf.server", (start + tail for start, tail in zip(places, tails, strict=True)))
    texts = [address_text(*halves) for halves in zip(high.tolist(), low.tolist(), strict=True)]
    ways = [TRANSPORTS[way] for way in transport.tolist()]
    meant = Meant("server", keys, texts, _clients(attempts, number, len(first)), port.tolist(), ways)
    return (keys[number] if len(keys) else number), meant


def _site_keys(attempts: Attempts, place: Place, secret: bytes) -> I64:
    """Number the networks of servers, /24 or /48, all below 0: AS numbers are not."""
    four = is_ipv4(attempts.high, attempts.low)
    high = np.where(four, attempts.high, attempts.high & ~np.uint64(0xFFFF))
    low = np.where(four, attempts.low & ~np.uint64(0xFF), 0).astype(np.uint64)
    number, first = numbered(combined(high.view(np.int64), low.view(np.int64)))
    keys = keyed(secret, "netinterf.site", _addresses(high[first], low[first], place))
    return (keys | np.int64(np.iinfo(np.int64).min))[number] if len(keys) else number


def _addresses(high: U64, low: U64, place: Place) -> list[bytes]:
    """Write addresses for hashing: those that mean another host elsewhere together with their place."""
    own: Mask = special_bits(high, low) & np.uint16(HERE_ONLY) != 0
    octets: NDArray[Any] = np.stack([high, low], axis=1).astype(">u8")
    where = place.name.encode("utf-8")
    return [row.tobytes() + (where if here else b"") for row, here in zip(octets, own.tolist(), strict=True)]


def _clients(attempts: Attempts, number: I64, count: int) -> I64:
    """Count the clients behind each number: of one capture, the most of any."""
    _, first = numbered(combined(number, attempts.capture, attempts.client))
    one, member = numbered(combined(number[first], attempts.capture[first]))
    clients = np.zeros(count, np.int64)
    np.maximum.at(clients, number[first][member], np.bincount(one))
    return clients
