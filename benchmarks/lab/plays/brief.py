"""Captures as users make them: every play again, cut off after some seconds, on paths from good to bad.

A user starts a capture, tries what does not work, and stops. So each of these captures lasts 3 to 10 seconds and holds
a few connections, with round trips of 10 to 300 ms and losses of 0 to 3 %, drawn for each seed.
"""

import functools
from collections.abc import Callable

import attrs

from benchmarks.lab.scenario import LINES, Scenario, Stage

__all__ = ["brief"]

SECONDS = (3.0, 4.0, 6.0, 10.0)
"""How long captures last. Transfers whose rate matters get twice the least."""

BEGIN = 0.4
"""Share of a capture in which everything has begun."""

CONNECTIONS = 12
"""So many conversations at most, lookups not counted."""


GAPS = (0.5, 1.0)
"""Seconds after which a stub asks again: those of browsers and of Windows."""


def brief(scenario: Scenario) -> Scenario:
    """Play a scenario as a user's short capture shows it."""
    return attrs.evolve(
        scenario,
        name=f"{scenario.name}.brief",
        says=f"{scenario.says} Cut off after some seconds.",
        play=functools.partial(cut_off, scenario.play),
    )


def cut_off(play: Callable[[Stage], None], stage: Stage) -> None:
    """Draw length and path, play, and let all begin in time."""
    rng = stage.rng
    stage.limit = rng.choice(SECONDS[2:] if ".rate." in f".{stage.scenario.name}" else SECONDS)
    wanted = 0.01 * 30 ** rng.random()
    for line in LINES:
        stage.lines[line]["delay"] *= wanted / stage.rtt
    stage.rtt = wanted
    stage.clean()
    loss = rng.choice((0.0, 0.0, 0.003, 0.01, 0.03))
    if loss:
        stage.lossy(loss)
    play(stage)
    latest = max((errand["at"] for errand in stage.errands), default=0.0)
    share = min(1.0, BEGIN * stage.limit / max(latest, 1e-9))
    for errand in stage.errands:
        errand["at"] *= share
    gap = rng.choice(GAPS)
    for errand in stage.errands:
        for step in errand["steps"]:
            if step[0] == "query":
                step[3].setdefault("gap", gap)
    talks = [errand for errand in stage.errands if errand["steps"][0][0] != "query"]
    for late in sorted(talks, key=lambda errand: float(errand["at"]))[CONNECTIONS:]:
        stage.errands.remove(late)
