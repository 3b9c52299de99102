"""Forged resets of many forms."""

from typing import Any

from benchmarks.lab.scenario import Scenario, Stage
from benchmarks.lab.wire import ACK, RST

__all__ = ["PLAYS"]


def delay(stage: Stage) -> float:
    """Draw how long an injector thinks: mostly below a millisecond, some take several."""
    return stage.rng.lognormvariate(-7.6, 0.8)


def listed(stage: Stage, count: int = 2, **shape: Any) -> list[str]:
    """Let the client visit listed sites among others; give their names."""
    sites = [stage.site(tls=stage.rng.random() < 0.75) for _ in range(count)]
    for site in sites:
        stage.visit(site, stage.rng.uniform(0.2, 2.5), **shape)
    stage.crowd(2)
    return [site.name for site in sites]


def single_to_client(stage: Stage) -> None:
    """One RST/ACK to the client; TTL and window constant, whatever the server's are."""
    rng = stage.rng
    shot = {"flags": RST | ACK, "ack": 0, "ttl": rng.randrange(45, 200), "after": delay(stage)}
    stage.rule("Forge", names=listed(stage), shots=[shot])


PLAYS = (
    Scenario("tcp.reset.single", "One RST/ACK to the client after a listed name.", single_to_client, "tcp.reset", "ir.sni"),
)
