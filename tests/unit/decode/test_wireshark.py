"""Decoded columns agree with tshark on real captures."""

import pytest

from benchmarks.decode_check import run
from netinterf.capture import find_captures, open_capture
from netinterf.decode import decode
from netinterf.errors import CaptureError
from tests.oracles import naive_decoder
from tests.oracles.frames import table

SAMPLE = 40
# What is left over are packets that contradict themselves and that tshark gives up on; see the benchmark.
SHARE = 0.999


@pytest.mark.captures
@pytest.mark.tshark
def test_columns_agree_with_tshark(captures_dir, tshark):
    """Addresses, ports, flags, numbers, options and payload lengths of a sample of captures are those of tshark."""
    result = run(captures_dir / "benign", SAMPLE)
    assert result["frames"] > 1000
    assert result["share"] >= SHARE, result["entries"][:5]


@pytest.mark.captures
def test_real_captures_decode_as_the_twin_says(captures_dir):
    """The start of every hostile capture decodes as the slow twin says, frame by frame."""
    frames = 0
    for path in find_captures([captures_dir / "hostile"]).captures:
        try:
            capture = open_capture(path)
            links = [interface.link_type for interface in capture.interfaces]
            rows = slice(0, 60)
            result = decode(capture.buffer, capture.records.take(rows), links)
        except CaptureError:
            continue
        records = {int(frame): row for row, frame in enumerate(capture.records.frame[rows])}
        for packet, got in zip(result.packets.frame, table(result), strict=True):
            row = records[int(packet)]
            at, size = int(capture.records.at[row]), int(capture.records.captured[row])
            data, link = bytes(capture.buffer[at : at + size]), links[int(capture.records.interface[row])]
            assert naive_decoder.decode_frame(data, link, int(capture.records.length[row])) == got, (path, packet)
            frames += 1
    assert frames > 1000
