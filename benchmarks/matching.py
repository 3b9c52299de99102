"""Which verdicts speak of which labelled unit.

A flow is found by its addresses and ports in either orientation; where these were used more than once, the nearest
first frame decides. A DNS exchange is found by its question too. Probe series (flows that are decidable only together)
become one unit per server and name, answered by a group's verdict or by any member's; an untouched one is accused by a
group only where nobody in that group was interfered with, since a group's verdict says how many of its members were. A
capture that is labelled as a whole is answered by any verdict about it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.scoreboard.labels import Row
from netinterf.simulate import Truth

__all__ = ["Verdict", "accused", "gather", "match", "pair"]

Verdict = dict[str, Any]
"""One verdict line of the verdict format."""


def accused(verdict: Verdict) -> tuple[str, ...]:
    """List the mechanism of a verdict and those beside it; none unless it says "interfered"."""
    if verdict.get("outcome") != "interfered":
        return ()
    also = [one["mechanism"] for one in verdict.get("also") or []]
    return tuple(one for one in [verdict.get("mechanism"), *also] if one)


def gather(rows: Sequence[Row]) -> list[tuple[int, ...]]:
    """Gather what is scored as one: places of the rows that count, with series put together."""
    found: list[tuple[int, ...]] = []
    series: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
    for number, row in enumerate(rows):
        if not row.scored:
            continue
        if row.truth.series:
            series.setdefault((row.truth.server, row.truth.name, row.mechanisms), []).append(number)
        else:
            found.append((number,))
    return found + [tuple(members) for members in series.values()]


def match(rows: Sequence[Row], units: Iterable[tuple[int, ...]], verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """List, for each unit, the verdicts that speak of it.

    Args:
        rows: Labels of one capture.
        units: What :func:`gather` made of them.
        verdicts: All verdicts of one judge about the capture.
    """
    matched = pair(rows, verdicts)
    groups = [verdict for verdict in verdicts if verdict["subject"]["kind"] == "group"]
    found = []
    for members in units:
        first = rows[members[0]].truth
        if first.kind == "capture":
            found.append(list(verdicts))
            continue
        own = [verdicts[matched[number]] for number in members if number in matched]
        if first.series:
            spoken = [verdict for verdict in groups if speaks_of(verdict["subject"], first.server, first.name)]
            own += spoken if rows[members[0]].mechanisms else [one for one in spoken if not holds_interfered(one, rows)]
        found.append(own)
    return found


def holds_interfered(verdict: Verdict, rows: Sequence[Row]) -> bool:
    """Say whether somebody of a group was interfered with."""
    return any(row.mechanisms and speaks_of(verdict["subject"], row.truth.server, row.truth.name) for row in rows)


def pair(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> dict[int, int]:
    """Match labelled rows with verdicts of the same capture, one to one.

    Returns:
        Place of the verdict by place of the row; rows nobody speaks of are left out.
    """
    by_ends: dict[frozenset[tuple[str, int]], list[int]] = {}
    for place, verdict in enumerate(verdicts):
        subject = verdict["subject"]
        if subject["kind"] == "group" or subject.get("client") is None or subject.get("server") is None:
            continue
        by_ends.setdefault(
            ends(subject["client"], subject.get("client_port"), subject["server"], subject.get("server_port")), []
        ).append(place)
    choices = []
    for number, row in enumerate(rows):
        truth = row.truth
        for place in by_ends.get(ends(truth.client, truth.client_port, truth.server, truth.server_port), ()):
            subject = verdicts[place]["subject"]
            rank = fit(truth, subject)
            if rank is not None:
                choices.append((rank, abs(truth.first_frame - int(subject["first_frame"] or 0)), number, place))
    taken_rows: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, number, place in sorted(choices):
        if number not in taken_rows and place not in taken:
            taken_rows[number] = place
            taken.add(place)
    return taken_rows


def ends(address: str, port: int | None, other: str, other_port: int | None) -> frozenset[tuple[str, int]]:
    """Name a pair of ends without an order."""
    return frozenset(((address, int(port or 0)), (other, int(other_port or 0))))


def fit(truth: Truth, subject: dict[str, Any]) -> int | None:
    """Rank how well a subject fits a label, 0 best; None when it cannot be meant."""
    if truth.kind == "flow":
        same = subject.get("protocol") in {truth.protocol, None}
        return 0 if same and subject["kind"] == "flow" else None
    if truth.kind != "exchange":
        return None
    if subject["kind"] == "flow":  # DNS over TCP
        return 4
    if not truth.name:
        return 3
    if (subject.get("name") or "").lower().rstrip(".") != truth.name.lower().rstrip("."):
        return None
    same_id = truth.query_id is None or subject.get("query_id") == truth.query_id
    same_type = truth.query_type is None or subject.get("query_type") in (truth.query_type, None)
    return (0 if same_id else 1) + (0 if same_type else 1)


def speaks_of(subject: dict[str, Any], server: str, name: str) -> bool:
    """Say whether a group is about this server or this name."""
    if subject.get("name") and name:
        return str(subject["name"]).lower() == name.lower() or name.lower().endswith("." + str(subject["name"]).lower())
    return bool(subject.get("server") == server)
