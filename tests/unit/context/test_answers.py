"""The user's table of known answers: read strictly, found whatever its order."""

from pathlib import Path

import numpy as np
import pytest

from netinterf.context.answers import KnownAnswers, read_answers
from netinterf.context.outside import Outside
from netinterf.errors import ParameterError
from netinterf.table import Text


def held(known: KnownAnswers, name: str) -> set[int]:
    """Give the lower halves of the addresses of a name."""
    row = int(known.find(Text.of([name]))[0])
    return set() if row < 0 else set(known.low[known.addresses[row]].tolist())


def test_reads_names_and_addresses(tmp_path: Path) -> None:
    """Several lines per name, both families, capitals, final dots and empty lines."""
    path = tmp_path / "answers.csv"
    path.write_text("Name,Address\nWWW.Example.org.,192.0.2.1\n\nwww.example.org, 2001:db8::7\nb.net,192.0.2.9\n")
    known = read_answers(path)
    assert len(known) == 2
    assert held(known, "www.example.org") == {0xFFFF_C000_0201, 7}
    assert held(known, "b.net") == {0xFFFF_C000_0209}
    assert held(known, "example.org") == set()


def test_finds_each_of_many_names() -> None:
    """Rows do not depend on the order of the table; what is not in it is not found."""
    rng = np.random.default_rng(3)
    names = [f"n{number}.{'x' * (number % 9)}.org" for number in rng.permutation(500)]
    known = KnownAnswers.of((name, f"10.0.{place >> 8}.{place & 255}") for place, name in enumerate(names))
    for place, name in enumerate(names):
        assert held(known, name) == {0xFFFF_0A00_0000 + place}
    assert known.find(Text.of(["absent.org", ""])).tolist() == [-1, -1]
    assert KnownAnswers.of(()).find(Text.of(["a.org"])).tolist() == [-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with the line name,address"),
        ("name;address\n", "begins with"),
        ("name,address\na.org\n", "line 2"),
        ("name,address\na.org,192.0.2.1\nb.org,somewhere\n", "line 3"),
        ("name,address\n.,192.0.2.1\n", "a name is missing"),
        ("name,address\na.org,192.0.2.0/24\n", "line 2"),
    ],
)
def test_refuses_malformed_tables(tmp_path: Path, text: str, message: str) -> None:
    """A wrong header or line is an error that names the line."""
    path = tmp_path / "answers.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        read_answers(path)


def test_outside_knowledge_is_read_or_taken_as_it_is(tmp_path: Path) -> None:
    """Paths are read, tables are taken, nothing is nothing."""
    networks, answers = tmp_path / "networks.csv", tmp_path / "answers.csv"
    networks.write_text("prefix,asn,country\n192.0.2.0/24,64496,DE\n")
    answers.write_text("name,address\na.org,192.0.2.1\n")
    given = Outside.of(networks, str(answers))
    assert (bool(given.networks), len(given.answers)) == (True, 1)
    taken = Outside.of(given.networks, given.answers)
    assert taken.networks is given.networks
    assert taken.answers is given.answers
    nothing = Outside.of()
    assert (bool(nothing.networks), len(nothing.answers)) == (False, 0)
    with pytest.raises(ParameterError, match="absent"):
        Outside.of(answers=tmp_path / "absent.csv")
