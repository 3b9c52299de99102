"""The window of a session: what is held, what is let go, and that what was handed out stays as it was."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.capture.stream import FrameBatch, PacketStream
from netinterf.engine.window import Window
from netinterf.schema import Records


def batch(rng: np.random.Generator, count: int, first: int, between: int, before: int) -> FrameBatch:
    """Write some frames, the first of them numbered *first*, with bytes of no frame between them."""
    captured = rng.integers(0, 300, count)
    at = np.cumsum(captured + between) - captured
    buffer = rng.integers(0, 256, int((captured + between).sum())).astype(np.uint8)
    numbers = np.arange(first, first + count)
    return FrameBatch(
        buffer, Records.of(frame=numbers, time=numbers, at=at, captured=captured, length=captured), before
    )


def frames_of(window: Window) -> dict[int, bytes]:
    """Read the frames that a window hands out, by number."""
    capture = window.capture("-", PacketStream())
    return {int(row.frame): capture.buffer[row.at : row.at + row.captured].tobytes() for row in capture.records.rows()}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**32), st.integers(1, 40), st.sampled_from([0, 4, 200])), max_size=8))
def test_a_window_holds_what_was_added_and_not_let_go(steps: list[tuple[int, int, int]]) -> None:
    """Whatever lies between frames; and captures from before, whose room might be used again, stay as they were."""
    window, held, count, before = Window(), dict[int, bytes](), 0, 0
    handed_out: list[tuple[Any, bytes]] = []
    for seed, more, between in steps:
        rng = np.random.default_rng(seed)
        one = batch(rng, more, count + 1, between, before)
        window.add(one)
        held |= {int(row.frame): one.buffer[row.at : row.at + row.captured].tobytes() for row in one.records.rows()}
        count, before = count + more, before + len(one.buffer)
        if seed % 2:
            buffer = window.capture("-", PacketStream()).buffer
            handed_out.append((buffer, buffer.tobytes()))
        if seed % 3 == 0:
            staying = rng.permutation([number for number in held if rng.random() < 0.5]).astype(np.uint32)
            window.keep(staying)
            held = {number: held[number] for number in sorted(staying.tolist())}
        assert frames_of(window) == held
        assert (window.packets, window.bytes) == (len(held), sum(map(len, held.values())))
        assert all(buffer.tobytes() == copy for buffer, copy in handed_out)


@pytest.mark.parametrize("looked_at", [False, True])
def test_room_is_used_again_where_nobody_looks_at_it(looked_at: bool) -> None:
    """A window that lets frames go stays in its place, unless a capture of it is still there."""
    window = Window()
    window.add(batch(np.random.default_rng(0), 50, 1, 0, 0))
    capture = window.capture("-", PacketStream()) if looked_at else None
    before = window.capture("-", PacketStream()).buffer.ctypes.data
    window.keep(np.array([3, 20, 40]))
    assert (window.capture("-", PacketStream()).buffer.ctypes.data == before) is not looked_at
    assert (capture is None) is not looked_at
