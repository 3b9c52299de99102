"""The user's table of networks: read strictly, and wrong lines are named."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import numpy as np
import pytest

from netinterf.context.networks import Network, find_networks, read_networks
from netinterf.errors import ParameterError


def test_reads_both_families(tmp_path: Path) -> None:
    """IPv4 and IPv6 prefixes, AS numbers with and without letters, unknown countries, a byte order mark."""
    path = tmp_path / "networks.csv"
    path.write_text(
        "\ufeffprefix,asn,country\n192.0.2.0/24,64496,de\n\n2001:db8::/32,AS64497,\n198.51.100.7,4294967295,US\n",
        encoding="utf-8",
    )
    assert (
        Network(ip_network("192.0.2.0/24"), 64496, "DE"),
        Network(ip_network("2001:db8::/32"), 64497, ""),
        Network(ip_network("198.51.100.7/32"), 2**32 - 1, "US"),
    ) == read_networks(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with the line prefix,asn,country"),
        ("network,asn,country\n", "begins with"),
        ("prefix,asn,country\n192.0.2.0/24,64496\n", "line 2"),
        ("prefix,asn,country\n192.0.2.0/24,64496,DE\n192.0.2.1/24,1,DE\n", "line 3"),
        ("prefix,asn,country\n192.0.2.0/24,many,DE\n", "line 2"),
        ("prefix,asn,country\n192.0.2.0/24,-1,DE\n", "AS numbers"),
        ("prefix,asn,country\n192.0.2.0/24,4294967296,DE\n", "AS numbers"),
        ("prefix,asn,country\n192.0.2.0/24,1,Germany\n", "two letters"),
        ('prefix,asn,country\n"192.0.2.0/24,1,DE\n', "readable CSV"),
    ],
)
def test_refuses_malformed_tables(tmp_path: Path, text: str, message: str) -> None:
    """A wrong header or line is an error that names the line."""
    path = tmp_path / "networks.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        read_networks(path)


def test_refuses_what_is_no_text(tmp_path: Path) -> None:
    """Missing files, folders and binary files are errors of the argument."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00prefix")
    for path in (tmp_path / "absent", tmp_path, tmp_path / "binary"):
        with pytest.raises(ParameterError, match="readable CSV"):
            read_networks(path)


def test_the_longest_prefix_is_found() -> None:
    """Addresses of both families are looked up at once; of nested prefixes the longest holds, of none -1."""
    table = tuple(
        Network(ip_network(prefix), asn, "")
        for prefix, asn in (("192.0.0.0/16", 1), ("192.0.2.0/24", 2), ("2001:db8::/32", 3), ("192.0.2.0/24", 4))
    )
    addresses = ["192.0.2.9", "192.0.9.9", "198.51.100.1", "2001:db8::5", "2001:db9::5"]
    numbers = [int(ip_address(a)) if ":" in a else 0xFFFF << 32 | int(ip_address(a)) for a in addresses]
    high, low = np.array([n >> 64 for n in numbers], np.uint64), np.array([n % 2**64 for n in numbers], np.uint64)
    assert find_networks(table, high, low).tolist() == [1, 0, -1, 2, -1]
    assert find_networks((), high, low).tolist() == [-1] * 5
