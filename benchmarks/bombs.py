"""Captures of a megabyte or less that hold millions of the smallest things that their formats know."""

import gzip
from pathlib import Path
from struct import pack

__all__ = ["BOMBS", "write_bombs"]

PCAP = pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
SIZE = 255 << 20  # bytes that each expands to: below what any compressed capture may (netinterf.capture.compression)


def record(captured: bytes, length: int) -> bytes:
    """Write a record of classic pcap."""
    return pack("<IIII", 1_700_000_000, 0, len(captured), length) + captured


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Write a block of pcapng (draft-ietf-opsawg-pcapng §3.1)."""
    return pack(order + "II", kind, len(body) + 12) + body + pack(order + "I", len(body) + 12)


def section(order: str = "<") -> bytes:
    """Write a section header (§4.1)."""
    return block(0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def packet(interface: int = 0) -> bytes:
    """Write an enhanced packet block without bytes (§4.3)."""
    return block(6, pack("<IIIII", interface, 0, 0, 0, 60))


INTERFACE = block(1, pack("<HHI", 1, 0, 0))
PCAPNG = section() + INTERFACE
OPTIONS = pack("<HH", 0x999, 0) * 200

BOMBS = {
    "records of zeros": (PCAP, bytes(16)),
    "records with a time": (PCAP, record(b"", 60)),
    "records that claim 4 GB on the wire": (PCAP, record(b"", 0xFFFFFFFF)),
    "records of one byte": (PCAP, record(b"\0", 60)),
    "Ethernet headers alone": (PCAP, record(bytes(12) + b"\x08\0", 60)),
    "ARP": (PCAP, record(bytes(12) + b"\x08\x06" + bytes(28), 60)),
    "enhanced packets": (PCAPNG, packet()),
    "simple packets": (PCAPNG, block(3, bytes(4))),
    "packets of no interface": (PCAPNG, packet(7)),
    "packets with options": (PCAPNG, block(6, pack("<IIIII", 0, 0, 0, 0, 60) + OPTIONS)),
    "blocks of unknown type": (PCAPNG, block(0x77, b"")),
    "blocks of type 0": (PCAPNG, block(0, b"")),
    "custom blocks": (PCAPNG, block(0xBAD, bytes(4))),
    "names": (PCAPNG, block(4, pack("<HHI", 1, 4, 0) * 8)),
    "statistics": (PCAPNG, block(5, bytes(12))),
    "sections": (PCAPNG, section()),
    "sections in two byte orders": (PCAPNG, section(">") + section()),
    "sections with an interface": (PCAPNG, section() + INTERFACE),
    "interfaces": (PCAPNG, INTERFACE),
    "interfaces with options": (PCAPNG, block(1, pack("<HHI", 1, 0, 0) + OPTIONS)),
}
"""What comes first in each, and what is repeated."""


def write_bombs(folder: Path) -> list[Path]:
    """Write all of them, compressed, and one that is compressed twice."""
    paths = []
    for name, (head, unit) in BOMBS.items():
        paths.append(folder / f"{name}.gz")
        some = unit * (1 + (1 << 20) // len(unit))
        with gzip.open(paths[-1], "wb") as file:
            file.write(head)
            for _ in range((SIZE - len(head)) // len(some)):
                file.write(some)
    paths.append(folder / "compressed twice.gz")
    paths[-1].write_bytes(gzip.compress(paths[0].read_bytes()))
    return paths
