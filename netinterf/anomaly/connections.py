"""Facts of TCP connections: how they opened, went on and ended, and whether what an end sent is of one piece.

Borders between values are where RFCs have them (a full segment, the first timeout of a second), and powers elsewhere.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.anomaly.fact import Fact, Values, binned, steps, tallies
from netinterf.anomaly.view import CLIENT, SERVER, View
from netinterf.arrays import Mask
from netinterf.schema import Mark, SegmentKind, TcpFlag, TcpOption, TlsKind

__all__ = ["CONNECTIONS"]

FEW = (1, 2, 4, 8)
SHARES = (0.0005, 0.01, 0.03, 0.1, 0.3)
UNHEARD = (1, 1461)  # bytes: nothing, up to one full segment, more
SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100)
TRIPS = (0.001, 0.004, 0.016, 0.064, 0.256, 1.024)
BYTES = (1, 256, 4096, 65_536, 1 << 20)
RATES = (4e3, 16e3, 64e3, 256e3, 1e6, 4e6)

BULK = 50_000
"""Bytes behind which a rate is more than the start of a connection: some round trips of a window of ten segments
(RFC 6928)."""

USUAL_OPTIONS = TcpOption.WINDOW_SCALE | TcpOption.SACK_PERMITTED | TcpOption.TIMESTAMPS


def opening(view: View) -> Values:
    """Tell how the handshake went."""
    sides = view.trace.sides
    syn, syn_ack = sides.syn[0::2] >= 0, sides.syn[1::2] >= 0
    refused = syn & ~syn_ack & (sides.rst[1::2] >= 0)
    return np.select([refused, syn & syn_ack, syn, syn_ack], [2, 3, 1, 4], 0).astype(np.int64)


def attempts(view: View) -> Values:
    """Count the SYNs of the client."""
    plain = view.flags & (TcpFlag.SYN | TcpFlag.ACK) == TcpFlag.SYN
    return binned(view.number(plain)[CLIENT::2], (1, 2, 3, 4))


def talk(view: View) -> Values:
    """Tell which ends sent data."""
    sent = view.trace.sides.payload_packets > 0
    return np.asarray(sent[CLIENT::2] + 2 * sent[SERVER::2].astype(np.int64))


def ending(view: View) -> Values:
    """Tell which ends closed or reset the connection."""
    sides = view.trace.sides
    closed, reset = sides.fin >= 0, sides.rst >= 0
    by_reset = 4 + reset[CLIENT::2] + 2 * reset[SERVER::2].astype(np.int64) - 1
    by_fin = closed[CLIENT::2] + 2 * closed[SERVER::2].astype(np.int64)
    return np.where(reset[CLIENT::2] | reset[SERVER::2], by_reset, by_fin)


def resets(view: View) -> Values:
    """Count the resets in the server's name."""
    return binned(view.resets[SERVER::2], (1, 2, 3))


def after_reset(view: View) -> Values:
    """Count what an end sent behind its own reset."""
    return binned(view.after_reset[CLIENT::2] + view.after_reset[SERVER::2], (1, 2, 4))


def hops(side: int, view: View) -> Values:
    """Tell how far apart the hop limits of an end are."""
    known = (view.number()[side::2] > 1) & view.trace.recording.ttl_informative
    return binned(view.hops_apart[side::2], FEW, known)


def patchwork(view: View) -> Values:
    """Tell whether headers of one end differ where one system writes them alike."""
    bits, stamps = (column.reshape(-1, 2).any(axis=1) for column in (view.fragment_bits_differ, view.stamps_differ))
    return np.asarray(bits + 2 * stamps.astype(np.int64))


