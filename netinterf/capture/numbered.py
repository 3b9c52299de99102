"""Numbers in the names of files: they say in which order these were written, and what counts up by one counts them."""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

__all__ = ["by_number", "counted", "natural"]

DATE = 8
"""Digits from which a number is a date or a time, YYYYMMDD or seconds since 1970, and counts nothing."""


def natural(name: str) -> list[tuple[int, str]]:
    """Order names as people count: numbers in them by their value."""
    return [(int(word), "") if word.isdigit() else (-1, word) for word in re.findall(r"[0-9]+|[^0-9]+", name)]


def by_number(names: Sequence[str]) -> list[int] | None:
    """Order files by the numbers in their names, which may be dates; None where names differ in more than numbers."""
    order = sorted(range(len(names)), key=lambda place: natural(names[place]))
    alike = all(any(differing(names[one], names[other], dates=True)) for one, other in pairwise(order))
    return order if alike else None


def counted(pairs: Sequence[tuple[str, str]]) -> list[tuple[int, int] | None]:
    """Find the numbers by which names count files, for each two that adjoin; None where they count nothing."""
    numbers = [dict(differing(*pair)) for pair in pairs]
    counting = set()
    for place in {place for pair in numbers for place in pair}:
        steps = [pair[place][1] - pair[place][0] for pair in numbers if place in pair]
        alone = len(pairs) == 1 and len(re.findall("[0-9]+", os.path.basename(pairs[0][1]))) == 1
        if alone or 2 * steps.count(1) >= len(pairs) > 1:
            counting.add(place)
    return [next((pair[place] for place in sorted(pair) if place in counting), None) for pair in numbers]


def differing(one: str, other: str, *, dates: bool = False) -> Iterator[tuple[int, tuple[int, int]]]:
    """Compare two names: give the numbers in which they differ, by their place; nothing where words differ as well.

    Numbers that are dates or times are given with *dates* only.

    The first of several files of tcpdump has no number at all (tcpdump(1), ``-C``).
    """
    one, other = os.path.basename(one), os.path.basename(other)
    if other.startswith(one) and other[len(one) :].isdigit():
        one += "0"
    words, others = re.split("([0-9]+)", one), re.split("([0-9]+)", other)
    if words[::2] == others[::2]:
        for place, (word, another) in enumerate(zip(words[1::2], others[1::2], strict=True)):
            if word != another and (dates or max(len(word), len(another)) < DATE):
                yield place, (int(word), int(another))
