"""What moved, change by change: for the terminal and for the manual."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.metamorphic.changing import ALL, PAIR
from benchmarks.metamorphic.comparing import UNSEEN, Flip
from benchmarks.scoreboard.tables import Section
from netinterf.transform import Kind

__all__ = ["sections", "verdict"]

KINDS = {change.name: change.kind for change in ALL} | {PAIR: Kind.NEUTRAL}
HARMLESS = "benign."
"""What scenarios are called in which nobody interferes."""

EXAMPLES = 5
"""Simulated subjects of one change that are listed; all are in the JSON file."""


def sections(found: dict[str, Any]) -> list[Section]:
    """Lay out counts by change, transitions, and what moved: of real captures all, of simulated ones some."""
    return [counted(found), moved(found), listed(found)]


def counted(found: dict[str, Any]) -> Section:
    """Count subjects and those that moved as they must not, by change."""
    rows = []
    for name, parts in found["changes"].items():
        wrong = [flip for flip in found["flips"] if flip.change == name and is_wrong(flip)]
        cells: list[Any] = [name, KINDS[name].value]
        for made in (True, False):
            part = parts["simulated" if made else "shared"]
            here = [flip for flip in wrong if flip.simulated == made]
            cells += [part["captures"], part["subjects"], len(here), len({flip.file for flip in here})]
        rows.append(cells)
    return Section(
        title="Captures changed",
        says="Neutral: subjects that differ (outcome, mechanism, grade, probability, frames). Lossy: subjects that are "
        "newly accused.",
        head=["change", "kind", *(f"{word}{what}" for what in (", simulated", ", shared")
                                  for word in ("captures", "subjects", "moved", "in captures"))],
        rows=rows,
    )  # fmt: skip


def is_wrong(flip: Flip) -> bool:
    """Whether a subject moved as it must not; findings that are lost are counted, and not forbidden each."""
    return KINDS[flip.change] is Kind.NEUTRAL or flip.what == "accused"


def moved(found: dict[str, Any]) -> Section:
    """Count every transition from one outcome to another."""
    rows = []
    for name, parts in found["changes"].items():
        both = {word: Counter(parts[word]["transitions"]) for word in ("simulated", "shared")}
        for step in sorted(set(both["simulated"]) | set(both["shared"])):
            old, new = step
            if old != new:
                had = [sum(count for (was, _), count in both[word].items() if was == old) for word in both]
                rows.append([name, f"{old} → {new}", *(
                    f"{both[word][step]} of {of}" for word, of in zip(both, had, strict=True)
                )])  # fmt: skip
    return Section(
        title="What outcomes became",
        says="Subjects of one outcome before, and what they became; *gone*: the changed capture does not show them.",
        head=["change", "outcome", "simulated", "shared"],
        rows=rows,
    )


def listed(found: dict[str, Any]) -> Section:
    """List what moved."""
    shown: Counter[tuple[str, str]] = Counter()
    rows = []
    for flip in sorted(found["flips"], key=lambda one: (one.simulated, list(KINDS).index(one.change), one.what)):
        shown[flip.change, flip.what] += flip.simulated
        if flip.simulated and shown[flip.change, flip.what] > EXAMPLES:
            continue
        rows.append([flip.change, flip.what, flip.file, flip.subject, flip.before, flip.after, ", ".join(flip.rules)])
    return Section(
        title="What moved",
        says=f"Every subject of shared captures, and up to {EXAMPLES} of each kind of simulated ones.",
        head=["change", "what", "capture", "subject", "before", "after", "evidence"],
        rows=rows,
    )


def verdict(found: dict[str, Any]) -> str:
    """Say in a line each how the whole stands to what is demanded."""
    flips: Sequence[Flip] = found["flips"]
    names = [name for name in found["changes"] if KINDS[name] is Kind.NEUTRAL]
    lines = []
    for word, chosen in (
        ("neutral", [one for one in names if one != PAIR]),
        (PAIR, [one for one in names if one == PAIR]),
    ):
        of = sum(found["changes"][name][part]["subjects"] for name in chosen for part in ("simulated", "shared"))
        lines.append(f"{word}: {sum(flip.change in chosen for flip in flips)} of {of} subjects differ")
    lost = [name for name in found["changes"] if KINDS[name] is Kind.LOSSY]
    steps: Counter[tuple[str, str]] = Counter()
    for name in lost:
        steps.update(found["changes"][name]["simulated"]["transitions"])
    of = sum(count for (old, _), count in steps.items() if old == "interfered")
    accused = sum(flip.what == "accused" for flip in flips)
    ok, blind = steps["interfered", "ok"], steps["interfered", "insufficient"]
    gone = [flip for flip in flips if flip.simulated and flip.what.startswith("interfered → ok")]
    unseen = sum(flip.what.endswith(UNSEEN) for flip in gone)
    right = sum(flip.file.startswith(HARMLESS) and not flip.what.endswith(UNSEEN) for flip in gone)
    lines.append(
        f"lossy: {accused} newly accused; of {of} simulated interfered subjects {ok} became ok, {unseen} of which lost "
        f"all forged frames, and {right} of which nobody had interfered with "
        f"({1000 * (ok - unseen - right) / max(of, 1):.2f} in 1,000 without these), {blind} insufficient"
    )
    return "\n".join(lines)
