"""The verb that writes a filter against whoever forged the packets of a capture."""

import argparse
from collections.abc import Iterator

from netinterf.cli.exit_status import EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK
from netinterf.cli.explaining import judged_and_read, one_capture
from netinterf.cli.options import read_options
from netinterf.cli.output import Output
from netinterf.filters.choose import Filter, Refused, choose
from netinterf.filters.collateral import shipped
from netinterf.filters.fields import Kind, forged_packets, genuine_packets, read_fields
from netinterf.filters.forms import FORMS
from netinterf.report.lines import Line
from netinterf.schema import Verdicts
from netinterf.trace import Trace

__all__ = ["run_filter"]

VERSIONS = (4, 6)
MARK = "# "
NOTHING = "Nothing that a filter could drop was forged: it takes findings of resets, FINs or DNS answers."

BOTH_ENDS = {
    Kind.RESET: "Who cuts a connection off writes to both ends as a rule: it holds only where the server drops such "
    "resets as well, and data that the box swallows stay away",
    Kind.FIN: "Who closes a connection writes to both ends as a rule: it holds only where the server drops such FINs",
    Kind.ANSWER: "It takes a resolver whose own answer arrives: where that is swallowed, nothing is left",
}
"""What a filter at one end cannot change (Clayton, Murdoch and Watson, Ignoring the Great Firewall of China, PET 2006;
Duan et al., Hold-On, 2012)."""


def run_filter(arguments: argparse.Namespace) -> int:
    """Judge one capture and write a filter for each kind of packet that was forged in it; return the exit status."""
    found = one_capture(arguments)
    if found is None:
        return EXIT_NO_INPUT
    with Output(arguments.out, found.files) as output:
        judged, trace = judged_and_read(arguments, found, read_options(arguments))
        told: list[Filter | Refused] = filters_of(trace, judged.ledger.verdicts)
        for one in told or (NOTHING,):
            output.write(written(one, arguments.format))
        output.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    return EXIT_OK


def filters_of(trace: Trace, verdicts: Verdicts) -> list[Filter | Refused]:
    """Find a filter against each kind of packet that was forged, or why there is none."""
    found: list[Filter | Refused] = []
    for kind in Kind:
        forged = forged_packets(trace, verdicts, kind)
        seen = read_fields(trace, forged, kind)
        beside = read_fields(trace, genuine_packets(trace, kind, forged), kind)
        here = [version for version in VERSIONS if (seen.version == version).any()]
        found += [choose(kind, version, seen, beside, shipped()) for version in here]
    return found


def written(found: Filter | Refused | str, form: str) -> Iterator[str | Line]:
    """Write a filter with what it catches and costs, or why there is none, as comments of its form."""
    if isinstance(found, str):
        yield Line(found, MARK)
        return
    if isinstance(found, Refused):
        yield Line(f"No filter against {found.kind.value}s over IPv{found.version}: {found.because}.", MARK)
        return
    yield Line(
        f"Drops {found.kind.value}s over IPv{found.version} as they were forged here: {found.forged:,} packets in "
        f"{found.conversations:,} conversations; made from the others, it catches those of {found.caught:,} of them.",
        MARK,
    )
    yield Line(
        f"Costs: {found.hit} of {found.genuine:,} genuine ones in this capture, {found.harmless_hit:,} of "
        f"{found.harmless:,} in captures without interference.",
        MARK,
    )
    yield Line(f"{BOTH_ENDS[found.kind]}. What an injector draws anew each time, or changes, is not caught.", MARK)
    yield from (Line(line, whole=True) for line in FORMS[form](found).splitlines())
    yield ""
