"""Answers that censors are known to forge, and addresses that only look that way.

The list is data (`forged-addresses.csv`, each row with its source), not code, because it ages. A row has a kind, and
the kind decides what a match may mean: a pool that an injector draws from today, a pool of former years, a block page
of an operator, a filtering product that people choose themselves, an impossible address. Most forged pools consist of
*real* addresses of third parties, so a match is only evidence when the asked name cannot live there;
`address-owners.csv` holds the blocks of the three organisations that make up most of the pools (Hoang et al., "How
Great is the Great Firewall?", USENIX Security 2021, table of owners: Facebook, Twitter and Dropbox).
"""

import ast
import csv
from enum import IntEnum
from functools import cache
from importlib.resources import files

import attrs
import numpy as np

from netinterf.arrays import I32, U8, U64, Mask
from netinterf.context.domains import within
from netinterf.context.prefixes import PrefixIndex
from netinterf.table import Text
from netinterf.values import frozen

__all__ = ["AddressOwners", "ForgedAddresses", "ForgedKind", "address_owners", "block_page_names", "forged_addresses"]


class ForgedKind(IntEnum):
    """What a match in the list means; only FORGED, HISTORIC and BLOCKPAGE speak for interference."""

    NONE = 0
    FORGED = 1  # drawn by an injector in a current study
    HISTORIC = 2  # drawn by an injector in former years; such lists go stale
    BLOCKPAGE = 3  # block page of an operator or state
    PRODUCT = 4  # filtering product, opt-in family filter, sinkhole against malware: the user's or operator's choice
    BOGON = 5  # impossible as a public service; local block lists and split horizon use them too
    RESOLVER = 6  # a resolver's own address, no forged answer
    UNVERIFIED = 7  # in community lists only


@frozen(eq=False)
class ForgedAddresses:
    """The list of known answers; row numbers are what `find` returns."""

    prefixes: tuple[str, ...]
    kinds: U8  # ForgedKind codes
    countries: tuple[str, ...]
    operators: tuple[str, ...]
    meanings: tuple[str, ...]
    sources: tuple[str, ...]
    index: PrefixIndex = attrs.field(repr=False)

    def find(self, high: U64, low: U64) -> I32:
        """Look addresses up, longest prefix first.

        Args:
            high: Upper halves, n of them (IPv4 as mapped).
            low: Lower halves, same length.

        Returns:
            n row numbers, -1 where the list has nothing.
        """
        return self.index.find(np.asarray(high, np.uint64), np.asarray(low, np.uint64))

    def kind(self, high: U64, low: U64) -> U8:
        """Look up the `ForgedKind` of addresses, NONE where the list has nothing."""
        rows = self.find(high, low)
        return np.where(rows < 0, np.uint8(ForgedKind.NONE), self.kinds[rows])


@frozen(eq=False)
class AddressOwners:
    """Blocks of organisations whose addresses fill the forged pools, with the names that really live there."""

    owners: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    index: PrefixIndex = attrs.field(repr=False)

    def find(self, high: U64, low: U64) -> I32:
        """Name the owner's row of each address, -1 where the owner is unknown."""
        return self.index.find(np.asarray(high, np.uint64), np.asarray(low, np.uint64))

    def may_serve(self, rows: I32, names: Text) -> Mask:
        """Say which names (lower case) are their owners' own.

        Args:
            rows: Rows of owners as `find` gives them, n of them.
            names: As many names.

        Returns:
            n answers, False for an unknown owner.
        """
        own = np.zeros(len(rows), np.bool_)
        for domains in set(self.names):  # a handful of organisations
            theirs = np.flatnonzero(np.isin(rows, [row for row, mine in enumerate(self.names) if mine == domains]))
            mine = names.take(theirs)
            own[theirs] = np.any([within(mine, domain) for domain in domains], axis=0)
        return own


def _records(file: str) -> list[dict[str, str]]:
    text = files("netinterf").joinpath("data", *file.split("/")).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def forged_addresses() -> ForgedAddresses:
    """Load the list of known forged answers, once."""
    rows = _records("forged-addresses.csv")
    return ForgedAddresses(
        prefixes=tuple(row["address_or_prefix"] for row in rows),
        kinds=np.array([ForgedKind[row["kind"].upper()] for row in rows], np.uint8),
        countries=tuple(row["country"] for row in rows),
        operators=tuple(row["operator"] for row in rows),
        meanings=tuple(row["meaning"] for row in rows),
        sources=tuple(row["source"] for row in rows),
        index=PrefixIndex.of([row["address_or_prefix"] for row in rows]),
    )


@cache
def address_owners() -> AddressOwners:
    """Load the blocks of the pools' main owners, once; an owner's names stand on its first row."""
    rows = _records("address-owners.csv")
    names: dict[str, tuple[str, ...]] = {}
    for row in rows:
        names.setdefault(row["owner"], tuple(row["names"].split()))
    return AddressOwners(
        owners=tuple(row["owner"] for row in rows),
        names=tuple(names[row["owner"]] for row in rows),
        index=PrefixIndex.of([row["prefix"] for row in rows]),
    )


@cache
def block_page_names() -> dict[str, str]:
    """Load host names of block pages that resolvers give as CNAME, with the scope of each (isp, nat, prod).

    Source: Citizen Lab, filtering-annotations (BSD-3-Clause), rows whose response is a name; the list writes its
    lists as Python literals.
    """
    scopes: dict[str, str] = {}
    for row in _records("fingerprints/citizenlab-filtering-annotations/dns.csv"):
        response = row["response"].strip().lower().rstrip(".")
        countries = ast.literal_eval(row["expected_countries"] or "[]")
        if any(letter.isalpha() for letter in response) and ":" not in response:
            scopes[response] = row["scope"] if countries or row["scope"] == "prod" else "prod"
    return scopes
