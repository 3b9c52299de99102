"""Made-up campaigns: places that ask for the same names run by run, and what comes of it, without a packet.

In each run each place *visits* each name: a lookup, a connection to the address that it gave, and QUIC where the server
speaks it. Nobody blocks anything. Scenes (`benchmarks.campaigns.scenes`) change what comes of some visits; what is left
is laid out as scans find it (`benchmarks.campaigns.laid_out`).
"""

from enum import IntEnum
from typing import Self

import attrs
import numpy as np

from netinterf.arrays import I64, Mask

__all__ = ["ELSEWHERE", "HOUR", "NOWHERE", "SECOND", "SIX", "Came", "Size", "World"]

SECOND = 10**9
HOUR = 3600 * SECOND
START = 1_735_689_600 * SECOND  # 2025, ns
LATE = HOUR // 3
"""Most by which places do not begin a run at once, ns."""

LOST = 0.01
"""Share of lookups, connections and QUIC that fail for no reason that lasts (judgement)."""
OPENED = 0.3
"""Share of lost connections that are lost once they are open (judgement)."""
DELIVERED, AT_EDGE, AT_HOSTER = 0.4, 8, 3
"""Share of the names that live at one delivery network; names at each of its addresses; and names in each other network
of servers, in the mean (judgements)."""
SPEAK_QUIC = 0.4
"""Share of the names whose servers speak it (judgement)."""

NOWHERE = -1
"""In the place of an address: there is no such name."""
OWN, MADE, SIX = 1_000, 100_000, 1 << 24
"""Where numbers of addresses begin that no edge has: of single servers, of what scenes make up, and over IPv6."""
ELSEWHERE = 1_000
"""Where numbers of resolvers begin that are no network's own: each network has one, with the number of its place."""
CLIENTS, HOSTERS, DELIVERY = 64_512, 20_000, 13_335
"""Numbers of networks: those of places and of hosters from these on, and the delivery network's."""


class Came(IntEnum):
    """What came of a lookup, a connection, or QUIC."""

    ANSWERED = 0
    UNOPENED = 1  # nothing came back to the first packet
    SILENT = 2  # nothing came back to what was asked once a connection was open
    UNTRIED = 3


@attrs.frozen(kw_only=True)
class Size:
    """Measures of a campaign."""

    places: int = 8
    names: int = 60
    runs: int = 10
    every: int = 24  # hours from run to run
    apart: int = 2  # seconds from visit to visit within a run
    six: float = 0.0  # share of the names with addresses of both IP versions; each of these gets half the visits


@attrs.define(eq=False, kw_only=True)
class World:
    """A campaign before it is judged: its places and names, and one entry per visit."""

    size: Size
    rng: np.random.Generator
    country: I64  # of each place: one of its own
    system: I64  # AS of each place
    delivered: Mask  # of each name: it lives at the delivery network
    hoster: I64  # of each name: AS of its server
    place: I64
    run: I64
    name: I64
    turn: I64  # in which order a run visits names, which is drawn anew each time
    time: I64  # ns
    resolver: I64  # who is asked
    address: I64  # that the name resolves to, or NOWHERE
    dns: I64  # Came of each step
    tcp: I64
    quic: I64

    @classmethod
    def draw(cls, size: Size, rng: np.random.Generator) -> Self:
        """Draw a campaign in which nothing happens but ordinary loss.

        Args:
            size: Its measures.
            rng: The source of chance.
        """
        names = np.arange(size.names)
        delivered = names < DELIVERED * size.names
        hoster = HOSTERS + rng.integers(0, max(1, size.names // AT_HOSTER), size.names)
        home = np.where(delivered, names // AT_EDGE, OWN + names)
        speaks, both = rng.random(size.names) < SPEAK_QUIC, rng.random(size.names) < size.six
        place, run, name = (axis.ravel() for axis in np.indices((size.places, size.runs, size.names)))
        turn = rng.permuted(np.broadcast_to(names, (size.places * size.runs, size.names)), axis=1).ravel()
        late = rng.integers(0, LATE, size.places)[place]
        world = cls(
            size=size, rng=rng, country=np.arange(size.places), system=CLIENTS + np.arange(size.places),
            delivered=delivered, hoster=np.where(delivered, DELIVERY, hoster), place=place, run=run, name=name,
            turn=turn, time=START + run * size.every * HOUR + late + turn * size.apart * SECOND, resolver=place.copy(),
            address=home[name] + SIX * (both[name] & (rng.random(len(name)) < 0.5)),
            dns=np.full(len(name), Came.ANSWERED), tcp=np.full(len(name), Came.ANSWERED),
            quic=np.where(speaks[name], Came.ANSWERED, Came.UNTRIED),
        )  # fmt: skip
        world.lose(world.during(0.0), LOST)
        return world

    # --- which visits ---

    def at(self, *places: int) -> Mask:
        """Say which are of some places."""
        return np.isin(self.place, places)

    def of(self, names: I64) -> Mask:
        """Say which are of some names."""
        return np.isin(self.name, names)

    def during(self, begin: float, end: float = 1.0) -> Mask:
        """Say which are of the runs between two shares of the campaign."""
        return np.asarray((self.run >= begin * self.size.runs) & (self.run < end * self.size.runs))

    def once(self) -> Mask:
        """Say which are of the run in the middle."""
        return np.asarray(self.run == self.size.runs // 2)

    def chance(self, share: float) -> Mask:
        """Draw a share of all."""
        return np.asarray(self.rng.random(len(self.name)) < share)

    def some(self, share: float, *, alone: bool = False) -> I64:
        """Draw a share of the names, one at least; *alone* leaves out those at the delivery network."""
        among = np.flatnonzero(~self.delivered) if alone else np.arange(self.size.names)
        return self.rng.choice(among, max(1, round(share * self.size.names)), replace=False)

    # --- what comes of them ---

    def lose(self, visits: Mask, share: float) -> None:
        """Lose a share of lookups, connections and QUIC, each by itself."""
        lookups, connections, others = (visits & self.chance(share) for _ in range(3))
        self.mute(lookups)
        self.tcp[connections] = np.where(self.chance(OPENED)[connections], Came.SILENT, Came.UNOPENED)
        self.fail_quic(others)

    def mute(self, visits: Mask) -> None:
        """Let lookups not be answered."""
        self.dns[visits] = Came.UNOPENED

    def fail(self, visits: Mask, how: Came = Came.UNOPENED) -> None:
        """Let connections fail, and QUIC with them."""
        self.tcp[visits] = how
        self.fail_quic(visits)

    def fail_quic(self, visits: Mask) -> None:
        """Let QUIC fail, where it is spoken."""
        self.quic[visits & (self.quic != Came.UNTRIED)] = Came.UNOPENED

    def lead(self, visits: Mask, address: I64 | int, *, answers: bool = True) -> None:
        """Lead to a made-up address, by its number; unless it *answers*, nobody goes there."""
        self.address[visits] = np.broadcast_to(MADE + address, len(visits))[visits]
        if not answers:
            self.tcp[visits] = self.quic[visits] = Came.UNTRIED

    def deny(self, visits: Mask) -> None:
        """Say that there is no such name."""
        self.address[visits] = NOWHERE

    def ask(self, visits: Mask, resolver: int) -> None:
        """Ask a resolver that is no network's own, by its number."""
        self.resolver[visits] = ELSEWHERE + resolver

    def leave(self, visits: Mask) -> None:
        """Let visits not take place."""
        self.dns[visits] = Came.UNTRIED
