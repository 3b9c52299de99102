"""What two QUIC programs agree on: their habits, and what each datagram of a connection carries."""

from typing import Any

import attrs
import numpy as np

from netinterf.simulate.messages import quic
from netinterf.simulate.messages.hellos import SHAPES, Shape
from netinterf.values import define, frozen

__all__ = ["FULL", "Habits", "Link", "Parcel", "Part", "draw_habits"]

FULL = 1200
"""Least bytes of a datagram with an Initial (RFC 9000 §14.1)."""

OVERHEAD = 190
"""Bytes that headers, tag, frame headers and loose padding may take from an Initial."""

Part = tuple[int, int]
"""Turn, and which datagram of it."""


@frozen(kw_only=True)
class Habits:
    """How a pair of programs uses QUIC."""

    shape: Shape
    version: int = quic.V1
    client_id: int = 0  # bytes of the client's connection id
    server_id: int = 8
    first_probe: float = 1e9  # ns before the first Initial is repeated; RFC 9002 §6.2.2 gives 999 ms
    patience: float = 10e9  # ns after which a client without an answer gives up
    full: int = 1250  # bytes of the client's Initials
    most: int = 1350  # bytes of the largest datagrams with data
    split: int = 0  # bytes of the hello in the first of two Initials; 0: as many as fit
    shuffled: bool = False
    farewell: bool = True  # the client closes with a packet, not in silence
    server_mode: str = "plain"  # of the server: plain, retry, negotiate or deaf


@define(eq=False)
class Parcel:
    """What a datagram carries."""

    part: Part | None  # None: nothing to acknowledge
    heard: frozenset[Part]
    word: str = ""  # close, retry or versions


@define(eq=False)
class Link:
    """One connection: what both ends know, and the book of datagrams."""

    habits: Habits
    hello: bytes
    turns: list[tuple[bool, int, float]]  # outbound, bytes, ns of thinking; the handshake is put before them
    client_id: bytes
    server_id: bytes
    original: bytes  # the id that the client drew for the server
    version: int
    token: bytes = b""
    key_id: bytes = b""
    book: dict[bytes, Parcel] = attrs.field(factory=dict)

    def rooms(self) -> list[int]:
        """Give how many bytes of the hello go into each of the client's Initials: one, or two of at most 1250."""
        most = self.habits.full - (OVERHEAD if self.habits.shuffled else OVERHEAD // 2) - len(self.token)
        if len(self.hello) <= most and not self.habits.split:
            return [len(self.hello)]
        first = max(min(self.habits.split or most, most), len(self.hello) - most)
        return [first, len(self.hello) - first]

    def sizes(self, turn: int) -> list[int]:
        """Give the bytes of the datagrams of a turn."""
        habits = self.habits
        _, size, _ = self.turns[turn]
        if turn == 0:
            return [habits.full] * len(self.rooms())
        if turn == 1:
            return [FULL] * (size // FULL) + [max(60, size % FULL)]
        first = [FULL] if turn == 2 else []
        room = habits.most - 40
        return first + [min(habits.most, 40 + size - begin) for begin in range(0, max(1, size), room)]


def draw_habits(rng: np.random.Generator, **fixed: Any) -> Habits:
    """Draw how a browser uses QUIC: Chrome-like with shuffled frames, or Firefox-like."""
    chrome = bool(rng.random() < 0.6)
    hybrid = bool(rng.random() < 0.6)
    drawn: dict[str, Any] = {
        "shape": SHAPES[("chrome" if chrome else "firefox") + ("" if hybrid else "-classic")],
        "client_id": 0 if chrome else int(rng.integers(3, 9)),
        "server_id": int(rng.choice([8, 8, 16, 20])),
        "first_probe": float(rng.choice([3e8, 9.99e8, 6e8]) * rng.uniform(0.9, 1.1)),
        "patience": float(rng.uniform(4e9, 12e9)),
        "full": int(rng.choice([1200, 1250, 1252, 1280, 1350])),
        "most": int(rng.choice([1250, 1350, 1378, 1452])),
        "split": int(rng.choice([0, 0, 300, 700])) if hybrid else 0,
        "shuffled": chrome,
        "farewell": bool(rng.random() < 0.6),
    }
    return Habits(**{**drawn, **fixed})
