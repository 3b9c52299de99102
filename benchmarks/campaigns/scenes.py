"""What happens in networks without anybody who blocks anything: scenes for made-up campaigns.

Each scene says what happens, and whose doing it is, which is no censor's. Where it happens to one place alone, that is
place 0; shares are of the campaign, so that each can be played in any size.
"""

from collections.abc import Callable

import attrs
import numpy as np

from benchmarks.campaigns.world import HOUR, SIX, Came, Size, World

__all__ = ["INDISTINCT", "SCENES", "Scene"]

DAYS, HOURS = Size(), Size(runs=48, every=1)
HERE = 0
"""The place that something happens to."""


@attrs.frozen
class Scene:
    """Something harmless, and the measures of the campaign in which it is played."""

    play: Callable[[World], None]
    size: Size = DAYS

    @property
    def told(self) -> str:
        """What happens, in a sentence."""
        return self.play.__doc__ or ""


# --- lines and transports ---


def ordinary_loss(_: World) -> None:
    """One lookup, connection or use of QUIC in a hundred fails, all tries of it, and nothing else does."""


def lossy_line(world: World) -> None:
    """One network loses half of everything, whatever is asked for."""
    world.lose(world.at(HERE), 0.5)


def busy_evenings(world: World) -> None:
    """One network loses half of everything from six in the evening to midnight."""
    world.lose(world.at(HERE) & (world.run * world.size.every % 24 >= 18), 0.5)


def line_out(world: World) -> None:
    """The line of one network is out for a while, and its router answers lookups from a cache."""
    world.fail(world.at(HERE) & world.during(0.4, 0.7))


def no_quic(world: World) -> None:
    """One network lets no UDP to port 443 out, as offices do, and browsers fall back to TCP."""
    world.fail_quic(world.at(HERE))


def lossy_quic(world: World) -> None:
    """One network loses half of QUIC, as routers do whose table of UDP flows is too small."""
    world.fail_quic(world.at(HERE) & world.chance(0.5))


def broken_six(world: World) -> None:
    """IPv6 leads nowhere in one network, and four fifths of the names have addresses of both versions."""
    world.fail(world.at(HERE) & (world.address >= SIX))


def breaking_six(world: World) -> None:
    """IPv6 leads nowhere in one network from some day on, and a third of the names have addresses of both versions."""
    world.fail(world.at(HERE) & (world.address >= SIX) & world.during(0.5))


def small_packets(world: World) -> None:
    """Large packets are lost between one network and one hoster (RFC 2923): connections open, and that is all."""
    hoster = world.rng.choice(world.hoster[~world.delivered])
    world.fail(world.at(HERE) & (world.hoster[world.name] == hoster), Came.SILENT)


def lost_routes(world: World) -> None:
    """Routes from one network to four hosters are gone for a third of the campaign."""
    hosters = world.rng.permutation(np.unique(world.hoster[~world.delivered]))[:4]
    world.fail(world.at(HERE) & np.isin(world.hoster[world.name], hosters) & world.during(0.4, 0.7))


# --- servers ---


def dead_ends(world: World) -> None:
    """Of twenty names one has a server that is gone, one a server that hangs, and one a dead name server, for all."""
    world.fail(world.of(world.some(0.05)))
    world.fail(world.of(world.some(0.05)), Came.SILENT)
    world.mute(world.of(world.some(0.05)))


def flapping_servers(world: World) -> None:
    """A quarter of the names is answered at every second visit, wherever these come from."""
    world.fail(world.of(world.some(0.25)) & world.chance(0.5), Came.SILENT)


def failing_servers(world: World) -> None:
    """A quarter of the names fails at every fifth visit, wherever these come from, as one of five machines is dead."""
    world.fail(world.of(world.some(0.25)) & world.chance(0.2), Came.SILENT)


def pausing_servers(world: World) -> None:
    """Each server pauses once, for up to twelve hours, for everybody."""
    size, rng = world.size, world.rng
    begin, length = rng.integers(0, size.runs, size.names), rng.integers(1, 13, size.names)
    silent = (world.run >= begin[world.name]) & (world.run < (begin + length)[world.name])
    world.fail(silent & world.of(world.some(0.5)))
    world.fail(silent & (world.tcp == Came.ANSWERED), Came.SILENT)


