"""Looking at one shard of a large capture after the other, or at several side by side."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import Mask
from netinterf.capture import Capture, Listing
from netinterf.capture.source import load
from netinterf.engine.crowd import beyond_a_crowd
from netinterf.engine.joint import JointQuestions
from netinterf.engine.judged import outcome_counts
from netinterf.engine.judged_window import JudgedWindow, judge_window
from netinterf.engine.lost import LastingExecutor, LostError, answer_of, settled
from netinterf.engine.release import Leaving, Remembered, leaving
from netinterf.engine.shards import Shard
from netinterf.schema import Diagnostic, Records, Vantage
from netinterf.values import frozen
from netinterf.verdict.parts import Part

__all__ = ["Looking", "Seen", "look_at_each"]

AT_ONCE = 32  # shards that an executor holds at a time


@frozen(eq=False)
class Looking:
    """What must be known to look at a shard.

    Args:
        name: What the capture is called.
        joint: Which questions are asked.
        span: Times of its first and last frame, ns; None without any.
        most: Packets that are looked at at once.
        crowd: Conversations of a single packet that are listed of each shard, of one kind.
    """

    name: str
    joint: JointQuestions
    span: tuple[int, int] | None
    most: int
    crowd: int


@frozen(eq=False)
class Seen:
    """What is kept of a shard, or of a window of one.

    Args:
        part: What counts of its judgement.
        vantage: Where it was taken.
        notes: What its recording is like.
        over: Conversations that were over when they left a window for others.
        cut: Those that were not.
        alone: How those were judged that are counted and not listed (`netinterf.engine.crowd`): how often each outcome.
    """

    part: Part
    vantage: Vantage
    notes: tuple[Diagnostic, ...]
    over: int = 0
    cut: int = 0
    alone: Counter[str] = attrs.field(factory=Counter)

    @property
    def flows(self) -> int:
        """How many conversations it is about, listed or not."""
        return len(self.part.flows) + self.alone.total()

    @classmethod
    def of(cls, window: JudgedWindow, looking: Looking, left: Leaving | None = None, *, whole: bool = False) -> "Seen":
        """Keep what is about the flows that leave a window; all of the last one, and of a *whole* shard but a crowd.

        Where a client is looked at in windows, a single packet may be a piece of more.
        """
        kept = ~window.remains if left is None else left.flows & ~window.remains
        ledger = window.judged.ledger
        alone = (kept & whole) & beyond_a_crowd(window.trace, ledger.evidence, ledger.subjects, looking.crowd)
        part = Part.of(ledger, window.trace, kept & ~alone, partial(looking.joint.observe, window.trace))
        outcomes = outcome_counts(ledger.verdicts.take(ledger.subjects.by_flow[alone]))
        seen = cls(part, window.trace.vantage, window.notes, alone=Counter(outcomes))
        return seen if left is None else attrs.evolve(seen, over=left.over, cut=left.cut)


def look_at_each(
    listing: Listing, shards: Iterable[Shard], looking: Looking, executor: Executor | None
) -> Iterator[Seen]:
    """Look at shards; in their order, whoever looks.

    Args:
        listing: The capture.
        shards: Frames of each.
        looking: What must be known.
        executor: Looks at several side by side, where the capture is a plain file, which every process can map.

    Raises:
        CaptureError: No worker survives one of them.
    """
    path = listing.path
    if executor is None or path is None:
        for shard in shards:
            yield from looked_at(listing.capture([shard.records]), shard.copied, looking)
        return
    running: deque[tuple[Future[list[Seen]], tuple[Any, ...]]] = deque()
    with LastingExecutor(executor) as workers:

        def first() -> list[Seen]:
            future, task = running.popleft()
            try:
                return answer_of(future)
            except LostError:
                settled(later for later, _ in running)
                return workers.alone(looking.name, *task)

        try:
            for shard in shards:
                frames = attrs.evolve(listing.capture([shard.records]), buffer=np.empty(0, np.uint8))
                task = (looked_at_file, path, frames, shard.copied, looking)
                running.append((workers.submit(*task), task))
                if len(running) == AT_ONCE:
                    yield from first()
            while running:
                yield from first()
        finally:
            for future, _ in running:
                future.cancel()


def looked_at_file(path: str, capture: Capture, copied: Mask, looking: Looking) -> list[Seen]:
    """Look at a shard of a plain file, in another process."""
    return list(looked_at(attrs.evolve(capture, buffer=load(path).buffer), copied, looking))


def looked_at(capture: Capture, copied: Mask, looking: Looking) -> Iterator[Seen]:
    """Judge the frames of a shard, in windows where they are too many for one.

    Args:
        capture: The frames, in file order.
        copied: Which of them are company only.
        looking: What must be known.
    """
    rest = capture.records
    remembered, company, most = Remembered(), rest.frame[copied], looking.most
    records = rest.take(slice(0, most))
    taken = len(records)
    while True:
        last = taken == len(rest)
        window = judge_window(
            attrs.evolve(capture, records=records),
            looking.name,
            looking.joint.options,
            remembered,
            partial=True,
            in_part=not last or taken > len(records),
            span=looking.span if last else None,
            company=company,
        )
        if last:
            yield Seen.of(window, looking, whole=len(rest) <= most)
            return
        left = leaving(window.trace, window.remains, most // 2, np.iinfo(np.int64).max)
        yield Seen.of(window, looking, left)
        remembered = remembered.with_flows(window.trace, left.flows & ~window.dns_alone)
        packets = window.trace.packets
        staying = np.sort(packets.frame[~np.append(left.flows, True)[packets.flow]])
        held = records.take(np.searchsorted(records.frame, staying))
        more = rest.take(slice(taken, taken + most - len(held)))
        records, taken = Records.concat([held, more]), taken + len(more)
        del window, packets  # the next one needs the room
