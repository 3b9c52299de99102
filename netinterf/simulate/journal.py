"""What comes out of a scene: frames as the recorder took them, and the truth about every conversation in them.

Packets are written down while the scene goes on, some simulated seconds after they passed, so that memory holds only
what is under way and the frames.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import itemgetter

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.simulate.encode import frames
from netinterf.simulate.labels import Truth
from netinterf.simulate.network.packet import Packet, address_text, segments
from netinterf.simulate.network.path import Tap
from netinterf.simulate.recorder import Recorder
from netinterf.values import define

__all__ = ["CapturedConversation", "Conversation", "Journal"]

TIME = itemgetter(0)

HOLD = 10_000_000_000
"""How long packets are kept before they are written down, ns: a box may still name one of them as the trigger."""

LEAST = 2_000
"""Packets written down at a time: enough for columns to pay, few enough to stay in the processor's cache."""


@define
class Conversation:
    """One flow or DNS exchange of the scenario."""

    kind: str  # flow or exchange
    protocol: str
    name: str
    query_type: str | None = None
    query_id: int | None = None
    look_alike: bool = False  # plays the benign look-alike of the scenario
    series: bool = False  # decidable only together with others


@define
class CapturedConversation:
    """What the capture holds of one conversation."""

    first: int  # frame, counted from 1
    outbound: bool  # of that frame
    packet: Packet  # in that frame
    forged: list[tuple[int, str]] = attrs.field(factory=list)  # frame and mechanism
    trigger: int = 0


@define(eq=False)
class Journal:
    """Writes down what passes a tap."""

    tap: Tap
    recorder: Recorder
    notes: dict[int, list[tuple[str, Packet]]]  # what boxes said, by conversation
    limits: dict[int, tuple[float, float, int, int]]  # what rate limits dropped, by conversation
    inward: bool  # whether packets towards servers come in at the tap
    hardware: tuple[int, int]  # Ethernet addresses of router and host
    keeps: Callable[[int, Packet], bool] | None = None  # which packets are recorded at all, by time; None: all
    times: list[I64] = attrs.field(factory=list)
    frames: list[bytes] = attrs.field(factory=list)
    lengths: list[int] = attrs.field(factory=list)
    seen: dict[int, CapturedConversation] = attrs.field(factory=dict)  # by conversation

    def write(self, until: int | None = None) -> None:
        """Write down what passed before *until* (ns since 1970 UTC), or everything."""
        passed = self.tap.seen
        if until is not None and len(passed) < LEAST:
            return
        passed.sort(key=TIME)
        count = len(passed) if until is None else bisect_left(passed, until, key=TIME)
        for begin in range(0, count, LEAST):
            part = passed[begin : min(count, begin + LEAST)]
            if self.keeps is not None:
                part = [entry for entry in part if self.keeps(entry[0], entry[3])]
            if part:
                self.enter(part)
        del passed[:count]

    def enter(self, part: Sequence[tuple[int, bool, int, Packet]]) -> None:
        """Record some packets, given in order of time."""
        times, directions, ttls, packets = zip(*part, strict=True)
        outbound = np.array(directions, bool)
        columns = segments(times, packets, ttls, *self.hardware, (outbound == self.inward).tolist())
        subject = np.array([packet.subject for packet in packets], np.int64)
        forged = np.array([bool(packet.forged) for packet in packets], bool)
        taken = self.recorder.record(columns, outbound, subject, forged)
        made, sizes = frames(taken.columns, self.recorder.conditions.snaplen or 0)
        before = len(self.frames) + 1
        self.frames += made
        self.lengths += sizes
        self.times.append(taken.columns.time)
        rows, owner = taken.packet, subject[taken.packet]
        for mine, first in zip(*np.unique(owner, return_index=True), strict=True):
            if mine >= 0 and mine not in self.seen:
                row = int(rows[first])
                self.seen[int(mine)] = CapturedConversation(before + int(first), bool(outbound[row]), packets[row])
        for place in np.flatnonzero(forged[rows] & (owner >= 0)):
            packet = packets[rows[place]]
            self.seen[packet.subject].forged.append((before + int(place), packet.forged))
        provoked = {id(packet) for notes in self.notes.values() for _, packet in notes}
        noted = np.array([id(packet) in provoked for packet in packets], bool)
        for place in np.flatnonzero(noted[rows] & (owner >= 0)):
            seen = self.seen[int(owner[place])]
            seen.trigger = seen.trigger or before + int(place)

    def truths(self, talks: Sequence[Conversation], system: str, confounder: str) -> tuple[Truth, ...]:
        """Say of every conversation that was captured what happened to it, in order of first frame.

        Args:
            talks: The conversations by number.
            system: Who interferes in this scene.
            confounder: Which benign look-alike is played.
        """
        truths = []
        for subject, seen in self.seen.items():
            talk, packet = talks[subject], seen.packet
            ends = ((packet.source, packet.sport), (packet.destination, packet.dport))
            client, server = ends if seen.outbound else ends[::-1]
            visible = [word for _, word in seen.forged]
            mechanisms = [word for word, _ in self.notes.get(subject, [])]
            words = [word for word in mechanisms if word in visible] + visible + mechanisms
            mechanism, *also = dict.fromkeys(words) or [None]
            truths.append(
                Truth(
                    kind=talk.kind, protocol=talk.protocol, client=address_text(client[0]), client_port=client[1],
                    server=address_text(server[0]), server_port=server[1], name=talk.name, first_frame=seen.first,
                    mechanism=mechanism, also=tuple(word for word in also if word),
                    forged=tuple(number for number, _ in seen.forged), trigger=seen.trigger,
                    system=system if mechanism else "",
                    confounder=confounder if talk.look_alike and not mechanism else "", series=talk.series,
                    limit=self.limits.get(subject, (0.0, 0.0, 0, 0)),
                    query_type=talk.query_type, query_id=talk.query_id,
                )
            )  # fmt: skip
        return tuple(sorted(truths, key=lambda truth: truth.first_frame))

    def stamps(self) -> list[int]:
        """Give the times as the recorder's clock told them."""
        return self.recorder.stamped(np.concatenate(self.times)).tolist() if self.times else []
