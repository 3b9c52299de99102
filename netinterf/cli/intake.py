"""Where a live capture comes from: a pipe or interfaces, each read by a thread, so that waiting stops no clock."""

import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

from netinterf.bridge.live import Listener
from netinterf.bridge.scapy_packets import Frames
from netinterf.capture.source import standard_input
from netinterf.cli.exit_status import complain
from netinterf.engine.session import Session
from netinterf.errors import UnreadableSource
from netinterf.writing import count_of
from netinterf.written.record import Verdict

__all__ = ["Interfaces", "Pipe", "ReadAhead", "Source", "name_of_all", "open_source"]

PIECE = 1 << 16  # bytes read at once: what a pipe holds on Linux
TOGETHER = 16  # pieces fed at once where more came meanwhile: listing their frames costs little more than for one
AHEAD = 256  # pieces read ahead of the judgement; then whoever captures must wait, and counts what it loses
POLL = 0.2  # s that a thread waits for packets before it looks whether they are still wanted

Piece = TypeVar("Piece")


class ReadAhead(Generic[Piece]):
    """Call functions again and again, each in a thread, and keep what they gave until it is asked for.

    Args:
        reads: Each waits for a piece and gives it; None ends it, and so does an error.
    """

    def __init__(self, *reads: Callable[[], Piece | None]) -> None:
        self._going = len(reads)
        self._error: OSError | None = None  # for the next call: some pieces came before it
        self._pieces: queue.Queue[Piece | OSError | None] = queue.Queue(AHEAD)
        for read in reads:  # which may wait for input for ever
            threading.Thread(target=self._run, args=(read,), daemon=True).start()

    def _run(self, read: Callable[[], Piece | None]) -> None:
        try:
            while (piece := read()) is not None:
                self._pieces.put(piece)
            self._pieces.put(None)
        except OSError as error:
            self._pieces.put(error)

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more."""
        return self._going == 0 and self._error is None

    def wait(self, seconds: float, most: int = 1) -> list[Piece]:
        """Wait for a piece; give it and those that are there behind it, *most* at most.

        None are given when none came in time, or none will any more.

        Raises:
            OSError: A function failed, behind all that it gave; others may go on.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        pieces: list[Piece] = []
        while len(pieces) < most and not self.ended:
            try:
                piece = self._pieces.get(timeout=0.0 if pieces else max(seconds, 0.0))
            except queue.Empty:
                break
            self._going -= piece is None or isinstance(piece, OSError)
            if isinstance(piece, OSError):
                if not pieces:
                    raise piece
                self._error = piece
                break
            if piece is not None:
                pieces.append(piece)
        return pieces

    def left(self) -> Iterator[Piece]:
        """Give what nobody asked for; of what is still read, nothing."""
        while not self._pieces.empty():
            piece = self._pieces.get()
            if piece is not None and not isinstance(piece, OSError):
                yield piece


class Source(Protocol):
    """Something that feeds a session."""

    @property
    def name(self) -> str:
        """What people call it; several are separated by commas."""
        ...

    def feed(self, session: Session, seconds: float) -> Sequence[Verdict]:
        """Wait so long for input, feed what came, and give the verdicts that became final.

        Raises:
            OSError: Reading failed; where something else is still read, it goes on.
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

    def account(self, session: Session) -> Iterator[str]:
        """Say of each pipe or interface, once nothing more is fed, how many packets came and how many are missing."""
        ...


class Pipe:
    """Standard input.

    Raises:
        UnreadableSource: It is closed, or a terminal.
    """

    name = "standard input"
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

    def account(self, session: Session) -> Iterator[str]:
        """Say how many packets came, and what their recorder says of others."""
        missed = session.missed
        told = "does not tell whether it missed any" if missed is None else f"says that it missed {number(missed)}"
        yield f"{self.name}: {count_of(session.summary.packets, 'packet')}; its recorder {told}"


class Interfaces:
    """One or more network interfaces; those that cannot be listened on are told, and the others go on.

    Args:
        names: What the system calls them.

    Raises:
        UnreadableSource: There is none of those names, or the process may not listen on any.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._listeners: list[Listener] = []
        problems: list[UnreadableSource] = []
        for name in dict.fromkeys(names):
            try:
                self._listeners.append(Listener(name))
            except UnreadableSource as problem:
                problems.append(problem)
        *others, last = [*problems, None] if self._listeners else problems
        for other in others:
            complain(str(other))
        if last is not None:
            raise last
        self._heard: Counter[str] = Counter()  # packets that were fed, by interface
        self._stopped = threading.Event()
        self._ahead = ReadAhead(*(partial(self._read, listener) for listener in self._listeners))

    def _read(self, listener: Listener) -> tuple[Listener, Frames] | None:
        return None if self._stopped.is_set() else (listener, listener.read(POLL))

    @property
    def name(self) -> str:
        """Those that are listened on."""
        return name_of_all([listener.interface for listener in self._listeners])

    def feed(self, session: Session, seconds: float) -> Sequence[Verdict]:
        """Feed the packets that came from one of them; where none came, the session learns what there is to come."""
        silent = [(listener, Frames.of([], [], listener.link_type)) for listener in self._listeners]
        final: Sequence[Verdict] = ()
        for listener, batch in self._ahead.wait(seconds) or silent:
            self._heard[listener.interface] += len(batch.frames)
            final = session.feed_packets(batch.times, batch.frames, batch.link_type, interface=listener.interface)
        return final

    @property
    def ended(self) -> bool:
        """Whether listening was stopped, or failed everywhere, and all that was heard was fed."""
        return self._ahead.ended

    @property
    def fed(self) -> int:
        """Packets that were fed so far."""
        return self._heard.total()

    @property
    def lost(self) -> int | None:
        """Packets that the system had no room for; None where it tells of no interface."""
        told = [dropped for listener in self._listeners if (dropped := listener.dropped) is not None]
        return sum(told) if told else None

    def stop(self) -> None:
        """Listen no longer."""
        self._stopped.set()

    def account(self, session: Session) -> Iterator[str]:
        """Say how many packets each interface gave, and how many it lost."""
        del session
        left: Counter[str] = Counter()
        for listener, batch in self._ahead.left():
            left[listener.interface] += len(batch.frames)
        for listener in self._listeners:
            dropped, unread = listener.dropped, left[listener.interface]
            told = "does not tell whether it dropped any" if dropped is None else f"dropped {number(dropped)}"
            heard = count_of(self._heard[listener.interface], "packet")
            after = f"; {unread:,} more came too late to be judged" if unread else ""
            yield f"{listener.interface}: {heard}; the system {told}{after}"


def number(count: int) -> str:
    """Write a number of things."""
    return f"{count:,}" if count else "none"


def name_of_all(names: Sequence[str]) -> str:
    """Name what is watched, as one capture."""
    return ", ".join(dict.fromkeys(names))


def open_source(names: Sequence[str]) -> Source:
    """Open ``"-"``, standard input, or network interfaces.

    Raises:
        UnreadableSource: None can be read, or one is a file, which no more packets come to.
    """
    for name in names:
        if os.path.isfile(name):
            raise UnreadableSource(name, f"it is a file: netinterf scan {name} judges it")
    return Pipe() if "-" in names else Interfaces(names)
