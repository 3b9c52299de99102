"""What is counted: labelled units, each with the answers of all judges, and the captures that they come from."""

from collections import Counter
from typing import Any

import attrs

from benchmarks.scoreboard.pools import Pool

__all__ = ["Answer", "Beside", "Judged", "Unit"]


@attrs.frozen(kw_only=True)
class Answer:
    """What one judge said of one unit."""

    said: tuple[str, ...] = ()  # mechanisms it accuses somebody of
    hits: tuple[bool, ...] = ()  # for each mechanism at work, whether it was named
    spared: tuple[str, ...] = ()  # accusations that the labels call neither right nor wrong
    matched: bool = False  # some verdict speaks of the unit
    doubted: tuple[str, ...] = ()  # mechanisms it suspects, without accusation
    possible: bool = False  # one of these is right
    probability: float | None = None
    named: int = 0  # frames held to be forged, where some are
    hit: int = 0  # of these, the forged ones
    rules: tuple[str, ...] = ()  # what was seen, strongest first
    trigger: bool | None = None  # the right name is blamed; None where none is, or none is known

    @property
    def right(self) -> bool:
        """Whether one of the mechanisms at work is named."""
        return any(self.hits)


@attrs.frozen(kw_only=True)
class Beside:
    """What the capture holds beside an interfered DNS exchange."""

    genuine: int  # replies of the resolver itself in the exchange
    forged: int  # replies of somebody else in it
    profile: int  # untouched exchanges with replies of the same server
    lookups: int  # exchanges of the same client about the same name at that server, itself included


@attrs.frozen(kw_only=True)
class Unit:
    """A labelled flow, exchange, series or capture."""

    source: str
    capture: str
    scenario: str
    family: str
    place: int  # of its first row among the labels of the capture
    mechanisms: tuple[str, ...]  # at work, the main one first; empty when nobody interfered
    system: str
    confounder: str
    kind: str  # flow, exchange or capture
    protocol: str
    name: str
    first_frame: int
    series: bool
    control: bool  # untouched, in a capture where others were interfered with
    forged: int  # frames somebody on the path made
    where: dict[str, Any]  # how the capture was taken
    answers: dict[str, Answer]  # by judge
    beside: Beside | None = None  # for interfered DNS exchanges
    decidable: bool = True  # somebody with the capture alone could suspect it (`benchmarks.decidable`)
    delay: float | None = None  # seconds of capture time until the library could name it, where that was measured


@attrs.frozen(kw_only=True)
class Judged:
    """What judging one capture gave."""

    source: str
    capture: str
    interfered: bool = False  # somebody interfered with something in it
    units: tuple[Unit, ...] = ()
    stray: dict[str, Counter[str]] = attrs.field(factory=dict)  # accusations of flows whose truth is not known
    failed: dict[str, str] = attrs.field(factory=dict)  # tracebacks by judge
    unreadable: str = ""
    pool: Pool | None = None  # evidence about a benign capture
    packets: int = 0
    seconds: float = 0.0  # of processor time
