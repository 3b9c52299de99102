"""What a capture holds beside each interfered DNS exchange: by that it is told which of them can be found at all."""

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.scoreboard.labels import Row
from benchmarks.scoreboard.units import Beside, Unit
from netinterf.numbering import hash_rows
from netinterf.protocols.dns_names import lowered
from netinterf.trace import Trace

__all__ = ["DNS_PARTS", "dns_company"]

PROFILE, LOOKUPS, LOOKUPS_LOSSY = 20, 3, 6
"""Ordinary replies of a server that make a profile, and lookups of a name from which a silence is no chance: three, or
six where more than a twentieth of all packets are lost."""

LOSSY = 0.05


def dns_company(trace: Trace, rows: Sequence[Row]) -> dict[int, Beside]:
    """Say what stands beside each labelled exchange, by the frame that it begins with."""
    if len(trace.exchanges) == 0 or not any(row.truth.kind == "exchange" and row.right for row in rows):
        return {}
    exchanges, flows, frame = trace.exchanges, trace.flows, trace.packets.frame
    message = trace.dns.packet
    forged = np.isin(frame[message], [number for row in rows for number in row.truth.forged])
    owner = exchanges.replies.parents()
    genuine = np.bincount(owner[~forged[exchanges.replies.values]], minlength=len(exchanges))
    false = np.bincount(owner[forged[exchanges.replies.values]], minlength=len(exchanges))
    begins = {
        int(min(frame[message[[*exchanges.queries[row], *exchanges.replies[row]]]])): row
        for row in range(len(exchanges))
    }
    touched = np.zeros(len(exchanges), np.bool_)
    touched[[begins[row.truth.first_frame] for row in rows if row.right and row.truth.first_frame in begins]] = True
    server, client = flows.server[exchanges.flow], flows.client[exchanges.flow]
    name = hash_rows(lowered(exchanges.name))
    ordinary = ~touched & (genuine > 0)
    found = {}
    for first, row in begins.items():
        if touched[row]:
            here = server == server[row]
            found[first] = Beside(
                genuine=int(genuine[row]),
                forged=int(false[row]),
                profile=int(np.sum(ordinary & here)),
                lookups=int(np.sum(here & (client == client[row]) & (name == name[row]))),
            )
    return found


def both_answers(unit: Unit) -> bool:
    """Say whether the capture holds the forged answer of an exchange, and the resolver's own."""
    beside = unit.beside
    return "dns.injection" in unit.mechanisms and beside is not None and beside.genuine > 0 and beside.forged > 0


def lone_answer(unit: Unit) -> bool:
    """Say whether it holds the forged answer alone, and enough of the resolver's ordinary ones."""
    beside = unit.beside
    lone = beside is not None and beside.genuine == 0 and beside.forged > 0 and beside.profile >= PROFILE
    return lone and bool({"dns.injection", "dns.forged"} & set(unit.mechanisms))


def asked_often(unit: Unit) -> bool:
    """Say whether a name was asked about often enough in vain, and the resolver's other answers are known."""
    beside, loss = unit.beside, float(unit.where.get("loss") or 0.0)
    least = LOOKUPS_LOSSY if loss > LOSSY else LOOKUPS
    return (
        "dns.drop" in unit.mechanisms and beside is not None and beside.profile >= PROFILE and beside.lookups >= least
    )


DNS_PARTS: dict[str, Callable[[Unit], bool]] = {
    "injection, both answers seen": both_answers,
    "the same, adaptive adversary left out": lambda unit: both_answers(unit) and unit.system != "adaptive",
    "single forged answer, server with a profile": lone_answer,
    "the same, decidable by itself": lambda unit: lone_answer(unit) and not unit.series,
    "silence, enough lookups and a profile": asked_often,
    "the same, no adaptive adversary": lambda unit: asked_often(unit) and unit.system != "adaptive",
}
"""Parts of the interfered exchanges that are scored by themselves."""
