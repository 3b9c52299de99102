"""What a scenario is: a play with a name, and the truth it stands for."""

from collections.abc import Callable

from netinterf.simulate.scene import Scene
from netinterf.values import frozen

__all__ = ["ANYWHERE", "ENDS", "Scenario"]

ENDS = ("client", "server")
ANYWHERE = ("client", "server", "middle")


@frozen
class Scenario:
    """One play; its subjects are labelled with the mechanism and the system, or with the look-alike."""

    name: str
    says: str  # one sentence: what happens
    mechanism: str | None  # a path of netinterf.mechanisms; None: nobody interferes
    play: Callable[[Scene], None]
    vantages: tuple[str, ...] = ("client",)  # where the tap may be, drawn by seed
    system: str = ""  # documented system that interferes (see :mod:`netinterf.simulate.documented`)
    confounder: str = ""  # documented benign cause that is played
    damaged: bool = False  # some packets are malformed or wrongly summed on purpose
    family: str = ""  # tcp, http, tls, quic, dns, rate, reach; "benign." before it when nobody interferes
