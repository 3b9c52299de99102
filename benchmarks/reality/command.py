"""``python -m benchmarks reality``: judge real captures, and bound the packaged weights by what they show."""

import json
import time
from argparse import Namespace
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks.fit.document import write
from benchmarks.machine import describe, write_json
from benchmarks.reality import changed
from benchmarks.reality.bounds import bounds_of, support_of
from benchmarks.reality.changed import measure
from benchmarks.reality.judging import judge_all, models_of
from benchmarks.reality.looking import Seen, cases, look_at_all
from benchmarks.reality.reserve import LOOKED_AT
from benchmarks.reality.tables import counted, sections
from benchmarks.scoreboard.tables import text
from netinterf.verdict.model import default_model

__all__ = ["bounded", "run"]

MODEL = Path(__file__).resolve().parents[2] / "netinterf" / "data" / "model.json"
COMMAND = "python -m benchmarks reality --write"


def run(options: Namespace) -> dict[str, Any]:
    """Look at every labelled capture, judge each by weights that never saw its repository, print and write."""
    begin = time.perf_counter()
    wanted = [
        case
        for case in cases(options.captures)
        if (options.reserve or not case.reserved) and fnmatch(case.file, options.files)
    ]
    if options.changed:
        moved = measure(wanted, options.jobs)
        print(text(changed.sections(moved)))
        if options.json is not None:
            write_json(options.json, {"benchmark": "reality changed", **moved, "machine": describe()})
        return moved
    seen = list(look_at_all(wanted, options.jobs, options.cache))
    if options.write:
        document = json.loads(MODEL.read_text(encoding="utf-8"))
        write(MODEL, bounded(document, [one for one in seen if not one.case.reserved]))
        return {}
    found = counted(judge_all(seen, models_of(seen, default_model())))
    found["looked_at"] = dict(LOOKED_AT)
    found["seconds"] = round(time.perf_counter() - begin, 1)
    print(text(sections({name: found[name] for name in ("open", "reserve") if name in found})))
    if options.json is not None:
        write_json(options.json, {"benchmark": "reality", **found, "machine": describe()})
    return found


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
