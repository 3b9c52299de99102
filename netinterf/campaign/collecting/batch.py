"""One batch of captures while it is judged: rows of observations, one entry per file, and what numbers stand for."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

import attrs

from netinterf.arrays import U64
from netinterf.campaign.collecting.facts import Facts, facts_of
from netinterf.campaign.collecting.marks import Seen
from netinterf.campaign.collecting.observed import Meant, Observed, observed
from netinterf.campaign.collecting.probed import probed
from netinterf.campaign.place import Place
from netinterf.campaign.stored.known import as_text, content_number, is_among
from netinterf.campaign.stored.parts import Aside
from netinterf.campaign.stored.schema import CAPTURES, MARKS, OBSERVATIONS, PACKETS, SEEN
from netinterf.capture.compression import Expander
from netinterf.capture.formats import compression_of
from netinterf.capture.inlet import Inlet
from netinterf.engine.cut import CROSSED, GOES_ON, OPEN, PIECES
from netinterf.engine.each import judge_path
from netinterf.engine.judged import Judged, Summary
from netinterf.engine.options import Options
from netinterf.errors import CaptureError, NetinterfError
from netinterf.ooni import is_ooni
from netinterf.values import frozen
from netinterf.verdict.model import default_model
from netinterf.version import __version__

__all__ = ["HASH", "UNCUT", "Batch", "Entry", "File", "Judge", "content_of", "judged_whole", "pieces_of"]

PIECE = 1 << 20  # bytes hashed at a time
HASH = 16  # bytes: of 10**12 contents, two are equal with probability 1e-15

TOGETHER = 1 << 12
"""Verdicts that are held until they are added up: those of a batch of small captures, or of one larger (judgement)."""

UNCUT = "campaign.uncut"
"""Code of the diagnostic that says that a large capture could not be cut."""

WRITTEN_TO = "it was written to meanwhile: it is collected once it is whole"
AGAIN = "its content is in the store already, and counts once"


Judge = Callable[[str, Options], tuple[Judged | CaptureError, Facts]]
"""Judges a capture, or says why it cannot be; beside it what its packets say that no verdict keeps."""


@frozen
class File:
    """One file that is to be collected."""

    path: str
    size: int  # bytes
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> "File":
        """Look a file up.

        Raises:
            OSError: It cannot be.
        """
        status = os.stat(path)
        return cls(path, status.st_size, status.st_mtime_ns)


@frozen
class Entry:
    """What became of a file.

    Attributes:
        path: The file, or what was named.
        state: ``"judged"``; ``"error"``: it was read and could not be judged; ``"again"``: its content is in the store;
            ``"unread"``: it could not be read, and is not in the store.
        message: What is wrong with it, empty for nothing.
        capture: Hash of its content, empty where it was not read.
    """

    path: str
    state: str
    message: str = ""
    capture: str = ""


class Batch:
    """What is kept of some captures of one place.

    Args:
        place: Where their clients are.
        secret: Key of the store.
        options: How to judge.
        contents: Contents that the store held when collecting began, rising.
        taken: Contents that came in since.
        lost: Why nobody could judge these captures; empty where they are to be judged.
    """

    def __init__(
        self, place: Place, secret: bytes, options: Options, contents: U64, taken: frozenset[str], lost: str
    ) -> None:
        self._place, self._secret, self._contents, self._lost = place, secret, contents, lost
        self._options = attrs.evolve(options, anomalies=False)  # there is no room for them
        self._model = default_model() if options.model is None else options.model
        self._taken = set(taken)
        self._aside = Aside()
        self._entries: dict[File, Entry] = {}
        self._rows: dict[File, dict[str, Any]] = {}
        self._waiting: dict[File, Seen] = {}  # what was judged, until it is added up
        self._verdicts = 0  # that wait
        self._meaning: dict[tuple[str, int], dict[str, Any]] = {}

    @property
    def kept(self) -> bool:
        """Whether there is anything to keep."""
        return bool(self._rows)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What became of each file, once all is finished."""
        return tuple(self._entries.values())

    @property
    def number(self) -> str:
        """The number of its part, once all is finished: equal for equal batches alone."""
        told = repr([(row["capture"], row["path"], row["mtime_ns"], row["state"]) for row in self._rows.values()])
        return blake2b(told.encode("utf-8"), digest_size=8).hexdigest()

    def enter(self, file: File, judge: Judge | None = None, capture: str = "") -> None:
        """Read a file, judge it unless its content is known, and keep what it shows.

        Args:
            file: The file.
            judge: How it is judged; None reads it as a whole.
            capture: Hash of its content, empty where it is not known yet.
        """
        try:
            capture = capture or content_of(file.path)
            is_whole = File.of(file.path) == file
        except OSError as cause:
            self._leave(file, f"cannot be read: {cause.strerror or cause}")
            return
        if not is_whole:
            self._leave(file, WRITTEN_TO)
        elif self._is_known(capture):
            self._keep(file, capture, "again", {"message": AGAIN})
        elif not self._lost and is_ooni(file.path):
            self._read_measurements(file, capture)
        else:
            self._judge(file, capture, judge or judged_whole)

    def finish(self, folder: Path) -> None:
        """Write all, and wait until it is on the disk; nothing where there is nothing to keep.

        Raises:
            OSError: It cannot be written.
        """
        self._add_up()
        if self.kept:
            self._aside.add(SEEN, SEEN.of_rows(list(self._meaning.values())))
            self._aside.add(CAPTURES, CAPTURES.of_rows(list(self._rows.values())))
            self._aside.finish(folder)

    def _is_known(self, capture: str) -> bool:
        """Say whether a content is in the store, or in this batch."""
        return capture in self._taken or is_among(content_number(capture), self._contents)

    def _leave(self, file: File, message: str) -> None:
        """Do without a file that cannot be read."""
        self._entries[file] = Entry(file.path, "unread", message)

    def _fail(self, file: File, capture: str, error: CaptureError) -> None:
        """Enter a file that could not be judged; one that could not be read may be luckier with the next collect."""
        if isinstance(error.__cause__, OSError):
            self._leave(file, error.reason)
        else:
            self._keep(file, capture, "error", about_error(error))

    def _keep(self, file: File, capture: str, state: str, about: Mapping[str, Any]) -> None:
        """Enter a file among the captures of the store."""
        self._taken.add(capture)
        row = {"capture": capture, "path": as_text(file.path), "size": file.size, "mtime_ns": file.mtime_ns}
        self._rows[file] = row | {"place": self._place.name, "state": state, "version": __version__} | dict(about)
        self._entries[file] = Entry(file.path, state, about.get("message") or "", capture)

    def _judge(self, file: File, capture: str, judge: Judge) -> None:
        """Judge a capture."""
        lost = CaptureError(file.path, self._lost), Facts.empty()
        outcome, facts = lost if self._lost else judge(file.path, self._options)
        if isinstance(outcome, CaptureError):
            self._fail(file, capture, outcome)
            return
        self._keep(file, capture, "judged", about_capture(outcome.summary))
        self._waiting[file] = Seen(capture, outcome, facts)
        self._verdicts += len(outcome.ledger.verdicts)
        if self._verdicts >= TOGETHER:
            self._add_up()

    def _read_measurements(self, file: File, capture: str) -> None:
        """Read a file of measurements, and hold what probes and their test helpers tried, each at its place."""
        networks = self._options.outside.networks
        try:
            found, about = probed(file.path, capture, self._place, networks, self._secret, self._model)
        except CaptureError as error:
            self._fail(file, capture, error)
        except Exception as fault:
            self._fail(file, capture, our_fault(file.path, fault))
        else:
            self._keep(file, capture, "judged", about)
            for place, one in found:
                self._hold(one, place)

    def _add_up(self) -> None:
        """Add up what waits for it. A fault of ours costs that file only at which it shows, as in judging."""
        waiting, self._waiting, self._verdicts = self._waiting, {}, 0
        if not waiting:
            return
        try:
            found = self._observed(list(waiting.values()))
        except Exception:
            for file, seen in waiting.items():
                self._add_alone(file, seen)
        else:
            self._hold(found, self._place.name)

    def _add_alone(self, file: File, seen: Seen) -> None:
        """Add one capture up, or enter it as an error."""
        try:
            found = self._observed([seen])
        except Exception as fault:
            self._fail(file, seen.capture, our_fault(file.path, fault))
        else:
            self._hold(found, self._place.name)

    def _observed(self, captures: Sequence[Seen]) -> Observed:
        """Add captures up."""
        return observed(captures, self._place, self._options.outside.networks, self._secret, self._model)

    def _hold(self, found: Observed, place: str) -> None:
        """Hold what was added up of a place until it is written."""
        self._aside.add(OBSERVATIONS, found.rows)
        self._aside.add(MARKS, found.marks)
        for meant in (found.names, found.servers, found.values):
            self._note(meant, place)

    def _note(self, meant: Meant, place: str) -> None:
        """Remember what numbers stand for, and the most clients of any capture that asked for it."""
        nothing = [None] * len(meant.key)
        ends = (meant.port or nothing, meant.transport or nothing)
        columns = (meant.key.tolist(), meant.text, *ends, meant.clients.tolist())
        for key, text, port, transport, clients in zip(*columns, strict=True):
            known = self._meaning.get((place, key))
            if known is None:
                known = {"kind": meant.kind, "key": key, "text": text, "port": port, "transport": transport}
                self._meaning[place, key] = known | {"place": place, "clients": clients}
            elif known["clients"] < clients:
                known["clients"] = clients


