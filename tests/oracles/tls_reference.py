"""TLS handshakes written and read one at a time: builders of messages and records, and a slow twin of the reader."""

import hashlib
import struct
from contextlib import suppress

from netinterf.schema import ParseError, TlsKind


def vector(width, body):
    """Write a body behind its length of *width* bytes."""
    return len(body).to_bytes(width, "big") + body


def extension(kind, body=b""):
    """Write one extension."""
    return struct.pack(">H", kind) + vector(2, body)


def server_name(name):
    """Write a server_name extension."""
    return extension(0, vector(2, b"\0" + vector(2, name)))


def alpn(*names):
    """Write an ALPN extension."""
    return extension(16, vector(2, b"".join(vector(1, name) for name in names)))


def client_hello(extensions=(), session=b"\x11" * 32, version=0x0303, suites=b"\x13\x01\x13\x02"):
    """Write a ClientHello message; None for *extensions* leaves the list out."""
    body = struct.pack(">H", version) + b"\x22" * 32 + vector(1, session) + vector(2, suites) + vector(1, b"\0")
    if extensions is not None:
        body += vector(2, b"".join(extensions))
    return b"\x01" + vector(3, body)


def server_hello(extensions=(), version=0x0303):
    """Write a ServerHello message."""
    body = struct.pack(">H", version) + b"\x33" * 32 + vector(1, b"") + b"\x13\x01\x00"
    return b"\x02" + vector(3, body + vector(2, b"".join(extensions)))


def certificate(*ders):
    """Write a Certificate message of TLS 1.2."""
    return b"\x0b" + vector(3, vector(3, b"".join(vector(3, der) for der in ders)))


def certificate_status(response, kind=1):
    """Write a CertificateStatus message."""
    return b"\x16" + vector(3, bytes([kind]) + vector(3, response))


def records(message, sizes=(), version=0x0301, kind=22):
    """Write a message as records: one of each of *sizes*, the rest in a last one."""
    out, place = b"", 0
    for size in [*sizes, len(message)]:
        part = message[place : place + size]
        place += len(part)
        if part:
            out += struct.pack(">BH", kind, version) + vector(2, part)
    return out


class Stop(Exception):
    """Reading ended."""


class Reader:
    """Read forward; note the first trouble."""

    def __init__(self, data, at, bound):
        self.data, self.at, self.bound = data, at, bound
        self.error, self.error_at = 0, -1

    def fail(self, error, at):
        """Keep the first trouble."""
        if not self.error:
            self.error, self.error_at = int(error), at

    def need(self, size):
        """Stop when so many bytes are not there."""
        if self.at + size > self.bound:
            self.fail(ParseError.BAD_LENGTH, self.at)
            raise Stop
        if self.at + size > len(self.data):
            self.fail(ParseError.CUT, len(self.data))
            raise Stop

    def peek(self, size):
        """Look at a number."""
        self.need(size)
        return int.from_bytes(self.data[self.at : self.at + size], "big")

    def skip(self, size):
        """Step on."""
        self.need(size)
        self.at += size


def read_stream(data):
    """Read one stream; return rows as dictionaries, in order of their first byte."""
    place, joined, where, alerts, sealed = 0, bytearray(), [], [], False
    versions = []
    while place + 5 <= len(data):
        kind, version, length = struct.unpack(">BHH", data[place : place + 5])
        body = data[place + 5 : place + 5 + length]
        first = place == 0
        looks = len(body) >= 6 and body[0] in (1, 2) and body[1] == 0 and body[4] == 3
        if kind not in (20, 21, 22) or not 0x300 <= version <= 0x304 or length > 2**14 + 2048:
            break
        if (kind == 20 and first) or (kind == 21 and length != 2) or (kind == 22 and sealed and not looks):
            break
        sealed = kind == 20
        if kind == 22:
            joined += body
            where += range(place + 5, place + 5 + len(body))
            versions += [version] * len(body)
        if kind == 21 and body:
            alerts.append((place + 5, version, body))
        place += 5 + length
    rows, start = [], 0
    while start < len(joined) and joined[start] <= 25:
        length = int.from_bytes(joined[start + 1 : start + 4], "big") if len(joined) - start >= 4 else -1
        message = bytes(joined[start : start + 4 + max(length, 0)])
        behind = start + 4 + length
        if joined[start] in (1, 2, 11, 22):
            row = read_message(message, length)
            row["followed"] = length >= 0 and behind < len(joined) and joined[behind] <= 25
            last = where[start + len(message) - 1]
            rows.append(row | {"first": where[start], "last": last, "record_version": versions[start]})
        start += 4 + max(length, 0)
    for at, version, body in alerts:
        row = blank(TlsKind.ALERT, 2) | {"first": at, "last": at + len(body) - 1, "record_version": version}
        if len(body) == 2:
            row["alert"] = int.from_bytes(body, "big")
        else:
            row["error"], row["error_at"] = int(ParseError.CUT), 1
        rows.append(row)
    return sorted(rows, key=lambda row: row["first"])


