"""What forged DNS replies look like: flags, lifetime and build of the message, header of its packet, and what it says.

Makers of injectors choose these (Anonymous et al., *Triplet Censors*, FOCI 2020, table of injectors); which addresses
they draw, and who owns them, is text that the catalogue searches.
"""

import ipaddress

import numpy as np

from netinterf.arrays import I64, U64
from netinterf.attribute.trait import MOST, UNKNOWN, Findings, Trait
from netinterf.context.forged import ForgedKind, address_owners, forged_addresses
from netinterf.numbering import combined, numbered_text, ordered_within
from netinterf.protocols.dns_exchanges import REPLY_BIT
from netinterf.protocols.dns_messages import RecordType
from netinterf.schema import IpFlag, ParseError
from netinterf.table import Ragged, Text, spans
from netinterf.trace import Trace

__all__ = ["forged_messages", "query_of", "read_replies"]

UDP = 17
ADDRESSES = (RecordType.A, RecordType.AAAA)

WRITER_FLAGS = 0x04EF
"""AA, RA, Z, AD, CD and RCODE: what the writer of a reply sets by itself (RFC 1035 §4.1.1, RFC 4035 §3)."""

MOST_RECORDS = 8
"""Answer records of one reply that are read out; forged ones hold one or two."""


def read_replies(trace: Trace, findings: Findings, value: I64) -> Ragged:
    """Describe the forged replies of each finding, in place, and read out what they answer.

    Args:
        trace: The capture.
        findings: What is asked about.
        value: Traits by finding; only those of findings with forged DNS replies over UDP are written.

    Returns:
        What the replies of each finding say, as text; empty for other findings.
    """
    owner, message = forged_messages(trace, findings.forged)
    subject, start, count = np.unique(owner, return_index=True, return_counts=True)
    if len(subject):
        value[subject, Trait.DNS_REPLIES] = np.minimum(count, MOST)
        describe_message(trace, subject, message[start], value)
        describe_packet(trace, subject, message[start], value)
    return joined_answers(trace, owner, message, len(findings.flow))


def forged_messages(trace: Trace, forged: Ragged) -> tuple[I64, I64]:
    """List the DNS replies over UDP among forged packets: the list and the row in Dns of each, in order."""
    owner, packet = forged.parents(), forged.values.astype(np.int64)
    carrier = trace.dns.packet.astype(np.int64)  # in order of packets
    place = np.minimum(np.searchsorted(carrier, packet), max(len(carrier) - 1, 0))
    if not len(carrier) or not len(packet):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    reply = (carrier[place] == packet) & (trace.dns.flags[place] & REPLY_BIT != 0)
    reply &= trace.packets.protocol[packet] == UDP
    return owner[reply], place[reply]


def describe_message(trace: Trace, subject: I64, message: I64, value: I64) -> None:
    """Write down flags, lifetime and build of one message per finding."""
    dns, answers = trace.dns, trace.answers
    value[subject, Trait.DNS_FLAGS] = dns.flags[message] & WRITER_FLAGS
    lost = (dns.error[message] == ParseError.BAD_VALUE) & (dns.qclass[message] == 0)
    value[subject, Trait.DNS_CLASS] = np.where(dns.questions[message] == 1, lost, UNKNOWN)
    query = query_of(trace, message)
    wanted = (query >= 0) & dns.opt[np.maximum(query, 0)]
    value[subject, Trait.DNS_EDNS] = np.where(wanted, dns.opt[message], UNKNOWN)
    first = np.searchsorted(answers.message, message)
    there = first < len(answers)
    first = np.minimum(first, max(len(answers) - 1, 0))
    there &= (answers.message[first] == message) & (answers.section[first] == 1) if len(answers) else False
    if there.any():
        value[subject[there], Trait.DNS_LIFETIME] = answers.ttl[first[there]]
        value[subject[there], Trait.DNS_POINTER] = answers.pointer[first[there]]


def describe_packet(trace: Trace, subject: I64, message: I64, value: I64) -> None:
    """Write down the header of the packet of one message per finding."""
    packets, row = trace.packets, trace.dns.packet[message].astype(np.int64)
    query = query_of(trace, message)
    query_packet = trace.dns.packet[np.maximum(query, 0)].astype(np.int64)
    v4 = packets.version[row] == 4
    before = packets.ip_id[row].astype(np.int64) - packets.ip_id[query_packet]
    copied = np.where(before == 0, 1, np.where(before == 1, 2, 0))
    value[subject, Trait.TTL] = packets.ttl[row]
    value[subject, Trait.IP_ID] = np.where(v4, packets.ip_id[row].astype(np.int64), UNKNOWN)
    value[subject, Trait.IP_ID_COPIED] = np.where(v4 & (query >= 0), copied, UNKNOWN)
    value[subject, Trait.DF] = np.where(v4, packets.ip_flags[row] & IpFlag.DONT_FRAGMENT != 0, UNKNOWN)


