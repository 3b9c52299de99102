"""Listening on an interface, where the process may."""

import socket
from collections.abc import Iterator

import pytest

from netinterf import read
from netinterf.bridge.live import Listener
from netinterf.errors import UnreadableSource


@pytest.fixture
def loopback() -> Iterator[Listener]:
    """A listener on the loopback interface; skips where the process has no right to listen."""
    names = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
    try:
        listener = Listener(names[0])
    except UnreadableSource as error:
        pytest.skip(f"no right to listen: {error}")
    with listener:
        yield listener


def test_packets_are_heard_with_their_times(loopback: Listener) -> None:
    """A datagram that is sent is heard, whole, with the time of its capture and a link type that decodes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a word to be heard", ("127.0.0.1", 9))
    heard: list[bytes] = []
    times: list[int] = []
    while not any(b"a word to be heard" in frame for frame in heard):
        batch = loopback.read(5.0)
        assert batch.frames, "nothing was heard in time"
        heard += batch.frames
        times += batch.times.tolist()
    assert times == sorted(times)
    trace = read(times=times, frames=heard, link_type=loopback.link_type)
    assert "127.0.0.1" in {trace.address(host) for host in range(len(trace.hosts))}


def test_silence_is_no_packet_and_no_loss(loopback: Listener) -> None:
    """Waiting ends in time when nothing comes, and without a burst nothing is lost."""
    while loopback.read(0.0).frames:
        pass
    assert loopback.dropped in {0, None}


def test_an_interface_that_is_not_there_is_an_error() -> None:
    """An unknown interface is refused by its name."""
    with pytest.raises(UnreadableSource, match=r"no-such-interface.*cannot be listened on"):
        Listener("no-such-interface")
