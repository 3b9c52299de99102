"""The summary of a session: what left its window, and what is in it."""

from collections.abc import Iterable
from typing import Self

import attrs
import numpy as np

from netinterf.analyzers.run import FAILED, failed_analyzer
from netinterf.arrays import Mask
from netinterf.decode import COUNTED, OF_NO_FLOW
from netinterf.engine.judged import Summary, outcome_counts
from netinterf.engine.release import Leaving
from netinterf.schema import Diagnostic, Outcome, Records, Verdicts
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["CUT", "Tally", "cut_notes", "joined"]

RELEASED, CUT_OFF = CUT = ("session.released", "session.cut")
"""Codes of notes that conversations were judged before the end of the capture, or before their own."""


@frozen(kw_only=True)
class Tally:
    """What a session counts over its whole life.

    Attributes:
        packets: Packets taken in.
        bytes: Their bytes on the wire.
        first: Time of the first of them.
        last: Time of the last.
        flows: Flows that left the window, like what follows.
        exchanges: DNS exchanges.
        outcomes: How they were judged.
        over: How many of these flows were over.
        cut: How many were not.
        lost: Packets that were lost before they were fed.
        notes: What decoding had to say of windows that were let go.
    """

    packets: int = 0
    bytes: int = 0
    first: int | None = None
    last: int | None = None
    flows: int = 0
    exchanges: int = 0
    outcomes: dict[str, int] = attrs.field(factory=lambda: {outcome.value: 0 for outcome in Outcome})
    over: int = 0
    cut: int = 0
    lost: int = 0
    notes: tuple[Diagnostic, ...] = ()

    def with_frames(self, records: Records) -> Self:
        """Count frames that came in, at least one."""
        first, last = int(records.time.min()), int(records.time.max())
        return attrs.evolve(
            self,
            packets=self.packets + len(records),
            bytes=self.bytes + int(records.length.sum(dtype=np.int64)),
            first=first if self.first is None else min(self.first, first),
            last=last if self.last is None else max(self.last, last),
        )

    def with_left(
        self,
        trace: Trace,
        verdicts: Verdicts,
        left: Leaving,
        final: Mask,
        notes: Iterable[Diagnostic],
    ) -> Self:
        """Count the flows that leave a window.

        Args:
            trace: The window.
            verdicts: How it was judged.
            left: Which flows leave.
            final: Which verdicts are about them.
            notes: What decoding the window had to say.
        """
        return attrs.evolve(
            self,
            flows=self.flows + left.over + left.cut,
            exchanges=self.exchanges + int(np.count_nonzero(left.flows[trace.exchanges.flow])),
            outcomes=added(self.outcomes, outcome_counts(verdicts.take(final))),
            over=self.over + left.over,
            cut=self.cut + left.cut,
            notes=joined(self.notes, notes),
        )

    def summary(self, window: Summary, notes: Iterable[Diagnostic], stream: Iterable[Diagnostic]) -> Summary:
        """Sum up the session.

        Args:
            window: What is held, summed up.
            notes: What decoding had to say of it.
            stream: What reading the stream had to say.
        """
        return attrs.evolve(
            window,
            packets=self.packets,
            bytes=self.bytes,
            first=self.first,
            last=self.last,
            flows=self.flows + window.flows,
            exchanges=self.exchanges + window.exchanges,
            outcomes=added(self.outcomes, window.outcomes),
            diagnostics=(*stream, *joined(self.notes, notes), *self._own()),
        )

    def _own(self) -> tuple[Diagnostic, ...]:
        """Say what was let go, cut or lost."""
        lost = Diagnostic("session.lost", "packets were lost before they could be read", count=self.lost)
        return (*((lost,) if self.lost else ()), *cut_notes(self.over, self.cut))


def cut_notes(over: int, cut: int) -> tuple[Diagnostic, ...]:
    """Say how many conversations were judged before the end, and how many before their own."""
    notes = (
        (RELEASED, "conversations were judged before the end, to make room for later ones", over),
        (CUT_OFF, "conversations were judged before they were over, for want of room", cut),
    )
    return tuple(Diagnostic(code, message, count=count) for code, message, count in notes if count)


def added(these: dict[str, int], those: dict[str, int]) -> dict[str, int]:
    """Add counts by key."""
    return {key: count + those[key] for key, count in these.items()}


def joined(
    earlier: Iterable[Diagnostic], later: Iterable[Diagnostic], counted: frozenset[str] = OF_NO_FLOW
) -> tuple[Diagnostic, ...]:
    """Join the notes of two parts of a stream: the latest of each kind holds, but some are added up.

    So are the failures of each analyzer, whatever their reasons. Each thing that was not read is a kind of its own.

    Args:
        earlier: Notes of the first part.
        later: Notes of the second.
        counted: Codes of notes that are added up, since what they count is in one part only: in windows of a session,
            frames that belong to no conversation are let go with the window.
    """
    by_key: dict[str, Diagnostic] = {}
    for note in (*earlier, *later):
        key = failed_analyzer(note) if note.code == FAILED else note.message if note.code in COUNTED else note.code
        known = by_key.get(key)
        added = 0 if known is None or not (note.code == FAILED or note.code in counted) else known.count
        by_key[key] = attrs.evolve(known, count=added + note.count) if known is not None and added else note
    return tuple(by_key.values())
