"""TLS hello messages: the shapes in which browsers, tools and boxes say ClientHello, and the answers.

A shape is what fingerprints such as JA3 and JA4 see: suites, extensions and their order, groups, GREASE (RFC 8701). The
shapes follow what current programs send in outline; random fields are random, lengths are true.
"""

from struct import pack, unpack

import attrs
import numpy as np

from netinterf.values import frozen

__all__ = ["BROWSERS", "ECH", "ESNI", "SHAPES", "Shape", "ech_outer", "extension", "hello_message", "read_name",
           "server_hello", "vector"]  # fmt: skip

ECH, ESNI = 0xFE0D, 0xFFCE  # RFC 9849; draft-ietf-tls-esni-01
GREASE = tuple(0x0A0A + 0x1010 * step for step in range(16))  # RFC 8701 §2
HYBRID = 0x11EC  # X25519MLKEM768: the client's share has 1184 + 32 bytes (draft-kwiatkowski-tls-ecdhe-mlkem)
SHARE = {0x1D: 32, 0x17: 65, 0x18: 97, HYBRID: 1216}
NAME, PADDING, VERSIONS, SHARES, TRANSPORT = 0, 21, 43, 51, 57
GREASED = -1  # stands for a GREASE value in a list of extensions


@frozen(kw_only=True)
class Shape:
    """What one program's ClientHello looks like."""

    name: str
    suites: tuple[int, ...]
    extensions: tuple[int, ...]  # in order
    groups: tuple[int, ...] = (0x1D, 0x17, 0x18)
    shares: tuple[int, ...] = (0x1D,)
    signatures: tuple[int, ...] = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
    versions: tuple[int, ...] = (0x0304, 0x0303)
    alpn: tuple[bytes, ...] = (b"h2", b"http/1.1")
    grease: bool = False
    shuffled: bool = False  # extensions in an order of their own each time, as Chrome since version 110
    session: bool = True  # a session id of 32 bytes (middlebox compatibility, RFC 8446 §D.4)
    record: int = 0x0301  # version of the record

    def hybrid(self) -> bool:
        """Say whether it offers a post-quantum share, so that it needs two segments."""
        return HYBRID in self.shares


MODERN = (
    0x1301,
    0x1302,
    0x1303,
    0xC02B,
    0xC02F,
    0xC02C,
    0xC030,
    0xCCA9,
    0xCCA8,
    0xC013,
    0xC014,
    0x9C,
    0x9D,
    0x2F,
    0x35,
)
CHROME = (GREASED, NAME, 23, 0xFF01, 10, 11, 35, 16, 5, 13, 18, SHARES, 45, VERSIONS, 27, 0x44CD, ECH, GREASED)
FIREFOX = (NAME, 23, 0xFF01, 10, 11, 35, 16, 5, 34, SHARES, VERSIONS, 13, 45, 28, ECH)
NSS = (0x1301, 0x1303, 0x1302, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8, 0xC02C, 0xC030, 0xC00A, 0xC009, 0xC013, 0xC014, 0x9C,
       0x9D, 0x2F, 0x35)  # fmt: skip
OPENSSL = (0x1302, 0x1303, 0x1301, 0xC02C, 0xC030, 0x9F, 0xCCA9, 0xCCA8, 0xCCAA, 0xC02B, 0xC02F, 0x9E, 0xC024, 0xC028,
           0x6B, 0xC023, 0xC027, 0x67, 0xC00A, 0xC014, 0x39, 0xC009, 0xC013, 0x33, 0x9D, 0x9C, 0x3D, 0x3C, 0x35, 0x2F,
           0xFF)  # fmt: skip
GO = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0xC00A, 0xC014, 0x1301, 0x1302, 0x1303)

