"""Who was met in several pieces of a capture: conversations and lookups that are one, whoever saw a part of them.

A conversation has one key everywhere, and its handshake tells it from a later one between the same ports; a lookup that
is repeated is one as long as the whole would take it for one (`netinterf.protocols.dns_exchanges`).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from netinterf.arrays import I32, I64, U32, U64, Mask
from netinterf.engine.judged_window import JudgedWindow
from netinterf.engine.release import conversation_keys
from netinterf.flows.grouping import mix
from netinterf.numbering import hash_rows
from netinterf.protocols.dns_exchanges import WINDOW_NS
from netinterf.table import Table, column
from netinterf.values import frozen

__all__ = ["Met", "conversations", "lookups", "told_twice"]


@frozen(eq=False, kw_only=True)
class Met(Table):
    """Conversations and DNS lookups that were met while a piece was looked at, wherever they began."""

    key: U64 = column("u8", "hash of both ends and the protocol, and of what was asked")
    isn: U32 = column("u4", "initial sequence number of the client")
    opened: Mask = column("?", "its handshake was seen")
    lookup: Mask = column("?", "it is a lookup")
    start: I64 = column("i8", "time of its first packet that was seen", unit="ns since 1970 UTC")
    end: I64 = column("i8", "time of the last", unit="ns since 1970 UTC")
    first: I64 = column("i8", "first frame that was seen")
    last: I64 = column("i8", "last frame that was seen")
    own: Mask = column("?", "it began in the piece, as far as that shows")
    row: I32 = column("i4", "its row among the flows or exchanges that are kept, -1 where it is not", missing=True)


def conversations(window: JudgedWindow, own: Mask, row: I64) -> Met:
    """List the conversations that were met; where there is nothing but DNS, each lookup stands for itself.

    Args:
        window: What was looked at.
        own: Which flows began in the piece.
        row: The row of each flow among those that are kept, -1 for others.
    """
    packets, flows, sides = window.trace.packets, window.trace.flows, window.trace.sides
    last = np.zeros(len(flows), np.int64)
    inside = packets.flow >= 0
    np.maximum.at(last, packets.flow[inside], packets.frame[inside].astype(np.int64))
    chosen = np.flatnonzero(~window.dns_alone)
    return Met(
        key=conversation_keys(window.trace)[chosen],
        isn=sides.isn[2 * chosen],
        opened=sides.syn[2 * chosen] >= 0,
        lookup=np.zeros(len(chosen), np.bool_),
        start=flows.first[chosen],
        end=flows.last[chosen],
        first=packets.frame[flows.first_packet[chosen]].astype(np.int64),
        last=last[chosen],
        own=own[chosen],
        row=row[chosen].astype(np.int32),
    )


def lookups(window: JudgedWindow, own: Mask, row: I64) -> Met:
    """List the DNS lookups that were met; see `conversations`."""
    trace, ledger = window.trace, window.judged.ledger
    dns, exchanges, subject = trace.dns, trace.exchanges, ledger.subjects.by_exchange
    last = np.zeros(len(exchanges), np.int64)
    np.maximum.at(last, dns.exchange, trace.packets.frame[dns.packet].astype(np.int64))
    asked = exchanges.id.astype(np.uint64) | exchanges.kind.astype(np.uint64) << np.uint64(16)
    asked |= exchanges.qclass.astype(np.uint64) << np.uint64(32)
    return Met(
        key=mix(mix(conversation_keys(trace)[exchanges.flow] + asked) + hash_rows(exchanges.name)),
        isn=np.zeros(len(exchanges), np.uint32),
        opened=np.zeros(len(exchanges), np.bool_),
        lookup=np.ones(len(exchanges), np.bool_),
        start=ledger.subjects.start[subject],
        end=ledger.subjects.end[subject],
        first=ledger.first_frame[subject].astype(np.int64),
        last=last,
        own=own,
        row=row.astype(np.int32),
    )


def told_twice(tables: Sequence[Met], ends: Sequence[int]) -> tuple[list[tuple[I64, I64]], int]:
    """Find whom several pieces took for their own, and count those that went on unseen.

    Args:
        tables: Who was met, piece by piece.
        ends: The last frame that was looked at with each piece.

    Returns:
        Of each piece, which rows of the flows and of the exchanges that are kept belong to an earlier one; and how many
        conversations and lookups have packets behind what was looked at with their beginning.
    """
    table, of = Met.concat(tables), np.repeat(np.arange(len(tables)), list(map(len, tables)))
    order = np.lexsort((table.first, of, table.key))
    table, of = table.take(order), of[order]
    same = (table.key[1:] == table.key[:-1]) & (of[1:] != of[:-1])
    anew = table.opened[1:] & (table.isn[1:] != table.isn[:-1])
    anew |= table.lookup[1:] & (table.start[1:] - table.end[:-1] > WINDOW_NS)
    new = np.append(True, ~same | anew)[: len(table)]
    number = np.cumsum(new) - 1
    before: I64 = np.cumsum(table.own) - table.own
    first = table.own & (before == before[new][number])  # no piece before took it for its own
    owner = np.flatnonzero(first)
    until = np.full(int(np.count_nonzero(new)), -1)
    until[number[owner]] = np.array(ends)[of[owner]]
    last = np.full(len(until), -1)
    np.maximum.at(last, number, table.last)
    twice = np.flatnonzero(table.own & ~first & (table.row >= 0))
    twice = twice[np.argsort(of[twice], kind="stable")]  # those of a piece in one run
    row, lookup = table.row[twice].astype(np.int64), table.lookup[twice]
    edges = np.searchsorted(of[twice], np.arange(len(tables) + 1))
    runs = [slice(begin, end) for begin, end in pairwise(edges.tolist())]
    gone = [(row[run][~lookup[run]], row[run][lookup[run]]) for run in runs]
    return gone, int(np.count_nonzero(last > until))
