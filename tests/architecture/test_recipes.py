"""The recipes for contributors name files that are there, and no more of them than promised."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"### (.+?)\n\n(.*?)(?=\n###? )", TEXT.partition("## Six recipes")[2], re.DOTALL))

STANDING = {
    "analyzer": "freezes", "detector": "stalls", "play": "rate_freezes", "mechanism": "rate.freeze",
    "format": "ooni",
}  # fmt: skip
"""One of each kind that is there: what a recipe asks for must exist for it."""

MOST = {
    "A rule": 3,
    "A mechanism with its analyzer": 12,
    "A link type": 3,
    "A scenario of a new system": 3,
    "An output format": 5,
    "A prior": 1,
}
"""Files that each touches at most."""


def files_of(recipe: str) -> list[str]:
    """List the files that the numbered steps of a recipe name, in order."""
    steps = re.findall(r"^\d+\. (.*?)(?=^\d+\. |\Z|\n\n)", RECIPES[recipe], re.DOTALL | re.MULTILINE)
    named: list[str] = []
    for step in steps:
        needed = re.sub(r"\(only where.*?\)", "", step.partition(";")[0], flags=re.DOTALL)
        for one in re.findall(r"`([\w./{}-]+\.(?:py|md|csv|json))`", needed):
            folder = named[-1].rpartition("/")[0] if named and "/" not in one else ""
            named.append(f"{folder}/{one}" if folder else one)
    return named


def test_there_are_the_recipes_that_people_ask_for() -> None:
    """Six of them."""
    assert list(RECIPES) == list(MOST)


@pytest.mark.parametrize("recipe", list(MOST))
def test_what_a_recipe_names_is_there(recipe: str) -> None:
    """For something of that kind, each file exists; and there are no more than promised."""
    named = files_of(recipe)
    assert 0 < len(named) <= MOST[recipe]
    for one in named:
        assert (ROOT / one.format(**STANDING)).exists(), one
