"""What is known of networks, from one place or several; and files of them, in every form that people have."""

import gzip
import ipaddress
import os
import pickle
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.context.network_files import NetworkFile
from netinterf.context.networks import KnownNetworks, Network, NetworkTable, country_letters, network_numbers
from netinterf.context.outside import known_networks
from netinterf.context.special import prefix_halves
from netinterf.errors import ParameterError

IPTOASN = """\
192.0.0.0\t192.0.1.255\t0\tNone\tNot routed
192.0.2.0\t192.0.2.129\t64496\tDE\tQUOTE"S and, commas
198.51.100.0\t198.51.100.255\t64497\tNone\tX
2001:db8::\t2001:db8:0:ffff:ffff:ffff:ffff:ffff\t64498\tUS\t\xe9
"""
NUMBERS = f"{0xC0000200}\t{0xC0000281}\t64496\tDE\tQUOTE\n{0xC6336400}\t{0xC63364FF}\t64497\tNone\tX\n"
FORMS = {
    "ours": "\ufeffprefix,asn,country\n192.0.2.0/25,64496,de\n192.0.2.128/31, AS64496 ,DE\n\n"
    "198.51.100.0/24,64497,\n2001:db8::/48,64498,US\n",
    "host bits and comments": "# mine\n\nprefix,asn,country\n192.0.2.7/25,64496,DE\r\n# more\n,,\n"
    "192.0.2.128,64496,DE\n192.0.2.129/32,64496,DE\n198.51.100.9/24,64497,\n2001:db8::1/48,64498,us",
    "iptoasn": IPTOASN,
    "iptoasn, numbers": NUMBERS,
    "pfx2as": "192.0.2.0\t25\t64496\n192.0.2.128\t31\t64496_64499\n198.51.100.0\t24\t{64497,64499}\n"
    "2001:db8::\t48\t64498,1_2\n",
    "IPinfo Lite": "network,country,country_code,continent,continent_code,asn,as_name,as_domain\n"
    '192.0.2.0/25,Germany,DE,Europe,EU,AS64496,"Name, Inc.",a.example\n192.0.2.128/31,Germany,DE,Europe,EU,AS64496,,\n'
    "198.51.100.0/24,,,,,AS64497,,\n2001:db8::/48,United States,US,North America,NA,AS64498,,\n",
    "IPinfo before": "start_ip,end_ip,country,country_name,continent,continent_name,asn,as_name,as_domain\n"
    "192.0.2.0,192.0.2.129,DE,Germany,EU,Europe,AS64496,A,a.example\n198.51.100.0,198.51.100.255,,,,,AS64497,,\n"
    "2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,US,United States,NA,North America,AS64498,,\n",
    "IPinfo, systems": '"start_ip","end_ip","asn","name","domain"\n"192.0.2.0","192.0.2.129","AS64496","A, B",""\n'
    "198.51.100.0,198.51.100.255,AS64497,,\n2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,AS64498,,\n",
    "GeoLite2 ASN blocks": "network,autonomous_system_number,autonomous_system_organization\n192.0.2.0/25,64496,A\n"
    "192.0.2.128/31,64496,A\n198.51.100.0/24,64497,B\n2001:db8::/48,64498,C\n",
}
WHOSE = {
    "192.0.1.1": (0, ""),
    "192.0.2.0": (64496, "DE"),
    "192.0.2.127": (64496, "DE"),
    "192.0.2.129": (64496, "DE"),
    "192.0.2.130": (0, ""),
    "198.51.100.200": (64497, ""),
    "2001:db8::5": (64498, "US"),
    "2001:db8:1::": (0, ""),
}


