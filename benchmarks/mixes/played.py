"""Mixes of simulated captures, played over and over by other addresses: interference, and what looks like it."""

from collections.abc import Callable
from fnmatch import fnmatch
from itertools import cycle, islice
from pathlib import Path

import attrs
import numpy as np

from benchmarks.replays import Plays, by_rule, replay
from netinterf.simulate import Conditions, Simulated, run, scenarios

__all__ = ["PLAYED"]

RUNS = 12  # different plays of a mix; all others are these by other addresses
AT_ONCE = 20  # plays that go on at the same time

TAGS = b"\x88\xa8\x00\x0a\x81\x00\x00\x14"
"""Two VLAN tags, 10 and 20 (IEEE 802.1ad)."""


def played(*patterns: str, tagged: bool = False, **fixed: object) -> Callable[[Path, int, int], None]:
    """Give what writes so many packets of the scenarios whose names match, captured cleanly but for what is *fixed*."""

    def write(path: Path, packets: int, times: int) -> None:
        plays = drawn(patterns, tagged=tagged, **fixed)
        rng = np.random.default_rng(4)
        once = max(1, round(packets / plays.sizes.mean()))
        which = np.tile(np.resize(np.arange(len(plays.sizes)), once), times)
        count = len(which)
        begin = np.sort(rng.integers(0, max(1, plays.duration * count // AT_ONCE), count))
        with path.open("wb") as out:
            out.writelines(replay(plays, which, begin))

    return write


def drawn(patterns: tuple[str, ...], *, tagged: bool, **fixed: object) -> Plays:
    """Play the scenarios in turn, with seeds from 0 on."""
    names = [one.name for one in scenarios() if any(fnmatch(one.name, pattern) for pattern in patterns)]
    conditions = Conditions.clean(**{"vantage": "client", **fixed})
    runs = [run(name, seed, conditions) for seed, name in enumerate(islice(cycle(names), max(RUNS, len(names))))]
    return by_rule(map(in_tags, runs) if tagged else runs)


def in_tags(simulated: Simulated) -> Simulated:
    """Put two VLAN tags into every frame."""
    frames = [frame[:12] + TAGS + frame[12:] for frame in simulated.frames]
    return attrs.evolve(simulated, frames=frames, lengths=[length + len(TAGS) for length in simulated.lengths])


PLAYED: dict[str, Callable[[Path, int, int], None]] = {
    "browsing": played("browsing"),
    "VLAN": played("browsing", tagged=True),
    "IPv6": played("browsing", ip=6),
    "transfers": played("benign.rate.window-limited", "benign.rate.far-server"),
    "lossy transfers": played("benign.rate.random-loss", "benign.rate.bursty-loss"),
    "reordered transfers": played("benign.rate.reordering"),
    "HTTP": played("benign.http.*"),
    "QUIC": played("benign.quic.*"),
    "policed": played("rate.policing*"),
    "shaped": played("rate.shaping*"),
    "frozen": played("rate.freeze*"),
    "slow handshakes": played("rate.handshake*"),
    "forged resets": played("tcp.reset.*"),
    "forged FINs, SYN/ACKs, data": played("tcp.fin.*", "tcp.synack.*", "tcp.data.*"),
    "refused connects": played("tcp.connect.reset.*"),
    "silent drops": played("tcp.drop.*"),
    "silent connects": played("tcp.connect.drop.*"),
    "block pages": played("http.blockpage.*"),
    "interception": played("tls.interception.*"),
    "injected DNS": played("dns.injection.*"),
    "forged DNS": played("dns.forged.*"),
    "dropped DNS": played("dns.drop*"),
    "dropped QUIC": played("quic.drop.*"),
    "filtered protocols": played("protocol.filter.*"),
    "isolation": played("reach.*"),
}
