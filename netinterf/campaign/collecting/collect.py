"""Add captures to a store: list what is not in it, hand batches out, put in place what comes back.

Whoever collects keeps sixteen bytes for each capture and a few batches of paths, however many captures there are.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import Self

import attrs

from netinterf.campaign.collecting.batch import Entry, File, content_of
from netinterf.campaign.collecting.executors import answered, in_order
from netinterf.campaign.collecting.gather import Cut, Receipt, Setting, Task
from netinterf.campaign.place import Place
from netinterf.campaign.stored.known import Known, content_number, file_number, path_number, versions
from netinterf.campaign.stored.names import is_published, list_names, publish
from netinterf.campaign.stored.parts import commit, dropped, recover
from netinterf.campaign.stored.store import Store
from netinterf.capture import NoCapture
from netinterf.engine.lost import LostError
from netinterf.engine.options import Options
from netinterf.errors import CaptureError, ParameterError, UnreadableSource
from netinterf.values import define, frozen

__all__ = ["CUT", "Collected", "Found", "collect"]

MOST = 128
"""Captures of a batch: a million make eight thousand parts."""

MOST_BYTES = 1 << 29
"""Bytes of captures of a batch, unless one has more: half a minute of work, and what is lost when it is cut off."""

CUT = 1 << 30
"""Bytes of a capture beyond which it is cut: one that is as large holds more packets than are looked at as one, or few
that are large, and takes a minute at most."""

GROWS = 16
"""A batch has so many times fewer captures than came before it: everybody soon has one, and the last are short."""

Found = tuple[str | CaptureError | NoCapture, Place]
"""A capture or what is wrong with it (None: a file that is none), and whose it is."""


@define
class Collected:
    """How many files there were of each kind.

    Attributes:
        judged: Captures that were added.
        errors: Files that were added as errors.
        again: Files whose content was in the store.
        unread: What could not be read.
        known: Files that were in the store.
        skipped: Files that are no captures.
    """

    judged: int = 0
    errors: int = 0
    again: int = 0
    unread: int = 0
    known: int = 0
    skipped: int = 0


GROWN = "it has grown since it was collected, and what came later cannot be added: collect files that are closed"

STATES = {"judged": "judged", "error": "errors", "again": "again", "unread": "unread"}
"""Which number of `Collected` counts which state of an entry."""


def collect(
    store: Store,
    found: Callable[[Callable[[str], bool]], Iterable[Found]],
    options: Options,
    *,
    executor: Executor | None,
    in_flight: int,
    told: Callable[[Entry], object],
    cut: int = CUT,
    names: str | os.PathLike[str] | None = None,
) -> Collected:
    """Add captures that a store does not hold.

    Args:
        store: The store, made where there is none.
        found: Gives captures and whose they are, when told how to know without a look which files are in the store.
        options: How to judge.
        executor: Who judges; None judges here.
        in_flight: Batches that the executor holds at a time.
        told: Called with what became of each file that is new, once that is settled.
        cut: Bytes of a capture beyond which it is cut into pieces of no more.
        names: A file of names that may be told.

    Raises:
        ParameterError: Pieces would hold nothing.
        UsageError: The store or the executor cannot be used.
        OSError: The store cannot be written; what was added before is in it.
    """
    if cut < 1:
        raise ParameterError("cut", cut, "1 byte or more")
    with store.locked():
        store.make()
        store.check()
        store.secret()
        recover(store)
        if names is not None:
            list_names(store, names)
        collecting = Collecting.of(store, options, told, Workers(executor, in_flight, cut))
        collecting.settle(collecting.tasks(found(collecting.is_known)))
        recover(store)  # drops the setting, and what lost workers wrote
        trouble = "" if is_published(store) else published(store, executor)
        if trouble:
            raise OSError(trouble)
    return collecting.counts


def published(store: Store, executor: Executor | None) -> str:
    """Have written down which names are told, by a worker: it takes memory that whoever collects does without."""
    if executor is None:
        return publish(store)
    try:
        return answered(executor.submit(publish, store))
    except LostError:
        return publish(store)


@frozen
class Workers:
    """Who judges, and what is handed to whom."""

    executor: Executor | None  # None judges here
    in_flight: int  # batches that it holds at a time
    cut: int  # bytes of a capture beyond which several look at it

    def receipts(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Receipt]]:
        """Have batches judged; see `in_order`."""
        return in_order(iter(tasks), self.executor, self.in_flight)


@define
class Collecting:
    """What is known while captures are collected."""

    store: Store
    setting: Setting
    known: Known
    told: Callable[[Entry], object]
    workers: Workers
    counts: Collected = attrs.field(factory=Collected)

    @classmethod
    def of(cls, store: Store, options: Options, told: Callable[[Entry], object], workers: Workers) -> Self:
        """Begin: read what the store holds, and write down how to judge."""
        known = Known.of(store)
        return cls(store, Setting.written(store, options, known.contents.all()), known, told, workers)

    def is_known(self, path: str) -> bool:
        """Say whether a file is in the store, as far as can be said without reading it."""
        try:
            return self._number(File.of(path)) in self.known.files
        except OSError:
            return False

    def tasks(self, found: Iterable[Found]) -> Iterator[Task]:
        """Put captures that are not in the store into batches, each of one place."""
        waiting: dict[Place, list[File]] = {}
        count = 0
        for capture, place in found:
            file = self._file(capture)
            if file is None:
                continue
            if file.size > self.workers.cut:
                yield Task(setting=self.setting, place=place, files=(file,), cut=Cut(size=self.workers.cut))
                continue
            batch = waiting.setdefault(place, [])
            batch.append(file)
            count += 1
            if len(batch) >= min(MOST, 1 + count // GROWS) or sum(file.size for file in batch) >= MOST_BYTES:
                yield Task(setting=self.setting, place=place, files=tuple(waiting.pop(place)))
        for place, batch in waiting.items():
            yield Task(setting=self.setting, place=place, files=tuple(batch))

    def settle(self, tasks: Iterable[Task]) -> None:
        """Have batches judged, and put in place what was written aside.

        Where a content in one came in meanwhile, it is judged again without.

        Raises:
            OSError: The store cannot be written.
        """
        for task, receipt in self.workers.receipts(tasks):
            if receipt.trouble:
                raise OSError(receipt.trouble)
            if receipt.cut is not None:
                self._settle_cut(task, receipt.cut)
                continue
            kept = [entry.capture for entry in receipt.entries if entry.state in {"judged", "error"}]
            taken = frozenset(capture for capture in kept if content_number(capture) in self.known.contents)
            if taken:
                dropped(self.store.pending / receipt.folder)
                self.settle([attrs.evolve(task, taken=task.taken | taken)])
                continue
            if receipt.folder:
                commit(self.store, self.store.pending / receipt.folder, receipt.number)
            for capture in kept:
                self.known.contents.add(content_number(capture))
            for entry in receipt.entries:
                self._tell(entry)

    def _settle_cut(self, task: Task, cut: Cut) -> None:
        """Have the pieces of a capture looked at and put together; batches that were handed out go on meanwhile.

        Raises:
            OSError: The store cannot be written.
        """
        pieces = (attrs.evolve(task, cut=attrs.evolve(cut, piece=piece)) for piece in range(cut.pieces))
        for _, receipt in self.workers.receipts(pieces):
            if receipt.trouble:
                raise OSError(receipt.trouble)
        self.settle([attrs.evolve(task, cut=cut)])
        dropped(self.store.pending / cut.folder)

    def _file(self, capture: str | CaptureError | NoCapture) -> File | None:
        """Look a file up; None where it is known, or cannot be collected."""
        if isinstance(capture, NoCapture):
            self.counts.skipped += 1
            return None
        try:
            if isinstance(capture, CaptureError):
                raise capture
            if not os.path.isfile(capture):
                raise UnreadableSource(capture, "only files can be collected")
            file = File.of(capture)
        except CaptureError as error:
            self._tell(Entry(error.source, "unread", error.reason))
        except OSError as cause:
            self._tell(Entry(str(capture), "unread", f"cannot be read: {cause.strerror or cause}"))
        else:
            if self._number(file) in self.known.files:
                self.counts.known += 1
            elif self._has_grown(file):
                self._tell(Entry(file.path, "unread", GROWN))
            else:
                self.known.files.add(self._number(file))
                return file
        return None

    def _has_grown(self, file: File) -> bool:
        """Say whether a file begins with what was collected of it before: that would count twice."""
        if path_number(file.path) not in self.known.paths:
            return False
        before = versions(self.store, file.path)
        return any(size < file.size and content_of(file.path, size) == capture for size, capture in before)

    def _tell(self, entry: Entry) -> None:
        """Count what became of a file, and tell it."""
        name = STATES[entry.state]
        setattr(self.counts, name, getattr(self.counts, name) + 1)
        self.told(entry)

    @staticmethod
    def _number(file: File) -> int:
        """Number a file."""
        return file_number(file.path, file.size, file.mtime_ns)
