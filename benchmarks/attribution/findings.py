"""Findings about simulated captures whose system is known, with their traits."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.fit.corpus import LIMIT
from benchmarks.scoreboard.judging import Job, limited, opened
from netinterf.analyzers.run import analyze
from netinterf.arrays import F64, I64, Mask
from netinterf.attribute.catalogue import class_of
from netinterf.attribute.trait import UNKNOWN, Trait, Traits
from netinterf.simulate import scenarios
from netinterf.simulate.plays.tcp_stage import KEPT
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.verdict.attribution import appearance_of
from netinterf.verdict.combine import judge
from netinterf.verdict.subjects import list_subjects

__all__ = ["Known", "collect", "jobs", "joined"]


@attrs.frozen(eq=False, kw_only=True)
class Known:
    """Findings of which the system is known; aligned."""

    traits: Traits
    mechanism: NDArray[np.str_]
    rules: Mask
    peers: I64  # findings of one mechanism at one client of one capture have one number
    system: list[str]  # as the simulator calls it

    def __len__(self) -> int:
        return len(self.system)

    @property
    def held(self) -> Mask:
        """Say of which findings the capture holds packets of the box: some trait besides the trigger is known."""
        known = self.traits.value != UNKNOWN
        known[:, Trait.TRIGGER] = False
        held: Mask = known.any(axis=1)
        return held

    @property
    def weight(self) -> F64:
        """Weigh findings so that every system counts as much."""
        _, place, count = np.unique(self.system, return_inverse=True, return_counts=True)
        weights: F64 = 1.0 / count[place.reshape(-1)]
        return weights


def jobs(first_seed: int, seeds: int) -> list[Job]:
    """List captures of all simulated systems that leave packets to look at."""
    names = [play.name for play in scenarios() if play.system and class_of(play.mechanism or "")]
    return [
        Job(source="simulator", name=f"{name}-{seed}", scenario=name, seed=seed)
        for seed in range(first_seed, first_seed + seeds)
        for name in names
    ]


def one(job: Job, kept: float) -> Known | None:
    """Judge one capture, and keep the findings that are right."""
    usual = KEPT.set(kept)
    try:
        with limited(LIMIT):
            trace, labels = opened(job)
            evidence = analyze(trace)
            subjects = list_subjects(trace, evidence)
            verdicts = judge(evidence, subjects)
    except TimeoutError:
        return None
    finally:
        KEPT.reset(usual)
    appearance = appearance_of(verdicts, evidence, trace)
    if not len(appearance.row):
        return None
    truth = {
        (row.truth.client, row.truth.client_port, row.truth.server, row.truth.server_port): row.truth.system
        for row in labels.rows
        if row.mechanisms and row.truth.kind != "capture"
    }
    ends = [ends_of(trace, int(flow)) for flow in appearance.flow]
    system = [truth.get(mine, truth.get((*mine[2:], *mine[:2]), "")) for mine in ends]
    right = np.flatnonzero([bool(name) for name in system])
    return Known(
        traits=Traits(value=appearance.traits.value[right], text=appearance.traits.text.take(right)),
        mechanism=appearance.mechanism[right],
        rules=appearance.rules[right],
        peers=appearance.peers[right],
        system=[system[place] for place in right],
    )


def ends_of(trace: Trace, flow: int) -> tuple[str, int, str, int]:
    """Name the two ends of a flow."""
    flows = trace.flows
    client, server = trace.address(int(flows.client[flow])), trace.address(int(flows.server[flow]))
    return client or "", int(flows.client_port[flow]), server or "", int(flows.server_port[flow])


def collect(wanted: Sequence[Job], kept: float, processes: int) -> Known:
    """Judge captures in some processes, and put their findings together.

    Args:
        wanted: What to simulate.
        kept: How often a system keeps a mark as it was published.
        processes: How many at a time.
    """
    return joined(list(every(wanted, kept, processes)))


def joined(found: Sequence[Known]) -> Known:
    """Put findings together; those of different captures are no peers."""
    whose = np.repeat(np.arange(len(found)), [len(each) for each in found])
    within = np.concatenate([each.peers for each in found])
    _, peers = np.unique(np.stack([whose, within]), axis=1, return_inverse=True)
    return Known(
        traits=Traits(
            value=np.concatenate([each.traits.value for each in found]),
            text=Ragged.concat([each.traits.text for each in found]),
        ),
        mechanism=np.concatenate([each.mechanism for each in found]),
        rules=np.concatenate([each.rules for each in found]),
        peers=peers.reshape(-1),
        system=[name for each in found for name in each.system],
    )


def every(wanted: Sequence[Job], kept: float, processes: int) -> Iterator[Known]:
    """Walk the captures that gave findings."""
    judged = partial(one, kept=kept)
    if processes <= 1:
        yield from (found for found in map(judged, wanted) if found is not None)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from (found for found in pool.map(judged, wanted, chunksize=8) if found is not None)
