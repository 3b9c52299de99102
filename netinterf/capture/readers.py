"""Which reader lists the frames of which format."""

from netinterf.capture.formats import Reader
from netinterf.capture.pcap import PcapReader
from netinterf.capture.pcapng import PcapngReader

__all__ = ["reader_of"]


def reader_of(kind: str, name: str) -> Reader:
    """Choose what lists the frames of ``"pcap"`` or ``"pcapng"``; *name* is for errors."""
    return PcapReader(name) if kind == "pcap" else PcapngReader(name)
