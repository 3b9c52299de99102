"""Write the packets of verdicts to a file of their own."""

import os
from collections.abc import Mapping
from typing import BinaryIO

import attrs
import numpy as np

from netinterf.capture import write_pcapng, write_records
from netinterf.engine.crowd import UNLISTED
from netinterf.engine.judged import Judged
from netinterf.engine.tally import CUT
from netinterf.errors import ParameterError, UsageError
from netinterf.privacy.traces import RedactedSource, paths_of, read_source
from netinterf.schema import File, SubjectKind
from netinterf.trace import Trace
from netinterf.writing import refuse_overwriting
from netinterf.written.comments import frame_comments
from netinterf.written.record import Verdict

__all__ = ["COMMENTED", "extract", "packets_of", "read_again", "read_all_again", "write_packets"]

COMMENTED = ".pcapng"
"""What a file is called that has room for comments; classic pcap has none."""

CHANGED = "the capture as it was when it was judged"


def extract(verdict: Verdict, target: str | os.PathLike[str] | BinaryIO, judged: Judged) -> int:
    """Read a capture again and write all packets of a verdict's flow or exchange.

    Args:
        verdict: A verdict about the capture.
        target: A path (replaced when the file is whole) or a binary file object. One that ends in ``.pcapng`` gets
            pcapng, with what the verdict says of frames as comments, which Wireshark shows; all others get pcap.
        judged: The capture. Of a redacted one, redacted packets are written; of joined files, only those are read that
            were recorded meanwhile, or all for a group.

    Returns:
        How many packets were written.

    Raises:
        ParameterError: The capture came from a pipe, changed since it was judged, is the target, or its packets have
            several link types, which one pcap file cannot hold (pcapng can).
        CaptureError: The capture cannot be read any more.
        OSError: The target cannot be written.
    """
    refuse_overwriting(target, paths_of(judged.source))
    trace, rows = read_meanwhile(verdict, judged)
    commented = isinstance(target, str | os.PathLike) and os.fspath(target).endswith(COMMENTED)
    write_packets(target, trace, rows, frame_comments([verdict]) if commented else None)
    return len(rows)


def write_packets(
    target: str | os.PathLike[str] | BinaryIO,
    trace: Trace,
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    said: Mapping[int, str] | None,
) -> None:
    """Write some packets of a trace: pcapng where something is said of frames, by their numbers, else pcap.

    Raises:
        ParameterError: The packets have several link types, which one pcap file cannot hold.
        OSError: The target cannot be written.
    """
    packets = trace.packets.take(rows)
    columns = (trace.buffer, packets.at, packets.captured, packets.length, packets.time)
    if said is not None:
        comments = {row: said[frame] for row, frame in enumerate(packets.frame.tolist()) if frame in said}
        write_pcapng(target, *columns, packets.interface, trace.interfaces, comments)
        return
    kinds = {trace.interfaces[place].link_type for place in np.unique(packets.interface).tolist()}
    if len(kinds) != 1:
        raise ParameterError(
            "verdict", sorted(kinds), f"packets of one link type, or a target that ends in {COMMENTED}"
        )
    write_records(target, *columns, link_type=kinds.pop())


