"""What looks like a block and is none: drawn for a whole campaign, and told in its truth."""

from collections.abc import Iterator

import numpy as np

from netinterf.simulate.campaign.parameters import Campaign, Seeds
from netinterf.simulate.campaign.topology import Host, Network, Topology
from netinterf.simulate.network.packet import address_text
from netinterf.values import frozen

__all__ = ["Cause", "draw_causes", "in_force"]


@frozen(kw_only=True)
class Cause:
    """One of them; what a field does not concern is left empty. Runs count from 1; *until* is the last one."""

    kind: str  # dead, gone, outage, ban, geoblock, bad_line, line_out, recorder or clock
    form: str = ""  # of servers: silence, refused, reset or page; of names: nxdomain or silence
    name: str = ""
    servers: tuple[str, ...] = ()  # addresses
    network: str = ""
    country: str = ""
    since: int = 1
    until: int | None = None  # None: to the end of the campaign
    amount: float = 0.0  # share of packets lost or missed, share of the run without a line, seconds of a clock


def in_force(since: int, until: int | None, run: int) -> bool:
    """Say whether what lasts from one run to another is in force in a run."""
    return since <= run and (until is None or run <= until)


def draw_causes(topology: Topology) -> tuple[Cause, ...]:
    """Draw all that goes wrong without a censor."""
    campaign = topology.campaign
    rng = campaign.chance(Seeds.CAUSES)
    made = [*of_hosts(rng, topology), *of_names(rng, topology)]
    for network in topology.networks:
        made += of_network(campaign.chance(Seeds.CAUSES, network.number), campaign, network)
    return tuple(made)


def of_hosts(rng: np.random.Generator, topology: Topology) -> Iterator[Cause]:
    """Draw what single servers do."""
    campaign, causes = topology.campaign, topology.campaign.causes
    countries = sorted({network.code for network in topology.networks})
    for host in topology.hosts:
        dies, pauses, turns_away = rng.random(3) < (causes.dead, causes.outage, causes.geoblock)
        bans = rng.random(campaign.networks) < causes.ban
        form = str(rng.choice(["silence", "refused"], p=[0.65, 0.35]))
        first, length = int(rng.integers(1, campaign.runs + 1)), int(rng.integers(0, 3))
        abroad = [str(one) for one in rng.permutation(countries)[: int(rng.integers(1, 3))]]
        if host.delivery:
            continue
        places = places_of(host)
        if dies:
            since = 1 if rng.random() < 0.6 else first
            yield Cause(kind="dead", form=form, servers=places, since=since)
        elif pauses:
            until = min(campaign.runs, first + length)
            yield Cause(kind="outage", form=form, servers=places, since=first, until=until)
        elif turns_away:
            how = str(rng.choice(["silence", "reset", "page"], p=[0.3, 0.2, 0.5]))
            for country in abroad:
                yield Cause(kind="geoblock", form=how, servers=places, country=country)
        for network in np.flatnonzero(bans):
            since = int(rng.integers(1, campaign.runs + 1))
            yield Cause(kind="ban", form=form, servers=places, network=topology.networks[network].name, since=since)


def places_of(host: Host) -> tuple[str, ...]:
    """Write the addresses of a host."""
    return tuple(address_text(place) for place in (*host.addresses, *host.addresses_six))


def of_names(rng: np.random.Generator, topology: Topology) -> Iterator[Cause]:
    """Draw which names are gone, and since when."""
    campaign = topology.campaign
    for site in topology.sites:
        gone, late, form = rng.random() < campaign.causes.gone, rng.random() < 0.3, rng.random() < 0.6
        since = int(rng.integers(1, campaign.runs + 1)) if late else 1
        if gone:
            yield Cause(kind="gone", form="nxdomain" if form else "silence", name=site.name, since=since)


def of_network(rng: np.random.Generator, campaign: Campaign, network: Network) -> Iterator[Cause]:
    """Draw what its line and its recorder do."""
    causes = campaign.causes
    if rng.random() < causes.clock:
        seconds = float(np.round(rng.choice([-1, 1]) * 60 * 10 ** rng.uniform(0, 2.3)))  # a minute to three hours
        yield Cause(kind="clock", network=network.name, amount=seconds)
    for run in range(1, campaign.runs + 1):
        bad, out, misses = rng.random(3) < (causes.bad_line, causes.line_out, causes.recorder)
        amounts = rng.uniform((0.05, 0.2, 0.01), (0.15, 1.3, 0.1))
        for kind, happens, amount in zip(
            ("bad_line", "line_out", "recorder"), (bad, out, misses), amounts, strict=True
        ):
            if happens:
                share = round(min(1.0, float(amount)), 4)
                yield Cause(kind=kind, network=network.name, since=run, until=run, amount=share)
