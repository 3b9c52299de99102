"""Write the reference pages that list what the code declares: columns, rules, link types, model, scenarios."""

import json
from importlib.resources import files
from pathlib import Path

from netinterf import schema
from netinterf.analyzers.registry import builtin
from netinterf.decode import LINK_TYPES
from netinterf.simulate import scenarios
from netinterf.simulate.coverage import coverage
from netinterf.table import Table

__all__ = ["write_all"]


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


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


def rules() -> str:
    """Write the list of rules."""
    parts = ["# Rules\n\nEvery observation that can appear as evidence. Ids never change their meaning.\n"]
    for analyzer in builtin():
        parts.append(f"## {analyzer.name}\n")
        rows = [
            (f"`{r.id}`", f"`{r.mechanism}`", r.group, r.says, "yes" if r.decisive else "", "; ".join(r.references))
            for r in analyzer.rules
        ]
        parts.append(table(("rule", "mechanism", "independence group", "says", "decisive", "references"), rows))
    return "\n".join(parts)


def link_types() -> str:
    """Write the list of link types that are decoded."""
    rows = [(str(number), name) for number, name in sorted(LINK_TYPES.items())]
    return "# Link types\n\nWhat can be decoded; anything else is named in an error.\n\n" + table(
        ("number", "name"), rows
    )


def covered() -> str:
    """Write what the scenarios of the simulator cover of what is documented."""
    found = coverage()
    words = list(dict.fromkeys(mechanism for _, mechanism in found.systems))
    parts = [
        """# Scenarios

What `netinterf simulate` can play. Every scenario runs over IPv4 and IPv6, from any seed, and as its taps allow from
the client's side, the server's side or the middle.
""",
        "## Documented systems, by mechanism\n",
    ]
    for word in words:
        rows = [
            (f"`{system.id}`", system.says, system.source, ", ".join(f"`{name}`" for name in plays) or "**none**")
            for (system, mechanism), plays in found.systems.items()
            if mechanism == word
        ]
        parts.append(f"### `{word}`\n")
        parts.append(table(("system", "what it does", "source", "played by"), rows))
    rows = [
        (one.id, one.says, ", ".join(f"`{word}`" for word in one.resembles), one.source,
         ", ".join(f"`{name}`" for name in plays) or "**none**")
        for one, plays in found.confounders.items()
    ]  # fmt: skip
    parts.append("## Benign look-alikes\n")
    parts.append(table(("look-alike", "what happens", "resembles", "source", "played by"), rows))
    parts.append("## All scenarios\n")
    parts.append(
        table(
            ("scenario", "mechanism", "what happens"),
            [(f"`{play.name}`", f"`{play.mechanism}`" if play.mechanism else "", play.says) for play in scenarios()],
        )
    )
    return "\n".join(parts)


def write_all(folder: Path) -> None:
    """Write every generated page into *folder*."""
    folder.mkdir(exist_ok=True)
    pages = {
        "columns": columns(),
        "rules": rules(),
        "link-types": link_types(),
        "model": model(),
        "scenarios": covered(),
    }
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def model() -> str:
    """Write the numbers of the packaged model with their sources."""
    data = json.loads((files("netinterf") / "data" / "model.json").read_text(encoding="utf-8"))
    priors = [(p["subject"], f"`{p['mechanism']}`", str(p["log_odds"]), p["source"]) for p in data["priors"]]
    caps = [(f"`{c['group']}`", str(c["nats"]), c["source"]) for c in data["caps"]["groups"]]
    caps += [(name, str(c["nats"]), c["source"]) for name, c in data["caps"].items() if name != "groups"]
    grades = [(name, str(g["probability"]), g["source"]) for name, g in data["grades"].items()]
    return "\n".join(
        [
            f"# The model\n\nVersion {data['version']}, fitted on: {data['fitted_on']}.\n",
            "## Prior log-odds (nats)\n",
            table(("subject", "mechanism", "log-odds", "source"), priors),
            "## Caps (nats)\n\nWhat one independence group can carry at most.\n",
            table(("group", "cap", "source"), caps),
            "## Grades\n",
            table(("grade", "probability", "source"), grades),
        ]
    )
