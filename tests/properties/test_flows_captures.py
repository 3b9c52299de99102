"""The flow stages on real captures: the slow twins agree there too, and so does tshark where the definitions meet."""

import itertools

import pytest

from netinterf.capture import open_capture
from netinterf.decode import decode
from netinterf.errors import CaptureError
from netinterf.flows.assign import assign_flows
from netinterf.flows.rtt import rtt_samples
from netinterf.flows.sequence import mark_segments
from netinterf.flows.sides import build_sides
from netinterf.schema import Mark
from tests.oracles.naive_flows import naive_marks, naive_rtt

pytestmark = [pytest.mark.captures, pytest.mark.usefixtures("each_way")]

SMALL = 60_000  # bytes: the slow twins take their time


def small_captures(folder, step):
    """List every *step*-th small capture below a folder."""
    paths = sorted(path for path in folder.rglob("*.*cap*") if path.is_file() and path.stat().st_size < SMALL)
    return itertools.islice(paths, 0, None, step)


def assigned(path):
    """Read one capture up to its flows; None where it cannot be read."""
    try:
        capture = open_capture(path)
        links = [interface.link_type for interface in capture.interfaces]
        decoded = decode(capture.buffer, capture.records, links, source=str(path))
    except CaptureError:
        return None
    return assign_flows(decoded.packets, decoded.endpoints)


def test_twins_agree_on_real_captures(captures_dir):
    """Marks, numbers and round trips of a sample of real captures equal those of the slow twins."""
    looked = 0
    for path in small_captures(captures_dir, 25):
        if (found := assigned(path)) is None or len(found.packets) > 1000:
            continue
        packets = mark_segments(found.packets, found.flows, found.by_flow)
        seq, ack, marks = naive_marks(found.packets, found.flows, found.by_flow)
        assert seq.tolist() == packets.relative_seq.tolist(), path.name
        assert ack.tolist() == packets.relative_ack.tolist(), path.name
        assert marks.tolist() == packets.marks.tolist(), path.name
        sides = build_sides(packets, found.flows, found.by_flow)
        samples = rtt_samples(packets, found.flows, found.by_flow, sides)
        pairs = set(zip(*(getattr(samples, column.name).tolist() for column in samples.schema()), strict=True))
        assert naive_rtt(packets, found.by_flow, sides.sent) == pairs, path.name
        looked += 1
    assert looked > 20


@pytest.mark.tshark
def test_tshark_finds_the_same_repeats(captures_dir, tshark):
    """What tshark calls a retransmission or out of order is old data here, in ordinary captures without copies."""
    agree = differ = 0
    analysis = [f"tcp.analysis.{name}" for name in ("retransmission", "out_of_order")]
    for path in small_captures(captures_dir / "benign", 80):
        if (found := assigned(path)) is None or not (found.packets.protocol == 6).any():
            continue
        packets = mark_segments(found.packets, found.flows, found.by_flow)
        if (packets.marks & Mark.DUPLICATE_FRAME.value).any():
            continue  # tshark takes copies of acknowledgements for something else
        rows = {int(frame): row for row, frame in enumerate(packets.frame)}
        for frame, *kinds in tshark(path, "frame.number", *analysis, options=("-Y", "tcp && !icmp && !icmpv6")):
            mark = Mark(int(packets.marks[rows[int(frame)]]))
            ours = mark & (Mark.REPEAT | Mark.PARTIAL_REPEAT | Mark.FILL | Mark.DUPLICATE_FRAME)
            theirs = any(kind.strip() for kind in kinds)
            agree += theirs and bool(ours)
            differ += theirs != bool(ours)
    assert agree > 0
    assert differ <= agree // 4