SHAPES = {
    shape.name: shape
    for shape in (
        Shape(name="chrome", suites=MODERN, extensions=CHROME, groups=(HYBRID, 0x1D, 0x17, 0x18), shares=(HYBRID, 0x1D),
              grease=True, shuffled=True),
        Shape(name="chrome-classic", suites=MODERN, extensions=CHROME, grease=True, shuffled=True),
        Shape(name="firefox", suites=NSS, extensions=FIREFOX, groups=(HYBRID, 0x1D, 0x17, 0x18, 0x19, 0x100, 0x101),
              shares=(HYBRID, 0x1D, 0x17)),
        Shape(name="firefox-classic", suites=NSS, extensions=FIREFOX[:-1],
              groups=(0x1D, 0x17, 0x18, 0x19, 0x100, 0x101), shares=(0x1D, 0x17)),
        Shape(name="openssl", suites=OPENSSL, extensions=(NAME, 11, 10, 35, 16, 22, 23, 13, VERSIONS, 45, SHARES),
              groups=(0x1D, 0x17, 0x1E, 0x19, 0x18, 0x100, 0x101, 0x102)),
        Shape(name="go", suites=GO, extensions=(NAME, 5, 10, 11, 13, 0xFF01, 18, 16, VERSIONS, SHARES),
              groups=(0x1D, 0x17, 0x18, 0x19), session=True),
        Shape(name="tls12", suites=OPENSSL[3:], extensions=(NAME, 11, 10, 35, 13, 16, 23), versions=(0x0303,),
              session=False),
        Shape(name="box", suites=(0xC030, 0xC02C, 0xC028, 0xC024, 0xC014, 0xC00A, 0x9D, 0x3D, 0x35, 0xC02F, 0xC02B,
              0x9C, 0x2F), extensions=(NAME, 11, 10, 35, 13), versions=(0x0303,), session=False),
    )
}  # fmt: skip
"""Shapes by name. ``box`` offers 13 suites and old versions only, as an interceptor did (Raman et al., IMC 2020)."""

BROWSERS = ("chrome", "chrome-classic", "firefox", "firefox-classic", "openssl", "go")
"""Shapes of ordinary clients."""


def extension(kind: int, body: bytes) -> bytes:
    """Wrap *body* into one TLS extension."""
    return pack("!HH", kind, len(body)) + body


def vector(body: bytes, width: int = 2) -> bytes:
    """Put the length of *body* before it, in *width* bytes (RFC 8446 §3.4)."""
    return len(body).to_bytes(width, "big") + body


def numbers(values: tuple[int, ...]) -> bytes:
    """Write 16-bit numbers."""
    return pack(f"!{len(values)}H", *values)


def ech_outer(rng: np.random.Generator) -> bytes:
    """Write the body of an outer encrypted_client_hello extension; GREASE looks the same (RFC 9849 §5, §6.2)."""
    head = b"\x00" + pack("!HHB", 1, int(rng.choice([1, 3])), int(rng.integers(256)))
    return head + vector(rng.bytes(32)) + vector(rng.bytes(int(rng.choice([144, 176, 208, 239]))))


def hello_message(
    name: str,
    rng: np.random.Generator,
    shape: Shape,
    *,
    transport: bytes = b"",
    extra: tuple[tuple[int, bytes], ...] = (),
    size: int = 0,
) -> bytes:
    """Build a ClientHello message (RFC 8446 §4.1.2, RFC 6066 §3), without record.

    Args:
        name: Server name indication; an empty one leaves the extension out.
        rng: Source of the random fields.
        shape: Which program says it.
        transport: QUIC transport parameters (RFC 9001 §8.2); with them the hello is one of QUIC: TLS 1.3 only, ``h3``.
        extra: Further extensions, type and body.
        size: Least length of the message; a padding extension fills it up (RFC 7685).
    """
    if transport:
        suites = tuple(suite for suite in shape.suites if suite >> 8 == 0x13)
        shape = attrs.evolve(shape, suites=suites, versions=(0x0304,), alpn=(b"h3",), session=False)
    order = list(shape.extensions)
    if shape.shuffled:
        inner = rng.permutation(len(order) - 2) + 1
        order = [order[0], *(order[place] for place in inner), order[-1]]
    words = [GREASE[int(rng.integers(16))] for _ in range(4)]
    parts = [
        extension(words[bool(place)] if kind == GREASED else kind, body(kind, name, rng, shape, words))
        for place, kind in enumerate(order)
        if (kind != NAME or name) and not (transport and kind in (23, 0xFF01, 35, 11))
    ]
    parts += [extension(TRANSPORT, transport)] if transport else []
    parts += [extension(kind, content) for kind, content in extra]
    first = numbers((words[2],)) if shape.grease else b""
    head = pack("!H", 0x0303) + rng.bytes(32) + vector(rng.bytes(32) if shape.session else b"", 1)
    head += vector(first + numbers(shape.suites)) + b"\x01\x00"
    missing = size - (4 + len(head) + 2 + sum(map(len, parts)))
    if missing > 0:
        parts.append(extension(PADDING, bytes(max(0, missing - 4))))
    return b"\x01" + vector(head + vector(b"".join(parts)), 3)