def halves(addresses):
    """Write addresses as tables hold them."""
    pairs = np.array([prefix_halves(address)[:2] for address in addresses], np.uint64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def told(networks, addresses):
    """Look addresses up: system and country of each."""
    owners = networks.whose(*halves(addresses))
    return list(zip(owners.asn.tolist(), map(country_letters, owners.country.tolist()), strict=True))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_same(tmp_path: Path, form: str, packed: bool) -> None:
    """Whatever the file is called, its addresses belong to whom its lines say, as far as the form can say it."""
    path = tmp_path / "networks"
    content = FORMS[form].encode("latin-1" if form == "iptoasn" else "utf-8")
    path.write_bytes(gzip.compress(content) if packed else content)
    silent = {"pfx2as", "IPinfo, systems", "GeoLite2 ASN blocks"}
    expected = {address: (asn, "" if form in silent else country) for address, (asn, country) in WHOSE.items()}
    if form == "iptoasn, numbers":
        expected |= {address: (0, "") for address in expected if ":" in address}
    assert expected == dict(zip(WHOSE, told(known_networks(path), list(WHOSE)), strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with a line such as prefix,asn,country"),
        ("# nothing\n\n", "begins with"),
        ("address,asn,country\n", "begins with"),
        ("prefix,name\n", "begins with"),
        ("start_ip,asn\n", "begins with"),
        ("a\tb\n", "begins with"),
        ("prefix,asn,country\n192.0.2.0/24,64496\n", "line 2.*2 cells instead of 3"),
        ("prefix,asn,country\n192.0.2.0/24,1,DE\n#\n\n192.0.2.x/24,1,DE\n", "line 5.*no address"),
        ("prefix,asn,country\n192.0.2.0/33,1,DE\n", "line 2.*32 bits"),
        ("prefix,asn,country\n2001:db8::/129,1,DE\n", "line 2.*'129' is no length"),
        ("prefix,asn,country\n192.0.2.0/,1,DE\n", "line 2.*no length"),
        ("prefix,asn,country\n192.0.2.0/24,many,DE\n", "line 2.*AS numbers"),
        ("prefix,asn,country\n192.0.2.0/24,-1,DE\n", "AS numbers"),
        ("prefix,asn,country\n192.0.2.0/24,4294967296,DE\n", "AS numbers"),
        ("prefix,asn,country\n192.0.2.0/24,1,Germany\n", "two letters"),
        ('prefix,asn,country\n"192.0.2.0/24,1,DE\n', "line 2.*unexpected end"),
        ("192.0.2.0\t24\t1\n192.0.2.0\t24\n", "line 2.*2 cells instead of 3"),
        ("192.0.2.0\t192.0.1.0\t1\tDE\tX\n", "line 1.*ends before it begins"),
        ("192.0.2.0\t2001:db8::\t1\tDE\tX\n", "line 1.*from one family"),
        ("4294967296\t4294967297\t1\tDE\tX\n", "line 1.*go up to"),
        (f"1\t{10**40}\t1\tDE\tX\n", "line 1.*go up to"),
        ("prefix,asn,country\nbeef,1,DE\n", "line 2.*'beef' is no address"),
        ("prefix,asn,country\n10/8,1,DE\n", "line 2.*'10' is no address"),
        ("prefix,asn,country\n" + "192.0.2.0/24,1,DE\n" * 2000 + "x,1,DE\n", "line 2002"),
    ],
)
def test_refuses_malformed_tables(tmp_path: Path, text: str, message: str) -> None:
    """An unknown form or a wrong line is an error that names the file, the line and what is wrong with it."""
    path = tmp_path / "networks.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=f"networks.csv.*{message}"):
        known_networks(path)


@pytest.mark.parametrize(
    ("text", "lines", "what"),
    [
        (
            "prefix,asn,country\n# mine\n192.0.2.0/24,1,DE\n\n10.0.0.0/8,3,\n192.0.2.9/24,2,\n",
            "lines 3 and 6",
            "one AS",
        ),
        ("prefix,asn,country\n2001:db8::/32,1,DE\n2001:db8::/32,1,US\n", "lines 2 and 3", "one country"),
        ("prefix,asn\n192.0.2.0/24,\n192.0.2.0/24,1\n192.0.2.0/24,2\n", "lines 3 and 4", "one AS"),
        ("192.0.2.0\t192.0.2.255\t1\tDE\tX\n192.0.2.0\t192.0.2.255\t2\tDE\tY\n", "lines 1 and 2", "one AS"),
        ("192.0.2.0\t24\t1\n192.0.2.0\t24\t2\n", "lines 1 and 2", "one AS"),
    ],
)
def test_refuses_two_owners_of_one_prefix(tmp_path: Path, text: str, lines: str, what: str) -> None:
    """Both lines are named, whatever lies between; the same said twice is no contradiction, nor is an empty cell."""
    (tmp_path / "networks").write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=rf"networks, {lines}' is not allowed: {what} for each prefix"):
        known_networks(tmp_path / "networks")
    alike = re.sub(r"(?<=[,\t])[123](?=[,\t\n])", "1", text).replace("US", "DE")
    (tmp_path / "alike").write_text(alike, encoding="utf-8")
    assert known_networks(tmp_path / "alike")


