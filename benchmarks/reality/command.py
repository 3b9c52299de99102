"""``python -m benchmarks reality``: judge real captures, and bound the packaged weights by what they show."""

import json
import time
from argparse import Namespace
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import attrs

from benchmarks.fit.document import write
from benchmarks.machine import describe, write_json
from benchmarks.manual import put
from benchmarks.reality.bounds import bounds_of, support_of
from benchmarks.reality.judging import judge_all, models_of
from benchmarks.reality.looking import Seen, cases, look_at_all
from benchmarks.reality.reserve import LOOKED_AT
from benchmarks.reality.tables import counted, sections
from benchmarks.scoreboard.figure import draw
from benchmarks.scoreboard.tables import markdown, text
from netinterf.verdict.model import default_model

__all__ = ["bounded", "run"]

MODEL = Path(__file__).resolve().parents[2] / "netinterf" / "data" / "model.json"
PAGE, FIGURE = MODEL.parents[2] / "docs" / "project" / "reality.md", "reality-reliability.svg"
COMMAND = "python -m benchmarks reality --write"


def run(options: Namespace) -> dict[str, Any]:
    """Look at every labelled capture, judge each by weights that never saw its repository, print and write."""
    begin = time.perf_counter()
    wanted = [
        case
        for case in cases(options.captures)
        if (options.reserve or not case.reserved) and fnmatch(case.file, options.files)
    ]
    seen = list(look_at_all(wanted, options.jobs, options.cache))
    if options.write:
        document = json.loads(MODEL.read_text(encoding="utf-8"))
        write(MODEL, bounded(document, [one for one in seen if not one.case.reserved]))
        return {}
    model = default_model()
    if options.dependence is not None:
        model = attrs.evolve(model, dependence=options.dependence)
    found = counted(judge_all(seen, models_of(seen, model)))
    found["looked_at"] = dict(LOOKED_AT)
    found["seconds"] = round(time.perf_counter() - begin, 1)
    print(text(sections({name: found[name] for name in ("open", "reserve") if name in found})))
    if options.json is not None:
        write_json(options.json, {"benchmark": "reality", **found, "machine": describe()})
    if options.docs:
        write_page(PAGE, found)
    return found


def write_page(page: Path, found: dict[str, Any]) -> None:
    """Put the tables between the marks of a page of the manual, and the reliability figure beside it.

    Raises:
        ValueError: The page has no marks.
    """
    parts: dict[str, Any] = {name: found[name] for name in ("open", "reserve") if name in found}
    shown = {
        f"{name} captures": part["calibration"]["bins"] for name, part in parts.items() if part["calibration"]["units"]
    }
    captures = ", ".join(
        f"{part['captures']:,} captures of {part['repositories']} repositories ({name})" for name, part in parts.items()
    )
    shape = f"![Reliability on real captures: probability said against share interfered with]({FIGURE})"
    put(page, "reality", f"{captures}; model {default_model().name}.\n\n{markdown(sections(parts))}\n\n{shape}")
    page.with_name(FIGURE).write_text(draw(shown), encoding="utf-8")


def bounded(document: dict[str, Any], seen: Sequence[Seen]) -> dict[str, Any]:
    """Put into a model file what real benign traffic showed of every rule, and how far it bounds it."""
    support = support_of((one.case.home, one.counts) for one in seen)
    bounds = bounds_of(support, {row["rule"]: float(row["factor"]) for row in document["weights"]})
    document["bounds"] = [
        {
            "rule": rule,
            "nats": bounds[rule],
            "exposed": one.exposed,
            "fired": one.fired,
            "files": one.files,
            "files_fired": one.files_fired,
            "repositories": one.homes,
            "repositories_fired": one.homes_fired,
            "source": f"{COMMAND}: benign subjects of public captures in which it could have fired, and did",
        }
        for rule, one in sorted(support.items())
    ]
    return document
