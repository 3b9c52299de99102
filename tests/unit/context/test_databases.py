"""Databases of networks: looked into address by address, whatever they call systems and countries."""

import gzip
import ipaddress
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from netinterf.context.databases import Database
from netinterf.context.networks import KnownNetworks, country_letters
from netinterf.context.outside import known_networks
from netinterf.context.special import prefix_halves
from netinterf.errors import MissingExtra, ParameterError

RECORDS: dict[str, dict[str, Any]] = {
    "GeoLite2-ASN": {"autonomous_system_number": 64496, "autonomous_system_organization": "A"},
    "GeoLite2-Country": {"country": {"iso_code": "DE", "names": {"en": "Germany"}}, "continent": {"code": "EU"}},
    "GeoLite2-City without a country": {"registered_country": {"iso_code": "US"}, "autonomous_system_number": 64496},
    "IPinfo Lite": {
        "asn": "AS64496",
        "as_name": "A",
        "country": "Germany",
        "country_code": "DE",
        "continent": "Europe",
    },
    "IPinfo before": {"asn": "AS64496", "country": "DE", "country_name": "Germany"},
}
TOLD = {name: (0 if name == "GeoLite2-Country" else 64496, "DE") for name in RECORDS}
TOLD |= {"GeoLite2-ASN": (64496, ""), "GeoLite2-City without a country": (64496, "")}


def write(path: Path, networks: dict[str, dict[str, Any]], *, version: int = 6) -> Path:
    """Write a database."""
    writer = MMDBWriter(version, "test", ipv4_compatible=version == 6)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


def told(networks: KnownNetworks, addresses: list[str]) -> list[tuple[int, str]]:
    """Look addresses up: system and country of each."""
    high, low = np.array([prefix_halves(one)[:2] for one in addresses], np.uint64).reshape(-1, 2).T.copy()
    owners = networks.whose(high, low)
    return list(zip(owners.asn.tolist(), map(country_letters, owners.country.tolist()), strict=True))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", RECORDS)
def test_records_of_every_maker_are_read(tmp_path: Path, shape: str, packed: bool) -> None:
    """Both families, mapped into memory or out of gzip; what is not listed is not known."""
    path = write(tmp_path / "networks", dict.fromkeys(("192.0.2.0/24", "2001:db8::/32"), RECORDS[shape]))
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    known = known_networks(path)
    addresses = ["192.0.2.9", "192.0.3.9", "2001:db8::7", "2001:db9::", "::1", "::", "255.255.255.255"]
    assert told(known, addresses) == [TOLD[shape], (0, ""), TOLD[shape], *[(0, "")] * 4]
    assert told(pickle.loads(pickle.dumps(known)), addresses[:1]) == [TOLD[shape]]
    assert known


@pytest.mark.parametrize("version", [4, 6])
def test_agrees_with_a_walk(tmp_path: Path, version: int) -> None:
    """Many addresses of many networks, nested and neighbouring, in any order, some of them twice."""
    rng = np.random.default_rng(version)
    networks = {}
    for number in range(200):
        four = version == 4 or number % 2
        bits = int(rng.integers(8, 33)) + (0 if four else 16)
        start = int(rng.integers(0xC0000000, 0xC0100000)) if four else 0x20010DB8 << 96 | int(rng.integers(2**62)) << 50
        kind = ipaddress.IPv4Network if four else ipaddress.IPv6Network
        network = kind((start, bits), strict=False)
        if not any(network.overlaps(other) for other in networks if other.version == network.version):
            networks[network] = number + 1
    records = {str(one): {"asn": f"AS{number}"} for one, number in networks.items()}
    known = known_networks(write(tmp_path / "networks", records, version=version))
    addresses = [one[int(rng.integers(0, min(one.num_addresses, 2**20)))] for one in networks for _ in range(3)]
    addresses += [ipaddress.ip_address(int(n)) for n in rng.integers(0xC0000000, 0xC0100000, 500)]
    rng.shuffle(addresses)
    expected = [next((n for one, n in networks.items() if a.version == one.version and a in one), 0) for a in addresses]
    shown = [str(address) for address in addresses]
    assert [asn for asn, _ in told(known, shown)] == expected
    high, low = np.array([prefix_halves(one)[:2] for one in shown], np.uint64).T.copy()
    held = known.held(high, low)
    assert len(held[0]) < len(addresses)
    assert [asn for asn, _ in told(KnownNetworks(held), shown)] == expected


def test_systems_and_countries_from_two_databases(tmp_path: Path) -> None:
    """As MaxMind and DB-IP publish them: one of systems, one of countries."""
    systems = write(tmp_path / "asn.mmdb", {"192.0.2.0/24": RECORDS["GeoLite2-ASN"]})
    countries = write(tmp_path / "country.mmdb", {"192.0.0.0/16": RECORDS["GeoLite2-Country"]})
    expected = [(64496, "DE"), (0, "DE"), (0, "")]
    assert told(known_networks([systems, countries]), ["192.0.2.1", "192.0.3.1", "192.1.0.1"]) == expected


def test_refuses_what_is_no_such_database(tmp_path: Path) -> None:
    """Anything with zero bytes, a database cut off, and one of something else are errors of the argument."""
    good = write(tmp_path / "good", {"192.0.2.0/24": RECORDS["GeoLite2-ASN"]}).read_bytes()
    write(tmp_path / "else", {"192.0.2.0/24": {"is_anonymous": True}})
    write(tmp_path / "odd", {"192.0.2.0/24": {"asn": "many"}})
    (tmp_path / "cut").write_bytes(good[:-40])
    (tmp_path / "zeros").write_bytes(bytes(100))
    (tmp_path / "text").write_bytes("prefix,asn,country\n".encode("utf-16"))
    (tmp_path / "packed").write_bytes(gzip.compress(bytes(100)))
    for name in ("else", "odd", "cut", "zeros", "text", "packed"):
        with pytest.raises(ParameterError, match=f"{name}.*MaxMind database"):
            known_networks(tmp_path / name)


def test_damage_inside_is_named(tmp_path: Path) -> None:
    """A tree that leads nowhere is an error when an address is looked up, and no other."""
    path = write(tmp_path / "networks", {"192.0.2.0/24": RECORDS["GeoLite2-ASN"]})
    known = known_networks(path)
    content = bytearray(path.read_bytes())
    content[3:6] = b"\xff\xff\xff"  # the second half of all addresses
    database = Database.of(bytes(content), "damaged")
    assert told(KnownNetworks((database,)), ["192.0.2.1"]) == told(known, ["192.0.2.1"])
    with pytest.raises(ParameterError, match=r"damaged.*MaxMind database"):
        told(KnownNetworks((database,)), ["ff02::1"])


def test_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package that reads databases, one line says how to get it."""
    path = write(tmp_path / "networks", {"192.0.2.0/24": RECORDS["GeoLite2-ASN"]})
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(MissingExtra, match=r"pip install 'netinterf\[geo\]'"):
        known_networks(path)
