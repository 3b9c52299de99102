"""Known block pages: what the lists of two measurement projects recognise in the bytes of an HTTP answer.

The Censored Planet lists hold patterns, to be searched in headers and body; what a false-positive pattern matches is no
block page, whatever else matches. The Citizen Lab list holds plain strings. Hundreds of patterns tried one by one would
cost milliseconds a page, so each is known by eight bytes in a row that it must contain: all pages are searched for all
of these at once, and only patterns whose bytes are there are tried.
"""

import ast
import csv
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np

from netinterf.arrays import I64, U64
from netinterf.table import Ragged
from netinterf.values import frozen

__all__ = ["TELLING", "Signature", "match_pages", "signatures"]

KEY = 8
"""Bytes that a pattern is known by; all but one of the block-page patterns have as many literal ones in a row."""

TELLING = 256
"""Bytes from the beginning of a page that tell it from others: what titles and first words of block pages take."""

GENERIC = ("e_unk", "f_gen", "vbw")
"""Classes of the two lists whose members are not known by name: unknown makers, general words, "vague blocking"."""

HARMLESS_SCOPES = ("injb",)  # injections that the Citizen Lab list calls benign: bills to pay, router updates
SPECIAL = frozenset(".^$*+?{}[]|()")


@frozen
class Signature:
    """One known page."""

    name: str
    pattern: bytes  # a regular expression, in which a dot is any byte
    blocks: bool  # False: what it matches is no block page
    generic: bool  # words that many pages share, rather than the mark of a product, an operator or a country
    literal: bytes  # its longest run of literal bytes

    def matches(self, page: bytes) -> bool:
        """Say whether a page is such a one."""
        return compiled(self.pattern).search(page) is not None


@cache
def compiled(pattern: bytes) -> re.Pattern[bytes]:
    """Compile what is tried: few are, and compiling all takes longer than most captures."""
    return re.compile(pattern, re.DOTALL)


def literal_of(pattern: str) -> bytes:
    """Find the longest run of characters that every match of a regular expression contains, as UTF-8."""
    best, run, place = "", "", 0
    depth = 0
    while place < len(pattern):
        char = pattern[place]
        step = 1
        if char == "\\" and place + 1 < len(pattern):
            following, step = pattern[place + 1], 2
            literal = "" if following.isalnum() else following
        else:
            literal = "" if char in SPECIAL else char
        if char in "|":
            return b""  # either side may match
        depth += (char == "(") - (char == ")")
        optional = pattern[place + step : place + step + 1] in ("?", "*", "{")
        if literal and not optional and not depth:
            run += literal
        else:
            best, run = max(best, run, key=len), ""
        place += step
    return max(best, run, key=len).encode("utf-8")


@cache
def signatures() -> tuple[Signature, ...]:
    """Read the packaged lists (`THIRD_PARTY.md` says whose they are)."""
    root = files("netinterf.data") / "fingerprints"
    listed = []
    planet = root / "censoredplanet-assets"
    for name, blocks in (("false_positive_signatures.json", False), ("blockpage_signatures.json", True)):
        for line in (planet / name).read_text(encoding="utf-8").splitlines():
            if line.strip():
                entry = json.loads(line)
                pattern = entry["pattern"]
                listed.append(signature(entry["fingerprint"], pattern.encode("utf-8"), blocks, literal_of(pattern)))
    text = (root / "citizenlab-filtering-annotations" / "http.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        literal = plain(row["pattern"])
        if len(literal) >= KEY:
            blocks = row["scope"] not in HARMLESS_SCOPES
            listed.append(signature(row["name"], re.escape(literal), blocks, literal))
    return tuple(listed)


def signature(name: str, pattern: bytes, blocks: bool, literal: bytes) -> Signature:
    """Class a signature by its name, as both lists do."""
    return Signature(name, pattern, blocks, name.startswith(GENERIC), literal)


def plain(field: str) -> bytes:
    """Read a field of the Citizen Lab list: a string, or a Python literal of one."""
    try:
        value = ast.literal_eval(field)
    except (ValueError, SyntaxError):
        value = field
    return (value if isinstance(value, str) else field).encode("utf-8")


@cache
def keys() -> tuple[U64, I64, tuple[int, ...]]:
    """Lay out the key of each signature: sorted keys, whose they are, and the signatures that have none."""
    known = signatures()
    keyed = [place for place, signature in enumerate(known) if len(signature.literal) >= KEY]
    values = np.array([int.from_bytes(known[place].literal[:KEY], "big") for place in keyed], np.uint64)
    order = np.argsort(values, kind="stable")
    short = tuple(place for place, signature in enumerate(known) if len(signature.literal) < KEY and signature.blocks)
    return values[order], np.array(keyed, np.int64)[order], short


def match_pages(pages: Ragged) -> list[list[Signature]]:
    """Find the signatures that each page matches, harmless ones first.

    Args:
        pages: The first bytes of answers, headers included (uint8).

    Returns:
        One list per page, mostly empty.
    """
    known = signatures()
    values, owners, short = keys()
    data = pages.values
    candidates: list[set[int]] = [set(short) for _ in range(len(pages))]
    if len(data) >= KEY:
        windows = np.lib.stride_tricks.sliding_window_view(data, KEY)
        pairs = np.zeros(1 << 16, np.bool_)
        pairs[(values >> np.uint64(48)).astype(np.int64)] = True
        starts = np.flatnonzero(pairs[(data[: 1 - KEY].astype(np.int64) << 8 | data[1 : 2 - KEY])][: len(windows)])
        here = np.ascontiguousarray(windows[starts]).view(">u8").reshape(-1).astype(np.uint64)
        low, high = np.searchsorted(values, here), np.searchsorted(values, here, side="right")
        hits = np.flatnonzero(high > low)
        page = np.searchsorted(pages.offsets, starts[hits], side="right") - 1
        for row, first, last in zip(page.tolist(), low[hits].tolist(), high[hits].tolist(), strict=True):
            candidates[row].update(owners[first:last].tolist())
    return [
        matching(bytes(data[pages.offsets[row] : pages.offsets[row + 1]]), known, chosen)
        for row, chosen in enumerate(candidates)
    ]


def matching(page: bytes, known: Sequence[Signature], chosen: set[int]) -> list[Signature]:
    """Try the signatures whose bytes are in a page."""
    return [known[place] for place in sorted(chosen) if known[place].matches(page)]