def read_again(verdict: Verdict, judged: Judged) -> tuple[Trace, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Read the capture of a verdict again, and find the verdict's packets in it.

    Raises:
        ParameterError: The capture came from a pipe, or changed since it was judged.
        CaptureError: The capture cannot be read any more.
    """
    if judged.source is None:
        raise ParameterError("verdict", verdict.capture, "a verdict about a file: a pipe cannot be read twice")
    trace = only_listed(read_source(judged.source), judged)
    return trace, packets_of(trace, verdict)


def read_meanwhile(verdict: Verdict, judged: Judged) -> tuple[Trace, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Read those of joined files again that were recorded while a verdict's conversation lasted; see `read_again`.

    Frames have the numbers that they have among all.
    """
    files, source = judged.ledger.files, judged.source
    first_frames = {file.path: file.first_frame for file in files if meanwhile(file, verdict)}
    if source is None or not first_frames or verdict.rows is not None:  # (a group's members are known by their rows)
        return read_again(verdict, judged)
    paths = tuple(first_frames)
    trace = read_source(source.part(paths) if isinstance(source, RedactedSource) else paths)
    read = [(file.path, file.first_frame) for file in trace.files] or [(paths[0], 1)]
    counted = np.array([first for _, first in read])
    shift = np.array([first_frames[path] for path, _ in read]) - counted
    place = np.searchsorted(counted, trace.packets.frame, side="right") - 1
    packets = attrs.evolve(trace.packets, frame=(trace.packets.frame + shift[place]).astype(np.uint32))
    trace = only_listed(attrs.evolve(trace, packets=packets), judged)
    return trace, packets_of(trace, verdict)


def meanwhile(file: File, verdict: Verdict) -> bool:
    """Say whether a file holds packets from the time of a verdict's conversation."""
    return file.began is not None and file.began <= verdict.end and (file.ended or 0) >= verdict.start


def read_all_again(judged: Judged) -> Trace:
    """Read a whole capture again, with all that was said in it; of a redacted one, what redaction leaves.

    Raises:
        UsageError: The capture came from a pipe, changed since it was judged, or was judged in windows.
        CaptureError: The capture cannot be read any more.
    """
    summary = judged.summary
    if judged.source is None:
        raise UsageError(f"{summary.capture}: a pipe cannot be read twice; write it to a file first")
    trace = read_source(judged.source)
    counts = (len(trace.packets), len(trace.flows), len(trace.exchanges))
    if any(note.code in CUT for note in summary.diagnostics):
        raise UsageError(f"{summary.capture}: it was judged window by window, and is too large to be judged as one")
    if counts != (summary.packets, summary.flows, summary.exchanges):
        raise UsageError(f"{summary.capture}: it is no longer {CHANGED}")
    return only_listed(trace, judged)


def only_listed(trace: Trace, judged: Judged) -> Trace:
    """Leave out conversations that were counted and not listed, so that rows are those of the ledger."""
    if not any(note.code == UNLISTED for note in judged.summary.diagnostics):
        return trace
    first = trace.packets.frame[trace.flows.first_packet]
    return trace.select(np.isin(first, judged.ledger.flows.first_packet))


def packets_of(trace: Trace, verdict: Verdict) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """List the rows in ``trace.packets`` of a verdict's flow or exchange, or of a group's members, in order of time.

    Raises:
        ParameterError: The capture does not hold the verdict's subject (any more).
    """
    if verdict.rows is not None:
        kind, row = verdict.rows.T
        flows, exchanges = row[kind == SubjectKind.FLOW], row[kind == SubjectKind.EXCHANGE]
        if flows.max(initial=-1) < len(trace.flows) and exchanges.max(initial=-1) < len(trace.exchanges):
            queries, replies = trace.exchanges.queries.take(exchanges), trace.exchanges.replies.take(exchanges)
            messages = np.concatenate([queries.values, replies.values])
            packets = np.concatenate([trace.by_flow.take(flows).values, trace.dns.packet[messages]])
            rows = np.unique(packets.astype(np.int64))
            if verdict.subject.first_frame in {None, *trace.packets.frame[rows].tolist()}:
                return rows
        raise ParameterError("verdict", verdict.capture, CHANGED)
    rows = subject_rows(trace, verdict, verdict.row)
    if len(rows) and trace.packets.frame[rows[0]] == verdict.subject.first_frame:
        return rows
    for row in begun_by(trace, verdict):
        return subject_rows(trace, verdict, row)
    raise ParameterError("verdict", verdict.capture, CHANGED)


def subject_rows(trace: Trace, verdict: Verdict, row: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """List the packets of one flow, or of one exchange where the verdict is about one; none where there is no such."""
    exchange = verdict.subject.kind == "exchange"
    if not 0 <= row < (len(trace.exchanges) if exchange else len(trace.flows)):
        return np.empty(0, np.int64)
    if not exchange:
        packets: np.ndarray[tuple[int], np.dtype[np.int64]] = trace.by_flow[row].astype(np.int64)
        return packets
    messages = np.concatenate([trace.exchanges.queries[row], trace.exchanges.replies[row]])
    return np.unique(trace.dns.packet[messages]).astype(np.int64)


def begun_by(trace: Trace, verdict: Verdict) -> list[int]:
    """Find the flow or exchange between the verdict's ends that has its first frame.

    Rows are others where a large capture was looked at in windows, and what was cut began before.
    """
    subject, packets = verdict.subject, trace.packets
    packet = np.flatnonzero(packets.frame == subject.first_frame)
    flow = packets.flow[packet]
    ends = {subject.client, subject.server}
    here = [
        number for number in flow[flow >= 0].tolist()
        if {trace.address(trace.flows.client[number]), trace.address(trace.flows.server[number])} == ends
    ]  # fmt: skip
    if not here or subject.kind != "exchange":
        return here
    exchange = trace.dns.exchange[np.isin(trace.dns.packet, packet)]
    return [int(number) for number in np.unique(exchange) if number >= 0]
