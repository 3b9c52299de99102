"""Who takes part in a campaign: client networks with their lines and resolvers, servers, and the names on them.

Clients live in 198.18.0.0/15 (RFC 2544) and 3fff::/20 (RFC 9637), which belong to nobody; servers at ordinary global
addresses, since names lead to them (see `netinterf.simulate`). AS numbers are for private use (RFC 6996), countries
have user-assigned codes (ISO 3166-1): XA to XZ those of clients, QM to QZ those of servers.
"""

from functools import cache
from string import ascii_uppercase

import attrs
import numpy as np

from netinterf.simulate.campaign.parameters import Campaign, Seeds
from netinterf.simulate.hosts.stack import Stack, draw_client, draw_server
from netinterf.simulate.network.packet import Address, address, address_text
from netinterf.simulate.network.path import EPOCH, MILLISECOND
from netinterf.simulate.plays.dns_setup import PUBLIC
from netinterf.simulate.plays.transfers import spread
from netinterf.simulate.scene import NETWORKS_SIX, WORDS
from netinterf.values import frozen

__all__ = ["HTTP", "QUIC", "TLS", "Host", "Network", "Site", "Topology", "topology"]

HTTP, TLS, QUIC = "tcp/http", "tcp/tls", "quic"

HEADS = (23, 52, 104, 142, 151, 185, 199, 216)  # first bytes of servers' addresses, as in `draw_global`
FIRST_ASN = 64_512  # RFC 6996: private use up to 65,534
SERVER_ASN = 4_200_000_000  # and from here on
MOST_TRIES = 6  # retransmissions of a host: one that nobody hears any more need not fill a capture

ON_DELIVERY = 0.4
"""Share of names on delivery networks; judgement: of popular names it is more, of the tail less."""

OVER = ((TLS,), (HTTP,), (QUIC,), (TLS, QUIC))
OVER_SHARES = (0.55, 0.17, 0.08, 0.2)
"""How names are visited. Judgement: TLS mostly; plain HTTP more often than today, so that block pages can be seen."""

VISIBLE = 0.4
"""Share of the TLS names whose server speaks version 1.2, so that certificates are seen; judgement."""

LARGE = 0.15
"""Share of the TLS names that send a file and not a page; judgement, so that policing by name can be seen."""


@frozen
class Network:
    """A network of clients."""

    number: int
    name: str
    country: int
    asn: int
    prefixes: tuple[str, ...]
    clients: tuple[Address, ...]
    clients_six: tuple[Address, ...]  # of the same hosts; none where there is no IPv6
    stacks: tuple[Stack, ...]  # of the same hosts
    resolver: Address
    public: bool  # whether the resolver is an open one abroad
    delay: int  # ns one way to the edge of the network
    hops: int
    jitter: int  # ns, mean
    loss: float
    zone: int  # hours of its clock before UTC

    @property
    def code(self) -> str:
        """Code of its country."""
        return f"X{ascii_uppercase[self.country % 26]}"


@frozen
class Host:
    """Who serves names: one server, or the edges of a delivery network."""

    number: int
    delivery: bool
    asn: int
    country: str
    prefixes: tuple[str, ...]
    addresses: tuple[Address, ...]
    addresses_six: tuple[Address, ...]
    stack: Stack


@frozen
class Site:
    """A name, where it is served, and how it is visited."""

    number: int
    name: str
    host: int
    addresses: tuple[Address, ...]  # of its host, IPv4 and IPv6
    over: tuple[str, ...]  # transports
    visible: bool  # its certificate can be seen
    size: int  # bytes of the file that it sends; 0: a page


@frozen(eq=False)
class Topology:
    """All of them."""

    campaign: Campaign
    networks: tuple[Network, ...]
    hosts: tuple[Host, ...]
    sites: tuple[Site, ...]
    start: int  # when the first run begins, ns since 1970 UTC

    def way(self, network: int, host: int) -> tuple[int, int]:
        """Give delay (ns one way) and hops between the edge of a network and a server: always the same."""
        rng = self.campaign.chance(Seeds.WAY, network, host)
        near = self.hosts[host].delivery
        return int(spread(rng, *((2e6, 1e7) if near else (6e6, 1e8)))), int(
            rng.integers(3, 8) if near else rng.integers(5, 15)
        )

    def table(self) -> list[tuple[str, int, str]]:
        """List prefix, asn and country of clients, servers and resolvers."""
        rows = [(prefix, one.asn, one.code) for one in self.networks for prefix in one.prefixes]
        rows += [(prefix, one.asn, one.country) for one in self.hosts for prefix in one.prefixes]
        opened = sorted({address_text(one.resolver) for one in self.networks if one.public})
        return rows + [(f"{place}/32", SERVER_ASN + 900_000 + PUBLIC.index(place), "QM") for place in opened]


@cache
def topology(campaign: Campaign) -> Topology:
    """Draw who takes part."""
    hosts, sites = draw_sites(campaign)
    start = EPOCH + int(campaign.chance(Seeds.START).integers(0, 300 * 24)) * 3_600 * 10**9
    return Topology(campaign, draw_networks(campaign), hosts, sites, start)


