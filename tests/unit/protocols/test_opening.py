"""Classes of first bytes: known protocols, and noise by the published rules, against a slow twin."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.protocols.opening import Opening, is_noise, openings
from netinterf.table import Ragged


def ragged(*payloads: bytes) -> Ragged:
    """Lay payloads out."""
    return Ragged.of([np.frombuffer(one, np.uint8) for one in payloads], np.uint8)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"", Opening.NOTHING),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Opening.TLS),
        (b"GET / HTTP/1.1\r\n", Opening.HTTP),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Opening.SSH),
        (b"\x00\x1b\xaa\xbb\x01\x00\x00\x01" + bytes(6) + b"\x03www\x05a-one\x00\x00\x01\x00\x01", Opening.DNS),
        (b"\x00\x2a\x38" + bytes(41), Opening.OPENVPN),
        (b"\x13BitTorrent protocol" + bytes(48), Opening.TORRENT),
        (b"EHLO mail.example\r\n", Opening.TEXT),
        (bytes(range(200, 256)) * 4, Opening.UNKNOWN),
    ],
)
def test_openings(payload: bytes, kind: Opening) -> None:
    """Each protocol by its first bytes."""
    assert openings(ragged(payload, b"xx")).tolist()[0] == kind


def test_random_bytes_are_noise() -> None:
    """Long random payloads hardly ever fit an exemption."""
    kinds = openings(ragged(*(os.urandom(600) for _ in range(200))))
    assert np.mean(kinds == Opening.NOISE) > 0.9


def noisy(payload: bytes) -> bool:
    """Apply the rules of Wu et al. one by one."""
    if not payload:
        return False
    shown = [0x20 <= byte <= 0x7E for byte in payload]
    run = best = 0
    for one in shown:
        run = run + 1 if one else 0
        best = max(best, run)
    share = sum(byte.bit_count() for byte in payload) / len(payload)
    return 3.4 < share < 4.6 and sum(shown) / len(payload) <= 0.5 and best <= 20


@given(
    st.lists(st.one_of(st.binary(max_size=80), st.text("abc\x01\xff", max_size=60).map(lambda t: t.encode("latin-1"))))
)
def test_noise_by_the_slow_rules(payloads: list[bytes]) -> None:
    """Row by row, empty ones included."""
    assert is_noise(ragged(*payloads)).tolist() == [noisy(one) for one in payloads]
