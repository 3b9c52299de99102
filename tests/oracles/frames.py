"""Frames in memory for decoder tests: decode them, and hold the result against the slow twin."""

import numpy as np

from netinterf.decode import decode
from netinterf.schema import Records
from tests.oracles import naive_decoder

GUARD = b"\xa5" * 7  # what lies between frames: reading it would show


def records_of(frames, lengths=None, times=None, interfaces=None):
    """Lay frames into one buffer, the last one flush with its end, and list them."""
    buffer, at = b"", []
    for frame in frames:
        buffer += GUARD
        at.append(len(buffer))
        buffer += frame
    count = len(frames)
    captured = [len(frame) for frame in frames]
    return np.frombuffer(buffer, np.uint8), Records.of(
        frame=np.arange(1, count + 1),
        time=np.arange(count) if times is None else times,
        at=np.array(at, np.int64),
        captured=np.array(captured, np.int64),
        length=np.array(captured if lengths is None else lengths, np.int64),
        interface=np.zeros(count, np.int64) if interfaces is None else interfaces,
    )


def decoded(frames, link_type=1, lengths=None):
    """Decode frames of one link type."""
    buffer, records = records_of(frames, lengths)
    return decode(buffer, records, [link_type])


def table(result):
    """List decoded rows in the form of the twin."""
    packets, endpoints = result.packets, result.endpoints
    rows = []
    for row in range(len(packets)):
        columns = {name: int(getattr(packets, name)[row]) for name in naive_decoder.COLUMNS if hasattr(packets, name)}
        for side in ("source", "target"):
            high, low = (int(getattr(endpoints, f"{side}_{half}")[row]) for half in ("high", "low"))
            columns[side] = high << 64 | low
            columns[f"{side}_port"] = int(getattr(endpoints, f"{side}_port")[row])
        columns["window_shift"] = int(packets.window_shift[row])
        columns["status"] = int(packets.status[row])
        rows.append(columns)
    return rows


def check(frames, link_type=1, lengths=None):
    """Assert that decoder and twin agree on frames of one link type; return the decoded result."""
    result = decoded(frames, link_type, lengths)
    lengths = [len(frame) for frame in frames] if lengths is None else lengths
    expected = naive_decoder.decode_frames(list(map(bytes, frames)), [link_type] * len(frames), lengths)
    for number, (want, got) in enumerate(zip(expected, table(result), strict=True)):
        wrong = {name: (want[name], got[name]) for name in want if want[name] != got[name]}
        assert not wrong, f"frame {number} {bytes(frames[number]).hex()}: (twin, decoder) {wrong}"
    return result
