"""How protocols over UDP begin and go on: what stands in the clear, sizes and timers.

WireGuard after Donenfeld, NDSS 2017 (§5.4, §6.1 to §6.5), AmneziaWG after its documentation (junk before, another
type, longer messages), OpenVPN after its protocol (opcodes 7 to 9, --hand-window 60 s), STUN after RFC 8489 (§5,
§6.2.1) with RTP (RFC 3550 §5.1) behind it, DTLS after RFC 6347 (§4.1, §4.2.4.1), an obfuscated QUIC after hysteria's
Salamander (noise from the first byte on), Telegram's calls after tdesktop (a peer tag, then noise).
"""

from collections.abc import Callable
from random import Random
from struct import pack

import numpy as np

from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.values import frozen

__all__ = ["WIREGUARD", "Manner", "drawn_manner"]

Sizes = tuple[int, int, int]
"""Step, and least and most steps: sizes are multiples where a protocol pads."""


@frozen(eq=False, kw_only=True)
class Manner:
    """One protocol, as two ends speak it."""

    name: str
    opens: Callable[[Random], list[bytes]]  # what the client sends at once to open
    answers: Callable[[Random], bytes]
    is_opening: Callable[[bytes], bool]
    data: bytes  # what data begins with
    sizes: tuple[Sizes, Sizes]  # of the client's data, and of the server's
    first_wait: float  # ns before an opening is repeated
    backoff: float = 1.0  # by which each further wait is longer
    jitter: float = SECOND / 3
    most_tries: int = 6
    cadence: float = 80 * MILLISECOND  # mean time between the client's data, ns
    replies: tuple[int, int] = (1, 2)  # datagrams of the server for each
    deaf_after: float = 15 * SECOND  # ns without an answer after which the client opens anew
    roams: bool = False  # the server goes by what is inside, not by the client's port


INITIATION, RESPONSE, TRANSPORT = b"\1\0\0\0", b"\2\0\0\0", b"\4\0\0\0"

WIREGUARD = Manner(
    name="wireguard",
    opens=lambda chance: [INITIATION + chance.randbytes(144)],
    answers=lambda chance: RESPONSE + chance.randbytes(88),
    is_opening=lambda payload: payload[:4] == INITIATION,
    data=TRANSPORT,
    sizes=((16, 2, 40), (16, 5, 88)),
    first_wait=5 * SECOND,  # REKEY_TIMEOUT
    most_tries=18,  # REKEY_ATTEMPT_TIME of 90 s
    roams=True,
)


def amnezia(rng: np.random.Generator) -> Manner:
    """Draw the numbers of one AmneziaWG set-up: junk packets, what stands before messages, and their types."""
    types = [int(rng.integers(5, 2**31)).to_bytes(4, "little") for _ in range(3)]
    junk, before = int(rng.integers(3, 11)), [int(rng.integers(15, 150)) for _ in range(2)]
    least, most = int(rng.integers(40, 100)), int(rng.integers(200, 1000))

    def opens(chance: Random) -> list[bytes]:
        first = chance.randbytes(before[0]) + types[0] + chance.randbytes(144)
        return [*(chance.randbytes(chance.randint(least, most)) for _ in range(junk)), first]

    return Manner(
        name="amneziawg", opens=opens,
        answers=lambda chance: chance.randbytes(before[1]) + types[1] + chance.randbytes(88),
        is_opening=lambda payload: payload[before[0] : before[0] + 4] == types[0] and len(payload) == before[0] + 148,
        data=types[2], sizes=WIREGUARD.sizes, first_wait=5 * SECOND, most_tries=18, roams=True,
    )  # fmt: skip


def openvpn(rng: np.random.Generator) -> Manner:
    """Draw OpenVPN with or without a signature of control packets (tls-auth)."""
    signed = b"\0" * 28 if rng.random() < 0.5 else b""

    def control(code: int, chance: Random, more: bytes) -> bytes:
        return bytes([code]) + chance.randbytes(8 + len(signed)) + more

    return Manner(
        name="openvpn",
        opens=lambda chance: [control(0x38, chance, b"\0" + bytes(4))],
        answers=lambda chance: control(0x40, chance, b"\1" + bytes(4) + chance.randbytes(8) + bytes(4)),
        is_opening=lambda payload: payload[:1] == b"\x38",
        data=b"\x48\0\0\0", sizes=((1, 60, 1300), (1, 60, 1300)), first_wait=2 * SECOND, backoff=2.0, most_tries=5,
        deaf_after=60 * SECOND, cadence=120 * MILLISECOND,
    )  # fmt: skip


