"""What the build makes of the parser for shells: completion, by shtab, and the manual page."""

import argparse
from collections.abc import Iterator

from netinterf.cli.arguments import Input, Target
from netinterf.cli.manual import MANUAL, manual
from netinterf.cli.verbs import COMPLETIONS, build_parser

__all__ = ["shared_files"]


def shared_files() -> dict[str, str]:
    """Make what is installed outside of the package: each file by its place below the folder that is installed into.

    It needs shtab, and of the library only what the standard library runs: nothing else is there when a wheel is built.
    """
    return {COMPLETIONS[shell]: completion(shell) for shell in COMPLETIONS} | {MANUAL: manual(build_parser())}


def completion(shell: str) -> str:
    """Write what completes verbs, options, their values and names of files in a shell."""
    import shtab

    parser = build_parser()
    for one in parsers(parser):
        for action in one._actions:
            if action.type in {Input, Target}:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return f"{shtab.complete(parser, shell)}\n"


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """List a parser and those of its verbs, which are described by the few words that lists of verbs have for them."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                verb = action.choices[listed.dest]
                verb.description = listed.help
                yield from parsers(verb)
