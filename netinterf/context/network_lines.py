"""Tables of networks, line by line: which forms there are, and how each is read.

| form | a line | source |
|---|---|---|
| CSV with a header | a prefix, or a first and a last address, with a system or a country | our own; IPinfo, MaxMind |
| iptoasn | first, last, system, country and description between tabs; addresses may be numbers | iptoasn.com |
| pfx2as | prefix, length and system between tabs; of several systems the one seen most comes first | CAIDA |

Lines are read many at a time and turned into columns. Where some cannot be, they are tried one by one, so that what is
wrong is named by its line.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from socket import AF_INET6, inet_pton
from typing import Any, BinaryIO

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, U16, U32, U64, Mask
from netinterf.context.networks import MAX_ASN, NetworkTable, country_code, refuse_contradictions
from netinterf.context.ranges import prefixes_of_ranges
from netinterf.errors import ParameterError
from netinterf.values import frozen

__all__ = ["read_asn", "read_country", "read_table"]

CHUNK = 1 << 9
"""Lines that are turned into columns at a time. A million takes twice as long 32,768 at a time: the cells of so many
leave the cache, and the collector of garbage walks over them."""

HEADINGS = {
    "first": ("prefix", "network", "start_ip"),
    "last": ("end_ip",),
    "asn": ("asn", "autonomous_system_number"),
    "country": ("country_code", "country"),
}
"""What columns are called, the first of several counts: beside a ``country_code``, IPinfo's ``country`` is a name."""

FORMS = "a CSV file that begins with a line such as prefix,asn,country, iptoasn's or CAIDA's table, or a .mmdb"

NOWHERE = frozenset({"", "none"})  # how it is said that a country is not known; iptoasn says None

MAPPED = np.uint64(0xFFFF << 32)
BEFORE = "0:0:0:0:0:ffff:"  # an address of IPv4, as mapped (RFC 4291 §2.5.5.2); whatever is none has too few words here
MOST_IPV4 = 2**32 - 1
LENGTHS = {"": -1} | {f"/{bits}": bits for bits in range(129)}
"""Lengths of prefixes as they are written behind an address."""


@frozen(kw_only=True)
class Form:
    """Which cells of a line say what, None where no cell does."""

    line: str  # a line in words
    cells: int
    first: int
    last: int | None = None
    length: int | None = None
    asn: int | None = None
    country: int | None = None
    tabs: bool = True
    headed: bool = False

    @classmethod
    def of(cls, line: str) -> "Form | None":
        """Recognise the form of a file by its first line, None for no known one."""
        if "\t" in line:
            return {form.cells: form for form in (IPTOASN, PFX2AS)}.get(line.count("\t") + 1)
        names = [cell.strip().lower() for cell in line.replace('"', "").split(",")]
        first, last, asn, country = (
            next((names.index(word) for word in words if word in names), None) for words in HEADINGS.values()
        )
        if first is None or (names[first] == "start_ip") != (last is not None) or (asn is None and country is None):
            return None
        form = cls(line=",".join(names), cells=len(names), first=first, last=last, tabs=False, headed=True)
        return attrs.evolve(form, asn=asn, country=country)


IPTOASN = Form(line="first address, last, AS, country and description", cells=5, first=0, last=1, asn=2, country=3)
PFX2AS = Form(line="prefix, length and AS", cells=3, first=0, length=1, asn=2)


