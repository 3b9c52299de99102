"""What was tried, and what came of it: one row per flow and DNS exchange.

One question is asked of an attempt: did the other end react to what was asked of it? So a TLS server that
answered a hello has answered, though the client left then; a refusal, an alert or a stall shows that somebody lives
there and no more; silence and resets are failures. What a capture does not show is not known, never a failure.
"""

from collections.abc import Sequence
from enum import IntEnum

import attrs
import numpy as np

from netinterf.analyzers.base import join
from netinterf.arrays import F64, I32, I64, U8, U16, U64, Mask
from netinterf.context.domains import bare_hosts
from netinterf.context.networks import numbers_of
from netinterf.context.special import Special, special_bits
from netinterf.numbering import combined, numbered_text, offsets, totals
from netinterf.schema import Evidence, Grade, SubjectKind, TriggerKind
from netinterf.table import Table, Text, column, text
from netinterf.values import frozen
from netinterf.verdict.clusters import weigh_subjects
from netinterf.verdict.combine import quiet_weights
from netinterf.verdict.model import Model
from netinterf.verdict.reasons import Bits, Reason
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_OTHER, KIND_TCP, KIND_UDP, Subjects, stacked
from netinterf.verdict.unseen import UNREAD
from netinterf.verdict.weigh import vocabulary
from netinterf.written.ledger import Ledger

__all__ = ["FAILED", "TRANSPORTS", "Attempts", "State", "attempts_of", "numbered_alike", "priors_of"]


class State(IntEnum):
    """What came of an attempt."""

    UNKNOWN = 0  # the capture does not show it
    ANSWERED = 1
    HEARD = 2  # somebody spoke in the server's name, but did not give what was asked for
    BROKEN = 3  # reset
    SILENT = 4  # nothing came back
    STRUCK = 5  # the scan says that somebody interfered, whatever came back


FAILED = (State.BROKEN, State.SILENT, State.STRUCK)

TRANSPORTS = ("dns", "tcp/http", "tcp/tls", "quic", "tcp", "udp", "")
"""How a name or server was reached. Where no payload tells, the port does (IANA Service Name and Port Number
Registry: 80 http, 443 https; UDP 443 is QUIC, RFC 9114 §3.1). The last stands for all that leaves a network, however;
no attempt has it."""
DNS, HTTP, TLS, QUIC, TCP, UDP, ALL = range(len(TRANSPORTS))

SILENT = Reason.SYN_UNANSWERED | Reason.REQUEST_UNANSWERED | Reason.UDP_UNANSWERED | Reason.DNS_UNANSWERED
BROKEN = Reason.REFUSED | Reason.RESET_UNEXPLAINED
HEARD = (
    Reason.CLOSED_UNEXPLAINED | Reason.ALERT_UNEXPLAINED | Reason.REFUSAL_UNEXPLAINED | Reason.STALLED
    | Reason.DNS_SERVFAIL | Reason.DNS_REFUSED | Reason.DNS_ERROR
)  # fmt: skip
AT_OPENING = Reason.SYN_UNANSWERED | Reason.REFUSED | Reason.UDP_UNANSWERED

HERE_ONLY = Special.PRIVATE | Special.CGNAT | Special.LOOPBACK | Special.LINK_LOCAL
"""Addresses that mean another host in another place (RFC 1918, 6598, 4193): never the same server in two captures."""

NO_SERVER = Special.MULTICAST | Special.BROADCAST | Special.UNSPECIFIED

ACCUSED = tuple(Grade).index(Grade.LIKELY)


@frozen(eq=False, kw_only=True)
class Attempts(Table):
    """One row per flow or DNS exchange, capture by capture."""

    place: I32 = column("i4", "number of the place or time that the capture is of")
    capture: I32 = column("i4", "number of the capture")
    row: I32 = column("i4", "verdict of that ledger")
    client: I32 = column("i4", "row in its Hosts of who tried")
    asn: I64 = column("i8", "AS of the client, -1 where the table of networks does not know it", missing=True)
    site: I64 = column("i8", "network of the server: its AS, or a stand-in below 0")
    unit: I64 = column("i8", "number of what was tried: a name over a transport, or a server without one")
    called: I64 = column("i8", "number of the name, whatever the transport; -1 without", missing=True)
    service: I64 = column("i8", "number of the server's address, port and transport")
    host: I64 = column("i8", "number of the server's address")
    high: U64 = column("u8", "upper half of the server's address")
    low: U64 = column("u8", "lower half; IPv4 is IPv4-mapped")
    port: U16 = column("u2", "port of the server")
    transport: U8 = column("u1", "place in TRANSPORTS")
    name: Text = text("name that was asked for; empty without")
    time: I64 = column("i8", "when it began", unit="ns since 1970 UTC")
    state: U8 = column("u1", "State code")
    abrupt: Mask = column("?", "it was reset, rather than left in silence")
    at_opening: Mask = column("?", "it failed before anything could be asked for")
    unread: Mask = column("?", "it was answered, and what would show a forgery was cut out of the recording")
    traced: Mask = column("?", "a router said that its packets had run out of hops, as in a route trace")
    missed: F64 = column("f8", "share of such packets that the recorder is seen to have missed")
    prior: F64 = column("f8", "log-odds of interference before any evidence", unit="nats")
    llr: F64 = column("f8", "what its own packets weigh by themselves; see own_weights", unit="nats")
    log_odds: F64 = column("f8", "log-odds that the scan arrived at", unit="nats")

    @property
    def failed(self) -> Mask:
        """Which of them failed."""
        result: Mask = np.isin(self.state, FAILED)
        return result

    @property
    def dead(self) -> Mask:
        """Which of them failed with nobody held to have let it fail: nor any other of their unit at their place.

        Only these may speak for an outage: what was struck says nothing about the server.
        """
        group = combined(self.place, self.unit)
        struck = np.bincount(group, self.state == State.STRUCK, int(group.max(initial=-1)) + 1)[group] > 0
        result: Mask = self.failed & ~struck
        return result

    @property
    def answered(self) -> Mask:
        """Which of them were answered."""
        result: Mask = self.state == State.ANSWERED
        return result

    @property
    def alive(self) -> Mask:
        """Which of them show that the server lives, whatever it said."""
        result: Mask = np.isin(self.state, (State.ANSWERED, State.HEARD))
        return result


