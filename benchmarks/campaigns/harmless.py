"""Campaigns in which nobody blocks anything: how many cells are called blocked. ``python -m benchmarks harmless``.

Scenes that draw the same packets as a block does are counted apart: whoever is accused there is accused wrongly as
well, but no way of judging would help.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import attrs
import numpy as np

from benchmarks.campaigns.laid_out import judged
from benchmarks.campaigns.scenes import INDISTINCT, SCENES, Scene
from benchmarks.campaigns.world import Size, World
from benchmarks.machine import table, write_json
from netinterf.pooling.grades import Finding

__all__ = ["Counted", "count", "measure", "report", "run"]

APART = "that nothing tells from a block"


@attrs.frozen(kw_only=True)
class Counted:
    """What was found in the campaigns of one scene."""

    scene: str
    group: str
    told: str  # what happens
    cells: int = 0
    blocked: int = 0
    suspected: int = 0


def count(scene: Scene, seed: int, size: Size | None = None) -> dict[str, int]:
    """Play a scene, judge it, and count its cells and what is found of them.

    Args:
        scene: What happens.
        seed: Of the campaign.
        size: Other measures than those of the scene.
    """
    world = World.draw(size or scene.size, np.random.default_rng([seed, *scene.play.__name__.encode()]))
    scene.play(world)
    cells = judged(world)
    found = cells.counts()
    return {"cells": len(cells), "blocked": found[Finding.BLOCKED], "suspected": found[Finding.SUSPECTED]}


def measure(seeds: Sequence[int]) -> list[Counted]:
    """Play all scenes with each seed."""
    groups: Mapping[str, Mapping[str, Scene]] = {**SCENES, APART: INDISTINCT}
    found = []
    for group, scenes in groups.items():
        for name, scene in scenes.items():
            counts = [count(scene, seed) for seed in seeds]
            total = {word: sum(one[word] for one in counts) for word in ("cells", "blocked", "suspected")}
            found.append(Counted(scene=name, group=group, told=scene.told, **total))
    return found


def report(found: Iterable[Counted]) -> str:
    """Lay out what was found, scene by scene and in all, and apart what nothing tells from a block."""
    listed = list(found)
    told = [one for one in listed if one.group != APART]
    apart = [one for one in listed if one.group == APART]
    return f"{tabled('scene', told)}\n\n{tabled(f'scene {APART}', apart)}"


def tabled(head: str, found: list[Counted]) -> str:
    """Lay out a row for each scene and one for all."""
    words = ("cells", "blocked", "suspected")
    rows = [[one.scene, *(getattr(one, word) for word in words)] for one in found]
    rows.append(["together", *(sum(getattr(one, word) for one in found) for word in words)])
    return table([head, *words], rows)


def run(seeds: int, out: Path | None = None) -> dict[str, Any]:
    """Play all scenes, print what was found, and write it where it is wanted.

    Args:
        seeds: Campaigns of each scene.
        out: A file for the results.
    """
    begin = perf_counter()
    found = measure(range(seeds))
    seconds = perf_counter() - begin
    print(f"{report(found)}\n{len(found) * seeds} campaigns, {seconds:.0f} s")
    results = {"seeds": seeds, "seconds": seconds, "scenes": [attrs.asdict(one) for one in found]}
    if out is not None:
        write_json(out, results)
    return results
