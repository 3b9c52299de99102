"""What judging real captures came to, counted and written down."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.reality.judging import Told, Unit
from benchmarks.scoreboard.calibration import error_by_chance
from benchmarks.scoreboard.intervals import wilson
from benchmarks.scoreboard.tables import Section
from netinterf.arrays import F64
from netinterf.stats import calibration_error, log_loss, reliability

__all__ = ["calibration", "counted", "sections"]

FAMILIES = ("dns_injection", "rst_injection", "http_injection", "fin_injection", "silent_drop", "policing")
"""Labels, in the words of the catalogue."""

LEAST_PROBABILITY = 0.1
"""Probability from which a subject counts for the calibration: below it nearly all are quiet, and right."""


def counted(told: Sequence[Told]) -> dict[str, Any]:
    """Count what was said of captures: once over the open ones, once over the reserve."""
    return {
        name: {
            "captures": len(mine),
            "repositories": len({one.repository for one in mine}),
            "failed": {one.file: one.failure for one in mine if one.failure},
            "families": {family: found(mine, family) for family in FAMILIES},
            "benign": benign(mine),
            "suspicions": suspicions(mine),
            "calibration": calibration(mine),
            "contradicted": sum(one.contradicted for one in mine),
        }
        for name, mine in (("open", [one for one in told if not one.reserved]),
                           ("reserve", [one for one in told if one.reserved]))
        if mine
    }  # fmt: skip


def found(told: Iterable[Told], family: str) -> dict[str, Any]:
    """Count files, units and forged frames of one label that were found."""
    files: Counter[str] = Counter()
    units: Counter[str] = Counter()
    missed, frames = [], np.zeros(3, np.int64)  # true, named, and both
    for one in told:
        mine = [unit for unit in one.units if unit.family == family]
        labelled = family in one.expected and one.kind == "positive"
        if not mine and not labelled:
            continue
        likely = int(any(unit.answer.right for unit in mine))
        files.update(all=1, likely=likely, possible=int(likely or any(unit.answer.possible for unit in mine)))
        units.update(
            all=len(mine),
            likely=sum(unit.answer.right for unit in mine),
            possible=sum(unit.answer.right or unit.answer.possible for unit in mine),
        )
        frames += np.sum([(u.forged, u.answer.named, u.answer.hit) for u in mine] or [(0, 0, 0)], axis=0)
        if not likely:
            missed.append(one.file)
    true, named, hit = frames.tolist()
    return {
        "files": dict(files), "units": dict(units), "missed": missed,
        "frames": {"true": true, "named": named, "hit": hit},
    }  # fmt: skip


def benign(told: Iterable[Told]) -> dict[str, Any]:
    """Count benign files and untouched units that were accused, by repository and by the rule that carried it."""
    files = [one for one in told if one.kind == "benign" and not one.failure]
    untouched = [(one, unit) for one in told for unit in one.units if not unit.family]
    flagged = [one for one in files if one.accused]
    everybody = [(one, accusation) for one in told for accusation in one.accused]
    return {
        "files": len(files),
        "files_accused": len(flagged),
        "files_confirmed": sum(any(each.grade == "confirmed" for each in one.accused) for one in flagged),
        "files_suspected": sum(
            any(unit.answer.possible or doubted(unit) for unit in one.units) for one in files if not one.accused
        ),
        "units": len(untouched),
        "units_accused": sum(bool(unit.answer.said) for _, unit in untouched),
        "by_repository": dict(Counter(one.repository for one in flagged)),
        "by_rule": dict(Counter(each.evidence[0][0] if each.evidence else "" for _, each in everybody)),
        "accusations": [
            {"file": one.file, "subject": each.subject, "mechanism": each.mechanism, "grade": each.grade,
             "probability": each.probability, "evidence": [list(pair) for pair in each.evidence]}
            for one, each in everybody
        ],
    }  # fmt: skip


def doubted(unit: Unit) -> bool:
    """Say whether somebody is suspected, without accusation, of what nobody did."""
    return not unit.family and (unit.answer.probability or 0.0) >= 0.5 and not unit.answer.said


def suspicions(told: Iterable[Told]) -> dict[str, int]:
    """Count the labelled subjects that are suspected and not accused, by what was done to them."""
    rows = [unit for one in told for unit in one.units if unit.answer.doubted and not unit.answer.said]
    return {
        "printed": len(rows),
        "right": sum(unit.answer.possible for unit in rows),
        "other": sum(bool(unit.family) and not unit.answer.possible for unit in rows),
        "untouched": sum(not unit.family for unit in rows),
    }


def calibration(told: Iterable[Told]) -> dict[str, Any]:
    """Hold probabilities against what was true, every repository weighing the same."""
    said = [
        (one.repository, unit.answer.probability, bool(unit.family))
        for one in told for unit in one.units if unit.answer.probability is not None
    ]  # fmt: skip
    rows = [row for row in said if row[1] >= LEAST_PROBABILITY]
    if not rows:
        return {"units": 0}
    diagram = reliability([p for _, p, _ in rows], [y for _, _, y in rows], alike(rows))
    columns = ("count", "weight", "effective", "probability", "share", "low", "high")
    bins = zip(*(getattr(diagram, name).tolist() for name in columns), strict=True)
    return {
        "units": len(rows),
        "repositories": len({repository for repository, _, _ in rows}),
        "error": calibration_error(diagram),
        "error_if_calibrated": error_by_chance(diagram),
        "log_loss": log_loss([p for _, p, _ in said], [y for _, _, y in said], alike(said)),
        "bins": [dict(zip(columns, one, strict=True)) for one in bins],
    }


def alike(rows: Sequence[tuple[str, float, bool]]) -> F64:
    """Weigh rows so that every repository weighs the same; weights sum to 1."""
    size = Counter(repository for repository, _, _ in rows)
    weight = np.array([1.0 / size[repository] for repository, _, _ in rows])
    result: F64 = weight / weight.sum()
    return result


def sections(found: dict[str, Any]) -> list[Section]:
    """Lay the counts out as tables."""
    made = [families(found), innocents(found), suspected(found), calibrated(found), missing(found), accusers(found)]
    return [section for section in made if section.rows]


def share(hit: int, of: int) -> str:
    """Write a share with its interval."""
    if not of:
        return "–"
    low, high = wilson(hit, of)
    return f"{hit}/{of} ({low:.2g}–{high:.2g})"


def families(found: dict[str, Any]) -> Section:
    """List what was found of each label, open captures beside the reserve."""
    rows = []
    for family in FAMILIES:
        for name, part in found.items():
            one = part["families"][family]
            if not one["files"].get("all"):
                continue
            files, units, frames = one["files"], one["units"], one["frames"]
            rows.append([
                family, name, share(files["likely"], files["all"]), share(files["possible"], files["all"]),
                share(units["likely"], units["all"]), share(units["possible"], units["all"]),
                share(frames["hit"], frames["true"]), share(frames["hit"], frames["named"]),
            ])  # fmt: skip
    head = ["label", "captures", "files", "files, possible", "units", "units, possible", "frames found", "frames right"]
    return Section(
        title="What was done, as real captures show it",
        says="Each repository is judged by bounds that never saw it; nobody looks into the reserve. A file is found if "
        "one unit of its label is; *possible* counts suspicions as well. 95 % intervals of Wilson.",
        head=head,
        rows=rows,
    )


def innocents(found: dict[str, Any]) -> Section:
    """List who was accused of nothing."""
    rows = []
    for name, part in found.items():
        one = part["benign"]
        rows.append([
            name, share(one["files_accused"], one["files"]), str(one["files_confirmed"]),
            share(one["files_suspected"], one["files"]), share(one["units_accused"], one["units"]),
            str(part["contradicted"]),
        ])  # fmt: skip
    return Section(
        title="Nobody interfered, and somebody is accused",
        says="Benign files with any accusation, groups included; and untouched flows and exchanges in all files. "
        "Labels of untouched exchanges that hold a frame which another label calls forged are left out, and counted.",
        head=["captures", "files accused", "files confirmed", "files suspected", "units accused", "labels left out"],
        rows=rows,
    )


def suspected(found: dict[str, Any]) -> Section:
    """List whom suspicions are about."""
    rows = []
    for name, part in found.items():
        one, benign = part["suspicions"], part["benign"]["units"]
        if one["printed"]:
            rows.append([
                name, str(one["printed"]), share(one["right"], one["printed"]), str(one["other"]),
                share(one["untouched"], benign),
            ])  # fmt: skip
    return Section(
        title="What *possible* means",
        says="Labelled subjects that are suspected and not accused: of what was done, of something else than was done, "
        "and of untouched ones those that are suspected of anything.",
        head=["captures", "printed", "right", "something else was done", "of all untouched"],
        rows=rows,
    )


def calibrated(found: dict[str, Any]) -> Section:
    """List how well probabilities hold."""
    rows = [
        [
            name,
            str(part["calibration"]["units"]),
            *(f"{part['calibration'].get(word, float('nan')):.3f}" for word in ("error", "error_if_calibrated")),
            f"{part['calibration'].get('log_loss', float('nan')):.5f}",
        ]
        for name, part in found.items()
    ]
    return Section(
        title="Probabilities of real captures",
        says=f"Subjects whose probability is at least {LEAST_PROBABILITY}; every repository weighs the same. "
        "Where few repositories speak, exactly right probabilities would show an error as well, given beside it.",
        head=["captures", "subjects", "error", "by chance", "log loss, all subjects"],
        rows=rows,
    )


def missing(found: dict[str, Any]) -> Section:
    """List the files in which something was done that is not found."""
    rows = [
        [name, family, file]
        for name, part in found.items() for family in FAMILIES for file in part["families"][family]["missed"]
    ]  # fmt: skip
    return Section(
        title="What was missed",
        says="Files without one unit that is rightly named at *likely* or more.",
        head=["captures", "label", "file"],
        rows=rows,
    )


def accusers(found: dict[str, Any]) -> Section:
    """List every accusation of a benign file by what carried it."""
    rows = [
        [name, one["file"], one["mechanism"], one["grade"], f"{one['probability']:.3f}",
         ", ".join(f"{rule} {nats:+.1f}" for rule, nats in one["evidence"][:6])]
        for name, part in found.items() for one in part["benign"]["accusations"]
    ]  # fmt: skip
    return Section(
        title="Accusations of innocents",
        says="Every one, with what weighed most.",
        head=["captures", "file", "mechanism", "grade", "p", "evidence"],
        rows=rows,
    )
