"""The catalogue of reasons: why a subject is down or could not be judged, and which capture would settle it.

Codes are public and keep their meaning. Each reason has one outcome; a reason of ``insufficient`` says what to capture
instead. Sentences know the code alone, so they ask for nothing that a capture with this reason may hold already: a
longer capture where the end may be there, another name where another may have been asked.
"""

from enum import IntFlag
from functools import cache

from netinterf.arrays import I64
from netinterf.schema import Outcome
from netinterf.values import frozen

__all__ = ["CATALOGUE", "Bits", "Cause", "Reason", "causes", "first_outcome", "reason_of"]

Bits = I64
"""What sets of reasons are held as."""


class Reason(IntFlag):
    """Bits of ``Verdicts.reasons``, the ones that decide first."""

    FRAGMENTARY = 1 << 0
    QUERY_MISSING = 1 << 1
    DNS_UNREADABLE = 1 << 2
    ONE_DIRECTION = 1 << 3
    ENDED_EARLY = 1 << 4
    SNAPLEN = 1 << 5
    TIME_EXCEEDED = 1 << 6
    UNREACHABLE = 1 << 7
    SYN_UNANSWERED = 1 << 8
    REFUSED = 1 << 9
    HANDSHAKE_UNFINISHED = 1 << 10
    REQUEST_UNANSWERED = 1 << 11
    RESET_UNEXPLAINED = 1 << 12
    STALLED = 1 << 13
    MID_STREAM = 1 << 14
    NO_PAYLOAD = 1 << 15
    UDP_UNANSWERED = 1 << 16
    ICMP_UNANSWERED = 1 << 17
    ICMP_MESSAGE = 1 << 18
    OTHER_PROTOCOL = 1 << 19
    DNS_UNANSWERED = 1 << 20
    DNS_SERVFAIL = 1 << 21
    DNS_REFUSED = 1 << 22
    DNS_ERROR = 1 << 23
    SUSPICION = 1 << 24
    TOO_FEW = 1 << 25
    NO_CONTRAST = 1 << 26
    CLOSED_UNEXPLAINED = 1 << 27
    ALERT_UNEXPLAINED = 1 << 28
    REFUSAL_UNEXPLAINED = 1 << 29
    TLS_UNFINISHED = 1 << 30
    BUDGET = 1 << 31
    GAP = 1 << 32
    LINK_ONLY = 1 << 33


@frozen
class Cause:
    """One entry of the catalogue."""

    reason: Reason
    code: str  # public
    outcome: Outcome
    says: str  # one sentence


_DOWN, _INSUFFICIENT = Outcome.DOWN, Outcome.INSUFFICIENT

