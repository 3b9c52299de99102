"""What provokes a box: bytes a client says, handshakes with an address, whatever a punished client does."""

from collections.abc import Callable

from netinterf.simulate.boxes.sight import ConnectionView
from netinterf.simulate.network.packet import ACK, FIN, RST, SYN, Address, Packet

__all__ = ["Trigger", "answers", "farewell", "opens", "punished", "says", "speaks_to"]

Trigger = Callable[[Packet, bool, ConnectionView], bool]
"""Whether a box takes offence at a packet, which goes outbound or not, of a connection as it sees it."""


def says(words: frozenset[bytes], *, whole: bool = False, turn: int = 1, bare_header: bool = False) -> Trigger:
    """React to the packet that completes one of *words* in what a client says.

    Args:
        words: What is looked for.
        whole: The word must lie in one packet: the box does not reassemble.
        turn: The client must have sent so many packets with payload (Tajikistan: two; Nourin et al., FOCI 2023).
        bare_header: Packets with TCP options are not looked at (Henan; Wu et al., S&P 2025).
    """

    def matches(packet: Packet, outbound: bool, view: ConnectionView) -> bool:
        if not outbound or not packet.payload or view.client_packets < turn or (bare_header and packet.options):
            return False
        return any(word in (packet.payload if whole else view.client_bytes) for word in words)

    return matches


def opens(servers: frozenset[Address], *, punished_only: bool = False) -> Trigger:
    """React to the SYNs of clients, to *servers* or by punished ones."""

    def matches(packet: Packet, outbound: bool, view: ConnectionView) -> bool:
        listed = view.punished if punished_only else packet.destination in servers
        return outbound and packet.flags & (SYN | ACK) == SYN and listed

    return matches


def answers(servers: frozenset[Address]) -> Trigger:
    """React to the SYN/ACKs of *servers*."""
    both = SYN | ACK
    return lambda packet, outbound, _: not outbound and packet.flags & both == both and packet.source in servers


def speaks_to(servers: frozenset[Address]) -> Trigger:
    """React to whatever clients say to *servers* once connected."""
    return lambda packet, outbound, _: outbound and bool(packet.payload) and packet.destination in servers


def farewell(packet: Packet, outbound: bool, view: ConnectionView) -> bool:
    """React to the FIN of a client whose connection was cut off from the server."""
    return outbound and bool(packet.flags & FIN) and True in view.silent


def punished(packet: Packet, outbound: bool, view: ConnectionView) -> bool:
    """React to the packets of punished clients after the handshake, other than resets."""
    return outbound and view.punished and not packet.flags & (SYN | RST)
