"""What a snapshot length took away: content that was sent and cannot be read any more (pcap-savefile(5)).

Who forges content is told by reading it: the answers of a resolver, a certificate, a page. Where these were cut out of
the recording, that nothing was found says nothing, so a conversation without a finding is no healthy one there.
That is of the recording: whether somebody was answered is seen without it (`netinterf.verdict.health`).
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import Mask
from netinterf.context.pages import TELLING
from netinterf.schema import ParseError, Status, TlsKind

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["cut_away", "exchanges_unread", "flows_unread", "names_missed"]

TCP = 6
TLS_1_3 = 0x0304
"""From this version on certificates are encrypted (RFC 8446 §2): behind the ServerHello there is nothing to read."""

ANSWER = 1  # section of a DNS message (RFC 1035 §4.1)


def cut_away(trace: "Trace") -> Mask:
    """Say in which flows a header was cut, or the first payload of a side was captured without one byte of it."""
    packets, sides = trace.packets, trace.sides
    result = np.zeros(len(trace.flows), np.bool_)
    headers = np.flatnonzero(((packets.status & Status.HEADER_CUT) != 0) & (packets.flow >= 0))
    result[packets.flow[headers]] = True
    side = np.flatnonzero(sides.first_payload >= 0)
    row = sides.first_payload[side].astype(np.int64)
    result[side[_payload_cut(trace, row) & (packets.payload_captured[row] == 0)] // 2] = True
    return result


def flows_unread(trace: "Trace") -> Mask:
    """Say of which flows that was cut which would show a certificate or page of somebody else."""
    tcp = trace.flows.protocol == TCP
    unread: Mask = tcp & (_certificates_cut(trace) | _pages_cut(trace))
    return unread


def names_missed(trace: "Trace") -> Mask:
    """Say in which flows a certificate was read, but the recorder missed the hello that says whose it had to be.

    It missed it where the client's stream begins later. A hello that was captured and not understood is another matter:
    those of SSL 2.0 name nobody (RFC 6101, appendix E).
    """
    tls, first = trace.tls, trace.sides.first_payload[0::2].astype(np.int64)
    shown, asked = np.zeros(len(trace.flows), np.bool_), np.zeros(len(trace.flows), np.bool_)
    shown[tls.flow[~tls.outbound & (tls.kind == TlsKind.CERTIFICATE)]] = True
    asked[tls.flow[tls.outbound & (tls.kind == TlsKind.CLIENT_HELLO)]] = True
    unasked = np.flatnonzero(shown & ~asked)
    result = np.zeros(len(trace.flows), np.bool_)
    result[unasked] = (first[unasked] < 0) | (trace.packets.relative_seq[first[unasked]] > 1)
    return result


def exchanges_unread(trace: "Trace") -> Mask:
    """Say in which DNS exchanges answers of some reply were cut out of the recording."""
    dns, answers, replies = trace.dns, trace.answers, trace.exchanges.replies
    held = np.bincount(answers.message[answers.section == ANSWER], minlength=len(dns))
    row = replies.values
    short = _payload_cut(trace, dns.packet[row]) & (held[row] < dns.answers[row])
    unread = np.zeros(len(trace.exchanges), np.bool_)
    unread[replies.parents()[short]] = True
    return unread


def _payload_cut(trace: "Trace", packet: NDArray[np.signedinteger[Any]]) -> Mask:
    cut: Mask = (trace.packets.status[packet] & Status.PAYLOAD_CUT) != 0
    return cut


def _certificates_cut(trace: "Trace") -> Mask:
    """Say in which TLS handshakes a certificate was cut, or may have been: all is clear up to TLS 1.2 (RFC 5246 §7)."""
    tls, first = trace.tls, trace.sides.first_payload[1::2]
    none = np.zeros(len(trace.flows), np.bool_)
    asked, answered, settled, stopped = none.copy(), none.copy(), none.copy(), none.copy()
    hello, certificate = tls.kind == TlsKind.SERVER_HELLO, tls.kind == TlsKind.CERTIFICATE
    whole = (hello & (tls.version >= TLS_1_3) | certificate) & (tls.error != ParseError.CUT)
    asked[tls.flow[tls.outbound & (tls.kind == TlsKind.CLIENT_HELLO)]] = True
    answered[tls.flow[~tls.outbound]] = True
    settled[tls.flow[~tls.outbound & whole]] = True
    stopped[tls.flow[~tls.outbound & (hello | certificate) & _payload_cut(trace, tls.last_packet)]] = True
    silent = np.flatnonzero(asked & ~answered & (first >= 0))
    stopped[silent] = _payload_cut(trace, first[silent])
    return stopped & ~settled


def _pages_cut(trace: "Trace") -> Mask:
    """Say in which flows the head of an HTTP answer was cut, or the beginning of the page behind it."""
    http, packets = trace.http, trace.packets
    cut = ~packets.outbound & (packets.flow >= 0) & ((packets.status & Status.PAYLOAD_CUT) != 0)
    shortened = np.zeros(len(trace.flows), np.bool_)
    shortened[packets.flow[cut]] = True
    row = np.flatnonzero(~http.outbound & (http.status > 0) & shortened[http.flow])
    packet = http.packet[row]
    headless = http.head_length[row] < 0
    kept = packets.payload_captured[packet] >= http.head_length[row].astype(np.int64) + TELLING
    result = np.zeros(len(trace.flows), np.bool_)
    result[http.flow[row[headless | (_payload_cut(trace, packet) & ~kept)]]] = True
    return result
