"""What the statistics of groups are worth: detection, false alarms, coverage, who is accused, time and memory.

Everything is made up (`benchmarks.crowd`), so that the truth is known and the numbers hold for calibrated evidence;
captures are measured by ``python -m benchmarks quality``.
"""

import io
import time
import tracemalloc
from itertools import product
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.crowd import Crowd, block, crowd, crowd_model
from benchmarks.machine import write_json
from netinterf.analyzers.run import analyze
from netinterf.arrays import F64, Mask
from netinterf.capture import write_pcap
from netinterf.schema import Grade, GroupBy, Groups, Hosts
from netinterf.simulate import Conditions, scenarios
from netinterf.simulate import run as simulate
from netinterf.stats.contrast import contrast
from netinterf.stats.mixture import log_likelihoods, mixture_of, share_grid
from netinterf.stats.multiple import e_benjamini_hochberg
from netinterf.table import Text
from netinterf.trace import read
from netinterf.verdict.clusters import weigh_subjects
from netinterf.verdict.combine import judge
from netinterf.verdict.groups import find_groups
from netinterf.verdict.model import default_model
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_TCP, KIND_UDP, list_subjects
from netinterf.verdict.weigh import vocabulary

__all__ = ["accusations", "contrasts", "discoveries", "large_crowd", "mixtures", "run", "scale"]

BAR = float(np.log(100.0))  # the bar at which the reference's mixture was measured (section 6.6)
SEPARATION = 2.0  # standard deviations between hit and spared
LIKELY = tuple(Grade).index(Grade.LIKELY)
BY = tuple(GroupBy)
WEIGHT_SEED = 2000  # of captures that flows are weighed in; neither fitted to nor judged by the scoreboard


def scores(affected: Mask, rng: np.random.Generator) -> F64:
    """Draw log-likelihood ratios of N(0, 1) against N(2, 1): ``d·x - d²/2``."""
    value = rng.normal(0, 1, len(affected)) + SEPARATION * affected
    result: F64 = SEPARATION * value - SEPARATION**2 / 2
    return result


