"""Parts of a verdict, written out: what it is about, what set it off, and each piece of evidence."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.context.special import is_ipv4 as is_ipv4_address
from netinterf.numbering import distinct
from netinterf.schema import Hosts, SubjectKind, TriggerKind
from netinterf.table import Ragged
from netinterf.verdict.judgement import Judgement
from netinterf.written.community import community_id
from netinterf.written.numbers import Number, agreed
from netinterf.written.record import Observation, Subject, Trigger

__all__ = [
    "QUERY_TYPES",
    "address_of",
    "community_ids",
    "ipv4_hosts",
    "is_ipv4",
    "lists",
    "observations",
    "port_of",
    "subject",
    "subjects",
    "triggers",
]

KINDS = {int(kind): kind.name.lower() for kind in SubjectKind}
TRIGGERS = {int(kind): kind.word for kind in TriggerKind}

SENTENCES = 1 << 14
"""Sentences that are kept: findings that are alike say the same."""

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}
PORTED = ("tcp", "udp")
QUERY_TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 24: "SIG", 25: "KEY",
    28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 37: "CERT", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP",
    46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 64: "SVCB", 65: "HTTPS",
    99: "SPF", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
}  # fmt: skip
"""Mnemonics of question types (IANA registry "Resource Record (RR) TYPEs"); others are written as RFC 3597 §5 says."""


def subjects(judgement: Judgement, rows: I64) -> list[Subject]:
    """Describe what some verdicts are about."""
    table, flows, exchanges = judgement.verdicts, judgement.flows, judgement.exchanges
    flow, kind = table.flow[rows], table.subject_kind[rows]
    query_type, query_id = np.full((2, len(rows)), -1)
    place = np.flatnonzero(kind == SubjectKind.EXCHANGE)
    exchange, asked = table.subject[rows[place]], exchanges.queries.offsets
    query_type[place] = exchanges.kind[exchange]
    query_type[place[asked[exchange + 1] == asked[exchange]]] = -1  # its question was not captured
    query_id[place] = exchanges.id[exchange]
    columns = zip(
        kind.tolist(),
        flows.protocol[flow].tolist(),
        addresses_of(judgement.hosts, flows.client[flow]),
        flows.client_port[flow].tolist(),
        addresses_of(judgement.hosts, flows.server[flow]),
        flows.server_port[flow].tolist(),
        table.name.take(rows),
        judgement.first_frame[rows].tolist(),
        query_type.tolist(),
        query_id.tolist(),
        strict=True,
    )
    return [
        Subject(
            kind=KINDS[kind],
            protocol=(word := PROTOCOLS.get(protocol)),
            client=client,
            client_port=client_port if word in PORTED else None,
            server=server,
            server_port=server_port if word in PORTED else None,
            name=name or None,
            first_frame=known(frame),
            query_type=None if query < 0 else QUERY_TYPES.get(query, f"TYPE{query}"),
            query_id=known(number),
        )
        for (kind, protocol, client, client_port, server, server_port, name, frame, query, number) in columns
    ]


def community_ids(judgement: Judgement, rows: I64, about: Sequence[Subject]) -> list[str]:
    """Say what other monitors call the conversations of verdicts; *about* are the subjects of the verdicts."""
    flows, flow = judgement.flows, judgement.verdicts.flow[rows]
    columns = (flows.protocol[flow], flows.client_port[flow], flows.server_port[flow], flows.icmp[flow])
    return [
        community_id(protocol, str(subject.client), str(subject.server), (client_port, server_port), divmod(icmp, 256))
        for subject, protocol, client_port, server_port, icmp in zip(
            about, *(column.tolist() for column in columns), strict=True
        )
    ]


def subject(judgement: Judgement, row: int) -> Subject:
    """Describe what one verdict is about."""
    return subjects(judgement, np.array([row]))[0]


def triggers(judgement: Judgement, rows: I64, about: Sequence[Subject]) -> list[Trigger | None]:
    """Say what set the interference off, None when nothing did; *about* are the subjects of the verdicts."""
    kinds, frames = judgement.verdicts.trigger[rows].tolist(), judgement.trigger_frame[rows].tolist()
    return [
        Trigger(kind=TRIGGERS[kind], value=triggered_by(kind, subject), frame=known(frame)) if kind else None
        for kind, frame, subject in zip(kinds, frames, about, strict=True)
    ]


def triggered_by(kind: int, subject: Subject) -> str:
    """Name what set the interference off."""
    if kind == TriggerKind.ADDRESS:
        return subject.server or ""
    return "no known protocol" if kind == TriggerKind.BYTES_CLASS else subject.name or ""


def observations(judgement: Judgement, places: NDArray[np.integer], weights: F64) -> list[Observation]:
    """Write out pieces of evidence, by their rows in the evidence table, with what each weighs under the model."""
    evidence = judgement.evidence
    columns = zip(
        evidence.rule[places].tolist(),
        lists(evidence.measured, places),
        (weights + 0.0).tolist(),  # which makes 0 of -0
        lists(judgement.witness, places),
        strict=True,
    )
    written = []
    for number, measured, weight, frames in columns:
        rule = evidence.rules[number]
        numbers = tuple(measured[: len(rule.measures)])
        written.append(
            Observation(
                rule=rule.id,
                says=sentence(rule.says, rule.measures, numbers),
                llr=weight,
                frames=tuple(frames),
                measured=by_name(rule.measures, numbers),
                was=rule.was or None,
                mechanism=rule.mechanism,
            )
        )
    return written


def by_name(measures: tuple[str, ...], numbers: tuple[float, ...]) -> dict[str, float | None]:
    """Give what was measured by name, None for what is not known."""
    named: dict[str, float | None] = dict(zip(measures, numbers, strict=False))
    if not isfinite(sum(numbers)):  # few
        named = {name: None if value is None or not isfinite(value) else value for name, value in named.items()}
    return named


@lru_cache(SENTENCES)
def sentence(says: str, measures: tuple[str, ...], numbers: tuple[float, ...]) -> str:
    """Put what was measured into the sentence of a rule."""
    try:
        return agreed(says.format(**dict(zip(measures, map(Number, numbers), strict=False))))
    except (KeyError, IndexError, ValueError):  # a plugin's sentence with a field it does not measure
        return says


def lists(column: Ragged, rows: NDArray[np.integer]) -> list[list[Any]]:
    """Give some rows of a ragged column as lists."""
    taken = column.take(rows)
    values, ends = (taken.values + 0).tolist(), taken.offsets.tolist()  # (0 in place of -0)
    return [values[begin:end] for begin, end in pairwise(ends)]


def ipv4_hosts(hosts: Hosts, rows: NDArray[np.integer]) -> Mask:
    """Say which hosts have an IPv4 address; there is at least one host."""
    return is_ipv4_address(hosts.high[rows], hosts.low[rows])


def addresses_of(hosts: Hosts, rows: NDArray[np.integer]) -> list[str | None]:
    """Write the addresses of some hosts, None for none; each different one once."""
    written = {row: address_of(hosts, row) for row in distinct(rows).tolist()}
    return [written[row] for row in rows.tolist()]


def is_ipv4(hosts: Hosts, host: int) -> bool:
    """Say whether a host has an IPv4 address (RFC 4291 §2.5.5.2)."""
    return int(hosts.high[host]) == 0 and int(hosts.low[host]) >> 32 == 0xFFFF


def address_of(hosts: Hosts, host: int) -> str | None:
    """Write the address of a host, None for none."""
    if host < 0:
        return None
    if is_ipv4(hosts, host):
        return str(ipaddress.IPv4Address(int(hosts.low[host]) & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(int(hosts.high[host]) << 64 | int(hosts.low[host])))


def port_of(judgement: Judgement, flow: int) -> int | None:
    """Give the server's port of a flow, None where its protocol has none."""
    ported = PROTOCOLS.get(int(judgement.flows.protocol[flow])) in PORTED
    return int(judgement.flows.server_port[flow]) if ported else None


def known(frame: int) -> int | None:
    """Give a frame number, None where there is none."""
    return frame if frame >= 0 else None
