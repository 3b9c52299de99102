"""Where the packets between two addresses belong: in the bucket of their client."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U16, U64, Mask
from netinterf.flows.assign import address_hash
from netinterf.flows.grouping import mix
from netinterf.schema import Endpoints, IcmpQuotes, Packets, Status, TcpFlag

__all__ = ["BUCKETS", "Homes"]

BUCKETS = 1024
"""Among so many buckets clients are dealt by their addresses, and shards are made of whole buckets."""

TCP = 6

SYN_WEIGHT = 1 << 32
"""A handshake says who the client is, whatever any number of ports say."""


class Homes:
    """Pairs of addresses that were met, and the bucket of each.

    Which of two addresses is the client is told by the first packets between them that are looked at together: by SYN
    and SYN/ACK, else the end with the higher port, else the first to speak. It stays so.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[U64, U16]] = []  # pairs by hash, rising, and their buckets; each run less than the last

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
            self._remember(pair[fresh], bucket[fresh].astype(np.uint16))
        return bucket.astype(np.uint16)[place]

    def _known(self, pair: U64) -> NDArray[np.integer[Any]]:
        """Look up the buckets of pairs; -1 for those that were not met."""
        bucket = np.full(len(pair), -1)
        for pairs, buckets in self._runs:
            place = np.minimum(np.searchsorted(pairs, pair), len(pairs) - 1)
            bucket = np.where(pairs[place] == pair, buckets[place], bucket)
        return bucket

    def _remember(self, pair: U64, bucket: U16) -> None:
        """Keep new pairs; runs of one size are merged, so that each pair is moved a few times at most."""
        self._runs.append((pair, bucket))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            (pairs, buckets), (more, their) = self._runs.pop(), self._runs.pop()
            pairs, buckets = np.concatenate([pairs, more]), np.concatenate([buckets, their])
            order = np.argsort(pairs)
            self._runs.append((pairs[order], buckets[order]))


def by_ports(ends: Endpoints | IcmpQuotes) -> I64:
    """Say that the end with the higher port is the client: 1 for the source, -1 for the target, 0 for neither."""
    return np.sign(ends.source_port.astype(np.int64) - ends.target_port.astype(np.int64))
