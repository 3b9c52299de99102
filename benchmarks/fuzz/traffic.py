"""Packets: decoded, put into flows, followed by their numbers, and taken the whole way to what is written of them."""

import zlib
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import product
from random import Random

import attrs
import numpy as np

from benchmarks.fuzz.fence import fenced
from benchmarks.fuzz.packets import TCP, UDP, Frames, packed_frames
from benchmarks.fuzz.twice import Told, same, told_of, twice
from netinterf import Session
from netinterf.analyzers.run import FAILED
from netinterf.arrays import I64, U8
from netinterf.decode import decode
from netinterf.decode.decoder import Decoded
from netinterf.decode.unread import SHORTENED
from netinterf.engine.judged import Judged
from netinterf.errors import CaptureError, UnsupportedLinkType
from netinterf.export.jsonl import lines
from netinterf.flows.assign import Assigned, assign_flows
from netinterf.flows.datagrams import repeated_datagrams
from netinterf.flows.rtt import rtt_samples
from netinterf.flows.sequence import mark_segments
from netinterf.flows.sides import build_sides
from netinterf.flows.stream import head_segments, stream_bytes
from netinterf.privacy.redaction import Redaction
from netinterf.report import html
from netinterf.report.lines import laid_out
from netinterf.report.text import capture_text
from netinterf.schema import HeadSegments, Packets, Records, RttSamples, Sides, TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["check_decode", "check_flows", "check_tcp", "check_whole", "seeds_of"]


def records_of(frames: Frames) -> Records:
    """List frames that lie one behind the other."""
    sizes = np.array([len(one) for one in frames.frames], np.int64)
    return Records(
        frame=np.arange(1, len(sizes) + 1, dtype=np.uint32),
        time=np.array(frames.times, np.int64),
        at=np.cumsum(sizes) - sizes,
        captured=sizes.astype(np.uint32),
        length=np.array(frames.lengths, np.uint32),
    )


def buffer_of(frames: Frames) -> U8:
    """Put the bytes of frames one behind the other, and nothing behind the last."""
    return fenced(b"".join(frames.frames))


def decoded(frames: Frames) -> Decoded:
    """Decode frames."""
    return decode(buffer_of(frames), records_of(frames), [frames.link_type], partial=True)


def same_in_lots(whole: Decoded, lots: Sequence[Decoded]) -> None:
    """Hold frames that were decoded together against the same in lots."""
    same(whole.endpoints, type(whole.endpoints).concat([one.endpoints for one in lots]))
    for name in ("version", "protocol", "status", "payload_at", "payload_length", "tcp_options", "mss", "seq", "icmp"):
        parts = [getattr(one.packets, name) for one in lots]
        assert np.array_equal(getattr(whole.packets, name), np.concatenate(parts)), f"two lots differ in {name}"


def check_decode(data: bytes) -> Told:
    """Decode frames together, without what is compiled, and in two lots, which must give the same."""
    frames = Frames.of(data)
    if not frames.frames:
        return set()
    frames = Frames(frames.link_type, tuple(sorted(frames.times)), frames.frames, frames.lengths)
    whole = twice(data, lambda: decoded(frames))
    middle = zlib.crc32(data) % (len(frames.frames) + 1)
    lots = [decoded(frames.part(slice(middle))), decoded(frames.part(slice(middle, None)))]
    if not any(note.code == SHORTENED for one in (whole, *lots) for note in one.diagnostics):
        same_in_lots(whole, lots)  # that somebody cut frames is told from all of them
    packets = whole.packets
    return told_of(packets, "version", "protocol", "status", "tcp_options") | told_of(
        whole.quotes, "version", "protocol"
    )


@frozen(eq=False)
class Followed:
    """What is known of flows before payloads are read."""

    assigned: Assigned
    packets: Packets
    sides: Sides
    rtts: RttSamples
    heads: HeadSegments


def followed(frames: Frames, moved: int = 0) -> Followed:
    """Put frames into flows, and follow the numbers of each side, all of them moved on by some."""
    buffer, found = buffer_of(frames), decoded(frames)
    acking = (found.packets.tcp_flags & TcpFlag.ACK) != 0
    seq, ack = (numbers + np.uint32(moved) for numbers in (found.packets.seq, found.packets.ack))
    numbered = attrs.evolve(found.packets, seq=seq, ack=np.where(acking, ack, found.packets.ack))
    assigned = assign_flows(numbered, found.endpoints)
    flows, by_flow = assigned.flows, assigned.by_flow
    datagrams = repeated_datagrams(buffer, assigned.packets, flows, by_flow)
    packets = mark_segments(assigned.packets, flows, by_flow, datagrams)
    sides = build_sides(packets, flows, by_flow)
    rtts = rtt_samples(packets, flows, by_flow, sides)
    return Followed(assigned, packets, sides, rtts, head_segments(buffer, packets, sides, by_flow))


def told_of_flows(found: Followed) -> Told:
    """Say what was seen of packets, sides and pieces."""
    return (
        told_of(found.packets, "protocol", "marks", "outbound")
        | told_of(found.rtts, "kind")
        | told_of(found.heads, "kind")
        | {("sides", *(bool(x) for x in row)) for row in zip(*(getattr(found.sides, name) > 0 for name in
           ("fin", "rst", "repeats", "fills", "sent", "acked")), strict=True)}
    )  # fmt: skip


