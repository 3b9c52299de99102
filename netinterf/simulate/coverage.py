"""What the scenarios cover of what the literature documents: systems by mechanism, and benign look-alikes."""

from functools import cache
from importlib import import_module

import attrs

from netinterf.simulate.catalogue import scenarios
from netinterf.simulate.documented.base import Confounder, System

__all__ = ["Coverage", "coverage"]

AREAS = ("forgers", "silencers", "names", "rates", "look_alikes")
"""The modules of :mod:`netinterf.simulate.documented`."""


@attrs.frozen
class Coverage:
    """Which scenarios play what; an empty tuple is a gap."""

    systems: dict[tuple[System, str], tuple[str, ...]]  # by system and mechanism
    confounders: dict[Confounder, tuple[str, ...]]

    def gaps(self) -> tuple[str, ...]:
        """List what is documented and not played."""
        systems = (f"{system.id}: {mechanism}" for (system, mechanism), plays in self.systems.items() if not plays)
        return (*systems, *(one.id for one, plays in self.confounders.items() if not plays))


@cache
def coverage() -> Coverage:
    """Set the documented systems and look-alikes against the scenarios."""
    rooms = [import_module(f"netinterf.simulate.documented.{name}") for name in AREAS]
    systems = [system for room in rooms for system in getattr(room, "SYSTEMS", ())]
    confounders = [one for room in rooms for one in getattr(room, "CONFOUNDERS", ())]
    plays = scenarios()
    return Coverage(
        systems={
            (system, mechanism): tuple(
                play.name for play in plays if play.system == system.id and play.mechanism == mechanism
            )
            for system in systems
            for mechanism in system.mechanisms
        },
        confounders={one: tuple(play.name for play in plays if play.confounder == one.id) for one in confounders},
    )
