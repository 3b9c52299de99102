"""Truthful answers that look odd: rotating, shared, short-lived, wildcard, or of an unlikely owner."""

import attrs

from netinterf.simulate.hosts.dns_zone import Entry, Zone
from netinterf.simulate.messages.published_answers import draw_meta_six, draw_pool
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.benign_dns_paths import benign, some
from netinterf.simulate.plays.dns_lookups import Way
from netinterf.simulate.plays.dns_setup import (
    add_resolver,
    browse,
    draw_entry,
    draw_zone,
    follow,
    host_names,
    make_setup,
)  # fmt: skip
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS"]


def rotating(scene: Scene) -> None:
    """Look up names of which some show one or a few of many addresses, others each time."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 13)))
    zone, chosen = draw_zone(scene, known), some(rng, known)
    for name in chosen:
        many = tuple(scene.global_addresses(int(rng.integers(8, 40))))
        zone[name] = draw_entry(
            scene, addresses=many, per_answer=True, shown=int(rng.choice([1, 1, 2, 4])), lifetime=int(rng.choice([20,
                                                                                                                  30,
                                                                                                                  60])),
            aliases=(),
        )  # fmt: skip
    setup = make_setup(scene, known=known, zone=zone, behaviour={"caches": 6})
    browse(setup.stub, chosen * 4 + known * 2, look_alike=chosen)


def geography(scene: Scene) -> None:
    """Ask two resolvers that see other addresses of the same names."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 12)))
    chosen = some(rng, known)
    setup = make_setup(scene, known=known)
    elsewhere: Zone = setup.zone | {name: draw_entry(scene) for name in chosen}
    setup.stub.ways.append(Way(scene.lay_path([]), add_resolver(scene, elsewhere, place=scene.servers(1)[0])))
    if rng.random() < 0.4:
        setup.stub.habits = attrs.evolve(setup.stub.habits, at_once=True)
    for way in (0, 1):
        browse(setup.stub, known * 2, look_alike=chosen, way=way)


def flattened(scene: Scene) -> None:
    """Look up names with long chains, and some whose servers flatten theirs to one address."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 13)))
    zone: Zone = {}
    chosen = some(rng, known)
    for name in known:
        chain = tuple(
            f"{label}{rng.integers(99)}.cdn.example.net" for label in ("edge", "map")[: int(rng.integers(1, 3))]
        )
        count = int(rng.integers(2, 6))
        zone[name] = draw_entry(scene, aliases=chain, addresses=tuple(scene.global_addresses(count)))
    for name in chosen:
        zone[name] = Entry(addresses=tuple(scene.global_addresses(1)), lifetime=int(rng.choice([60, 300])))
    setup = make_setup(scene, known=known, zone=zone)
    browse(setup.stub, chosen + known * 3, look_alike=chosen)


def shared(scene: Scene) -> None:
    """Look up many names that share one address, and visit it."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(10, 18)))
    zone, chosen = draw_zone(scene, known), known[: int(rng.integers(5, 9))]
    (six,) = scene.global_six(1)
    places = (*scene.global_addresses(1), six)
    zone |= {name: draw_entry(scene, addresses=places, aliases=()) for name in chosen}
    setup = make_setup(scene, known=known, zone=zone)
    browse(setup.stub, known * 3, look_alike=chosen)
    if rng.random() < 0.6:
        follow(scene, places, chosen, 2.0 * SECOND)


def still(scene: Scene) -> None:
    """Ask a resolver whose TTLs never fall: no cache behind, or all TTLs rewritten to a least value."""
    rng = scene.rng
    lifetime = int(rng.choice([30, 60, 300, 418, 600]))
    known = host_names(scene, int(rng.integers(8, 13)))
    zone = draw_zone(scene, known, lifetime=int(rng.choice([20, lifetime])))
    setup = make_setup(scene, known=known, zone=zone, behaviour={"ticks": False, "minimum": lifetime})
    browse(setup.stub, known * 4, look_alike=known)


def any_label(scene: Scene, *, exist: bool) -> None:
    """Look up random labels below names that have a wildcard, or of which the resolver knows that nothing is there."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 12)))
    zone, chosen = draw_zone(scene, known), some(rng, known)
    if exist:
        zone |= {f"*.{name}": draw_entry(scene, slow=0.0) for name in chosen}
    setup = make_setup(scene, known=known, zone=zone, behaviour={"cached": 1.0})
    labels = [f"{rng.integers(36**6):x}.{name}" for name in chosen for _ in range(int(rng.integers(2, 7)))]
    browse(setup.stub, labels + known * 2, look_alike=labels)


OWN = (
    "www.facebook.com", "static.xx.fbcdn.net", "graph.instagram.com", "web.whatsapp.com", "twitter.com",
    "abs.twimg.com",
    "api.twitter.com", "www.dropbox.com", "content.dropboxapi.com",
)  # fmt: skip
"""Names that live in the blocks forgers borrow from (the owners' own documentation)."""

HOMES = {
    "facebook": ("31.13.64.0/18", "157.240.0.0/16"), "fbcdn": ("31.13.64.0/18", "157.240.0.0/16"),
    "instagram": ("31.13.64.0/18", "157.240.0.0/16"), "whatsapp": ("31.13.64.0/18", "157.240.0.0/16"),
    "twitter": ("104.244.40.0/21",), "twimg": ("104.244.40.0/21",), "dropbox": ("162.125.0.0/16",),
    "dropboxapi": ("162.125.0.0/16",),
}  # fmt: skip
"""Blocks by the label of the owner's domain."""


def own_address(scene: Scene) -> None:
    """Look up and visit names that live where forgers borrow their addresses."""
    rng = scene.rng
    chosen = [str(name) for name in rng.permutation(OWN)[: int(rng.integers(2, 6))]]
    known = [*chosen, *host_names(scene, int(rng.integers(5, 9)))]
    zone = draw_zone(scene, known)
    for name in chosen:
        label = name.split(".")[-2]
        places = draw_pool(rng, (), 1, blocks=HOMES[label]) + draw_meta_six(rng, int(label in ("facebook", "fbcdn")))
        zone[name] = draw_entry(scene, addresses=places, aliases=(), per_answer=True)
        follow(scene, places, [name], float(rng.uniform(1, 8)) * SECOND)
    setup = make_setup(scene, known=known, zone=zone)
    browse(setup.stub, chosen * 2 + known * 2, look_alike=chosen)


PLAYS = (
    benign("rotating-cdn", "Every answer shows other addresses.", rotating, "rotating-cdn"),
    benign("geo-dns", "Two resolvers see other addresses.", geography, "geo-dns"),
    benign("alias-flattening", "One bare address among chains.", flattened, "alias-flattening"),
    benign("shared-hosting", "Many names share an address.", shared, "shared-hosting"),
    benign("short-lived-static", "TTLs never fall.", still, "short-lived-static"),
    benign("wildcard", "Random labels exist.", lambda scene: any_label(scene, exist=True), "wildcard-names"),
    benign("aggressive-nsec", "Random labels are denied at once.", lambda scene: any_label(scene, exist=False),
           "aggressive-nsec"),
    benign("own-address", "Names live in the forgers' favourite blocks.", own_address, "own-address-in-pool"),
)  # fmt: skip
