"""Parting systems and look-alikes into tenths, so that each can be judged by a fit that never saw it."""

from collections.abc import Iterable

__all__ = ["FOLDS", "folds_of"]

FOLDS = 10
"""Tenths: each fit sees nine tenths of the systems, and every system is left out once."""


def folds_of(origins: Iterable[str]) -> dict[str, int]:
    """Deal origins to folds in alphabetical order, so that relatives (one country, one vendor) are spread.

    Args:
        origins: Systems, look-alikes and scenarios, in any order and any number of times.

    Returns:
        Fold by origin.
    """
    return {origin: place % FOLDS for place, origin in enumerate(sorted(set(origins)))}