CATALOGUE: dict[Reason, Cause] = {
    cause.reason: cause
    for cause in (
        Cause(
            Reason.FRAGMENTARY,
            "flow.fragments",
            _INSUFFICIENT,
            "Only later IP fragments were captured, without the headers that begin them; "
            "a capture without a port filter would hold them.",
        ),
        Cause(
            Reason.QUERY_MISSING,
            "dns.query_missing",
            _INSUFFICIENT,
            "An answer was captured but not the question; a capture that starts earlier and holds both directions "
            "would settle it.",
        ),
        Cause(
            Reason.DNS_UNREADABLE,
            "dns.unreadable",
            _INSUFFICIENT,
            "No answer could be read to its end; a capture with full packets (no snapshot length) would settle it.",
        ),
        Cause(
            Reason.ONE_DIRECTION,
            "capture.one_direction",
            _INSUFFICIENT,
            "Only one direction was captured; a capture at the client, where both directions pass, would settle it.",
        ),
        Cause(
            Reason.ENDED_EARLY,
            "capture.ended_early",
            _INSUFFICIENT,
            "The capture ended before an answer, the rest of one, or a second one could be expected; "
            "one that runs ten seconds longer would settle it.",
        ),
        Cause(
            Reason.SNAPLEN,
            "capture.snaplen",
            _INSUFFICIENT,
            "Packets were cut so short that a forgery would not show in what was kept; "
            "a capture with full packets (tcpdump -s 0) would settle it.",
        ),
        Cause(
            Reason.TIME_EXCEEDED,
            "icmp.time_exceeded",
            _INSUFFICIENT,
            "A router on the path reported that the packets had run out of hops, as in a route trace; "
            "a connection with an ordinary hop limit would settle it.",
        ),
        Cause(
            Reason.UNREACHABLE,
            "icmp.unreachable",
            _DOWN,
            "A router or the server reported by ICMP that the destination cannot be reached.",
        ),
        Cause(
            Reason.SYN_UNANSWERED,
            "tcp.syn_unanswered",
            _DOWN,
            "The server never answered the request to open a connection; whether it is down or swallowed on the path "
            "would show in a capture from another network at the same time.",
        ),
        Cause(
            Reason.REFUSED,
            "tcp.refused",
            _DOWN,
            "The request to open a connection was refused with a reset, as a closed port does.",
        ),
        Cause(
            Reason.HANDSHAKE_UNFINISHED,
            "tcp.handshake_unfinished",
            _INSUFFICIENT,
            "The connection was answered but never opened; "
            "captures at the client and at the server at the same time would settle it.",
        ),
        Cause(
            Reason.REQUEST_UNANSWERED,
            "tcp.request_unanswered",
            _DOWN,
            "The connection opened but nothing was answered to the data sent; only beside another name or address that "
            "works at the same time does this say more than that server or path failed.",
        ),
        Cause(
            Reason.RESET_UNEXPLAINED,
            "tcp.reset_unexplained",
            _INSUFFICIENT,
            "The connection was reset by the far end's address and nothing shows who sent the reset; "
            "captures at the client and at the server at the same time would settle it.",
        ),
        Cause(
            Reason.STALLED,
            "tcp.stalled",
            _DOWN,
            "The connection worked, then data, or its end, was sent again and again without being acknowledged.",
        ),
        Cause(
            Reason.MID_STREAM,
            "capture.mid_stream",
            _INSUFFICIENT,
            "The capture does not hold the start of the connection; one that starts before it would settle it.",
        ),
        Cause(
            Reason.NO_PAYLOAD,
            "tcp.no_payload",
            _INSUFFICIENT,
            "The connection carried no data, so nothing was asked that could have been interfered with; "
            "a capture of a real request would settle it.",
        ),
        Cause(
            Reason.UDP_UNANSWERED,
            "udp.unanswered",
            _INSUFFICIENT,
            "Datagrams were sent one way only, which many protocols do; a capture of the same exchange with a peer "
            "that is known to answer would settle it.",
        ),
        Cause(
            Reason.ICMP_UNANSWERED,
            "icmp.unanswered",
            _DOWN,
            "The echo request was not answered; many hosts ignore them.",
        ),
        Cause(
            Reason.ICMP_MESSAGE,
            "icmp.message",
            _INSUFFICIENT,
            "This is a report about other packets and no conversation of its own; see the flow that it quotes.",
        ),
        Cause(
            Reason.OTHER_PROTOCOL,
            "protocol.not_judged",
            _INSUFFICIENT,
            "Conversations of this protocol are not judged; a capture of TCP, UDP or DNS to the same place would help.",
        ),
        Cause(
            Reason.DNS_UNANSWERED,
            "dns.unanswered",
            _DOWN,
            "The resolver never answered; only beside its answers about other names at the same time does this say "
            "more than that it was down.",
        ),
        Cause(
            Reason.DNS_SERVFAIL,
            "dns.servfail",
            _DOWN,
            "The resolver answered that it failed (SERVFAIL).",
        ),
        Cause(
            Reason.DNS_REFUSED,
            "dns.refused",
            _DOWN,
            "The resolver refused to answer (REFUSED).",
        ),
        Cause(
            Reason.DNS_ERROR,
            "dns.error",
            _DOWN,
            "The resolver answered with an error.",
        ),
        Cause(
            Reason.SUSPICION,
            "evidence.not_enough",
            _INSUFFICIENT,
            "What was seen would fit interference and does not suffice to say so; more attempts, at this and at "
            "other names and addresses, captured at the client would settle it.",
        ),
        Cause(
            Reason.TOO_FEW,
            "flow.too_few_packets",
            _INSUFFICIENT,
            "Too few of its packets were captured to judge; a capture of the whole connection would settle it.",
        ),
        Cause(
            Reason.NO_CONTRAST,
            "rate.no_contrast",
            _INSUFFICIENT,
            "The connection was held to a rate, which a slow link or a plan does as well; transfers of other names, "
            "as large as this one, by the same client at the same time would settle it.",
        ),
        Cause(
            Reason.CLOSED_UNEXPLAINED,
            "tcp.closed_unexplained",
            _INSUFFICIENT,
            "The connection was closed in the server's name without a word to the request, and nothing shows who "
            "closed it; captures at the client and at the server at the same time would settle it.",
        ),
        Cause(
            Reason.ALERT_UNEXPLAINED,
            "tls.alert_unexplained",
            _INSUFFICIENT,
            "The request was refused by a TLS alert in the server's name, which everybody on the path can write; "
            "captures at the client and at the server at the same time would settle it.",
        ),
        Cause(
            Reason.TLS_UNFINISHED,
            "tls.handshake_unfinished",
            _INSUFFICIENT,
            "The TLS handshake was begun and never finished: the client said nothing more after the server's hello; "
            "captures at the client and at the server at the same time would settle it.",
        ),
        Cause(
            Reason.REFUSAL_UNEXPLAINED,
            "http.refusal_unexplained",
            _INSUFFICIENT,
            "The request was refused (403, 451) without encryption in the server's name, and nothing shows who wrote "
            "that; captures at the client and at the server at the same time would settle it.",
        ),
        Cause(
            Reason.BUDGET,
            "analysis.budget",
            _INSUFFICIENT,
            "More of this client's traffic looked unusual than is examined closely, and this was not among what was "
            "examined; a capture of this conversation alone would settle it.",
        ),
        Cause(
            Reason.GAP,
            "capture.gap",
            _INSUFFICIENT,
            "A part of the time between its packets was not recorded, and what happened then may explain what was "
            "seen; a capture without gaps would settle it.",
        ),
        Cause(
            Reason.LINK_ONLY,
            "flow.link_only",
            _INSUFFICIENT,
            "It was sent to everybody on its own link (multicast, broadcast), so there is no path to judge; "
            "a capture of a conversation with one host elsewhere would be judged.",
        ),
    )
}
"""Every reason, in the order of the bits."""


@cache
def reason_of(code: str) -> Reason:
    """Find the reason that has a code."""
    return next(cause.reason for cause in CATALOGUE.values() if cause.code == code)


@cache
def causes(bits: int) -> tuple[Cause, ...]:
    """List the reasons that are set in *bits*, in catalogue order."""
    return tuple(CATALOGUE[reason] for reason in CATALOGUE if bits & reason)


def first_outcome(bits: int) -> Outcome:
    """Say which outcome the deciding (lowest) reason stands for; no reason is ``ok``."""
    return next((cause.outcome for cause in causes(bits)), Outcome.OK)
