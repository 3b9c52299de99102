"""Every built-in analyzer keeps the contract, and the rules form one vocabulary."""

import pytest

from netinterf.analyzers.base import Analyzer
from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.registry import BUILTIN, builtin, find, names
from netinterf.engine.examples import example, example_names
from netinterf.errors import AnalyzerError, ParameterError
from netinterf.schema import Evidence
from netinterf.trace import Trace
from netinterf.verdict.model import Model
from netinterf.written.numbers import Number


@pytest.mark.parametrize("name", list(BUILTIN))
def test_builtin_analyzers_keep_the_contract(name: str) -> None:
    """Each works on every shipped capture and accuses nobody in the benign one."""
    attacks = [example(other) for other in example_names() if other != "benign"]
    check_analyzer(find(name), attacks, [example("benign")])


def test_rule_ids_are_unique() -> None:
    """No two analyzers call different things by one id."""
    ids = [rule.id for analyzer in builtin() for rule in analyzer.rules]
    assert sorted(ids) == sorted(set(ids))


def test_rules_speak_of_mechanisms_the_model_knows() -> None:
    """Every mechanism that a rule names has a prior, or is the general form of one that has."""
    known = {word for path in Model.load().mechanisms for word in prefixes(path)}
    assert {rule.mechanism for analyzer in builtin() for rule in analyzer.rules if rule.mechanism} <= known


def prefixes(path: str) -> list[str]:
    """List a mechanism and everything more general."""
    parts = path.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def test_measures_in_sentences_are_declared() -> None:
    """A sentence can only mention numbers that its rule measures."""
    for analyzer in builtin():
        for rule in analyzer.rules:
            assert rule.says.format(**dict.fromkeys(rule.measures, Number(1)))


def test_an_unknown_analyzer_is_named_with_the_known_ones() -> None:
    """The error lists what can be asked for."""
    with pytest.raises(ParameterError, match="rst_injection"):
        find("nonsense")
    assert names()[: len(BUILTIN)] == tuple(BUILTIN)


class Broken:
    """An analyzer that answers nothing of the contract."""

    name = "broken"

    def __call__(self, trace: Trace, /) -> Evidence:
        """Return nothing."""
        del trace
        return Evidence.empty()


def test_the_checker_finds_a_broken_analyzer() -> None:
    """A class without the constants fails the check by name."""
    broken: Analyzer = Broken()  # type: ignore[assignment]
    with pytest.raises(AnalyzerError, match="needs name, scope, rules"):
        check_analyzer(broken)


def test_the_checker_names_rules_that_never_fire() -> None:
    """Captures that are said to be all of an analyzer's must make each of its rules fire."""
    with pytest.raises(AnalyzerError, match=r"has rules that fire in no capture: .*handshake\.server"):
        check_analyzer(find("handshakes"), [example("benign")], complete=True)
