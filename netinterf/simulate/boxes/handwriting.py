"""How forged packets look and when they come: hop limit, IP ID, window, DF, options, delay.

The rules span what was published about real injectors (Weaver et al., NDSS 2009; Wang et al., IMC 2017; Anonymous,
FOCI 2020; Nourin et al., WWW 2023; Wu et al., IEEE S&P 2025) and what a careful forger can do beyond that: take over
whatever it saw of the end that it impersonates.
"""

from typing import Any

import numpy as np

from netinterf.simulate.encode import TCP
from netinterf.simulate.network.packet import Packet
from netinterf.values import frozen

__all__ = ["Handwriting"]

CYCLE = 200
"""Hop limits that the GFW's counting injector runs through (Wu et al., S&P 2025: 39 to 238 at the host)."""


@frozen(kw_only=True)
class Handwriting:
    """How the packets of an injector look."""

    ttl_rule: str = "constant"  # constant, spread, counter, match (what the real sender's packets show here), mirror
    ttl: int = 64
    ttl_high: int = 64  # upper end of spread, which is drawn once per burst
    id_rule: str = "random"  # random, same, zero, constant, sequence, mirror, next, after (the real sender's last one)
    ip_id: int = 0
    id_step: int = 1  # between the packets of a burst (sequence), or from the real sender's last one (after)
    window_rule: str = "zero"  # zero, random, constant, counter, mirror
    window: int = 0
    dont_fragment: bool = False
    tos: int = 0
    imitates: bool = False  # all header fields and timestamps continue the real sender's, as far as the box saw it
    gap: float = 50_000.0  # ns between the packets of a burst
    delay: float = 300_000.0  # ns from trigger to burst

    def header_fields(
        self, trigger: Packet, genuine: int, order: int, rng: np.random.Generator, burst: int, last_id: int = 0
    ) -> dict[str, Any]:
        """Choose the header fields of packet *order* of a burst.

        Args:
            trigger: What provoked it.
            genuine: TTL of the impersonated sender's packets at the box, 0 when none passed.
            order: Place in the burst.
            rng: Source of chance.
            burst: A random number that stays the same within a burst.
            last_id: IP ID of the impersonated sender's last packet.
        """
        counter = 40 + (burst + order) % CYCLE
        ttl = {
            "constant": self.ttl,
            "spread": self.ttl + burst % max(1, self.ttl_high - self.ttl + 1),
            "counter": counter,
            "match": genuine or self.ttl,
            "mirror": trigger.ttl,
        }
        fresh = int(rng.integers(1, 2**16))
        identifier = {
            "random": fresh,
            "same": burst % 65_535 + 1,
            "zero": 0,
            "constant": self.ip_id,
            "sequence": self.ip_id + burst + order * self.id_step,
            "mirror": trigger.ip_id,
            "next": trigger.ip_id + 1,
            "after": last_id + self.id_step + order,
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
            "ip_id": identifier[self.id_rule] % 2**16,
            "window": window[self.window_rule] if trigger.protocol == TCP else 0,
            "ip_flags": 2 if self.dont_fragment else 0,
            "tos": self.tos,
        }
