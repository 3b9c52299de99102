"""How forged packets look: hop limit, IP ID, window, flags, timing; drawn widely enough that no field gives them away.

The forms span what was published about real injectors (GFW Report, USENIX Security 2025; Wang et al., IMC 2017; Weaver
et al., NDSS 2009; Nourin et al., WWW 2023; Anonymous, FOCI 2020).
"""

from typing import Any

import attrs
import numpy as np

from netinterf.simulate.encode import TCP
from netinterf.simulate.network.packet import ACK, RST, Packet

__all__ = ["Form", "draw_form"]


@attrs.frozen(kw_only=True)
class Form:
    """How the packets of an injector look."""

    flags: tuple[int, ...] = (RST | ACK,)  # one entry per packet of a burst
    ttl_rule: str = "constant"  # constant, counter, match (what the real sender's packets show here), mirror
    ttl: int = 64
    id_rule: str = "random"  # random, same, zero, constant, mirror, next
    ip_id: int = 0
    window_rule: str = "zero"  # zero, random, constant, counter, mirror
    window: int = 0
    dont_fragment: bool = False
    bare_first: bool = False  # a bare RST goes before the burst
    start: bool = False  # the sequence number of the trigger's start instead of its end, towards the server
    step: int = 0  # added to the sequence number per packet of a burst
    payload: bytes = b""
    gap: float = 50_000.0  # ns between the packets of a burst
    delay: float = 300_000.0  # ns from trigger to burst
    to_client: bool = True
    to_server: bool = True
    swallow: bool = False  # the trigger goes no further

    def dress(self, trigger: Packet, genuine: int, order: int, rng: np.random.Generator, burst: int) -> dict[str, Any]:
        """Choose the IP fields of packet *order* of a burst.

        Args:
            trigger: What provoked it.
            genuine: TTL of the impersonated sender's packets at the box, 0 when none passed.
            order: Place in the burst.
            rng: Source of chance.
            burst: A random number that stays the same within a burst.
        """
        counter = 40 + (burst + order) % 200
        ttl = {"constant": self.ttl, "counter": counter, "match": genuine or self.ttl, "mirror": trigger.ttl}
        fresh = int(rng.integers(1, 2**16))
        identifier = {
            "random": fresh,
            "same": burst % 65_535 + 1,
            "zero": 0,
            "constant": self.ip_id,
            "mirror": trigger.ip_id,
            "next": (trigger.ip_id + 1) % 2**16,
        }
        window = {
            "zero": 0,
            "random": int(rng.integers(300, 60_000)),
            "constant": self.window,
            "counter": self.window + counter,
            "mirror": trigger.window,
        }
        return {
            "ttl": ttl[self.ttl_rule],
            "ip_id": identifier[self.id_rule],
            "window": window[self.window_rule] if trigger.protocol == TCP else 0,
            "ip_flags": 2 if self.dont_fragment else 0,
        }


def draw_form(rng: np.random.Generator) -> Form:
    """Draw the look of a reset injector: a published family, its free fields at random."""
    form = Form(
        delay=float(rng.lognormal(np.log(4e5), 0.7)),
        gap=float(rng.uniform(5e3, 2e5)),
        to_server=bool(rng.random() < 0.6),
        start=bool(rng.random() < 0.3),
        ttl=int(rng.choice([64, 128, 255])),
    )
    reset = RST | ACK
    match str(rng.choice(["triple", "single", "bare", "mirror", "counter", "payload"])):
        case "triple":
            return attrs.evolve(
                form, flags=(reset,) * int(rng.integers(2, 5)), ttl_rule=str(rng.choice(["counter", "match"])),
                id_rule="same", window_rule="counter", window=int(rng.integers(200, 4400)), dont_fragment=True,
                bare_first=bool(rng.random() < 0.5),
            )  # fmt: skip
        case "single":
            return attrs.evolve(form, ttl=int(rng.integers(50, 250)))
        case "bare":
            return attrs.evolve(form, flags=(RST,), id_rule=str(rng.choice(["zero", "random"])), window_rule="random")
        case "mirror":
            return attrs.evolve(
                form, flags=(int(rng.choice([RST, reset])),), ttl_rule="mirror", window_rule="mirror",
                id_rule=str(rng.choice(["mirror", "next"])), dont_fragment=bool(rng.random() < 0.5),
            )  # fmt: skip
        case "counter":
            return attrs.evolve(
                form, flags=(reset,) * 3, ttl_rule="counter", window_rule="counter",
                window=int(rng.integers(900, 3300)), step=int(rng.choice([0, 0, 1460])),
            )  # fmt: skip
        case _:
            return attrs.evolve(
                form, id_rule="constant", ip_id=int(rng.choice([1, 242, 0x9916])), window_rule="constant",
                window=int(rng.integers(1, 40)), payload=rng.bytes(int(rng.integers(8, 24))), to_server=False,
            )  # fmt: skip