FIXED = {
    5: b"\x01" + bytes(4),  # status_request: OCSP (RFC 6066 §8)
    11: b"\x01\x00",  # uncompressed points
    27: b"\x02\x00\x02",  # certificate compression: brotli (RFC 8879)
    28: b"\x40\x01",  # record size limit (RFC 8449)
    34: bytes.fromhex("00080403050306030203"),  # delegated credentials (RFC 9345)
    45: b"\x01\x01",
    0x44CD: b"\x00\x03\x02h2",  # application settings, as Chrome sends them
    0xFF01: b"\x00",  # renegotiation_info (RFC 5746)
}
"""What extensions hold that are alike in every hello; those not listed anywhere are empty."""


def body(kind: int, name: str, rng: np.random.Generator, shape: Shape, words: list[int]) -> bytes:
    """Write what one extension of a ClientHello holds."""
    grease = numbers((words[3],)) if shape.grease else b""
    match kind:
        case 0:
            return vector(b"\x00" + vector(name.encode("ascii")))
        case 10:
            return vector(grease + numbers(shape.groups))
        case 13:
            return vector(numbers(shape.signatures))
        case 16:
            return vector(b"".join(vector(protocol, 1) for protocol in shape.alpn))
        case 51:
            made = [numbers((group,)) + vector(rng.bytes(SHARE[group])) for group in shape.shares]
            return vector((grease + vector(b"\x00") if grease else b"") + b"".join(made))
        case 43:
            return vector(grease + numbers(shape.versions), 1)
        case 0xFE0D:
            return ech_outer(rng)
    return FIXED.get(kind, b"")


def server_hello(rng: np.random.Generator, *, version: int = 0x0304, session: bytes | None = None) -> bytes:
    """Build a ServerHello message (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3), without record.

    Args:
        rng: Source of the random fields.
        version: 0x0304 for TLS 1.3, 0x0303 for TLS 1.2.
        session: Session id; 32 random bytes when left out.
    """
    modern = version == 0x0304
    suite = int(rng.choice([0x1301, 0x1302, 0x1303] if modern else [0xC02B, 0xC02F, 0xC030, 0xC02C]))
    parts = [extension(SHARES, numbers((0x1D,)) + vector(rng.bytes(32))), extension(VERSIONS, b"\x03\x04")]
    if not modern:
        parts = [extension(0xFF01, b"\x00"), extension(11, b"\x01\x00"), extension(23, b"")]
        parts = parts[: int(rng.integers(1, 4))]
    identifier = rng.bytes(32) if session is None else session
    head = pack("!H", 0x0303) + rng.bytes(32) + vector(identifier, 1) + pack("!HB", suite, 0)
    return b"\x02" + vector(head + vector(b"".join(parts)), 3)


def read_name(message: bytes) -> tuple[str, int, frozenset[int]]:
    """Read the server name of a ClientHello that may be cut, as a box on the path does.

    Args:
        message: Handshake message from its type on.

    Returns:
        The name in lower case ("" when it is missing or not there yet), bytes the whole message has (0: no hello), and
        the types of the extensions that are there whole.
    """
    if len(message) < 4 or message[0] != 1:
        return "", 0, frozenset()
    at, name, kinds = 38, "", set[int]()
    for width in (1, 2, 1):  # session id, cipher suites, compression methods
        at += width + int.from_bytes(message[at : at + width], "big")
    at += 2
    while at + 4 <= len(message):
        kind, size = unpack("!HH", message[at : at + 4])
        content = message[at + 4 : at + 4 + size]
        if len(content) < size:
            break
        kinds.add(kind)
        if kind == NAME:
            name = content[5:].decode("ascii", "replace").lower()
        at += 4 + size
    return name, 4 + int.from_bytes(message[1:4], "big"), frozenset(kinds)