def read_table(file: BinaryIO, name: str) -> NetworkTable:
    """Read a table of networks; empty lines and those that begin with # are left out.

    Args:
        file: Its bytes, UTF-8; what only describes may be in any code.
        name: What it is called in errors.

    Raises:
        ParameterError: It is of no known form, a line is malformed, or two contradict each other (numbers are given).
        OSError: It cannot be read; what is compressed says so by EOFError and zlib.error, too.
    """
    with io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="") as lines:
        says = ((place, line) for place, line in enumerate(lines) if line.strip() and not line.startswith("#"))
        before, begin = next(says, (0, ""))
        form = Form.of(begin.strip("\r\n"))
        if form is None:
            raise ParameterError("networks", name, FORMS)
        left = lines if form.headed else chain([begin], lines)
        parts = list(read_columns(left, Reading(form), name, before + form.headed))
    *whole, line = (np.concatenate(column) for column in zip(*parts, strict=True))
    table, row = (NetworkTable.of_prefixes(*whole), slice(None)) if form.last is None else table_of_ranges(*whole)
    refuse_contradictions(table, line[row], name)
    return table


def read_columns(
    lines: Iterable[str], columns_of: "Reading", name: str, before: int
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Turn lines into columns, some at a time.

    Args:
        lines: The lines of a file behind its header.
        columns_of: What turns them into columns.
        name: What the file is called in errors.
        before: How many lines came before.

    Raises:
        ParameterError: A line is malformed.
    """
    tabs, done = columns_of.form.tabs, before
    rows = csv.reader(
        lines,
        delimiter="\t" if tabs else ",",
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        strict=True,
    )
    yield *columns_of([]), np.empty(0, np.int64)
    try:
        while some := list(islice(rows, CHUNK)):
            yield columns(some, columns_of, name, done)
            done += len(some)  # (no cell of such a table holds a line break)
    except csv.Error as cause:
        raise malformed(name, before + rows.line_num, columns_of.form, cause) from cause


def columns(rows: list[list[str]], columns_of: "Reading", name: str, before: int) -> tuple[NDArray[Any], ...]:
    """Turn lines into columns, the last of which are the numbers of the lines; if that fails, find out which is wrong.

    Raises:
        ParameterError: A line is malformed.
    """
    try:
        said = [place for place, row in enumerate(rows) if says_something(row)]
        lines = before + 1 + np.array(said, np.int64)
        return *columns_of(rows if len(said) == len(rows) else [rows[place] for place in said]), lines
    except ValueError:
        for line, row in enumerate(rows, before + 1):
            try:
                columns_of([row] if says_something(row) else [])
            except ValueError as cause:
                raise malformed(name, line, columns_of.form, cause) from cause
        raise


def says_something(row: list[str]) -> bool:
    """Tell lines from empty ones and comments."""
    return bool(row) and row[0][:1] != "#" and (bool(row[0]) or any(row))


def malformed(name: str, line: int, form: Form, cause: Exception) -> ParameterError:
    """Say what is wrong with a line."""
    return ParameterError("networks", f"{name}, line {line}", f"{form.line} ({cause})")


class Reading:
    """Turns lines of one form into columns; systems and countries come again and again, and are read once.

    Args:
        form: The form of all lines.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self._asn, self._country = cache(read_asn), cache(read_country)

    def __call__(self, rows: Sequence[list[str]]) -> tuple[NDArray[Any], ...]:
        """Read lines.

        Returns:
            Halves of the addresses; lengths of prefixes, or halves of the last addresses; systems; countries.

        Raises:
            ValueError: A line is malformed.
        """
        form = self.form
        if any(len(row) != form.cells for row in rows):
            raise ValueError(f"{len(rows[0])} cells instead of {form.cells}")
        first, asn, country = (cells_at(rows, place) for place in (form.first, form.asn, form.country))
        parts: tuple[NDArray[Any], ...]
        if form.last is not None:
            parts = ranges(first, cells_at(rows, form.last))
        elif form.length is not None:
            lengths = cells_at(rows, form.length)
            parts = prefixes([f"{cell}/{length}" for cell, length in zip(first, lengths, strict=True)])
        else:
            parts = prefixes(first)
        systems = np.fromiter(map(self._asn, asn), np.uint32, len(rows))
        return *parts, systems, np.fromiter(map(self._country, country), np.uint16, len(rows))


def cells_at(rows: Sequence[list[str]], place: int | None) -> list[str]:
    """Take one cell of each line, empty ones where no cell tells."""
    return [""] * len(rows) if place is None else [row[place].strip() for row in rows]


def table_of_ranges(
    high: U64, low: U64, last_high: U64, last_low: U64, asn: U32, country: U16
) -> tuple[NetworkTable, I64]:
    """Make a table of ranges, and say of each prefix which range it is from.

    They do not overlap, so those of which nothing is known need not be kept.
    """
    known = np.flatnonzero((asn > 0) | (country > 0))
    found = prefixes_of_ranges(high[known], low[known], last_high[known], last_low[known])
    owner = known[found.row]
    table = NetworkTable(high=found.high, low=found.low, length=found.length, asn=asn[owner], country=country[owner])
    return table, owner


def ranges(first: list[str], last: list[str]) -> tuple[U64, U64, U64, U64]:
    """Read ranges by their first and last addresses."""
    (high, low, six), (last_high, last_low, last_six) = (
        numbers(end) if all(map(str.isdecimal, end)) else addresses(end) for end in (first, last)
    )
    if (six != last_six).any():
        raise ValueError("a range from one family of addresses to the other")
    if ((high > last_high) | ((high == last_high) & (low > last_low))).any():
        raise ValueError("a range that ends before it begins")
    return high, low, last_high, last_low


def prefixes(written: Iterable[str]) -> tuple[U64, U64, U8]:
    """Read prefixes, and addresses that stand for themselves."""
    pairs = [cell.partition("/") for cell in written]
    high, low, six = addresses([address for address, _, _ in pairs])
    try:
        length = np.array([LENGTHS[slash + bits] for _, slash, bits in pairs], np.int64)
    except KeyError as cause:
        raise ValueError(f"{cause.args[0][1:]!r} is no length of a prefix") from cause
    if (~six & (length > 32)).any():
        raise ValueError("a prefix of IPv4 has no more than 32 bits")
    return high, low, np.where(length < 0, 128, np.where(six, length, length + 96)).astype(np.uint8)


def numbers(written: list[str]) -> tuple[U64, U64, Mask]:
    """Read addresses of IPv4 that are written as numbers; see `addresses`."""
    values = list(map(int, written))
    if max(values, default=0) > MOST_IPV4:
        raise ValueError(f"addresses of IPv4 go up to {MOST_IPV4}")
    return np.zeros(len(values), np.uint64), np.array(values, np.uint64) | MAPPED, np.zeros(len(values), np.bool_)


def addresses(written: list[str]) -> tuple[U64, U64, Mask]:
    """Read addresses; give their halves, and which of them are IPv6."""
    six = np.array([":" in cell for cell in written], np.bool_)
    try:
        packed = b"".join([inet_pton(AF_INET6, cell if ":" in cell else f"{BEFORE}{cell}") for cell in written])
    except (OSError, ValueError) as cause:
        raise ValueError(f"{written[0]!r} is no address") from cause
    high, low = np.frombuffer(packed, ">u8").astype(np.uint64).reshape(-1, 2).T
    return high, low, six


def read_asn(written: str) -> int:
    """Read the number of an autonomous system, of several the first; 0 for none.

    Raises:
        ValueError: It is none.
    """
    first = written.strip("{}").replace("_", ",").partition(",")[0].strip("{}").upper().removeprefix("AS")
    if not written:
        return 0
    if not (first.isascii() and first.isdecimal() and int(first) <= MAX_ASN):
        raise ValueError(f"AS numbers go from 0 up to {MAX_ASN}, not {written!r}")
    return int(first)


def read_country(written: str) -> int:
    """Read a country as `country_code` writes it; 0 for none.

    Raises:
        ValueError: It is none.
    """
    if written.lower() in NOWHERE:
        return 0
    if not (len(written) == 2 and written.isascii() and written.isalpha()):
        raise ValueError(f"a country has two letters, not {written!r}")
    return country_code(written.upper())
