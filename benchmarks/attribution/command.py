"""``python -m benchmarks attribution``: fit what is common, or measure whether the right system is named."""

from collections import Counter
from typing import Any

import numpy as np

from benchmarks.attribution.findings import Known, collect, jobs, joined
from benchmarks.attribution.fitting import UNDOCUMENTED, answers, count, document, tuned
from benchmarks.fit.command import FIRST_SEED as FIRST_FIT_SEED
from benchmarks.quality import FIRST_SEED
from netinterf.arrays import F64, I64, Mask
from netinterf.attribute.catalogue import background, systems
from netinterf.attribute.naming import name_findings
from netinterf.attribute.score import score

__all__ = ["FIRST_FIT_SEED", "FIRST_SEED", "run"]

MARKS = {"marks as documented": 1.0, "marks changed in two captures of three": 1 / 3}
"""How often simulated systems keep each mark as it was published."""


def run(*, fit: bool, seeds: int, first_seed: int, processes: int) -> dict[str, Any]:
    """Fit on, or measure on, simulated captures of all systems that leave packets to look at."""
    wanted = jobs(first_seed, seeds)
    span = f"{first_seed} to {first_seed + seeds - 1}"
    found = {word: collect(wanted, kept, processes) for word, kept in MARKS.items()}
    if fit:
        known = joined(list(found.values()))
        common = tuned(known, count(known))
        document(common, span, len(MARKS) * len(wanted))
        print(f"agreement {common.agreement}, temper {common.temper}, undocumented {common.unknown} : 1")
        background.cache_clear()
    result = {}
    for word, known in found.items():
        numbers = f"{len(known):,} findings of {len(set(known.system))} systems"
        print(f"{word}: {len(wanted):,} captures (seeds {span}), {numbers}")
        result[word] = report(known)
    return result


def report(known: Known) -> dict[str, Any]:
    """Print how often the right system comes first, by system; each system counts as much as any other."""
    right, named = answers(known), name_them(known)
    documented = ~right[:, -1]
    weight = known.weight
    hit = right[np.arange(len(known)), named]
    ids = np.array([*(entry.id for entry in systems()), UNDOCUMENTED])
    ours = set(np.array(known.system)[documented])
    for name in sorted(set(known.system), key=lambda one: (one not in ours, one)):
        mine = np.array(known.system) == name
        first = dict(Counter(ids[named[mine]].tolist()).most_common(3))
        print(f"  {name:24} {int(hit[mine].sum()):4} of {int(mine.sum()):4}  {first}")
    result = {
        "findings": len(known),
        "documented": share(hit, documented, weight),
        "documented, its packets in the capture": share(hit, documented & known.held, weight),
        "undocumented": share(hit, ~documented, weight),
        "named_wrongly": share(~hit & (named < len(systems())), documented | ~documented, weight),
    }
    print(", ".join(f"{word} {value:.3f}" for word, value in result.items() if word != "findings"))
    return result


def name_them(known: Known) -> I64:
    """Name the system of each finding as verdicts do: its place in the catalogue, the one behind the last for none."""
    common = background()
    scores = score(known.traits, known.mechanism, known.rules, systems(), common)
    names = name_findings(scores.llr, scores.look, known.peers, common)
    return np.where(names.system < 0, len(systems()), names.system)


def share(hit: Mask, among: Mask, weight: F64) -> float:
    """Share of hits, each system counting as much."""
    return float(np.average(hit[among], weights=weight[among])) if among.any() else float("nan")
