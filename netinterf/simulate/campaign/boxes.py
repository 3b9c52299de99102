"""The boxes that enforce the blocks of a network: the same in every run, and alike in the networks of a country."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from netinterf.simulate.boxes.answers import AnswerStyle, DnsInjector, QueryDropper
from netinterf.simulate.boxes.border import Border
from netinterf.simulate.boxes.buckets import Policer
from netinterf.simulate.boxes.classes import TrafficClass
from netinterf.simulate.boxes.forger import Forger
from netinterf.simulate.boxes.matchers import hello_names, quic_names
from netinterf.simulate.boxes.silencer import BOTH, UP, Blackhole, Silencer
from netinterf.simulate.campaign.censors import ALLOWLIST, Block
from netinterf.simulate.campaign.parameters import MECHANISMS, Campaign, Seeds
from netinterf.simulate.encode import TCP
from netinterf.simulate.hosts.resolver import Rule
from netinterf.simulate.messages.dns import NXDOMAIN
from netinterf.simulate.messages.quic import V1, V2
from netinterf.simulate.network.packet import Address, address
from netinterf.simulate.network.path import SECOND, Station, World
from netinterf.simulate.plays import http_pages, tcp_stage
from netinterf.simulate.plays.dns_scenes import form_like
from netinterf.simulate.plays.reset_scenes import any_form
from netinterf.simulate.plays.transfers import spread
from netinterf.simulate.scene import draw_global, draw_global_six
from netinterf.values import frozen

__all__ = ["FORGED", "INTERCEPTION", "Forgery", "box", "forgery_of", "source"]

FOREVER = (1e15, 1e15)  # ns
INTERCEPTION = "tls.interception"
FORGED = frozenset({"dns.forged", "dns.injection"})
"""Mechanisms whose answers lead elsewhere."""


def source(campaign: Campaign, block: Block) -> np.random.Generator:
    """Give the source of chance of a country's equipment for one mechanism."""
    return campaign.chance(Seeds.BOX, block.country, MECHANISMS.index(block.mechanism))


def box(
    campaign: Campaign, world: World, block: Block, spared: frozenset[Address], *, public: bool = False
) -> list[Station]:
    """Build what stands on the ways out of a network for one block.

    Args:
        campaign: Whose.
        world: Where.
        block: What is blocked.
        spared: Addresses that no border cuts off: resolvers.
        public: The network asks an open resolver abroad.
    """
    rng = source(campaign, block)
    if block.mechanism == ALLOWLIST:
        stage = str(rng.choice(["data", "all"]))
        return [Border(world=world, listed=block.servers | spared, stage=stage, mechanism=ALLOWLIST)]
    if block.mechanism.startswith("dns."):
        return dns_box(world, block, forgery_of(campaign, block, public=public))
    return BUILD[block.mechanism](rng, world, block) if block.mechanism in BUILD else []


# --- what goes by the names in hellos and requests, or by address ---


def silencer(rng: np.random.Generator, world: World, block: Block) -> list[Station]:
    """Swallow what follows a listed name in a hello, in some countries for one to three minutes more."""
    residual = bool(rng.random() < 0.4)
    seconds = float(rng.uniform(60, 180)) * SECOND
    return [
        Silencer(
            world=world, matches=hello_names(block.names), directions=BOTH if rng.random() < 0.6 else UP,
            grace=(0, int(rng.integers(0, 4))), scope="server" if residual else "flow",
            lasts=(seconds, seconds) if residual else FOREVER,
        )
    ]  # fmt: skip


def quic_silencer(rng: np.random.Generator, world: World, block: Block) -> list[Station]:
    """Swallow QUIC by name."""
    matches = quic_names(block.names, frozenset({V1, V2}), joined=True, upward=False)
    directions = BOTH if rng.random() < 0.6 else UP
    return [Silencer(world=world, matches=matches, mechanism="quic.drop", directions=directions, lasts=FOREVER)]


