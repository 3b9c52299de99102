"""A comparison as people and programs receive it: one frozen object per unit, and one per change."""

import attrs

from netinterf.comparison.units import Finding
from netinterf.schema import Files, Grade, Outcome
from netinterf.values import frozen
from netinterf.written.record import Why

__all__ = ["AttemptCounts", "AttemptFrames", "Change", "ComparedUnit"]


@frozen(kw_only=True)
class AttemptCounts:
    """Attempts of one unit on one side."""

    attempts: int
    answered: int
    failed: int  # silence, resets, and whatever the scan holds for interference
    unknown: int  # refused, or not shown by the capture
    unread: int = 0  # of those answered: what would show a forgery was cut out of the recording

    @property
    def blind(self) -> bool:
        """Whether it was answered, and no answer could be read."""
        return 0 < self.unread >= self.answered


@frozen(kw_only=True)
class AttemptFrames:
    """Where to look: one attempt, and the frames of it that show what happened."""

    side: str  # here or there
    capture: str
    first_frame: int | None
    frames: tuple[int, ...]
    state: str  # what came of it: answered, heard, broken, silent, struck or unknown
    files: Files = attrs.field(factory=Files, repr=False, eq=False)  # that the capture was joined from


@frozen(kw_only=True)
class ComparedUnit:
    """What two sides show of one name over one transport, or of one server where no name was seen."""

    kind: str  # name or server
    name: str | None
    server: str | None  # None when a name was tried at several
    transport: str
    finding: Finding
    outcome: Outcome
    grade: Grade
    mechanism: str | None
    probability: float
    q_value: float
    here: AttemptCounts
    there: AttemptCounts
    difference: float
    difference_low: float
    difference_high: float
    own: float  # nats that its packets weigh by themselves
    contrast: float  # nats that the comparison weighs
    cause: str | None  # likeliest harmless cause of the failures
    reasons: tuple[Why, ...]
    shown: tuple[AttemptFrames, ...]
    start: int  # ns since 1970 UTC, of the first attempt on either side
    end: int  # of the last one's begin
    explanation: str = ""

    @property
    def subject(self) -> str:
        """What it is called in sentences."""
        return f"{self.name or f'{self.server} (no name)'} over {self.transport}"


@frozen(kw_only=True)
class Change:
    """When the share of failures at one name or server changed; times are ns since 1970 UTC."""

    kind: str
    name: str | None
    server: str | None
    transport: str
    failed_before: int
    attempts_before: int
    failed_after: int
    attempts_after: int
    last_name: str | None  # what the last attempt before the change asked for
    after: int  # it lies after this attempt
    before: int  # and no later than this one
    q_value: float
    explanation: str = ""
