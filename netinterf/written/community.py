"""Community IDs: what other monitors call the same conversation (Community ID Flow Hashing, version 1, by Corelight).

Zeek, Suricata, Arkime and Wireshark compute the same, so that what they say of a conversation can be put beside a
verdict. Whoever tries all addresses finds the ones that it was computed from, so that of a redacted verdict is computed
from the new ones.
"""

from base64 import b64encode
from functools import lru_cache
from hashlib import sha1
from ipaddress import ip_address
from struct import Struct

__all__ = ["community_id"]

SEED = 0  # of the hash, as every monitor has it by default

ICMP, ICMP6 = 1, 58
PORTED = frozenset({6, 17, 132})  # TCP, UDP, SCTP

ANSWERS: dict[int, dict[int, int]] = {
    ICMP: {8: 0, 13: 14, 15: 16, 10: 9, 17: 18},
    ICMP6: {128: 129, 133: 134, 135: 136, 130: 131, 139: 140, 144: 145},
}
"""Types of ICMP messages that ask, and of those that answer them (RFC 792, 950 and 1256; RFC 4443, 4861, 2710, 4620 and
6275)."""

ECHO = {(ICMP, 0): 8, (ICMP6, 129): 128}
"""Of echo replies the requests: whoever asks is called client, also where the answer alone was captured."""

OTHER_TYPE = {
    protocol: pairs | {answer: question for question, answer in pairs.items()} for protocol, pairs in ANSWERS.items()
}

PORTS = Struct(">HH")

KEPT = 1 << 14  # addresses that are not parsed again


def community_id(
    protocol: int, client: str, server: str, ports: tuple[int, int] = (0, 0), icmp: tuple[int, int] = (0, 0)
) -> str:
    """Hash the endpoints of a conversation, the same whoever is called client.

    Args:
        protocol: Transport protocol number.
        client: Address.
        server: Address.
        ports: Of both, for protocols that have some.
        icmp: Type and code of the first message, for ICMP: the client's, or an echo reply.
    """
    ends = (packed(client), packed(server))
    told, one_way = ports if protocol in PORTED else (), False
    if protocol in OTHER_TYPE:
        kind, code = ECHO.get((protocol, icmp[0]), icmp[0]), icmp[1]
        other = OTHER_TYPE[protocol].get(kind)
        one_way = other is None
        told = (kind, code if other is None else other)
    if not one_way and (ends[1], *told[1:]) < (ends[0], *told[:1]):
        ends, told = ends[::-1], told[::-1]
    hashed = b"".join([SEED.to_bytes(2), *ends, bytes([protocol, 0]), PORTS.pack(*told) if told else b""])
    return f"1:{b64encode(sha1(hashed, usedforsecurity=False).digest()).decode()}"


@lru_cache(KEPT)
def packed(address: str) -> bytes:
    """Write an address as it stands in headers."""
    return ip_address(address).packed
