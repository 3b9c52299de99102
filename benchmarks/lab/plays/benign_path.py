"""Slow, lossy and strange paths, hosts that limit themselves, plans that limit everything, and resolvers with moods."""

from collections.abc import Callable
from typing import Any

from benchmarks.lab.scenario import Scenario, Stage

__all__ = ["PLAYS"]


def transfers(stage: Stage, size: int = 400_000, count: int = 3, **service: Any) -> None:
    """Let the client draw some files."""
    for place in range(count):
        site = stage.site(tls=stage.rng.random() < 0.6, **service)
        stage.visit(site, 0.1 + place * stage.rng.uniform(0.2, 0.8), size=size, patience=8.0, affected=True)
    stage.crowd(1)


def paced(stage: Stage) -> None:
    """The server's program sends a little at a time."""
    transfers(stage, 200_000, pace=[stage.rng.randrange(3_000, 12_000), stage.rng.uniform(0.05, 0.15)])


def small_window(stage: Stage) -> None:
    """The client offers a small window."""
    for place in range(3):
        site = stage.site(tls=False)
        stage.visit(
            site,
            0.1 + place * 0.7,
            size=120_000,
            patience=8.0,
            affected=True,
            options={"receive": stage.rng.choice((8_192, 12_000, 16_000))},
        )
    stage.crowd(2)


def slow_reader(stage: Stage) -> None:
    """The client reads slowly, so that its window closes."""
    for place in range(2):
        site = stage.site(tls=stage.rng.random() < 0.5)
        steps: list[list[Any]] = [["get", "/video-300000.mp4"], ["trickle", stage.rng.randrange(4_000, 9_000), 0.1]]
        stage.visit(site, 0.1 + place, steps=steps, patience=8.0, affected=True, options={"receive": 16_384})
    stage.crowd(2)


def bufferbloat(stage: Stage) -> None:
    """A slow link with a queue of a second and more."""
    stage.lines["near_down"].update(rate=stage.rng.uniform(1e5, 3e5), queue=500_000)
    transfers(stage, 350_000)


def drop_tail(stage: Stage) -> None:
    """A slow link with a short queue."""
    stage.lines["near_down"].update(rate=stage.rng.uniform(2e5, 6e5), queue=stage.rng.randrange(8_000, 40_000))
    stage.congestion(stage.rng.choice(("reno", "cubic", "bbr")))
    transfers(stage, 500_000)


def plan(stage: Stage) -> None:
    """The provider shapes the whole link of the customer."""
    stage.rule(
        "Limit",
        stage="any",
        kind="shape",
        shared=True,
        silent=True,
        rate=stage.rng.uniform(1e5, 3e5),
        burst=stage.rng.uniform(1e4, 6e4),
        queue=150_000,
    )
    transfers(stage, 300_000)


def bucket_plan(stage: Stage) -> None:
    """The provider polices the whole link of the customer."""
    stage.rule(
        "Limit",
        stage="any",
        shared=True,
        silent=True,
        rate=stage.rng.uniform(1.5e5, 4e5),
        burst=stage.rng.uniform(2e4, 8e4),
    )
    transfers(stage, 350_000)


def uplink(stage: Stage) -> None:
    """A server's own line is policed; other servers are not, and the client reaches several names at it."""
    rng = stage.rng
    address = stage.host()
    for place in range(2):
        site = stage.site(address=address, tls=True, port=(443, 8443)[place])
        stage.visit(site, 0.1 + place * 0.4, size=400_000, patience=8.0, affected=True)
    stage.rule(
        "Limit",
        stage="any",
        shared=True,
        silent=True,
        addresses=[address],
        rate=rng.uniform(6e4, 2e5),
        burst=rng.uniform(1e4, 6e4),
    )
    for place in range(2):
        stage.visit(stage.site(), 0.5 + place, size=rng.randrange(200_000, 500_000))


def random_loss(stage: Stage) -> None:
    """Some percent of the packets are lost, here and there."""
    stage.lossy(stage.rng.uniform(0.01, 0.05))
    transfers(stage)


def burst_loss(stage: Stage) -> None:
    """Packets are lost in bursts."""
    stage.lossy(stage.rng.uniform(0.01, 0.03), burst=stage.rng.uniform(3, 10))
    transfers(stage)


def reordered(stage: Stage) -> None:
    """Some packets are overtaken by others."""
    stage.lines["far_down"].update(reorder=stage.rng.uniform(0.01, 0.06), lag=stage.rng.uniform(0.001, 0.02))
    transfers(stage)


def duplicated(stage: Stage) -> None:
    """The path delivers some packets twice."""
    stage.lines["far_down"]["duplicate"] = stage.lines["far_up"]["duplicate"] = stage.rng.uniform(0.01, 0.05)
    transfers(stage, 200_000)


def black_hole(stage: Stage) -> None:
    """Packets of full size vanish and nobody says so."""
    stage.lines["far_down"]["largest"] = stage.rng.randrange(1_280, 1_480)
    for place in range(3):
        site = stage.site(tls=stage.rng.random() < 0.5)
        stage.visit(site, 0.2 + place * 0.3, size=60_000, patience=4.0, affected=True)
    small = stage.site(tls=False)
    stage.visit(small, 0.5, size=700)


def rerouted(stage: Stage) -> None:
    """The route changes in the middle of transfers."""
    begin, step = stage.rng.uniform(1.2, 1.6), stage.rng.choice((0.03, 0.08, -0.4))
    for line in ("far_up", "far_down"):
        extra = step if step > 0 else step * stage.lines[line]["delay"]
        stage.lines[line].update(step_at=begin, step=extra)
    transfers(stage, pace=[16_000, 0.05])


