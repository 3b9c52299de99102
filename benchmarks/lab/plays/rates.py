"""Transfers that somebody slows: token buckets, queues, handshakes that trickle."""

import functools

from benchmarks.lab.plays.resets import names
from benchmarks.lab.scenario import Scenario, Site, Stage

__all__ = ["PLAYS"]

SECONDS = 5.0  # that a limited transfer shall take


def downloads(stage: Stage, rate: float, count: int = 1) -> list[Site]:
    """Let the client draw big files from listed sites at a rate, and from others as fast as the path goes."""
    rng = stage.rng
    sites = [stage.site(tls=rng.random() < 0.7) for _ in range(count)]
    for site in sites:
        stage.visit(site, rng.uniform(0.1, 0.6), size=int(rate * SECONDS), patience=6.0)
    for place, other in enumerate(stage.crowd(2)):
        stage.visit(other, 1.0 + place, size=int(rng.uniform(2.5e5, 5e5)))
    return sites


def policed(stage: Stage, least: float, most: float, congestion: str) -> None:
    """A token bucket drops what is too much, one for each connection."""
    rng = stage.rng
    rate = rng.uniform(least, most)
    stage.congestion(congestion)
    sites = downloads(stage, rate)
    stage.rule("Limit", names=names(sites), rate=rate, burst=rng.uniform(8e3, 6e4))


def shaped(stage: Stage) -> None:
    """A queue holds back what is too much of listed names; everything else is fast."""
    rng = stage.rng
    rate = rng.uniform(3e4, 9e4)
    sites = downloads(stage, rate, 2)
    stage.rule(
        "Limit", names=names(sites), kind="shape", rate=rate, burst=rng.uniform(3e3, 2e4), shared=rng.random() < 0.5
    )


def slow_handshakes(stage: Stage) -> None:
    """The first kilobytes of listed names trickle."""
    rng = stage.rng
    sites = [stage.site() for _ in range(3)]
    for site in sites:
        stage.visit(site, rng.uniform(0.1, 1.5), size=rng.randrange(5_000, 20_000), patience=7.0)
    stage.crowd(4)
    stage.rule(
        "Limit", names=names(sites), kind="shape", rate=rng.uniform(500, 900), burst=rng.uniform(100, 400), until=3_000
    )


PLAYS = (
    Scenario(
        "rate.policing.slow",
        "A bucket of 20 to 60 kB/s.",
        functools.partial(policed, least=2e4, most=6e4, congestion="cubic"),
        "rate.policing",
        "ru.tspu-sni-iii",
    ),
    Scenario(
        "rate.policing.medium",
        "A bucket of 80 to 200 kB/s, Reno.",
        functools.partial(policed, least=8e4, most=2e5, congestion="reno"),
        "rate.policing",
        "isp.policer",
    ),
    Scenario(
        "rate.policing.fast",
        "A bucket of 250 to 500 kB/s, BBR if there is.",
        functools.partial(policed, least=2.5e5, most=5e5, congestion="bbr"),
        "rate.policing",
        "isp.policer",
    ),
    Scenario("rate.shaping.names", "A queue for listed names.", shaped, "rate.shaping", "isp.differentiation"),
    Scenario(
        "rate.handshake.trickle", "Handshakes that trickle.", slow_handshakes, "rate.handshake", "tr.handshake-2022"
    ),
)