def hole(_: np.random.Generator, world: World, block: Block) -> list[Station]:
    """Swallow what goes to listed addresses, or comes from them."""
    return [Blackhole(world=world, applies=lambda place, _: place in block.servers, protocols=frozenset({TCP}))]


def policer(rng: np.random.Generator, world: World, block: Block) -> list[Station]:
    """Hold back what listed names send to some 100 to 300 kbit/s (Xue et al., IMC 2021: 140)."""
    traffic = TrafficClass(names=frozenset(name.encode() for name in block.names))
    rate, bucket = spread(rng, 1e5, 3e5), spread(rng, 6e3, 2.5e4)
    return [Policer(world=world, rate=rate, bucket=bucket, traffic=traffic, per="flow", mechanism="rate.policing")]


def forger(rng: np.random.Generator, world: World, block: Block, *, pages: bool = False) -> list[Station]:
    """Reset what names a listed name, in one of the published forms, or answer it with a page."""
    targets = tcp_stage.Targets(rng, tuple(sorted(block.names)), frozenset())
    rules = http_pages.either(targets, http_pages.any_page) if pages else any_form(targets)
    return [Forger(world, rules)]


BUILD: dict[str, Callable[[np.random.Generator, World, Block], list[Station]]] = {
    "tcp.drop": silencer,
    "tcp.connect.drop": hole,
    "tcp.reset": forger,
    "http.blockpage": partial(forger, pages=True),
    "quic.drop": quic_silencer,
    "rate.policing": policer,
}


# --- DNS ---


@frozen(kw_only=True)
class Forgery:
    """What a country answers for listed names; nobody is there whom the answers lead to."""

    form: Any
    places: tuple[Address, ...]  # IPv4, then IPv6; none: no such name
    lifetime: int  # seconds
    by_resolver: bool  # the resolver lies itself, where answers are replaced

    @property
    def style(self) -> AnswerStyle:
        """The answers as a box writes them."""
        flags = 0x8180 if self.places else 0x8180 | NXDOMAIN
        return AnswerStyle(
            form=self.form, pool=tuple(place for place in self.places if not place[0]), flags=flags, order="name",
            pool_six=tuple(place for place in self.places if place[0]), lifetime=(self.lifetime, self.lifetime),
        )  # fmt: skip

    @property
    def rule(self) -> Rule:
        """The answers as a resolver writes them."""
        rcode = 0 if self.places else NXDOMAIN
        return Rule(addresses=self.places, rcode=rcode, lifetime=self.lifetime, lies=True)


def forgery_of(campaign: Campaign, block: Block, *, public: bool = False) -> Forgery:
    """Give what a block of DNS answers: mostly addresses of others, at times a private one, or a denial.

    Args:
        campaign: Whose.
        block: What is blocked.
        public: The network asks an open resolver abroad, which obeys no list of the country: a box answers for it.
    """
    rng = source(campaign, block)
    form = form_like(rng, delay=float(rng.uniform(1e5, 6e5)))
    kind, count = str(rng.choice(["others", "private", "none"], p=[0.6, 0.2, 0.2])), int(rng.integers(1, 7))
    others = (*draw_global(rng, count), *draw_global_six(rng, 2))
    private = (address(f"10.10.34.{rng.integers(34, 37)}"), address("fd00:10:10::34"))
    places = {"others": others, "private": private, "none": ()}[kind]
    lifetime, obeys = int(rng.choice([60, 300, 600])), bool(rng.random() < 0.5)
    return Forgery(form=form, places=places, lifetime=lifetime, by_resolver=obeys and not public)


def dns_box(world: World, block: Block, forgery: Forgery) -> list[Station]:
    """Swallow questions for listed names, or answer them; a resolver that lies needs no box."""
    if block.mechanism == "dns.drop":
        return [QueryDropper(world=world, names=block.names)]
    alone = block.mechanism == "dns.forged"
    if alone and forgery.by_resolver:
        return []
    return [DnsInjector(world=world, names=block.names, makers=(forgery.style,), in_path=alone)]
