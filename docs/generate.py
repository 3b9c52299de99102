"""Write the pages that list what the code declares: columns, rules, link types, model, scenarios, mechanisms."""

import csv
import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

from markdown_tables import table
from mechanism_facts import write_facts
from verdict_figures import write_figures

from netinterf import schema
from netinterf.analyzers import everywhere
from netinterf.analyzers.registry import builtin
from netinterf.attribute.catalogue import background, systems
from netinterf.campaign.stored import schema as campaign
from netinterf.cli.listing import nats
from netinterf.decode import LINK_TYPES
from netinterf.recording.blinds import blind_to
from netinterf.schema import Rule
from netinterf.simulate import scenarios
from netinterf.simulate.coverage import coverage
from netinterf.table import Table
from netinterf.verdict.model import default_model
from netinterf.verdict.weights import weights_of

__all__ = ["write_all"]


def columns() -> str:
    """Write the data dictionary."""
    parts = ["# Tables and columns\n\nEvery column of every table, as the code declares it.\n"]
    for name in schema.__all__:
        kind = getattr(schema, name)
        if isinstance(kind, type) and issubclass(kind, Table):
            rows = [
                (f"`{c.name}`", f"{c.dtype}{'' if c.shape == 'plain' else ' ' + c.shape}", c.refers, c.unit, c.meaning)
                for c in kind.schema()
            ]
            parts.append(f"## {name}\n\n{(kind.__doc__ or '').strip()}\n")
            parts.append(table(("column", "type", "rows of", "unit", "meaning"), rows))
    return "\n".join(parts)


STORE = """# The store

Tables of a [campaign](../guide/campaigns.md), schema {schema}. The schema rises when a column changes its meaning or
goes; columns that are added leave it. Null is what is not known, or does not apply.
"""


def store() -> str:
    """Write the tables of a store."""
    parts = [STORE.format(schema=campaign.SCHEMA)]
    for one in campaign.TABLES:
        rows = [(f"`{c.name}`", type_name(c.type), c.unit, c.meaning) for c in one.columns]
        parts += [f"## {one.name}\n\n{one.says}\n", table(("column", "type", "unit", "meaning"), rows)]
    return "\n".join(parts)


def type_name(description: Any) -> str:
    """Write a type of a column."""
    return f"list of {description[0]}" if isinstance(description, list) else str(description)


RULES = """# Rules

Every observation that can appear as evidence. Ids never change their meaning.

*Literature* is what a paper or a count says of the sign alone, *fitted* what the packaged model makes of it beside all
others, *at most* what one observation may carry: what real benign traffic supports, or of *proof* its cap. Weights are
natural-log likelihood ratios at full strength, positive for interference; a dash stands where a test computes them for
each case. In the kinds of recording named under *blind to* a rule says nothing for interference. `netinterf analyzers
--rules` prints the same numbers.
"""


def rules() -> str:
    """Write the list of rules."""
    parts = [RULES]
    head = (
        "rule", "mechanism", "independence group", "says", "literature", "fitted", "at most", "blind to", "references",
    )  # fmt: skip
    listed = [(analyzer.name, analyzer.rules) for analyzer in builtin()]
    for name, known in (*listed, ("everywhere: after all of them, what nearly all connections show", everywhere.RULES)):
        rows = [
            (named(one.rule), f"`{one.rule.mechanism}`", one.rule.group, one.rule.says, nats(one.literature),
             nats(one.fitted), f"{nats(one.most)}{', proof' if one.rule.decisive else ''}",
             ", ".join(blind_to(one.rule)), "; ".join(one.rule.references))
            for one in weights_of(known, default_model())
        ]  # fmt: skip
        parts += [f"## {name}\n", table(head, rows)]
    return "\n".join(parts)


def named(rule: Rule) -> str:
    """Write the id of a rule, and the one that it had before."""
    return f"`{rule.id}`" + (f" (was `{rule.was}`)" if rule.was else "")


def link_types() -> str:
    """Write the list of link types that are decoded."""
    rows = [(str(number), name) for number, name in sorted(LINK_TYPES.items())]
    return "# Link types\n\nWhat can be decoded; anything else is named in an error.\n\n" + table(
        ("number", "name"), rows
    )


