"""By what the scoreboard is split: how a capture was taken, and what its subjects are."""

from collections.abc import Callable
from typing import Any

from benchmarks.scoreboard.units import Unit

__all__ = ["SPLITS"]


def share(value: Any) -> str:
    """Sort a share of lost packets into three classes."""
    if value is None:
        return ""
    return "none" if value <= 0 else "below 1 %" if value < 0.01 else "1 % and more"


def loss(unit: Unit) -> str:
    """Sort a path by its loss, or by the luck that its loss, jitter and reordering were drawn with."""
    if unit.where.get("loss") is not None:
        return share(float(unit.where["loss"]))
    luck = unit.where.get("luck")
    if luck is None:
        return "not known"
    return "good path" if luck < 1 / 3 else "fair path" if luck < 2 / 3 else "bad path"


def snaplen(unit: Unit) -> str:
    """Sort a capture by how much of a frame it keeps."""
    value = unit.where.get("snaplen")
    return "" if value is None else "whole" if value == 0 else "cut to 128" if value <= 128 else "cut above 128"


def word(name: str) -> Callable[[Unit], str]:
    """Make a split by one condition as it stands."""
    return lambda unit: "" if unit.where.get(name) is None else str(unit.where[name])


SPLITS: dict[str, Callable[[Unit], str]] = {
    "source": lambda unit: unit.source,
    "vantage": word("vantage"),
    "IP version": lambda unit: {4: "IPv4", 6: "IPv6", 0: "both"}.get(unit.where.get("ip", -1), ""),
    "direction": word("direction"),
    "path": loss,
    "capture loss": lambda unit: share(unit.where.get("capture_loss")),
    "snaplen": snaplen,
    "offload": word("offload"),
    "doubled": word("doubled"),
    "swapped": word("swapped"),
    "clock": word("clock"),
    "subject": lambda unit: "DNS exchange" if unit.kind == "exchange" else f"{unit.protocol or 'whole'} {unit.kind}",
}
"""What units are parted by; a unit without the property is left out of that split."""
