"""What is documented: systems that interfere, and benign causes that look like it.

The systems are those of the one catalogue, which findings are held against as well (``systems.json``): what a system
leaves on the wire is written there, and its scenarios play it.
"""

import csv
import json
from collections.abc import Mapping
from importlib.resources import files

from netinterf.values import frozen

__all__ = ["LOOK_ALIKES", "SYSTEMS", "Confounder", "System"]


@frozen(kw_only=True)
class System:
    """Something that interferes, as the literature describes it."""

    id: str  # country code or product, dot, name: "cn.gfw-ii"
    says: str  # what it does on the wire, in one sentence
    mechanisms: tuple[str, ...]  # words of the verdict format
    source: str  # paper or report


@frozen(kw_only=True)
class Confounder:
    """A benign cause that looks like interference."""

    id: str  # words with hyphens: "load-balancer-reset"
    says: str
    resembles: tuple[str, ...]  # mechanisms of the verdict format that it can be taken for
    source: str


def read_systems() -> dict[str, System]:
    """Read the systems that do something by themselves: entries without a source are the common marks of several."""
    entries = json.loads((files("netinterf.data") / "systems.json").read_text(encoding="utf-8"))["systems"]
    return {
        entry["id"]: System(
            id=entry["id"], says=entry["says"], mechanisms=tuple(entry["mechanisms"]), source=entry["source"]
        )
        for entry in entries
        if "source" in entry
    }


def read_look_alikes() -> dict[str, Confounder]:
    """Read the benign causes."""
    text = (files("netinterf.data") / "look_alikes.csv").read_text(encoding="utf-8")
    return {
        row["id"]: Confounder(
            id=row["id"], says=row["says"], resembles=tuple(row["resembles"].split()), source=row["source"]
        )
        for row in csv.DictReader(text.splitlines())
    }


SYSTEMS: Mapping[str, System] = read_systems()
LOOK_ALIKES: Mapping[str, Confounder] = read_look_alikes()