def blank(kind, length):
    """Start a row."""
    row = {"kind": int(kind), "length": length, "version": 0, "alert": 0, "name": b"", "alpn": b"", "ech": False}
    row |= {"ja4": b"", "certificates": b"", "chain": b"", "stapled": b"", "followed": False}
    return row | {"cipher": 0, "versions": [], "extensions": [], "error": 0, "error_at": -1}


def read_message(message, length):
    """Read one message that begins with its header."""
    kinds = {1: TlsKind.CLIENT_HELLO, 2: TlsKind.SERVER_HELLO, 11: TlsKind.CERTIFICATE, 22: TlsKind.CERTIFICATE_STATUS}
    row = blank(kinds[message[0]], max(length, 0))
    if length < 0:
        return row | {"error": int(ParseError.CUT), "error_at": len(message)}
    reader = Reader(message, 4, 4 + length)
    with suppress(Stop):
        {11: read_certificate, 22: read_status}.get(message[0], read_hello)(reader, row, message[0] == 1)
    row |= {"error": reader.error, "error_at": reader.error_at}
    return row | {
        "ja4": fingerprint(message, row) if message[0] == 1 and reader.error in (0, ParseError.BAD_VALUE) else b""
    }


def read_status(reader, row, _client):
    """Read the response of a CertificateStatus message."""
    if reader.peek(4) >> 24 != 1:
        reader.fail(ParseError.BAD_VALUE, reader.at)
        return
    size = reader.peek(4) & 0xFFFFFF
    reader.at += 4
    reader.need(size)
    row["stapled"] = reader.data[reader.at : reader.at + size]


def read_certificate(reader, row, _client):
    """Read the leaf of a Certificate message, and what is behind it in the list."""
    end = reader.peek(3) + reader.at + 3
    message_end = reader.bound
    if end > message_end:
        reader.fail(ParseError.BAD_LENGTH, reader.at)
    reader.skip(3)
    try:
        if reader.at < min(end, message_end):
            size = reader.peek(3)
            reader.skip(3)
            reader.need(size)
            row["certificates"] = reader.data[reader.at : reader.at + size]
            row["chain"] = reader.data[reader.at + size : min(end, message_end)]
    finally:
        if len(reader.data) < message_end:
            reader.fail(ParseError.CUT, len(reader.data))
        if end < message_end:
            reader.fail(ParseError.TRAILING, end)


def read_hello(reader, row, client):
    """Read a hello: head, then extensions, then what they say."""
    row["version"] = reader.peek(2)
    reader.skip(34)
    widths = (1, 2, 1) if client else (1,)
    for width in widths:
        size = reader.peek(width)
        reader.need(width + size)
        if width == 2 and size % 2:
            reader.fail(ParseError.BAD_LENGTH, reader.at)
        reader.skip(width + size)
    if not client:
        row["cipher"] = reader.peek(3) >> 8
        reader.skip(3)
    if reader.at >= reader.bound:
        return
    end = reader.peek(2) + reader.at + 2
    if end > reader.bound:
        reader.fail(ParseError.BAD_LENGTH, reader.at)
    elif end < reader.bound:
        reader.fail(ParseError.TRAILING, end)
    reader.bound = min(end, reader.bound)
    reader.at += 2
    bodies = {}
    try:
        while reader.at < reader.bound:
            kind = reader.peek(4) >> 16
            size = reader.peek(4) & 0xFFFF
            row["extensions"].append(kind)
            reader.at += 4
            reader.need(size)
            bodies.setdefault(kind, (reader.at, reader.data[reader.at : reader.at + size]))
            reader.at += size
    finally:
        row["ech"] = any(kind in (0xFE0D, 0xFFCE, 0xFF02, 0xFF03, 0xFF04) for kind in row["extensions"])
        if 43 in bodies:
            read_versions(reader, row, client, *bodies[43])
        if 16 in bodies:
            read_protocols(reader, row, *bodies[16])
        if 13 in bodies and client:
            at, body = bodies[13]
            if len(body) < 2 or len(body) % 2 or int.from_bytes(body[:2], "big") != len(body) - 2:
                reader.fail(ParseError.BAD_LENGTH, at)
        if 0 in bodies and client:
            read_name(reader, row, *bodies[0])