def names(stage: Stage, prepare: Callable[[Stage, str], None], times: int = 3, **query: Any) -> None:
    """Let the client ask for odd names a few times, and for ordinary ones."""
    for _ in range(3):
        affected, plain = stage.name(), stage.name()
        stage.zone(plain, stage.address(4), stage.address(6))
        prepare(stage, affected)
        for place in range(times):
            stage.query(affected, 0.1 + place * 0.9 + stage.rng.uniform(0, 0.5), affected=True, **query)
        stage.query(plain, stage.rng.uniform(0, 2))
    stage.crowd(2)


def some(stage: Stage, name: str, **options: Any) -> None:
    """Give a name addresses of both families."""
    stage.zone(name, stage.address(4), stage.address(6), **options)


def rotating(stage: Stage) -> None:
    """A name has many addresses and every answer shows others."""
    names(
        stage,
        lambda on, name: on.zone(name, *(on.address(v) for v in (4, 6) * 6), rotate=on.rng.randrange(1, 4), ttl=20),
    )


def no_name(stage: Stage) -> None:
    """Names that do not exist."""
    names(stage, lambda on, name: on.zone(name, code=3), tries=1)


def split_horizon(stage: Stage) -> None:
    """Names of the house that lead to private addresses."""
    private = f"10.{stage.rng.randrange(256)}.{stage.rng.randrange(256)}.9"
    names(
        stage,
        lambda on, name: on.zone(
            name, private, f"fd{on.rng.randrange(16, 256):x}::{on.rng.randrange(1, 999):x}", ttl=0
        ),
    )


def retransmitted(stage: Stage) -> None:
    """The first query gets lost and is sent again, with the same port and number or with new ones."""
    fresh = stage.rng.random() < 0.5
    names(stage, lambda on, name: some(on, name, late=True), times=2, fresh=fresh, gap=0.6)


def repeated(stage: Stage) -> None:
    """The resolver thinks longer than the client, so that repeated queries are answered twice."""
    names(stage, lambda on, name: some(on, name, delay=0.9), times=1, fresh=False, gap=0.6, linger=1.0)


def twice(stage: Stage) -> None:
    """The resolver sends its answers twice."""
    names(stage, lambda on, name: some(on, name, twice=True), linger=0.3)


def dead_zones(stage: Stage) -> None:
    """The servers of some names are dead, so that the resolver finds nothing and is silent about them."""
    names(stage, lambda on, name: some(on, name, drop=1.0), times=1, gap=0.8)


def slow_resolver(stage: Stage) -> None:
    """The resolver has to ask far away and takes long."""
    names(stage, lambda on, name: some(on, name, delay=on.rng.uniform(0.3, 1.2)))


def dead_resolver(stage: Stage) -> None:
    """The resolver is gone and the client asks in vain."""
    stage.resolver_runs = False
    stage.settings["server"]["ipv4/icmp_echo_ignore_all"] = "1"
    stage.resolver = stage.address()  # an address that nobody has
    for _ in range(5):
        stage.query(stage.name(), stage.rng.uniform(0, 1), affected=True, gap=0.8)


PLAYS = (
    Scenario("benign.rate.app-limited", "The program sends slowly.", paced, confounder="app-limited"),
    Scenario("benign.rate.window-limited", "The window is small.", small_window, confounder="window-limited"),
    Scenario("benign.rate.slow-reader", "The client reads slowly.", slow_reader, confounder="slow-reader"),
    Scenario("benign.rate.bufferbloat", "A slow link with a long queue.", bufferbloat, confounder="bufferbloat"),
    Scenario("benign.rate.drop-tail", "A slow link with a short queue.", drop_tail, confounder="short-buffer"),
    Scenario("benign.rate.plan", "The whole link is shaped.", plan, confounder="plan-shaper"),
    Scenario("benign.rate.plan-policing", "The whole link is policed.", bucket_plan, confounder="plan-policer"),
    Scenario("benign.rate.uplink-policing", "A server's line is policed.", uplink, confounder="own-uplink"),
    Scenario("benign.rate.random-loss", "Packets are lost.", random_loss, confounder="random-loss"),
    Scenario("benign.rate.burst-loss", "Packets are lost in bursts.", burst_loss, confounder="bursty-loss"),
    Scenario("benign.rate.reordering", "Packets are overtaken.", reordered, confounder="reordering"),
    Scenario("benign.rate.duplicates", "Packets come twice.", duplicated, confounder="path-duplicates"),
    Scenario("benign.rate.black-hole", "Big packets vanish.", black_hole, confounder="mtu-hole"),
    Scenario("benign.rate.route-change", "The route changes.", rerouted, confounder="route-change"),
    Scenario("benign.dns.rotating", "Every answer shows other addresses.", rotating, confounder="rotating-cdn"),
    Scenario("benign.dns.nxdomain", "Names that do not exist.", no_name, confounder="nxdomain"),
    Scenario(
        "benign.dns.split-horizon", "Names with private addresses.", split_horizon, confounder="split-horizon-private"
    ),
    Scenario("benign.dns.retransmitted", "Queries are sent again.", retransmitted, confounder="retransmitted-query"),
    Scenario("benign.dns.repeated", "Repeated queries, two answers.", repeated, confounder="retransmitted-query"),
    Scenario("benign.dns.twice", "Answers are sent twice.", twice, confounder="forwarder-answers-twice"),
    Scenario("benign.dns.slow-resolver", "Answers take long.", slow_resolver, confounder="slow-resolver"),
    Scenario("benign.dns.dead-zones", "Some names' servers are dead.", dead_zones, confounder="lame-delegation"),
    Scenario("benign.dns.dead-resolver", "Nobody answers.", dead_resolver, confounder="dead-resolver"),
)
