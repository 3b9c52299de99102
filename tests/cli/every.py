"""Every verb of the command with every form, as the command itself lists them: whoever adds one is in the tests."""

import argparse
from collections.abc import Iterator, Sequence

from netinterf.cli.arguments import Input, Target
from netinterf.cli.verbs import build_parser

__all__ = ["arguments_of", "forms_of", "of_type", "verbs"]


def verbs(
    parser: argparse.ArgumentParser | None = None, name: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """List the verbs that do something, those of verbs among them: what they are called, and their parsers."""
    parser = build_parser() if parser is None else parser
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield name, parser
    for action in nested:
        for word, inner in action.choices.items():
            yield from verbs(inner, f"{name} {word}".strip())


def forms_of(parser: argparse.ArgumentParser) -> Sequence[str | None]:
    """List the forms that a verb writes; None where there is no choice."""
    return next((tuple(action.choices or ()) for action in parser._actions if action.dest == "format"), (None,))


def of_type(parser: argparse.ArgumentParser, kind: type[Input | Target]) -> list[argparse.Action]:
    """List what names something to read, or to write."""
    return [action for action in parser._actions if action.type is kind]


def arguments_of(parser: argparse.ArgumentParser, given: dict[str, str], otherwise: dict[str, str]) -> list[str]:
    """Write the arguments that are given, by what they are called, and those that a verb cannot do without."""
    positional: list[str] = []
    options: list[str] = []
    for action in parser._actions:
        needed = action.required or (not action.option_strings and action.nargs != "?")
        if action.dest not in given and not needed:
            continue
        value = given.get(action.dest) or otherwise[action.dest]
        if action.option_strings:
            options += [action.option_strings[-1], value]
        else:
            positional.append(value)
    return positional + options
