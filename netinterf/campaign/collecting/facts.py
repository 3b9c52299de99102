"""What packets say that no verdict keeps: who signed certificates, which keys servers have, what names resolved to.

It is read from a trace before that is let go, and means something beside other captures: a key that one network alone
sees, or an answer that one resolver alone gives.
"""

from enum import IntEnum
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from typing import Self

import attrs
import numpy as np

from netinterf.arrays import F64, I32, I64, U8, Mask
from netinterf.context.special import special_bits
from netinterf.numbering import combined, numbered, numbered_text
from netinterf.protocols.certificates import read_certificate
from netinterf.protocols.dns_messages import RecordType
from netinterf.schema import TlsKind
from netinterf.table import Table, Text, column, text
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["NOWHERE", "NXDOMAIN", "Facts", "Kind", "address_text", "facts_of"]

NXDOMAIN = "NXDOMAIN"
"""What stands for "there is no such name" among answers (RFC 8020), and its RCODE (RFC 1035 §4.1.1)."""
NOWHERE = frozenset({NXDOMAIN, "0.0.0.0", "127.0.0.1", "::", "::1"})
"""Answers that lead nobody anywhere (RFC 1122 §3.2.1.3; RFC 4291 §2.5.2 and §2.5.3): all filters agree on them."""
RCODE, NO_NAME, RESPONSE = 0x000F, 3, 0x8000


class Kind(IntEnum):
    """What a mark tells of attempts."""

    ISSUER = 0  # who signed the server's certificate
    KEY = 1  # SHA-256 of its public key
    ANSWER = 2  # an address that a name resolved to, or that there is no such name
    SYSTEM = 3  # a documented system whose handwriting a finding shows
    RATE = 4  # what a transfer was held to
    INJECTOR = 5  # a hand among forged DNS replies


@frozen(eq=False, kw_only=True)
class Facts(Table):
    """One row per certificate and flow, and per answered address and exchange."""

    flow: I32 = column("i4", "row in Flows, -1 for an exchange", missing=True)
    exchange: I32 = column("i4", "row in Exchanges, -1 for a flow", missing=True)
    kind: U8 = column("u1", "Kind code")
    value: Text = text("what was seen")
    hidden: Mask = column("?", "who knows it may find the name of the server")
    number: F64 = column("f8", "what was measured: of answers the hop limit; NaN for nothing")
    frame: I32 = column("i4", "frame that shows it")

    def moved(self, flow: I64, exchange: I64, packet: I64 | None = None) -> Self:  # noqa: ARG002  (frames stay)
        """Follow flows and exchanges to their new rows; what is about none of them (-1) is left out."""
        flows, exchanges = np.append(flow, -1)[self.flow], np.append(exchange, -1)[self.exchange]
        moved = attrs.evolve(self, flow=flows.astype(np.int32), exchange=exchanges.astype(np.int32))
        return moved.take((flows >= 0) | (exchanges >= 0))


def facts_of(trace: Trace) -> Facts:
    """Read what certificates and DNS replies of a capture say."""
    return Facts.concat([*certificates(trace), *answers(trace)])


def certificates(trace: Trace) -> tuple[Facts, ...]:
    """Read issuers and keys of certificates that servers showed. One that signed itself has its own name for issuer."""
    tls = trace.tls
    rows = np.flatnonzero((tls.kind == TlsKind.CERTIFICATE) & ~tls.outbound & (tls.certificates.lengths > 0))
    if not len(rows):
        return ()
    number, different = numbered_text(tls.certificates.take(rows))
    read = [read_certificate(different.bytes(place)) for place in range(len(different))]
    known = np.array([one is not None for one in read], np.bool_)[number]
    rows, number = rows[known], number[known]
    frame = trace.packets.frame[tls.packet[rows]].astype(np.int32)
    issuers = Text.of(one.issuer if one else "" for one in read)
    own = np.array([one is not None and one.self_issued for one in read], np.bool_)
    keys = Text.of(sha256(one.key).hexdigest() if one else "" for one in read)

    def facts(kind: Kind, values: Text, hidden: Mask) -> Facts:
        return Facts(
            flow=tls.flow[rows],
            exchange=np.full(len(rows), -1, np.int32),
            kind=np.full(len(rows), kind, np.uint8),
            value=values.take(number),
            hidden=hidden[number],
            number=np.full(len(rows), np.nan),
            frame=frame,
        )

    return facts(Kind.ISSUER, issuers, own), facts(Kind.KEY, keys, np.ones(len(read), np.bool_))


def answers(trace: Trace) -> tuple[Facts, ...]:
    """List what names resolved to, each once for an exchange; only addresses of public hosts are hidden."""
    records, dns = trace.answers, trace.dns
    if not len(dns):
        return ()
    wanted = (records.section == 1) & np.isin(records.kind, (RecordType.A, RecordType.AAAA))
    exchange = dns.exchange[records.message]
    rows = np.flatnonzero(wanted & (exchange >= 0) & (records.high | records.low > 0))
    _, first = numbered(combined(exchange[rows], records.high[rows].view(np.int64), records.low[rows].view(np.int64)))
    rows = rows[np.sort(first)]
    high, low = records.high[rows], records.low[rows]
    denials = np.flatnonzero((dns.flags & RESPONSE != 0) & (dns.flags & RCODE == NO_NAME) & (dns.exchange >= 0))
    _, first = numbered(dns.exchange[denials].astype(np.int64))
    denials = denials[np.sort(first)]
    message = np.concatenate([records.message[rows], denials])
    packet = dns.packet[message]
    told = [address_text(*halves) for halves in zip(high.tolist(), low.tolist(), strict=True)]
    facts = Facts(
        flow=np.full(len(message), -1, np.int32),
        exchange=dns.exchange[message].astype(np.int32),
        kind=np.full(len(message), Kind.ANSWER, np.uint8),
        value=Text.of([*told, *[NXDOMAIN] * len(denials)]),
        hidden=np.concatenate([special_bits(high, low) == 0, np.zeros(len(denials), np.bool_)]),
        number=trace.packets.ttl[packet].astype(np.float64),
        frame=trace.packets.frame[packet].astype(np.int32),
    )
    return (facts,)


def address_text(high: int, low: int) -> str:
    """Write an address."""
    four = high == 0 and low >> 32 == 0xFFFF
    return str(IPv4Address(low & 0xFFFFFFFF) if four else IPv6Address(high << 64 | low))
