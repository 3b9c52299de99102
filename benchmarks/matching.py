"""Which verdict speaks of which labelled flow.

A flow is found by its addresses and ports in either orientation; where these were used more than once, the nearest
first frame decides. A DNS exchange is found by its question too. Probe series (flows that are decidable only together)
become one unit per server and name, answered by a group's verdict or by any member's.
"""

import re
from collections.abc import Sequence
from typing import Any

import attrs

from benchmarks.truth import FlowRow

__all__ = ["Unit", "Verdict", "mechanisms", "pair", "units"]

Verdict = dict[str, Any]
"""One verdict line of the contract, parsed."""

QUESTION = re.compile(r"^(?P<name>\S+?)\.?(?: type (?P<type>\d+))?(?: id (?P<id>0x[0-9a-f]+))?$")
TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 65: "HTTPS"}


@attrs.frozen
class Unit:
    """What is scored as one: a labelled flow or exchange, or a series, with the verdicts that speak of it."""

    rows: tuple[FlowRow, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the unit, empty for controls."""
        return self.rows[0].labels


def mechanisms(verdict: Verdict) -> tuple[str, ...]:
    """List the mechanism of a verdict and those beside it; none unless it says "interfered"."""
    if verdict.get("outcome") != "interfered":
        return ()
    also = [one["mechanism"] for one in verdict.get("also") or []]
    return tuple(one for one in [verdict.get("mechanism"), *also] if one)


def ends(address: str, port: int, other: str, other_port: int) -> frozenset[tuple[str, int]]:
    """Name a pair of ends without an order."""
    return frozenset(((address, port), (other, other_port)))


def pair(rows: Sequence[FlowRow], verdicts: Sequence[Verdict]) -> dict[int, int]:
    """Match labelled rows with verdicts of the same capture, one to one.

    Args:
        rows: Labels of one file.
        verdicts: Its verdicts.

    Returns:
        Place of the verdict by place of the row; rows nobody speaks of are left out.
    """
    by_ends: dict[frozenset[tuple[str, int]], list[int]] = {}
    for place, verdict in enumerate(verdicts):
        subject = verdict["subject"]
        if subject["kind"] == "group" or subject.get("client") is None or subject.get("server") is None:
            continue
        ports = (int(subject.get("client_port") or 0), int(subject.get("server_port") or 0))
        key = ends(subject["client"], ports[0], subject["server"], ports[1])
        by_ends.setdefault(key, []).append(place)
    choices = []
    for number, row in enumerate(rows):
        for place in by_ends.get(ends(row.client, row.client_port, row.server, row.server_port), ()):
            rank = fit(row, verdicts[place]["subject"])
            if rank is not None:
                choices.append(
                    (rank, abs(row.first_frame - int(verdicts[place]["subject"]["first_frame"] or 0)), number, place)
                )
    taken_rows: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, number, place in sorted(choices):
        if number not in taken_rows and place not in taken:
            taken_rows[number] = place
            taken.add(place)
    return taken_rows


def fit(row: FlowRow, subject: dict[str, Any]) -> int | None:
    """Rank how well a subject fits a row, 0 best; None when it cannot be meant."""
    if row.protocol != "dns":
        return 0 if subject["kind"] == "flow" else None
    if subject["kind"] == "flow":
        return 4
    asked = QUESTION.match(row.trigger.strip().lower())
    if asked is None or not asked["name"]:
        return 3
    if (subject.get("name") or "").lower().rstrip(".") != asked["name"]:
        return None
    same_id = asked["id"] is None or subject.get("query_id") == int(asked["id"], 16)
    kind = TYPES.get(int(asked["type"] or 0))
    same_type = asked["type"] is None or subject.get("query_type") in (
        kind,
        asked["type"],
        f"TYPE{asked['type']}",
        None,
    )
    return (0 if same_id else 1) + (0 if same_type else 1)


def units(rows: Sequence[FlowRow], verdicts: Sequence[Verdict]) -> list[Unit]:
    """Gather what is scored as one: rows that count, with series put together.

    Args:
        rows: Labels of one file.
        verdicts: Its verdicts.
    """
    matched = pair(rows, verdicts)
    found = []
    series: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
    for number, row in enumerate(rows):
        if not row.scored:
            continue
        if row.series:
            series.setdefault((row.server, row.trigger, row.labels), []).append(number)
        else:
            found.append(Unit((row,), tuple(verdicts[matched[number]] for _ in (0,) if number in matched)))
    for (server, name, _), members in series.items():
        own = [verdicts[matched[number]] for number in members if number in matched]
        groups = [verdict for verdict in verdicts if speaks_of(verdict["subject"], server, name)]
        found.append(Unit(tuple(rows[number] for number in members), (*own, *groups)))
    return found


def speaks_of(subject: dict[str, Any], server: str, name: str) -> bool:
    """Say whether a group is about this server or this name."""
    if subject["kind"] != "group":
        return False
    if subject.get("name") and name:
        return str(subject["name"]).lower() == name.lower() or name.lower().endswith("." + str(subject["name"]).lower())
    return subject.get("server") == server
