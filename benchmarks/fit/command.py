"""``python -m benchmarks fit``: gather, fit, write the packaged model and the models of left-out tenths."""

import json
import pickle
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.fit.alone import alone_of
from benchmarks.fit.corpus import Sample, collect, gather, total_caps
from benchmarks.fit.design import Design, lay_out
from benchmarks.fit.document import document_of, left_out_of, seen_in, write
from benchmarks.fit.folds import FOLDS, folds_of
from benchmarks.fit.same_path import times_of
from benchmarks.fit.silence import quiet_of, supported
from benchmarks.fit.weights import fit_factors
from benchmarks.machine import ROOT
from benchmarks.quality import Plan, jobs_of
from benchmarks.reality.bounds import LEAST_HOMES, LEAST_SUBJECTS
from benchmarks.scoreboard.judging import Job
from benchmarks.scoreboard.left_out import FILE
from netinterf.arrays import Mask
from netinterf.stats.dependence import intraclass_correlation
from netinterf.verdict.model import Model, default_model

__all__ = ["FIRST_SEED", "MODEL", "captures_of", "run"]

FIRST_SEED = 10_000
"""Seeds of the fit; `quality` begins at 1,000, tests lie below."""

THIN = ("*quic*", "benign.reach.*")
"""Scenarios that are played on `TIMES` as many seeds. Captures hold few UDP flows, and what evidence about a kind of
subject may carry is what its untouched subjects support: 25,000 of them allow 9.0 nats, where `likely` needs 9.2 for
what is rarest (a stop of QUIC at a count)."""

TIMES = 3

MODEL = ROOT / "netinterf" / "data" / "model.json"


def run(*, seeds: int, lab_seeds: int, jobs: int, version: str, cache: Path | None = None) -> dict[str, Any]:
    """Fit the model and write it.

    Args:
        seeds: Captures of each simulated scenario.
        lab_seeds: Runs of each scenario of the lab, 0 for none.
        jobs: Processes.
        version: What to call the numbers.
        cache: Where to keep the corpus between runs; None keeps nothing.
    """
    begin = time.perf_counter()
    samples = corpus_of(seeds, lab_seeds, jobs, cache)
    corpus = gather(samples)
    started = attrs.evolve(default_model(), factors={}, quiet={}, alone={}, total_caps={})
    design = lay_out(corpus, started)
    print(f"{len(samples):,} captures, {len(corpus):,} subjects, {len(design.kept):,} suspicions decided")
    folds = folds_of(corpus.origin.tolist())
    before = json.loads(MODEL.read_text(encoding="utf-8"))
    fitted, parts = fit(design, started, folds, spotless(design, before["bounds"]))
    about = {
        "version": version,
        "captures": len(samples),
        "simulator_seeds": f"{FIRST_SEED} to {FIRST_SEED + seeds - 1}; {' and '.join(THIN)} {TIMES} times as many",
        "lab_seeds": f"{FIRST_SEED} to {FIRST_SEED + lab_seeds - 1}" if lab_seeds else "none",
        "interfered": int(np.sum(~corpus.benign)),
        "untouched": int(np.sum(corpus.benign)),
        "origins": len(folds),
    }
    write(MODEL, document_of(design, before, fitted, about))
    write(FILE, left_out_of(folds, parts), indent=None)
    seconds = round(time.perf_counter() - begin, 1)
    print(f"{MODEL.name} and {FILE.name} written after {seconds} s")
    return {**about, "seconds": seconds}