def covered() -> str:
    """Write what the scenarios of the simulator cover of what is documented."""
    found, plays = coverage(), scenarios()
    benign = sum(play.mechanism is None for play in plays)
    words = list(dict.fromkeys(mechanism for _, mechanism in found.systems))
    parts = [
        """# Scenarios

What `netinterf simulate` can play. Every scenario runs over IPv4 and IPv6, from any seed, and as its taps allow from
the client's side, the server's side or the middle.
""",
        (
            f"There are {len(plays)} scenarios, {len(plays) - benign} with interference and {benign} without. They "
            f"play {len(found.systems)} documented systems, counted by mechanism, and {len(found.confounders)} "
            "look-alikes.\n"
        ),
        "## Documented systems, by mechanism\n",
    ]
    for word in words:
        rows = [
            (f"`{system.id}`", system.says, system.source, ", ".join(f"`{name}`" for name in names) or "**none**")
            for (system, mechanism), names in found.systems.items()
            if mechanism == word
        ]
        parts.append(f"### `{word}`\n")
        parts.append(table(("system", "what it does", "source", "played by"), rows))
    rows = [
        (one.id, one.says, ", ".join(f"`{word}`" for word in one.resembles), one.source,
         ", ".join(f"`{name}`" for name in names) or "**none**")
        for one, names in found.confounders.items()
    ]  # fmt: skip
    parts.append("## Benign look-alikes\n")
    parts.append(table(("look-alike", "what happens", "resembles", "source", "played by"), rows))
    parts.append("## All scenarios\n")
    parts.append(
        table(
            ("scenario", "mechanism", "what happens"),
            [(f"`{play.name}`", f"`{play.mechanism}`" if play.mechanism else "", play.says) for play in plays],
        )
    )
    return "\n".join(parts)


def write_all(folder: Path) -> None:
    """Write every generated page into *folder*."""
    write_facts(folder.parent / "mechanisms")
    write_figures(folder.parent / "figures")
    folder.mkdir(exist_ok=True)
    pages = {
        "columns": columns(),
        "rules": rules(),
        "link-types": link_types(),
        "model": model(),
        "scenarios": covered(),
        "systems": catalogue(),
        "questions": questions(),
        "store": store(),
    }
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def questions() -> str:
    """List the built-in analyzers, as a part of the reference of the interface."""
    names = [type(analyzer).__name__ for analyzer in builtin()]
    return "\n".join(["```{eval-rst}", *(f".. autoclass:: netinterf.{name}" for name in names), "```", ""])


SYSTEMS = """# Documented systems

What findings are held against: [attribution](../explain/attribution.md) says how. A finding that does not show a
feature in *italics* is of another system, whatever else fits; "others" is how often systems that the entry does not
cover show it.
"""


def catalogue() -> str:
    """Write the catalogue of systems."""
    common = background()
    parts = [SYSTEMS]
    for one in systems():
        where = ", ".join(filter(None, (one.country, one.product, one.years)))
        covers = f" Its marks do not tell apart: {', '.join(f'`{name}`' for name in one.covers)}." if one.covers else ""
        words = ", ".join(f"`{word}`" for word in one.mechanisms)
        parts.append(f"## {one.name}\n\n`{one.id}` ({where}): {words}. {one.says}{covers}\n")
        masses = common.mass[one.id]
        rows = [
            (
                f"*{feature.says}*" if feature.key else feature.says,
                ", ".join(f"{found[place]:.2f} ({kind})" for kind, found in masses.items()),
                feature.source,
            )
            for place, feature in enumerate(one.features)
        ]
        parts.append(table(("feature", "others", "source"), rows))
    return "\n".join(parts)


MODEL = """# The model

Version {version}, fitted on: {fitted_on}. [How evidence adds up](../explain/evidence.md) says how the numbers are used;
weights are in nats (natural logarithms).
"""

PRIORS = """How common each kind of interference is taken to be, before any evidence. The table is a file of its own,
`netinterf/data/priors.csv`; `Model.load(priors=...)` reads another one."""

FACTORS = """What the weight of a rule's observations is multiplied by; rules that are not listed keep their weight."""

SILENCE = """What it weighs that nothing supports a mechanism, by what happened to the subject. What is not listed
weighs nothing."""

BOUNDS = """How many nats an observation may carry for interference that is no proof by itself: what benign subjects of
public captures support, in which the rule could have fired (*exposed*) and did (*fired*), from how many repositories. A
rule that is not listed may carry {other}."""

