"""One row per reply to a DNS query: when it came, who sent it, and how it looks.

Only ordinary queries over UDP are raced by an injector: zone transfers, which have replies of many messages, updates
and DNS over TCP stay out.
"""

from functools import cached_property

import numpy as np

from netinterf.arrays import I64, U16, U64, Mask
from netinterf.numbering import distinct, hash_rows, numbered, numbered_text
from netinterf.pieces import gather
from netinterf.protocols.dns_exchanges import REPLY_BIT
from netinterf.schema import IpFlag
from netinterf.table import Text
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["COPY_NS", "Replies", "digest", "gather_udp_replies", "names_by_server", "question_keys"]

UDP = 17
VARIED_IDS = 3
"""Different IP IDs a sender must have used before one of them can be called its own."""

COPY_NS = 1_000_000
"""Two queries this close are one that was captured twice (mirror port, "any" device): stubs wait a second and more."""

TRANSFERS = (251, 252)
"""IXFR and AXFR (RFC 1995, RFC 5936): one query, many replies."""


@frozen(eq=False, kw_only=True)
class Replies:
    """Replies over UDP, n of them, sorted by exchange, then time."""

    message: I64  # row in Dns
    exchange: I64  # row in Exchanges
    packet: I64  # row in Packets
    server: I64  # row in Hosts that the reply claims to come from
    query: I64  # row in Dns of the last query before it, -1 when none was captured
    delay: I64  # ns since that query, as a recorder of whole µs times it; -1 when unknown
    digest: U64  # equal for equal bytes
    flow: I64  # rows in Flows
    queries: I64  # queries captured in its exchange
    flags: U16
    records: I64  # records in the answer section that could be read
    cut_off: Mask  # the capture cut the message off inside the answer section
    pointer: Mask  # the first answer's owner name is compressed
    answered: Mask  # it has an answer record, so that `pointer` means something
    ttl: I64
    ip_id: I64  # -1 where there is none (IPv6)
    df: Mask  # don't-fragment flag
    ip_id_copied: Mask  # IPv4, and its IP ID is that of the query
    record_at: I64  # row in Answers of the first record of each row of Dns, one more entry than rows
    question: U64  # equal for the same name and type

    def __len__(self) -> int:
        return len(self.message)

    @cached_property
    def question_number(self) -> I64:
        """Number of each one's question, from 0 without gaps."""
        return numbered(self.question)[0]

    def to_questions_of(self, rows: I64) -> Mask:
        """Say which are replies to the questions of some."""
        asked = np.zeros(int(self.question_number.max(initial=-1)) + 1, np.bool_)
        asked[self.question_number[rows]] = True
        return asked[self.question_number]

    @cached_property
    def alone(self) -> Mask:
        """Which are the only reply of their exchange."""
        single: Mask = np.bincount(self.exchange)[self.exchange] == 1
        return single

    @property
    def rcode(self) -> U16:
        """Response code."""
        code: U16 = self.flags & np.uint16(0xF)
        return code

    @property
    def truncated(self) -> Mask:
        """TC bit."""
        bit: Mask = self.flags & np.uint16(0x200) != 0
        return bit


def gather_udp_replies(trace: Trace) -> Replies:
    """Collect the replies over UDP to ordinary queries (opcode 0, no zone transfer)."""
    dns, exchanges, packets, flows = trace.dns, trace.exchanges, trace.packets, trace.flows
    message = exchanges.replies.values.astype(np.int64)
    exchange = exchanges.replies.parents()
    flow = dns.flow[message]
    use = (flows.protocol[flow] == UDP) & (dns.flags[message] >> np.uint16(11) & 0xF == 0)
    use &= ~np.isin(exchanges.kind[exchange], TRANSFERS)
    message, exchange, flow = message[use], exchange[use], flow[use]
    packet = dns.packet[message].astype(np.int64)
    query = _last_query(trace, message, exchange)
    query_row = np.maximum(query, 0)
    query_packet = dns.packet[query_row] if len(dns) else query_row
    known = query >= 0
    first = _first_answers(trace, message)
    four = packets.version[packet] == 4
    ip_id = np.where(four, packets.ip_id[packet].astype(np.int64), -1)
    promised = dns.answers[message].astype(np.int64)
    cut = packets.payload_captured[packet] < packets.payload_length[packet]
    question = question_keys(trace)[exchange]
    return Replies(
        record_at=np.append(0, np.cumsum(np.bincount(trace.answers.message, minlength=len(dns)))),
        question=question,
        message=message,
        exchange=exchange,
        packet=packet,
        server=np.where(dns.outbound[message], flows.client[flow], flows.server[flow]).astype(np.int64),
        query=query,
        delay=np.where(known, packets.time[packet] - packets.time[query_packet], -1),
        digest=digest(trace, message),
        flow=flow.astype(np.int64),
        queries=transmissions(trace)[exchange],
        flags=dns.flags[message],
        records=first[1],
        cut_off=cut & (first[1] < promised),
        pointer=first[2],
        answered=first[0] >= 0,
        ttl=packets.ttl[packet].astype(np.int64),
        ip_id=ip_id,
        df=packets.ip_flags[packet] & np.uint8(IpFlag.DONT_FRAGMENT) != 0,
        ip_id_copied=known & four & (ip_id == packets.ip_id[query_packet]) & _telling_ids(trace)[query_row],
    )


