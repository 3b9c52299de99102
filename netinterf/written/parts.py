"""Parts of a verdict, written out: what it is about, what set it off, and each piece of evidence."""

import ipaddress
import math

from netinterf.schema import Hosts, SubjectKind, TriggerKind
from netinterf.verdict.judgement import Judgement
from netinterf.written.numbers import Number, agreed
from netinterf.written.record import Observation, Subject, Trigger

__all__ = ["QUERY_TYPES", "address_of", "is_ipv4", "observation", "port_of", "subject", "trigger"]

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}
PORTED = ("tcp", "udp")
QUERY_TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 24: "SIG", 25: "KEY",
    28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 37: "CERT", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP",
    46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 64: "SVCB", 65: "HTTPS",
    99: "SPF", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
}  # fmt: skip
"""Mnemonics of question types (IANA registry "Resource Record (RR) TYPEs"); others are written as RFC 3597 §5 says."""


def subject(judgement: Judgement, row: int) -> Subject:
    """Describe what one verdict is about."""
    table, flow = judgement.verdicts, int(judgement.verdicts.flow[row])
    protocol = PROTOCOLS.get(int(judgement.flows.protocol[flow]))
    exchange = int(table.subject[row]) if table.subject_kind[row] == SubjectKind.EXCHANGE else -1
    code = int(judgement.exchanges.kind[exchange]) if exchange >= 0 else 0
    has_query = exchange >= 0 and len(judgement.exchanges.queries[exchange]) > 0
    return Subject(
        kind=SubjectKind(int(table.subject_kind[row])).name.lower(),
        protocol=protocol,
        client=address_of(judgement.hosts, int(judgement.flows.client[flow])),
        client_port=int(judgement.flows.client_port[flow]) if protocol in PORTED else None,
        server=address_of(judgement.hosts, int(judgement.flows.server[flow])),
        server_port=port_of(judgement, flow),
        name=table.name[row] or None,
        first_frame=known(int(judgement.first_frame[row])),
        query_type=QUERY_TYPES.get(code, f"TYPE{code}") if has_query else None,
        query_id=int(judgement.exchanges.id[exchange]) if exchange >= 0 else None,
    )


def trigger(judgement: Judgement, row: int) -> Trigger | None:
    """Say what set the interference off, None when nothing did."""
    kind = TriggerKind(int(judgement.verdicts.trigger[row]))
    if not kind:
        return None
    address = address_of(judgement.hosts, int(judgement.flows.server[judgement.verdicts.flow[row]])) or ""
    values = {TriggerKind.ADDRESS: address, TriggerKind.BYTES_CLASS: "no known protocol"}
    value = values.get(kind, judgement.verdicts.name[row])
    return Trigger(kind=kind.word, value=value, frame=known(int(judgement.trigger_frame[row])))


def observation(judgement: Judgement, place: int, weight: float) -> Observation:
    """Write out one piece of evidence, by its row in the evidence table, with what it weighs under the model."""
    rule = judgement.evidence.rules[judgement.evidence.rule[place]]
    numbers = dict(zip(rule.measures, map(Number, judgement.evidence.measured[place].tolist()), strict=False))
    try:
        says = agreed(rule.says.format(**numbers))
    except (KeyError, IndexError, ValueError):  # a plugin's sentence with a field it does not measure
        says = rule.says
    return Observation(
        rule=rule.id,
        says=says,
        llr=weight + 0.0,  # which makes 0 of -0
        frames=tuple(judgement.witness[place].tolist()),
        measured={name: float(value) if math.isfinite(value) else None for name, value in numbers.items()},
        was=rule.was or None,
        mechanism=rule.mechanism,
    )


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
