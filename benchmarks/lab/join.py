"""Labels: the box's log and the client's report joined to the frames of a capture."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import attrs

from benchmarks.lab.programs.names import read_question
from benchmarks.lab.scenario import Stage
from benchmarks.lab.wire import ACK, SYN, TCP, UDP, Packet, text
from netinterf.simulate.labels import Labels, Truth

__all__ = ["SERIES", "Subject", "labels", "place_forged", "subjects"]

SERIES = ("tcp.connect.drop", "protocol.filter", "rate.shaping", "rate.handshake", "reach.isolation")
"""Mechanisms that one connection alone cannot show."""
SLACK = 0.25  # seconds by which log and capture may disagree on when something was

Row = tuple[float, Packet | None]
Ends = tuple[bytes, int, bytes, int, int]


@attrs.define(eq=False)
class Subject:
    """A connection or DNS exchange of a capture, and what is known of it."""

    kind: str
    ends: Ends  # client, port, server, port, protocol
    first: int  # frame
    time: float
    name: str = ""
    query_type: str | None = None
    query_id: int | None = None
    frames: list[int] = attrs.field(factory=list)
    forged: list[int] = attrs.field(factory=list)
    said: bool = False  # a forged packet said something
    mechanisms: list[str] = attrs.field(factory=list)
    trigger: int = 0
    confounder: str = ""
    spoke: bool = False  # the client said something
    answered: list[int] = attrs.field(factory=list)  # frames from the server


def subjects(rows: Sequence[Row], clients: frozenset[bytes]) -> list[Subject]:
    """Find connections and DNS exchanges, in order of first frame.

    Args:
        rows: Times and packets of a capture.
        clients: Addresses of the client as this capture shows it.
    """
    found: list[Subject] = []
    current: dict[Any, Subject] = {}
    numbers: dict[Ends, int] = {}
    for frame, (time, packet) in enumerate(rows, 1):
        if packet is None or packet.protocol not in (TCP, UDP):
            continue
        outbound = packet.source in clients
        ends = (packet.source, packet.sport, packet.destination, packet.dport, packet.protocol)
        if not outbound:
            ends = (*ends[2:4], *ends[:2], packet.protocol)
        key: Any = ends
        fresh = False
        if packet.protocol == UDP and ends[3] == 53 and len(packet.payload) > 12:
            key = (*ends, packet.payload[:2])
        elif packet.flags & SYN and not packet.flags & ACK and outbound:
            fresh = numbers.get(ends, packet.seq) != packet.seq
            numbers[ends] = packet.seq
        subject = current.get(key)
        if subject is None or fresh:
            subject = current[key] = Subject("exchange" if key is not ends else "flow", ends, frame, time)
            found.append(subject)
            if key is not ends:
                subject.name, subject.query_type, _, _ = read_question(packet.payload)
                subject.query_id = int.from_bytes(packet.payload[:2], "big")
        subject.frames.append(frame)
        subject.spoke |= outbound and bool(packet.payload)
        if not outbound:
            subject.answered.append(frame)
    return found


def place_forged(rows: Sequence[Row], told: Sequence[dict[str, Any]]) -> tuple[dict[int, int], list[str]]:
    """Find the frame of every packet in the log: same bytes, nearest in time, each frame once.

    Args:
        rows: Times and packets of a capture.
        told: Log lines with ``packet`` (hexadecimal) and ``time``.

    Returns:
        Frame by place in *told*, and a sentence for every one that no frame answers to.
    """
    by_bytes: dict[bytes, list[int]] = {}
    for frame, (_, packet) in enumerate(rows, 1):
        if packet is not None:
            by_bytes.setdefault(packet.raw, []).append(frame)
    placed: dict[int, int] = {}
    missing = []
    for place, line in enumerate(told):
        choices = by_bytes.get(bytes.fromhex(line["packet"]), [])
        if not choices:
            missing.append(f"{line['what']} packet of {line['flow']} at {line['time']:.6f} is not in the capture")
            continue
        best = min(choices, key=lambda frame: abs(rows[frame - 1][0] - line["time"]))
        choices.remove(best)
        placed[place] = best
    return placed, missing


def labels(
    stage: Stage, side: str, rows: Sequence[Row], log: Sequence[dict[str, Any]], reports: Sequence[dict[str, Any]]
) -> tuple[Labels, list[str]]:
    """Join what is known of one capture.

    Args:
        stage: What was played.
        side: Which end was captured.
        rows: Times and packets of the capture.
        log: Lines of the box.
        reports: Of the client's errands.

    Returns:
        The labels, and a sentence for every packet of the log that is not in the capture.
    """
    nat = {(*line["inside"], line["protocol"]): line["outside"] for line in log if line["what"] == "nat"}
    outer = {address for address, _ in nat.values()} if side == "server" else set()
    clients = frozenset(packed(one) for one in {stage.four, stage.six, *outer})
    found = subjects(rows, clients)

    def seen(flow: Sequence[Any]) -> Ends:
        """Give the ends of a connection as this capture shows them."""
        client, port, server, server_port, protocol = flow
        if side == "server":
            client, port = nat.get((client, port, protocol), (client, port))
        return packed(client), port, packed(server), server_port, protocol

    def subject_at(flow: Sequence[Any], time: float, frame: int = 0) -> Subject | None:
        """Find the subject a log line speaks of."""
        same = [one for one in found if one.ends == seen(flow)]
        if frame:
            return next((one for one in same if frame in one.frames), None)
        begun = [one for one in same if one.time <= time + SLACK]
        return begun[-1] if begun else None

    packets = [line for line in log if line["what"] in ("forged", "trigger") and line["side"] == side]
    placed, missing = place_forged(rows, packets)
    for place, frame in placed.items():
        line = packets[place]
        subject = subject_at(line["flow"], line["time"], frame)
        if subject is None:
            missing.append(f"{line['what']} frame {frame} belongs to no subject")
        elif line["what"] == "forged":
            packet = rows[frame - 1][1]
            subject.forged.append(frame)
            subject.said |= packet is not None and bool(packet.payload)
        else:
            subject.trigger = subject.trigger or frame
    for line in log:
        subject = subject_at(line["flow"], line["time"]) if line["what"] == "touch" else None
        if subject is not None and line["mechanism"] not in subject.mechanisms:
            subject.mechanisms.append(line["mechanism"])
    for report in reports:
        told = stage.errands[report["errand"]]
        for port in report["ports"]:
            flow = [
                port["local"],
                port["port"],
                port["remote"],
                port["remote_port"],
                {"tcp": TCP, "udp": UDP}[port["protocol"]],
            ]
            for one in found:
                if one.ends == seen(flow):
                    one.name = one.name or (told["name"] if one.spoke else "")
                    affected = (
                        told["affected"] if one.kind == "flow" else told["affected"] and told["steps"][0][0] == "query"
                    )
                    one.confounder = stage.scenario.confounder if affected else one.confounder
    truths = tuple(truth_of(one, stage, side) for one in found if visible(one, side))
    return Labels(
        scenario=stage.scenario.name,
        family=stage.scenario.family,
        seed=stage.seed,
        vantage=side,
        conditions=conditions(stage),
        truths=truths,
    ), missing


def visible(subject: Subject, side: str) -> bool:
    """Say whether this tap can hold anything of what happened.

    Forged DNS answers towards the client leave no trace at the server: neither "interfered" nor "untouched" would be
    a fair label there.
    """
    return not (side == "server" and subject.kind == "exchange" and subject.mechanisms and not subject.forged)


def truth_of(subject: Subject, stage: Stage, side: str) -> Truth:
    """Write the label of a subject, as this tap can know it."""
    mechanisms = list(subject.mechanisms)
    if mechanisms[:1] == ["dns.injection"] and set(subject.answered) <= set(subject.forged):
        mechanisms[0] = "dns.forged"  # the true answer was lost: no race is to be seen
    if mechanisms[:1] == ["http.blockpage"] and subject.forged and not subject.said:
        mechanisms[0] = "tcp.reset"  # the page went to the client: at the server nothing but the reset is to be seen
    if side == "server" and mechanisms[:1] == ["tcp.connect.reset"] and subject.forged:
        mechanisms[0] = "tcp.reset"  # the server answered the SYN itself, and then a reset came in its client's name
    first = mechanisms[0] if mechanisms else None
    client, port, server, server_port, protocol = subject.ends
    return Truth(
        kind=subject.kind,
        protocol="tcp" if protocol == TCP else "udp",
        client=text(client),
        client_port=port,
        server=text(server),
        server_port=server_port,
        name=subject.name,
        first_frame=subject.first,
        mechanism=first,
        also=tuple(mechanisms[1:]),
        forged=tuple(sorted(subject.forged)),
        trigger=subject.trigger if first else 0,
        system=stage.scenario.system if first else "",
        confounder="" if first else subject.confounder,
        series=first in SERIES or (first == "tcp.drop" and not subject.answered),
        query_type=subject.query_type,
        query_id=subject.query_id,
    )


def conditions(stage: Stage) -> dict[str, Any]:
    """Describe the path and how it was captured."""
    lines = stage.lines
    return {
        "ip": stage.version,
        "direction": "both",
        "loss": float(lines["far_down"].get("loss", 0.0)),
        "capture_loss": 0.0,
        "snaplen": 0,
        "offload": False,
        "doubled": False,
        "swapped": False,
        "clock": "good",
        "rtt": stage.rtt,
        "nat": stage.nat is not None,
    }


def packed(address: str) -> bytes:
    """Give the bytes of an address."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