def question_keys(trace: Trace) -> U64:
    """Mix name and type of each exchange into one number."""
    kinds = trace.exchanges.kind.astype(np.uint64)
    return hash_rows(trace.exchanges.name) ^ kinds * np.uint64(0x9E3779B97F4A7C15)


def names_by_server(trace: Trace, replies: Replies, which: Mask) -> I64:
    """Count, for each host of the capture, the different names that some of its replies are about."""
    rows = np.flatnonzero(which)
    name, _ = numbered_text(trace.exchanges.name.take(replies.exchange[rows]))
    return np.bincount(distinct(replies.server[rows] << 32 | name) >> 32, minlength=len(trace.hosts))


def _telling_ids(trace: Trace) -> Mask:
    """Say which messages carry an IP ID hardly met by chance: not zero, and used once by a sender who varies.

    Crafted packets and idle stacks send one value in all packets; a reply that carries it as well proves nothing.
    """
    dns, packets = trace.dns, trace.packets
    query = np.flatnonzero(dns.flags & REPLY_BIT == 0)
    packet = dns.packet[query]
    sender = np.where(dns.outbound[query], trace.flows.client[dns.flow[query]], trace.flows.server[dns.flow[query]])
    ids = packets.ip_id[packet].astype(np.int64)
    number, first = numbered(sender.astype(np.int64) << 16 | ids)
    varied = np.bincount(sender[first], minlength=len(trace.hosts))[sender] >= VARIED_IDS
    telling = np.zeros(len(dns), np.bool_)
    telling[query] = (ids > 0) & (np.bincount(number)[number] == 1) & varied
    return telling


def _last_query(trace: Trace, message: I64, exchange: I64) -> I64:
    """Find for each reply the last query of its exchange that was captured before it, -1 for none."""
    queries = trace.exchanges.queries
    place = (queries.parents() << 32) | queries.values  # rows of Dns are in time order, so this is sorted
    before = np.searchsorted(place, (exchange << 32) | message) - 1
    inside = before >= queries.offsets[exchange]
    if not len(queries.values):
        return np.full(len(message), -1, np.int64)
    return np.where(inside, queries.values[np.maximum(before, 0)], -1).astype(np.int64)


def _first_answers(trace: Trace, message: I64) -> tuple[I64, I64, Mask]:
    """Find each message's first answer record (-1 for none), their number, and whether its name is compressed."""
    answers = trace.answers
    rows = np.flatnonzero(answers.section == 1)
    counts = np.bincount(answers.message[rows], minlength=len(trace.dns))
    first = np.full(len(trace.dns), -1, np.int64)
    first[answers.message[rows[::-1]]] = rows[::-1]
    record = first[message]
    pointer = np.zeros(len(message), np.bool_)
    pointer[record >= 0] = answers.pointer[record[record >= 0]]
    return record, counts[message], pointer


def digest(trace: Trace, message: I64) -> U64:
    """Mix the bytes of UDP messages into numbers, only for those that share an exchange with another reply.

    The others get their row number: nothing will be compared with them.
    """
    mixed = message.astype(np.uint64)
    exchange = trace.dns.exchange[message]
    shared = np.flatnonzero(np.bincount(exchange, minlength=1)[exchange] > 1) if len(message) else np.empty(0, np.int64)
    rows = message[shared]
    length, at = trace.packets.payload_captured[trace.dns.packet[rows]].astype(np.int64), trace.dns.at[rows]
    whole = at >= 0
    mixed[shared[whole]] = hash_rows(Text.from_lengths(length[whole], gather(trace.buffer, at[whole], length[whole])))
    return mixed


def transmissions(trace: Trace) -> I64:
    """Count how often each exchange's question was sent, second captures of one query left out."""
    queries = trace.exchanges.queries
    time = trace.packets.time[trace.dns.packet[queries.values]]
    owner = queries.parents()
    again = np.zeros(len(owner), np.bool_)
    again[1:] = (owner[1:] == owner[:-1]) & (np.diff(time) <= COPY_NS)
    return np.bincount(owner[~again], minlength=len(queries))
