"""A capture as the rule of what is decidable reads it: conversations as lists of packets, and who is labelled how.

Captures of simulator and lab are small, so everything here is a plain loop.
"""

from collections import defaultdict
from collections.abc import Sequence

import attrs
import numpy as np

from benchmarks.scoreboard.labels import Row
from netinterf.schema import TcpFlag, TlsKind
from netinterf.trace import Trace

__all__ = ["Capture", "Shown", "Talk", "look"]


@attrs.frozen
class Shown:
    """One packet of a conversation."""

    time: float  # seconds
    up: bool  # by the client
    frame: int
    size: int  # bytes of payload
    seq: int
    ack: int
    flags: int
    ttl: int


@attrs.frozen(eq=False, kw_only=True)
class Talk:
    """One connection, or UDP between two ports."""

    place: int  # row in Flows
    client: str
    server: str
    port: int
    tcp: bool
    packets: tuple[Shown, ...]
    name: str = ""
    mechanisms: tuple[str, ...] = ()  # of its own label
    certified: bool = False  # a certificate of the server was captured
    queries: tuple[tuple[float, str], ...] = ()  # DNS: times and names
    replied: tuple[tuple[float, str], ...] = ()

    def of(self, up: bool) -> list[Shown]:
        """List the packets of one side."""
        return [one for one in self.packets if one.up == up]

    def opened(self) -> bool:
        """Say whether both ends greeted each other."""
        return any(one.flags & TcpFlag.SYN and not one.up for one in self.packets)

    def heard_after(self, when: float, up: bool) -> bool:
        """Say whether one side was heard after a time."""
        return any(one.time > when and one.up == up for one in self.packets)

    def bytes_down(self) -> int:
        """Count what the server said, each byte once as far as numbers tell."""
        pieces = {(one.seq, one.size) for one in self.packets if not one.up and one.size}
        return sum(size for _, size in pieces)


@attrs.frozen(eq=False, kw_only=True)
class Capture:
    """All conversations, and where they were captured."""

    vantage: str
    talks: tuple[Talk, ...]
    end: float

    owner: dict[int, Talk]  # by number of frame


def look(trace: Trace, rows: Sequence[Row], vantage: str) -> Capture:
    """Read a capture.

    Args:
        trace: The capture.
        rows: Its labels.
        vantage: Where it was taken: client, server or middle.
    """
    packets, flows = trace.packets, trace.flows
    held: dict[int, list[Shown]] = defaultdict(list)
    for row in np.flatnonzero(packets.flow >= 0):
        held[int(packets.flow[row])].append(
            Shown(
                float(packets.time[row]) / 1e9,
                bool(packets.outbound[row]),
                int(packets.frame[row]),
                int(packets.payload_length[row]),
                int(packets.relative_seq[row]),
                int(packets.relative_ack[row]),
                int(packets.tcp_flags[row]),
                int(packets.ttl[row]),
            )
        )
    asked, replied = questions(trace)
    certified = set(trace.tls.flow[(trace.tls.kind == TlsKind.CERTIFICATE) & ~trace.tls.outbound].tolist())
    labels = {row.truth.first_frame: row for row in rows if row.truth.kind == "flow"}
    talks = []
    for place, shown in held.items():
        label = labels.get(shown[0].frame)
        talks.append(
            Talk(
                place=place,
                client=trace.address(int(flows.client[place])),
                server=trace.address(int(flows.server[place])),
                port=int(flows.server_port[place]),
                tcp=flows.protocol[place] == 6,
                packets=tuple(shown),
                name=label.truth.name if label else "",
                mechanisms=label.mechanisms if label else (),
                certified=place in certified,
                queries=tuple(asked[place]),
                replied=tuple(replied[place]),
            )
        )
    return Capture(
        vantage=vantage,
        talks=tuple(talks),
        end=float(packets.time.max()) / 1e9 if len(packets) else 0.0,
        owner={one.frame: talk for talk in talks for one in talk.packets},
    )


def questions(trace: Trace) -> tuple[dict[int, list[tuple[float, str]]], dict[int, list[tuple[float, str]]]]:
    """List when which names were asked for and answered, by flow."""
    asked: dict[int, list[tuple[float, str]]] = defaultdict(list)
    replied: dict[int, list[tuple[float, str]]] = defaultdict(list)
    for row in range(len(trace.dns)):
        time = trace.packets.time[trace.dns.packet[row]] / 1e9
        kept = asked if trace.dns.outbound[row] else replied
        kept[int(trace.dns.flow[row])].append((time, trace.dns.name[row]))
    return asked, replied
