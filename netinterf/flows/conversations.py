"""Group packets by conversation: two endpoints and a protocol, whoever of them sent the packet.

Both directions get one hash. C follows it to the first packet of the conversation and numbers packets one by one; numpy
sorts by it (see `grouping`). Both compare the endpoints themselves, so that groups are exact whatever the hash.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import U16, U64, Mask
from netinterf.compiled import call, is_there
from netinterf.flows.grouping import BLOCK, Groups, group_rows, mix
from netinterf.schema import Endpoints, Packets
from netinterf.workers import each

__all__ = ["Ports", "address_hash", "endpoint_hash", "group_conversations"]

Ports = tuple[U16, U16]


def group_conversations(packets: Packets, endpoints: Endpoints, ports: Ports) -> tuple[Groups, Mask]:
    """Group packets by both endpoints, in either order, and protocol; those without IP are groups of their own.

    Args:
        packets: Decoded packets.
        endpoints: Who sent each of them to whom.
        ports: The ports of both, also of fragments.

    Returns:
        Groups in no particular order, and which packets have a source that comes second in the order of its hashes.
    """
    if is_there() and (numbered := _numbered(packets, endpoints, ports)) is not None:
        return numbered
    mixed, swapped = conversation_hash(packets, endpoints, ports)

    def columns(rows: NDArray[np.integer[Any]]) -> Sequence[NDArray[Any]]:
        return conversation_columns(rows, packets, endpoints, ports, swapped)

    return group_rows(mixed, columns), swapped


def _numbered(packets: Packets, endpoints: Endpoints, ports: Ports) -> tuple[Groups, Mask] | None:
    """Do the same in C; None where so many hashes collide that sorting them is quicker."""
    count = len(packets)
    ends = (*(getattr(endpoints, f"{end}_{half}") for end in ("source", "target") for half in ("high", "low")), *ports)
    keys = (tuple(map(np.ascontiguousarray, ends)), *map(np.ascontiguousarray, (packets.protocol, packets.version)))
    mixed, swapped = np.empty(count, np.uint64), np.empty(count, np.bool_)
    call("hash_conversations", count, *keys, mixed, swapped)
    bits = max(count, 1).bit_length() + 1  # a quarter to a half of the places are taken at most
    table, number, found = np.full(1 << bits, -1, np.int32), np.empty(count, np.int32), np.zeros(1, np.int64)
    call("number_conversations", count, *keys, mixed, swapped, bits, table, number, found)
    if found[0] < 0:
        return None
    del mixed, table
    first, rows = np.zeros(int(found[0]) + 1, np.int64), np.empty(count, np.int32)
    call("by_number", count, int(found[0]), number, first, rows)
    return Groups(rows, first[:-1]), swapped


def endpoint_hash(high: U64, low: U64, port: U16) -> U64:
    """Mix an address and a port into 64 bits."""
    mixed = low ^ (port.astype(np.uint64) << np.uint64(48))
    if high.any():
        mixed ^= mix(high)
    return mix(mixed)


def address_hash(high: U64, low: U64) -> U64:
    """Mix an address into 64 bits."""
    return endpoint_hash(high, low, np.zeros(len(low), np.uint16))


def conversation_hash(packets: Packets, endpoints: Endpoints, ports: Ports) -> tuple[U64, Mask]:
    """Mix both endpoints and the protocol so that both directions agree.

    Returns:
        The hash of each packet, and whether its source comes second in the order of endpoint hashes.
    """
    count = len(packets)
    mixed = np.empty(count, np.uint64)
    swapped = np.empty(count, np.bool_)

    def mix_block(start: int) -> None:
        part = slice(start, min(start + BLOCK, count))
        source = endpoint_hash(endpoints.source_high[part], endpoints.source_low[part], ports[0][part])
        target = endpoint_hash(endpoints.target_high[part], endpoints.target_low[part], ports[1][part])
        np.greater(source, target, out=swapped[part])
        source += target
        source ^= packets.protocol[part].astype(np.uint64) << np.uint64(56)
        source ^= (packets.version[part] == 0).astype(np.uint64)
        mixed[part] = mix(source)

    each(mix_block, range(0, count, BLOCK))
    return mixed, swapped


def conversation_columns(
    rows: NDArray[np.integer[Any]], packets: Packets, endpoints: Endpoints, ports: Ports, swapped: Mask
) -> list[NDArray[Any]]:
    """Give the exact key of some packets: both endpoints, ordered, and the protocol."""
    swap = swapped.take(rows)
    columns: list[NDArray[Any]] = [packets.protocol.take(rows), packets.version.take(rows) == 0]
    pairs = ((ports[0], ports[1]), (endpoints.source_low, endpoints.target_low))
    for source, target in (*pairs, (endpoints.source_high, endpoints.target_high)):
        there, back = source.take(rows), target.take(rows)
        columns += [np.where(swap, back, there), np.where(swap, there, back)]
    return columns