def mixtures(trials: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Measure groups of n members of which a share is affected: how often they pass, and whether the interval holds."""
    grid, rows = share_grid(), []
    for members in (5, 20, 100):
        for share in (0.0, 0.1, 0.3, 1.0):
            affected = rng.random(trials * members) < share
            group = np.repeat(np.arange(trials), members)
            found = mixture_of(log_likelihoods(scores(affected, rng), group, trials, grid), grid)
            inside = (found.low <= share) & (share <= found.high)
            rows.append(
                {
                    "members": members,
                    "share": share,
                    "passed": float(np.mean(found.llr >= BAR)),
                    "covered": float(np.mean(inside)) if share else None,
                    "mean": float(np.mean(found.share)) if share else None,
                }
            )
    return rows


def discoveries(trials: int, rng: np.random.Generator, groups: int = 10_000) -> list[dict[str, Any]]:
    """Measure the realised share of false discoveries at 5 % among groups of which 1 % are affected.

    Common factors shift the k-th members of all groups of a trial together: groups depend on each other, the members of
    one group do not (what they share is tempered by site), and each score is N(0, 1) by itself.
    """
    grid, rows, members, truth = share_grid(), [], 20, np.arange(groups) < groups // 100
    member_of = np.repeat(np.arange(groups), members)
    for correlation in (0.0, 0.3):
        false, found, power = [], 0, []
        for _ in range(trials):
            hit = truth[member_of] & (rng.random(groups * members) < 0.5)
            common = np.tile(rng.normal(0, 1, members), groups)
            noise = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.normal(0, 1, groups * members)
            llr = SEPARATION * (noise + SEPARATION * hit) - SEPARATION**2 / 2
            value = mixture_of(log_likelihoods(llr, member_of, groups, grid), grid).llr
            said = e_benjamini_hochberg(np.exp(np.minimum(value, 700.0))) <= 0.05
            false.append(np.count_nonzero(said & ~truth) / max(int(np.count_nonzero(said)), 1))
            found += int(np.count_nonzero(said))
            power.append(np.count_nonzero(said & truth) / np.count_nonzero(truth))
        rows.append(
            {
                "correlation": correlation,
                "false": float(np.mean(false)),
                "worst": float(np.max(false)),
                "power": float(np.mean(power)),
                "found": found,
            }
        )
    return rows


def contrasts(trials: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Measure how often targets are said to be hit more than controls (Bayes factor 20) when they are and are not."""
    grid, rows, members = share_grid(), [], 20
    group = np.repeat(np.arange(trials), members)
    for target, control in ((0.0, 0.0), (0.3, 0.3), (1.0, 1.0), (0.3, 0.0), (1.0, 0.0), (1.0, 0.3)):
        mine, theirs = (
            log_likelihoods(scores(rng.random(trials * members) < share, rng), group, trials, grid)
            for share in (target, control)
        )
        value = contrast(mine, theirs, grid)
        rows.append({"target": target, "control": control, "passed": float(np.mean(value >= np.log(20.0)))})
    return rows


def simulated_weights(seeds: int = 3) -> tuple[F64, F64]:
    """Weigh, by the packaged model, simulated flows that a forged reset ended, and those beside them.

    Args:
        seeds: Captures of each scenario of forged resets, all taken at the client.

    Returns:
        Nats of flows that were hit, and of flows that were spared.
    """
    hit: list[float] = []
    spared: list[float] = []
    names = [play.name for play in scenarios() if play.mechanism == "tcp.reset"]
    for name, seed in product(names, range(WEIGHT_SEED, WEIGHT_SEED + seeds)):
        played = simulate(name, seed, Conditions(vantage="client", direction="both"))
        held = io.BytesIO()
        write_pcap(held, played.times, played.frames, played.link_type, lengths=played.lengths)
        trace = read(held.getvalue())
        evidence = analyze(trace)
        subjects = list_subjects(trace, evidence)
        model = default_model()
        weights = weigh_subjects(evidence, subjects, vocabulary(model, evidence.rules), model)
        struck = {(one.client_port, one.server_port): bool(one.mechanism) for one in played.labels.truths}
        for row in np.flatnonzero(weights.known).tolist():
            flow = subjects.flow[row]
            ports = int(trace.flows.client_port[flow]), int(trace.flows.server_port[flow])
            if ports in struck:
                (hit if struck[ports] else spared).append(float(weights.llr[row]))
    return np.array(hit), np.array(spared)


def accusations(
    trials: int, seed: int = 0, weights: tuple[F64, F64] | None = None, **model: Any
) -> list[dict[str, Any]]:
    """Measure who is accused (likely or confirmed) when one name, address, prefix or client is blocked, or nothing.

    Args:
        trials: How many captures of each kind; five times as many without a block.
        seed: Any number.
        weights: What hit and spared flows weigh; see `benchmarks.crowd.block`.
        model: Changes to the model of the crowd.
    """
    numbers, rows = crowd_model(**model), []
    for kind in ("name", "server", "prefix", "client", "none"):
        count = trials if kind != "none" else 5 * trials
        right = alone = wrong = missed = 0
        for trial in range(count):
            table, value = block(kind, np.random.default_rng([seed, trial]), weights=weights)
            said = accused(table.groups(numbers))
            right += (kind, value) in said
            alone += said == [(kind, value)]
            wrong += any(one != (kind, value) for one in said)
            missed += not said
        rows.append(
            {"blocked": kind, "trials": count, "right": right / count, "alone": alone / count}
            | {"wrong": wrong / count, "missed": missed / count}
        )
    return rows


def accused(groups: Groups) -> list[tuple[str, str]]:
    """List the groups that are at least likely."""
    rows = np.flatnonzero(groups.grade <= LIKELY)
    return [(BY[groups.by[row]].value, groups.value[row]) for row in rows.tolist()]


def large_crowd(subjects: int = 1_000_000, seed: int = 0) -> Crowd:
    """Make up a day of a large network: 10,000 names, 5,000 servers, 1,000 clients; some names and servers blocked."""
    rng = np.random.default_rng(seed)
    names, servers, clients = 10_000, 5_000, 1_000
    pool = Text.of([f"www.host{row}.example{row // 3}.com" for row in range(names)])
    name = (names * rng.random(subjects) ** 2).astype(np.int64)
    home = rng.integers(0, servers, (names, 3))
    server = home[name, rng.integers(0, 3, subjects)]
    llr = np.where(rng.random(subjects) < 0.1, rng.normal(-2, 1, subjects), 0.0)
    hit = ((name % 500 == 7) | (server % 1000 == 3)) & (rng.random(subjects) < 0.8)
    llr[hit] = rng.normal(6, 3, np.count_nonzero(hit))
    table = crowd(
        llr,
        client=rng.integers(0, clients, subjects),
        server=server,
        name=pool.take(name),
        minute=rng.random(subjects) * 1440,
        kind=rng.choice([KIND_TCP, KIND_UDP, KIND_EXCHANGE], subjects, p=[0.7, 0.1, 0.2]),
    )
    low = table.hosts.low.copy()  # two servers to a prefix
    place = np.arange(len(low) - clients)
    low[clients:] = (0xFFFF << 32) | (0x40000000 + place // 2 * 256 + place % 2)
    return attrs.evolve(table, hosts=Hosts.of(high=table.hosts.high, low=low))


def scale(subjects: int = 1_000_000, repeats: int = 3) -> list[dict[str, Any]]:
    """Measure time and memory from evidence to verdicts and groups, without and with silence that weighs.

    Returns:
        Per setting the fastest of some runs, in seconds, and the peak of what was allocated, in megabytes.
    """
    table, rows = large_crowd(subjects), []
    fitted = {(kind, word): nats for (kind, word), nats in default_model().quiet.items() if word == "ok"}
    for silence in ({}, fitted):
        model = crowd_model(quiet=silence, site_correlation=default_model().site_correlation)
        judging, grouping = [], []
        for _ in range(repeats):
            begin = time.perf_counter()
            verdicts = judge(table.evidence, table.subjects, model)
            judged = time.perf_counter()
            groups = find_groups(table.evidence, table.subjects, verdicts, table.hosts, None, model)
            judging.append(judged - begin)
            grouping.append(time.perf_counter() - judged)
        tracemalloc.start()
        verdicts = judge(table.evidence, table.subjects, model)
        find_groups(table.evidence, table.subjects, verdicts, table.hosts, None, model)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        rows.append(
            {"flows": subjects, "silence": "as fitted" if silence else "nothing", "verdicts_s": min(judging)}
            | {"groups_s": min(grouping), "megabytes": peak / 1e6, "groups": len(groups)}
        )
    return rows


def run(trials: int, out: Path | None) -> dict[str, Any]:
    """Measure everything, print it, and write it to a file.

    Args:
        trials: How many groups or captures of each kind; false discoveries take a twentieth, clean captures five times.
        out: JSON file, None for none.

    Returns:
        What is printed, as tables.
    """
    rng = np.random.default_rng(1)
    found: dict[str, Any] = {
        "trials": trials,
        "mixtures": mixtures(trials, rng),
        "discoveries": discoveries(max(trials // 20, 1), rng),
        "contrasts": contrasts(trials, rng),
        "accusations": accusations(trials),
        "accusations, evidence of simulated flows, packaged model": accusations(
            trials,
            weights=simulated_weights(),
            site_correlation=default_model().site_correlation,
            group_prior=default_model().group_prior,
        ),
        "scale": scale(),
    }
    for title, rows in found.items():
        if isinstance(rows, list):
            print(f"\n{title}")
            print("  " + "".join(f"{word:>12}" for word in rows[0]))
            for row in rows:
                print("  " + "".join(f"{shown(value):>12}" for value in row.values()))
    if out is not None:
        write_json(out, found)
    return found


def shown(value: Any) -> str:
    """Write a number for a table."""
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
