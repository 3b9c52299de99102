"""The list of forged answers and the owners of the addresses on it."""

import csv
import ipaddress
from importlib.resources import files

import numpy as np
import pytest

from netinterf.context.forged import ForgedKind, address_owners, block_page_names, forged_addresses
from netinterf.table import Text


def halves(*texts):
    """Write addresses as two columns."""
    values = [ipaddress.ip_address(text) for text in texts]
    whole = [int(value) | (0xFFFF << 32 if value.version == 4 else 0) for value in values]
    return np.array([w >> 64 for w in whole], np.uint64), np.array([w & (2**64 - 1) for w in whole], np.uint64)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("10.10.34.34", ForgedKind.FORGED),
        ("8.7.198.46", ForgedKind.FORGED),
        ("2001::dead", ForgedKind.FORGED),
        ("10.1.1.1", ForgedKind.BOGON),
        ("127.0.0.1", ForgedKind.BOGON),
        ("146.112.61.106", ForgedKind.PRODUCT),
        ("195.175.254.2", ForgedKind.BLOCKPAGE),
        ("8.8.8.8", ForgedKind.NONE),
        ("2606:4700::1", ForgedKind.NONE),
    ],
)
def test_kinds(text, kind):
    """The longest prefix decides, and ordinary addresses are on no list."""
    assert [kind] == forged_addresses().kind(*halves(text)).tolist()


def test_benign_rows_never_accuse():
    """Rows without a country are bogons, products or unverified, never a forged answer."""
    listed = forged_addresses()
    accusing = {ForgedKind.FORGED, ForgedKind.HISTORIC, ForgedKind.BLOCKPAGE}
    rows = zip(listed.kinds.tolist(), listed.countries, strict=True)
    assert not [kind for kind, country in rows if country == "ZZ" and kind in accusing]


def test_every_row_names_where_it_was_published():
    """Addresses are facts and cited one by one: each row has a source, and rows of one list name their entry in it."""
    text = files("netinterf").joinpath("data", "forged-addresses.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) > 900
    assert len({row["address_or_prefix"] for row in rows}) == len(rows)
    assert all(row["source"] for row in rows)
    listed = [row["source"] for row in rows if "blocking-fingerprints@" in row["source"]]
    assert all(source.split()[1].startswith("ooni.") for source in listed)


def test_no_row_covers_ordinary_addresses():
    """The list of impossible answers has a prefix for IPv4 in IPv6, which is how all IPv4 is held here."""
    assert forged_addresses().kind(*halves("93.184.216.34")).tolist() == [ForgedKind.NONE]


def test_licences_travel_with_the_data():
    """Both third-party sets have their licence text and their attribution beside them."""
    data = files("netinterf").joinpath("data")
    for name in ("citizenlab-filtering-annotations", "censoredplanet-assets"):
        text = data.joinpath("licenses", f"{name}.txt").read_text("utf-8")
        assert "Redistribution and use in source and binary forms" in text
        assert name in data.joinpath("THIRD_PARTY.md").read_text("utf-8")


def test_owners_may_serve_their_own_names():
    """An owner's block serves the owner's names and their subdomains, and nobody else's."""
    owners = address_owners()
    row = int(owners.find(*halves("157.240.9.35"))[0])
    assert owners.owners[row] == "Meta"
    names = Text.of(["facebook.com", "star-mini.c10r.facebook.com", "www.notfacebook.com", "com", ""])
    assert owners.may_serve(np.full(5, row), names).tolist() == [True, True, False, False, False]
    assert not owners.may_serve(np.full(5, -1), names).any()
    assert owners.find(*halves("8.8.8.8")).tolist() == [-1]


def test_block_page_names_are_names():
    """The names that resolvers give as block pages hold no addresses."""
    names = block_page_names()
    assert "trustpositif.kominfo.go.id" in names
    assert not [name for name in names if name.replace(".", "").isdigit()]