def check_flows(data: bytes) -> Told:
    """Put packets into flows with what is compiled and without; the flows of some alone are those of all."""
    frames = Frames.of(data)
    if not frames.frames:
        return set()
    found = twice(data, lambda: followed(frames))
    flow, rows = found.packets.flow, np.sort(found.assigned.by_flow.values)
    assert np.array_equal(rows, np.flatnonzero(flow >= 0)), "a packet in no flow, or in two"
    assert len(np.unique(flow[rows])) == len(found.assigned.flows), "a flow without packets"
    return told_of_flows(found) | told_of(found.assigned.flows, "protocol")


MOST_BYTES = 500


def check_tcp(data: bytes) -> Told:
    """Follow numbers: the same must be seen where all of them begin elsewhere, for they mean nothing by themselves.

    What a reset acknowledges is left out: where nothing else tells what its receiver sent, it is counted from 0.
    """
    frames = Frames.of(data)
    if not frames.frames:
        return set()
    found = twice(data, lambda: followed(frames))
    moved = followed(frames, 1 + zlib.crc32(data))
    sure = found.packets.tcp_flags & TcpFlag.RST == 0
    for name in ("marks", "outbound", "relative_seq", "relative_ack"):
        rows = sure if name == "relative_ack" else slice(None)
        before, after = getattr(found.packets, name)[rows], getattr(moved.packets, name)[rows]
        assert np.array_equal(before, after), f"moved numbers change {name}"
    same(attrs.evolve(found.sides, isn=moved.sides.isn), moved.sides)
    same((found.rtts, found.heads), (moved.rtts, moved.heads))
    tables = (buffer_of(frames), found.packets, found.assigned.by_flow, found.sides)
    for flow, outbound in product(range(min(len(found.assigned.flows), 4)), (False, True)):
        assert len(stream_bytes(*tables, flow, outbound, MOST_BYTES)) <= MOST_BYTES, "a stream longer than asked for"
    return told_of_flows(found)


IN_PIECES = 3
"""Inputs of which one is judged again in pieces, which takes as long again."""

OTHERWISE = 16
"""Inputs of which one is written as a page and without addresses, too, which takes as long again each."""

FORBIDDEN = {*range(0x20), *range(0x7F, 0xA0), 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069}
"""C0, DEL, C1 and bidirectional controls: nothing of a packet may reach a screen so."""


def check_whole(data: bytes) -> Told:
    """Judge a capture fed at once and in pieces: the same lines are written, nothing unsafe, and no analyzer failed."""
    frames = Frames.of(data)
    capture = frames.pcap()
    rng = Random(zlib.crc32(data))
    at_once = judged(capture, [])
    if at_once is None:
        return {("refused",)}
    written = list(lines(at_once, everything=True))
    if zlib.crc32(data) % IN_PIECES == 0:
        in_pieces = judged(capture, sorted(rng.randrange(len(capture) + 1) for _ in range(3)))
        assert in_pieces is not None, "refused in pieces only"
        same(written, list(lines(in_pieces, everything=True)))
    others = list(laid_out(capture_text(at_once, everything=True)))
    if zlib.crc32(data) // IN_PIECES % OTHERWISE == 0:
        page = StringIO()
        html([at_once], page, everything=True)
        redacted = at_once.redacted(Redaction.of(bytes(16)))
        others += [page.getvalue(), *lines(redacted, everything=True)]
    for line in (*written, *others):
        assert FORBIDDEN.isdisjoint(map(ord, line.replace("\n", ""))), f"a control character in {line!r:.200}"
    failed = [note.message for note in at_once.summary.diagnostics if note.code == FAILED]
    assert not failed, failed[0]
    ledger = at_once.ledger
    evidence = ledger.evidence
    assert np.isfinite(evidence.llr).all(), "a weight that is not finite"
    return {("rule", evidence.rules[place].id) for place in set(evidence.rule.tolist())} | told_of(
        ledger.verdicts, "outcome", "grade", "mechanism"
    )


def judged(capture: bytes, cuts: list[int]) -> Judged | None:
    """Feed a session and judge; None where it refuses the capture."""
    session = Session(name="fuzz")
    try:
        for begin, end in zip([0, *cuts], [*cuts, len(capture)], strict=True):
            session.feed(capture[begin:end])
        session.close()
    except UnsupportedLinkType:
        return None
    except CaptureError as error:
        raise AssertionError(f"refused what is a capture: {error}") from error
    return session.judged


def chosen(trace: Trace, protocols: tuple[int, ...], most: int) -> Iterator[I64]:
    """Choose packets: the first of each of the first flows, and the first of some together."""
    flows = np.flatnonzero(np.isin(trace.flows.protocol, protocols))[:6].tolist()
    for flow in flows:
        yield trace.by_flow[flow][:most].astype(np.int64)
    if len(flows) > 1:
        yield np.sort(np.concatenate([trace.by_flow[flow][: most // 3] for flow in flows[:4]]).astype(np.int64))[:most]


def seeds_of(trace: Trace, *, protocols: tuple[int, ...] = (TCP, UDP, 1, 58), most: int, size: int) -> Iterator[bytes]:
    """Make inputs of flows of a capture: at most so many packets, with so many bytes of each."""
    for rows in chosen(trace, protocols, most):
        yield packed_frames(trace, rows, size)