def dead_edge(world: World) -> None:
    """An edge of a delivery network, to which two networks of different countries are sent, is out for three days."""
    edge = world.rng.choice(world.address[world.delivered[world.name]])
    world.fail(world.at(HERE, HERE + 1) & (world.address == edge) & world.during(0.4, 0.7))


def banning_servers(world: World) -> None:
    """The firewalls of two servers ban a network that asks too often, from some day on: nothing opens any more."""
    world.fail(world.at(HERE) & world.of(world.some(0.03, alone=True)) & world.during(0.4))


def edges_without_quic(world: World) -> None:
    """For a twelfth of the names one network is sent to servers of its own, which do not speak QUIC as others do."""
    spoken = np.unique(world.name[world.quic != Came.UNTRIED])
    names = world.of(world.rng.choice(spoken, max(1, world.size.names // 12), replace=False))
    world.lead(world.at(HERE) & names, world.name)
    world.fail_quic(world.at(HERE) & names)


# --- resolvers and answers ---


def lossy_resolver(world: World) -> None:
    """The resolver of one network leaves a fifth of all lookups unanswered, whatever they ask for."""
    world.mute(world.at(HERE) & world.chance(0.2))


def chosen_filter(world: World) -> None:
    """In one network people chose a resolver elsewhere that filters: a quarter of the names get one address of its."""
    world.ask(world.at(HERE), HERE)
    world.lead(world.at(HERE) & world.of(world.some(0.25)), HERE, answers=False)


def filter_at_home(world: World) -> None:
    """In one network people run a resolver at home that denies a quarter of the names, as Pi-hole does."""
    world.ask(world.at(HERE), HERE)
    world.deny(world.at(HERE) & world.of(world.some(0.25)))


def captive_portals(world: World) -> None:
    """In three networks a portal answers every lookup of one run with its own address, until somebody logs in."""
    world.lead(world.at(0, 1, 2) & world.once(), world.place, answers=False)


def left_portal(world: World) -> None:
    """A portal in one network answers every lookup with its own address, until somebody logs in after a while."""
    world.lead(world.at(HERE) & world.once() & (world.turn < world.size.names // 2), HERE, answers=False)


def lost_resolver(world: World) -> None:
    """The resolver of one network lost its way, and denies whatever it is asked in one run."""
    world.deny(world.at(HERE) & world.once())


def expired_names(world: World) -> None:
    """A quarter of the names expires and is renewed, and one network remembers twice as long that they were gone."""
    names = world.of(world.some(0.25))
    world.deny(names & world.during(0.4, 0.6))
    world.deny(names & world.at(HERE) & world.during(0.4, 0.8))


def answers_by_region(world: World) -> None:
    """Names at the delivery network resolve to other addresses in each third of the networks."""
    there = world.delivered[world.name]
    world.lead(there, 1_000 * (world.place % 3) + world.address)


def own_node(world: World) -> None:
    """One network has a node of the delivery network, and all names of that resolve to its address there."""
    world.lead(world.at(HERE) & world.delivered[world.name], HERE)


# --- clocks and places ---


def last_place(world: World) -> None:
    """All places but one stop in the middle, on the day on which a sixth of the servers dies."""
    world.fail(world.of(world.some(1 / 6)) & world.during(0.5), Came.SILENT)
    world.leave(~world.at(HERE) & world.during(0.5))


# --- what nothing tells from a block ---


def refused_country(world: World) -> None:
    """Servers of a tenth of the names refuse both networks of a country in silence, as sanctions ask for."""
    world.country[HERE + 1] = world.country[HERE]
    world.fail(world.at(HERE, HERE + 1) & world.of(world.some(0.1, alone=True)), Came.SILENT)


def here_and_gone(world: World) -> None:
    """Three servers answer one network at every second visit, and all others always."""
    world.fail(world.at(HERE) & world.of(world.some(0.05, alone=True)) & world.chance(0.5), Came.SILENT)


def filtering_resolver(world: World) -> None:
    """A resolver that many use filters for those customers who asked for it: one network, a quarter of the names."""
    world.ask(world.at(HERE, HERE + 1, HERE + 2), HERE)
    world.lead(world.at(HERE) & world.of(world.some(0.25)), HERE, answers=False)


def forgetful_resolver(world: World) -> None:
    """The resolver of one network denies a quarter of the names in one run, by an error that it remembers."""
    world.deny(world.at(HERE) & world.of(world.some(0.25)) & world.once())


def shared_cache(world: World) -> None:
    """One network keeps a cache of its own, at which a quarter of the names lives that have nothing in common."""
    world.lead(world.at(HERE) & world.of(world.some(0.25)), HERE)


def wrong_clock(world: World) -> None:
    """A fifth of the servers pauses for everybody, and the clock of one place is half a day wrong."""
    world.fail(world.of(world.some(0.2)) & world.during(0.4, 0.6), Came.SILENT)
    world.time[world.at(HERE)] += world.size.runs * world.size.every * HOUR // 4


SCENES: dict[str, dict[str, Scene]] = {
    "lines and transports": {
        "ordinary loss": Scene(ordinary_loss),
        "ordinary loss in twenty networks": Scene(ordinary_loss, Size(places=20, names=200, runs=5)),
        "a line that loses half": Scene(lossy_line),
        "a line that loses half in the evenings": Scene(busy_evenings, HOURS),
        "a line that is out behind a cache": Scene(line_out),
        "no QUIC in one network": Scene(no_quic),
        "half of QUIC lost in one network": Scene(lossy_quic),
        "IPv6 broken in one network": Scene(broken_six, Size(six=0.8)),
        "IPv6 that breaks in one network": Scene(breaking_six, Size(runs=48, every=1, six=0.3)),
        "large packets lost on the way to a hoster": Scene(small_packets),
        "no route to four hosters": Scene(lost_routes),
    },
    "servers": {
        "dead names and servers": Scene(dead_ends),
        "servers that answer every second visit": Scene(flapping_servers, HOURS),
        "servers that fail every fifth visit": Scene(failing_servers, HOURS),
        "servers that pause": Scene(pausing_servers, Size(places=6, names=40, runs=240, every=1)),
        "a dead edge of a delivery network": Scene(dead_edge),
        "servers that ban one network": Scene(banning_servers),
        "edges without QUIC for one network": Scene(edges_without_quic),
    },
    "resolvers and answers": {
        "a resolver that loses a fifth": Scene(lossy_resolver),
        "a filter that somebody chose": Scene(chosen_filter),
        "a filter at home": Scene(filter_at_home),
        "captive portals": Scene(captive_portals),
        "a captive portal that is left": Scene(left_portal, Size(apart=30)),
        "a resolver that denies everything": Scene(lost_resolver),
        "names that expired, remembered for long": Scene(expired_names),
        "addresses by region": Scene(answers_by_region),
        "a delivery network's node in one network": Scene(own_node),
    },
    "clocks and places": {
        "a place that is left alone when servers die": Scene(last_place, Size(runs=30)),
        "one place alone": Scene(dead_ends, Size(places=1)),
        "one place alone, a line that loses half": Scene(lossy_line, Size(places=1)),
        "one place alone, servers that fail every fifth visit": Scene(
            failing_servers, Size(places=1, runs=48, every=1)
        ),
        "one place alone, servers that pause": Scene(pausing_servers, Size(places=1, names=240, runs=48, every=1)),
        "one place alone, no QUIC": Scene(no_quic, Size(places=1)),
        "one place alone, edges without QUIC": Scene(edges_without_quic, Size(places=1)),
    },
}
"""Scenes that are told from blocks, by group and name."""

INDISTINCT: dict[str, Scene] = {
    "servers that refuse a country": Scene(refused_country),
    "servers that come and go for one network": Scene(here_and_gone),
    "a resolver that filters for some customers": Scene(filtering_resolver),
    "a resolver that errs about some names": Scene(forgetful_resolver),
    "a cache of unrelated names": Scene(shared_cache),
    "a clock that is wrong while servers pause": Scene(wrong_clock, HOURS),
}
"""Scenes that draw the same packets as a block does (docs/explain/pooling.md, "What it cannot tell")."""
