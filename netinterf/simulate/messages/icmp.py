"""ICMP errors as routers and hosts send them, for IPv4 (RFC 792) and IPv6 (RFC 4443)."""

from struct import pack

from netinterf.simulate.encode import ICMP, ICMPV6
from netinterf.simulate.network.packet import Packet
from netinterf.values import frozen

__all__ = ["Unreachable", "error", "unreachable"]


@frozen
class Unreachable:
    """What an ICMP error says."""

    mtu: int = 0  # largest packet that passes, when that was the trouble
    hard: bool = False  # nothing of this kind gets there: administratively prohibited, no such port, host or protocol


def unreachable(message: bytes, protocol: int) -> Unreachable:
    """Read an ICMP message (without its IP header)."""
    kind, code = message[0], message[1]
    if protocol == ICMP and kind == 3:
        return Unreachable(mtu=int.from_bytes(message[6:8], "big")) if code == 4 else Unreachable(hard=True)
    if protocol == ICMPV6 and kind == 2:
        return Unreachable(mtu=int.from_bytes(message[4:8], "big"))
    return Unreachable(hard=protocol == ICMPV6 and kind == 1)


def error(about: Packet, router: tuple[int, int], kind: str, *, mtu: int = 0, ttl: int = 64) -> Packet:
    """Build the ICMP error that *router* sends to the source of a packet.

    Args:
        about: The packet that was in trouble; its headers and first bytes are quoted.
        router: Address of the sender.
        kind: expired, port, host, prohibited or size.
        mtu: Largest packet that passes, for size.
        ttl: Initial hop limit of the error.
    """
    six = about.source[0] != 0
    types = (
        {"expired": (3, 0), "port": (1, 4), "host": (1, 3), "prohibited": (1, 1), "size": (2, 0)}
        if six
        else {"expired": (11, 0), "port": (3, 3), "host": (3, 1), "prohibited": (3, 13), "size": (3, 4)}
    )
    number, code = types[kind]
    rest = pack("!I", mtu)
    return Packet(
        source=router, destination=about.source, sport=0, dport=0, protocol=ICMPV6 if six else ICMP, ttl=ttl,
        ip_flags=0, subject=about.subject, payload=pack("!BBH", number, code, 0) + rest + about.quoted(),
    )  # fmt: skip
