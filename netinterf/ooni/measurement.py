"""One measurement: which of its operations belong together, and what came of them.

Probes write lookups, connections, handshakes and requests in lists of their own. Today what shares a connection shares
a ``transaction_id`` and an address. Handshakes of older probes tell neither, nor do their requests, which were made
over connections that nobody listed: a request has a row of its own then, of which no address is known.

Sources: github.com/ooni/spec, df-001, df-002, df-005, df-006 and ts-017 (web_connectivity).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from netinterf.observations.attempts import State
from netinterf.ooni.failures import ABRUPT, NO_CONNECTION, state_of
from netinterf.ooni.values import (
    Address,
    Endpoint,
    certificate_in,
    dict_in,
    endpoint_of,
    failure_in,
    halves_of,
    host_of,
    list_in,
    name_of,
    number_in,
    text_in,
)
from netinterf.values import define, frozen

__all__ = ["Try", "control_tries", "probe_tries"]

BY_PORT = {80: "tcp/http", 443: "tcp/tls"}
"""What a connection was for that was never opened: by its port, as in `netinterf.observations.attempts`."""

ENCRYPTED = frozenset({"doh", "dot", "odoh", "https", "tls", "h3"})
"""Engines and schemes of resolvers that are asked in secret: what they answer says nothing of lookups in the clear."""

DATAGRAMS = frozenset({"udp", "quic"})
SECOND = 1_000_000_000
NOBODY: Endpoint = (0, 0, 0)


@frozen(kw_only=True)
class Try:
    """One row of `netinterf.ooni.tables.Tries`."""

    time: int
    transport: str
    name: str
    server: Endpoint
    failure: str
    state: State
    at_opening: bool = False
    resolver: str = ""
    answers: tuple[Address, ...] = ()
    issuer: str = ""
    key: str = ""
    status: int = -1

    @property
    def abrupt(self) -> bool:
        """Whether it was refused or reset."""
        return self.failure in ABRUPT


@define
class Connection:
    """What was done over one connection, as far as it came."""

    entry: Mapping[str, Any]  # that it began with
    server: Endpoint
    datagrams: bool = False
    opened: str = ""  # how opening it failed
    handshake: Mapping[str, Any] | None = None
    request: Mapping[str, Any] | None = None

    def may_hold(self, entry: Mapping[str, Any], server: Endpoint, datagrams: bool) -> bool:
        """Say whether an operation may belong to this connection: by its address, or by its number alone."""
        mine, number = number_in(self.entry, "transaction_id"), number_in(entry, "transaction_id")
        if self.opened or self.datagrams != datagrams:
            return False
        if server == NOBODY:
            return number == mine > 0
        return self.server == server and (number == mine or 0 in {number, mine})


def probe_tries(keys: Mapping[str, Any], began: int, name: str) -> Iterator[Try]:
    """List what a probe tried.

    Args:
        keys: The measurement's ``test_keys``.
        began: When it began, ns since 1970 UTC.
        name: The host in its input.
    """
    lookups = [query for query in list_in(keys, "queries") if name_of(text_in(query, "hostname"))]
    led: dict[Address, str] = {}
    for query in lookups:
        for address in answers_of(query):
            led.setdefault(address, name_of(text_in(query, "hostname")))
    for address in control_answers(dict_in(keys, "control")):
        led.setdefault(address, name)
    yield from (lookup(query, began) for query in lookups if not in_secret(query))
    for connection in connections_of(keys):
        yield outcome(connection, began, led.get(connection.server[:2], ""))


def lookup(query: Mapping[str, Any], began: int) -> Try:
    """Say what came of a lookup."""
    failure, resolver = failure_in(query), resolver_of(query)
    return Try(
        time=time_in(query, began),
        transport="dns",
        name=name_of(text_in(query, "hostname")),
        server=endpoint_of(resolver.rpartition("//")[2]) or NOBODY,
        failure=failure,
        state=state_of(failure),
        resolver=resolver,
        answers=answers_of(query),
    )


def resolver_of(query: Mapping[str, Any]) -> str:
    """Say whom a lookup asked; probes before 2020 wrote host and port."""
    return text_in(query, "resolver_address") or text_in(query, "resolver_hostname")


def in_secret(query: Mapping[str, Any]) -> bool:
    """Say whether a lookup was encrypted."""
    return not ENCRYPTED.isdisjoint({text_in(query, "engine"), resolver_of(query).partition("://")[0]})


def answers_of(query: Mapping[str, Any]) -> tuple[Address, ...]:
    """List the addresses that a lookup gave."""
    shown = (text_in(answer, key) for answer in list_in(query, "answers") for key in ("ipv4", "ipv6"))
    return tuple(address for address in map(halves_of, shown) if address is not None)


def connections_of(keys: Mapping[str, Any]) -> list[Connection]:
    """Find what was done over each connection."""
    connections = []
    for entry in list_in(keys, "tcp_connect"):
        address, port, status = halves_of(text_in(entry, "ip")), number_in(entry, "port"), dict_in(entry, "status")
        server = (*address, int(port)) if address is not None and 0 <= port < 1 << 16 else NOBODY
        connections.append(Connection(entry, server, opened=failure_in(status)))
    for key in ("tls_handshakes", "quic_handshakes"):
        for entry in list_in(keys, key):
            datagrams = by_datagrams(entry) or key == "quic_handshakes"
            server = endpoint_of(text_in(entry, "address")) or only_server(connections)
            free = (one for one in connections if one.handshake is None and one.may_hold(entry, server, datagrams))
            connection = next(free, None) or begun(connections, Connection(entry, server, datagrams))
            connection.handshake = entry
    for entry in reversed(list_in(keys, "requests")):  # the last one stands first (ts-017)
        if failure_in(entry).startswith(NO_CONNECTION):
            continue
        datagrams, server = by_datagrams(entry), endpoint_of(text_in(entry, "address")) or NOBODY
        free = (one for one in connections if one.request is None and one.may_hold(entry, server, datagrams))
        connection = next(free, None) or begun(connections, Connection(entry, server, datagrams))
        connection.request = entry
    return connections


def begun(connections: list[Connection], connection: Connection) -> Connection:
    """Add a connection that began with something else than being opened, as far as is known."""
    connections.append(connection)
    return connection


def only_server(connections: list[Connection]) -> Endpoint:
    """Say where a handshake went of which no address is known: where the only connection went that could take it."""
    fit = [one.server for one in connections if not one.opened and one.handshake is None and one.server[2] != 80]
    return fit[0] if len(fit) == 1 else NOBODY


def by_datagrams(entry: Mapping[str, Any]) -> bool:
    """Say whether a handshake or a request went over UDP."""
    return bool({text_in(entry, "network"), text_in(dict_in(entry, "request"), "x_transport")} & DATAGRAMS)


def outcome(connection: Connection, began: int, led: str) -> Try:
    """Say what came of a connection: it failed where its first step failed."""
    handshake, request = connection.handshake or {}, connection.request or {}
    scheme, host = host_of(text_in(dict_in(request, "request"), "url"))
    failure = connection.opened or failure_in(handshake) or failure_in(request)
    if connection.datagrams:
        transport = "quic"
    elif connection.handshake is not None or scheme == "https":
        transport = "tcp/tls"
    elif connection.request is not None:
        transport = "tcp/http"
    else:  # where nothing was asked, opening it is all that was tried
        transport = BY_PORT.get(connection.server[2], "tcp") if connection.opened else "tcp"
    state = state_of(failure)
    status = int(number_in(dict_in(request, "response"), "code"))
    issuer, key = certificate_in(handshake)
    return Try(
        time=time_in(connection.entry, began),
        transport=transport,
        name=name_of(text_in(handshake, "server_name")) or host or led,
        server=connection.server,
        failure=failure,
        state=state,
        at_opening=bool(connection.opened) or (connection.datagrams and state == State.SILENT),
        issuer=issuer,
        key=key,
        status=status if 0 < status < 1000 else -1,
    )


def time_in(entry: Mapping[str, Any], began: int) -> int:
    """Say when an operation began; those of older probes tell only when it ended."""
    return began + round(number_in(entry, "t0" if "t0" in entry else "t") * SECOND)


def control_answers(control: Mapping[str, Any]) -> tuple[Address, ...]:
    """List the addresses that a test helper was given for the name."""
    addresses = dict_in(control, "dns").get("addrs")
    shown = [one for one in addresses if isinstance(one, str)] if isinstance(addresses, list) else []
    return tuple(address for address in map(halves_of, shown) if address is not None)


def control_tries(control: Mapping[str, Any], began: int, scheme: str, name: str) -> Iterator[Try]:
    """List what a test helper tried for a probe.

    Args:
        control: The measurement's ``control``.
        began: When the measurement began, ns since 1970 UTC.
        scheme: That of its input.
        name: The host in its input.
    """
    if name and dict_in(control, "dns"):
        plain = told(began, "dns", name, NOBODY, dict_in(control, "dns"))
        yield attrs.evolve(plain, answers=control_answers(control))
    for key, transport in (("tcp_connect", "tcp"), ("tls_handshake", "tcp/tls"), ("quic_handshake", "quic")):
        for written in dict_in(control, key):
            server = endpoint_of(written)
            entry = dict_in(dict_in(control, key), written)
            if server is not None:
                yield told(began, transport, name_of(text_in(entry, "server_name")) or name, server, entry)
    pages = (("http_request", "tcp/tls" if scheme == "https" else "tcp/http"), ("http3_request", "quic"))
    for key, transport in pages:
        entry = dict_in(control, key)
        if entry:
            status = int(number_in(entry, "status_code"))
            yield attrs.evolve(told(began, transport, name, NOBODY, entry), status=status if 0 < status < 1000 else -1)


def told(began: int, transport: str, name: str, server: Endpoint, entry: Mapping[str, Any]) -> Try:
    """Say what came of an operation of a test helper; one that failed without a word is not known."""
    failure = failure_in(entry)
    state = State.UNKNOWN if entry.get("status") is False and not failure else state_of(failure)
    opening = transport == "tcp" and state in {State.BROKEN, State.SILENT}
    return Try(
        time=began, transport=transport, name=name, server=server, failure=failure, state=state, at_opening=opening
    )
