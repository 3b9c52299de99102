"""Where the packets between two addresses belong: in the bucket of their client."""

import numpy as np

from netinterf.arrays import I64, U16, U64, Mask
from netinterf.flows.conversations import address_hash
from netinterf.flows.grouping import mix
from netinterf.schema import Endpoints, IcmpQuotes, Packets, Status, TcpFlag

__all__ = ["BUCKETS", "Homes"]

BUCKETS = 1024
"""Among so many buckets clients are dealt by their addresses, and shards are made of whole buckets."""

PAIR = ~np.uint64(BUCKETS - 1)
"""The bits of a pair's hash that are kept; the rest give way to its bucket. Ten million pairs are 80 MB, and of so many
two are taken for one with a chance of 0.3 %: then a client is looked at in two places."""

TCP = 6

SYN_WEIGHT = 1 << 32
"""A handshake says who the client is, whatever any number of ports say."""


class Homes:
    """Pairs of addresses that were met, and the bucket of each.

    Which of two addresses is the client is told by the first packets between them that are looked at together: by SYN
    and SYN/ACK, else the end with the higher port, else the first to speak. It stays so.
    """

    def __init__(self) -> None:
        self._runs: list[U64] = []  # what each pair is kept as (`kept`), rising; each run shorter than the last

    def of_packets(self, packets: Packets, ends: Endpoints) -> U16:
        """Give the bucket of each packet by its own ends; what has no addresses is in the first."""
        headed = packets.status & (Status.FRAGMENT_LATER | Status.HEADER_CUT) == 0
        flags = packets.tcp_flags & (TcpFlag.SYN | TcpFlag.ACK | TcpFlag.RST)
        tcp = headed & (packets.protocol == TCP)
        weight = np.where(headed, by_ports(ends), 0)
        weight[tcp & (flags == TcpFlag.SYN)] = SYN_WEIGHT
        weight[tcp & (flags == TcpFlag.SYN | TcpFlag.ACK)] = -SYN_WEIGHT
        bucket = self._buckets(ends, weight)
        bucket[packets.version == 0] = 0
        return bucket

    def of_quotes(self, quotes: IcmpQuotes) -> U16:
        """Give the bucket of what each ICMP error quotes."""
        return self._buckets(quotes, by_ports(quotes))

    def _buckets(self, ends: Endpoints | IcmpQuotes, weight: I64) -> U16:
        """Give the bucket of each pair of ends, and remember those that are new.

        Args:
            ends: Addresses.
            weight: How much speaks for the source as client, or against it.
        """
        source = address_hash(ends.source_high, ends.source_low)
        target = address_hash(ends.target_high, ends.target_low)
        pair, first, place = np.unique(source + target, return_index=True, return_inverse=True)
        place = place.reshape(-1)
        bucket = self._known(pair)
        fresh = bucket < 0
        if fresh.any():
            lower: Mask = source < target
            votes = np.bincount(place, np.where(lower, weight, -weight), len(pair))
            is_lower = np.where(votes == 0, lower[first], votes > 0)
            client = np.where(is_lower, np.minimum(source, target)[first], np.maximum(source, target)[first])
            bucket[fresh] = (mix(client[fresh]) % np.uint64(BUCKETS)).astype(np.int64)
            self._remember(pair[fresh] & PAIR | bucket[fresh].astype(np.uint64))
        return bucket.astype(np.uint16)[place]

    @property
    def pairs(self) -> I64:
        """How many pairs have their home in each bucket."""
        counts = (np.bincount((run & ~PAIR).astype(np.int64), minlength=BUCKETS) for run in self._runs)
        return sum(counts, np.zeros(BUCKETS, np.int64))

    def _known(self, pair: U64) -> I64:
        """Look up the buckets of pairs; -1 for those that were not met."""
        bucket = np.full(len(pair), -1)
        sought = pair & PAIR
        for run in self._runs:
            found = run[np.minimum(np.searchsorted(run, sought), len(run) - 1)]
            bucket = np.where(found & PAIR == sought, (found & ~PAIR).astype(np.int64), bucket)
        return bucket

    def _remember(self, pairs: U64) -> None:
        """Keep new pairs; runs of one size are merged, so that each pair is moved a few times at most."""
        self._runs.append(np.sort(pairs))
        while len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1]):
            run = np.concatenate([self._runs.pop(), self._runs.pop()])
            run.sort()
            self._runs.append(run)


def by_ports(ends: Endpoints | IcmpQuotes) -> I64:
    """Say that the end with the higher port is the client: 1 for the source, -1 for the target, 0 for neither."""
    return np.sign(ends.source_port.astype(np.int64) - ends.target_port.astype(np.int64))
