"""What a comparison says of a unit: a name over a transport, or a server where no name was seen."""

from enum import IntEnum, StrEnum

__all__ = ["Finding", "Side"]


class Side(IntEnum):
    """Whose attempt it is: of the captures that are asked about, or of those they are held against."""

    HERE = 0
    THERE = 1


class Finding(StrEnum):
    """What a comparison says of a unit, the gravest first."""

    BLOCKED = "blocked"  # interfered with here, and not there
    BOTH = "both"  # interfered with on both sides
    SUSPECTED = "suspected"  # possibly blocked here: a hint, no accusation
    ONLY_HERE = "only-here"  # fails here and works there, and something harmless explains that as well
    DOWN = "down"  # fails on both sides without a sign of interference
    CLEAR = "clear"  # works here
    NOT_COMPARED = "not-compared"  # one side does not show it
