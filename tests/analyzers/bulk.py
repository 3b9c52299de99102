"""A small TCP bulk-transfer simulator for the rate analyzers: one seeded transfer through one kind of bottleneck.

The sender is window based (slow start, then CUBIC's backoff of 0.7 with linear growth), detects losses three segments
later, and falls back on a timeout. The receiver acknowledges every second segment or after 40 ms. It is written to be
obvious, packet by packet, and shares no code with the library.
"""

import heapq
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

SEGMENT = 1448
WIRE = SEGMENT + 66
FULL = bytes(SEGMENT)
MILLISECOND = 1e-3


@dataclass
class Bottleneck:
    """Decides what becomes of each packet: a delay in seconds, or None when it is dropped."""

    decide: Callable[[float, int], float | None]


def policer(rate: float, depth: float) -> Bottleneck:
    """Drop what a token bucket of that rate (bytes a second) and depth (bytes) does not hold."""
    state = {"level": depth, "at": 0.0}

    def decide(now: float, size: int) -> float | None:
        state["level"] = min(depth, state["level"] + (now - state["at"]) * rate)
        state["at"] = now
        if state["level"] < size:
            return None
        state["level"] -= size
        return 0.0

    return Bottleneck(decide)


def shaper(
    rate: float, queue: float, *, credit: float = 0.0, share: Callable[[float], float] | None = None
) -> Bottleneck:
    """Queue and serve at a rate; *credit* bytes may pass at once, *share* scales the rate over time."""
    state = {"backlog": 0.0, "at": 0.0}

    def decide(now: float, size: int) -> float | None:
        speed = rate * (share(now) if share else 1.0)
        state["backlog"] = max(-credit, state["backlog"] - (now - state["at"]) * speed)
        state["at"] = now
        if state["backlog"] + size > queue:
            return None
        state["backlog"] += size
        return max(0.0, state["backlog"]) / speed

    return Bottleneck(decide)


def early_drop(rate: float, queue: float, random: np.random.Generator) -> Bottleneck:
    """Queue as a shaper does, but drop at random ever more as the queue fills (RED)."""
    inner = {"backlog": 0.0, "at": 0.0, "mean": 0.0}

    def decide(now: float, size: int) -> float | None:
        inner["backlog"] = max(0.0, inner["backlog"] - (now - inner["at"]) * rate)
        inner["at"] = now
        inner["mean"] += 0.02 * (inner["backlog"] - inner["mean"])
        drop = np.clip((inner["mean"] / queue - 0.25) / 0.5, 0.0, 1.0) * 0.1
        if inner["backlog"] + size > queue or random.random() < drop:
            return None
        inner["backlog"] += size
        return inner["backlog"] / rate

    return Bottleneck(decide)


def both(first: Bottleneck, second: Bottleneck) -> Bottleneck:
    """Pass through one bottleneck, then through another."""

    def decide(now: float, size: int) -> float | None:
        delay = first.decide(now, size)
        return None if delay is None else second.decide(now + delay, size)

    return Bottleneck(decide)


def merge(*transfers: "Transfer") -> "Transfer":
    """Lay captures over each other in time."""
    times = [time for one in transfers for time in one.times]
    frames = [frame for one in transfers for frame in one.frames]
    order = np.argsort(np.array(times), kind="stable")
    return Transfer([times[i] for i in order], [frames[i] for i in order], sum(one.dropped for one in transfers))


def chance(probability: float, random: np.random.Generator) -> Bottleneck:
    """Drop each packet with that probability, whatever else happens."""
    return Bottleneck(lambda _now, _size: None if random.random() < probability else 0.0)


