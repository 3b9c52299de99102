"""Downloads through a token bucket, and the same downloads through a queue or over a lossy path."""

import numpy as np

from netinterf.simulate.boxes.buckets import Policer, Shaper
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.messages.tls import application_data, client_hello, server_flight
from netinterf.simulate.network.path import MILLISECOND, SECOND, Station
from netinterf.simulate.scenario import ENDS, Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import visit

__all__ = ["PLAYS"]

MOST = 1_400_000
"""Bytes of the largest download, so that captures stay small."""


def download(rng: np.random.Generator, name: str, size: int) -> list[Turn]:
    """Write a TLS connection that fetches *size* bytes."""
    records = b"".join(application_data(rng, 16_401) for _ in range(max(1, size // 16_406)))
    return [
        Turn(True, client_hello(name, rng, size=517)),
        Turn(False, server_flight(rng, 3000), 2 * MILLISECOND),
        Turn(True, application_data(rng, 300)),
        Turn(False, records, float(rng.exponential(10 * MILLISECOND))),
    ]


def fetch_all(scene: Scene, boxes: list[Station], rate: float, *, loss: float = 0.0) -> tuple[list[int], list[str]]:
    """Download from one limited server once or twice, and something smaller from one that is not limited.

    Returns:
        Numbers of the conversations, and the names of their servers.
    """
    rng = scene.rng
    known = scene.names(2)
    stack = draw_client(rng)
    size = int(min(MOST, rate / 8 * rng.uniform(4, 8)))
    begin, subjects = 0.0, []
    for name, server, limited in zip(known, scene.servers(2), (True, False), strict=True):
        path = scene.lay_path(
            boxes if limited else [], rtt=float(rng.uniform(2e7, 1.4e8)), where=float(rng.uniform(0.2, 0.8)), luck=0.1
        )
        path.far.loss = loss if limited else 0.0
        host = draw_server(rng)
        for _ in range(int(rng.integers(1, 3)) if limited else 2):
            amount = size if limited else min(size, 120_000)
            subjects.append(
                visit(
                    scene, path, server, name, begin, stacks=(stack, host), script=download(rng, name, amount),
                    apps=(App(ending=Ending.CLOSE), App()),
                )
            )  # fmt: skip
            begin += float(rng.uniform(0.3, 2)) * SECOND if not limited else rng.uniform(0.8, 1.2) * amount * 8e9 / rate
        begin = float(rng.uniform(0, 2)) * SECOND
    return subjects, known


def limited_by_bucket(scene: Scene) -> None:
    """Download through a policer: a rate of 0.5 to 6 Mbit/s, a bucket of 12 kB to 200 kB."""
    rng = scene.rng
    rate = float(np.exp(rng.uniform(np.log(5e5), np.log(6e6))))
    policer = Policer(scene.world, rate, float(np.exp(rng.uniform(np.log(12e3), np.log(2e5)))), lambda _: True)

    fetch_all(scene, [policer], rate)


def limited_by_queue(scene: Scene) -> None:
    """Download through a queue of 20 to 400 ms, or over a path that loses 0.5 to 2 % at random."""
    rng = scene.rng
    rate = float(np.exp(rng.uniform(np.log(5e5), np.log(6e6))))
    shaper = Shaper(scene.world, rate, max(8e3, rate / 8 * float(rng.uniform(0.02, 0.4))))
    if rng.random() < 0.5:
        fetch_all(scene, [shaper], rate)
    else:
        fetch_all(scene, [], 8 * rate, loss=float(rng.uniform(0.005, 0.02)))


PLAYS = (
    Scenario("rate.policing", "Token-bucket downloads.", "rate.policing", limited_by_bucket, ENDS, family="rate"),
    Scenario(
        "rate.policing.benign", "Queued or lossy downloads.", None, limited_by_queue, ENDS, family="benign.rate",
        confounder="bottleneck queue or random loss",
    ),
)  # fmt: skip