def attempts_of(ledgers: Sequence[Ledger], places: Sequence[int], model: Model) -> Attempts:
    """Lay out what was tried.

    Args:
        ledgers: Captures.
        places: Number of the place that each is of.
        model: Priors and weights that the verdicts were reached with.
    """
    if not ledgers:
        return Attempts.empty()
    return without_traces(numbered_alike(_laid_out(ledgers, np.asarray(places, np.int32), model)))


def numbered_alike(attempts: Attempts) -> Attempts:
    """Number what was tried, names and servers, equal ones alike over all captures."""
    bits = special_bits(attempts.high, attempts.low)
    own = np.where(bits & np.uint16(HERE_ONLY) != 0, attempts.capture, -1)
    host = combined(attempts.high, attempts.low, own)
    service = combined(host, attempts.port, attempts.transport)
    name, _ = numbered_text(attempts.name)
    named = attempts.name.lengths > 0
    unit = combined(named.astype(np.int64), np.where(named, name, service), attempts.transport)
    return attrs.evolve(attempts, called=np.where(named, name, -1), service=service, host=host, unit=unit)


def without_traces(attempts: Attempts) -> Attempts:
    """Take silence for not known where a capture traces a route with the same requests, or to the same server.

    Probes are sent to die on the way. Not every router says so, and those that do not leave the same silence as a box.
    """
    traced = np.zeros(len(attempts), np.bool_)
    for of in (attempts.unit, attempts.service):
        group = combined(attempts.capture, of)
        traced |= np.bincount(group, attempts.traced, int(group.max(initial=-1)) + 1)[group] > 0
    state = np.where(traced & (attempts.state == State.SILENT), State.UNKNOWN, attempts.state)
    return attrs.evolve(attempts, state=state.astype(np.uint8))


def _laid_out(ledgers: Sequence[Ledger], places: I32, model: Model) -> Attempts:
    """Lay captures out, one behind the other; units and services are numbered later."""
    before = offsets(ledger.hosts for ledger in ledgers)
    high, low = (np.concatenate([getattr(ledger.hosts, half) for ledger in ledgers]) for half in ("high", "low"))
    asn = np.concatenate([ledger.networks.whose(ledger.hosts.high, ledger.hosts.low).asn for ledger in ledgers])
    subjects = stacked([ledger.subjects for ledger in ledgers], before)
    nobody = special_bits(high, low) & np.uint16(NO_SERVER) != 0
    rows = np.flatnonzero((subjects.prior_kind != KIND_OTHER) & ~nobody[subjects.server])
    counts = [len(ledger.subjects) for ledger in ledgers]
    capture, row = np.repeat(np.arange(len(ledgers)), counts)[rows], np.concatenate(list(map(np.arange, counts)))[rows]
    client, server = subjects.client[rows], subjects.server[rows]
    probability, grade = (
        np.concatenate([getattr(ledger.verdicts, column) for ledger in ledgers])[rows]
        for column in ("probability", "grade")
    )
    probability = np.clip(probability, LEAST, 1 - LEAST)
    reasons, lookup = subjects.reasons[rows], subjects.prior_kind[rows] == KIND_EXCHANGE
    lowest = reasons & -reasons
    missed = _missed_lookups(lowest[lookup], capture[lookup], len(ledgers))
    state = _states(reasons, lowest, grade <= ACCUSED)
    return Attempts(
        place=places[capture],
        capture=capture.astype(np.int32),
        row=row.astype(np.int32),
        client=(client - before[capture]).astype(np.int32),
        asn=np.where(asn > 0, asn.astype(np.int64), -1)[client],
        site=numbers_of(asn[server], high[server], low[server]),
        unit=np.zeros(len(rows), np.int64),
        called=np.zeros(len(rows), np.int64),
        service=np.zeros(len(rows), np.int64),
        host=np.zeros(len(rows), np.int64),
        high=high[server],
        low=low[server],
        port=subjects.port[rows].astype(np.uint16),
        transport=_transports(subjects, rows).astype(np.uint8),
        name=bare_hosts(subjects.name).take(rows),
        time=subjects.start[rows],
        state=state,
        abrupt=lowest & BROKEN != 0,
        at_opening=lowest & AT_OPENING != 0,
        unread=(subjects.unseen[rows] & UNREAD != 0) & (state == State.ANSWERED),
        traced=reasons & Reason.TIME_EXCEEDED != 0,
        missed=np.where(lookup, missed[capture], subjects.loss_share[rows]),
        prior=priors_of(model)[subjects.prior_kind[rows]],
        llr=own_weights(ledgers, subjects, model)[rows],
        log_odds=np.log(probability) - np.log1p(-probability),
    )


