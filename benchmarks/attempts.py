"""Made-up tables of attempts to reach networks at home and abroad: hours of traffic without a packet.

People go to places at home and abroad, to some more than to others, by day more than by night. Some places are dead,
now and then an attempt fails. On top of that something happens: a border closes, or something harmless that looks
alike.
"""

from collections.abc import Callable

import attrs
import numpy as np

from netinterf.analyzers.isolation.attempts import Attempts, Row
from netinterf.arrays import I64, Mask

__all__ = ["BORDERS", "HARMLESS", "HOME", "HOUR", "MINUTE", "Event", "World", "draw_world", "play"]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
BEGIN = 1_700_000_000 * SECOND
HOME = 1
"""Number of the country that is home."""

ROWS = np.array([Row.WEB, Row.TCP, Row.QUIC, Row.DNS, Row.UDP, Row.PING])
USE = np.array([0.68, 0.1, 0.1, 0.07, 0.03, 0.02])
"""How people's attempts spread over protocols."""


@attrs.frozen(eq=False, kw_only=True)
class World:
    """Who went where and when, before anything happens; places are numbered, those at home first."""

    hours: float
    time: I64  # ns, rising
    place: I64  # of each attempt
    row: I64  # of each attempt
    at_home: Mask  # of each place
    system: I64  # of each place
    dead: Mask  # of each place
    trip: I64  # of each place, ns
    fails: float  # share of attempts that fail by themselves


@attrs.define(eq=False, kw_only=True)
class Event:
    """What happened: what came of each attempt, and from when to when it did."""

    opened: Mask
    passed: Mask
    trip: I64  # of each attempt, ns
    begin: int = 0  # ns
    end: int = 0


def draw_world(rng: np.random.Generator, *, hours: float, pace: float) -> World:
    """Draw a world.

    Args:
        rng: The source of chance.
        hours: How long it is watched.
        pace: Attempts a minute, on average.
    """
    home, abroad = int(rng.integers(15, 60)), int(rng.integers(40, 250))
    systems = int(rng.integers(3, 9)), int(rng.integers(8, 40))
    count = int(rng.poisson(pace * 60 * hours))
    clock = rng.uniform(0, 24)
    instant = np.sort(rng.uniform(0, hours, 3 * count))
    load = 1 + 0.8 * np.sin((instant + clock) * np.pi / 12)  # by day more than by night
    instant = instant[rng.random(len(instant)) < load / 3]
    share = float(rng.uniform(0.25, 0.6))
    inside = rng.random(len(instant)) < share
    place = np.where(inside, popular(rng, home, len(instant)), home + popular(rng, abroad, len(instant)))
    system = np.concatenate([rng.integers(0, systems[0], home), 100 + rng.integers(0, systems[1], abroad)])
    at_home = np.arange(home + abroad) < home
    return World(
        hours=hours,
        time=BEGIN + (instant * HOUR).astype(np.int64),
        place=place,
        row=rng.choice(ROWS, len(instant), p=USE),
        at_home=at_home,
        system=system,
        dead=rng.random(home + abroad) < rng.uniform(0.01, 0.08),
        trip=(np.where(at_home, rng.uniform(4, 50, home + abroad), rng.uniform(50, 280, home + abroad)) * 1e6).astype(
            np.int64
        ),
        fails=float(rng.uniform(0.0, 0.03)),
    )


def popular(rng: np.random.Generator, places: int, count: int) -> I64:
    """Draw places, the first more often than the last (Zipf's law with exponent 0.8)."""
    weight = 1.0 / np.arange(1, places + 1) ** 0.8
    return rng.choice(places, count, p=weight / weight.sum()).astype(np.int64)


def undisturbed(world: World, rng: np.random.Generator) -> Event:
    """Let everything go its way."""
    fine = ~world.dead[world.place] & (rng.random(len(world.time)) >= world.fails)
    jitter = 1 + rng.exponential(0.05, len(world.time))
    return Event(opened=fine, passed=fine.copy(), trip=(world.trip[world.place] * jitter).astype(np.int64))


def play(world: World, kind: str, rng: np.random.Generator) -> tuple[Attempts, Event]:
    """Let something happen to a world: one of :data:`BORDERS` or :data:`HARMLESS`."""
    event = undisturbed(world, rng)
    {**BORDERS, **HARMLESS}[kind](world, event, rng)
    row = world.row.astype(np.int64)
    attempts = Attempts(
        time=world.time,
        row=row,
        cluster=world.place,
        system=world.system[world.place],
        country=np.where(world.at_home[world.place], HOME, HOME + 1),
        opened=event.opened.astype(np.int8),
        passed=event.passed.astype(np.int8),
        trip=np.where(event.passed & (row <= Row.TCP), event.trip, -1),
    )
    return attempts, event


def span(world: World, event: Event, rng: np.random.Generator, *, longest: float = 1.0) -> Mask:
    """Draw from when to when something lasts, and say which attempts fall into it."""
    whole = world.hours * HOUR
    event.begin = BEGIN + int(whole * rng.uniform(0.25, 0.6))
    event.end = event.begin + int(whole * rng.uniform(0.25, longest))
    inside: Mask = (world.time >= event.begin) & (world.time < event.end)
    return inside


