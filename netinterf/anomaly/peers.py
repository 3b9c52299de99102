"""Who is compared with whom: conversations of one port, and among them those of one server.

A name that is tried again and again would be its own peer, so all attempts at one name are one *unit*, and only
other units are peers; without a name, all conversations with one server are a unit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, Mask
from netinterf.compiled import call, is_there
from netinterf.numbering import combined, numbered, numbered_text
from netinterf.table import Text
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["IMAGINED", "Peers", "peers_of"]

IMAGINED = 2
"""Peers without the value that are imagined beside the seen ones, so that one of one is not most (Laplace's rule of
succession). It changes little: ``python -m benchmarks anomaly``, *what was chosen*."""


@frozen(eq=False, kw_only=True)
class Peers:
    """The peers of some conversations; an entry stands for as many as are alike in everything. Numbers are from 0."""

    port: I64  # number of those with the same protocol and port
    server: I64  # number of those with the same server as well
    port_unit: I64  # number of those of one unit, which may share one fate, at one port
    server_unit: I64  # number of those of one unit at one server and port
    size: I64  # conversations that an entry stands for

    @classmethod
    def of(cls, port: I64, server: I64, unit: I64) -> "Peers":
        """Number units within ports and servers; an entry for each conversation."""
        size = np.ones(len(port), np.int64)
        units = {"port_unit": combined(port, unit), "server_unit": combined(server, unit)}
        return cls(port=port, server=server, size=size, **units)

    @property
    def peer_groups(self) -> tuple[tuple[I64, I64], tuple[I64, I64]]:
        """Peers and those of the own unit among them: far ones, and near ones."""
        return (self.port, self.port_unit), (self.server, self.server_unit)

    @property
    def peers(self) -> I64:
        """Count the far peers of each entry."""
        return _sums(self.port, self.size) - _sums(self.port_unit, self.size)

    def shared(self, values: NDArray[np.integer[Any]], imagined: int = IMAGINED) -> tuple[Mask, I64, I64]:
        """Compare values with those of peers; -1 is unknown, and nobody's peer.

        Returns:
            Whether most peers, near or far, have the same value; how many of the far ones have it; and among how many.
        """
        known = values >= 0
        value, width = np.where(known, values, 0).astype(np.int64), int(values.max(initial=0)) + 1
        size = np.where(known, self.size, 0)
        same = []
        for groups in self.peer_groups:
            (alike, among), (own_alike, own) = (_alike(group, size, value, width) for group in groups)
            same.append((alike - own_alike, among - own))
        most = np.logical_or.reduce([2 * alike > among + imagined for alike, among in same])
        alike, among = same[0]
        return most & known, np.where(known, alike, 0), among


def _alike(group: I64, size: I64, value: I64, width: int) -> tuple[I64, I64]:
    """Add up the sizes of those in each entry's group with its value, which is below *width*, and of all in it."""
    if not is_there():
        return _sums(group, size, value, width), _sums(group, size)
    groups = int(group.max(initial=-1)) + 1
    whole, parts = np.zeros(groups, np.int64), np.zeros(groups * width, np.int64)
    alike, among = np.empty(len(group), np.int64), np.empty(len(group), np.int64)
    columns = map(np.ascontiguousarray, (group, value, size))
    call("count_alike", len(group), width, *columns, whole, parts, alike, among)
    return alike, among


def _sums(group: I64, size: I64, value: I64 | int = 0, width: int = 1) -> I64:
    """Add up the sizes of each entry's group, of those with its value, which is below *width*."""
    if int(group.max(initial=-1)) + 1 >= len(group) and (np.bincount(group) <= 1).all():
        return size  # each is alone
    key = group * width + value if width > 1 else group
    total: I64 = np.bincount(key, size).astype(np.int64)[key]
    return total


def peers_of(trace: Trace, flow: NDArray[np.integer[Any]], name: Text, *, ported: bool = True) -> Peers:
    """Number the peers of some conversations.

    Args:
        trace: The capture.
        flow: Row in Flows of each, or of what carries it.
        name: Name of each, empty without one.
        ported: Peers share protocol and port; otherwise all are peers.
    """
    flows = trace.flows
    server = flows.server[flow].astype(np.int64)
    port = flows.server_port[flow].astype(np.int64) << 8 | flows.protocol[flow]
    port = numbered(port if ported else np.zeros_like(port))[0]
    named = name.lengths > 0
    unit = combined(np.where(named, numbered_text(name)[0], server), named.astype(np.int64))
    return Peers.of(port, combined(server, port), unit)
