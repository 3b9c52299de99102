"""A capture that is cut by time: what each of several workers does, and what lies aside meanwhile.

One lists its frames, hashes its content and cuts the list; others look at a piece each; one puts together what they
saw, as one capture with one entry. What passes between them lies in a folder below ``pending``, which goes when the
capture is in place, or with the next collect. A piece that is looked at twice gives the same file.
"""

import pickle
import sys
from collections.abc import Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from netinterf.campaign.collecting.batch import HASH, UNCUT, File, judged_whole, pieces_of
from netinterf.campaign.collecting.facts import Facts, facts_of
from netinterf.campaign.collecting.gather import Cut, Receipt, Task, gather, opened
from netinterf.campaign.stored.known import content_number, is_among
from netinterf.campaign.stored.parts import dropped
from netinterf.campaign.stored.store import Store, new_name
from netinterf.capture import Listing
from netinterf.capture.cutting import in_pieces
from netinterf.capture.formats import compression_of
from netinterf.capture.inlet import HEAD
from netinterf.capture.source import load
from netinterf.engine.cut import PIECE_PACKETS, Counts, Piece, join_pieces, look_at_piece, with_beside
from netinterf.engine.each import attempt
from netinterf.engine.judged import Judged
from netinterf.engine.options import Options
from netinterf.errors import CaptureError, NetinterfError, UnreadableSource
from netinterf.schema import Diagnostic, Records
from netinterf.writing import NewFile

__all__ = ["work"]

SAYS = "compressed, and so one worker judged it as it is: a large capture is cut where it is not compressed"

ROW = np.dtype([(column.name, column.dtype) for column in Records.schema()])
"""How a frame is written down: 30 bytes."""


def work(task: Task) -> Receipt:
    """Do what is to be done with a batch, or with one capture that is cut; what is written counts once committed."""
    if task.cut is None:
        return gather(task)
    cut = task.cut
    aside = Aside(Store(Path(task.setting.store)).pending / (cut.folder or new_name()))
    try:
        if cut.piece is not None:
            return look(task, cut.piece, cut.pieces, aside)
        if cut.folder:
            return gather(task, partial(put_together, aside, cut.pieces), cut.capture)
        return begin(task, cut, aside)
    except OSError as cause:
        return Receipt(trouble=f"{task.setting.store}: {cause.strerror or cause}")


