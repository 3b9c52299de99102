"""Names of hosts: what of a Host header is the name, and which registrable domain a name belongs to.

Both work on whole columns of names, by the places of their dots and colons. The registrable domain is a rule of thumb
in place of the Public Suffix List (publicsuffix.org): two labels, or three below a short second level such as
``co.uk``. It errs where a suffix is longer (``blogspot.com``), and then joins what belongs to different people; nothing
that is said of a name alone depends on it.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.pieces import gather
from netinterf.table import Text

__all__ = ["bare_hosts", "registrable", "registrable_domains"]

DOT, COLON, BRACKET, ZERO, NINE = b".:[09"

COUNTRY, SHORT = 2, 3
"""Letters of a country's top-level domain (RFC 1591 §2), and at most of a second level that stands for a sort of owner
(``co``, ``ac``, ``com``, ``gov``)."""

I64 = NDArray[np.int64]


def bare_hosts(names: Text) -> Text:
    """Cut the port and the final dot off hosts as requests name them (RFC 9110 §7.2); n in, n out."""
    begin, end = names.offsets[:-1], names.offsets[1:]
    colons = np.flatnonzero(names.values == COLON)
    first = np.searchsorted(colons, begin)
    one = np.searchsorted(colons, end) - first == 1  # more are an IPv6 address
    end = np.where(one, np.append(colons, 0)[np.minimum(first, len(colons))], end)
    dotted = (end > begin) & (np.append(names.values, 0)[np.maximum(end - 1, 0)] == DOT)
    return _cut(names, begin, end - dotted)


def registrable_domains(names: Text) -> Text:
    """Cut names down to their registrable domains, roughly: two labels, three below short second levels (co.uk).

    Args:
        names: Names without ports and final dots, n of them, lower case.

    Returns:
        n domains; a name of one label is its own, an address has none (empty).
    """
    begin, end = names.offsets[:-1], names.offsets[1:]
    values = np.append(names.values, 0)
    dots = np.flatnonzero(names.values == DOT)
    first, beyond = np.searchsorted(dots, begin), np.searchsorted(dots, end)
    count = beyond - first
    padded = np.concatenate([dots, np.full(3, -1)])  # places -1 … -3 read the padding

    def dot(back: int) -> I64:
        """Find the last dot, the last but one, … of each name; just before the name where it has fewer."""
        return np.where(count >= back, padded[beyond - back], begin - 1)

    last, second, third = dot(1), dot(2), dot(3)
    below = (count >= 2) & (end - last - 1 == COUNTRY) & (last - second - 1 <= SHORT)
    start = np.where(below, third, second) + 1
    tail = np.where(last + 1 < end, values[np.minimum(last + 1, len(names.values))], 0)
    colons = np.concatenate([[0], np.cumsum((names.values == COLON) | (names.values == BRACKET))])
    address = ((tail >= ZERO) & (tail <= NINE)) | (colons[end] > colons[begin])  # no top-level domain begins so
    return _cut(names, np.where(address, end, start), end)


def registrable(name: str) -> str:
    """Cut one name down to its registrable domain; see `registrable_domains`."""
    return registrable_domains(Text.of([name]))[0]


def _cut(names: Text, begin: I64, end: I64) -> Text:
    """Take a span of the bytes for each row."""
    lengths = np.maximum(end - begin, 0)
    return Text.from_lengths(lengths, gather(names.values, begin, lengths))
