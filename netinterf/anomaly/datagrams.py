"""Facts of other conversations, over UDP above all: who spoke, how much, and what came back instead."""

import numpy as np

from netinterf.anomaly.connections import HALF, HOPS_APART, REWRITTEN, SECONDS, each_end, gap, hops
from netinterf.anomaly.fact import Fact, Values, binned, steps, tallies
from netinterf.anomaly.view import CLIENT, SERVER, View

__all__ = ["DATAGRAMS"]

FEW = (1, 2, 4, 16, 64)
BYTES = (1, 256, 4096, 65_536, 1 << 20)


def packets(side: int, view: View) -> Values:
    """Count the packets of an end."""
    return binned(view.number()[side::2], FEW)


def volume(side: int, view: View) -> Values:
    """Count the payload bytes of an end."""
    return binned(view.trace.sides.payload_bytes[side::2], BYTES)


def duration(view: View) -> Values:
    """Give the time from the first to the last packet."""
    flows = view.trace.flows
    return binned((flows.last - flows.first) / 1e9, SECONDS)


def last_word(view: View) -> Values:
    """Tell how many packets of the client are behind the last one of the server, where there is one."""
    last = view.trace.sides.last[SERVER::2]
    outbound = view.side % 2 == CLIENT
    behind = view.number(outbound & (view.row > last[view.side // 2]))[CLIENT::2]
    return binned(behind, (1, 2, 4, 16), last >= 0)


def first_answer(view: View) -> Values:
    """Give the time from the first packet of the client to the first of the server."""
    first, time = view.trace.sides.first, view.trace.packets.time
    answered = (first[CLIENT::2] >= 0) & (first[SERVER::2] > first[CLIENT::2])
    waited = time[np.where(answered, first[SERVER::2], 0)] - time[np.where(answered, first[CLIENT::2], 0)]
    return binned(waited / 1e9, SECONDS, answered)


def reported(view: View) -> Values:
    """Tell whether an ICMP error quotes the conversation: its type, where it is one of two."""
    quotes, icmp = view.trace.quotes, view.trace.packets
    kind, version = icmp.icmp[quotes.packet] >> 8, icmp.version[quotes.packet]
    value = np.zeros(len(view.trace.flows), np.int64)
    quoted = quotes.flow >= 0
    value[quotes.flow[quoted & (kind == np.where(version == 6, 1, 3))]] = 1
    value[quotes.flow[quoted & (kind == np.where(version == 6, 3, 11))]] = 2
    return value


DATAGRAMS = (
    *each_end(
        "packets", ("has no packet of the {who}", *tallies("has {} of the {{who}}", "packet", FEW)), packets, HALF
    ),
    *each_end("volume", ("has no data of the {who}", *tallies("has {} of the {{who}}", "byte", BYTES)), volume, HALF),
    *each_end("hops", HOPS_APART, hops, REWRITTEN),
    Fact(id="duration", says=steps("lasted {} s", SECONDS), read=duration, blind=("made",)),
    Fact(id="gap", says=steps("paused for {} s", SECONDS), read=gap, blind=("made",)),
    Fact(
        id="first.answer",
        says=steps("waited {} s for the server's first packet", SECONDS),
        read=first_answer,
        blind=("skewed",),
    ),
    Fact(
        id="last.word",
        says=("ended with the server", *tallies("ended with {} of the client alone", "packet", (1, 2, 4, 16))),
        read=last_word,
        blind=HALF,
    ),
    Fact(
        id="reported",
        says=("met no ICMP error", "was said to be unreachable", "ran out of hops on the way"),
        read=reported,
    ),
)  # fmt: skip
"""What conversations without connections are compared by."""