class Aside:
    """What lies aside of a capture that is cut: its frames piece by piece, and what was seen of each.

    Args:
        folder: Where.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep_frames(self, piece: int, records: Records) -> None:
        """Write down where the frames of a piece lie."""
        rows = np.empty(len(records), ROW)
        for name in rows.dtype.names or ():
            rows[name] = getattr(records, name)
        np.save(self.folder / f"frames-{piece}.npy", rows)

    def frames(self, piece: int, pieces: int) -> Records:
        """Read it; nothing where there is no such piece."""
        if not 0 <= piece < pieces:
            return Records.empty()
        rows = np.load(self.folder / f"frames-{piece}.npy")
        return Records(**{name: np.ascontiguousarray(rows[name]) for name in ROW.names or ()})

    def keep(self, name: str, value: Any) -> None:
        """Write something down, as a whole or not at all."""
        with NewFile(self.folder / name) as file:
            file.stream.write(pickle.dumps(value))

    def kept(self, name: str) -> Any:
        """Read it."""
        return pickle.loads((self.folder / name).read_bytes())


def begin(task: Task, cut: Cut, aside: Aside) -> Receipt:
    """Hash a capture and cut it; what cannot be cut is judged as it is.

    Raises:
        OSError: Frames cannot be written down.
    """
    (file,) = task.files
    if task.lost:
        return gather(task)
    try:
        if is_compressed(file):
            return gather(task, judged_uncut)
        aside.folder.mkdir(parents=True)
        capture, pieces = surveyed(file, cut.size, aside)
    except NetinterfError:
        pieces = 0
    if pieces < 2:
        dropped(aside.folder)
        return gather(task)
    _, contents, _ = opened(task.setting)
    known = capture in task.taken or is_among(content_number(capture), contents)
    return Receipt(cut=attrs.evolve(cut, folder=aside.folder.name, capture=capture, pieces=0 if known else pieces))


def surveyed(file: File, size: int, aside: Aside) -> tuple[str, int]:
    """List the frames of a capture and write them down piece by piece; give its hash, and how many pieces there are.

    Pieces begin at about equal distances in the file.

    Raises:
        NetinterfError: It cannot be read.
        OSError: Frames cannot be written down.
    """
    listing, content, last = Listing(file.path), Hashed(file), -1

    def written() -> Iterator[Records]:
        nonlocal last
        pieces = in_pieces(listing.parts(), -(-file.size // -(-file.size // size)), PIECE_PACKETS)
        for last, records in enumerate(pieces):
            aside.keep_frames(last, records)
            content.read(int(records.at[-1]))  # while it is in memory
            yield records

    counts = Counts.of(written())
    about = attrs.evolve(listing.capture([Records.empty()]), buffer=np.empty(0, np.uint8))
    aside.keep("capture", (about, counts))
    return content.hash(), last + 1


class Hashed:
    """Hash a file, and be where somebody else reads it.

    Args:
        file: The file.
    """

    def __init__(self, file: File) -> None:
        self._pieces = content_pieces(file)
        self._digest, self._size = blake2b(digest_size=HASH), 0

    def read(self, until: int) -> None:
        """Read on, up to about some byte.

        Raises:
            UnreadableSource: It cannot be read; `hash` as well.
        """
        while self._size < until and (piece := next(self._pieces, b"")):
            self._digest.update(piece)
            self._size += len(piece)

    def hash(self) -> str:
        """Read the rest, and give the hash of all."""
        self.read(sys.maxsize)
        return self._digest.hexdigest()


def content_pieces(file: File) -> Iterator[bytes]:
    """Read a file piece by piece.

    Raises:
        UnreadableSource: It cannot be read.
    """
    try:
        yield from pieces_of(file.path, None)
    except OSError as cause:
        raise UnreadableSource(file.path, f"cannot be read: {cause.strerror or cause}") from cause


def is_compressed(file: File) -> bool:
    """Say whether a file is compressed, so that nobody can begin to read in its middle.

    Raises:
        UnreadableSource: It cannot be read.
    """
    try:
        with open(file.path, "rb", buffering=0) as opened_file:
            return bool(compression_of(opened_file.read(HEAD)))
    except OSError as cause:
        raise UnreadableSource(file.path, f"cannot be read: {cause.strerror or cause}") from cause


def judged_uncut(path: str, options: Options) -> tuple[Judged | CaptureError, Facts]:
    """Judge a large capture that is compressed, and say so."""
    outcome, facts = judged_whole(path, options)
    if isinstance(outcome, Judged):
        notes = (*outcome.summary.diagnostics, Diagnostic(UNCUT, SAYS))
        outcome = attrs.evolve(outcome, summary=attrs.evolve(outcome.summary, diagnostics=notes))
    return outcome, facts


def look(task: Task, piece: int, pieces: int, aside: Aside) -> Receipt:
    """Look at a piece, and write down what was seen, or why that failed.

    Raises:
        OSError: It cannot be written down.
    """
    (file,) = task.files
    outcome: Piece | CaptureError = CaptureError(file.path, task.lost)
    if not task.lost:
        options, _, _ = opened(task.setting)
        outcome = attempt(file.path, options, partial(seen_of, file.path, piece, pieces, aside, options))
    cause = outcome.__cause__ if isinstance(outcome, CaptureError) else None
    aside.keep(f"seen-{piece}", (outcome, cause if isinstance(cause, OSError) else None))
    return Receipt()


def seen_of(path: str, piece: int, pieces: int, aside: Aside, options: Options) -> Piece:
    """Look at a piece; where the file is another by now is told when it is entered."""
    before, own, behind = (aside.frames(place, pieces) for place in (piece - 1, piece, piece + 1))
    about, _ = aside.kept("capture")
    records = with_beside(before, own, behind)
    capture = attrs.evolve(about, buffer=load(path).buffer, records=records)
    return look_at_piece(capture, own, path, options, pieces, facts_of)


def put_together(aside: Aside, pieces: int, path: str, options: Options) -> tuple[Judged | CaptureError, Facts]:
    """Judge all pieces as one, or say why one could not be looked at.

    Raises:
        OSError: What was written down cannot be read.
    """
    seen = list[Piece]()
    for piece in range(pieces):
        outcome, cause = aside.kept(f"seen-{piece}")
        if isinstance(outcome, CaptureError):
            outcome.__cause__ = cause
            return outcome, Facts.empty()
        seen.append(outcome)
    about, counts = aside.kept("capture")

    def whole() -> tuple[Judged, tuple[Any, ...]]:
        capture = attrs.evolve(about, buffer=load(path).buffer, records=aside.frames(0, pieces))
        return join_pieces(seen, capture, counts, path, options, facts_of)

    joined = attempt(path, options, whole)
    if isinstance(joined, CaptureError):
        return joined, Facts.empty()
    return joined[0], Facts.concat(list(joined[1]))
