"""What is lost on senders and round trips that the fit never saw: ``python -m benchmarks strata --cache FILE``.

The corpus of a fit is read from where ``fit --cache`` keeps it. Its captures of policers whose senders can be chosen
are played anew with each congestion control, so that it is known of each which it is. The model is fitted with all of
them, and again without each stratum: without one congestion control, or without a third of the round trips. Captures of
each stratum, of seeds that no fit saw, are judged by both models; the difference is what is lost.
"""

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import attrs
import numpy as np

from benchmarks.decidable.rules import LEAST_DROPS
from benchmarks.fit.command import FIRST_SEED, finish
from benchmarks.fit.corpus import Sample, gather, sample_of
from benchmarks.fit.design import lay_out
from benchmarks.fit.weights import fit_factors
from benchmarks.limits import (
    CONGESTION,
    Limited,
    chooses_congestion,
    limiting,
    played,
    round_trips,
    told,
)
from benchmarks.machine import table, write_json
from netinterf.analyzers.run import analyze
from netinterf.verdict.combine import classify
from netinterf.verdict.model import Model, default_model
from netinterf.written.format import verdict_line
from netinterf.written.ledger import explain

__all__ = ["run"]

Case = tuple[str, int, str]

LEARNT = 8
"""Captures of each scenario and congestion control that the fit sees."""


@attrs.frozen(eq=False, kw_only=True)
class Played:
    """A capture of a policer whose senders are known."""

    sample: Sample
    congestion: str
    rtt: float  # seconds, the median of limited flows; NaN: unknown


def look(case: Case) -> Played:
    """Play one case, and keep what a fit needs of it."""
    trace, labels = played(case)
    trips = round_trips(trace)
    limited = [trips.get(row.truth.first_frame, 0.0) for row in labels.rows if max(row.truth.limit[2:]) >= LEAST_DROPS]
    known = [trip for trip in limited if trip > 0]
    rtt = float(np.median(known)) if known else float("nan")
    return Played(sample=sample_of(trace, labels), congestion=case[2], rtt=rtt)


def judge(case: Case, models: Sequence[Model]) -> list[list[Limited]]:
    """Play one case, and judge its flows by each model."""
    trace, labels = played(case)
    evidence = analyze(trace)
    found = []
    for model in models:
        ledger = explain(classify(evidence, trace, model), evidence, trace, model=model)
        found.append(list(told(case, trace, labels, [verdict_line(verdict) for verdict in ledger])))
    return found


def fitted(samples: Sequence[Sample], cache: Path, instead: Sequence[str]) -> Model:
    """Fit a model as ``fit`` does, with some samples *instead* of what the cache holds of their scenarios."""
    rest = [one for one in pickle.loads(cache.read_bytes()) if one.scenario not in instead]
    started = attrs.evolve(default_model(), factors={}, quiet={}, alone={}, total_caps={})
    corpus = gather([*rest, *samples])
    design = lay_out(corpus, started)
    everybody = np.ones(len(corpus), np.bool_)
    return finish(design, started, fit_factors(design, started, everybody), everybody)


def run(*, cache: Path, first: int, seeds: int, jobs: int = 2, out: Path | None = None) -> list[list[str]]:
    """Fit with and without each stratum, and print what is found of it.

    Args:
        cache: The corpus of a fit.
        first: First seed that is judged.
        seeds: Captures of each scenario and congestion control that are judged.
        jobs: Processes.
        out: Where to write the results as JSON.
    """
    names = [name for name in limiting() if chooses_congestion(name)]
    learnt, unseen = (
        [(name, seed, control) for seed in range(begin, begin + many) for name in names for control in CONGESTION]
        for begin, many in ((FIRST_SEED, LEARNT), (first, seeds))
    )
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        every = list(pool.map(look, learnt, chunksize=4))
        edges = np.nanquantile([one.rtt for one in every], (1 / 3, 2 / 3)).tolist()
        strata = strata_of(edges)
        corpora = [
            [one.sample for one in every if not left_out(one.congestion, one.rtt)]
            for left_out in (nothing, *strata.values())
        ]
        models = list(pool.map(partial(fitted, cache=cache, instead=names), corpora))
        judged = list(pool.map(partial(judge, models=models), unseen, chunksize=4))
    rows = []
    for place, (word, holds) in enumerate(strata.items(), start=1):
        whole, without = (
            [one for part in judged for one in part[model] if one.counts and holds(one.congestion, one.rtt)]
            for model in (0, place)
        )
        shares = [sum(one.found for one in part) / max(len(part), 1) for part in (whole, without)]
        rows.append([word, str(len(whole)), *(f"{share:.3f}" for share in shares), f"{shares[0] - shares[1]:+.3f}"])
    print(table(["stratum", "limited flows", "found", "found when left out", "lost"], rows))
    if out is not None:
        write_json(out, {"edges": edges, "rows": rows})
    return rows


def strata_of(edges: Sequence[float]) -> dict[str, Callable[[str, float], bool]]:
    """Name the strata: what tells of a congestion control and a round trip in seconds whether they belong to each."""
    words = (f"below {1e3 * edges[0]:.0f} ms", "between", f"above {1e3 * edges[1]:.0f} ms")
    senders = {control: partial(by_congestion, control) for control in CONGESTION}
    return {**senders, **{word: partial(by_trip, edges, place) for place, word in enumerate(words)}}


def nothing(_congestion: str, _rtt: float) -> bool:
    """Leave nothing out."""
    return False


def by_congestion(wanted: str, congestion: str, _rtt: float) -> bool:
    """Say whether senders used one congestion control."""
    return congestion == wanted


def by_trip(edges: Sequence[float], third: int, _congestion: str, rtt: float) -> bool:
    """Say whether a round trip lies in one third; unknown ones lie in none."""
    return rtt > 0 and int(np.searchsorted(edges, rtt)) == third
