"""A conversation as a ladder of packets: who sent what when, drawn as SVG, what is held to be forged in red.

The picture that papers and RFCs use (RFC 9293 §3.5): two lines for the two ends, one arrow for each packet, time runs
down. It stands for a capture in a report or a manual, and is small enough to be read as text.
"""

from collections.abc import Collection
from html import escape

import numpy as np

from netinterf.errors import ParameterError
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["ladder"]

WIDTH, LEFT, RIGHT, TOP, STEP = 720, 210, 510, 48, 26
INK, ALARM, PALE = "#333", "#c0392b", "#777"
TCP = 6
LETTERS = ((TcpFlag.SYN, "SYN"), (TcpFlag.FIN, "FIN"), (TcpFlag.RST, "RST"), (TcpFlag.PSH, "PSH"), (TcpFlag.ACK, "ACK"))
GAP_NS = 1_000_000_000
"""A pause from which the line is broken and the time named."""


def ladder(
    trace: Trace, flow: int, forged: Collection[int] = (), *, notes: dict[int, str] | None = None, most: int = 16
) -> str:
    """Draw the packets of one conversation.

    Args:
        trace: The capture.
        flow: Row in ``flows``.
        forged: Rows in ``packets`` to draw as forged, or as the last before a silence.
        notes: What to write beside packets, by row.
        most: Packets to draw at most, from the first on.

    Returns:
        SVG.

    Raises:
        ParameterError: The flow is not there, or *most* is not positive.
    """
    if not 0 <= flow < len(trace.flows):
        raise ParameterError("flow", flow, f"a row of the {len(trace.flows)} flows")
    if most < 1:
        raise ParameterError("most", most, "at least 1")
    rows = np.asarray(trace.by_flow[flow], np.int64)
    shown, notes = rows[:most], notes or {}
    height = TOP + STEP * (len(shown) + 1) + 14
    ends = (trace.address(int(trace.flows.client[flow])), trace.address(int(trace.flows.server[flow])))
    size = f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<defs>{head('ink', INK)}{head('alarm', ALARM)}</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        *(
            f'<text x="{x}" y="20" text-anchor="middle" font-weight="bold">{word}</text>'
            f'<text x="{x}" y="34" text-anchor="middle" fill="{PALE}">{escape(address)}</text>'
            f'<path d="M{x} {TOP - 8}V{height - 10}" stroke="{PALE}"/>'
            for x, word, address in zip((LEFT, RIGHT), ("client", "server"), ends, strict=True)
        ),
    ]
    begin = int(trace.packets.time[shown[0]])
    for place, row in enumerate(shown.tolist()):
        gap = place and int(trace.packets.time[row] - trace.packets.time[shown[place - 1]]) >= GAP_NS
        lines += rung(trace, row, TOP + STEP * (place + 1), begin, row in forged, notes.get(row, ""), bool(gap))
    if len(rows) > len(shown):
        lines.append(text(WIDTH / 2, height - 4, f"and {len(rows) - len(shown)} more packets", "middle", PALE))
    return "\n".join([*lines, "</svg>"]) + "\n"


def rung(trace: Trace, row: int, y: int, begin: int, forged: bool, note: str, gap: bool) -> list[str]:
    """Draw one packet: its time, its arrow, what it is, and the note beside it."""
    packets = trace.packets
    start, end = (LEFT, RIGHT) if packets.outbound[row] else (RIGHT, LEFT)
    ink = ALARM if forged else INK
    when = (int(packets.time[row]) - begin) / 1e6
    style = f'stroke="{ink}" stroke-width="{1.8 if forged else 1.1}" marker-end="url(#{"alarm" if forged else "ink"})"'
    drawn = [
        text(LEFT - 12, y + 4, f"{when:,.1f} ms", "end", PALE),
        f'<path d="M{start} {y - 4}L{end} {y + 4}" {style}/>',
        text((LEFT + RIGHT) / 2, y - 5, describe(trace, row), "middle", ink),
    ]
    if gap:
        drawn.append(f'<path d="M{LEFT - 6} {y - STEP / 2 - 2}h12M{LEFT - 6} {y - STEP / 2 + 2}h12" stroke="{PALE}"/>')
    if note:
        drawn.append(text(RIGHT + 12, y + 4, note, "start", ink))
    return drawn


def head(name: str, ink: str) -> str:
    """Draw the head of an arrow once, to be used by name."""
    size = 'viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"'
    return f'<marker id="{name}" {size}><path d="M0 0L8 4L0 8z" fill="{ink}"/></marker>'


def describe(trace: Trace, row: int) -> str:
    """Say in a few words what a packet is: flags and payload of TCP, payload of others, and its hop limit."""
    packets = trace.packets
    size, ttl = int(packets.payload_length[row]), int(packets.ttl[row])
    if packets.protocol[row] != TCP:
        return f"{size} bytes, TTL {ttl}"
    flags = "/".join(word for bit, word in LETTERS if packets.tcp_flags[row] & bit)
    return f"{flags or 'no flags'}{f', {size} bytes' if size else ''}, TTL {ttl}"


def text(x: float, y: float, words: str, anchor: str, ink: str) -> str:
    """Write words at a place."""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{ink}">{escape(words)}</text>'
