"""What capture formats begin with, and what everything that lists their frames has in common.

A format is told by its first bytes, never by a file's name. Formats that are recognised but not read are named in the
error, because "unknown format" helps nobody who holds a snoop file.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from netinterf.arrays import U8
from netinterf.schema import Diagnostic, Records
from netinterf.values import frozen

__all__ = [
    "AT_ONCE",
    "LARGE_FRAMES",
    "MAX_FRAME",
    "Interface",
    "Reader",
    "compression_of",
    "describe",
    "format_of",
    "frame_limit",
]

MAX_FRAME = 262_144
"""Largest frame that is believed: MAXIMUM_SNAPLEN of libpcap, WTAP_MAX_PACKET_SIZE_STANDARD of Wireshark."""

AT_ONCE = 1 << 19
"""Records that are read at once, however many lie in the bytes at hand: some hundred bytes each, while they are."""

LARGE_FRAMES = {231: 128 << 20, 249: 128 << 20, 279: 8 << 20}
"""Link types whose frames may be larger (libpcap's ``max_snaplen_for_dlt``): D-Bus, USBPcap, EBHSCR."""

PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": "pcap",
    b"\xa1\xb2\xc3\xd4": "pcap",
    b"\x4d\x3c\xb2\xa1": "pcap",
    b"\xa1\xb2\x3c\x4d": "pcap",
    b"\x34\xcd\xb2\xa1": "pcap",
    b"\xa1\xb2\xcd\x34": "pcap",
    b"\x0a\x0d\x0d\x0a": "pcapng",
}

COMPRESSIONS = (
    (b"\x1f\x8b\x08", "gzip"),  # RFC 1952 §2.3.1, deflate being the only method in use
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),  # RFC 8878 §3.1.1
)

FOREIGN = (
    (b"snoop\x00\x00\x00", "a snoop capture (RFC 1761)"),
    (b"btsnoop\x00", "a Bluetooth btsnoop capture"),
    (b"GMBU", "a Microsoft Network Monitor 2 capture"),
    (b"RTSS", "a Microsoft Network Monitor 1 capture"),
    (b"TRSNIFF data    \x1a", "a Sniffer capture"),
    (b"XCP\x00", "a NetXray capture"),
    (b"\x1c\x00\x01\xac", "an Ixia capture"),
    (b"\xac\x01\x00\x1c", "an Ixia capture"),
    (b"\x1c\x00\x01\xab", "an Ixia capture"),
    (b"\xab\x01\x00\x1c", "an Ixia capture"),
    (b"iptrace ", "an AIX iptrace capture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x04\x22\x4d\x18", "LZ4 data"),
    (b"\x1f\x9d", "compress(1) data"),
)


@frozen
class Interface:
    """Where frames were captured.

    Args:
        link_type: LINKTYPE number of the tcpdump registry.
        snaplen: Most bytes kept of a frame, 0 for no limit.
        ticks_per_second: Resolution of the time stamps in the file.
        name: Name of the interface, empty when the format does not tell.
    """

    link_type: int
    snaplen: int
    ticks_per_second: int
    name: str = ""


class Reader(Protocol):
    """List the frames of one capture, whose bytes may come piece by piece."""

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those described so far."""
        ...

    @property
    def behind(self) -> Sequence[int]:
        """Numbers of the frames that come first behind damage in which others are missing, so far, ascending."""
        ...

    @property
    def missed(self) -> int | None:
        """Packets that the recorder says it missed, so far; None where it says nothing."""
        ...

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was wrong so far."""
        ...

    def take(
        self,
        buffer: U8,
        before: int,
        *,
        last: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Records, int]:
        """List the frames that are whole in *buffer*.

        Args:
            buffer: What follows the bytes that earlier calls were done with.
            before: How many bytes these were.
            last: Nothing follows; a record that is not whole is cut off.
            progress: Called with bytes done and bytes in all.

        Returns:
            The frames, which lie in *buffer*, and how many bytes of it are done with; all, behind damage.

        Raises:
            CaptureError: The header of the file cannot be read, or is of an unknown version.
        """
        ...


def format_of(head: bytes) -> str:
    """Tell the capture format from the first bytes; empty when it is none that is read here."""
    return PCAP_MAGICS.get(head[:4], "")


def compression_of(head: bytes) -> str:
    """Tell the compression from the first bytes; empty for none."""
    return next((name for magic, name in COMPRESSIONS if head.startswith(magic)), "")


def frame_limit(link_type: int) -> int:
    """Return the largest captured length that is believed for a link type, in bytes."""
    return LARGE_FRAMES.get(link_type, MAX_FRAME)


def describe(head: bytes) -> str:
    """Say in words what bytes that are no capture begin with."""
    known = next((name for magic, name in FOREIGN if head.startswith(magic)), "")
    if known:
        return f"{known}, which is not read here (pcap and pcapng are); convert it, e.g. with editcap"
    start = head[:8]
    shown = f"{start.hex(' ')} ({start.decode('ascii', 'replace')!r})" if _is_text(start) else start.hex(" ")
    return f"neither pcap nor pcapng: the first bytes are {shown}"


def _is_text(data: bytes) -> bool:
    return bool(data) and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in data)