def draw_countries(campaign: Campaign) -> list[int]:
    """Draw the country of each network: the first, without a censor, has few, the others one to four each."""
    rng = campaign.chance(Seeds.NETWORKS)
    countries = [0] * max(1, campaign.networks // 8)
    while len(countries) < campaign.networks:
        countries += [countries[-1] + 1] * int(rng.integers(1, 5))
    return countries[: campaign.networks]


def draw_networks(campaign: Campaign) -> tuple[Network, ...]:
    """Draw the networks of clients."""
    width = len(str(campaign.networks))
    return tuple(
        draw_network(campaign.chance(Seeds.NETWORKS, number), number, country, f"net-{number + 1:0{max(2, width)}}")
        for number, country in enumerate(draw_countries(campaign))
    )


def draw_network(rng: np.random.Generator, number: int, country: int, name: str) -> Network:
    """Draw one: one to five hosts, good lines mostly, a resolver of its own or an open one."""
    head, third = f"198.{18 + number // 128}", number % 128 * 2
    count = int(rng.choice([1, 1, 2, 3, 5]))
    numbers = sorted(int(one) for one in rng.choice(np.arange(10, 250), count, replace=False))
    public, six = bool(rng.random() < 0.3), bool(rng.random() < 0.5)
    prefixes = (f"{head}.{third}.0/23", *([f"3fff:{number:x}::/32"] if six else []))
    return Network(
        number=number, name=name, country=country, asn=FIRST_ASN + number, prefixes=prefixes,
        clients=tuple(address(f"{head}.{third}.{host}") for host in numbers),
        clients_six=tuple(address(f"3fff:{number:x}:1::{host:x}") for host in numbers) if six else (),
        stacks=tuple(attrs.evolve(stack := draw_client(rng), tries=min(stack.tries, MOST_TRIES)) for _ in numbers),
        resolver=address(str(rng.choice(PUBLIC)) if public else f"{head}.{third + 1}.53"), public=public,
        delay=int(spread(rng, 2, 25) * MILLISECOND), hops=int(rng.integers(2, 6)),
        jitter=int(spread(rng, 0.05, 3) * MILLISECOND), loss=spread(rng, 1e-4, 1e-2), zone=int(rng.integers(-8, 10)),
    )  # fmt: skip


def draw_sites(campaign: Campaign) -> tuple[tuple[Host, ...], tuple[Site, ...]]:
    """Draw names, and who serves them: a few delivery networks with many, and servers with one name or two."""
    rng = campaign.chance(Seeds.SITES)
    deliveries = max(1, campaign.names // 70)
    owners: list[int] = []
    for _ in range(campaign.names):
        if rng.random() < ON_DELIVERY:
            owners.append(int(rng.integers(deliveries)))
        else:
            last = max([deliveries - 1, *owners])
            shares = last >= deliveries and rng.random() < 0.1
            owners.append(last if shares else last + 1)
    places = rng.permutation(len(HEADS) * 256)
    hosts = tuple(
        draw_host(
            campaign.chance(Seeds.HOSTS, number),
            number,
            int(places[number]),
            max(2, campaign.names // 20) if number < deliveries else 0,
        )
        for number in range(max([deliveries - 1, *owners]) + 1)
    )
    return hosts, tuple(draw_site(rng, number, hosts[owner]) for number, owner in enumerate(owners))


def draw_host(rng: np.random.Generator, number: int, place: int, edges: int) -> Host:
    """Draw a delivery network with so many edges, or a single server, which may have two or three addresses."""
    head = f"{HEADS[place % len(HEADS)]}.{place // len(HEADS)}.{rng.integers(256)}"
    count = edges or int(rng.choice([1, 2, 3], p=[0.85, 0.1, 0.05]))
    numbers = sorted(int(one) for one in rng.choice(np.arange(1, 255), count, replace=False))
    six = f"{NETWORKS_SIX[number % len(NETWORKS_SIX)]}:{number + 16:x}"
    has_six = bool(edges) or bool(rng.random() < 0.4)
    stack = draw_server(rng)
    return Host(
        number=number, delivery=bool(edges), asn=SERVER_ASN + (number if edges else 1000 + number // 4),
        country=f"Q{ascii_uppercase[12 + int(rng.integers(14))]}",
        prefixes=(f"{head}.0/24", *([f"{six}::/48"] if has_six else [])),
        addresses=tuple(address(f"{head}.{one}") for one in numbers),
        addresses_six=tuple(address(f"{six}::{one:x}") for one in numbers) if has_six else (),
        stack=attrs.evolve(stack, tries=min(stack.tries, MOST_TRIES)),
    )  # fmt: skip


def draw_site(rng: np.random.Generator, number: int, host: Host) -> Site:
    """Draw a name; each has a domain of its own, and none is a part of another."""
    word, over = str(rng.choice(WORDS)), OVER[int(rng.choice(len(OVER), p=OVER_SHARES))]
    picked = rng.permutation(len(host.addresses))[: int(rng.choice([1, 2])) if host.delivery else None]
    places = [host.addresses[one] for one in picked]
    places += [host.addresses_six[one] for one in picked] if host.addresses_six else []
    visible, large = bool(rng.random() < VISIBLE), bool(rng.random() < LARGE)
    return Site(
        number, f"www.{word}{number:04d}.example", host.number, tuple(places), over, visible and not large,
        int(spread(rng, 8e4, 1.4e5)) if large and TLS in over else 0,
    )  # fmt: skip
