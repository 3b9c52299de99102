"""First datagrams: what each protocol's own description says of them, cut and noise, against a reading byte by byte."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.stun import STUN

from netinterf.protocols.datagrams import Datagram, datagrams
from netinterf.protocols.opening import is_noise
from netinterf.simulate.hosts.manners import drawn_manner
from netinterf.simulate.messages.quic import V1
from netinterf.table import Ragged

KINDS = {
    "wireguard": Datagram.WIREGUARD,
    "openvpn": Datagram.OPENVPN,
    "stun": Datagram.STUN,
    "dtls": Datagram.DTLS,
    "noise": Datagram.NOISE,
}


def classed(payloads: list[bytes], ports: list[int] | None = None, lengths: list[int] | None = None) -> list[int]:
    """Class payloads at once."""
    heads = Ragged.of([list(one) for one in payloads], np.uint8)
    length = np.array([len(one) for one in payloads] if lengths is None else lengths, np.int64)
    port = np.array([5000] * len(payloads) if ports is None else ports, np.int64)
    return datagrams(heads, length, port).tolist()


@pytest.mark.parametrize("name", KINDS)
def test_openings_of_protocols(name: str) -> None:
    """However they are drawn; a datagram of another length is none of WireGuard."""
    chance = Random(7)
    openings = [drawn_manner(np.random.default_rng(seed), name).opens(chance)[-1] for seed in range(20)]
    found = classed(openings)
    assert found.count(KINDS[name]) >= 19  # noise may begin as anything
    if name == "wireguard":
        assert Datagram.WIREGUARD not in classed([one + b"\0" for one in openings])
        assert Datagram.WIREGUARD not in classed([one[:100] for one in openings])


def test_another_writer_of_stun() -> None:
    """A binding request as scapy writes it; without its cookie it is none (RFC 3489 had no cookie)."""
    request = bytes(STUN(stun_message_type=1, transaction_id=5))
    assert classed([request, request[:4] + bytes(4) + request[8:]])[0] == Datagram.STUN
    assert classed([request[:4] + bytes(4) + request[8:]]) != [Datagram.STUN]


def test_quic_and_nothing() -> None:
    """A known version anywhere, the fixed bit at port 443 only, and what was not captured."""
    long, short = b"\xc3" + V1.to_bytes(4, "big") + b"\x08abcdefgh", b"\x43abcdefghabcdefgh"
    assert classed([long, short, short, b""], [5000, 443, 5000, 443])[::2] == [Datagram.QUIC, Datagram.UNKNOWN]
    assert classed([long, short, short, b""], [5000, 443, 5000, 443])[1::2] == [Datagram.QUIC, Datagram.NOTHING]


def slow(payload: bytes, length: int, port: int) -> int:
    """Class one payload by hand."""
    head = payload[:12]
    if not payload:
        return Datagram.NOTHING
    if head[:1] in (b"\0", b"\1") and head[4:8] == b"\x21\x12\xa4\x42" and length >= 20:
        return Datagram.STUN
    if head[:2] == b"\x16\xfe" and head[2:3] in (b"\xff", b"\xfd") and not any(head[3:5]):
        return Datagram.DTLS
    if length == 148 and head[:1] == b"\1" and not any(head[1:4]):
        return Datagram.WIREGUARD
    if head[:1] in (b"\x38", b"\x50") and 14 <= length <= 86 and length % 2 == 0:
        return Datagram.OPENVPN
    version = int.from_bytes(head[1:5].ljust(4, b"\0"), "big")
    known = version in (1, 0x6B3343CF) or version >> 8 == 0xFF0000
    if (head[0] & 0xC0 == 0xC0 and known) or (port == 443 and head[0] & 0x40):
        return Datagram.QUIC
    return Datagram.NOISE if is_noise(Ragged.of([list(payload)], np.uint8))[0] else Datagram.UNKNOWN


STARTS = st.sampled_from(
    [b"", b"\0\1\0\0\x21\x12\xa4\x42", b"\x16\xfe\xfd\0\0", b"\x16\xfe\xff\0\1", b"\1\0\0\0", b"\x38", b"\x50",
     b"\xc0\0\0\0\1", b"\xff\xff\0\0\x1d", b"\x40", b"\1\1"]
)  # fmt: skip


@given(
    st.lists(
        st.tuples(STARTS, st.binary(max_size=60), st.sampled_from([0, 1, 20, 88]), st.sampled_from([443, 53, 9000])),
        max_size=8,
    )
)
def test_many_are_as_each_alone(rows) -> None:
    """Whatever stands beside it, and however much of it was cut off."""
    payloads = [start + rest for start, rest, _, _ in rows]
    lengths = [len(payload) + more for payload, (_, _, more, _) in zip(payloads, rows, strict=True)]
    ports = [port for *_, port in rows]
    assert classed(payloads, ports, lengths) == list(map(slow, payloads, lengths, ports))
