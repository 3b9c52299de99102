"""QUIC hellos out of Initials: against what was written, against tshark, and against damage."""

import subprocess
from pathlib import Path
from shutil import which
from struct import pack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.protocols.quic import reassemble
from netinterf.protocols.quic_initial import V1, read_initial
from netinterf.simulate import Conditions, run, write
from netinterf.simulate.messages import quic
from netinterf.simulate.messages.hellos import SHAPES, hello_message
from netinterf.trace import read

SCENARIOS = ("quic.drop.gfw", "benign.quic.address-validation", "benign.quic.lossy-initials")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_names_are_those_of_the_truth(scenario: str) -> None:
    """Every conversation of which a whole first flight was captured shows the name that the labels tell."""
    played = run(scenario, 2, Conditions.clean(vantage="client"))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    told = {(truth.client, truth.client_port): truth.name for truth in played.labels.truths if truth.protocol == "udp"}
    assert len(trace.quic)
    for row in range(len(trace.quic)):
        flow = int(trace.quic.flow[row])
        client = trace.address(int(trace.flows.client[flow])), int(trace.flows.client_port[flow])
        assert trace.quic.name[row] == told[client]


@pytest.mark.tshark
@pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")
def test_wireshark_reads_the_same_names(tmp_path: Path) -> None:
    """Names and protocols, conversation by conversation."""
    played = run("quic.drop.gfw", 5, Conditions.clean(vantage="client"))
    path = tmp_path / "quic.pcap"
    write(played, path)
    fields = ("udp.srcport", "tls.handshake.extensions_server_name")
    words = [
        "tshark",
        "-r",
        str(path),
        "-Y",
        fields[1],
        "-T",
        "fields",
        *(word for one in fields for word in ("-e", one)),
    ]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    trace = read(path)
    ours = {
        (int(trace.flows.client_port[trace.quic.flow[row]]), trace.quic.name[row]) for row in range(len(trace.quic))
    }
    pairs = [line.split("\t") for line in lines]
    assert {(int(port), name) for port, name in pairs if port} == ours


def test_pieces_are_put_together_up_to_the_first_hole() -> None:
    """In any order, with repeats and overlaps; what lies behind a hole is not known to follow."""
    assert reassemble([(3, b"def"), (0, b"abc"), (2, b"cde")]) == b"abcdef"
    assert reassemble([(4, b"ef"), (0, b"abc")]) == b"abc"
    assert reassemble([(1, b"bc")]) == b""


def initials(name: str, cuts: list[int]) -> list[bytes]:
    """Write the Initials of a hello that is cut into pieces."""
    rng = np.random.default_rng(1)
    pieces = quic.crypto_frames(hello_message(name, rng, SHAPES["go"]), rng, cuts, shuffled=len(cuts) > 1)
    target = rng.bytes(8)
    return [quic.initial(target, b"", number, frames, size=1200) for number, frames in enumerate(pieces)]


def names_of(payloads: list[bytes]) -> list[str]:
    """Read what a client sent in these datagrams."""
    ports, at = pack("!HH", 40_000, 443), bytes([192, 0, 2, 1, 198, 51, 100, 1])
    frames = [
        pack("!BBHHHBBH", 0x45, 0, 28 + len(one), 0, 0, 64, 17, 0) + at + ports + pack("!HH", 8 + len(one), 0) + one
        for one in payloads
    ]
    return list(read(times=range(len(frames)), frames=frames, link_type=101).quic.name)


(WHOLE,) = initials("a.example", [0])


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=4))
def test_a_hello_is_read_from_whatever_order_its_initials_came_in(order: list[int]) -> None:
    """Shuffled or repeated, the name is found; and never another one where a piece is lost."""
    pieces = initials("a.example", [100, 100, 0])
    (name,) = names_of([pieces[number] for number in order])
    assert name in ({"a.example"} if len(set(order)) == len(pieces) else {"", "a.example"})


def test_what_follows_a_whole_hello_changes_nothing() -> None:
    """Offsets are never used for other bytes (RFC 9000 §2.2): a server reads the hello that came first."""
    other = initials("b.example", [0])
    assert names_of([WHOLE, *other]) == ["a.example"]
    assert names_of([*other, WHOLE]) == ["b.example"]


@settings(max_examples=200)
@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_damage_never_raises(length: int, place: int, byte: int) -> None:
    """Cut anywhere, changed anywhere: the version or nothing, and never another hello."""
    damaged = bytearray(WHOLE)
    damaged[place] = byte
    version, frames = read_initial(bytes(damaged[:length]))
    assert version in (-1, V1) or place in range(1, 5)
    assert not frames or frames == read_initial(WHOLE)[1]