@dataclass
class Flow:
    """One transfer: a client asks, the server sends *segments* segments."""

    segments: int
    port: int = 40000
    start: float = 0.0
    server: str = ""  # another server than the transfer's
    request: bytes = bytes(8)
    window: float = 4000.0  # receive window, segments
    pace: float = 0.0  # seconds between application writes; 0 writes all at once
    chunk: int = 1  # segments of each write
    cwnd: float = 10.0
    threshold: float = 1e9
    sent: int = 0
    recover: int = -1
    order: int = 0
    number: int = 0  # IP identification of the last packet sent, where the sender counts them
    backoff: int = 1
    heard: float = 0.0
    smooth: float = 0.0
    flying: dict[int, tuple[int, float]] = field(default_factory=dict)  # segment -> (transmission number, time)
    redo: deque[int] = field(default_factory=deque)
    again: set[int] = field(default_factory=set)  # sent again: lost once more, only a timeout finds out
    seen: set[int] = field(default_factory=set)  # at the receiver
    known: set[int] = field(default_factory=set)  # at the sender
    acked: int = 0  # at the sender: all before it arrived
    cumulative: int = 0
    pending: int = 0
    last_order: int = 0


@dataclass
class Transfer:
    """What the tap saw: times in ns, raw IPv4 frames."""

    times: list[int] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    dropped: int = 0


def transfer(
    seed: int,
    bottleneck: Bottleneck,
    *,
    flows: list[Flow],
    rtt: float = 0.1,
    tap: str = "sender",
    jitter: float = 2e-4,
    server: str = "203.0.113.9",
    client: str = "192.0.2.7",
    timestamps: bool = True,
    numbered: bool = False,
    limit: float = 120.0,
    begin: float = 1_700_000_000.0,
) -> Transfer:
    """Run the flows through one bottleneck and write down what a tap at the sender or the receiver captures.

    Senders number the packets of a connection one by one when *numbered*, else by one counter for everything.
    """
    world = _World(seed, bottleneck, flows, rtt, tap, jitter, server, client, timestamps, begin)
    world.numbered = numbered
    world.run(limit)
    order = np.argsort(np.array(world.out.times), kind="stable")
    return Transfer([world.out.times[i] for i in order], [world.out.frames[i] for i in order], world.out.dropped)


def transfer_world() -> "_World":
    """Give an empty world whose tap at the server is written by hand."""
    still = Bottleneck(lambda _now, _size: 0.0)
    return _World(0, still, [], 0.1, "sender", 0.0, "203.0.113.9", "192.0.2.7", True, 1_700_000_000.0)


