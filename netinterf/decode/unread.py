"""What of a capture was not read, and why: named by the decoders frame by frame, told as one note for each kind.

Nothing is left out in silence: every frame that gives no packet has a name here (or is of an unknown link type, which
`decode` tells). What a note says holds no number, so that the notes of parts of a capture add up.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from netinterf.arrays import I64, U8, U16
from netinterf.decode.block import Block, Decoder, Front, Next
from netinterf.decode.headers import Kind
from netinterf.numbering import one_of
from netinterf.schema import Diagnostic, Records, Status

__all__ = ["COUNTED", "DECODERS", "LINK_TYPE", "OF_NO_FLOW", "SHORTENED", "name_the_short", "notes_of", "shortened"]

LINK_TYPE = "decode.link_type"
NO_IP, UNREAD, EMPTY, CUT = "decode.no_ip", "decode.unread", "decode.empty", "decode.cut"
TUNNEL, NO_PORTS, OVERSTATED = "decode.tunnel", "decode.no_ports", "decode.overstated"
SHORTENED, AGGREGATED = "decode.shortened", "decode.aggregated"

OF_NO_FLOW = frozenset({LINK_TYPE, NO_IP, UNREAD, EMPTY, CUT})
"""Codes of notes about frames that belong to no conversation."""

COUNTED = OF_NO_FLOW | {TUNNEL, NO_PORTS, OVERSTATED, SHORTENED, AGGREGATED}
"""Codes of all notes of decoding."""

NOT_READ = "{}: what these frames hold is not read, so nothing is judged of it"

CUT_PORTS = (
    "packets of TCP or UDP end before their ports, so conversations between two hosts cannot be told apart: capture "
    "with a larger snapshot length"
)
TOO_LONG = (
    "IP packets claim to be longer than their frames: hosts discard such packets, and what is not there was not "
    "counted as sent"
)
LEFT = (
    "frames were cut, and what was left was noted as their length on the wire: their IP packets tell how long they were"
)
CLOSED = "packets of tunnels in which no IP packet can be read: they are taken for conversations of the tunnels' ends"
SEVERAL = "802.11 frames hold several packets (A-MSDU): the first of each is read, the others are not"
ENCRYPTED = "packets of IPsec (ESP): what is inside is encrypted, and taken for one conversation of its ends"

NOTES: Mapping[Kind, tuple[str, str]] = {
    Kind.NO_IP: (
        NO_IP,
        "frames hold no IP packet but what serves the link itself (ARP, spanning tree, beacons, LLDP, …)",
    ),
    Kind.MACSEC: (UNREAD, NOT_READ.format("MACsec (EtherType 0x88e5)")),
    Kind.SERVICE_CHAIN: (UNREAD, NOT_READ.format("network service headers (EtherType 0x894f)")),
    Kind.SQUEEZED: (UNREAD, NOT_READ.format("PPP that is compressed, encrypted or split over several links")),
    Kind.UNKNOWN: (UNREAD, NOT_READ.format("an EtherType, PPP protocol, link type or family that is not known here")),
    Kind.ODD_VERSION: (UNREAD, NOT_READ.format("an IP version other than 4 and 6, or than what was announced")),
    Kind.ESP: (TUNNEL, ENCRYPTED),
    Kind.CLOSED: (TUNNEL, CLOSED),
    Kind.PROTECTED: (UNREAD, NOT_READ.format("802.11 frames that are encrypted (WEP, WPA)")),
    Kind.ODD_WIRELESS: (UNREAD, NOT_READ.format("802.11 frames of a mesh, in fragments, or of a version not known")),
    Kind.DAMAGED: (UNREAD, NOT_READ.format("802.11 frames that came damaged, as whoever recorded them noted")),
    Kind.EMPTY: (EMPTY, "records hold not one byte of their frames: nothing is known of them"),
    Kind.CUT: (CUT, "frames end before the addresses of an IP packet: the snapshot length was too small, or they are"),
    Kind.NO_PORTS: (NO_PORTS, CUT_PORTS),
    Kind.OVERSTATED: (OVERSTATED, TOO_LONG),
    Kind.AGGREGATED: (AGGREGATED, SEVERAL),
}
"""What each kind is told by: the code of the note, and its words."""


def unread(block: Block, front: Front, kind: Kind) -> Next:
    """Name what comes next, which is not decoded; inside a packet, that one stays a packet of the tunnel."""
    inside = block.out.version[front.place] != 0
    block.name(front, Kind.CLOSED if kind is not Kind.ESP else kind, inside)
    block.name(front, kind, ~inside)
    return []


DECODERS: dict[Kind, Decoder] = {kind: partial(unread, kind=kind) for kind in Kind if Kind.NO_IP <= kind < Kind.EMPTY}


def name_the_short(block: Block) -> None:
    """Name the frames that end before addresses or ports, once all were decoded."""
    out = block.out
    rows = np.flatnonzero(out.status & np.uint16(Status.HEADER_CUT))
    if not len(rows):
        return
    status, has_ip = out.status[rows], out.version[rows] != 0
    block.unread[rows[~has_ip]] = np.where(block.captured[rows[~has_ip]] > 0, Kind.CUT, Kind.EMPTY)
    ported = has_ip & one_of(out.protocol[rows], (6, 17)) & ((status & np.uint16(Status.FRAGMENT_LATER)) == 0)
    block.unread[rows[ported & (block.stop[rows] < out.transport_at[rows].astype(np.int64) + 4)]] = Kind.NO_PORTS


def shortened(status: U16, records: Records) -> tuple[Diagnostic, ...]:
    """Say whether somebody cut frames and wrote down as their lengths what was left of them.

    Then no frame is longer than the cut, and packets that do not fit come to exactly that length, again and again. Of
    frames of full size in a capture that was not cut, most hold what they claim.

    Args:
        status: Of all frames, as decoded.
        records: The same frames.
    """
    over = ((status & np.uint16(Status.OVERSTATED)) != 0) & (records.captured == records.length)
    if not over.any():
        return ()
    longest = records.length == records.length.max()
    cut = np.flatnonzero(over & longest)
    if len(cut) < 2 or 2 * len(cut) <= np.count_nonzero(longest):
        return ()
    return (Diagnostic(SHORTENED, LEFT, int(records.at[cut[0]]), len(cut)),)


def notes_of(records: Records, rows: I64, kinds: U8) -> tuple[Diagnostic, ...]:
    """Tell what was not read, one note for each kind, with the place of the first.

    Args:
        records: All frames.
        rows: Those of which something was not read, rising.
        kinds: What it was, same length.
    """
    notes = []
    for kind in np.flatnonzero(np.bincount(kinds)).tolist():
        some = rows[kinds == kind]
        code, says = NOTES[Kind(kind)]
        notes.append(Diagnostic(code, says, int(records.at[some[0]]), len(some)))
    return tuple(notes)
