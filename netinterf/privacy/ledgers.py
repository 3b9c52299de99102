"""Verdicts of a capture without whom they are about: the same ledger, with other addresses and names.

Everything that is written about a capture is written from its ledger, so what is not in it is in no output. Tables are
taken as their columns are declared, so a new table needs nothing here: addresses are mapped, columns of names are
renamed, and any other text is left out.
"""

from ipaddress import ip_network
from typing import Any, TypeVar

import attrs
import numpy as np

from netinterf.context.networks import KnownNetworks, NetworkTable
from netinterf.context.special import special_bits
from netinterf.privacy.redaction import Redaction
from netinterf.schema import GroupBy, Groups, Hosts
from netinterf.table import Table, Text
from netinterf.written.ledger import Ledger

__all__ = ["redact_ledger", "redact_table"]

NAMES = frozenset(
    {
        *("Verdicts.name", "Exchanges.name", "Dns.name", "Answers.owner", "Answers.target"),
        *("Tls.name", "Quic.name", "Http.host"),
    }
)
"""Columns of text that hold names of hosts, and nothing else."""

NAMELESS = frozenset({"Tls.ja4", "Quic.ja4"})
"""Columns of text in which nothing stands for a host."""

BY = tuple(GroupBy)

AnyTable = TypeVar("AnyTable", bound=Table)


def redact_ledger(ledger: Ledger, redaction: Redaction) -> Ledger:
    """Redact the verdicts of one capture; what they say besides, and what they rest on, stays."""
    changes: dict[str, Any] = {
        field.name: redact_table(value, redaction)
        for field in attrs.fields(Ledger)
        if isinstance(value := getattr(ledger, field.name), Table)
    }
    changes["groups"] = attrs.evolve(ledger.groups, value=group_values(ledger.groups, redaction))
    return attrs.evolve(
        ledger,
        **changes,
        capture=redaction.capture(ledger.capture),
        files=redaction.files(ledger.files),
        subjects=attrs.evolve(ledger.subjects, name=redaction.names(ledger.subjects.name)),
        networks=redact_networks(ledger.networks, ledger.hosts, redaction),
    )


def redact_networks(networks: KnownNetworks, hosts: Hosts, redaction: Redaction) -> KnownNetworks:
    """Map the networks that hosts are in, to those that hold the new addresses of all their addresses."""
    mapped = [redact_table(table, redaction) for table in networks.held(hosts.high, hosts.low)]
    tables = [NetworkTable.of_prefixes(one.high, one.low, one.length, one.asn, one.country) for one in mapped]
    return KnownNetworks(tuple(tables))


def redact_table(table: AnyTable, redaction: Redaction) -> AnyTable:
    """Map the addresses of a table, rename the names in it, and empty all other text that may tell of a host."""
    changes: dict[str, Any] = {}
    for column in table.schema():
        value = getattr(table, column.name)
        if column.shape == "text":
            changes[column.name] = redact_text(f"{type(table).__name__}.{column.name}", value, redaction)
        elif column.name.endswith("high") and column.dtype == "uint64":
            lower = column.name.removesuffix("high") + "low"
            changes[column.name], changes[lower] = redaction.addresses(value, getattr(table, lower))
    if isinstance(table, Hosts):
        changes["special"] = special_bits(changes["high"], changes["low"])
    return attrs.evolve(table, **changes)


def redact_text(column: str, value: Text, redaction: Redaction) -> Text:
    """Rename the names of a column of text, or empty it."""
    if column in NAMELESS:
        return value
    return redaction.names(value) if column in NAMES else Text.empty(len(value), np.uint8)


def group_values(groups: Groups, redaction: Redaction) -> Text:
    """Replace what the members of groups have in common, where it is an address, a prefix or a name."""
    values = zip(groups.by, groups.value, redaction.names(groups.value), strict=True)
    return Text.of([group_value(BY[by], value, renamed, redaction) for by, value, renamed in values])


def group_value(by: GroupBy, value: str, renamed: str, redaction: Redaction) -> str:
    """Replace one common value, *renamed* if it is a name; AS numbers, countries and protocols stay."""
    if by in {GroupBy.SERVER, GroupBy.CLIENT}:
        return redaction.address(value)
    if by is GroupBy.PREFIX:
        return str(redaction.network(ip_network(value)))
    return renamed if by in {GroupBy.NAME, GroupBy.DOMAIN} else value
