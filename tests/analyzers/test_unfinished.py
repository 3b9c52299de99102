"""Whether more was announced than arrived: records and bodies that break off, and those that end."""

import numpy as np
import pytest

from netinterf.analyzers.unanswered.silences import Kind
from netinterf.analyzers.unanswered.unfinished import unfinished
from netinterf.analyzers.unanswered.waiting import find_waiting
from netinterf.trace import Trace
from tests.analyzers.talk import Talk

PIECE = 700


CLIENT = np.zeros(1, np.int64)
"""The side that waits: the client of the only connection."""


HELLO_OF_CLIENT = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"


def answer(
    stream: bytes,
    *,
    pieces: int | None = None,
    hole: int = -1,
    request: bytes = HELLO_OF_CLIENT,
    wait: float | None = None,
) -> Trace:
    """Let a server send a stream in pieces with PSH, of which one may be missing, all acknowledged that arrived.

    The client may then wait, and give up after so many milliseconds.
    """
    talk = Talk()
    sent, end = talk.request(talk.open(), request)
    at, reached, whole = sent + talk.rtt, 901, True
    cuts = list(range(0, len(stream), PIECE))[:pieces]
    for number, place in enumerate(cuts):
        at += 1
        if number == hole:
            whole = False
            continue
        piece = stream[place : place + PIECE]
        talk.send("S", "PA", 901 + place, end, at=at, data=piece)
        reached = 901 + place + len(piece) if whole else reached
        talk.send("C", "A", end, reached, at=at + 0.1)
    if wait is not None:
        talk.send("C", "FA", end, reached, at=at + wait)
    return talk.trace()


def record(size: int, kind: int = 23) -> bytes:
    """Write a TLS record."""
    return bytes([kind, 3, 3]) + size.to_bytes(2, "big") + b"r" * size


HELLO = record(90, 22)


@pytest.mark.parametrize(
    ("stream", "pieces", "told"),
    [
        (HELLO + record(5000), 3, True),  # in the middle of a record
        (HELLO + record(1000) + record(2000), None, False),  # behind the last
        (HELLO + record(1300) + record(600), 2, False),  # just between two
        (HELLO + record(1297) + record(600), 2, False),  # inside a header: nothing was announced yet
        (b"\x16\x04\x03" + b"x" * 2000, 2, False),  # no records
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"b" * 3000, 2, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"b" * 3000, None, False),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"b" * 3000, 2, False),  # to the end of the connection
    ],
)
def test_what_was_announced_decides(stream: bytes, pieces: int | None, told: bool) -> None:
    """PSH is on every packet; only what records and heads announce tells whether there was more."""
    trace = answer(stream, pieces=pieces)
    assert unfinished(trace, CLIENT).tolist() == [told]


def test_a_hole_is_unfinished_and_missing_headers_say_nothing() -> None:
    """What lies behind a hole was not acknowledged; a header that was not captured cannot be followed."""
    stream = HELLO + record(5000)
    for hole, told in ((3, True), (0, False)):
        trace = answer(stream, hole=hole)
        assert unfinished(trace, CLIENT).tolist() == [told]


def test_an_empty_capture_is_finished() -> None:
    """Nothing is said of nothing."""
    trace = answer(HELLO)
    assert unfinished(trace, np.empty(0, np.int64)).tolist() == []


@pytest.mark.parametrize(
    ("method", "status", "told"),
    [
        ("GET", "200 OK", True),
        ("HEAD", "200 OK", False),
        ("GET", "304 Not Modified", False),
        ("GET", "204 None", False),
    ],
)
def test_some_answers_announce_a_body_that_does_not_follow(method: str, status: str, told: bool) -> None:
    """Answers to HEAD say how long a body would be, and so does 304 (RFC 9110 section 8.6)."""
    request = f"{method} / HTTP/1.1\r\nHost: a.example\r\n\r\n".encode()
    trace = answer(f"HTTP/1.1 {status}\r\nContent-Length: 3000\r\n\r\n".encode(), request=request)
    assert unfinished(trace, CLIENT).tolist() == [told]


@pytest.mark.parametrize(("size", "cut"), [(5000, True), (600, False)])
def test_what_stops_inside_a_record_was_cut(size: int, cut: bool) -> None:
    """Every packet has PSH, and the client waits for ten seconds: for the rest of a record, or for nothing."""
    stream = HELLO + record(size)
    trace = answer(stream, pieces=3 if cut else None, wait=10_000.0)
    assert [Kind(kind) for kind in find_waiting(trace).kind.tolist()] == ([Kind.BROKEN_OFF] if cut else [])
