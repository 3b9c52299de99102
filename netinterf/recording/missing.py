"""What is missing in the file: bytes that their receiver acknowledged and nobody captured, and beginnings.

Beginnings are missing of conversations that were recorded from the middle on, or without their handshakes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.recording.fact import RecordingFact, Scope, conversations
from netinterf.schema import Mark, OrientedBy, TlsKind

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["beginning_facts", "loss_facts"]

TCP = 6

PARTS = 10  # of the capture's time, among which losses are counted

FEWEST = 3
"""Connections that begin with their request from which it is no accident that none was greeted."""


def loss_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Say how much the recorder missed, of which direction, and when."""
    packets = trace.packets
    row = np.flatnonzero(packets.marks & Mark.ACKED_UNSEEN.value)
    if not len(row):
        return
    begin, span = trace.began, max(trace.ended - trace.began, 1)
    part = np.minimum((packets.time[row] - begin) * PARTS // span, PARTS - 1)
    of_servers = int(np.count_nonzero(packets.outbound[row]))
    numbers = {
        "acknowledgements": float(len(row)),
        "of_servers": float(of_servers),
        "of_clients": float(len(row) - of_servers),
        "flows": float(len(np.unique(packets.flow[row]))),
        "parts": float(len(np.unique(part))),
        "first_s": float(packets.time[row[0]] - begin) / 1e9,
        "last_s": float(packets.time[row[-1]] - begin) / 1e9,
    }
    whose = "servers" if of_servers == len(row) else "clients" if not of_servers else "both ends"
    speak = "acknowledgements speak" if len(row) > 1 else "acknowledgement speaks"
    says = (
        f"{len(row):,} {speak} of data of {whose} that this file does not hold, between second "
        f"{numbers['first_s']:,.1f} and {numbers['last_s']:,.1f}: the recorder missed packets, and what is missing in "
        "these conversations is not taken for a loss of the network"
    )
    yield RecordingFact(id="recording.lossy", scope=Scope.PATH, certain=True, says=says, numbers=numbers)


def beginning_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Say whether handshakes were left out, how many connections began before, and whose roles are open."""
    sides, flows = trace.sides, trace.flows
    tcp = flows.protocol == TCP
    opened = (sides.syn[0::2] >= 0) | (sides.syn[1::2] >= 0)
    asked = np.zeros(len(flows), np.bool_)
    hello = trace.tls.outbound & (trace.tls.kind == TlsKind.CLIENT_HELLO)
    for heads, first in ((trace.tls, hello), (trace.http, trace.http.outbound)):
        flow = heads.flow[first]
        asked[flow[heads.packet[first] == flows.first_packet[flow]]] = True
    headless = tcp & asked & ~opened
    if np.count_nonzero(headless) >= FEWEST and not np.any(tcp & opened):
        numbers = {"flows": float(headless.sum()), "of": float(tcp.sum())}
        says = (
            f"{conversations(numbers)} over TCP begin with a request and without a handshake: packets without data "
            "were left out of this file, and rules that need a greeting to compare with say nothing"
        )
        yield RecordingFact(id="recording.headless", scope=Scope.CAPTURE, certain=True, says=says, numbers=numbers)
    elif 2 * np.count_nonzero(tcp & ~opened) > np.count_nonzero(tcp):
        numbers = {"flows": float(np.count_nonzero(tcp & ~opened)), "of": float(tcp.sum())}
        says = (
            f"{conversations(numbers)} over TCP began before the recording: without their handshakes round trips, "
            "options and first hop limits are unknown"
        )
        yield RecordingFact(id="recording.midstream", scope=Scope.FLOW, certain=True, says=says, numbers=numbers)
    guessed = tcp & (flows.oriented_by == OrientedBy.FIRST_TALKER)
    if 2 * np.count_nonzero(guessed) > np.count_nonzero(tcp):
        numbers = {"flows": float(guessed.sum()), "of": float(tcp.sum())}
        says = (
            f"of {conversations(numbers)} over TCP neither handshake nor port tells who opened them: client and server "
            "may be the other way round"
        )
        yield RecordingFact(id="recording.roles", scope=Scope.FLOW, certain=False, says=says, numbers=numbers)
