"""Who contacted whom: one row per flow, with numbers by which flows can be grouped.

What two flows have in common is what they are compared by: the same client, server, network, name, port. Each grouping
is numbered once for a trace (`Contacts.of`), however many questions are asked of it.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.numbering import combined, hash_rows, numbered
from netinterf.protocols.dns_names import lowered
from netinterf.schema import Flows, Hosts, Http, Quic, Tls, TlsKind
from netinterf.values import frozen

__all__ = ["Contacts", "find_contacts", "networks", "once_each", "only_met"]


@frozen(eq=False, kw_only=True)
class Contacts:
    """One row per flow; equal numbers in a column mean the same of what it is called after."""

    flow: I64  # the flow itself
    client: I64  # rows in Hosts
    server: I64  # rows in Hosts
    server_port: I64
    network: I64  # of the server, a /24 or /48: one operator's machines sit together
    name: I64  # asked for (SNI, Host), lower case; below 0, by the server's network, where none was captured
    _groups: dict[tuple[str, ...], I64] = attrs.field(factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.flow)

    def of(self, *columns: str) -> I64:
        """Number the distinct combinations of some columns, from 0 without gaps."""
        if columns not in self._groups:
            self._groups[columns] = combined(*(getattr(self, column) for column in columns))
        return self._groups[columns]


def find_contacts(flows: Flows, hosts: Hosts, tls: Tls, http: Http, quic: Quic) -> Contacts:
    """Say of every flow who contacted whom, and for which name."""
    network = networks(hosts)[flows.server]
    return Contacts(
        flow=np.arange(len(flows)),
        client=flows.client.astype(np.int64),
        server=flows.server.astype(np.int64),
        server_port=flows.server_port.astype(np.int64),
        network=network,
        name=names(network, tls, http, quic),
    )


def networks(hosts: Hosts) -> I64:
    """Number the network of each host: /24, or /48 of IPv6."""
    v4 = (hosts.high == 0) & (hosts.low >> np.uint64(32) == 0xFFFF)
    prefix = np.where(v4, hosts.low >> np.uint64(8), hosts.high >> np.uint64(16))
    return numbered(prefix | v4.astype(np.uint64) << np.uint64(63))[0]


def once_each(tables: Sequence[Hosts]) -> tuple[Hosts, list[I64]]:
    """Put the hosts of several tables together, each address once; the new rows of each table's hosts beside them."""
    whole = Hosts.concat(tables)
    number = combined(whole.high, whole.low)
    example = np.empty(int(number.max(initial=-1)) + 1, np.int64)
    example[number] = np.arange(len(number))
    return whole.take(example), np.split(number, np.cumsum([len(table) for table in tables])[:-1])


def only_met(hosts: Hosts, rows: I64) -> tuple[Hosts, I64]:
    """Keep the hosts in some rows, and give the new row of each; -1 of those that go."""
    met = np.zeros(len(hosts), np.bool_)
    met[rows] = True
    return hosts.take(met), np.where(met, np.cumsum(met) - 1, -1)


def names(network: I64, tls: Tls, http: Http, quic: Quic) -> I64:
    """Hash the name that each flow asked for; flows without one are named by their server's network."""
    name = -1 - network
    tables: tuple[tuple[Any, Any], ...] = ((quic, quic.name), (http, http.host), (tls, tls.name))
    for table, text in tables:
        rows = text.lengths > 0
        if table is tls:
            rows &= tls.kind == TlsKind.CLIENT_HELLO
        name[table.flow[rows]] = (hash_rows(lowered(text))[rows] >> np.uint64(1)).astype(np.int64)
    return name
