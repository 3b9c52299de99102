"""What the scenarios cover of what the literature documents: systems by mechanism, and benign look-alikes."""

from functools import cache

from netinterf.simulate.catalogue import scenarios
from netinterf.simulate.documented import LOOK_ALIKES, SYSTEMS, Confounder, System
from netinterf.values import frozen

__all__ = ["Coverage", "coverage"]


@frozen
class Coverage:
    """Which scenarios play what; an empty tuple is a gap."""

    systems: dict[tuple[System, str], tuple[str, ...]]  # by system and mechanism
    confounders: dict[Confounder, tuple[str, ...]]

    def gaps(self) -> tuple[str, ...]:
        """List what is documented and not played."""
        systems = (f"{system.id}: {mechanism}" for (system, mechanism), plays in self.systems.items() if not plays)
        return (*systems, *(confounder.id for confounder, plays in self.confounders.items() if not plays))


@cache
def coverage() -> Coverage:
    """Set the documented systems and look-alikes against the scenarios."""
    plays = scenarios()
    return Coverage(
        systems={
            (system, mechanism): tuple(
                play.name for play in plays if play.system == system.id and play.mechanism == mechanism
            )
            for system in SYSTEMS.values()
            for mechanism in system.mechanisms
        },
        confounders={
            confounder: tuple(play.name for play in plays if play.confounder == confounder.id)
            for confounder in LOOK_ALIKES.values()
        },
    )
