"""The truth about a campaign: what was blocked, as it happened on the wire, and what only looks like it.

The plan says who blocks what; the labels of each capture say whom it hit. What counts is the wire: a cell is in the
truth when attempts were really interfered with, with their numbers. What was planned and met no attempt (its name is
gone, its server down, the line was out) is told apart, and so is what nobody planned: a residual block swallows the
next visits to a server, whatever their name.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from netinterf.simulate.campaign.boxes import FORGED, forgery_of
from netinterf.simulate.campaign.causes import in_force
from netinterf.simulate.campaign.censors import ALLOWLIST, Block
from netinterf.simulate.campaign.state import Plan
from netinterf.simulate.campaign.topology import HTTP, QUIC, TLS, Network
from netinterf.simulate.labels import Labels, Truth
from netinterf.simulate.network.packet import address_text
from netinterf.values import frozen

__all__ = ["BY_PORT", "Attempt", "Cell", "Tally", "parameters", "tally", "truth"]

VERSION = 1
"""Of the form of the truth; within a version it only grows."""

BY_PORT = {("tcp", 80): HTTP, ("tcp", 443): TLS, ("udp", 443): QUIC}


@frozen
class Attempt:
    """What was tried in one run, and what befell it."""

    name: str
    server: str  # address; of a lookup the resolver's
    transport: str  # dns, tcp/http, tcp/tls or quic
    words: tuple[str, ...]  # mechanisms at work; none: nobody interfered


Tally = Mapping[Attempt, int]
"""How often, in one capture."""


@frozen(kw_only=True)
class Cell:
    """A name or a server that a network blocks over one transport; runs count from 1, *until* is the last one."""

    name: str  # "" where an address is blocked
    server: str  # its address; "" where a name is blocked
    names: tuple[str, ...]  # that were hit; of a name itself
    servers: tuple[str, ...]  # addresses at which they were hit; of a lookup the resolver's
    transport: str
    network: str
    asn: int
    country: str
    mechanism: str
    since: int
    until: int | None  # None: to the end of the campaign
    attempts: int  # captured ones in the runs in which it was in force
    struck: int  # of them interfered with
    first: int  # run of the first strike
    last: int  # and of the last one


def tally(labels: Labels) -> Tally:
    """Count the attempts of one capture."""
    return Counter(map(attempt, labels.truths))


def attempt(one: Truth) -> Attempt:
    """Say what a conversation tried."""
    transport = "dns" if one.kind == "exchange" else BY_PORT.get((one.protocol, one.server_port), one.protocol)
    words = (one.mechanism, *one.also) if one.mechanism else ()
    return Attempt(one.name, one.server, transport, words)


def truth(plan: Plan, tallies: Callable[[Network], Mapping[int, Tally]]) -> dict[str, Any]:
    """Join the plan with what happened.

    Args:
        plan: The campaign.
        tallies: Gives what happened in a network, by run.

    Returns:
        Plain values for JSON; the manual says what they mean.
    """
    cells, unmet, collateral = list[Cell](), list[dict[str, Any]](), list[dict[str, Any]]()
    for network in plan.topology.networks:
        played = tallies(network)
        blocks = [block for block in plan.blocks if block.network == network.number]
        found = [cell for block in blocks for cell in cells_of(network, block, played)]
        met = {(what, cell.mechanism) for cell in found for what in (cell.name, cell.server)}
        cells += found
        for block in blocks:
            unmet += [
                {"name": "" if block.servers else what, "server": what if block.servers else "",
                 "network": network.name, "mechanism": block.mechanism}
                for what in listed(block) if (what, block.mechanism) not in met
            ]  # fmt: skip
        collateral += unplanned(network, found, played)
    return {
        "version": VERSION, "parameters": parameters(plan),
        "networks": [network_facts(plan, one) for one in plan.topology.networks],
        "cells": [attrs.asdict(cell) for cell in cells], "unmet": unmet, "collateral": collateral,
        "causes": [attrs.asdict(one) for one in plan.causes],
    }  # fmt: skip


def listed(block: Block) -> Sequence[str]:
    """List what a block is meant to hit: names, or addresses; nothing is listed where all but a list is."""
    return sorted(block.names) if block.names else [] if block.mechanism == ALLOWLIST else addresses(block)


def addresses(block: Block) -> list[str]:
    """Write the addresses of a block."""
    return sorted(map(address_text, block.servers))


def cells_of(network: Network, block: Block, played: Mapping[int, Tally]) -> Iterator[Cell]:
    """Join all attempts that one block hit into cells."""
    by_server, mine = bool(block.servers) and block.mechanism != ALLOWLIST, frozenset(listed(block))
    counts: dict[tuple[str, str], list[tuple[int, int, int]]] = {}  # run, attempts and strikes
    hit: dict[tuple[str, str], set[tuple[str, str]]] = {}  # names and servers
    for run, attempts in played.items():
        if not in_force(block.since, block.until, run):
            continue
        for one, count in attempts.items():
            what = one.server if by_server else one.name
            if mine and what not in mine:
                continue
            struck = count * (block.mechanism in one.words)
            counts.setdefault((what, one.transport), []).append((run, count, struck))
            if struck:
                hit.setdefault((what, one.transport), set()).add((one.name, one.server))
    for (what, transport), rows in sorted(counts.items()):
        runs = sorted(run for run, _, hits in rows if hits)
        if runs:
            names, servers = (tuple(sorted(set(these))) for these in zip(*hit[what, transport], strict=True))
            yield Cell(
                name="" if by_server else what, server=what if by_server else "", names=names, servers=servers,
                transport=transport, network=network.name, asn=network.asn, country=network.code,
                mechanism=block.mechanism, since=block.since, until=block.until,
                attempts=sum(count for _, count, _ in rows), struck=sum(hits for *_, hits in rows),
                first=runs[0], last=runs[-1],
            )  # fmt: skip


def unplanned(network: Network, cells: Sequence[Cell], played: Mapping[int, Tally]) -> Iterator[dict[str, Any]]:
    """Tell what was interfered with that is on no list."""
    planned = {(name, cell.transport, cell.mechanism) for cell in cells for name in cell.names}
    found: dict[tuple[str, str, str], Counter[int]] = {}
    for run, attempts in played.items():
        for one, count in attempts.items():
            if one.words and not any((one.name, one.transport, word) in planned for word in one.words):
                found.setdefault((one.name, one.transport, one.words[0]), Counter())[run] += count
    for (name, transport, mechanism), runs in sorted(found.items()):
        yield {
            "name": name, "transport": transport, "network": network.name, "mechanism": mechanism,
            "struck": runs.total(), "runs": sorted(runs),
        }  # fmt: skip


def network_facts(plan: Plan, network: Network) -> dict[str, Any]:
    """Say of a network what the truth tells."""
    blocks = (one for one in plan.blocks if one.network == network.number and one.mechanism in FORGED)
    forged = {place for one in blocks for place in forgery_of(plan.topology.campaign, one).places}
    return {
        "name": network.name, "asn": network.asn, "country": network.code, "clients": len(network.clients),
        "resolver": address_text(network.resolver), "forged": sorted(map(address_text, forged)),
    }  # fmt: skip


def parameters(plan: Plan) -> dict[str, Any]:
    """Give what the campaign was made from: the same values make it again."""
    return attrs.asdict(plan.topology.campaign)
