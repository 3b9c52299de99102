"""The verb that lists analyzers: what can be asked of a capture, and who asks it."""

import argparse
import inspect

from netinterf.analyzers.base import Analyzer
from netinterf.analyzers.registry import BUILTIN, plugins
from netinterf.cli.exit_status import EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.output import Output
from netinterf.errors import AnalyzerError
from netinterf.report.lines import Line, Lines
from netinterf.verdict.model import default_model
from netinterf.verdict.weights import weights_of

__all__ = ["nats", "run_analyzers"]

PART = "What it looks for:"  # opens the part of an analyzer's docstring that says so


def run_analyzers(options: argparse.Namespace) -> int:
    """List every analyzer that can be asked for, or the rules of all; return the exit status."""
    output = Output()
    described = rule_table if options.rules else summary
    for name, make in BUILTIN.items():
        output.write(described(name, "built-in", make()))
    for plugin in plugins():
        try:
            made = plugin.load()
        except AnalyzerError as error:
            complain(str(error))
        else:
            output.write(described(plugin.name, plugin.origin, made))
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK


def summary(name: str, origin: str, analyzer: Analyzer) -> Lines:
    """Write what an analyzer is called, where it comes from, what it looks for, and the ids of its rules."""
    yield f"{name} ({origin})"
    for words in (looks_for(analyzer), "rules: " + ", ".join(rule.id for rule in analyzer.rules)):
        yield Line(words, "  ")


def rule_table(name: str, origin: str, analyzer: Analyzer) -> Lines:
    """Write the rules of an analyzer: what each weighs by the literature, after the fit, and at most, in nats."""
    yield f"{name} ({origin})"
    yield f"  {'rule':<26} {'mechanism':<24} {'literature':>10} {'factor':>7} {'fitted':>7} {'at most':>8}"
    for weight in weights_of(analyzer.rules, default_model()):
        numbers = f"{nats(weight.literature):>10} {weight.factor:>7.3g} {nats(weight.fitted):>7} {nats(weight.most):>8}"
        yield f"  {weight.rule.id:<26} {weight.rule.mechanism:<24} {numbers}{'  proof' if weight.rule.decisive else ''}"


def nats(value: float | None) -> str:
    """Write a weight; what a test computes has none."""
    return "–" if value is None else f"{value:+.1f}"


def looks_for(analyzer: Analyzer) -> str:
    """Take what an analyzer looks for from its docstring; without that part, what the docstring opens with."""
    paragraphs = inspect.cleandoc(type(analyzer).__doc__ or "").split("\n\n")
    sections = [paragraph.removeprefix(PART) for paragraph in paragraphs if paragraph.startswith(PART)]
    return " ".join((sections or paragraphs)[0].split())
