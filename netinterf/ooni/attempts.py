"""What probes and test helpers tried, as attempts: called as a capture shows them, so that both add up.

A connection that was never opened, or not used, names nobody in packets: it is an attempt at a server. Whom the system
of a probe asks for addresses is not told, and older probes do not tell where their requests went: stand-ins are made
for these, addresses of a private network, which mean a server of that network alone.
"""

from hashlib import blake2b

import numpy as np

from netinterf.arrays import I64, U8, U64, Mask
from netinterf.context.networks import NetworkTable
from netinterf.context.special import Special, special_bits
from netinterf.numbering import combined, numbered, numbered_text, one_of
from netinterf.observations.attempts import (
    DNS,
    HTTP,
    NO_SERVER,
    QUIC,
    TCP,
    TLS,
    UDP,
    Attempts,
    State,
    numbered_alike,
    priors_of,
)
from netinterf.ooni.tables import Measurements, Tries
from netinterf.table import Text
from netinterf.verdict.model import Model
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_TCP, KIND_UDP

__all__ = ["attempts_in", "is_stand_in", "resolvers_of"]

KINDS = np.full(UDP + 1, KIND_TCP)
KINDS[[DNS, QUIC, UDP]] = KIND_EXCHANGE, KIND_UDP, KIND_UDP
PORTS = np.zeros(UDP + 1, np.uint16)
PORTS[[DNS, HTTP, TLS, QUIC]] = 53, 80, 443, 443
"""Kind of subject by transport, and the port of a server of which none is known."""

NOBODY = NO_SERVER | Special.LOOPBACK
"""No server lives at these, whatever a name was answered; a resolver of the probe's own host does."""

STAND_IN = 0xFD00
"""First bits of stand-ins (RFC 4193)."""

FALSE_ANSWER, FALSE_PAGE = ("dns",), ("dns", "http-diff")
"""What a probe holds blocked so was answered, but not with what had been asked for (github.com/ooni/spec, ts-017). A
page that came with a certificate which the probe had checked is the server's."""


def attempts_in(measurements: Measurements, tries: Tries, asn: I64, model: Model) -> Attempts:
    """List what was tried as attempts.

    Args:
        measurements: Which measurements there are.
        tries: What was tried in them.
        asn: AS of the client of each measurement, -1 where it is not known: all that tells one client from another.
        model: Priors.

    Returns:
        Attempts whose ``row`` is that of the try; some tries are none. A run of a test is a capture of its own, since
        only what one probe tried tells of its line.
    """
    of, transport = tries.measurement, tries.transport
    unused = (transport == TCP) | (tries.at_opening & one_of(transport, (HTTP, TLS)))
    by_port = np.select([tries.port == 80, tries.port == 443], [HTTP, TLS], TCP)
    transport = np.where(transport == TCP, by_port, transport).astype(np.uint8)
    name = Text.concat([tries.name, Text.of([""])]).take(np.where(unused, len(tries), np.arange(len(tries))))
    known = tries.high | tries.low > 0
    nobody = special_bits(tries.high, tries.low) & np.uint16(NOBODY) != 0
    high, low = _stand_ins(measurements, tries, asn)
    prior, nothing = priors_of(model)[KINDS[transport]], np.zeros(len(tries), np.int64)
    attempts = Attempts.of(
        place=nothing,
        capture=combined(asn, numbered_text(measurements.report)[0])[of],
        row=np.arange(len(tries)),
        client=combined(asn)[of],
        asn=asn[of],
        **dict.fromkeys(("site", "unit", "called", "service", "host"), nothing),
        high=np.where(known, tries.high, high),
        low=np.where(known, tries.low, low),
        port=np.where(known, tries.port, PORTS[transport]),
        transport=transport,
        name=name,
        time=tries.time,
        state=_states(measurements, tries),
        abrupt=tries.abrupt,
        at_opening=tries.at_opening,
        unread=nothing > 0,
        traced=nothing > 0,
        missed=nothing,
        prior=prior,
        llr=nothing,  # no packet speaks: a failure weighs what others show beside it
        log_odds=prior,
    )
    there = np.where(known, (transport == DNS) | ~nobody, name.lengths > 0)
    return numbered_alike(attempts.take(np.flatnonzero(there)))


def is_stand_in(attempts: Attempts) -> Mask:
    """Say which attempts have a server that was made up for them."""
    return np.asarray(attempts.high >> np.uint64(48) == STAND_IN)


def resolvers_of(measurements: Measurements, tries: Tries, attempts: Attempts) -> NetworkTable:
    """Say whose the resolvers are that systems of probes use, where these tell: a table of stand-ins."""
    rows = np.flatnonzero(is_stand_in(attempts) & (attempts.transport == DNS) & (attempts.asn >= 0))
    rows = rows[numbered(combined(attempts.high[rows].view(np.int64), attempts.low[rows].view(np.int64)))[1]]
    asn = measurements.resolver_asn[tries.measurement[attempts.row[rows]]]
    length, country = np.full(len(rows), 128, np.uint8), np.zeros(len(rows), np.uint16)
    return NetworkTable.of_prefixes(attempts.high[rows], attempts.low[rows], length, asn, country)


def _states(measurements: Measurements, tries: Tries) -> U8:
    """Say what came of tries; an answer that the probe itself holds false is not what was asked for."""
    held = list(measurements.blocking)
    answer, page = (np.array([one in words for one in held], np.bool_) for words in (FALSE_ANSWER, FALSE_PAGE))
    of = tries.measurement
    false = ((tries.transport == DNS) & answer[of]) | ((tries.transport == HTTP) & page[of])
    return np.where(false & (tries.state == State.ANSWERED), State.HEARD, tries.state).astype(np.uint8)


def _stand_ins(measurements: Measurements, tries: Tries, asn: I64) -> tuple[U64, U64]:
    """Make an address for each try: of the server of its name in that network, or of the resolver of its system."""
    of, lookup = tries.measurement, tries.transport == DNS
    name, different = numbered_text(tries.name)
    asked = np.where(lookup, measurements.resolver_asn[of], name)
    number, first = numbered(combined(asn[of], lookup.astype(np.int64), asked))
    columns = (asn[of][first].tolist(), lookup[first].tolist(), asked[first].tolist())
    words = (
        f"{client} {what}".encode() if resolver else f"{client} ".encode() + b"at " + different.bytes(what)
        for client, resolver, what in zip(*columns, strict=True)
    )
    digests = b"".join(blake2b(word, digest_size=16).digest() for word in words)
    high, low = np.frombuffer(digests, "<u8").astype(np.uint64).reshape(-1, 2).T
    high = (high >> np.uint64(16)) | np.uint64(STAND_IN << 48)
    return high[number], low[number]
