"""Captures that are asked about: found, opened beneath the folder that is served, judged, and some of them kept.

What a scan found is kept as it may be told, so that its pages are written without another scan. A capture that was
written to since is another one.
"""

import mmap
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from re import fullmatch
from typing import BinaryIO, TypeVar

from netinterf.assistants.root import Root
from netinterf.assistants.setting import Setting
from netinterf.campaign.stored.store import ABOUT
from netinterf.capture.formats import compression_of
from netinterf.capture.inlet import HEAD, Inlet
from netinterf.capture.source import PIECE, peek_into
from netinterf.engine.each import attempt
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.errors import CaptureError, MissingExtra, RefusedPath, UnreadableSource
from netinterf.table import Text
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["MOST_ENTRIES", "Found", "Looked", "Shelf"]

KEPT = 8
"""Captures and campaigns that are kept judged (judgement): those that a conversation with an assistant goes back to."""

MOST_ENTRIES = 20_000
"""Files and folders that are looked at for captures: a second or two."""

State = tuple[int, ...]
"""Which file it is, and in what state: device, number, time of the last change in ns, bytes."""

Kept = TypeVar("Kept")


@frozen(kw_only=True)
class Found:
    """A capture, or the store of a campaign, in the folder that is served."""

    kind: str  # capture or campaign
    path: str  # beneath the folder
    bytes: int | None
    modified: int | None  # ns since 1970 UTC


@frozen(eq=False, kw_only=True)
class Looked:
    """A capture that was judged, as it may be told."""

    judged: Judged
    told: dict[str, str]  # what stand-ins stand for
    state: State


class Shelf:
    """The captures of a folder.

    Args:
        setting: How the server was started.

    Raises:
        ParameterError: There is no such folder.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.root = Root(setting.root)
        self._kept = OrderedDict[Hashable, object]()
        self._called = dict[str, str]()

    def listed(self) -> tuple[list[Found], bool]:
        """List captures, by what files contain, and stores of campaigns; say whether everything was looked at."""
        found, entries = list[Found](), self.root.walk()
        for name in islice(entries, MOST_ENTRIES):
            with suppress(RefusedPath, MissingExtra, OSError):
                found += [] if name.endswith("/") else self._found(name)
        self._called = {self.setting.standins.capture(one.path): one.path for one in found}
        return found, next(entries, None) is None

    def path(self, given: str) -> str:
        """Give the path beneath the folder of what is asked for: by its path, or by what `listed` calls it.

        Raises:
            RefusedPath: It leads out of the folder.
        """
        if fullmatch("capture-[0-9]{12}", given) and given not in self._called:
            self.listed()
        return self.root.place(self._called.get(given, given)).as_posix()

    def looked(self, given: str) -> Looked:
        """Judge a capture, or take it as it was judged before.

        Raises:
            RefusedPath: It may not be opened, or is too large.
            CaptureError: It cannot be read.
        """
        path = self.path(given)
        with self.root.open(path) as file:
            state = state_of(file)
            return self.kept((path, state), lambda: self._looked(file, path, state))

    def read(self, given: str) -> tuple[str, Judged, Trace | None]:
        """Judge a capture and keep its packets at hand, both with all that was in it.

        Returns:
            Its path, what was judged, and the packets; None of a capture that is too large to be looked at as one.

        Raises:
            RefusedPath: It may not be opened, or is too large.
            CaptureError: It cannot be read.
        """
        path, traces = self.path(given), list[Trace]()
        with self.root.open(path) as file:
            judged = self._judged(file, path, traces.append)
        return path, judged, traces[0] if traces else None

    def told(self, judged: Judged) -> dict[str, str]:
        """Say what stand-ins for the names of a capture stand for, as far as that may be told."""
        ledger, standins = judged.ledger, self.setting.standins
        return standins.told(Text.concat([ledger.verdicts.name, ledger.exchanges.name, ledger.groups.value]))

    def kept(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Take what was kept under a key, or make it and keep it in the place of what was asked for the longest ago."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]  # type: ignore[return-value]  # what was made under this key
        made = self._kept[key] = make()
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return made

    def _found(self, name: str) -> Iterator[Found]:
        """Look at a file: a capture, or what says that its folder is a store."""
        folder, _, last = name.rpartition("/")
        with self.root.open(name) as file:
            status = os.fstat(file.fileno())
            if last == ABOUT:
                yield Found(kind="campaign", path=folder or ".", bytes=None, modified=status.st_mtime_ns)
            elif peek_into(file, name):
                yield Found(kind="capture", path=name, bytes=status.st_size, modified=status.st_mtime_ns)

    def _looked(self, file: BinaryIO, path: str, state: State) -> Looked:
        """Judge a capture, and take out what may not be told."""
        judged = self._judged(file, path)
        return Looked(judged=judged.redacted(self.setting.standins), told=self.told(judged), state=state)

    def _judged(self, file: BinaryIO, path: str, look: Callable[[Trace], object] | None = None) -> Judged:
        """Judge what was opened."""
        content = self._content(file, path)
        options = self.setting.options
        judged = attempt(path, options, partial(judge, content, options, name=path, look=look))
        if isinstance(judged, CaptureError):
            raise judged
        return judged

    def _content(self, file: BinaryIO, path: str) -> memoryview:
        """Map what was opened, if it is not too large, be it expanded."""
        size, most = os.fstat(file.fileno()).st_size, self.setting.most_bytes
        if size > most:
            raise RefusedPath(f"this capture has {size:,} bytes, and no more than {most:,} are read (--most-bytes)")
        if size == 0:
            raise UnreadableSource(path, "the file is empty", 0)
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if compression_of(bytes(content[:HEAD])):
            expanded, pieces = 0, (bytes(content[at : at + PIECE]) for at in range(0, size, PIECE))
            for piece in Inlet(path).through(pieces):
                expanded += len(piece)
                if expanded > most:
                    raise RefusedPath(f"this capture expands to more than {most:,} bytes (--most-bytes)")
        return content


def state_of(file: BinaryIO) -> State:
    """Say which file it is, and in what state."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
