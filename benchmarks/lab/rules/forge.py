"""Packets of the box's own: resets, FINs, SYN/ACKs, pages and other payload; and genuine packets made into resets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.lab.flow import Flow, Note
from benchmarks.lab.rules.base import Rule
from benchmarks.lab.wire import ACK, RST, SYN, Packet, parse, timestamps

if TYPE_CHECKING:
    from benchmarks.lab.box import Box

__all__ = ["Forge", "ForgedPacket", "Rewrite"]


@attrs.frozen(kw_only=True)
class ForgedPacket:
    """One forged packet: where it goes and how its fields are chosen.

    Numbers are taken as they are; ``genuine`` imitates the end whose name it bears, ``mirror`` copies the trigger.
    """

    to: str = "client"
    flags: int = RST | ACK
    payload: str = ""  # hexadecimal
    seq: int = 0  # added to what the receiver expects next
    start: bool = False  # towards the server: the trigger's start instead of its end
    ack: int | None = 0  # added to the right one; None: zero
    ttl: int | str = 64
    ip_id: int | str = "random"
    window: int | str = 0
    dont_fragment: bool | str = False
    options: str = "none"
    after: float = 0.0005  # seconds after the trigger
    wait: bool = False  # and then until the genuine answer could be there


def forged_packets(values: list[dict[str, Any]]) -> list[ForgedPacket]:
    """Read forged packets from a specification."""
    return [ForgedPacket(**one) for one in values]


@attrs.define(kw_only=True, eq=False)
class Forge(Rule):
    """Sends packets of its own when provoked."""

    forged: list[ForgedPacket] = attrs.field(converter=forged_packets)
    swallow: bool = False  # the trigger goes no further
    then: str = "pass"  # afterwards: pass, cut (both directions silenced), up, down
    residual: float = 0.0  # seconds in which new connections of the client to that place are struck at their SYN
    hits: dict[tuple[bytes, bytes, int], float] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool, flow: Flow, box: Box, now: float) -> Packet | None:
        """Strike once per connection (at every SYN while the residual time lasts)."""
        if flow.marks.get(self.number) and self.stage not in {"syn", "synack"}:
            silenced = self.then in {"cut", "up" if outbound else "down"}
            if silenced:
                box.touch(flow, "tcp.drop", 0)
            return None if silenced else packet
        place = (flow.key[0], flow.key[2], flow.key[3])
        again = self.residual and outbound and packet.flags & SYN and now < self.hits.get(place, -1)
        if not again and not self.provoked(packet, outbound, flow):
            return packet
        flow.marks[self.number] = True
        if not again and self.residual:
            self.hits[place] = now + self.residual
        number = box.trigger(packet, flow)
        box.touch(flow, "tcp.connect.reset" if again else self.mechanism, number)
        for look in self.forged:
            made = self.make(look, packet, flow, box, now)
            made.note = Note("forged", flow.key, number, self.mechanism)
            delay = look.after + (flow.far if look.wait else 0.0)
            box.forge(made, outbound=look.to == "server", at=now + delay)
        return None if self.swallow else packet

    def make(self, look: ForgedPacket, trigger: Packet, flow: Flow, box: Box, now: float) -> Packet:
        """Build one packet."""
        to_client = look.to == "client"
        own = flow.server if to_client else flow.client  # whom it pretends to be
        other = flow.client if to_client else flow.server
        seq, ack = numbers(look, trigger, flow)
        fresh = box.rng.randrange(1, 2**16)
        if look.flags & SYN:
            seq = box.rng.getrandbits(32)
        next_id = (own.ip_id + 1) % 2**16 if own is not None and own.ip_id else 0
        ids = {"random": fresh, "genuine": next_id, "mirror": trigger.ip_id}
        genuine_window = own.window if own is not None else trigger.window
        windows = {"genuine": genuine_window, "mirror": trigger.window, "random": fresh}
        ttls = {"genuine": own.ttl if own is not None else 64, "mirror": trigger.ttl}
        client, port, server, server_port, protocol = flow.key
        ends = (server, client, server_port, port) if to_client else (client, server, port, server_port)
        model = own or other or trigger
        raw = attrs.evolve(
            trigger, source=ends[0], destination=ends[1], sport=ends[2], dport=ends[3], protocol=protocol,
            seq=seq % 2**32, ack=ack % 2**32, flags=look.flags, payload=bytes.fromhex(look.payload), note=None,
            ttl=chosen(look.ttl, ttls), ip_id=chosen(look.ip_id, ids),
            window=chosen(look.window, windows),
            dont_fragment=model.dont_fragment if look.dont_fragment == "genuine" else bool(look.dont_fragment),
            options=imitated(look, flow, own, now),
        ).rebuilt()  # fmt: skip
        packet = parse(raw)
        if packet is None:
            raise ValueError("a forged packet must be readable")
        return packet


def chosen(value: int | str, known: dict[str, int]) -> int:
    """Give a field its value: a number as it is, a word by what it stands for."""
    return known[value] if isinstance(value, str) else value


def numbers(look: ForgedPacket, trigger: Packet, flow: Flow) -> tuple[int, int]:
    """Choose sequence and acknowledgement number."""
    if look.to == "client":
        forwards = trigger.source == flow.key[0]
        seq = trigger.ack if forwards else trigger.seq
        ack = trigger.end if forwards else trigger.ack
    elif trigger.source == flow.key[0]:
        seq, ack = (trigger.seq if look.start else trigger.end), trigger.ack
    else:
        seq, ack = trigger.ack, trigger.end
    return seq + look.seq, 0 if look.ack is None else ack + look.ack


def imitated(look: ForgedPacket, flow: Flow, own: Packet | None, now: float) -> bytes:
    """Give the TCP options of a forged packet."""
    if look.options == "none":
        return b""
    if look.options == "handshake":  # what a plain stack would offer: MSS only (RFC 9293 section 3.7.1)
        return bytes.fromhex("020405b4")
    told = timestamps(own.options) if own is not None else None
    heard = timestamps(flow.client.options if look.to == "client" and flow.client else b"")
    if told is None:
        return b""
    value = told[0] + (int((now - flow.server_at) * 1000) if look.to == "client" else 0)
    echo = heard[0] if heard else told[1]
    return b"\1\1\x08\x0a" + (value % 2**32).to_bytes(4, "big") + echo.to_bytes(4, "big")


@attrs.define(kw_only=True, eq=False)
class Rewrite(Rule):
    """Turns the server's packets after the trigger into resets, in place (the Russian kind; Xue et al., IMC 2022)."""

    keep_options: bool = False

    def cross(self, packet: Packet, outbound: bool, flow: Flow, box: Box, now: float) -> Packet | None:  # noqa: ARG002 - one signature for all rules
        """Rewrite what comes back once the trigger has passed."""
        number = flow.marks.get(self.number)
        if number is None:
            if self.provoked(packet, outbound, flow):
                flow.marks[self.number] = box.trigger(packet, flow)
            return packet
        if outbound:
            return packet
        box.touch(flow, self.mechanism, number)
        changed = parse(
            packet.rebuilt(flags=RST | ACK, payload=b"", options=packet.options if self.keep_options else b"")
        )
        if changed is None:
            raise ValueError("a rewritten packet must be readable")
        changed.note = Note("forged", flow.key, number, self.mechanism)
        return changed
