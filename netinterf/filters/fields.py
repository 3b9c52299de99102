"""What a filter without memory can see of a packet that an injector may have written.

Only what its writer chose for all of its packets counts: no address, no port, no number of a connection, no single
IP identification, since these hold for one victim, or for one packet.
"""

from enum import Enum

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.mechanisms import known_as
from netinterf.schema import IpFlag, TcpFlag, Verdicts
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["FIELDS", "Kind", "Seen", "forged_packets", "genuine_packets", "of_kind", "read_fields"]

TCP, UDP = 6, 17
RESPONSE = 0x8000  # QR of the DNS header (RFC 1035 §4.1.1)
ENDS = TcpFlag.RST | TcpFlag.FIN | TcpFlag.SYN


class Kind(Enum):
    """Packets that are asked for by what they do."""

    RESET = "reset"
    FIN = "FIN"
    ANSWER = "DNS answer"


FIELDS = ("ttl", "tos", "fragment", "zero_id", "flags", "window", "bare", "dns_flags", "authority", "additional")
"""Columns: hop limit; type of service; whether DF is not set and whether the IP identification is zero (IPv4); of TCP
the flags, the window field, and whether there are no options; of DNS its flags and how many records of authority and
further ones it has (RFC 1035 §4.1.1). -1 where a packet has no such field."""


@frozen(eq=False, kw_only=True)
class Seen:
    """Packets of one kind as a filter sees them; aligned."""

    version: I64  # of IP
    value: I64  # shape (packets, FIELDS)
    flow: I64  # row in Flows

    def __len__(self) -> int:
        return len(self.version)

    def take(self, rows: I64 | Mask) -> "Seen":
        """Select packets."""
        return Seen(version=self.version[rows], value=self.value[rows], flow=self.flow[rows])


def read_fields(trace: Trace, rows: I64, kind: Kind) -> Seen:
    """Read what a filter sees of some packets.

    Args:
        trace: The capture.
        rows: Rows in Packets.
        kind: What they are.
    """
    packets = trace.packets
    value = np.full((len(rows), len(FIELDS)), -1, np.int64)
    place = {name: number for number, name in enumerate(FIELDS)}
    value[:, place["ttl"]], value[:, place["tos"]] = packets.ttl[rows], packets.tos[rows]
    four = packets.version[rows] == 4
    value[four, place["fragment"]] = packets.ip_flags[rows[four]] & IpFlag.DONT_FRAGMENT == 0
    value[four, place["zero_id"]] = packets.ip_id[rows[four]] == 0
    if kind is Kind.ANSWER:
        message = np.full(len(packets), -1, np.int64)
        message[trace.dns.packet] = np.arange(len(trace.dns))
        told = message[rows]
        known = told >= 0
        value[known, place["dns_flags"]] = trace.dns.flags[told[known]]
        value[known, place["authority"]] = trace.dns.authorities[told[known]]
        value[known, place["additional"]] = trace.dns.additionals[told[known]]
    else:
        value[:, place["flags"]] = packets.tcp_flags[rows] & 0xFF
        value[:, place["window"]] = packets.window[rows]
        value[:, place["bare"]] = packets.payload_at[rows].astype(np.int64) - packets.transport_at[rows] == 20
    return Seen(version=packets.version[rows].astype(np.int64), value=value, flow=packets.flow[rows].astype(np.int64))


def forged_packets(trace: Trace, verdicts: Verdicts, kind: Kind) -> I64:
    """List the packets of a kind that findings hold to be forged and that go to clients; silence forges none."""
    wrote = [not ((record := known_as(word)) and record.silent) for word in verdicts.mechanisms]
    rows = np.flatnonzero(np.isin(verdicts.mechanism, np.flatnonzero(wrote)))
    forged = verdicts.forged.take(rows).values.astype(np.int64)
    return np.intersect1d(forged, of_kind(trace, kind))


def genuine_packets(trace: Trace, kind: Kind, forged: I64) -> I64:
    """List the packets of a kind that go to clients and that nobody holds to be forged."""
    return np.setdiff1d(of_kind(trace, kind), forged)


def of_kind(trace: Trace, kind: Kind) -> I64:
    """List the packets of a kind that servers send, or seem to."""
    packets = trace.packets
    to_client = (packets.flow >= 0) & ~packets.outbound
    if kind is Kind.ANSWER:
        answers = np.zeros(len(packets), np.bool_)
        answers[trace.dns.packet[trace.dns.flags & RESPONSE != 0]] = True
        return np.flatnonzero(to_client & answers & (packets.protocol == UDP))
    wanted = TcpFlag.RST if kind is Kind.RESET else TcpFlag.FIN
    return np.flatnonzero(to_client & (packets.protocol == TCP) & (packets.tcp_flags & ENDS == wanted))
