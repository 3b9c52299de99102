"""DNS messages (RFC 1035), written as stubs, resolvers and forgers write them."""

from collections.abc import Sequence
from struct import pack

__all__ = ["address_bytes", "dns_message", "dns_name"]


def dns_name(name: str) -> bytes:
    """Encode a domain name without compression (RFC 1035 §3.1)."""
    labels = [label.encode("ascii") for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\x00"


def dns_message(
    identifier: int,
    flags: int,
    name: str,
    kind: int,
    records: Sequence[tuple[int, int, bytes]] = (),
    *,
    opt: bool = False,
    padding: bytes = b"",
) -> bytes:
    """Build a DNS message with one question (RFC 1035 §4.1).

    Args:
        identifier: Message identifier.
        flags: Second header word: QR, opcode, AA, TC, RD, RA, RCODE.
        name: Question name.
        kind: QTYPE.
        records: Answers as (type, TTL in seconds, data), each owned by the question name.
        opt: Add an OPT record (RFC 6891 §6.1.2).
        padding: Bytes behind the last record.
    """
    head = pack("!6H", identifier, flags, 1, len(records), 0, int(opt))
    answers = b"".join(pack("!HHHIH", 0xC00C, rr, 1, ttl, len(data)) + data for rr, ttl, data in records)
    tail = pack("!BHHIH", 0, 41, 1232, 0, 0) if opt else b""
    return head + dns_name(name) + pack("!HH", kind, 1) + answers + tail + padding


def address_bytes(high: int, low: int) -> bytes:
    """Give the 4 or 16 bytes of an address held as two halves (IPv4-mapped for IPv4)."""
    if high == 0 and low >> 32 == 0xFFFF:
        return (low & 0xFFFFFFFF).to_bytes(4, "big")
    return (high << 64 | low).to_bytes(16, "big")
