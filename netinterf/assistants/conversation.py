"""Everything about one conversation of a capture, and its packets as a file of their own."""

import os
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from typing import Any

import numpy as np

from netinterf.analyzers.registry import builtin
from netinterf.arrays import I64
from netinterf.assistants.pages import Page
from netinterf.assistants.shelf import Shelf
from netinterf.assistants.standins import beside
from netinterf.engine.extract import packets_of, write_packets
from netinterf.engine.judged import Judged
from netinterf.engine.options import WHOLE
from netinterf.engine.subject import subjects_named
from netinterf.errors import ParameterError, RefusedPath, UsageError
from netinterf.privacy.traces import redact_trace
from netinterf.report.explained import explain_subject, explained_line
from netinterf.trace import Trace
from netinterf.written.comments import frame_comments

__all__ = ["explain", "extract"]


def explain(shelf: Shelf, arguments: dict[str, Any]) -> dict[str, Any]:
    """Tell all that is known about the conversation of a frame: as `explained_line` writes it, one for each subject.

    Raises:
        RefusedPath: The capture may not be opened, or is too large.
        CaptureError: It cannot be read.
        ParameterError: There is no such conversation.
    """
    _, judged, trace, rows = conversation(shelf, arguments)
    summary, told = judged.summary, shelf.told(judged)
    page = Page.asked(arguments, summary.packets, summary.bytes, summary.first, summary.last)
    shown, analyzers = judged.redacted(shelf.setting.standins), shelf.setting.options.analyzers or builtin()
    packets = as_told(shelf, trace)

    def written(begin: int, end: int) -> Iterator[dict[str, Any]]:
        explained = (explain_subject(shown, packets, row, analyzers) for row in rows[begin:end].tolist())
        return (beside(explained_line(one), told) for one in explained)

    return page.answer(None, len(rows), written)


def extract(shelf: Shelf, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the packets of the conversation of a frame as pcapng, with what each shows; a new file, whatever is there.

    Raises:
        RefusedPath: Nothing may be written, or the capture not opened, or it is too large.
        CaptureError: It cannot be read.
        ParameterError: There is no such conversation.
        OSError: The file cannot be written.
    """
    folder, standins = shelf.setting.out, shelf.setting.standins
    if folder is None:
        raise RefusedPath("no packets are written: the server was started without --out")
    path, judged, trace, rows = conversation(shelf, arguments)
    if not standins.raw:
        judged = judged.redacted(standins)
    verdicts = [judged.ledger[row] for row in rows.tolist()]
    packets = np.unique(np.concatenate([packets_of(trace, verdict) for verdict in verdicts]))
    said, content = frame_comments(verdicts), BytesIO()
    write_packets(content, as_told(shelf, trace), packets, said)
    name = written_new(folder, f"{standins.capture(path)}-frame-{arguments['frame']}", content.getvalue())
    return {"file": name, "packets": len(packets), "comments": len(said), "bytes": content.tell()}


def conversation(shelf: Shelf, arguments: dict[str, Any]) -> tuple[str, Judged, Trace, I64]:
    """Judge a capture, and find the conversation of a frame; all with what was in it.

    Returns:
        Its path, what was judged, its packets, and the rows of verdicts about the conversation.
    """
    path, judged, trace = shelf.read(arguments["path"])
    if trace is None:
        raise ParameterError("path", path, f"a capture of no more than {WHOLE:,} packets, which is looked at as one")
    try:
        return path, judged, trace, subjects_named(judged, trace, str(arguments["frame"]))
    except UsageError:
        frames = trace.packets.frame
        span = f"{int(frames.min()):,} to {int(frames.max()):,}" if len(frames) else "of which it has none"
        allowed = f"a frame of this capture, {span}, that belongs to a conversation that is judged"
        raise ParameterError("frame", arguments["frame"], allowed) from None


def as_told(shelf: Shelf, trace: Trace) -> Trace:
    """Take out of packets what may not be told."""
    return trace if shelf.setting.standins.raw else redact_trace(trace, shelf.setting.standins)


def written_new(folder: str, stem: str, content: bytes) -> str:
    """Write a file whose name nothing has yet, readable for its owner; give its name."""
    for number in count(1):
        name = f"{stem}{'' if number == 1 else f'-{number}'}.pcapng"
        path = os.path.join(folder, name)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        except OSError:
            os.unlink(path)
            raise
        return name
    raise AssertionError  # numbers do not end