CAPS = """How much evidence can carry at most."""


def model() -> str:
    """Write the numbers of the packaged model and its priors with their sources."""
    folder = files("netinterf") / "data"
    data = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    lines = (folder / "priors.csv").read_text(encoding="utf-8").splitlines()
    priors = [(p["subject"], f"`{p['mechanism']}`", p["probability"], p["source"]) for p in csv.DictReader(lines)]
    other = data["other_prior"]
    priors.append(("any", "any other", number(1 / (1 + math.exp(-other["nats"]))), other["source"]))
    return "\n".join(
        [
            MODEL.format(**data),
            section("Priors", PRIORS, ("subject", "mechanism", "probability", "source"), priors),
            *fitted(data),
            bounded(data),
            *limits(data),
        ]
    )


def fitted(data: dict[str, Any]) -> list[str]:
    """Write what a fit to labelled traffic gives: factors, and what silence weighs."""
    factors = [
        (
            f"`{row['rule']}`",
            nats(row["literature"]),
            number(row["factor"]),
            nats(row["fitted"]),
            str(row["interfered"]),
            str(row["untouched"]),
            row["source"],
        )
        for row in data["weights"]
    ]
    quiet = [(row["subject"], f"`{row['happened']}`", number(row["nats"]), row["source"]) for row in data["quiet"]]
    return [
        section(
            "Factors",
            FACTORS,
            ("rule", "literature", "factor", "fitted", "interfered with", "untouched", "source"),
            factors,
        ),
        section("Silence", SILENCE, ("subject", "what happened", "weight", "source"), quiet),
    ]


def bounded(data: dict[str, Any]) -> str:
    """Write what real benign traffic showed of every rule, and how far it bounds it."""
    rows = [
        (f"`{row['rule']}`", number(row["nats"]), f"{row['exposed']:,}", f"{row['fired']:,}",
         f"{row['repositories']} : {row['repositories_fired']}")
        for row in data["bounds"]
    ]  # fmt: skip
    other = number(data["caps"]["other_rule"]["nats"])
    return section("Bounds", BOUNDS.format(other=other), ("rule", "nats", "exposed", "fired", "repositories"), rows)


def limits(data: dict[str, Any]) -> list[str]:
    """Write how far evidence may carry, where the grades begin, and what is known of groups."""
    caps, groups = data["caps"], data["groups"]
    total = [(f"one subject, `{row['subject']}`", row) for row in caps["total"]]
    capped = [
        ("one independence group", caps["group"]),
        ("an observation of a rule without a bound", caps["other_rule"]),
        ("proof by itself, and a subject that shows it", caps["decisive"]),
        *total,
        ("one subject" + (" of another kind" if total else ""), caps["other_total"]),
    ]
    grades = [
        *((name, data["grades"][name]["probability"], data["grades"][name]) for name in data["grades"]),
        (
            "highest for shaping without a contrast",
            data["uncontrolled_shaping"]["probability"],
            data["uncontrolled_shaping"],
        ),
        ("share of packets missed, highest to confirm", data["capture_loss"]["share"], data["capture_loss"]),
    ]
    known = [
        ("share that further groups have said already", caps["dependence"]["value"], caps["dependence"]),
        ("log-odds that a group is interfered with, before any evidence", groups["prior"]["log_odds"], groups["prior"]),
        ("likeness of evidence about one server", groups["site_correlation"]["value"], groups["site_correlation"]),
        ("times likelier beside a certain case on the same path", data["same_path"]["times"], data["same_path"]),
    ]
    return [
        section("Caps", CAPS, ("of what", "cap", "source"), [(w, number(c["nats"]), c["source"]) for w, c in capped]),
        section(
            "Grades", "", ("grade or limit", "value", "source"), [(w, number(v), r["source"]) for w, v, r in grades]
        ),
        section("Groups", "", ("of what", "value", "source"), [(w, number(v), r["source"]) for w, v, r in known]),
    ]


def section(title: str, says: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a section with a table; without rows it says so."""
    return "\n\n".join(
        part for part in (f"## {title}", says, table(head, rows) if rows else "None is listed.\n") if part
    )


def number(value: float) -> str:
    """Write a number of the model with at most four digits."""
    return f"{value:.4g}"
