"""How a simulated capture is taken: address family, place and direction of the tap, habits of the recorder."""

from typing import Any, Self

import attrs
import numpy as np

from netinterf.errors import ParameterError
from netinterf.values import frozen

__all__ = ["DRAWS", "Conditions", "Draw"]

CLOCKS = ("good", "coarse", "steps")
DIRECTIONS = ("both", "outbound", "inbound")
TAPS = ("client", "server", "middle")


@frozen
class Draw:
    """How often a condition is drawn that a plain capture has not, and what that share rests on."""

    share: float
    source: str


DRAWS = {
    "ip": Draw(0.2, "judgement: the many captures that are published are older than most of IPv6"),
    "direction": Draw(0.05, "judgement: asymmetric routes reach few taps, but then everything"),
    "capture_loss": Draw(0.15, "judgement; up to 2 % of the packets, since more makes a capture useless to anybody"),
    "snaplen": Draw(0.12, "judgement; 96 to 256 bytes are what recorders are told to keep of headers"),
    "offload": Draw(
        0.2, "judgement: cards merge unless told not to, but many captures are of phones and virtual machines"
    ),
    "doubled": Draw(0.04, "judgement: mirror ports that carry both directions of one switch"),
    "clock": Draw(
        0.06, "judgement: milliseconds are kept by old programs, clocks are set once in a recording or never"
    ),
    "swapped": Draw(0.05, "judgement: cards with several queues, merged by their times"),
}
"""The shares of conditions in simulated captures, in the order of their draws. None is measured: a share of 0 would
leave a condition out of every fit; what counts is that each is seen often, and that none rules."""


@frozen(kw_only=True)
class Conditions:
    """What a run fixes; None leaves a property to the seed."""

    ip: int | None = None  # 4 or 6
    vantage: str | None = None  # client, server or middle
    direction: str | None = None  # both, or only packets from (outbound) or to (inbound) the clients
    luck: float | None = None  # badness of paths, 0 (clean) to 1: jitter, loss up to 1 %, reordering, duplicates
    capture_loss: float | None = None  # share of packets that the recorder misses
    snaplen: int | None = None  # bytes kept of a frame; 0 keeps all
    offload: bool | None = None  # the host's card merges segments before the recorder sees them (TSO, GRO)
    doubled: bool | None = None  # a mirror port delivers each frame twice
    swapped: bool | None = None  # neighbours within a millisecond now and then stand in the wrong order
    clock: str | None = None  # good, coarse (milliseconds) or steps (set while recording)

    def __attrs_post_init__(self) -> None:
        allowed: dict[str, tuple[Any, ...]] = {
            "ip": (None, 4, 6),
            "vantage": (None, *TAPS),
            "direction": (None, *DIRECTIONS),
            "clock": (None, *CLOCKS),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ParameterError(name, getattr(self, name), "one of " + ", ".join(map(str, values[1:])))

    @classmethod
    def clean(cls, **fixed: Any) -> Self:
        """Give the conditions of a faithful recorder on a clean IPv4 path, with *fixed* ones set."""
        plain: dict[str, Any] = {
            "ip": 4, "direction": "both", "luck": 0.0, "capture_loss": 0.0, "snaplen": 0, "offload": False,
            "doubled": False, "swapped": False, "clock": "good",
        }  # fmt: skip
        return cls(**{**plain, **fixed})

    def drawn(self, rng: np.random.Generator, vantages: tuple[str, ...]) -> "Conditions":
        """Draw what is left open; most captures are whole, some are poor in one or two respects.

        Args:
            rng: Source of chance; the number of draws does not depend on what is fixed.
            vantages: Where the tap may be.
        """
        chance = rng.random(9)  # (one more than there are conditions: the draws behind it stay what they were)
        present = {name: bool(number < draw.share) for (name, draw), number in zip(DRAWS.items(), chance, strict=False)}
        where = vantages[int(rng.integers(len(vantages)))]
        cut = int(rng.choice([96, 128, 200, 256]))
        missed, badness = float(rng.uniform(0, 0.02)), float(rng.uniform(0, 1))
        side = str(rng.choice(["outbound", "inbound"]))
        clock = str(rng.choice(["coarse", "steps"]))
        vantage = self.vantage or where
        picked = {
            "ip": 6 if present["ip"] else 4,
            "vantage": vantage,
            "direction": side if present["direction"] else "both",
            "luck": badness,
            "capture_loss": missed if present["capture_loss"] else 0.0,
            "snaplen": cut if present["snaplen"] else 0,
            "offload": present["offload"] and vantage != "middle",
            "doubled": present["doubled"],
            "swapped": present["swapped"],
            "clock": clock if present["clock"] else "good",
        }
        fixed = attrs.asdict(self, filter=lambda _, value: value is not None)
        return Conditions(**{**picked, **fixed})

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for the labels."""
        return attrs.asdict(self)
