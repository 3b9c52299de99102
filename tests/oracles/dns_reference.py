"""A slow, obvious reader of DNS messages: one message, one record, one byte at a time."""

from dataclasses import dataclass, field


@dataclass
class Record:
    """One resource record."""

    section: int
    owner: bytes
    kind: int
    rclass: int
    ttl: int
    data: bytes


@dataclass
class Message:
    """One message: header words, question, records, and whether it could be read to its end."""

    header: tuple[int, ...] = ()
    name: bytes = b""
    kind: int = 0
    qclass: int = 0
    records: list[Record] = field(default_factory=list)
    whole: bool = False
    trailing: int = 0


class Broken(Exception):
    """The bytes end or make no sense."""


def number(wire: bytes, at: int, size: int) -> int:
    """Read a big-endian number."""
    if at + size > len(wire):
        raise Broken
    return int.from_bytes(wire[at : at + size], "big")


def name_at(wire: bytes, at: int) -> tuple[bytes, int]:
    """Read a name and say where it ends; pointers must lead back before the piece that holds them."""
    labels: list[bytes] = []
    end, floor, size = -1, at, 0
    while True:
        lead = number(wire, at, 1)
        if lead >= 0xC0:
            target = (lead & 0x3F) << 8 | number(wire, at + 1, 1)
            end = at + 2 if end < 0 else end
            if target >= floor:
                raise Broken
            at = floor = target
        elif lead >= 64:
            raise Broken
        elif lead == 0:
            size += 1
            if size > 255:
                raise Broken
            return b".".join(labels), at + 1 if end < 0 else end
        else:
            if at + 1 + lead > len(wire):
                raise Broken
            labels.append(wire[at + 1 : at + 1 + lead])
            at, size = at + 1 + lead, size + 1 + lead
            if size > 255:
                raise Broken


def read_message(wire: bytes) -> Message:
    """Read one message as far as it goes."""
    message = Message()
    if len(wire) < 12:
        return message
    message.header = tuple(number(wire, 2 * place, 2) for place in range(6))
    at = 12
    try:
        for question in range(message.header[2]):
            name, at = name_at(wire, at)
            kind, qclass = number(wire, at, 2), number(wire, at + 2, 2)
            if question == 0:
                message.name, message.kind, message.qclass = name, kind, qclass
            at += 4
        for section, count in enumerate(message.header[3:], start=1):
            for _ in range(count):
                owner, at = name_at(wire, at)
                kind, rclass, ttl, size = (
                    number(wire, at + place, width) for place, width in ((0, 2), (2, 2), (4, 4), (8, 2))
                )
                at += 10
                number(wire, at, size)
                message.records.append(Record(section, owner, kind, rclass, ttl, wire[at : at + size]))
                at += size
    except Broken:
        return message
    message.whole, message.trailing = True, len(wire) - at
    return message
