"""Answers compared with those of a control, in the order of OONI's Web Connectivity v0.4.

Source: probe-cli, ``webconnectivity/dnsanalysis.go``: an answer is consistent when both lookups failed alike, when an
autonomous system or an address is common to it and the control's answer, else it is inconsistent. The control is a
resolver elsewhere that nobody interferes with; a capture holds none, so one must be given or made up for.
"""

from collections.abc import Callable, Collection, Mapping
from ipaddress import ip_address

import numpy as np

from benchmarks.rivals.base import Call, Rival
from benchmarks.rivals.replies import frames_of, message_bytes
from netinterf.trace import Trace, host_text

__all__ = ["OONI", "Controls", "captured_controls", "consistent", "ooni", "untouched_controls"]

Controls = Mapping[str, frozenset[str]]
"""What the control answered: addresses by name, none for a name that does not exist."""

ADDRESS_KINDS = (1, 28)  # A, AAAA
ANSWER, NXDOMAIN, RCODE = 1, 3, 0xF


class Lookups:
    """The address lookups of a trace: what was asked, and the addresses in every answer, as people write them."""

    def __init__(self, trace: Trace) -> None:
        answers, exchanges = trace.answers, trace.exchanges
        self.trace = trace
        self.addresses: dict[int, set[str]] = {}  # by row in Dns
        for row in np.flatnonzero((answers.section == ANSWER) & np.isin(answers.kind, ADDRESS_KINDS)).tolist():
            text = host_text(int(answers.high[row]), int(answers.low[row]))
            self.addresses.setdefault(int(answers.message[row]), set()).add(text)
        self.same: dict[tuple[str, int], list[int]] = {}  # rows in Exchanges by name and type
        for row in np.flatnonzero(np.isin(exchanges.kind, ADDRESS_KINDS)).tolist():
            self.same.setdefault((exchanges.name[row], int(exchanges.kind[row])), []).append(row)

    def of(self, message: int) -> frozenset[str]:
        """Give the addresses in one message."""
        return frozenset(self.addresses.get(message, ()))

    def answers(self, message: int) -> bool:
        """Say whether a message answers an address lookup: with addresses, or that the name does not exist."""
        return message in self.addresses or int(self.trace.dns.flags[message]) & RCODE == NXDOMAIN


def captured_controls(lookups: Lookups, rows: list[int]) -> dict[int, frozenset[str]]:
    """Make up for a control with what the capture holds: what other servers answered to the same question.

    Nobody vouches for these servers, so of two that differ both are inconsistent. A name that only one server was
    asked for has no control.

    Args:
        lookups: The lookups of the capture.
        rows: The exchanges with one question.

    Returns:
        All addresses that the others gave, by server (row in Hosts); servers without an answer of others are left out.
    """
    exchanges, server = lookups.trace.exchanges, lookups.trace.flows.server[lookups.trace.exchanges.flow]
    given: dict[int, set[str]] = {}
    for row in rows:
        for message in filter(lookups.answers, exchanges.replies[row].tolist()):
            given.setdefault(int(server[row]), set()).update(lookups.of(message))
    return {
        asked: frozenset().union(*(addresses for other, addresses in given.items() if other != asked))
        for asked in set(server[rows].tolist())
        if set(given) - {asked}
    }


def untouched_controls(trace: Trace, forged: Collection[int]) -> dict[str, frozenset[str]]:
    """Take controls from the truth of a labelled capture: what its resolvers said where nobody interfered.

    Args:
        trace: The capture.
        forged: Frame numbers of everything that somebody on the path made.

    Returns:
        Addresses by name, of all replies in other frames; none for a name that only was denied.
    """
    lookups, dns = Lookups(trace), trace.dns
    genuine = ~np.isin(trace.packets.frame[dns.packet], list(forged))
    controls: dict[str, frozenset[str]] = {}
    for message in trace.exchanges.replies.values.tolist():
        if genuine[message] and lookups.answers(message):
            name = dns.name[message]
            controls[name] = controls.get(name, frozenset()) | lookups.of(message)
    return controls


def unknown_system(_address: str) -> int:
    """Say that the autonomous system of an address is unknown: a capture does not tell."""
    return 0


def consistent(probe: frozenset[str], control: frozenset[str], system: Callable[[str], int] = unknown_system) -> bool:
    """Compare two answers in the source's order; no addresses means that the lookup failed.

    Args:
        probe: What the client was told.
        control: What the control was told.
        system: Gives the number of an address's autonomous system, 0 when it is unknown; 0 is never common.
    """
    if not probe and not control:
        return True
    return bool(set(map(system, probe)) & set(map(system, control)) - {0}) or bool(probe & control)


def ooni(
    trace: Trace, *, controls: Controls | None = None, system: Callable[[str], int] = unknown_system
) -> list[Call]:
    """Call every address lookup whose answer is inconsistent with the control's.

    The client's answer is the first reply, the one that its resolver library takes; further replies are not looked at,
    as in the source. A lookup that was not answered, or denied, is inconsistent with a control that got addresses.

    Args:
        trace: The capture.
        controls: What a control answered, addresses by name; names that it lacks are not judged. Without controls,
            what other servers answered in the same capture takes their place (`captured_controls`), so that nothing
            is judged where a single resolver was asked, and a resolver for another region looks like a censor.
        system: Gives the autonomous system of an address. Without it the step "any common system" finds nothing, so
            that names with many addresses look inconsistent more often than they did to OONI.
    """
    lookups, exchanges, calls = Lookups(trace), trace.exchanges, []
    server = trace.flows.server[exchanges.flow]
    for (name, _), rows in lookups.same.items():
        others = captured_controls(lookups, rows) if controls is None else {}
        for row in rows:
            if len(exchanges.queries[row]) == 0 or is_address(name):
                continue
            control = others.get(int(server[row])) if controls is None else controls.get(name)
            replies = exchanges.replies[row].tolist()
            if control is None or (replies and not lookups.answers(replies[0])):
                continue
            probe = lookups.of(replies[0]) if replies else frozenset()
            if consistent(probe, control, system):
                continue
            several = len({message_bytes(trace, message) for message in replies}) > 1
            word = "dns.injection" if several else "dns.forged" if replies else "dns.drop"
            frames = frames_of(trace, replies[:1] or exchanges.queries[row].tolist())
            calls.append(Call(kind="exchange", row=row, mechanism=word, frames=frames, says="inconsistent"))
    return calls


def is_address(name: str) -> bool:
    """Say whether a question asks for an IP literal, which is consistent by definition."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


OONI = Rival(
    name="OONI consistency",
    source="OONI Web Connectivity v0.4, probe-cli webconnectivity/dnsanalysis.go",
    home=("dns.forged", "dns.injection", "dns.drop"),
    judge=ooni,
)
