"""Databases of networks in MaxMind's format, looked into where an address asks for it and nowhere else.

The file is a binary tree of addresses (MaxMind DB File Format Specification 2.0): the way down it tells what is known
of an address, and of how long a prefix the same is known. So addresses are taken in their order, each prefix is looked
up once, and a database of millions costs no more than the networks that a capture meets.

What systems and countries are called differs:

| database | system | country |
|---|---|---|
| GeoLite2 and DB-IP | ``autonomous_system_number`` | ``country``, ``iso_code`` in it |
| IPinfo Lite | ``asn`` | ``country_code``; ``country`` is a name |
| IPinfo before 2025 | ``asn`` | ``country`` |
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import TYPE_CHECKING, Self

import numpy as np

from netinterf.arrays import I32, I64, U64
from netinterf.context.network_lines import read_asn, read_country
from netinterf.context.networks import NetworkTable
from netinterf.context.prefixes import WHOLE, joined_halves
from netinterf.context.special import is_ipv4
from netinterf.errors import MissingExtra, ParameterError
from netinterf.values import frozen

if TYPE_CHECKING:
    from maxminddb import Reader

__all__ = ["Database"]

TRIED = 1000
"""Records that are tried for a system or a country: databases of anything else have neither in any."""


class Content(io.BytesIO):
    """The bytes of a database as a file, which maxminddb before 3.0 asks for its name."""

    name = "database"


@frozen(eq=False)
class Database:
    """A database that is open for reading."""

    reader: "Reader"
    name: str  # in errors

    @classmethod
    def of(cls, content: bytes | None, name: str) -> Self:
        """Open a database.

        Args:
            content: Its bytes; None maps the file into memory.
            name: Its path.

        Raises:
            ParameterError: It is no database, or not one of systems or countries.
            MissingExtra: maxminddb is not installed.
        """
        try:
            import maxminddb
        except ImportError as cause:
            raise MissingExtra("reading databases of networks (.mmdb)", "geo") from cause
        with reading(name):
            if content is None:
                reader = maxminddb.open_database(name)
            else:
                reader = maxminddb.open_database(Content(content), maxminddb.MODE_FD)
            if not any(any(owner(record)) for _, record in islice(reader, TRIED)):
                raise ValueError("it tells neither systems nor countries")
        return cls(reader, name)

    def __bool__(self) -> bool:
        return True

    def find(self, high: U64, low: U64) -> tuple[NetworkTable, I32]:
        """Look addresses up, and list the networks that they are in; see `NetworkSource.find`."""
        row, four = np.full(len(high), -1, np.int32), is_ipv4(high, low)
        asked = (four, ~four) if self.reader.metadata().ip_version == 6 else (four,)
        tables = [NetworkTable.empty()]
        with reading(self.name):
            for mine in map(np.flatnonzero, asked):  # each family has its own tree: prefixes are those of one
                table, own = self._walk(high[mine], low[mine], bool(four[mine].any()))
                row[mine] = own + sum(map(len, tables))
                tables.append(table)
        return NetworkTable.concat(tables), row

    def _walk(self, high: U64, low: U64, four: bool) -> tuple[NetworkTable, I64]:
        """Look addresses of one family up in their order, each prefix once."""
        keys, first, number = np.unique(joined_halves(high, low), return_index=True, return_inverse=True)
        kind, above = (IPv4Address, WHOLE - 32) if four else (IPv6Address, 0)
        places, lengths, owners, place = list[int](), list[int](), list[tuple[int, int]](), 0
        while place < len(keys):
            whole = int(high[first[place]]) << 64 | int(low[first[place]])
            record, bits = self.reader.get_with_prefix_len(kind(whole & (1 << WHOLE - above) - 1))
            places.append(place)
            lengths.append(bits + above)
            owners.append(owner(record))
            last = whole | (1 << WHOLE - bits - above) - 1
            place = int(np.searchsorted(keys, np.bytes_(last.to_bytes(16, "big")), side="right"))
        met = first[places]
        asn, country = np.array(owners, np.int64).reshape(-1, 2).T
        table = NetworkTable.of_prefixes(
            high[met], low[met], np.array(lengths, np.uint8), asn.astype(np.uint32), country.astype(np.uint16)
        )
        return table, np.repeat(np.arange(len(met)), np.diff([*places, len(keys)]))[number]


def owner(record: object) -> tuple[int, int]:
    """Read what a record says of a system and a country, as tables hold them; 0 where it says nothing."""
    if not isinstance(record, Mapping):
        return 0, 0
    country = record.get("country_code") or record.get("country")
    if isinstance(country, Mapping):
        country = country.get("iso_code")
    asn = record.get("autonomous_system_number") or record.get("asn")
    return read_asn(str(asn or "")), read_country(str(country or ""))


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Say of which database something cannot be read."""
    from maxminddb import InvalidDatabaseError

    try:
        yield
    except (InvalidDatabaseError, ValueError, TypeError) as cause:
        raise ParameterError("networks", name, f"a MaxMind database of systems or countries ({cause})") from cause
