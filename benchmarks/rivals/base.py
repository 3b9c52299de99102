"""What a rival is, and its calls written as verdicts of our format, so that one scoring serves it and the library."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import Mask
from netinterf.schema import Evidence, Grade, Outcome, Status
from netinterf.trace import Trace
from netinterf.verdict.combine import classify
from netinterf.written.format import verdict_line
from netinterf.written.ledger import explain

__all__ = ["ACCUSES", "SUSPECTS", "Call", "Rival", "by_flow", "segments", "unjudged", "verdicts"]

ACCUSES = 0.9
"""The least probability with which a verdict accuses (grade `likely`). A rule that only says yes or no states it."""

TCP = 6

SUSPECTS = 0.5
"""The least probability that the verdict format calls `possible`."""


@attrs.frozen(kw_only=True)
class Call:
    """One subject that a rival holds to be interfered with."""

    kind: str  # "flow" or "exchange"
    row: int  # row in the trace's Flows or Exchanges
    mechanism: str  # a word of the verdict format
    score: float = ACCUSES  # how sure it is, 0-1
    frames: tuple[int, ...] = ()  # frame numbers held to be forged, or the last before the silence
    says: str = ""  # the name its source gives to what it saw


@attrs.frozen(kw_only=True)
class Rival:
    """A published detector, or a plain rule."""

    name: str
    source: str  # paper, program or page
    home: tuple[str, ...]  # mechanisms that it claims to find
    judge: Callable[[Trace], list[Call]]


def segments(trace: Trace) -> Mask:
    """Say of every packet whether it is a TCP segment of a flow, its header captured (later IP fragments have none)."""
    packets = trace.packets
    headed = packets.status & (Status.FRAGMENT_LATER | Status.HEADER_CUT) == 0
    found: Mask = (packets.protocol == TCP) & (packets.flow >= 0) & headed
    return found


def by_flow(trace: Trace, rows: NDArray[np.integer[Any]]) -> Iterator[tuple[int, NDArray[np.integer[Any]]]]:
    """Part packets (ascending rows that belong to flows) by their flows."""
    flows = trace.packets.flow[rows]
    order = np.argsort(flows, kind="stable")
    found, starts = np.unique(flows[order], return_index=True)
    return zip(found.tolist(), np.split(rows[order], starts)[1:], strict=True)


def verdicts(rival: Rival, trace: Trace, path: str | Path) -> list[dict[str, Any]]:
    """Ask a rival about a capture and write one verdict for every flow and exchange, in the same words.

    What it does not call is `ok`, with the probability that the library gives to a subject without any evidence. Of
    several calls on one subject the surest is the verdict, and the others stand in ``also``.

    Args:
        rival: Whom to ask.
        trace: The capture.
        path: What to call the capture.
    """
    calls: dict[tuple[str, int], list[Call]] = {}
    for call in rival.judge(trace):
        calls.setdefault((call.kind, call.row), []).append(call)
    return [
        spoken(line, rival, sorted(calls.get(subject, ()), key=lambda call: -call.score)) | {"capture": str(path)}
        for subject, line in unjudged(trace)
    ]


Lines = list[tuple[tuple[str, int], dict[str, Any]]]
_UNJUDGED: WeakKeyDictionary[Trace, Lines] = WeakKeyDictionary()


def unjudged(trace: Trace) -> Lines:
    """List the subjects of a trace as kind and row, each with its verdict line without evidence; kept per trace."""
    if trace not in _UNJUDGED:
        nothing = Evidence.empty()
        ledger = explain(classify(nothing, trace), nothing, trace)
        _UNJUDGED[trace] = [((one.subject.kind, one.row), verdict_line(one)) for one in ledger]
    return _UNJUDGED[trace]


def spoken(line: dict[str, Any], rival: Rival, calls: list[Call]) -> dict[str, Any]:
    """Fill one verdict line with what the rival says of its subject.

    Args:
        line: The line without evidence.
        rival: Who speaks.
        calls: Its calls on the subject, surest first.
    """
    quiet: dict[str, Any] = {"outcome": Outcome.OK.value, "grade": Grade.NONE.value, "mechanism": None, "reasons": []}
    told = line | quiet | {"explanation": f"{rival.name}: nothing found."}
    if not calls or calls[0].score < SUSPECTS:
        return told
    best, rest = calls[0], [call for call in calls[1:] if call.mechanism != calls[0].mechanism]
    accused = best.score >= ACCUSES
    return told | {
        "outcome": (Outcome.INTERFERED if accused else Outcome.INSUFFICIENT).value,
        "grade": (Grade.LIKELY if accused else Grade.POSSIBLE).value,
        "mechanism": best.mechanism,
        "probability": best.score,
        "also": [{"mechanism": call.mechanism, "probability": call.score} for call in rest],
        "evidence": [
            {"rule": rival.name, "says": call.says, "llr": None, "frames": list(call.frames), "measured": {}}
            for call in calls
        ],
        "frames": sorted({frame for call in calls for frame in call.frames}),
        "explanation": f"{rival.name}: {best.says or best.mechanism}.",
    }
