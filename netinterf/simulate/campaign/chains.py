"""Certificates of a campaign: a name has the same everywhere, an interceptor the same authority in all runs."""

from functools import cache

import attrs

from netinterf.simulate.campaign.boxes import source
from netinterf.simulate.campaign.censors import Block
from netinterf.simulate.campaign.parameters import Campaign, Seeds
from netinterf.simulate.campaign.topology import topology
from netinterf.simulate.messages import certificates as x509
from netinterf.simulate.messages.certificates import Authority, Recipe
from netinterf.simulate.plays.interception import GATEWAY, STATE, Stage
from netinterf.simulate.scene import Scene
from netinterf.values import frozen

__all__ = ["Genuine", "genuine", "stage"]

AUTHORITIES = 4  # public ones that the names of a campaign have certificates of


@frozen(eq=False)
class Genuine:
    """What a server shows that is itself."""

    chain: tuple[bytes, ...]
    recipe: Recipe
    issuer: Authority


@cache
def authority(campaign: Campaign, number: int) -> Authority:
    """Make one of the public authorities."""
    return x509.draw_authority(campaign.chance(Seeds.CHAIN, number), topology(campaign).start, x509.PUBLIC)


@cache
def genuine(campaign: Campaign, number: int) -> Genuine:
    """Make the certificate of a name, which holds for the whole campaign."""
    who, rng = topology(campaign), campaign.chance(Seeds.CHAIN, AUTHORITIES + number)
    name = who.sites[number].name
    issuer = authority(campaign, int(rng.integers(AUTHORITIES)))
    serial = int.from_bytes(rng.bytes(15), "big") | 1
    recipe = Recipe(days=int(rng.choice([90, 365])), age=float(rng.uniform(1, 45)), serial=serial)
    return Genuine(x509.issue(issuer, rng, [name], who.start, recipe), recipe, issuer)


def stage(campaign: Campaign, scene: Scene, block: Block) -> Stage:
    """Set up who intercepts the names of a block: a gateway with keys of its own, or a state's."""
    rng, start = source(campaign, block), topology(campaign).start
    gateway = bool(rng.random() < 0.5)
    habits = attrs.evolve(GATEWAY if gateway else STATE, by="proxy")
    own = x509.draw_authority(rng, start, habits.issuers)
    made = Stage(scene, habits, [], own, x509.draw_key(rng).public_key())
    for site in topology(campaign).sites:
        if site.name in block.names:
            true = genuine(campaign, site.number)
            made.chains[site.name], made.recipes[site.name], made.issuers[site.name] = (
                true.chain,
                true.recipe,
                true.issuer,
            )
    return made
