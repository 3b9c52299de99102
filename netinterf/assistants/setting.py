"""How a server was started: what it serves, what it tells, and how much work it takes on."""

import attrs

from netinterf.assistants.standins import StandIns
from netinterf.engine.options import Options
from netinterf.values import frozen

__all__ = ["MOST_BYTES", "MOST_SECONDS", "Setting"]

MOST_BYTES = 1 << 30
"""Bytes of a capture, as it lies there and expanded: what is judged within the time below (judgement)."""

MOST_SECONDS = 120.0
"""Seconds for one call: clients of the protocol commonly wait for minutes, not longer (judgement)."""


@frozen(kw_only=True)
class Setting:
    """What whoever starts a server decides, and nobody who asks it can change.

    Attributes:
        root: The folder whose captures may be read.
        out: The folder that packets are written to; None where none may be written.
        options: How captures are judged.
        standins: What takes the place of names, and whether it is told what they stand for.
        most_bytes: Size of a capture that is still read, as it lies there and expanded.
        most_seconds: How long a call may take.
    """

    root: str
    out: str | None = None
    options: Options = attrs.field(factory=Options)
    standins: StandIns = attrs.field(factory=StandIns)
    most_bytes: int = MOST_BYTES
    most_seconds: float = MOST_SECONDS
