"""A conversation as a ladder of packets: who sent what when, and what is held to be forged.

The picture that papers and RFCs use (RFC 9293 §3.5): two lines for the two ends, one arrow for each packet, time runs
down. It stands for a capture in a report or a manual, and is small enough to be read as text.
"""

from collections.abc import Collection

import numpy as np

from netinterf.arrays import I64
from netinterf.errors import ParameterError
from netinterf.report.figures.canvas import LETTER, SIZE, Panel, sheet, words
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["chosen", "describe", "ladder", "ladder_panel"]

CLIENT, SERVER, END, TOP, STEP = 84, 300, 468, 76, 34
"""Places of the two lines, of the end of the notes, of the first rung, and units from rung to rung."""

TCP = 6
LETTERS = ((TcpFlag.SYN, "SYN"), (TcpFlag.FIN, "FIN"), (TcpFlag.RST, "RST"), (TcpFlag.PSH, "PSH"), (TcpFlag.ACK, "ACK"))
GAP_NS = 1_000_000_000
"""A pause from which the line is broken and the time named."""

OPENING = 4
"""Packets shown of the beginning where what matters comes later: a handshake and the first words."""


def ladder(
    trace: Trace, flow: int, forged: Collection[int] = (), *, notes: dict[int, str] | None = None, most: int = 16
) -> str:
    """Draw the packets of one conversation.

    Args:
        trace: The capture.
        flow: Row in ``flows``.
        forged: Rows in ``packets`` to draw as forged, or as the last before a silence.
        notes: What to write beside packets, by row.
        most: Packets to draw at most: from the first on, or its beginning and what surrounds the forged ones.

    Returns:
        SVG.

    Raises:
        ParameterError: The flow is not there, or *most* is not positive.
    """
    panel = ladder_panel(trace, flow, forged, notes=notes, most=most)
    client, server = ends_of(trace, flow)
    return sheet(f"Packets between {client} and {server}", [panel])


def ladder_panel(
    trace: Trace, flow: int, forged: Collection[int] = (), *, notes: dict[int, str] | None = None, most: int = 16
) -> Panel:
    """Draw the packets of one conversation as a part of a figure; arguments and errors are those of `ladder`."""
    if not 0 <= flow < len(trace.flows):
        raise ParameterError("flow", flow, f"a row of the {len(trace.flows)} flows")
    if most < 1:
        raise ParameterError("most", most, "at least 1")
    rows, notes = np.asarray(trace.by_flow[flow], np.int64), notes or {}
    places = chosen(rows, forged, most)
    begin, before, y = int(trace.packets.time[rows[0]]), -1, TOP
    rungs: list[str] = []
    for place in places.tolist():
        row = int(rows[place])
        if place > before + 1:
            rungs += skipped(place - before - 1, y)
            y += STEP
        gap = place and int(trace.packets.time[row] - trace.packets.time[rows[place - 1]]) >= GAP_NS
        rungs += rung(trace, row, y, begin, row in forged, notes.get(row, ""), bool(gap))
        before, y = place, y + STEP
    if before + 1 < len(rows):
        rungs += skipped(len(rows) - before - 1, y)
        y += STEP
    says = f"{len(rows):,} packets, {sum(int(row) in forged for row in rows):,} of them marked."
    return Panel(y - 8.0, (*heads(trace, flow, y - 20), *rungs), says)


def chosen(rows: I64, forged: Collection[int], most: int) -> I64:
    """Choose which packets of a conversation are drawn: the first ones, or the opening and what surrounds the forged.

    Returns:
        Places in *rows*, rising.
    """
    marked = np.flatnonzero(np.isin(rows, np.fromiter(forged, np.int64, len(forged))))
    if len(rows) <= most or not len(marked) or marked[0] < most:
        return np.arange(min(most, len(rows)))
    opening = min(OPENING, most // 2)
    remaining = most - opening
    first = max(opening, min(int(marked[0]) - remaining // 2, len(rows) - remaining))
    return np.concatenate([np.arange(opening), np.arange(first, first + remaining)])


def ends_of(trace: Trace, flow: int) -> tuple[str, str]:
    """Write the addresses of client and server."""
    return trace.address(int(trace.flows.client[flow])), trace.address(int(trace.flows.server[flow]))


def heads(trace: Trace, flow: int, foot: float) -> list[str]:
    """Draw the two lines, and above them who they are; addresses stand apart because those of IPv6 are long."""
    client, server = ends_of(trace, flow)
    lines = [f'<path class="axis thin" d="M{x} {TOP - 20}V{foot:g}"/>' for x in (CLIENT, SERVER)]
    return [
        words(12, 14, f"client {client}"),
        words(12, 32, f"server {server}"),
        words(CLIENT, 50, "client", "part ink", "middle"),
        words(SERVER, 50, "server", "part ink", "middle"),
        *lines,
    ]


def rung(trace: Trace, row: int, y: int, begin: int, forged: bool, note: str, gap: bool) -> list[str]:
    """Draw one packet: its time, its arrow, what it is, and the note beside it."""
    packets = trace.packets
    start, end = (CLIENT, SERVER) if packets.outbound[row] else (SERVER, CLIENT)
    back = 7 if start > end else -7
    stroke, tone = ("lost stroke", "alarm") if forged else ("limit thin", "ink")
    when = (int(packets.time[row]) - begin) / 1e6
    drawn = [
        words(CLIENT - 8, y + 4, f"{when:,.1f} ms" if when < 1e4 else f"{when / 1e3:,.2f} s", "soft", "end"),
        f'<path class="{stroke} arrow" d="M{start} {y - 3}L{end} {y + 3}m{back}-4.5l{-back} 4.5l{back} 4"/>',
        words((CLIENT + SERVER) / 2, y - 6, describe(trace, row), tone, "middle"),
    ]
    if gap:
        drawn.append(f'<path class="axis thin" d="M{CLIENT - 6} {y - STEP / 2 - 2:g}h12m-12 4h12"/>')
    if note:
        parts = halves(note, int((END - SERVER - 10) / (LETTER * SIZE)))
        first = y + 5 - 7.5 * (len(parts) - 1)
        drawn += [words(SERVER + 10, first + 15 * place, part, tone) for place, part in enumerate(parts)]
    return drawn


def halves(note: str, room: int) -> list[str]:
    """Break a note that is too long for one line behind a dot or underscore of its rule, or between words."""
    if len(note) <= room:
        return [note]
    cut = 1 + max(note.rfind(sign, 0, room) for sign in "._ ")
    cut = cut or room
    return [note[:cut], note[cut:][:room]]


def skipped(count: int, y: int) -> list[str]:
    """Say that packets are left out."""
    more = f"… {count:,} more packet{'s' if count > 1 else ''} …"
    return [words((CLIENT + SERVER) / 2, y + 2, more, "soft", "middle")]


def describe(trace: Trace, row: int) -> str:
    """Say in a few words what a packet is: flags and payload of TCP, payload of others, and its hop limit."""
    packets = trace.packets
    size, ttl = int(packets.payload_length[row]), int(packets.ttl[row])
    if packets.protocol[row] != TCP:
        return f"{size} bytes, TTL {ttl}"
    flags = "/".join(word for bit, word in LETTERS if packets.tcp_flags[row] & bit)
    return f"{flags or 'no flags'}{f', {size} bytes' if size else ''}, TTL {ttl}"
