"""The fuzzer's check: it lets sound readings pass, and does not when messages are read otherwise side by side."""

from typing import Any

import attrs
import pytest

from benchmarks import fuzz
from netinterf.simulate import run
from netinterf.trace import read


@pytest.fixture(scope="module")
def inputs() -> list[bytes]:
    """Give messages of a simulated capture, three at a time."""
    made = run("dns.injection.iran-2023", 1)
    return list(fuzz.groups(read(times=made.times, frames=made.frames, link_type=made.link_type)))


@pytest.mark.parametrize("messages", [[], [b""], [b"a"], [b"abc", b"", b"x" * 300]])
def test_inputs_are_messages_behind_their_lengths(messages: list[bytes]) -> None:
    """What is packed comes out again."""
    assert fuzz.unpack(fuzz.pack(messages)) == messages


def test_an_input_may_end_anywhere() -> None:
    """The last message is shorter than it says."""
    assert fuzz.unpack(b"\x00\x09abc") == [b"abc"]
    assert fuzz.unpack(b"\x00") == []


def test_sound_inputs_pass(inputs: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the whole way, to verdicts."""
    monkeypatch.setattr(fuzz, "ONE_IN", 1)
    assert inputs
    for one in inputs[:5]:
        fuzz.check(one)


def test_a_reading_that_depends_on_its_neighbours_is_found(
    inputs: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser that mixes messages up when there are several does not pass."""
    sound = fuzz.parse_messages

    def mixed(*words: Any) -> Any:
        messages, answers = sound(*words)
        return attrs.evolve(messages, id=messages.id[::-1]), answers

    monkeypatch.setattr(fuzz, "parse_messages", mixed)
    with pytest.raises(AssertionError):
        fuzz.check(inputs[0])
