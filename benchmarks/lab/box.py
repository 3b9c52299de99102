"""The middlebox: a program between the wires of the lab's hosts, which is the path and whoever sits on it.

It reads whole frames from the hosts' TAP devices, lets each cross a stretch of path, shows it to the rules, lets it
cross the rest and writes it to the other end. Everything waits in one time-ordered heap. What rules do is logged:
the bytes of every packet that they make as it was written, what provoked it, and the connections they touched. The log
and the captures are joined afterwards.
"""

import copy
import heapq
import itertools
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from benchmarks.lab.flow import Flow, Key, Note, key_of
from benchmarks.lab.nat import Nat
from benchmarks.lab.netns import GATEWAY_MAC, HOST_MAC, open_tap
from benchmarks.lab.path import Line
from benchmarks.lab.processes import urgent
from benchmarks.lab.rules import RULES, Rule
from benchmarks.lab.wire import ACK, ICMP, ICMP6, SYN, TCP, Packet, lowered, parse, text

__all__ = ["Box", "main"]

TYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
AT_ONCE = 64  # frames read before timers get their turn
ASIDE_HOPS = 1  # a host beside the box is one router away from it


@attrs.define(eq=False)
class Box:
    """The state of the middlebox."""

    taps: dict[str, int]
    lines: dict[str, Line]
    rules: list[Rule]
    nat: Nat | None
    rng: random.Random
    spread: dict[bytes, int]  # further hops to single servers
    flows: dict[Key, Flow] = attrs.field(factory=dict)
    log: list[dict[str, Any]] = attrs.field(factory=list)
    heap: list[tuple[float, int, str, Packet]] = attrs.field(factory=list)
    numbers: Iterator[int] = attrs.field(factory=itertools.count)
    triggers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))
    start: float = 0.0
    worst: float = 0.0  # how late the latest timer was
    late: float = 0.0  # sum over timers
    written: int = 0
    running: bool = True

    def now(self) -> float:
        """Seconds since the first packet."""
        moment = time.monotonic()
        if not self.start:
            self.start = moment
        return moment - self.start

    def run(self) -> None:
        """Forward until told to stop."""
        sides = {descriptor: side for side, descriptor in self.taps.items()}
        while self.running:
            now = self.now() if self.start else 0.0
            while self.heap and self.heap[0][0] <= now:
                when, _, place, packet = heapq.heappop(self.heap)
                self.worst = max(self.worst, now - when)
                self.late += now - when
                self.arrive(place, packet, now)
            wait = max(self.heap[0][0] - self.now(), 0.0) if self.heap else 0.5
            for descriptor in select.select(list(sides), [], [], wait)[0]:
                self.read(descriptor, sides[descriptor])

    def read(self, descriptor: int, side: str) -> None:
        """Take frames from a wire and put them on the path."""
        for _ in range(AT_ONCE):
            try:
                frame = os.read(descriptor, 65_536)
            except BlockingIOError:
                return
            packet = parse(frame[14:]) if frame[12:14] in TYPES.values() and not frame[0] & 1 else None
            if packet is None:
                continue
            now = self.now()
            packet.seen = packet.raw
            if side == "client":
                self.walk("near_up", packet, "box.up", now)
            elif side == "server":
                self.walk("far_down", packet, "box.down", now, self.spread.get(packet.source, 0))
            else:
                packet.raw = lowered(packet.raw, ASIDE_HOPS)
                packet.ttl -= ASIDE_HOPS
                self.push(now, "box.aside", packet)

    def walk(self, line: str, packet: Packet, place: str, now: float, more: int = 0) -> None:
        """Let a packet cross a stretch of path."""
        stretch = self.lines[line]
        packet.raw = lowered(packet.raw, stretch.hops + more)
        packet.ttl -= stretch.hops + more
        if packet.raw:
            for order, when in enumerate(stretch.cross(now, len(packet.raw), self.rng)):
                self.push(when, place, copy.copy(packet) if order else packet)

    def push(self, when: float, place: str, packet: Packet) -> None:
        """Let a packet arrive somewhere later."""
        heapq.heappush(self.heap, (when, next(self.numbers), place, packet))

    def arrive(self, place: str, packet: Packet, now: float) -> None:
        """Deal with a packet that came to the box or to the end of its way."""
        match place:
            case "client" | "server" | "aside":
                self.write(place, packet, now)
            case "on.up":
                self.leave(packet, outbound=True, now=now)
            case "on.down":
                self.leave(packet, outbound=False, now=now)
            case _:
                self.cross(place, packet, now)

    def cross(self, place: str, packet: Packet, now: float) -> None:
        """Show a packet to the rules; what they leave of it goes on."""
        outbound = place == "box.up"
        if place == "box.down" and self.nat is not None:
            inner = self.nat.inward(packet, now)
            if inner is None:
                return
            packet = inner
        if packet.protocol in (ICMP, ICMP6):
            self.leave(packet, outbound=outbound, now=now)
            return
        flow = self.flow(packet, outbound, now)
        if place == "box.aside":
            packet.note = Note("forged", flow.key, 0, "tls.interception")
            self.touch(flow, "tls.interception", 0)
        for rule in self.rules if place != "box.aside" else ():
            passed = rule.cross(packet, outbound, flow, self, now)
            if passed is None:
                return
            packet = passed
        self.leave(packet, outbound=outbound, now=now)

    def flow(self, packet: Packet, outbound: bool, now: float) -> Flow:
        """Find the connection of a packet; a new SYN with another number begins a new one."""
        key = key_of(packet, outbound)
        flow = self.flows.get(key)
        fresh = packet.protocol == TCP and outbound and packet.flags & SYN and not packet.flags & ACK
        if flow is None or (fresh and flow.syn is not None and flow.syn.seq != packet.seq):
            flow = self.flows[key] = Flow(key, now)
        flow.note(packet, outbound, now)
        return flow

    def leave(self, packet: Packet, *, outbound: bool, now: float) -> None:
        """Send a packet from the box towards an end."""
        if not outbound:
            self.walk("near_down", packet, "client", now)
            return
        if self.nat is not None:
            packet = self.nat.outward(packet, now)
            self.log.extend(self.nat.news())
        self.walk("far_up", packet, "server", now, self.spread.get(packet.destination, 0))

    def write(self, side: str, packet: Packet, now: float) -> None:
        """Put a packet on the wire of a host."""
        frame = HOST_MAC + GATEWAY_MAC + TYPES[packet.version] + packet.raw
        try:
            os.write(self.taps[side], frame)
        except OSError as failure:
            self.log.append({"what": "error", "says": str(failure)})
            return
        self.written += 1
        if packet.note is not None:
            self.log.append(
                {"what": packet.note.kind, "side": side, "packet": packet.raw.hex(), "time": time.time(), "at": now,
                 "flow": plain(packet.note.key), "number": packet.note.number, "mechanism": packet.note.mechanism}
            )  # fmt: skip

    # What rules call.

    def forge(self, packet: Packet, *, outbound: bool, at: float) -> None:
        """Send a packet of our own from the box."""
        self.push(at, "on.up" if outbound else "on.down", packet)

    def aside(self, packet: Packet, now: float) -> None:
        """Hand a packet to the host beside the box."""
        self.push(now, "aside", packet)

    def trigger(self, packet: Packet, flow: Flow) -> int:
        """Note what provoked a rule; its number."""
        number = next(self.triggers)
        self.log.append({"what": "trigger", "side": "client", "packet": packet.seen.hex(), "time": time.time(),
                         "flow": plain(flow.key), "number": number})  # fmt: skip
        packet.note = Note("trigger", flow.key, number)
        return number

    def touch(self, flow: Flow, mechanism: str, number: int) -> None:
        """Note that a connection is no longer left alone."""
        told = flow.marks.setdefault(-1, set())
        if mechanism not in told:
            told.add(mechanism)
            self.log.append({"what": "touch", "flow": plain(flow.key), "time": time.time(), "mechanism": mechanism,
                             "number": number, "opened": flow.opened})  # fmt: skip

    def finish(self) -> list[dict[str, Any]]:
        """Give the log with the measured errors of the timers."""
        dropped = {name: line.dropped for name, line in self.lines.items()}
        spoken = max(next(self.numbers), 1)
        self.log.append({"what": "end", "written": self.written, "worst_late": self.worst,
                         "mean_late": self.late / spoken, "queue_drops": dropped})  # fmt: skip
        return self.log


def plain(key: Key) -> list[Any]:
    """Write a key for the log."""
    return [text(key[0]), key[1], text(key[2]), key[3], key[4]]


def main(words: list[str] | None = None) -> int:
    """Be the box that a specification file describes; ``ready`` on standard output tells that the wires exist."""
    spec = json.loads(Path((words or sys.argv[1:])[0]).read_text(encoding="utf-8"))
    taps = {side: open_tap(name) for side, name in spec["namespaces"].items()}
    box = Box(
        taps,
        {name: Line(**values) for name, values in spec["lines"].items()},
        [RULES[one.pop("rule")](number=number, **one) for number, one in enumerate(spec["rules"])],
        Nat(**spec["nat"]) if spec["nat"] else None,
        random.Random(spec["seed"]),
        {bytes.fromhex(address): hops for address, hops in spec["spread"].items()},
    )

    def stop(*_: Any) -> None:
        box.running = False

    signal.signal(signal.SIGTERM, stop)
    urgent(0)
    print("ready", flush=True)
    box.run()
    with Path(spec["log"]).open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(line) + "\n" for line in box.finish())
    return 0


if __name__ == "__main__":
    sys.exit(main())
