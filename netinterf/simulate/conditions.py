"""How a simulated capture is taken: address family, place and direction of the tap, habits of the recorder."""

from typing import Any, Self

import attrs
import numpy as np

from netinterf.errors import ParameterError

__all__ = ["Conditions"]

CLOCKS = ("good", "coarse", "steps")
DIRECTIONS = ("both", "outbound", "inbound")
VANTAGES = ("client", "server", "middle")


@attrs.frozen(kw_only=True)
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
            "vantage": (None, *VANTAGES),
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
        poor = rng.random(9)
        where = vantages[int(rng.integers(len(vantages)))]
        cut = int(rng.choice([96, 128, 200, 256]))
        missed, badness = float(rng.uniform(0, 0.02)), float(rng.uniform(0, 1))
        side = str(rng.choice(["outbound", "inbound"]))
        clock = str(rng.choice(["coarse", "steps"]))
        vantage = self.vantage or where
        picked = {
            "ip": 6 if poor[0] < 0.2 else 4,
            "vantage": vantage,
            "direction": side if poor[1] < 0.05 else "both",
            "luck": badness,
            "capture_loss": missed if poor[2] < 0.15 else 0.0,
            "snaplen": cut if poor[3] < 0.12 else 0,
            "offload": bool(poor[4] < 0.2) and vantage != "middle",
            "doubled": bool(poor[5] < 0.04),
            "swapped": bool(poor[7] < 0.05),
            "clock": clock if poor[6] < 0.06 else "good",
        }
        fixed = attrs.asdict(self, filter=lambda _, value: value is not None)
        return Conditions(**{**picked, **fixed})

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for the labels."""
        return attrs.asdict(self)
