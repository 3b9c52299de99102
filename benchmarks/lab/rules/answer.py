"""Forged DNS answers, and queries that are swallowed."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.lab.flow import Flow, Note
from benchmarks.lab.rules.base import Rule
from benchmarks.lab.wire import UDP, Packet, parse

if TYPE_CHECKING:
    from benchmarks.lab.box import Box

__all__ = ["Answer", "Reply", "question"]

A, AAAA = 1, 28


@attrs.frozen(kw_only=True)
class Reply:
    """How one forged answer looks."""

    addresses: list[str]  # one is drawn per query; of either family
    code: int = 0  # response code: 3 with no address is a forged NXDOMAIN
    flags: int = 0x8180
    lifetime: int = 60
    after: float = 0.0005
    ttl: int | str = 64  # mirror: as the query has it
    ip_id: int | str = "random"
    dont_fragment: bool = False
    pointer: bool = True  # the answer's name points to the question's
    wrong_family: bool = False  # AAAA questions are answered with an A record
    cut_class: bool = False  # no class in the question, a count of one additional record that is not there (Iran)


def replies_of(values: list[dict[str, Any]]) -> list[Reply]:
    """Read replies from a specification."""
    return [Reply(**one) for one in values]


@attrs.define(kw_only=True, eq=False)
class Answer(Rule):
    """Answers queries for listed names, or swallows them."""

    replies: list[Reply] = attrs.field(factory=list, converter=replies_of)
    swallow: bool = False

    def cross(self, packet: Packet, outbound: bool, flow: Flow, box: Box, now: float) -> Packet | None:
        """Look at queries on their way out."""
        if packet.protocol != UDP or not outbound or packet.dport != 53 or not self.about(flow):
            return packet
        name, kind, end = question(packet.payload)
        if not any(name == one or name.endswith("." + one) for one in self.names):
            return packet
        number = box.trigger(packet, flow)
        box.touch(flow, self.mechanism, number)
        for reply in self.replies:
            made = forged(reply, packet, kind, end, box)
            made.note = Note("forged", flow.key, number, self.mechanism)
            box.forge(made, outbound=False, at=now + reply.after)
        return None if self.swallow else packet


def question(message: bytes) -> tuple[str, int, int]:
    """Read the name and type asked for and where the question ends."""
    labels, place = [], 12
    while place < len(message) and message[place]:
        labels.append(message[place + 1 : place + 1 + message[place]].decode("latin-1").lower())
        place += 1 + message[place]
    if place + 5 > len(message):
        return "", 0, 0
    return ".".join(labels), struct.unpack_from("!H", message, place + 1)[0], place + 5


def forged(reply: Reply, query: Packet, kind: int, end: int, box: Box) -> Packet:
    """Build the datagram of a forged answer."""
    records = b""
    fitting = [one for one in reply.addresses if (":" in one) == (kind == AAAA and not reply.wrong_family)]
    count = 0
    if fitting:
        address = box.rng.choice(fitting)
        data = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
        owner = b"\xc0\x0c" if reply.pointer else query.payload[12 : end - 4]
        records = owner + struct.pack("!HHIH", AAAA if ":" in address else A, 1, reply.lifetime, len(data)) + data
        count = 1
    asked = query.payload[12 : end - 2 if reply.cut_class else end]
    head = query.payload[:2] + struct.pack("!HHHHH", reply.flags | reply.code, 1, count, 0, int(reply.cut_class))
    ids = {"random": box.rng.randrange(1, 2**16), "mirror": query.ip_id}
    raw = attrs.evolve(
        query, source=query.destination, destination=query.source, sport=query.dport, dport=query.sport,
        payload=head + asked + records, ttl=query.ttl if reply.ttl == "mirror" else int(reply.ttl), note=None,
        ip_id=ids[reply.ip_id] if isinstance(reply.ip_id, str) else reply.ip_id, dont_fragment=reply.dont_fragment,
    ).rebuilt()  # fmt: skip
    packet = parse(raw)
    if packet is None:
        raise ValueError("a forged answer must be readable")
    return packet
