"""What the user knows of networks: which address belongs to which autonomous system, and to which country.

It may come from several places: a table of systems and a database of countries, for instance. Each is a source, and an
address is looked up in all of them: the first that knows its system names that, and the first that knows its country
names that. So whoever asks gets an `Owners`, and nobody needs to know where it came from.
"""

from collections.abc import Iterable
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol, Self

import attrs
import numpy as np

from netinterf.arrays import I32, I64, U8, U16, U32, U64
from netinterf.context.prefixes import PrefixIndex, prefix_masks
from netinterf.context.special import is_ipv4, prefix_halves
from netinterf.errors import ParameterError
from netinterf.numbering import combined, numbered
from netinterf.table import Table, column
from netinterf.values import frozen

__all__ = [
    "MAX_ASN",
    "KnownNetworks",
    "Network",
    "NetworkSource",
    "NetworkTable",
    "Owners",
    "country_code",
    "country_letters",
    "network_numbers",
    "numbers_of",
    "refuse_contradictions",
]

MAX_ASN = 2**32 - 1  # RFC 6793; 0 stands for no system (RFC 7607)


@frozen
class Network:
    """One prefix and whose it is."""

    prefix: IPv4Network | IPv6Network
    asn: int  # 0 when unknown
    country: str  # two letters, empty when unknown


@frozen(eq=False)
class Owners:
    """Whose addresses are, one entry per address."""

    asn: U32  # number of the autonomous system, 0 when unknown
    country: U16  # two letters as `country_code` writes them, 0 when unknown


class NetworkSource(Protocol):
    """Something that addresses can be looked up in; true if there is anything in it."""

    def __bool__(self) -> bool: ...

    def find(self, high: U64, low: U64) -> "tuple[NetworkTable, I32]":
        """Look addresses up.

        Args:
            high: Upper halves of the addresses, n of them (IPv4 as mapped).
            low: Lower halves, same length.

        Returns:
            A table, and of each address the row of the longest prefix that holds it, -1 for none.
        """
        ...


@frozen(eq=False, kw_only=True)
class NetworkTable(Table):
    """Prefixes and whose they are; of equal prefixes the first counts (files in which they differ are refused)."""

    high: U64 = column("u8", "upper half of the first address")
    low: U64 = column("u8", "lower half; IPv4 is IPv4-mapped")
    length: U8 = column("u1", "bits of the prefix, of 128")
    asn: U32 = column("u4", "number of the autonomous system, 0 when unknown")
    country: U16 = column("u2", "two letters, a byte each, 0 when unknown")

    @classmethod
    def of_prefixes(cls, high: U64, low: U64, length: U8, asn: U32, country: U16) -> Self:
        """Make a table of prefixes, given by any of their addresses: bits behind the prefix are cleared."""
        high_mask, low_mask = prefix_masks(length)
        return cls(high=high & high_mask, low=low & low_mask, length=length, asn=asn, country=country)

    @classmethod
    def of_networks(cls, networks: Iterable[Network]) -> Self:
        """Make a table of single networks."""
        rows = list(networks)
        halves = np.array([prefix_halves(str(row.prefix)) for row in rows], np.uint64).reshape(-1, 4)
        high, low, high_mask, low_mask = halves.T.copy()
        return cls(
            high=high,
            low=low,
            length=np.bitwise_count(high_mask) + np.bitwise_count(low_mask),
            asn=np.array([row.asn for row in rows], np.uint32),
            country=np.array([country_code(row.country) for row in rows], np.uint16),
        )

    def __bool__(self) -> bool:
        return len(self) > 0

    @cached_property
    def index(self) -> PrefixIndex:
        """What finds the longest prefix, made when it is first asked for."""
        return PrefixIndex.of_halves(self.high, self.low, self.length)

    def find(self, high: U64, low: U64) -> tuple[Self, I32]:
        """Look addresses up; see `NetworkSource.find`."""
        return self, self.index.find(np.asarray(high, np.uint64), np.asarray(low, np.uint64))


def refuse_contradictions(table: NetworkTable, line: I64, name: str) -> None:
    """Refuse a table in which lines name different owners of one prefix: nobody knows which of them is right.

    Args:
        table: What a file says.
        line: Of each prefix, the line that says it.
        name: What the file is called.

    Raises:
        ParameterError: There is such a prefix; the lines of the first are given.
    """
    prefix = combined(table.high.view(np.int64), table.low.view(np.int64), table.length.astype(np.int64))
    for what, owner in (("AS", table.asn), ("country", table.country)):
        known = np.flatnonzero(owner > 0)
        number, one = numbered(prefix[known])
        other = known[one[number]]
        wrong = np.flatnonzero(owner[known] != owner[other])
        if len(wrong):
            first, second = sorted(line[place[wrong[0]]] for place in (known, other))
            raise ParameterError("networks", f"{name}, lines {first} and {second}", f"one {what} for each prefix")


@frozen(eq=False)
class KnownNetworks:
    """All that the user knows of networks; nothing where there is no source."""

    sources: tuple[NetworkSource, ...] = attrs.field(default=(), repr=False)

    def __bool__(self) -> bool:
        return any(self.sources)

    def whose(self, high: U64, low: U64) -> Owners:
        """Look up whose addresses are.

        Args:
            high: Upper halves of the addresses, n of them (IPv4 as mapped).
            low: Lower halves, same length.

        Returns:
            n owners, unknown where no source tells. Empty in, empty out.
        """
        owners = Owners(np.zeros(len(high), np.uint32), np.zeros(len(high), np.uint16))
        for source in self.sources:
            table, row = source.find(high, low)
            hit = np.flatnonzero(row >= 0)
            for mine, theirs in ((owners.asn, table.asn), (owners.country, table.country)):
                mine[hit] = np.where(mine[hit] > 0, mine[hit], theirs[row[hit]])
        return owners

    def held(self, high: U64, low: U64) -> tuple[NetworkTable, ...]:
        """Keep no more than what tells of some addresses: looked up in these tables, they have the same owners."""
        found = [source.find(high, low) for source in self.sources]
        return tuple(table.take(np.unique(row[row >= 0])) for table, row in found)


def network_numbers(networks: KnownNetworks, high: U64, low: U64) -> I64:
    """Number the networks that addresses belong to: by their system, else a rough stand-in, /16 or /32 of IPv6.

    Args:
        networks: What is known of networks; may be nothing.
        high: Upper halves of the addresses, n of them (IPv4 as mapped).
        low: Lower halves, same length.

    Returns:
        n numbers, equal within a network; AS numbers as they are, stand-ins negative.
    """
    return numbers_of(networks.whose(high, low).asn, high, low)


def numbers_of(asn: U32, high: U64, low: U64) -> I64:
    """Do the same, given the AS of each address, 0 where it is not known."""
    four = is_ipv4(high, low)
    rough = np.where(four, low >> np.uint64(16), high >> np.uint64(32) | np.uint64(1) << np.uint64(62)).astype(np.int64)
    return np.where(asn > 0, asn.astype(np.int64), -1 - rough)


def country_code(letters: str) -> int:
    """Write two letters as one number; 0 for none."""
    return ord(letters[0]) << 8 | ord(letters[1]) if letters else 0


def country_letters(code: int) -> str:
    """Write a number as the two letters that it stands for; empty for 0."""
    return chr(code >> 8) + chr(code & 0xFF) if code else ""