def own_weights(ledgers: Sequence[Ledger], subjects: Subjects, model: Model) -> F64:
    """Weigh what the packets of each subject say by themselves, without others of their capture.

    What it means that something met silence and nothing more was seen (`Model.quiet`) was fitted to captures without a
    control. Where a control speaks, that part is taken off again: what remains argues against, or is nothing.

    Args:
        ledgers: Captures.
        subjects: Those of all, one behind the other.
        model: Weights that the verdicts were reached with.
    """
    flows = offsets(ledger.subjects.by_flow for ledger in ledgers)
    exchanges = offsets(ledger.subjects.by_exchange for ledger in ledgers)
    tables = zip([ledger.evidence for ledger in ledgers], flows, exchanges, strict=True)
    evidence = join([_moved(*table) for table in tables])
    weights = weigh_subjects(evidence, subjects, vocabulary(model, evidence.rules), model)
    silent = subjects.reasons & SILENT != 0
    bare = silent & (weights.llr <= 0)
    return np.where(bare, np.minimum(weights.llr - quiet_weights(subjects, model), 0.0), weights.llr)


def _moved(evidence: Evidence, flow: int, exchange: int) -> Evidence:
    """Number flows and exchanges from others on."""
    first = np.where(evidence.subject_kind == SubjectKind.FLOW, flow, exchange)
    return attrs.evolve(evidence, subject=(evidence.subject + first).astype(np.int32))


def _missed_lookups(lowest: Bits, capture: I64, count: int) -> F64:
    """Estimate which share of DNS messages the recorder missed: of all that were answered, those without a question.

    TCP shows by its acknowledgements what a capture lacks (``Recording.loss_share``), DNS by answers alone.

    Args:
        lowest: Reason that decides, of each exchange.
        capture: Number of its capture.
        count: How many captures there are.
    """
    orphans = totals(capture, lowest == Reason.QUERY_MISSING, count)
    return orphans / np.maximum(orphans + totals(capture, lowest == 0, count), 1)


LEAST = 1e-9
"""Probabilities are kept that far from 0 and 1, so that log-odds stay finite."""


def _states(reasons: Bits, lowest: Bits, accused: Mask) -> U8:
    """Say what came of attempts by the reason that decides, and by the verdict.

    An answer whose question the recorder missed is an answer.
    """
    orphan = reasons == Reason.QUERY_MISSING
    conditions = [
        accused,
        lowest & SILENT != 0,
        lowest & BROKEN != 0,
        lowest & HEARD != 0,
        (lowest == 0) | (lowest == Reason.TLS_UNFINISHED) | orphan,
    ]
    states = [State.STRUCK, State.SILENT, State.BROKEN, State.HEARD, State.ANSWERED]
    return np.select(conditions, states, State.UNKNOWN).astype(np.uint8)


def _transports(subjects: Subjects, rows: I64) -> I64:
    """Say how each subject reached its server."""
    kind, by, port = subjects.prior_kind[rows], subjects.named_by[rows], subjects.port[rows]
    tcp, udp = kind == KIND_TCP, kind == KIND_UDP
    conditions = [
        kind == KIND_EXCHANGE,
        tcp & np.isin(by, (TriggerKind.HTTP_HOST, TriggerKind.HTTP_URL)),
        tcp & np.isin(by, (TriggerKind.TLS_SNI, TriggerKind.TLS_ECH)),
        tcp & (port == 80),
        tcp & (port == 443),
        tcp,
        udp & ((by == TriggerKind.QUIC_SNI) | (port == 443)),
    ]
    return np.select(conditions, [DNS, HTTP, TLS, HTTP, TLS, TCP, QUIC], UDP)


def priors_of(model: Model) -> F64:
    """Give the log-odds of any interference before any evidence, by kind of subject."""
    odds = np.nansum(np.exp(model.log_odds(model.mechanisms)), axis=1)
    return np.asarray(np.log(np.maximum(odds, LEAST)))