def judged_whole(path: str, options: Options) -> tuple[Judged | CaptureError, Facts]:
    """Judge a capture that one worker reads."""
    facts = [Facts.empty()]
    outcome = judge_path(path, options, look=lambda trace: facts.append(facts_of(trace)))
    return outcome, facts[-1]


def content_of(path: str, size: int | None = None) -> str:
    """Hash the content of a file, expanded: a capture that was compressed since is the same capture.

    Args:
        path: The file.
        size: How much of it, None for all.

    Raises:
        OSError: It cannot be read.
    """
    try:
        return hashed(Inlet(path).through(pieces_of(path, size)))
    except NetinterfError:  # no capture, or nothing that can be expanded: as it lies there
        pieces = pieces_of(path, size)
        return hashed(expanded(pieces) if is_ooni(path) else pieces)


def expanded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Expand measurements that gzip compressed."""
    first = next(pieces, b"")
    kind = compression_of(first)
    expander = Expander(kind) if kind else None
    for piece in chain([first], pieces):
        yield from [piece] if expander is None else expander.feed(piece)
    if expander is not None:
        yield from expander.close()


def pieces_of(path: str, size: int | None) -> Iterator[bytes]:
    """Read a file, or its beginning, piece by piece."""
    left = sys.maxsize if size is None else size
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(min(PIECE, left)):
            left -= len(piece)
            yield piece


def hashed(pieces: Iterator[bytes]) -> str:
    """Hash bytes that come in pieces."""
    digest = blake2b(digest_size=HASH)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def our_fault(path: str, fault: Exception) -> CaptureError:
    """Put a fault of ours into words: it costs this file only, as a fault in judging does."""
    return CaptureError(path, f"could not be added up ({type(fault).__name__}: {fault}); please report this")


def about_error(error: CaptureError) -> dict[str, Any]:
    """Write what is wrong with a capture as values of its row."""
    where = "" if error.offset is None else f" at byte {error.offset}"
    return {"error": type(error).__name__, "message": as_text(f"{error.reason}{where}")}


def about_capture(summary: Summary) -> dict[str, Any]:
    """Write the line of a capture as values of its row."""
    counts = {note.code: note.count for note in summary.diagnostics}
    told = [f"{counts[CROSSED]:,} {GOES_ON}"] if CROSSED in counts else []
    told += [note.message for note in summary.diagnostics if note.code == UNCUT]
    return {
        "first": summary.first,
        "last": summary.last,
        "packets": summary.packets,
        "bytes": summary.bytes,
        "vantage": summary.vantage,
        "link_types": list(summary.link_types),
        "notes": list(dict.fromkeys(note.code for note in summary.diagnostics)),
        "model": summary.model,
        "kind": PACKETS,
        "pieces": counts.get(PIECES),
        "crossed": counts.get(CROSSED, 0) if PIECES in counts else None,
        "left_open": counts.get(OPEN, 0) if PIECES in counts else None,
        "message": "; ".join(told) or None,
    }
