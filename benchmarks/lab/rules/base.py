"""What all rules share: when they strike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.lab.flow import Flow
from benchmarks.lab.wire import ACK, SYN, TCP, UDP, Packet, text

if TYPE_CHECKING:
    from benchmarks.lab.box import Box

__all__ = ["Rule", "known_protocol"]

METHODS = (b"GET ", b"POST ", b"HEAD ", b"CONNECT ", b"OPTIONS ", b"DELETE ", b"PUT ")
QUIC_ONE = b"\0\0\0\1"  # version 1 (RFC 9000 section 15)
QUIC_LEAST = 1001  # bytes of an Initial that the Russian filter looks at (Xue et al., IMC 2022)


@attrs.define(kw_only=True, eq=False)
class Rule:
    """One behaviour of the box. Empty lists match everything.

    ``stage`` says which packet provokes it: ``syn``, ``synack``, ``hello`` (the client's bytes now hold a listed name,
    or hold anything when no names are listed), ``unknown`` (they are of no recognised protocol), ``initial`` (a QUIC
    Initial) or ``any`` (the first packet).
    """

    number: int
    mechanism: str = ""
    stage: str = "hello"
    names: list[str] = attrs.field(factory=list)
    addresses: list[str] = attrs.field(factory=list)
    ports: list[int] = attrs.field(factory=list)

    def cross(self, packet: Packet, outbound: bool, flow: Flow, box: Box, now: float) -> Packet | None:
        """Let a packet pass, changed or not, or swallow it (None)."""
        raise NotImplementedError

    def about(self, flow: Flow) -> bool:
        """Say whether a connection goes to where the rule looks."""
        return (not self.addresses or text(flow.key[2]) in self.addresses) and (
            not self.ports or flow.key[3] in self.ports
        )

    def provoked(self, packet: Packet, outbound: bool, flow: Flow) -> bool:
        """Say whether this packet provokes the rule."""
        if not self.about(flow):
            return False
        opening = packet.protocol == TCP and packet.flags & SYN
        match self.stage:
            case "any":
                return True
            case "syn":
                return outbound and bool(opening) and not packet.flags & ACK
            case "synack":
                return not outbound and bool(opening) and bool(packet.flags & ACK)
            case "initial":
                return (
                    outbound and packet.protocol == UDP and len(packet.payload) >= QUIC_LEAST
                    and packet.payload[0] >= 0xC0 and packet.payload[1:5] == QUIC_ONE
                )  # fmt: skip
            case "unknown":
                return outbound and packet.protocol == TCP and bool(packet.payload) and not known_protocol(flow.heard)
            case _:
                if not outbound or not packet.payload or packet.protocol != TCP:
                    return False
                return not self.names or any(name.encode() in flow.heard for name in self.names)


def known_protocol(heard: bytes) -> bool:
    """Recognise HTTP and TLS by their first bytes, as the Iranian filter of 2020 did (Bock et al., FOCI 2020)."""
    return heard.startswith(METHODS) or (heard[:2] == b"\x16\x03" and heard[2:3] in b"\1\2\3")
