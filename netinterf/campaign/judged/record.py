"""A campaign as people and programs receive it: one frozen object per cell."""

from typing import Self

import numpy as np

from netinterf.arrays import I64
from netinterf.campaign.judged.loading import Network
from netinterf.pooling.grades import Finding
from netinterf.schema import Grade, Outcome
from netinterf.values import frozen
from netinterf.written.record import Why

__all__ = [
    "CampaignSummary",
    "Cell",
    "CellCounts",
    "Elsewhere",
    "Moment",
    "Settled",
    "Shown",
    "address_and_port",
    "called_as",
]


@frozen(kw_only=True)
class CampaignSummary:
    """A campaign as a whole; times are ns since 1970 UTC."""

    store: str
    captures: int  # that were judged
    errors: int  # that could not be
    networks: tuple[Network, ...]
    observations: int
    cells: int
    findings: dict[str, int]  # cells of each finding
    first: int | None  # first observation
    last: int | None
    version: str
    model: str


@frozen(kw_only=True)
class CellCounts:
    """Attempts by what came of them, and the captures that hold them."""

    captures: int
    failing: int  # captures in which at least one failed
    attempts: int
    answered: int
    heard: int  # somebody spoke in the server's name, without what was asked for
    broken: int  # reset
    silent: int
    struck: int  # held to be interfered with, whatever came back
    unknown: int  # not shown by the capture
    unread: int = 0  # of those answered: what would show a forgery was cut out of the recording
    cut_off: int = 0  # of these, silent while most that leaves the network was

    @property
    def failed(self) -> int:
        """How many failed."""
        return self.broken + self.silent + self.struck

    @property
    def known(self) -> int:
        """Of how many it is known what came of them: answered or failed."""
        return self.answered + self.failed

    @property
    def blind(self) -> bool:
        """Whether it was answered, and no answer could be read."""
        return 0 < self.unread >= self.answered


@frozen(kw_only=True)
class Elsewhere:
    """The same in all other networks."""

    networks: int  # in which it was tried
    answered: int
    failed: int


@frozen(kw_only=True)
class Moment:
    """When something changed, ns since 1970 UTC: after one observation and no later than another (95 %)."""

    after: int
    before: int
    likely: int  # the observation that most likely shows it first

    @classmethod
    def between(cls, first: I64, last: I64, low: int, high: int, likely: int) -> Self:
        """Say when something changed: after what was seen before one hour, and no later than what was seen in another.

        Args:
            first: First attempt in each hour.
            last: Last observation in each hour.
            low: First hour that may show it; behind the last hour is the end.
            high: Last hour that may be the first to show it.
            likely: The hour that most likely is the first to show it.
        """
        seen = np.append(first, last[-1])
        return cls(after=int(last[low - 1] if low else first[0]), before=int(seen[high]), likely=int(seen[likely]))


@frozen(kw_only=True)
class Shown:
    """Where to look: attempts in one capture."""

    capture: str  # path, as it was given
    frames: tuple[int, ...]  # first frames of up to three attempts, failures first; none of measurements
    states: tuple[str, ...]  # what came of each
    lines: tuple[int, ...] = ()  # of measurements: the lines of the file that tell of these attempts

    @property
    def numbers(self) -> tuple[str, tuple[int, ...]]:
        """What is counted there, frames or lines, and the numbers of those to look at."""
        return ("line", self.lines) if self.lines else ("frame", self.frames)


@frozen(kw_only=True)
class Settled(Shown):
    """Attempts that failed in one capture, at one server within five minutes, which it alone does not accuse.

    All captures together do: the outcome is ``interfered``, and the grade no more than ``likely``.
    """

    start: int  # ns since 1970 UTC, of these five minutes
    attempts: int
    mechanism: str
    probability: float
    alone: float | None  # of the surest of them, as its capture gave it; None where that one was accused

    outcome = Outcome.INTERFERED
    grade = Grade.LIKELY


@frozen(kw_only=True)
class Cell:
    """One name over one transport, one server without a name, or all that leaves the network, in one network."""

    kind: str  # name, server or network
    name: str | None  # None where it may not be told
    suffix: str | None  # public suffix of its name
    server: str | None  # address and port of a server, where it may be told
    transport: str  # empty of all that leaves the network
    network: Network
    finding: Finding
    outcome: Outcome
    grade: Grade
    mechanism: str | None
    probability: float
    q_value: float
    here: CellCounts
    there: Elsewhere
    own: float  # nats that its packets weigh by themselves
    answers: float  # of these, what answers weigh that hardly any other network gives
    contrast: float  # nats that the contrast with other places, names and times weighs
    cause: str | None  # likeliest harmless cause of the failures
    began: Moment | None  # None where it was so from the first capture
    ended: Moment | None  # None where it was so to the last
    start: int  # ns since 1970 UTC, of the first attempt
    end: int  # of the last one's begin
    settled: int  # captures with attempts that they alone do not accuse
    settles: tuple[Settled, ...]  # the first of these; see Report.settled
    shown: tuple[Shown, ...]
    reasons: tuple[Why, ...] = ()
    explanation: str = ""

    @property
    def subject(self) -> str:
        """What it is called in sentences."""
        return f"{self.called} over {self.transport}" if self.transport else self.called

    @property
    def called(self) -> str:
        """Name it as far as it may be told."""
        return called_as(self.kind, self.name, self.suffix, self.server)


def called_as(kind: str, name: str | None, suffix: str | None, server: str | None) -> str:
    """Name something as far as it may be told; see `Cell`."""
    if kind == "network":
        return "all that leaves the network"
    if kind == "server":
        return f"{server or 'a server that is not told'} (no name)"
    return name or f"a name under {suffix or '*'}"


def address_and_port(address: str, port: int) -> str:
    """Write a server as text; RFC 3986 §3.2.2 has IPv6 addresses in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
