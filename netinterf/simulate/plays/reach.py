"""A country that cuts itself off: wholly, in certain hours, but for lists of addresses, or but for some protocols."""

from functools import partial

from netinterf.simulate.boxes.border import Border
from netinterf.simulate.encode import TCP, UDP
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.reach_places import lay_world, live, networks, places, visit_site
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene
from netinterf.values import frozen

__all__ = ["PLAYS", "networks"]

INSIDE = ("client", "middle")
ISOLATION, ALLOWLIST = "reach.isolation", "reach.isolation.allowlist"
WEB = frozenset({(UDP, 53), (TCP, 53), (TCP, 80), (TCP, 443)})


@frozen(kw_only=True)
class Closure:
    """How a documented border is closed."""

    mechanism: str = ISOLATION
    stage: str = "all"
    listed: tuple[int, int] = (0, 1)  # places abroad that stay reachable, from and below
    resolver: float = 0.0  # chance that the foreign resolver is listed, too
    web: bool = False  # DNS, HTTP and HTTPS pass
    ports: tuple[int, int] = (0, 1)  # odd TCP ports that pass, from and below
    begins: tuple[float, float] = (-1.0, 0.5)  # share of the time after which it closes; below 0: from the start
    hours: bool = False  # it opens and closes again and again
    domestic: float = 1.0  # share of places at home that are listed, where the list is kept near the user
    share: tuple[float, float] = (1.0, 1.0)  # of the packets it drops


def isolated(scene: Scene, form: Closure) -> None:
    """Go about at home and abroad while the border is closed."""
    rng, now = scene.rng, scene.world.now
    span = float(rng.uniform(40, 150)) * SECOND
    home = places(scene, int(rng.integers(8, 13)) + 1, home=True)
    abroad = places(scene, int(rng.integers(22, 30)) + 1, home=False)
    listed = {place for place, _ in abroad[: int(rng.integers(*form.listed))]}
    if rng.random() < form.resolver:
        listed.add(abroad[-1][0])
    kept = rng.permutation(len(home) - 1)[: round(form.domestic * (len(home) - 1))]
    listed |= {home[-1][0], *(home[place][0] for place in kept)}
    begin = max(0.0, float(rng.uniform(*form.begins)))
    windows = [(now + int(begin * span), now + 10**13)]
    if form.hours:
        count = int(rng.integers(1, 4))
        edges = [
            now + int(span * (place + share)) // count for place in range(count) for share in rng.uniform(0, 0.4, 2)
        ]
        windows = [
            (begins, ends + int(0.4 * span) // count) for begins, ends in zip(edges[::2], edges[1::2], strict=True)
        ]
    ports = {(TCP, int(port)) for port in rng.integers(1, 10_000, int(rng.integers(*form.ports)))}
    border = Border(
        world=scene.world, listed=frozenset(listed), ports=frozenset(ports) | (WEB if form.web else frozenset()),
        parsed=form.web, stage=form.stage, windows=windows, share=float(rng.uniform(*form.share)),
        mechanism=form.mechanism,
    )  # fmt: skip
    nearby = form.domestic < 1
    sites = lay_world(scene, [] if nearby else [border], [border] if nearby else [], chosen=(home, abroad))
    live(sites, span, at_home=nearby)
    for _, port in sorted(ports):
        for site in sites.abroad[:3]:
            visit_site(sites, site, float(rng.uniform(0, span)), series=True, kind="shell", port=port)


def closed(name: str, says: str, system: str, form: Closure) -> Scenario:
    """Write the row of one documented closure."""
    return Scenario(name, says, form.mechanism, partial(isolated, form=form), INSIDE, system=system, family="reach")


PLAYS = (
    closed("reach.isolation", "Nothing passes the border.", "generic", Closure()),
    closed("reach.isolation.iran-2019", "The border closes; domestic services stay.", "ir.isolation-2019",
           Closure(begins=(-0.2, 0.8))),
    closed("reach.isolation.iran-2026", "Nothing passes the border.", "ir.isolation-2026", Closure()),
    closed("reach.isolation.iran-curfew", "The border is closed in certain hours.", "ir.curfew-2022",
           Closure(hours=True)),
    closed("reach.isolation.myanmar-curfew", "The border is closed in certain hours.", "mm.curfew-2021",
           Closure(hours=True)),
    closed("reach.isolation.kazakhstan", "The border is closed, with some hours of connection.", "kz.shutdown-2022",
           Closure(hours=True)),
    closed("reach.isolation.adaptive", "A border that lets a few packets through, as a cut cable would.", "adaptive",
           Closure(share=(0.85, 0.97))),
    closed("reach.isolation.allowlist", "Some addresses abroad stay reachable.", "generic",
           Closure(mechanism=ALLOWLIST, listed=(2, 8), resolver=0.5)),
    closed("reach.isolation.allowlist.kazakhstan-ports", "Some ports stay open.", "kz.shutdown-2022",
           Closure(mechanism=ALLOWLIST, ports=(1, 4))),
    closed("reach.isolation.allowlist.iran-stealth", "Only DNS, HTTP and HTTPS pass.", "ir.stealth-2025",
           Closure(mechanism=ALLOWLIST, web=True)),
    closed("reach.isolation.allowlist.iran-listed", "A handful of addresses passes.", "ir.listed-2025",
           Closure(mechanism=ALLOWLIST, listed=(1, 5), resolver=0.3)),
    closed("reach.isolation.allowlist.iran-no-answer", "Hellos arrive abroad, answers do not come back.",
           "ir.no-server-hello-2025", Closure(mechanism=ALLOWLIST, stage="answer", listed=(1, 5), resolver=0.5)),
    closed("reach.isolation.allowlist.iran-silence", "Handshakes complete, then all is silent.", "ir.allowlist-2026",
           Closure(mechanism=ALLOWLIST, stage="data", listed=(3, 12), resolver=0.5)),
    closed("reach.isolation.allowlist.russia-mobile", "Near the user only listed addresses get past the handshake.",
           "ru.mobile-whitelist-2025",
           Closure(mechanism=ALLOWLIST, stage="data", listed=(1, 4), resolver=0.4, domestic=0.75)),
    closed("reach.isolation.allowlist.adaptive", "Handshakes complete; what follows gets lost almost always.",
           "adaptive", Closure(mechanism=ALLOWLIST, stage="data", listed=(2, 8), share=(0.8, 0.95))),
)  # fmt: skip
