"""A quick look at ordinary packets: which of them are odd enough to be compared with all others of their side?"""

import numpy as np

from netinterf.analyzers.forgery.timing import LEAST_GAP_NS, PREMATURE_MANY, host_rtt
from netinterf.analyzers.sides import stamps_agreed
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import one_of
from netinterf.recording import INITIAL_TTLS
from netinterf.schema import IpFlag, TcpOption
from netinterf.table import spans
from netinterf.trace import Trace

__all__ = ["begins_http", "begins_page", "from_gateway", "too_early", "unlike_synack"]

HTTP = np.frombuffer(b"HTTP/", np.uint8)


def unlike_synack(trace: Trace, row: I64, side: I64) -> Mask:
    """Say which packets differ from the SYN of their side in hop limit, DF, or timestamps though agreed on."""
    packets, sides = trace.packets, trace.sides
    syn = sides.syn[side].astype(np.int64)
    if not len(row):
        return syn >= 0
    unlike = (packets.ttl[row] != packets.ttl[syn]) & trace.recording.ttl_informative[side // 2]
    unlike |= (packets.ip_flags[row] ^ packets.ip_flags[syn]) & IpFlag.DONT_FRAGMENT != 0
    unlike |= stamps_agreed(trace, side) & (packets.tcp_options[row] & TcpOption.TIMESTAMPS == 0)
    differs: Mask = unlike & (syn >= 0)
    return differs


def from_gateway(trace: Trace, row: I64, side: I64) -> Mask:
    """Say which packets crossed no router to a tap at the client though their claimed sender's greeting did.

    Their hop limit is still an initial one: a device on the client's own network wrote them, whoever owns it.
    """
    packets, syn = trace.packets, trace.sides.syn[side].astype(np.int64)
    if not len(row):
        return np.zeros(0, np.bool_)
    informative = trace.recording.at_client[side // 2] & trace.recording.ttl_informative[side // 2]
    fresh = informative & one_of(packets.ttl[row], INITIAL_TTLS) & (side % 2 == 1)
    local: Mask = fresh & (syn >= 0) & ~one_of(packets.ttl[np.maximum(syn, 0)], INITIAL_TTLS)
    return local


def too_early(trace: Trace, row: I64, side: I64) -> Mask:
    """Say which packets came so soon after the other side's first data that they cannot answer them, and yet do."""
    packets = trace.packets
    request = trace.sides.first_payload[side ^ 1].astype(np.int64)
    early = np.zeros(len(row), np.bool_)
    if not len(row):
        return early
    waited = packets.time[row] - packets.time[np.maximum(request, 0)]
    answers = (
        (request >= 0) & (request < row) & (packets.relative_ack[row] > packets.relative_seq[np.maximum(request, 0)])
    )
    place = np.flatnonzero(answers & (waited < PREMATURE_MANY * longest(trace, side)))
    if len(place):  # round trips of all hosts cost more than all the rest
        rtt = host_rtt(trace)[0][side[place]]
        early[place] = (waited[place] < PREMATURE_MANY * rtt) & (rtt - waited[place] >= LEAST_GAP_NS)
    return early


def longest(trace: Trace, side: I64) -> F64:
    """Time that the round trip to each side cannot exceed: its handshake, where both greetings were captured."""
    syn = trace.sides.syn.astype(np.int64)
    first, second = syn[side ^ 1], syn[side]
    known = (first >= 0) & (second > first)
    time = trace.packets.time
    return np.where(known, time[np.maximum(second, 0)] - time[np.maximum(first, 0)], np.inf)


def begins_http(trace: Trace, rows: I64) -> Mask:
    """Say whether the payload of each packet begins an HTTP/1 answer."""
    starts, captured = trace.packets.payload_start[rows], trace.packets.payload_captured[rows]
    enough = captured >= len(HTTP)
    starts = starts[enough]
    begins = np.zeros(len(rows), np.bool_)
    if enough.any():
        heads = trace.buffer[spans(starts, np.full(len(starts), len(HTTP)))].reshape(-1, len(HTTP))
        begins[enough] = (heads == HTTP).all(axis=1)
    return begins


def begins_page(trace: Trace, rows: I64) -> Mask:
    """Say whether the payload of each packet begins an HTTP answer, or markup without a status line (RFC 1945 §6)."""
    starts, captured = trace.packets.payload_start[rows], trace.packets.payload_captured[rows]
    markup = captured > 0
    markup[markup] = trace.buffer[starts[markup]] == ord("<")
    page: Mask = markup | begins_http(trace, rows)
    return page
