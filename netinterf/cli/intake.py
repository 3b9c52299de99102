"""Where a live capture comes from: a pipe or an interface, each read by a thread, so that waiting stops no clock."""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from netinterf.bridge.live import Listener
from netinterf.bridge.scapy_packets import Frames
from netinterf.capture.source import standard_input
from netinterf.engine.session import Session
from netinterf.errors import UnreadableSource
from netinterf.written.record import Verdict

__all__ = ["Interface", "Pipe", "Source", "open_source"]

PIECE = 1 << 16  # bytes read at once: what a pipe holds on Linux
TOGETHER = 16  # pieces fed at once where more came meanwhile: listing their frames costs little more than for one
AHEAD = 256  # pieces read ahead of the judgement; then whoever captures must wait, and counts what it loses
POLL = 0.2  # s that a thread waits for packets before it looks whether they are still wanted

Piece = TypeVar("Piece")


class ReadAhead(Generic[Piece]):
    """Call a function again and again in a thread, and keep what it gave until it is asked for.

    Args:
        read: Waits for a piece and gives it; None ends it.
    """

    def __init__(self, read: Callable[[], Piece | None]) -> None:
        self.ended = False
        self._read = read
        self._pieces: queue.Queue[Piece | OSError | None] = queue.Queue(AHEAD)
        threading.Thread(target=self._run, daemon=True).start()  # which may wait for input for ever

    def _run(self) -> None:
        try:
            while (piece := self._read()) is not None:
                self._pieces.put(piece)
            self._pieces.put(None)
        except OSError as error:
            self._pieces.put(error)

    def wait(self, seconds: float, most: int = 1) -> list[Piece]:
        """Wait for a piece; give it and those that are there behind it, *most* at most.

        None are given when none came in time, or none will any more.

        Raises:
            OSError: Reading failed, behind all that was given.
        """
        pieces: list[Piece] = []
        while len(pieces) < most and not self.ended:
            try:
                piece = self._pieces.get(timeout=0.0 if pieces else max(seconds, 0.0))
            except queue.Empty:
                break
            if isinstance(piece, OSError) and pieces:
                self._pieces.put(piece)  # for the next call: nothing is behind it
                break
            self.ended = piece is None or isinstance(piece, OSError)
            if isinstance(piece, OSError):
                raise piece
            if piece is not None:
                pieces.append(piece)
        return pieces


class Source(Protocol):
    """Something that feeds a session."""

    def feed(self, session: Session, seconds: float) -> Sequence[Verdict]:
        """Wait so long for input, feed what came, and give the verdicts that became final.

        Raises:
            OSError: Reading failed.
        """
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more."""
        ...

    @property
    def fed(self) -> int:
        """Bytes or packets that it fed so far."""
        ...

    @property
    def lost(self) -> int | None:
        """Packets lost before they could be read; None where nobody tells."""
        ...

    def stop(self) -> None:
        """Wait for nothing more than is on its way."""
        ...


class Pipe:
    """Standard input.

    Raises:
        UnreadableSource: It is closed, or a terminal.
    """

    lost: int | None = None

    def __init__(self) -> None:
        self.fed = 0
        handle = standard_input("standard input").fileno()
        self._ahead = ReadAhead(lambda: os.read(handle, PIECE) or None)  # what is there; a file object fills a buffer

    def feed(self, session: Session, seconds: float) -> Sequence[Verdict]:
        """Feed the bytes that came."""
        data = b"".join(self._ahead.wait(seconds, TOGETHER))
        self.fed += len(data)
        return session.feed(data) if data else []

    @property
    def ended(self) -> bool:
        """Whether the pipe was closed at its other end."""
        return self._ahead.ended

    def stop(self) -> None:
        """Who writes to the pipe is stopped as well, and closes it."""


class Interface:
    """A network interface.

    Raises:
        UnreadableSource: There is none of that name, or the process may not listen on it.
    """

    def __init__(self, name: str) -> None:
        self.fed = 0
        self._listener = Listener(name)
        self._stopped = threading.Event()
        self._ahead = ReadAhead(self._read)

    def _read(self) -> Frames | None:
        return None if self._stopped.is_set() else self._listener.read(POLL)

    def feed(self, session: Session, seconds: float) -> Sequence[Verdict]:
        """Feed the packets that came."""
        (batch,) = self._ahead.wait(seconds) or [Frames.of([], [], self._listener.link_type)]
        self.fed += len(batch.frames)
        return session.feed_packets(batch.times, batch.frames, batch.link_type)

    @property
    def ended(self) -> bool:
        """Whether listening was stopped, and all that was heard was fed."""
        return self._ahead.ended

    @property
    def lost(self) -> int | None:
        """Packets that the system had no room for."""
        return self._listener.dropped

    def stop(self) -> None:
        """Listen no longer."""
        self._stopped.set()


def open_source(name: str) -> Source:
    """Open ``"-"``, standard input, or a network interface.

    Raises:
        UnreadableSource: It cannot be read, or is a file, which no more packets come to.
    """
    if os.path.isfile(name):
        raise UnreadableSource(name, f"it is a file: netinterf scan {name} judges it")
    return Pipe() if name == "-" else Interface(name)
