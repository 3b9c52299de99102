"""Everything that is asked about a mechanism is asked of its record."""

import ast
from pathlib import Path

import pytest

import netinterf
from netinterf.analyzers.registry import builtin
from netinterf.mechanisms import (
    MECHANISMS,
    Figure,
    Written,
    covers,
    has_figure,
    known_as,
    settled_by,
    were_hit,
    what_happened,
)

PACKAGE = Path(netinterf.__file__).parent
AT_HOME = ("mechanisms.py", "simulate/")
"""Where mechanisms are named: their records, the plays that do it, and the rules that speak of them."""

EXAMPLES = {"engine/examples.py"}
"""Files of examples are named by what they show."""


def test_mechanisms_are_named_in_their_records_only() -> None:
    """No module outside decides by the path of a mechanism."""
    special = {path for path in MECHANISMS if "." in path}
    modules = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    named = [
        f"{place}:{node.lineno} {node.value}"
        for place, module in sorted(modules.items())
        if not place.startswith(AT_HOME) and place not in EXAMPLES and not declares_rules(place)
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in special
    ]
    assert named == []


def declares_rules(place: str) -> bool:
    """Say which modules hold the rules of an analyzer."""
    return place.startswith("analyzers/") and place.endswith(("/rules.py", "/everywhere.py"))


def test_detectors_name_rules_by_their_declarations() -> None:
    """No module of an analyzer but its rules holds the id of one, whole or as the end of one put together."""
    known = {rule.id for analyzer in builtin() for rule in analyzer.rules}
    prefixes = {f"{one.partition('.')[0]}." for one in known}
    named = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.value}"
        for path in sorted((PACKAGE / "analyzers").rglob("*.py"))
        if not declares_rules(path.relative_to(PACKAGE).as_posix())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value in known or node.value in prefixes
    ]
    assert named == []


@pytest.mark.parametrize("path", sorted(MECHANISMS))
def test_each_record_is_whole(path: str) -> None:
    """Sentences fit their places, families stand above what belongs to them, and a part is one of a mechanism."""
    record = MECHANISMS[path]
    assert record.one.count("{who}") == 1
    assert record.many.startswith(("were ", "had ", "got "))
    assert record.general or "." in path
    assert record.path.rpartition(".")[0] in {"", *MECHANISMS}
    assert not record.part_of or not MECHANISMS[record.part_of].general
    assert not (record.silent and record.written is not Written.NOTHING)
    assert not settled_by(path).endswith(".")


def test_each_mechanism_has_a_page_of_the_manual() -> None:
    """And there is no page of one that has no record."""
    pages = {page.stem for page in (PACKAGE.parent / "docs" / "mechanisms").glob("*.md")}
    assert pages == {record.path for record in MECHANISMS.values() if not record.general}


def test_a_path_that_is_not_listed_is_as_the_nearest_above_it() -> None:
    """The vocabulary grows; what came later is told by what it belongs to."""
    assert known_as("rate.freeze.bytes") is MECHANISMS["rate.freeze"]
    assert has_figure("rate.freeze.bytes", Figure.POSITIONS)
    assert were_hit("tcp.reset.something") == MECHANISMS["tcp.reset"].many
    assert known_as("house.rule") is None
    assert "house.rule" in what_happened("house.rule")
    assert [covers(*pair) for pair in (("tcp", "tcp.reset"), ("", "dns"), ("tcp.reset", "tcp"))] == [True, True, False]


def test_the_page_of_verdicts_names_them_all() -> None:
    """What readers of verdicts meet stands in the page that says what verdicts hold, families aside."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "verdict.md").read_text(encoding="utf-8")
    families = {path.rpartition(".")[0] for path in MECHANISMS}
    assert [path for path in MECHANISMS if f"`{path}`" not in page and path not in families] == []
