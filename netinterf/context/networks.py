"""The user's table of networks: which prefix belongs to which autonomous system and country."""

import os
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

import numpy as np

from netinterf.arrays import I32, I64, U64
from netinterf.context.lines import read_lines
from netinterf.context.prefixes import PrefixIndex
from netinterf.context.special import is_ipv4
from netinterf.values import frozen

__all__ = ["HEADER", "MAX_ASN", "Network", "find_networks", "network_numbers", "read_networks"]

HEADER = ("prefix", "asn", "country")
MAX_ASN = 2**32 - 1  # RFC 6793


@frozen
class Network:
    """One prefix and whose it is."""

    prefix: IPv4Network | IPv6Network
    asn: int
    country: str  # two letters, empty when unknown


def read_networks(path: str | os.PathLike[str]) -> tuple[Network, ...]:
    """Read a CSV file with the header ``prefix,asn,country``.

    Args:
        path: The file, UTF-8; IPv4 and IPv6 prefixes mixed, AS numbers with or without ``AS``, countries by two letters
            or empty.

    Returns:
        The networks in file order.

    Raises:
        ParameterError: The file cannot be read, the header is another, or a line is malformed (its number is given).
    """
    return read_lines(path, "networks", HEADER, _network)


def _network(cells: list[str]) -> Network:
    """Read one line."""
    prefix, asn, country = cells
    network, number = ip_network(prefix), int(asn.upper().removeprefix("AS"))
    if not 0 <= number <= MAX_ASN:
        raise ValueError(f"AS numbers go up to {MAX_ASN}, not {asn}")
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise ValueError(f"a country has two letters, not {country!r}")
    return Network(network, number, country.upper())


def find_networks(networks: tuple[Network, ...], high: U64, low: U64) -> I32:
    """Look addresses up in a table of networks: the longest prefix that holds each (RFC 4632 §5.1).

    Args:
        networks: The table; of equal prefixes the first wins.
        high: Upper halves of the addresses, n of them (IPv4 as mapped).
        low: Lower halves, same length.

    Returns:
        n rows of the table, -1 where no prefix holds the address; all -1 for an empty table.
    """
    if not networks:
        return np.full(len(high), -1, np.int32)
    return _index(networks).find(np.asarray(high, np.uint64), np.asarray(low, np.uint64))


def network_numbers(networks: tuple[Network, ...], high: U64, low: U64) -> I64:
    """Number the networks that addresses belong to: by the table their AS, else a rough stand-in, /16 or /32 of IPv6.

    Args:
        networks: The table; may be empty.
        high: Upper halves of the addresses, n of them (IPv4 as mapped).
        low: Lower halves, same length.

    Returns:
        n numbers, equal within a network; AS numbers as they are, stand-ins negative.
    """
    four = is_ipv4(high, low)
    rough = np.where(four, low >> np.uint64(16), high >> np.uint64(32) | np.uint64(1) << np.uint64(62)).astype(np.int64)
    row = find_networks(networks, high, low)
    asn = np.array([network.asn for network in networks] or [0], np.int64)
    return np.where(row >= 0, asn[row], -1 - rough)


@lru_cache(maxsize=1)
def _index(networks: tuple[Network, ...]) -> PrefixIndex:
    """Index a table once for all captures of a scan."""
    return PrefixIndex.of([str(network.prefix) for network in networks])