class _World:
    """Events in order of time: packets that cross the bottleneck, arrive, and are acknowledged."""

    def __init__(self, seed, bottleneck, flows, rtt, tap, jitter, server, client, timestamps, begin):
        self.random = np.random.default_rng(seed)
        self.bottleneck, self.flows, self.rtt, self.tap, self.jitter = bottleneck, flows, rtt, tap, jitter
        self.server, self.client = (bytes(map(int, a.split("."))) for a in (server, client))
        self.timestamps, self.begin = timestamps, begin
        self.numbered = False
        self.out = Transfer()
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.count = 0
        self.clear = self.back = self.line = 0.0  # when the last packet arrived either way: packets do not overtake

    def at(self, when: float, what: Callable[[float], None]) -> None:
        """Do something later."""
        self.count += 1
        heapq.heappush(self.events, (when, self.count, what))

    def run(self, limit: float) -> None:
        """Run until nothing is left to do."""
        for flow in self.flows:
            self.open(flow)
        while self.events and self.events[0][0] < limit:
            when, _, what = heapq.heappop(self.events)
            what(when)

    def open(self, flow: Flow) -> None:
        """Shake hands and ask."""
        half, t = self.rtt / 2, flow.start
        near = 0.0 if self.tap == "receiver" else half
        self.write(t + near, flow, down=False, seq=0, ack=0, flags=0x02)
        self.write(
            t + (half if self.tap == "sender" else self.rtt), flow, down=True, seq=0, ack=1, flags=0x12, sent=t + half
        )
        self.write(t + self.rtt + near, flow, down=False, seq=1, ack=1, flags=0x10)
        self.write(t + self.rtt + near + 1e-5, flow, down=False, seq=1, ack=1, flags=0x18, content=flow.request)
        flow.heard = t + self.rtt + half
        self.at(flow.heard, lambda now: self.push(flow, now))
        self.at(flow.heard + 1.0, lambda now: self.timeout(flow, now))

    def available(self, flow: Flow, now: float) -> int:
        """Count the segments the application has written so far."""
        if flow.pace <= 0:
            return flow.segments
        return min(flow.segments, flow.chunk * (1 + int((now - flow.start) / flow.pace)))

    def push(self, flow: Flow, now: float) -> None:
        """Send what the windows allow: lost segments first."""
        gap = 0
        while len(flow.flying) < min(flow.cwnd, flow.window):
            while flow.redo and flow.redo[0] in flow.known:
                flow.redo.popleft()
            if flow.redo:
                segment = flow.redo.popleft()
            elif flow.sent < min(self.available(flow, now), flow.acked + flow.window):
                segment = flow.sent
                flow.sent += 1
            else:
                break
            gap += 1
            self.line = max(self.line + 12e-6, now)  # a gigabit line at the sender
            self.send(flow, segment, self.line)
        if flow.pace > 0 and flow.sent < flow.segments:
            self.at(now + flow.pace, lambda later: self.push(flow, later)) if gap else None
            if not gap and not flow.flying:
                self.at(now + flow.pace, lambda later: self.push(flow, later))

    def send(self, flow: Flow, segment: int, now: float) -> None:
        """Put one segment on the line."""
        flow.order += 1
        flow.number += 1
        order, number = flow.order, flow.number
        flow.flying[segment] = (order, now)
        if self.tap == "sender":
            self.write(
                now,
                flow,
                down=True,
                seq=1 + segment * SEGMENT,
                ack=1 + len(flow.request),
                flags=0x10,
                content=FULL,
                sent=now,
                number=number,
            )
        self.at(now + self.rtt / 4, lambda when: self.cross(flow, segment, order, now, number, when))

    def cross(self, flow: Flow, segment: int, order: int, sent: float, number: int, now: float) -> None:
        """Reach the bottleneck."""
        delay = self.bottleneck.decide(now, WIRE)
        if delay is None:
            self.out.dropped += 1
            return
        wanted = now + delay + self.rtt / 4 + float(self.random.exponential(self.jitter))
        arrival = self.clear = max(self.clear + 1e-6, wanted)
        self.at(arrival, lambda when: self.arrive(flow, segment, order, sent, number, when))

    def arrive(self, flow: Flow, segment: int, order: int, sent: float, number: int, now: float) -> None:
        """Reach the receiver, who acknowledges at once, or after the second segment or 40 ms."""
        if self.tap == "receiver":
            self.write(
                now,
                flow,
                down=True,
                seq=1 + segment * SEGMENT,
                ack=1 + len(flow.request),
                flags=0x10,
                content=FULL,
                sent=sent,
                number=number,
            )
        hole = segment != flow.cumulative
        flow.seen.add(segment)
        while flow.cumulative in flow.seen:
            flow.cumulative += 1
        flow.pending += 1
        if flow.pending >= 2 or hole or flow.cumulative - 1 != segment:
            self.acknowledge(flow, segment, order, now, sent)
        else:
            mark = flow.cumulative
            self.at(now + 0.04, lambda when: self.acknowledge(flow, segment, order, when, sent, mark))

    def acknowledge(self, flow: Flow, segment: int, order: int, now: float, sent: float, mark: int = -1) -> None:
        """Send an acknowledgement, with a SACK block when something is missing."""
        if mark >= 0 and (flow.pending == 0 or flow.cumulative != mark):
            return
        flow.pending = 0
        cumulative, seen = flow.cumulative, frozenset({segment})
        when = max(self.back + 1e-6, now + self.rtt / 2 + float(self.random.exponential(self.jitter)))
        self.back = when
        stamp = when if self.tap == "sender" else now
        block: tuple[int, ...] = ()
        if segment > cumulative:
            left, right = segment, segment + 1
            while left - 1 in flow.seen:
                left -= 1
            while right in flow.seen:
                right += 1
            block = (1 + left * SEGMENT, 1 + right * SEGMENT)
        self.write(
            stamp,
            flow,
            down=False,
            seq=1 + len(flow.request),
            ack=1 + cumulative * SEGMENT,
            flags=0x10,
            sent=now,
            echo=sent,
            block=block,
        )
        self.at(when, lambda later: self.hear(flow, cumulative, seen, order, later, sent))

    def hear(self, flow: Flow, cumulative: int, seen: frozenset[int], order: int, now: float, sent: float) -> None:
        """Take an acknowledgement in: what arrived, what is lost, how much to send."""
        flow.heard, flow.backoff = now, 1
        flow.acked = max(flow.acked, cumulative)
        sample = now - sent
        flow.smooth = sample if not flow.smooth else 0.875 * flow.smooth + 0.125 * sample
        flow.last_order = max(flow.last_order, order)
        before = len(flow.known)
        for segment in list(flow.flying):
            if segment < cumulative or segment in seen:
                del flow.flying[segment]
                flow.known.add(segment)
        flow.known |= seen
        gained = len(flow.known) - before
        late = [s for s, (number, _) in flow.flying.items() if number + 3 <= flow.last_order]
        lost = sorted(set(late) - flow.again)
        for segment in lost:
            del flow.flying[segment]
            flow.redo.append(segment)
            flow.again.add(segment)
        if lost and cumulative >= flow.recover:
            flow.threshold = flow.cwnd = max(2.0, flow.cwnd * 0.7)
            flow.recover = flow.sent
        elif not lost and cumulative >= flow.recover:
            flow.cwnd += gained if flow.cwnd < flow.threshold else 2.0 * gained / flow.cwnd
        self.push(flow, now)

    def timeout(self, flow: Flow, now: float) -> None:
        """Send everything unacknowledged again when nothing was heard for too long."""
        if len(flow.known) >= flow.segments:
            return
        wait = max(0.2, 2 * flow.smooth, self.rtt + 0.1) * flow.backoff
        if (flow.flying or flow.redo) and now - flow.heard >= wait - 1e-9:
            flow.redo = deque(sorted({*flow.redo, *flow.flying}))
            flow.flying.clear()
            flow.threshold, flow.cwnd = max(2.0, flow.cwnd / 2), 1.0
            flow.recover = flow.sent
            flow.backoff = min(flow.backoff * 2, 8)
            flow.heard = now
            self.push(flow, now)
        self.at(max(flow.heard + wait, now + 0.05), lambda when: self.timeout(flow, when))

    def write(
        self,
        when: float,
        flow: Flow,
        *,
        down: bool,
        seq: int,
        ack: int,
        flags: int,
        content: bytes = b"",
        sent: float = -1.0,
        echo: float = -1.0,
        block: tuple[int, ...] = (),
        number: int = 0,
        room: int = 0,
    ) -> None:
        """Write one captured frame down: with a number of its own, and a window other than the flow's, if given."""
        options = b""
        if flags & 2:
            options = b"\x02\x04\x05\xb4\x01\x03\x03\x07\x01\x01\x04\x02"
        if self.timestamps:
            sent = when if sent < 0 else sent
            value, reply = int(sent * 1000) + 1000, (int(echo * 1000) + 1000 if echo >= 0 else 0)
            options += b"\x01\x01\x08\x0a" + struct.pack("!II", value, reply)
        if block:
            edges = (1_000_000 + edge for edge in block)
            options += struct.pack(f"!BBBB{len(block)}I", 1, 1, 5, 2 + 4 * len(block), *edges)
        base = 1_000_000 if down else 5_000_000
        ports = (443, flow.port) if down else (flow.port, 443)
        other = 5_000_000 if down else 1_000_000
        window = min(65535, max(1, int(flow.window * SEGMENT) >> 7)) if not flags & 2 else 65535
        window = room >> 7 if room else window
        head = (
            struct.pack(
                "!HHIIBBHHH",
                *ports,
                base + seq,
                (other + ack) if flags & 0x10 else 0,
                (20 + len(options)) << 2,
                flags,
                window,
                0,
                0,
            )
            + options
        )
        server = bytes(map(int, flow.server.split("."))) if flow.server else self.server
        source, target = (server, self.client) if down else (self.client, server)
        total = 20 + len(head) + len(content)
        place = number if self.numbered and number else len(self.out.times)
        header = struct.pack("!BBHHHBBH", 0x45, 0, total, place & 0xFFFF, 0x4000, 60, 6, 0)
        self.out.times.append(round((self.begin + when) * 1e6) * 1000)
        self.out.frames.append(header + source + target + head + content)