def call(rng: np.random.Generator) -> Manner:
    """Draw a call: STUN binding requests to a relay, then voice both ways."""
    name = rng.bytes(int(rng.integers(2, 10)) * 4)
    attribute = pack("!HH", 6, len(name)) + name  # USERNAME
    voice = 4 * int(rng.integers(10, 40))
    return Manner(
        name="stun",
        opens=lambda chance: [pack("!HHI", 1, len(attribute), 0x2112A442) + chance.randbytes(12) + attribute],
        answers=lambda chance: pack("!HHI", 0x101, 12, 0x2112A442) + chance.randbytes(12) + b"\0\x20\0\x08\0\1" +
        chance.randbytes(6),
        is_opening=lambda payload: payload[4:8] == b"\x21\x12\xa4\x42",
        data=b"\x80\x6f", sizes=((1, voice, voice + 60), (1, voice, voice + 60)), first_wait=SECOND / 2, backoff=2.0,
        most_tries=7, jitter=10 * MILLISECOND, cadence=40 * MILLISECOND, replies=(1, 1), deaf_after=5 * SECOND,
    )  # fmt: skip


def dtls(rng: np.random.Generator) -> Manner:
    """Draw DTLS 1.2, as VPN programs and sensors speak it."""
    size = int(rng.integers(90, 240))

    def record(kind: int, body: bytes) -> bytes:
        return bytes([kind]) + b"\xfe\xfd" + bytes(8) + pack("!H", len(body)) + body

    return Manner(
        name="dtls",
        opens=lambda chance: [record(22, b"\1" + (size - 12).to_bytes(3, "big") + chance.randbytes(size - 4))],
        answers=lambda chance: record(22, b"\3" + (35).to_bytes(3, "big") + chance.randbytes(43)),
        is_opening=lambda payload: payload[:1] == b"\x16",
        data=b"\x17\xfe\xfd\0\1", sizes=((1, 60, 900), (1, 60, 1300)), first_wait=SECOND, backoff=2.0, most_tries=6,
        jitter=10 * MILLISECOND, deaf_after=20 * SECOND,
    )  # fmt: skip


def noise(rng: np.random.Generator) -> Manner:
    """Draw an obfuscated QUIC: noise in datagrams of an Initial's size, repeated by its probe timeout."""
    size, head = int(rng.integers(1208, 1290)), rng.bytes(8)
    return Manner(
        name="noise",
        opens=lambda chance: [chance.randbytes(size)],
        answers=lambda chance: chance.randbytes(size),
        is_opening=lambda payload: len(payload) == size and payload[:8] != head,
        data=head, sizes=((1, 40, 1300), (1, 40, 1300)), first_wait=float(rng.choice([3e8, 1e9])), backoff=2.0,
        most_tries=6, jitter=10 * MILLISECOND, deaf_after=10 * SECOND, cadence=60 * MILLISECOND,
    )  # fmt: skip


def tagged(rng: np.random.Generator) -> Manner:
    """Draw a call by Telegram's relays: a peer's tag before everything, a request that is repeated each half second."""
    tag = rng.bytes(16)
    return Manner(
        name="mtproto",
        opens=lambda chance: [tag + b"\xff" * 12 + b"\xfe\xff\xff\xff" + chance.randbytes(8)],
        answers=lambda chance: tag + b"\xff" * 12 + chance.randbytes(28),
        is_opening=lambda payload: payload[16:28] == b"\xff" * 12,
        data=tag, sizes=((4, 20, 60), (4, 20, 60)), first_wait=SECOND / 2, most_tries=12, jitter=10 * MILLISECOND,
        cadence=50 * MILLISECOND, replies=(1, 1), deaf_after=5 * SECOND,
    )  # fmt: skip


DRAWN: dict[str, Callable[[np.random.Generator], Manner]] = {
    "wireguard": lambda _: WIREGUARD, "amneziawg": amnezia, "openvpn": openvpn, "stun": call, "dtls": dtls,
    "noise": noise, "mtproto": tagged,
}  # fmt: skip


def drawn_manner(rng: np.random.Generator, *names: str) -> Manner:
    """Draw how one of some protocols, of all when none is named, is spoken."""
    known = names or tuple(DRAWN)
    return DRAWN[known[int(rng.integers(len(known)))]](rng)
