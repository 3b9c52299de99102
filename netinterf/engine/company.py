"""Lookups that keep clients of other shards company: what name servers answered others, and how.

Whether a reply is unlike its server's others can be said only beside enough of them, and a shard holds those of its own
clients. So each shard is given a sample of the lookups that clients of others made at the same servers: company, which
is judged where it belongs (`netinterf.engine.judged_window`).
"""

import numpy as np

from netinterf.arrays import I64, U8, U16, U64, Mask
from netinterf.flows.conversations import address_hash, endpoint_hash
from netinterf.flows.grouping import mix
from netinterf.schema import Endpoints, Packets, Records, Status
from netinterf.table import column
from netinterf.values import frozen

__all__ = ["Lookups", "find_lookups"]

DNS, UDP = 53, 17

HEADER = 3  # bytes of a message that are read: its number, and whether it is a reply

SAMPLE = 128
"""Lookups of a server that are kept of each kind, those with one reply and with several: four times what a hop limit
needs that no other reply showed to weigh in full (`netinterf.analyzers.dns_poisoning.profile.hop_weight`:
ln(0.9 (n + 1) / 0.5) is 4 for n = 30), so that shares are known to within a tenth."""

PACKETS = 8
"""Packets of a lookup that are kept, the first: a client may ask with one number from one port for days."""

MOST = 1 << 15
"""Packets that are kept of all lookups, an eighth of a shard; of the servers that most buckets asked."""


@frozen(eq=False, kw_only=True)
class Lookups(Records):
    """Frames of lookups over UDP, by server and then by lookup."""

    server: U64 = column("u8", "hash of the server's address")
    lookup: U64 = column("u8", "of client, server and transaction ID: the least are sampled")
    bucket: U16 = column("u2", "of the client")
    reply: Mask = column("?", "whether it is a reply")

    @property
    def mark(self) -> U16:
        """A number of the server that fits beside a frame; not 0, and of others as well by chance."""
        mark: U16 = (self.server >> np.uint64(48)).astype(np.uint16) | np.uint16(1)
        return mark

    def of_others(self, marks: U16, first: int, behind: int) -> Records:
        """Give the frames of answered lookups at some servers, by clients of other buckets than those of a shard.

        What got no answer is no company: that a server answers nothing cannot be told from a sample.

        Args:
            marks: Of servers.
            first: The first bucket of the shard.
            behind: The one behind its last.
        """
        other = ((self.bucket < first) | (self.bucket >= behind)) & np.isin(self.mark, marks)
        of, _, replies = each_lookup(self)
        chosen = self.take(other & (replies > 0)[of])
        return Records(**{one.name: getattr(chosen, one.name) for one in Records.schema()})

    def sampled_with(self, more: "Lookups") -> "Lookups":
        """Put these and others together, and keep a sample of what each server was asked."""
        if not len(more):
            return self
        both = Lookups.concat([self, more])
        both = both.take(np.lexsort((both.lookup, both.server)))
        both = both.take(sampled(both))
        return both.of_most_asked() if len(both) > MOST else both

    def of_most_asked(self) -> "Lookups":
        """Keep the packets of the servers that most buckets asked, as many as there is room for."""
        _, of = np.unique(self.server, return_inverse=True)
        order = np.argsort(-np.bincount(np.unique(of << 16 | self.bucket) >> 16), kind="stable")
        fits = np.zeros(len(order), np.bool_)
        fits[order] = np.cumsum(np.bincount(of)[order]) <= MOST
        return self.take(fits[of])


def sampled(lookups: Lookups) -> Mask:
    """Choose lookups of each server by least hashes: of those with several replies, with one, and with none yet."""
    of, server, replies = each_lookup(lookups)
    chosen = np.zeros(len(server), np.bool_)
    for kind in (replies > 1, replies == 1, replies == 0):
        rows = np.flatnonzero(kind)  # those of a server are together, by rising hash
        chosen[rows] = np.arange(len(rows)) - np.searchsorted(server[rows], server[rows]) < SAMPLE
    first = np.searchsorted(of, np.arange(len(server)))
    kept: Mask = chosen[of] & (np.arange(len(of)) - first[of] < PACKETS)
    return kept


def each_lookup(lookups: Lookups) -> tuple[I64, I64, I64]:
    """Number lookups that lie side by side.

    Returns:
        The lookup of each packet; of each lookup its server, rising, and how many replies it has.
    """
    new_server = np.append(True, lookups.server[1:] != lookups.server[:-1])[: len(lookups)]
    new = new_server | np.append(True, lookups.lookup[1:] != lookups.lookup[:-1])[: len(lookups)]
    of = np.cumsum(new) - 1
    return of, np.cumsum(new_server)[new], np.bincount(of, lookups.reply).astype(np.int64)


def find_lookups(buffer: U8, packets: Packets, ends: Endpoints, bucket: U16) -> tuple[Lookups, I64]:
    """Find DNS over UDP among some packets; their rows beside them.

    Args:
        buffer: Bytes of the capture.
        packets: Packets.
        ends: Who sent each of them to whom.
        bucket: Of the client of each.
    """
    udp = (packets.protocol == UDP) & ((ends.source_port == DNS) | (ends.target_port == DNS))
    headed = packets.status & (Status.FRAGMENT_LATER | Status.HEADER_CUT) == 0
    rows = np.flatnonzero(udp & headed & (packets.captured >= packets.payload_at.astype(np.uint32) + HEADER))
    at, ends = packets.at[rows] + packets.payload_at[rows], ends.take(rows)
    number = buffer[at].astype(np.uint64) << np.uint64(8) | buffer[at + 1]
    reply: Mask = buffer[at + 2] >= 0x80  # QR (RFC 1035 §4.1.1)
    source, target = address_hash(ends.source_high, ends.source_low), address_hash(ends.target_high, ends.target_low)
    there = endpoint_hash(ends.source_high, ends.source_low, ends.source_port)
    back = endpoint_hash(ends.target_high, ends.target_low, ends.target_port)
    lookups = Lookups(
        **{one.name: getattr(packets, one.name)[rows] for one in Records.schema()},
        server=np.where(reply, source, target),
        lookup=mix(there + back + number),
        bucket=bucket[rows],
        reply=reply,
    )
    return lookups, rows