def test_refuses_what_cannot_be_read(tmp_path: Path) -> None:
    """Missing files, folders and what is cut off are errors of the argument."""
    packed = gzip.compress(FORMS["ours"].encode())
    for name, content in (("cut", packed[:-9]), ("damaged", packed[:12] + b"\xff" * 20), ("zip", packed[:10])):
        (tmp_path / name).write_bytes(content)
    for path in (tmp_path / "absent", tmp_path, *(tmp_path / name for name in ("cut", "damaged", "zip"))):
        with pytest.raises(ParameterError, match="a readable file"):
            known_networks(path)


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    """What a pipe gives is kept, and looked up like a file."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(FORMS["ours"],))
    writer.start()
    networks = known_networks(path)
    writer.join()
    assert told(pickle.loads(pickle.dumps(networks)), ["192.0.2.1"]) == [(64496, "DE")]


def test_of_several_the_first_that_knows_counts(tmp_path: Path) -> None:
    """Systems from one file and countries from another; single networks beside both."""
    systems, countries = tmp_path / "systems", tmp_path / "countries"
    systems.write_text("192.0.2.0\t24\t64496\n198.51.100.0\t24\t64497\n")
    countries.write_text("prefix,asn,country\n192.0.0.0/8,1,DE\n203.0.113.0/24,2,US\n")
    addresses = ["192.0.2.1", "192.0.3.1", "198.51.100.1", "203.0.113.1", "9.9.9.9"]
    networks = known_networks([systems, str(countries)])
    assert told(networks, addresses) == [(64496, "DE"), (1, "DE"), (64497, ""), (2, "US"), (0, "")]
    single = known_networks([Network(ipaddress.ip_network("192.0.2.0/24"), 0, "FR")])
    both = KnownNetworks((*single.sources, *networks.sources))
    assert told(both, addresses[:2]) == [(64496, "FR"), (1, "DE")]
    held = networks.held(*halves(addresses[:2]))
    assert [len(table) for table in held] == [1, 1]
    assert told(known_networks(()), addresses) == [(0, "")] * 5
    assert (bool(networks), bool(known_networks(()))) == (True, False)


def test_a_file_travels_as_its_path(tmp_path: Path) -> None:
    """It is a few bytes however many networks it lists; another process finds the same, or says that it is another."""
    path = tmp_path / "networks.csv"
    path.write_text("prefix,asn,country\n" + "".join(f"10.{n >> 8}.{n & 255}.0/24,{n},\n" for n in range(1, 5000)))
    (file,) = known_networks(path).sources
    assert isinstance(file, NetworkFile)
    sent = pickle.dumps(file)
    assert len(sent) < 500
    path.write_text("prefix,asn,country\n10.0.7.0/24,9,\n")
    assert told(known_networks([]), []) == []
    assert file.find(*halves(["10.0.7.1"]))[0].asn.tolist() == list(range(1, 5000))  # read before
    other = NetworkFile(str(path), bytes(64))
    with pytest.raises(ParameterError, match="stays as it is"):
        other.find(*halves(["10.0.7.1"]))


def test_networks_are_numbered() -> None:
    """By their system where it is known, else by the prefix that stands in for it."""
    networks = known_networks([Network(ipaddress.ip_network("192.0.2.0/24"), 64496, "")])
    numbers = network_numbers(networks, *halves(["192.0.2.1", "192.0.3.1", "192.0.4.1", "2001:db8::1", "2001:db8:9::"]))
    assert numbers[0] == 64496
    assert (numbers[1:] < 0).all()
    assert (numbers[1], numbers[3]) == (numbers[2], numbers[4])
    assert len(set(numbers.tolist())) == 3


@st.composite
def listings(draw: st.DrawFn) -> list[Network]:
    """Draw networks of both families, near each other so that they nest, and some twice."""
    networks = []
    for _ in range(draw(st.integers(0, 12))):
        four = draw(st.booleans())
        bits, width = draw(st.integers(0, 32 if four else 128)), 32 if four else 128
        near = draw(st.sampled_from([0xC000 << 16, 0] if four else [0x20010DB8 << 96, 0xFFFF << 32, 0]))
        address = (near + draw(st.integers(0, 2**width - 1)) % 2**12) % 2**width >> width - bits << width - bits
        kind = ipaddress.IPv4Network if four else ipaddress.IPv6Network
        networks.append(
            Network(kind((address, bits)), draw(st.integers(0, 3)), draw(st.sampled_from(["", "DE", "US"])))
        )
    return networks


@settings(max_examples=60, deadline=None)
@given(listings(), st.lists(st.integers(0, 2**13), max_size=8))
def test_whose_and_held_agree_with_a_walk(networks: list[Network], places: list[int]) -> None:
    """The longest prefix tells, the first of equal ones; what is held of a table tells the same."""
    addresses = [str(ipaddress.IPv4Address(0xC0000000 + place)) for place in places]
    addresses += [str(ipaddress.IPv6Address((0x20010DB8 << 96) + place)) for place in places] + ["::1", "0.0.0.1"]
    known = known_networks(networks)
    expected = []
    for address in map(ipaddress.ip_address, addresses):
        holding = [one for one in networks if one.prefix.version == address.version and address in one.prefix]
        if address.version == 4:  # which is an IPv6 address as well, as mapped
            mapped = ipaddress.IPv6Address(0xFFFF << 32 | int(address))
            wide = [one for one in networks if one.prefix.version == 6 and mapped in one.prefix]
        else:
            wide = []
        best = max(
            [*((one.prefix.prefixlen + 96 * (one.prefix.version < address.version), one) for one in holding),
             *((one.prefix.prefixlen - 96, one) for one in wide)],
            key=lambda pair: pair[0], default=(0, None),
        )[1]  # fmt: skip
        expected.append((best.asn, best.country) if best else (0, ""))
    assert told(known, addresses) == expected
    held = known.held(*halves(addresses))
    assert all(isinstance(table, NetworkTable) for table in held)
    assert told(type(known)(held), addresses) == expected