def query_of(trace: Trace, message: I64) -> I64:
    """Find the first query of each message's exchange, row in Dns, -1 where none was captured."""
    queries = trace.exchanges.queries
    exchange = trace.dns.exchange[message].astype(np.int64)
    there = (exchange >= 0) & (queries.lengths[np.maximum(exchange, 0)] > 0)
    first = np.append(queries.values, 0)[queries.offsets[np.maximum(exchange, 0)]]
    return np.where(there, first, -1).astype(np.int64)


def joined_answers(trace: Trace, owner: I64, message: I64, count: int) -> Ragged:
    """Read out what the replies of each of *count* findings answer, line by line; the reply that fills it is the last.

    Args:
        trace: The capture.
        owner: The finding of each reply, rising.
        message: Row in Dns of each.
        count: How many findings there are.
    """
    reply, number, lines = answer_lines(trace, message)
    per_reply = np.bincount(reply, minlength=len(message))
    before = np.cumsum(per_reply) - per_reply
    before -= before[np.searchsorted(owner, owner)]
    told = (before < MOST * MOST_RECORDS)[reply]
    text = Text.of("\n" + line for line in lines).take(number[told])
    joined = Ragged.from_lengths(np.bincount(owner[reply[told]], text.lengths, count), text.values)
    filled = joined.lengths > 0
    return Ragged.from_lengths(joined.lengths - filled, np.delete(joined.values, joined.offsets[:-1][filled]))


def answer_lines(trace: Trace, message: I64) -> tuple[I64, I64, list[str]]:
    """Read out what replies answer, one line a record, or their response code; each different line once.

    Args:
        trace: The capture.
        message: Rows in Dns.

    Returns:
        For each line its reply, rising, and its number; and the lines by number.
    """
    answers = trace.answers
    begin, end = (np.searchsorted(answers.message, message, side) for side in ("left", "right"))
    record, reply = spans(begin, end - begin), np.repeat(np.arange(len(message)), end - begin)
    record, reply = (column[answers.section[record] == 1] for column in (record, reply))
    early, kind = np.arange(len(reply)) - np.searchsorted(reply, reply) < MOST_RECORDS, answers.kind[record]
    alias, address = (np.flatnonzero(early & np.isin(kind, which)) for which in (RecordType.CNAME, ADDRESSES))
    target, names = numbered_text(answers.target.take(record[alias]))
    high, low = answers.high[record[address]], answers.low[record[address]]
    place = combined(high.view(np.int64), low.view(np.int64))
    _, first = np.unique(place, return_index=True)
    told = np.zeros(len(message), np.bool_)
    told[reply[np.concatenate([alias, address])]] = True
    silent = np.flatnonzero(~told)
    code = trace.dns.flags[message[silent]].astype(np.int64) & 0xF
    lines = [f"CNAME {name}" for name in names] + address_lines(high[first], low[first])
    number = np.concatenate([target, len(names) + place, len(lines) + code])
    reply = np.concatenate([reply[alias], reply[address], silent])
    order = ordered_within(reply, np.concatenate([alias, address, silent]))
    return reply[order], number[order], lines + [f"RCODE {code}" for code in range(16)]


def address_lines(high: U64, low: U64) -> list[str]:
    """Write addresses with what the packaged lists know of them: ``A 8.7.198.46 forged CN GFW injector 1``."""
    if not len(high):
        return []  # the lists take longer to read than a small capture
    listed, owners = forged_addresses(), address_owners()
    lines = []
    for upper, lower, row, owner in zip(
        high.tolist(), low.tolist(), listed.find(high, low).tolist(), owners.find(high, low).tolist(), strict=True
    ):
        four = upper == 0 and lower >> 32 == 0xFFFF
        text = str(ipaddress.IPv4Address(lower & 0xFFFFFFFF) if four else ipaddress.IPv6Address(upper << 64 | lower))
        parts = [f"{'A' if four else 'AAAA'} {text}"]
        if row >= 0:
            kind = ForgedKind(int(listed.kinds[row])).name.lower()
            parts.append(f"{kind} {listed.countries[row]} {listed.operators[row]}".rstrip())
        if owner >= 0:
            parts.append(f"owner {owners.owners[owner]}")
        lines.append(" ".join(parts))
    return lines