def stop(event: Event, where: Mask, *, handshake: bool = False) -> None:
    """Let attempts fail, before or after they are opened."""
    event.passed &= ~where
    event.opened &= ~where | handshake


def listed(world: World, rng: np.random.Generator, most: float) -> Mask:
    """Draw the places abroad that are on a list: some of those that people go to."""
    chosen = np.zeros(len(world.at_home), np.bool_)
    abroad = np.flatnonzero(~world.at_home)
    weight = 1.0 / np.arange(1, len(abroad) + 1) ** 0.8
    count = max(2, int(len(abroad) * rng.uniform(0.01, most)))
    chosen[rng.choice(abroad, count, replace=False, p=weight / weight.sum())] = True
    return chosen


def close(world: World, event: Event, rng: np.random.Generator) -> None:
    """Let nothing pass the border."""
    stop(event, span(world, event, rng) & ~world.at_home[world.place])


def close_but_for_a_list(world: World, event: Event, rng: np.random.Generator) -> None:
    """Let listed addresses pass; half of such borders let handshakes pass, too."""
    shut = span(world, event, rng) & ~(world.at_home | listed(world, rng, 0.15))[world.place]
    stop(event, shut, handshake=bool(rng.random() < 0.5))


def close_by_protocol(world: World, event: Event, rng: np.random.Generator) -> None:
    """Let the web and DNS pass only."""
    shut = span(world, event, rng) & ~world.at_home[world.place]
    stop(event, shut & ~np.isin(world.row, (Row.WEB, Row.DNS)))


def close_at_night(world: World, event: Event, rng: np.random.Generator) -> None:
    """Close the border for some hours of every day."""
    length, first = float(rng.uniform(2, 8)), float(rng.uniform(6, 14))
    hour = (world.time - BEGIN) / HOUR
    event.begin, event.end = BEGIN + int(first * HOUR), BEGIN + int((first + length) * HOUR)
    shut = (hour >= first) & ((hour - first) % 24 < length)
    stop(event, shut & ~world.at_home[world.place])


def nothing(world: World, event: Event, rng: np.random.Generator) -> None:
    """Let nothing happen but the daily round."""


def dead_hosts(world: World, event: Event, rng: np.random.Generator) -> None:
    """Let many places be dead, at home as abroad."""
    gone = rng.random(len(world.at_home)) < rng.uniform(0.2, 0.7)
    stop(event, gone[world.place])


def line_down(world: World, event: Event, rng: np.random.Generator) -> None:
    """Take the line down, once or several times."""
    for _ in range(int(rng.integers(1, 4))):
        stop(event, span(world, event, rng, longest=0.5))


def cable_cut(world: World, event: Event, rng: np.random.Generator) -> None:
    """Cut a cable: some systems are gone, for good or until routes change; the others are farther and lossy."""
    systems = np.unique(world.system[~world.at_home])
    gone = rng.choice(systems, int(np.ceil(len(systems) * rng.uniform(0.1, 0.9))), replace=False)
    gone = gone[: len(systems) - 1]
    inside = span(world, event, rng) & ~world.at_home[world.place]
    stop(event, inside & np.isin(world.system[world.place], gone))
    stop(event, inside & (rng.random(len(inside)) < rng.uniform(0.01, 0.15)))
    event.trip = np.where(inside, event.trip + int(rng.uniform(3e7, 2e8)), event.trip)


def hoster_down(world: World, event: Event, rng: np.random.Generator) -> None:
    """Lose the largest system abroad."""
    systems, size = np.unique(world.system[~world.at_home], return_counts=True)
    lost = world.system[world.place] == systems[np.argmax(size)]
    stop(event, span(world, event, rng) & lost)


def overloaded(world: World, event: Event, rng: np.random.Generator) -> None:
    """Overload the way abroad in the evenings: a share of the attempts fails, the others take longer."""
    hour = (world.time - BEGIN) / HOUR
    first, share = float(rng.uniform(0, 20)), float(rng.uniform(0.2, 0.6))
    busy = ((hour - first) % 24 < rng.uniform(2, 6)) & ~world.at_home[world.place]
    stop(event, busy & (rng.random(len(busy)) < share))
    event.trip = np.where(busy, event.trip + int(rng.uniform(5e7, 3e8)), event.trip)


def no_datagrams(world: World, event: Event, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Let a firewall stop UDP but DNS, and pings."""
    stop(event, np.isin(world.row, (Row.QUIC, Row.UDP, Row.PING)))


Happening = Callable[[World, Event, np.random.Generator], None]

BORDERS: dict[str, Happening] = {
    "full": close,
    "listed": close_but_for_a_list,
    "protocols": close_by_protocol,
    "curfew": close_at_night,
}
"""Borders that close, and how."""

HARMLESS: dict[str, Happening] = {
    "daily round": nothing,
    "dead hosts": dead_hosts,
    "line down": line_down,
    "cable cut": cable_cut,
    "hoster down": hoster_down,
    "overload": overloaded,
    "no datagrams": no_datagrams,
}
"""What looks alike."""