def corpus_of(seeds: int, lab_seeds: int, jobs: int, cache: Path | None) -> list[Sample]:
    """Simulate, run the lab, and look at everything; or read what an earlier run kept."""
    if cache is not None and cache.exists():
        kept: list[Sample] = pickle.loads(cache.read_bytes())
        return kept
    with tempfile.TemporaryDirectory() as held:
        lab = lab_folder(Path(held), lab_seeds)
        plan = Plan(simulator=True, seeds=seeds, first_seed=FIRST_SEED, rivals=False)
        found = list(collect(captures_of(plan, lab), jobs))
    samples = [one for one in found if isinstance(one, Sample)]
    for name in (one for one in found if isinstance(one, str)):
        print(f"left out: {name}", file=sys.stderr)
    if cache is not None:
        cache.write_bytes(pickle.dumps(samples))
    return samples


def captures_of(plan: Plan, lab: Path | None) -> list[Job]:
    """List the captures of a fit: those of a plan, and `TIMES` as many of `THIN` scenarios, each once."""
    more = attrs.evolve(plan, first_seed=plan.first_seed + plan.seeds, seeds=(TIMES - 1) * plan.seeds)
    thin = [job for pattern in THIN for job in jobs_of(attrs.evolve(more, pattern=pattern))]
    return [*jobs_of(plan, lab), *{job.name: job for job in thin}.values()]


def lab_folder(folder: Path, seeds: int) -> Path | None:
    """Let the lab make its captures; None when it is not asked for or cannot run here."""
    from benchmarks.lab import available
    from benchmarks.lab.runner import make

    if seeds == 0:
        return None
    reason = available()
    if reason:
        print(f"no lab: {reason}", file=sys.stderr)
        return None
    make(folder, range(FIRST_SEED, FIRST_SEED + seeds), "*")
    return folder


def spotless(design: Design, bounds: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """List the rules that no benign traffic fires, neither simulated nor real, though there it could have.

    Args:
        design: The regression problem.
        bounds: What real captures showed of every rule (`benchmarks.reality`).
    """
    _, spared = seen_in(design)
    shown = {
        row["rule"]
        for row in bounds
        if not row["fired"] and row["exposed"] >= LEAST_SUBJECTS and row["repositories"] >= LEAST_HOMES
    }
    return frozenset(rule for rule in shown if not spared[rule])


def fit(design: Design, started: Model, folds: dict[str, int], spotless: frozenset[str]) -> tuple[Model, list[Model]]:
    """Fit on everything, and on everything but each tenth.

    Returns:
        The model, and one per tenth that never saw it.
    """
    fold = np.array([folds[origin] for origin in design.corpus.origin.tolist()], np.int64)
    everybody = np.ones(len(fold), np.bool_)
    everything = fit_factors(design, started, everybody, spotless=spotless)
    whole = finish(design, started, everything, everybody)
    parts = []
    for one in range(FOLDS):
        factors = fit_factors(design, started, fold != one, everything, spotless)
        parts.append(finish(design, started, factors, fold != one))
    return whole, parts


def finish(design: Design, started: Model, factors: dict[str, float], use: Mask) -> Model:
    """Add to fitted factors how far evidence may carry, what silence means, a single sign, and a certain case.

    Args:
        design: The regression problem.
        started: Grades and what is not fitted.
        factors: The fitted factors.
        use: Which subjects may be looked at.
    """
    corpus = attrs.evolve(design.corpus, benign=design.corpus.benign & use)
    model = attrs.evolve(started, factors=factors, total_caps=total_caps(corpus))
    quiet = quiet_of(design.corpus, supported(design, model), use)
    model = attrs.evolve(
        model,
        quiet=quiet,
        alone=alone_of(design, model, use),
        site_correlation=round(alike(design, model), 3),
    )
    return attrs.evolve(model, same_path=times_of(design, model, use))


def alike(design: Design, model: Model) -> float:
    """Measure how alike the evidence about untouched subjects of one server is."""
    corpus = design.corpus
    best = np.zeros(len(corpus))
    np.maximum.at(best, design.suspicions.row[design.kept], design.scores(model))
    benign = np.flatnonzero(corpus.benign)
    return intraclass_correlation(best[benign], corpus.site[benign], int(corpus.site.max(initial=-1)) + 1)
