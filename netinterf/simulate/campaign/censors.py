"""Who blocks what: countries have lists, their networks take over most of them, each by one mechanism or two."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice

import numpy as np

from netinterf.simulate.campaign.parameters import Seeds
from netinterf.simulate.campaign.topology import HTTP, QUIC, TLS, Site, Topology
from netinterf.simulate.network.packet import Address
from netinterf.values import frozen

__all__ = ["ALLOWLIST", "Block", "draw_blocks"]

FREE = 6
"""Of so many countries one has no censor, the first to begin with; judgement."""

FOLLOWS = 0.85
"""Share of a country's list that each of its networks has; judgement: providers lag behind and err."""

LATE, ENDS = 0.3, 0.12
"""Shares of blocks that begin after the first run, and that end before the last; judgement."""

MOST = 0.6
"""Largest share of the names that a mechanism can act on in one network: the rest shows what it lets pass."""

ALLOWED = 0.25
"""Share of the hosts that stay reachable where all others are cut off; judgement."""

ALLOWLIST = "reach.isolation.allowlist"

BY_SERVER = frozenset({"tcp.connect.drop", ALLOWLIST})
"""Mechanisms whose lists are of addresses."""

Fits = Callable[[Site], bool]

FITTING: dict[str, Fits] = {
    "tcp.drop": lambda site: TLS in site.over,
    "tcp.reset": lambda site: TLS in site.over or HTTP in site.over,
    "http.blockpage": lambda site: HTTP in site.over,
    "quic.drop": lambda site: QUIC in site.over,
    "tls.interception": lambda site: site.visible and TLS in site.over,
    "rate.policing": lambda site: site.size > 0,
}
"""Which names a mechanism can act on, so that it shows; those that are not here act on any."""


@frozen(kw_only=True)
class Block:
    """What one network does to a list of names, or of servers, from one run to another."""

    network: int
    country: int
    mechanism: str
    names: frozenset[str] = frozenset()
    servers: frozenset[Address] = frozenset()  # blocked ones; of `reach.isolation.allowlist` those that are spared
    since: int = 1
    until: int | None = None  # the last run; None: to the end of the campaign


def draw_blocks(topology: Topology) -> tuple[Block, ...]:
    """Draw the blocks of a campaign.

    Mechanisms are dealt in turn, to each country as many as it has networks and at least two; a network uses two of
    them mostly, so that each is met in several networks of a country, but seldom in all.
    """
    campaign, rng = topology.campaign, topology.campaign.chance(Seeds.CENSORS)
    members: dict[int, list[int]] = {}
    for network in topology.networks:
        members.setdefault(network.country, []).append(network.number)
    censoring = [one for one in members if one % FREE] or list(members)
    share = campaign.blocked * campaign.networks / sum(len(members[one]) for one in censoring)
    deck, blocks = cycle(campaign.mechanisms), list[Block]()
    for country in censoring if campaign.mechanisms and campaign.blocked else []:
        dealt = list(islice(deck, max(2, len(members[country]))))
        blocks += in_country(
            rng, topology, country, dict(zip(members[country], shared_out(rng, dealt), strict=False)), share
        )
    return tuple(blocks)


def shared_out(rng: np.random.Generator, dealt: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Say which mechanisms each network of a country uses; one that cuts all off but a list does nothing else."""
    for place, first in enumerate(dealt):
        second = dealt[(place + 1) % len(dealt)]
        alone = first == ALLOWLIST or second in {ALLOWLIST, first} or rng.random() < 0.2
        yield (first,) if alone else (first, second)


def in_country(
    rng: np.random.Generator, topology: Topology, country: int, uses: Mapping[int, tuple[str, ...]], share: float
) -> Iterator[Block]:
    """Draw the lists of a country, and which part of them each of its networks blocks.

    Args:
        rng: Source of chance.
        topology: Who takes part.
        country: Its number.
        uses: Mechanisms by network.
        share: How much of all names each network blocks, by all its mechanisms together.
    """
    runs = topology.campaign.runs
    taken: dict[int, set[str]] = {network: set() for network in uses}
    for mechanism in dict.fromkeys(one for used in uses.values() for one in used):
        mine = [network for network, used in uses.items() if mechanism in used]
        wanted = share * len(topology.sites) / (FOLLOWS * max(len(uses[network]) for network in mine))
        listed, lasts = draw_list(rng, topology, mechanism, wanted), draw_span(rng, runs)
        for network in mine:
            followed = [group for group in listed if rng.random() < FOLLOWS] or listed[:1]
            span = lasts if rng.random() < 0.7 else draw_span(rng, runs)
            groups = [group for group in followed if not taken[network] & {site.name for site in group}]
            taken[network] |= {site.name for group in groups for site in group}
            names = frozenset(site.name for group in groups for site in group)
            servers = frozenset(place for group in groups for site in group for place in site.addresses)
            by_server = mechanism in BY_SERVER
            if groups:
                yield Block(
                    network=network, country=country, mechanism=mechanism, names=frozenset() if by_server else names,
                    servers=servers if by_server else frozenset(), since=span[0], until=span[1],
                )  # fmt: skip


def draw_list(rng: np.random.Generator, topology: Topology, mechanism: str, wanted: float) -> list[list[Site]]:
    """Draw a country's list: about so many names, each alone, or all names of a host where servers are listed."""
    fits = FITTING.get(mechanism)
    fitting = [[site] for site in topology.sites if fits is None or fits(site)]
    if mechanism in BY_SERVER:
        hosts = [host for host in topology.hosts if mechanism == ALLOWLIST or not host.delivery]
        groups = [[site for site in topology.sites if site.host == host.number] for host in hosts]
        fitting = [group for group in groups if group]
        wanted = ALLOWED * len(fitting) if mechanism == ALLOWLIST else wanted
    count = int(min(max(1, round(wanted)), max(1, MOST * len(fitting))))
    return [fitting[place] for place in rng.permutation(len(fitting))[:count]]


def draw_span(rng: np.random.Generator, runs: int) -> tuple[int, int | None]:
    """Draw the first run of a block, and the last one if it ends."""
    late, ends = rng.random(2) < (LATE, ENDS)
    first, last = sorted(int(one) for one in rng.integers(2, max(3, runs), 2))
    since = first if late and runs > 1 else 1
    return since, last if ends and runs > 2 else None
