"""The user's table of networks: which prefix belongs to which autonomous system and country."""

import csv
import os
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.context.prefixes import PrefixIndex
from netinterf.errors import ParameterError

__all__ = ["HEADER", "Network", "find_networks", "read_networks"]

HEADER = ("prefix", "asn", "country")
MAX_ASN = 2**32 - 1  # RFC 6793


@attrs.frozen
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
    name = os.fspath(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(enumerate(csv.reader(file, strict=True), 1))
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as cause:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise ParameterError("networks", name, f"a readable CSV file ({reason})") from cause
    if not rows or tuple(cell.strip().lower() for cell in rows[0][1]) != HEADER:
        raise ParameterError("networks", name, "a CSV file that begins with the line " + ",".join(HEADER))
    return tuple(_network(name, line, row) for line, row in rows[1:] if any(cell.strip() for cell in row))


def _network(name: str, line: int, row: list[str]) -> Network:
    """Read one line."""
    try:
        prefix, asn, country = (cell.strip() for cell in row)
        number = int(asn.upper().removeprefix("AS"))
        network = ip_network(prefix)
    except ValueError as cause:
        raise ParameterError("networks", f"{name}, line {line}", f"prefix,asn,country ({cause})") from cause
    if not 0 <= number <= MAX_ASN:
        raise ParameterError("networks", f"{name}, line {line}", f"AS numbers up to {MAX_ASN}, not {asn}")
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise ParameterError("networks", f"{name}, line {line}", f"a country of two letters, not {country!r}")
    return Network(network, number, country.upper())


def find_networks(
    networks: tuple[Network, ...], high: NDArray[np.uint64], low: NDArray[np.uint64]
) -> NDArray[np.int32]:
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


@lru_cache(maxsize=1)
def _index(networks: tuple[Network, ...]) -> PrefixIndex:
    """Index a table once for all captures of a scan."""
    return PrefixIndex.of([str(network.prefix) for network in networks])
