"""Millions of empty frames or blocks, which weigh nothing compressed, take no room, and are counted."""

import tracemalloc
from itertools import chain, groupby, pairwise

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bombs import BOMBS
from netinterf.capture import open_capture
from netinterf.capture.empties import RUN, Empties
from netinterf.capture.stream import CaptureStream
from netinterf.schema import Records
from tests.oracles import containers as c

SECOND = 1_700_000_000
PCAP, PCAPNG = c.pcap_header(), c.section("<") + c.interface("<")

STORED = ("records of one byte", "Ethernet headers alone", "ARP")
"""Bombs whose frames hold something, which a capture in memory keeps."""

SLOW = ("interfaces", "interfaces with options", "sections in two byte orders", "sections with an interface")
"""Those that end where their number does, but take longer than a test may."""


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3 * RUN)), max_size=6), st.lists(st.integers(0, 9 * RUN)))
def test_runs_are_those_of_the_whole(runs, cuts):
    """However frames come, of each run of empty ones the first are listed, and the others are counted."""
    captured = np.repeat([60 * full for full, _ in runs], [size for _, size in runs]).astype(np.uint32)
    expected = []
    for empty, run in groupby(captured.tolist(), key=lambda size: size == 0):
        expected += [not empty or place < RUN for place, _ in enumerate(run)]
    counted = Empties()
    places = sorted({0, len(captured), *(min(cut, len(captured)) for cut in cuts)})
    found = [counted.listed(captured[begin:end]).tolist() for begin, end in pairwise(places)]
    assert [*chain.from_iterable(found)] == expected
    assert counted.left_out == expected.count(False)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_frames_behind_a_run_keep_their_numbers(kind):
    """Frames between and behind empty ones are numbered as if all were listed, also in a stream."""
    if kind == "pcap":
        head, empty, full = PCAP, c.pcap_record("<", SECOND, 0, b"", 60), c.pcap_record("<", SECOND, 0, bytes(60))
    else:
        head, empty, full = PCAPNG, c.enhanced("<", 0, b"", 60), c.enhanced("<", 0, bytes(60))
    capture = open_capture(data := head + full + empty * (RUN + 10) + full + empty * 5 + full)
    rows = capture.records
    assert rows.frame[rows.captured > 0].tolist() == [1, RUN + 12, RUN + 18]
    assert len(rows) == 3 + RUN + 5
    (note,) = capture.diagnostics
    assert (note.code, note.count) == ("capture.empty_run", 10)
    stream, parts = CaptureStream("bytes"), []
    for at in range(0, len(data), 5000):
        stream.feed(data[at : at + 5000])
        batch = stream.frames()
        parts.append(attrs.evolve(batch.records, at=batch.records.at + batch.before))
    batch = stream.close()
    whole = Records.concat([*parts, attrs.evolve(batch.records, at=batch.records.at + batch.before)])
    assert (whole.frame.tolist(), whole.at.tolist()) == (rows.frame.tolist(), rows.at.tolist())
    assert stream.diagnostics == capture.diagnostics


@pytest.mark.parametrize("kind", [kind for kind in BOMBS if kind not in STORED + SLOW])
def test_the_smallest_records_take_less_room_than_their_bytes(kind):
    """A million of them, while they are listed, take a few times their bytes; hardly any is kept."""
    head, unit = BOMBS[kind]
    data = head + unit * ((16 << 20) // len(unit))
    tracemalloc.start()
    try:
        rows = open_capture(data).records
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(rows) <= RUN
    assert peak < 6 * len(data)
