"""What subjects have in common, as whole numbers: one column per grouping, equal numbers for equal things.

Columns of a million rows are numbered by hashing into a table and checking what was hit, several times faster than
sorting them; nothing rests on the hash being free of collisions.
"""

import ipaddress
from collections.abc import Callable

import numpy as np

from netinterf.arrays import I32, I64
from netinterf.context.domains import bare_hosts, registrable_domains
from netinterf.context.networks import KnownNetworks, country_letters
from netinterf.context.special import is_ipv4
from netinterf.numbering import distinct, joined, numbered, numbered_text
from netinterf.pieces import gather
from netinterf.schema import GroupBy, Hosts
from netinterf.table import Text
from netinterf.values import frozen
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_TCP, KIND_UDP, Subjects

__all__ = ["BIN_NS", "Grouping", "Keys", "common_keys", "distinct", "joined", "numbered", "numbered_text"]

BIN_NS = 300_000_000_000
"""Five minutes: what one client does with one server in that time is one observation (reference, 6.7 step 5), and
controls are of the same five minutes or those beside."""

PROTOCOLS = {KIND_TCP: "tcp", KIND_UDP: "udp", KIND_EXCHANGE: "dns"}


@frozen(eq=False, kw_only=True)
class Grouping:
    """One way to group subjects."""

    by: GroupBy
    key: I64  # of each verdict row, -1 for none
    count: int  # how many values the key can have
    write: Callable[[int], str]  # a key as people write it


@frozen(eq=False, kw_only=True)
class Keys:
    """What the subjects of a capture have in common, one entry per verdict row."""

    groupings: tuple[Grouping, ...]
    name: I64  # number of the name, 0 for none
    names: int
    site: I64  # number of the server's prefix
    sites: int
    bin: I64  # of five minutes, from the first subject's begin
    bins: int


def common_keys(subjects: Subjects, hosts: Hosts, networks: KnownNetworks | None = None) -> Keys:
    """Find what the subjects of a capture have in common.

    Args:
        subjects: Who is judged.
        hosts: Addresses.
        networks: What is known of networks; groups by AS and country need it.
    """
    name, domain, names, domains = _names(subjects.name)
    prefix, first = numbered(_prefixes(hosts))
    server, site = subjects.server.astype(np.int64), prefix[subjects.server]
    protocol = np.array([list(PROTOCOLS).index(k) if k in PROTOCOLS else -1 for k in range(KIND_EXCHANGE + 1)])
    start = subjects.start - subjects.start.min(initial=np.iinfo(np.int64).max)
    span = start // BIN_NS
    everybody = np.zeros(len(subjects), np.int64)
    columns: list[tuple[GroupBy, I64, int, Callable[[int], str]]] = [
        (GroupBy.NAME, name - 1, len(names) - 1, lambda key: names[key + 1]),
        (GroupBy.DOMAIN, domain - 1, len(domains) - 1, lambda key: domains[key + 1]),
        (GroupBy.SERVER, server, len(hosts), lambda key: address_text(hosts, key)),
        (GroupBy.PREFIX, site, len(first), lambda key: prefix_text(hosts, int(first[key]))),
        (GroupBy.CLIENT, subjects.client.astype(np.int64), len(hosts), lambda key: address_text(hosts, key)),
        (GroupBy.PROTOCOL, protocol[subjects.prior_kind], len(PROTOCOLS), lambda key: list(PROTOCOLS.values())[key]),
        (GroupBy.TIME, everybody, 1, lambda _: ""),
        (GroupBy.CAPTURE, everybody, 1, lambda _: ""),
    ]
    columns[4:4] = _owners(hosts, networks, subjects.server)
    return Keys(
        groupings=tuple(Grouping(by=by, key=key, count=count, write=write) for by, key, count, write in columns),
        name=name,
        names=len(names),
        site=site,
        sites=len(first),
        bin=span,
        bins=int(span.max(initial=0)) + 1,
    )


def _names(column: Text) -> tuple[I64, I64, Text, Text]:
    """Number the names of subjects and their domains, from 1; 0 for subjects without, or with an address for a name."""
    own, different = numbered_text(column)
    bare = bare_hosts(different)
    empty = Text.of([""])
    domain, domains = numbered_text(Text.concat([empty, registrable_domains(bare)]))
    place = np.argsort(np.argsort(np.arange(len(domains)) != domain[0], kind="stable"), kind="stable")
    domain = place[domain]  # the empty one first
    named = domain[1:] > 0
    lengths = np.where(named, bare.lengths, 0)
    hostnames = Text.from_lengths(lengths, gather(bare.values, bare.offsets[:-1], lengths))
    name, names = numbered_text(Text.concat([empty, hostnames]))
    order = np.argsort(np.arange(len(names)) != name[0], kind="stable")
    name = np.argsort(order, kind="stable")[name]
    first = np.argsort(place, kind="stable")
    return name[1:][own], domain[1:][own], names.take(order), domains.take(first)


def _prefixes(hosts: Hosts) -> I64:
    """Give each address the bits of its /24 or /48: the blocks that are routed and blocked as one (RFC 7454 §6.1.3)."""
    wide = (hosts.high >> np.uint64(16)) | np.uint64(1 << 60)
    return np.where(is_ipv4(hosts.high, hosts.low), hosts.low >> np.uint64(8), wide).astype(np.int64)


def _owners(
    hosts: Hosts, networks: KnownNetworks | None, server: I32
) -> list[tuple[GroupBy, I64, int, Callable[[int], str]]]:
    """Group by AS and country of the server; nothing where nothing is known of networks."""
    if not networks:
        return []
    owners = networks.whose(hosts.high, hosts.low)
    (asn, of_asn), (country, of_country) = (
        np.unique(np.append(0, column), return_inverse=True) for column in (owners.asn, owners.country)
    )  # 0, which stands for none, comes first
    by_asn, by_country = ((of[1:] - 1)[server].astype(np.int64) for of in (of_asn, of_country))
    return [
        (GroupBy.ASN, by_asn, len(asn) - 1, lambda key: f"AS{asn[key + 1]}"),
        (GroupBy.COUNTRY, by_country, len(country) - 1, lambda key: country_letters(int(country[key + 1]))),
    ]


def address_text(hosts: Hosts, row: int) -> str:
    """Write an address."""
    high, low = int(hosts.high[row]), int(hosts.low[row])
    if high == 0 and low >> 32 == 0xFFFF:
        return str(ipaddress.IPv4Address(low & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(high << 64 | low))


def prefix_text(hosts: Hosts, row: int) -> str:
    """Write the prefix of an address: /24 or /48."""
    address = address_text(hosts, row)
    return str(ipaddress.ip_network(f"{address}/{48 if ':' in address else 24}", strict=False))