def contradictions(view: View) -> Values:
    """Tell whether other bytes came in the place of known ones."""
    segments = view.trace.segments
    differ = np.zeros(len(view.trace.flows), np.int64)
    differ[segments.side[segments.kind == SegmentKind.CONFLICT] // 2] = 1
    return differ


def unheard(side: int, view: View) -> Values:
    """Count the bytes of an end that were never acknowledged."""
    sides = view.trace.sides
    sent, acked = sides.sent[side::2], np.maximum(sides.acked[side::2], 1)
    return binned(np.maximum(sent - acked, 0), UNHEARD, sent > 1)


def resent(side: int, view: View) -> Values:
    """Give the share of packets with data that an end sent again."""
    sides = view.trace.sides
    sent = sides.payload_packets[side::2].astype(np.float64)
    again = view.number(view.trace.packets.marks[view.row] & (Mark.REPEAT | Mark.FILL) != 0)[side::2]
    return binned(again / np.maximum(sent, 1), SHARES, sent > 0)


def round_trip(view: View) -> Values:
    """Give the time that the server's answer to the SYN took."""
    trip = view.trace.sides.rtt[SERVER::2]
    return binned(trip / 1e9, TRIPS, (trip >= 0) & view.trace.recording.timing_informative)


def first_answer(view: View) -> Values:
    """Give the time from the first data of the client to the first data of the server."""
    first = view.trace.sides.first_payload
    answered = (first[CLIENT::2] >= 0) & (first[SERVER::2] > first[CLIENT::2])
    time = view.trace.packets.time
    waited = (time[np.where(answered, first[SERVER::2], 0)] - time[np.where(answered, first[CLIENT::2], 0)]) / 1e9
    return binned(waited, SECONDS, answered & view.trace.recording.timing_informative)


def volume(view: View) -> Values:
    """Give the bytes that the server sent."""
    return binned(view.trace.sides.payload_bytes[SERVER::2], BYTES)


def rate(view: View) -> Values:
    """Give the bytes per second of the end that sent more, where it sent many."""
    most = view.trace.sides.payload_bytes.reshape(-1, 2).max(axis=1)
    took = (view.trace.flows.last - view.trace.flows.first) / 1e9
    return binned(most / np.maximum(took, 1e-6), RATES, (most >= BULK) & (took > 0))


def gap(view: View) -> Values:
    """Give the longest time without a packet."""
    return binned(view.longest_gap, SECONDS, np.diff(view.trace.by_flow.offsets) > 1)


def offer(view: View) -> Values:
    """Give the options of the SYN/ACK: window scale, SACK, timestamps."""
    sides = view.trace.sides
    options = sides.syn_options[SERVER::2] & USUAL_OPTIONS
    value = (options & TcpOption.WINDOW_SCALE != 0) + 2 * (options & TcpOption.SACK_PERMITTED != 0).astype(np.int64)
    value += 4 * (options & TcpOption.TIMESTAMPS != 0)
    return np.where(sides.syn[SERVER::2] >= 0, value, -1)


def tls(view: View) -> Values:
    """Tell how far a TLS handshake came."""
    table = view.trace.tls
    return staged(len(view.trace.flows), table.flow, [
        (1, table.outbound & (table.kind == TlsKind.CLIENT_HELLO)),
        (2, ~table.outbound & (table.kind == TlsKind.SERVER_HELLO)),
        (3, ~table.outbound & (table.kind == TlsKind.CERTIFICATE)),
        (4, table.outbound & (table.kind == TlsKind.ALERT)),
        (5, ~table.outbound & (table.kind == TlsKind.ALERT)),
    ])  # fmt: skip


def http(view: View) -> Values:
    """Tell what HTTP requests met: the lowest class of their answers."""
    table = view.trace.http
    answers = [(1 + hundred, ~table.outbound & (table.status // 100 == hundred)) for hundred in (5, 4, 3, 2, 1)]
    return staged(len(view.trace.flows), table.flow, [(1, table.outbound), *answers])


def staged(flows: int, flow: NDArray[Any], stages: list[tuple[int, Mask]]) -> Values:
    """Give each flow the value of the last stage that a message of it shows; 0 for none."""
    value = np.zeros(flows, np.int64)
    for number, mask in stages:
        value[flow[mask]] = number
    return value


HOPS_APART = (
    "has one hop limit of the {who}", "has hop limits of the {who} 1 apart", "has hop limits of the {who} 2 or 3 apart",
    "has hop limits of the {who} 4 to 7 apart", "has hop limits of the {who} 8 or more apart",
)  # fmt: skip


HALF, PART = ("one_way",), ("one_way", "filtered")
"""Recordings that lack what one end sent, and those that lack some kinds of packets: what is not there says nothing."""

REWRITTEN = ("hops_apart", "made")
"""Recordings whose hop limits are of several places on the way, or of the program that wrote them."""


def each_end(
    name: str, says: tuple[str, ...], read: Callable[[int, View], Values], blind: tuple[str, ...] = ()
) -> list[Fact]:
    """Make a fact of each end; the sentences say ``{who}``."""
    return [
        Fact(
            id=f"{name}.{who}",
            says=tuple(sentence.format(who=who) for sentence in says),
            read=partial(read, side),
            blind=blind,
        )
        for side, who in ((CLIENT, "client"), (SERVER, "server"))
    ]


CONNECTIONS = (
    Fact(
        id="opening",
        says=(
            "holds no SYN", "has a SYN that nobody answered", "was refused with a reset",
            "opened with SYN and SYN/ACK", "holds a SYN/ACK without a SYN",
        ),
        read=opening, blind=PART,
    ),
    Fact(id="attempts", says=("holds no SYN of the client", *tallies("sent {}", "SYN", (1, 2, 3, 4))), read=attempts,
         blind=PART),
    Fact(
        id="talk",
        says=("carried no data", "carried data of the client only", "carried data of the server only",
              "carried data both ways"),
        read=talk, blind=HALF,
    ),
    Fact(
        id="ending",
        says=(
            "did not end", "was closed by the client only", "was closed by the server only", "was closed by both ends",
            "was reset by the client", "was reset in the server's name", "was reset by both ends",
        ),
        read=ending, blind=PART,
    ),
    Fact(
        id="resets.server",
        says=("holds no reset in the server's name", "holds one reset in the server's name",
              "holds two resets in the server's name", "holds three or more resets in the server's name"),
        read=resets, blind=PART,
    ),
    Fact(
        id="after.reset",
        says=("went silent with its reset", "went on behind its reset", "went on behind its reset, for some packets",
              "went on behind its reset for long"),
        read=after_reset,
    ),
    *each_end("hops", HOPS_APART, hops, REWRITTEN),
    Fact(
        id="patchwork",
        says=("has headers of one make at each end", "may be fragmented in some packets of an end and not in others",
              "has timestamps in some segments of an end and not in others",
              "has timestamps and DF in some segments of an end and not in others"),
        read=patchwork, blind=("made",),
    ),
    Fact(id="contradictions", says=("contradicts itself nowhere", "holds two different contents at one place"),
         read=contradictions),
    *each_end("unheard", ("had everything of the {who} acknowledged", "has a last segment of the {who} unacknowledged",
                          "has several segments of the {who} unacknowledged"), unheard, PART),
    *each_end("resent", ("had nothing of the {who} sent again",
                         *steps("had a share of {} of the {{who}} sent again", SHARES)[1:]), resent),
    Fact(id="round.trip", says=steps("has a round trip of {} s to the server", TRIPS), read=round_trip),
    Fact(id="first.answer", says=steps("waited {} s for the server's first data", SECONDS), read=first_answer,
         blind=("skewed",)),
    Fact(id="volume", says=("got no data", *tallies("got {}", "byte", BYTES)), read=volume, blind=HALF),
    Fact(id="rate", says=steps("ran at {} bytes a second", RATES), read=rate, blind=("made",)),
    Fact(id="gap", says=steps("paused for {} s", SECONDS), read=gap, blind=("filtered", "made")),
    Fact(
        id="offer",
        says=tuple(
            "was answered with " + (" and ".join(named) if named else "none of the usual TCP options")
            for code in range(8)
            for named in [[word for bit, word in enumerate(("window scale", "SACK", "timestamps")) if code >> bit & 1]]
        ),
        read=offer,
    ),
    Fact(
        id="tls",
        says=("holds no TLS", "holds a TLS hello that got no answer", "holds the server's TLS hello",
              "holds a certificate", "ended in a TLS alert of the client", "ended in a TLS alert of the server"),
        read=tls, blind=PART,
    ),
    Fact(
        id="http",
        says=("holds no HTTP", "holds an HTTP request without an answer",
              *(f"got an HTTP answer of status {hundred}xx" for hundred in (1, 2, 3, 4, 5))),
        read=http, blind=HALF,
    ),
)  # fmt: skip
"""What connections are compared by."""