def read_versions(reader, row, client, at, body):
    """Read supported_versions."""
    listed = body[1:] if client else body
    good = len(body) > 0 and len(listed) % 2 == 0 and (body[0] == len(listed) if client else len(body) == 2)
    if not good:
        reader.fail(ParseError.BAD_LENGTH, at)
        return
    row["versions"] = [int.from_bytes(listed[i : i + 2], "big") for i in range(0, len(listed), 2)]
    if not client:
        row["version"] = row["versions"][0]


def read_name(reader, row, at, body):
    """Read server_name."""
    if len(body) < 5:
        reader.fail(ParseError.BAD_LENGTH, at)
        return
    listed, kind, size = struct.unpack(">HBH", body[:5])
    if listed + 2 > len(body) or size + 3 > listed:
        reader.fail(ParseError.BAD_LENGTH, at)
    elif kind or not size:
        reader.fail(ParseError.BAD_VALUE, at + 2)
    else:
        name = body[5 : 5 + size]
        row["name"] = (name[:-1] if name.endswith(b".") else name).lower()


def read_protocols(reader, row, at, body):
    """Read ALPN."""
    if len(body) < 2:
        reader.fail(ParseError.BAD_LENGTH, at)
        return
    listed = int.from_bytes(body[:2], "big")
    end, place, names = min(2 + listed, len(body)), 2, []
    trouble = 2 if 2 + listed > len(body) else None
    while place < end:
        size = body[place]
        names.append(body[place + 1 : min(place + 1 + size, end)])
        if place + 1 + size > end:
            trouble = place + 1 if trouble is None else trouble
            break
        place += 1 + size
    if trouble is not None:
        reader.fail(ParseError.BAD_LENGTH, at + trouble)
    row["alpn"] = b",".join(names)


def pairs(body):
    """Read numbers of two bytes each, but for those that are there to be ignored."""
    grease = [0x0A0A + 0x1010 * step for step in range(16)]
    numbers = [int.from_bytes(body[place : place + 2], "big") for place in range(0, len(body), 2)]
    return [number for number in numbers if number not in grease]


def fingerprint(message, row, transport="t"):
    """Write JA4 of a whole ClientHello message by its description, step by step."""
    place = 38
    place += 1 + message[place]
    size = int.from_bytes(message[place : place + 2], "big")
    ciphers = pairs(message[place + 2 : place + 2 + size])
    place += 2 + size
    place += 1 + message[place] + 2
    kinds, first = [], {}
    while place < len(message):
        kind, size = struct.unpack(">HH", message[place : place + 4])
        kinds.append(message[place : place + 2])
        first.setdefault(kind, message[place + 4 : place + 4 + size])
        place += 4 + size
    kinds = pairs(b"".join(kinds))
    versions = pairs(first.get(43, b"")[1:]) or [row["version"]]
    known = {0x304: "13", 0x303: "12", 0x302: "11", 0x301: "10", 0x300: "s3", 2: "s2"}
    text = transport + known.get(max(versions), "00") + ("d" if 0 in kinds else "i")
    text += str(min(len(ciphers), 99)).rjust(2, "0") + str(min(len(kinds), 99)).rjust(2, "0")
    asked = first.get(16, b"")[2:]
    protocol = asked[1 : 1 + asked[0]] if asked else b""
    if not protocol:
        text += "00"
    elif all(chr(byte).isalnum() and byte < 128 for byte in (protocol[0], protocol[-1])):
        text += chr(protocol[0]) + chr(protocol[-1])
    else:
        text += f"{protocol[0]:02x}"[0] + f"{protocol[-1]:02x}"[1]
    listed = sorted(f"{kind:04x}" for kind in kinds if kind not in (0, 16))
    signed = [f"{one:04x}" for one in pairs(first.get(13, b"")[2:])]
    tail = ",".join(listed) + ("_" + ",".join(signed) if signed else "")
    for content, there in ((",".join(sorted(f"{one:04x}" for one in ciphers)), ciphers), (tail, listed)):
        text += "_" + (hashlib.sha256(content.encode()).hexdigest()[:12] if there else "000000000000")
    return text.encode()
