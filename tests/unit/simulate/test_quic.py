import subprocess
from pathlib import Path
from shutil import which

import numpy as np
import pytest

from netinterf.protocols import quic_initial
from netinterf.simulate import Conditions, run, write
from netinterf.simulate.messages import quic
from netinterf.simulate.messages.hellos import BROWSERS, SHAPES, hello_message, read_name
from netinterf.simulate.plays import quic_drops


@pytest.mark.parametrize(
    ("version", "key", "iv", "header"),
    [
        (quic.V1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"),
        (quic.V2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"),
    ],
)
def test_initial_keys_are_those_of_the_standards(version: int, key: str, iv: str, header: str) -> None:
    """RFC 9001 appendix A.1 and RFC 9369 appendix A.1 give the keys of one connection id."""
    keys = quic_initial.initial_keys(bytes.fromhex("8394c8f03e515708"), version, server=False)
    assert (keys.key.hex(), keys.iv.hex(), keys.header.hex()) == (key, iv, header)


def test_a_retry_has_the_tag_of_the_standard() -> None:
    """RFC 9001 appendix A.4, all but the four free bits of its first byte."""
    expected = "000000010008f067a5502a4262b5746f6b656e"
    made = quic.retry(
        np.random.default_rng(0), b"", bytes.fromhex("f067a5502a4262b5"), bytes.fromhex("8394c8f03e515708"), b"token"
    )
    assert made[1:-16].hex() == expected
    assert made[0] >> 4 == 0xF
    assert len(made) == 1 + len(expected) // 2 + 16


@pytest.mark.parametrize("version", [quic.V1, quic.V2])
@pytest.mark.parametrize("shape", BROWSERS)
def test_initials_give_their_hello_back(version: int, shape: str) -> None:
    """Whatever the cut and the order of the frames, a box that decrypts them finds the name."""
    rng = np.random.default_rng(7)
    message = hello_message("blocked.example.com", rng, SHAPES[shape], transport=quic.transport_parameters(rng, b""))
    found = bytearray(len(message))
    target = rng.bytes(8)
    for number, frames in enumerate(quic.crypto_frames(message, rng, [len(message) // 2, 0], shuffled=True)):
        packet = quic.initial(target, b"", number, frames, version=version, size=1250)
        assert len(packet) >= 1250
        read, parts = quic_initial.read_initial(packet)
        assert read == version
        for offset, part in parts:
            found[offset : offset + len(part)] = part
    assert bytes(found) == message
    assert read_name(message)[0] == "blocked.example.com"


@pytest.mark.parametrize("name", [play.name for play in quic_drops.PLAYS])
def test_silenced_quic_is_repeated(name: str) -> None:
    """Clients whose Initials or later packets vanish repeat themselves; no datagram exceeds an Ethernet packet."""
    simulated = run(name, 4, Conditions.clean(vantage="client"))
    hit = [truth for truth in simulated.labels.truths if truth.mechanism]
    assert hit
    assert any(truth.mechanism is None for truth in simulated.labels.truths)
    assert all(truth.protocol == "udp" for truth in hit)
    assert max(map(len, simulated.frames)) <= 1514


@pytest.mark.tshark
@pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")
def test_another_dissector_reads_the_names(tmp_path: Path) -> None:
    """Wireshark decrypts the Initials and shows the names that the labels tell."""
    simulated = run("quic.drop.gfw", 2, Conditions.clean(vantage="client"))
    path = tmp_path / "quic.pcap"
    write(simulated, path)
    words = ["tshark", "-r", str(path), "-Y", "udp", "-T", "fields", "-e", "tls.handshake.extensions_server_name"]
    shown = set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())
    assert shown == {truth.name for truth in simulated.labels.truths if truth.protocol == "udp"}


@pytest.mark.parametrize("shuffled", [False, True])
def test_frames_never_claim_more_than_they_hold(shuffled: bool) -> None:
    """When the first Initial has room for more than the message, its frames still end with the message."""
    rng = np.random.default_rng(3)
    message = rng.bytes(700)
    held = [one for frames in quic.crypto_frames(message, rng, [1100, 1100], shuffled=shuffled)
            for one in quic_initial.read_crypto(frames)]  # fmt: skip
    assert all(message[offset : offset + len(piece)] == piece for offset, piece in held)
    assert sum(len(piece) for _, piece in held) == 700
