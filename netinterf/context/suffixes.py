"""The Public Suffix List: below which names anybody can register one (publicsuffix.org/list).

A rule is a suffix (``co.uk``), all names one label below one (``*.ck``), or an exception to these (``!www.ck``). The
first section of the list holds what registries sell, by ICANN and the countries; the second what companies give away
below their own names (``github.io``). The packaged copy is unmodified and says its own date; see
`data/THIRD_PARTY.md`. Reading it takes some hundredths of a second, so it is read when names are first compared.

No package reads it at run time: those that exist look up one name at a time, and what is needed is a lookup of columns.
"""

import gzip
import re
from functools import cache
from importlib.resources import files

import numpy as np

from netinterf.arrays import I64, U8, U64
from netinterf.numbering import hash_rows
from netinterf.table import Text
from netinterf.values import frozen

__all__ = ["EXCEPTION", "LONGER", "RULE", "WILDCARD", "SuffixRules", "suffix_rules"]

RULE, WILDCARD, EXCEPTION, LONGER = 1, 2, 4, 8
"""What the list says of a name: it is a public suffix, all names one label below it are, it is none although it would
be, and there are rules about longer names that end in it."""

PRIVATE = "// ===BEGIN PRIVATE DOMAINS==="
"""The line before the second section."""

LISTED = re.compile(r"^(?!//)\S+", re.MULTILINE)
"""A rule: a line up to the first space, unless it is a comment."""


@frozen(eq=False, kw_only=True)
class SuffixRules:
    """Names that rules of the list end in, ordered by hash."""

    name: Text
    hashes: U64
    icann: U8  # bits of what the first section says
    all_sections: U8  # and of what both say
    version: str  # date and time at which the list was made

    def find(self, names: Text) -> I64:
        """Look names up: n rows, -1 for those that no rule ends in."""
        hashes = hash_rows(names)
        row = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        hit = np.flatnonzero((self.hashes[row] == hashes) & (self.name.lengths[row] == names.lengths))
        asked, listed = names.take(hit), self.name.take(row[hit])
        other = np.zeros(len(hit), np.bool_)
        other[asked.parents()[asked.values != listed.values]] = True  # equal by hash alone
        rule = np.full(len(names), -1, np.int64)
        rule[hit[~other]] = row[hit[~other]]
        return rule


@cache
def suffix_rules() -> SuffixRules:
    """Read the packaged list."""
    packed = (files("netinterf.data") / "public-suffix-list" / "public_suffix_list.dat.gz").read_bytes()
    return read_rules(gzip.decompress(packed).decode("utf-8"))


def read_rules(text: str) -> SuffixRules:
    """Read a list as it is published."""
    icann_part, _, private_part = text.partition(PRIVATE)
    icann: dict[str, int] = {}
    enter(icann, LISTED.findall(icann_part))
    all_sections = dict(icann)
    enter(all_sections, LISTED.findall(private_part))
    name = Text.of(all_sections)
    hashes = hash_rows(name)
    order = np.argsort(hashes)
    return SuffixRules(
        name=name.take(order),
        hashes=hashes[order],
        icann=np.array([icann.get(suffix, 0) for suffix in all_sections], np.uint8)[order],
        all_sections=np.array(list(all_sections.values()), np.uint8)[order],
        version=text.partition("VERSION: ")[2].partition("\n")[0],
    )


def enter(known: dict[str, int], rules: list[str]) -> None:
    """Enter rules under the names they end in, as people write these and as they are sent (RFC 5891 §4.4)."""
    for rule in rules:
        kind = EXCEPTION if rule[0] == "!" else WILDCARD if rule[0] == "*" else RULE
        name = rule.lstrip("!*.")
        for spelled in (name,) if name.isascii() else (name, ".".join(map(a_label, name.split(".")))):
            known[spelled] = known.get(spelled, 0) | kind
            above = spelled.partition(".")[2]
            while above and not known.get(above, 0) & LONGER:
                known[above] = known.get(above, 0) | LONGER
                above = above.partition(".")[2]


def a_label(label: str) -> str:
    """Spell a label in ASCII (RFC 3492); those of the list are normalised already."""
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
