"""Which rules the tests have made fire: a whole run fails where one never did.

A rule that no test can make speak is one that nobody has seen speak. The rules are collected where evidence is written
down (`netinterf.analyzers.signs.record`), over all processes of a run. Some are seen in public captures only, so they
are not missed where those are absent.
"""

from collections.abc import Callable
from typing import Any

import pytest

from netinterf.analyzers import signs
from netinterf.analyzers.registry import builtin
from netinterf.schema import Evidence, Rule
from tests.captures import FOLDER

FIRED: set[str] = set()


def recorded(write: Callable[..., Evidence]) -> Callable[..., Evidence]:
    """Remember the rules that are written down for somebody."""

    def observe(analyzer: Any, rule: Rule | str, **columns: Any) -> Evidence:
        table = write(analyzer, rule, **columns)
        if len(table):
            FIRED.add(rule if isinstance(rule, str) else rule.id)
        return table

    return observe


signs.observe = recorded(signs.observe)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what another process saw."""
    FIRED.update(getattr(node, "workeroutput", {}).get("fired", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what this process saw, or, where all comes together, fail for what nobody saw."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["fired"] = sorted(FIRED)
    elif session.exitstatus == pytest.ExitCode.OK and whole(session.config) and FOLDER.is_dir() and silent_rules():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the rules that stayed silent in a whole run."""
    if whole(config) and (silent := silent_rules()):
        terminalreporter.write_line(f"{len(silent)} rules fired in no test: {', '.join(silent)}")


def silent_rules() -> list[str]:
    """List the rules of built-in analyzers that no test made fire."""
    return [rule.id for analyzer in builtin() for rule in analyzer.rules if rule.id not in FIRED]


def whole(config: pytest.Config) -> bool:
    """Say whether every test was asked for."""
    chosen = config.getoption("keyword") or config.getoption("markexpr") or config.getoption("lf", default=False)
    return not chosen and config.args_source is not pytest.Config.ArgsSource.ARGS
