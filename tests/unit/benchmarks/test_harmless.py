"""Made-up campaigns in which nobody blocks anything: what is played, how it is laid out, and what is counted."""

import attrs
import numpy as np
import pytest

from benchmarks.campaigns.harmless import APART, Counted, count, report
from benchmarks.campaigns.laid_out import attempts_of, loaded
from benchmarks.campaigns.scenes import INDISTINCT, SCENES, Scene
from benchmarks.campaigns.world import NOWHERE, Came, Size, World
from netinterf.observations.attempts import DNS, QUIC, TLS, State

CATALOGUE = {name: scene for scenes in (*SCENES.values(), INDISTINCT) for name, scene in scenes.items()}
ORDINARY = CATALOGUE["ordinary loss"]


def smallest(scene: Scene) -> Size:
    """Give the least measures in which a scene happens: four runs that cover a day, or as many days."""
    places, every = min(scene.size.places, 4), 24 if scene.size.every == 24 else 6
    return attrs.evolve(scene.size, places=places, names=20, runs=4, every=every)


def drawn(size: Size, seed: int = 5) -> World:
    """Draw a campaign to which nothing happened yet."""
    return World.draw(size, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(3))
def test_ordinary_loss_blocks_nothing(seed):
    """Some of a thousand cells failed, and none of them is called blocked."""
    counts = count(ORDINARY, seed)
    assert counts["cells"] > 1000
    assert counts["blocked"] == 0


def test_the_same_seed_gives_the_same_counts_and_another_one_does_not():
    """Nothing but the seed decides."""
    first, again, other = (count(CATALOGUE["a resolver that errs about some names"], seed) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_each_scene_can_be_played(name):
    """In its smallest size something happens in it, nobody is seen to interfere, and it is judged."""
    scene = CATALOGUE[name]
    before, world = drawn(smallest(scene)), drawn(smallest(scene))
    scene.play(world)
    columns = ("time", "resolver", "address", "dns", "tcp", "quic")
    happened = any(np.any(getattr(before, column) != getattr(world, column)) for column in columns)
    assert happened is (scene.play is not ORDINARY.play)
    assert not loaded(world).observations.struck.any()
    assert count(scene, 0, smallest(scene))["cells"] > 0


def test_each_scene_is_told_in_one_sentence():
    """Names and sentences are those of one scene each, but for what is played in several sizes."""
    scenes = list(CATALOGUE.values())
    assert len(scenes) == sum(map(len, SCENES.values())) + len(INDISTINCT)
    assert len({(scene.told, scene.size) for scene in scenes}) == len(scenes)
    assert all(scene.told.endswith(".") and "\n" not in scene.told for scene in scenes)


@pytest.mark.parametrize("name", ["dead names and servers", "a filter at home", "captive portals"])
def test_steps_are_laid_out_visit_by_visit(name):
    """As a walk over all visits has them: nobody goes where no lookup led, and three tries are the most."""
    world = drawn(smallest(CATALOGUE[name]))
    CATALOGUE[name].play(world)
    expected = set()
    for visit in range(len(world.name)):
        led = world.dns[visit] == Came.ANSWERED and world.address[visit] != NOWHERE
        for transport, came in ((DNS, world.dns), (TLS, world.tcp), (QUIC, world.quic)):
            if came[visit] != Came.UNTRIED and (led or transport == DNS):
                state = State.ANSWERED if came[visit] == Came.ANSWERED else State.SILENT
                named = not (transport == TLS and came[visit] == Came.UNOPENED)
                expected.add((visit, transport, state, named))
    attempts = attempts_of(world)
    columns = (attempts.row, attempts.transport, attempts.state, attempts.called >= 0)
    tried = list(zip(*(column.tolist() for column in columns), strict=True))
    assert set(tried) == expected
    assert all(tried.count(one) <= (1 if one[2] == State.ANSWERED else 3) for one in expected)


def test_what_nothing_tells_from_a_block_is_counted_apart():
    """Two tables, each with its own last row."""
    shown = {"told": "", "cells": 10, "suspected": 1}
    found = [
        Counted(scene="calm", group="servers", blocked=0, **shown),
        Counted(scene="storm", group="servers", blocked=2, **shown),
        Counted(scene="twin", group=APART, blocked=5, **shown),
    ]
    told, apart = (part.splitlines() for part in report(found).split("\n\n"))
    assert told[-1].split() == ["together", "20", "2", "2"]
    assert apart[-1].split() == ["together", "10", "5", "1"]
    assert apart[0].startswith("scene that nothing tells from a block")
