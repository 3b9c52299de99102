"""Bytes and where they come from: open captures, list their frames, write them."""

from netinterf.capture.finding import CaptureSearch, NoCapture, find_captures, walk_captures
from netinterf.capture.formats import Interface
from netinterf.capture.gaps import Gap
from netinterf.capture.opening import Capture, Listing, from_memory, open_capture
from netinterf.capture.source import Source
from netinterf.capture.write import write_pcap, write_pcapng, write_records

__all__ = [
    "Capture",
    "CaptureSearch",
    "Gap",
    "Interface",
    "Listing",
    "NoCapture",
    "Source",
    "find_captures",
    "from_memory",
    "open_capture",
    "walk_captures",
    "write_pcap",
    "write_pcapng",
    "write_records",
]
