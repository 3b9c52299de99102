"""Contradictions: two senders in one stream, or two answers to one SYN.

An injector on the path cannot take back what the real host sends. Its data and the genuine data claim the same
sequence numbers with different bytes (Marczak et al., FOCI 2015; Nakibly et al., USENIX Security 2016), and its SYN/ACK
and the genuine one carry different initial sequence numbers (Wang et al., IMC 2017, section 2.1). No host does that to
itself. A corrupted capture, a port used again and a client that writes decoys on purpose do: the first two are told
apart below, and bytes that a client sends are not held against the network.

One broken sender may contradict itself, so the two must show that they are two: by their headers, or because the
claimed sender acknowledged, after the first and before the second, from where the first began. No imitation of a header
hides that, since the host does not know what was said in its name.
"""

import attrs
import numpy as np

from netinterf.analyzers.forgery.ack_regression import ack_regressions
from netinterf.analyzers.forgery.oddity import begins_http
from netinterf.analyzers.forgery.timing import PREMATURE_ONE
from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, SegmentKind, Status, TcpFlag, TcpOption
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Contradictions", "conflicting_data", "empty", "joined_pairs", "second_synacks"]

LEAST_BYTES = 7
"""Bytes of an overlap that tell: a keep-alive may bring one of garbage (RFC 9293 §3.8.4), and up to six are padding of
an Ethernet frame (IEEE 802.3 §3.2.7). A TLS alert has seven (RFC 8446 §6)."""

RESEND_NS = 1_000_000_000
"""Time after which a SYN that was not answered is sent again (RFC 6298 §2.1)."""

SYNACK_WINDOW_NS = 1_000_000_000  # two answers within a second; SYN cookies change their secret every 64 s


@frozen(eq=False, kw_only=True)
class Contradictions:
    """Pairs of packets that cannot both be genuine; the columns are aligned."""

    flow: I64
    forged: I64  # rows in Packets: the one that looks less like its sender
    genuine: I64  # rows in Packets
    http: Mask  # the forged bytes begin an HTTP answer
    fin: Mask  # they carry a FIN, and begin no HTTP answer
    maybe_one_sender: Mask  # nothing shows that they are two: one broken sender may have written both

    def __len__(self) -> int:
        return len(self.flow)


def conflicting_data(trace: Trace) -> Contradictions:
    """Find server bytes that were captured twice with different content, one pair per flow (the earliest).

    Only flows that opened in the capture count: without the SYN two connections on one port pair may be mixed up. Both
    packets must pass their checksums, or the bytes were changed after they were captured. Where one box renumbers all
    packets, a proxy writes the streams, and its mistakes are no contradictions of the path.
    """
    segments, packets = trace.segments, trace.packets
    conflict = np.flatnonzero(
        (segments.kind == SegmentKind.CONFLICT)
        & (segments.side % 2 == 1)
        & (segments.length >= LEAST_BYTES)
        & (trace.sides.syn[segments.side] >= 0)
        & trace.recording.ip_id_informative[segments.side // 2]
    )
    if len(conflict) == 0:
        return empty()
    # the FRESH piece that holds the same place is the last one of its side that begins at or before it
    fresh = np.flatnonzero(segments.kind == SegmentKind.FRESH)
    keys = segments.side[fresh].astype(np.int64) << 32 | segments.offset[fresh]
    wanted = segments.side[conflict].astype(np.int64) << 32 | segments.offset[conflict]
    owner = fresh[np.maximum(np.searchsorted(keys, wanted, side="right") - 1, 0)]
    first, second = segments.packet[owner].astype(np.int64), segments.packet[conflict].astype(np.int64)
    flow = packets.flow[first].astype(np.int64)
    keep = (flow == packets.flow[second]) & (packets.marks[second] & Mark.DUPLICATE_FRAME == 0)
    keep &= trace.checksum_ok(first) & trace.checksum_ok(second)
    keep &= ((packets.status[first] | packets.status[second]) & Status.OFFLOADED) == 0  # their checksums tell nothing
    return pair_up(trace, flow[keep], first[keep], second[keep])


def second_synacks(trace: Trace) -> Contradictions:
    """Find two SYN/ACKs with different initial sequence numbers to one SYN within a second, one pair per flow.

    A SYN that was sent again may have reached another backend of a load balancer, and one that was not captured may
    have been sent again: such flows do not count. Nor do those of which one may have been missed (`answers_apart`).
    """
    packets = trace.packets
    synack, sent = TcpFlag.SYN | TcpFlag.ACK, packets.marks & Mark.DUPLICATE_FRAME == 0
    sent &= packets.flow >= 0
    row = np.flatnonzero(sent & (packets.tcp_flags & (synack | TcpFlag.RST) == synack) & ~packets.outbound)
    if len(row) < 2:
        return empty()
    syn = np.flatnonzero(sent & (packets.tcp_flags & synack == TcpFlag.SYN) & packets.outbound)
    flow = packets.flow[row]
    order = np.lexsort((row, flow))
    row, flow = row[order], flow[order]
    first, second = row[:-1], row[1:]
    pair = (flow[:-1] == flow[1:]) & (packets.seq[first] != packets.seq[second])
    pair &= (packets.ack[first] == packets.ack[second]) & (
        packets.time[second] - packets.time[first] < SYNACK_WINDOW_NS
    )
    dialled = np.bincount(packets.flow[syn], minlength=len(trace.flows))
    pair &= dialled[flow[1:]] == 1
    pair[pair] = ~answers_apart(trace, flow[1:][pair].astype(np.int64), first[pair], second[pair])
    return pair_up(trace, flow[1:][pair].astype(np.int64), first[pair], second[pair])


def answers_apart(trace: Trace, flow: I64, first: I64, second: I64) -> Mask:
    """Say where the two may answer two SYNs, of which the capture lacks one.

    One whose answer the client did not get in time was sent again, though no second is there. And an earlier one may
    have been missed, whose answer came long after the server that was taken had begun: no race is won that late, since
    the connection had gone on with the first number. Nor is one seen beside the server, whom nobody answers before, or
    where time does not tell who is near. Where the recorder missed packets, a race is one by time alone.
    """
    packets, sides, recording = trace.packets, trace.sides, trace.recording
    syn, reply = packets.time[np.maximum(sides.syn[2 * flow], 0)], sides.first_payload[2 * flow + 1].astype(np.int64)
    before, lossy = syn - RESEND_NS, recording.loss_share[flow] > 0
    missed = (before < trace.began) | ~trace.heard_throughout(before, syn) | lossy
    missed |= recording.at_server[flow] | ~recording.timing_informative[flow]
    ahead = packets.seq[reply] - packets.seq[first]  # modulo 2^32; the first bytes themselves may be missing
    served = (reply >= 0) & (reply < second) & (ahead < packets.seq[reply] - packets.seq[second])
    waited, other = packets.time[first] - syn, packets.time[second] - syn
    again = (waited >= RESEND_NS) | ((other >= RESEND_NS) & ~taken_before(trace, flow, second))
    apart: Mask = again | (missed & served) | (lossy & (waited >= PREMATURE_ONE * other))
    return apart


def taken_before(trace: Trace, flow: I64, second: I64) -> Mask:
    """Say whether the client had taken any greeting before packet *second*, so that it sent no further SYN."""
    packets, near = trace.packets, trace.by_flow.take(flow)
    owner, row = near.parents(), near.values.astype(np.int64)
    answers = TcpFlag.SYN | TcpFlag.RST | TcpFlag.ACK
    took = packets.outbound[row] & (packets.tcp_flags[row] & answers == TcpFlag.ACK) & (row < second[owner])
    taken: Mask = np.bincount(owner[took], minlength=len(flow)) > 0
    return taken


def joined_pairs(first: Contradictions, second: Contradictions) -> Contradictions:
    """List the pairs of both."""
    columns = zip(attrs.asdict(first, recurse=False).items(), attrs.asdict(second, recurse=False).values(), strict=True)
    return Contradictions(**{name: np.concatenate([mine, theirs]) for (name, mine), theirs in columns})


def empty() -> Contradictions:
    """Return no contradictions."""
    none = np.empty(0, np.int64)
    return Contradictions(flow=none, forged=none, genuine=none, http=none > 0, fin=none > 0, maybe_one_sender=none > 0)


def pair_up(trace: Trace, flow: I64, first: I64, second: I64) -> Contradictions:
    """Keep the earliest pair of each flow, and tell which of the two looks less like its sender.

    When both look alike the one that came first is held to be forged: an injector is nearer than the host that it
    imitates, or it would have nothing to win. So it is where its claimed sender disowns it.
    """
    if not len(flow):
        return empty()
    _, earliest = np.unique(flow, return_index=True)
    flow, first, second = flow[earliest], first[earliest], second[earliest]
    denied = disowned(trace, first, second)
    second_worse = (header_differences(trace, second) > header_differences(trace, first)) & ~denied
    packets = trace.packets
    differs = (packets.ttl[first] != packets.ttl[second]) | (packets.ip_flags[first] != packets.ip_flags[second])
    stamps = TcpOption.TIMESTAMPS.value
    differs |= ((packets.tcp_options[first] ^ packets.tcp_options[second]) & stamps) != 0
    forged = np.where(second_worse, second, first)
    http = begins_http(trace, forged)
    return Contradictions(
        flow=flow,
        forged=forged,
        genuine=np.where(second_worse, first, second),
        http=http,
        fin=~http & (packets.tcp_flags[forged] & TcpFlag.FIN != 0),
        maybe_one_sender=~(differs | denied),
    )


def disowned(trace: Trace, first: I64, second: I64) -> Mask:
    """Say which packets their claimed sender takes back before it says something else in their place.

    Behind the second it proves nothing: a stack that never counts what it sends disowns both. Blind where one stack
    near the tap speaks for all servers, as `netinterf.analyzers.forgery.writer` is.
    """
    order = np.argsort(first)
    late = np.full(len(first), -1)
    late[order] = ack_regressions(trace, first[order]).late
    informative = trace.recording.timing_informative[trace.packets.flow[first]]
    takes_back: Mask = informative & (late >= 0) & (late < second)
    return takes_back


def header_differences(trace: Trace, rows: I64) -> I64:
    """Count the header fields in which packets differ from the acknowledgements of the same side.

    Those acknowledgements are the server's packets without payload, resets excluded, in the same flow; fields are the
    hop limit, the timestamps option and the flags of the IP header.
    """
    packets = trace.packets
    side = 2 * packets.flow[rows].astype(np.int64) + 1
    base = trace.by_flow.take(packets.flow[rows])
    owner, row = base.parents(), base.values.astype(np.int64)
    plain = ~packets.outbound[row] & (packets.payload_length[row] == 0) & (packets.tcp_flags[row] & TcpFlag.RST == 0)
    owner, row = owner[plain], row[plain]
    stamped = (packets.tcp_options & TcpOption.TIMESTAMPS) != 0
    counted = np.maximum(np.bincount(owner, minlength=len(rows)), 1)
    differing = np.zeros(len(rows), np.int64)
    for column in (packets.ttl, stamped, packets.ip_flags):
        same = np.bincount(owner, weights=column[row] == column[rows][owner], minlength=len(rows))
        differing += (2 * same < counted) & (trace.sides.packets[side] > 1)
    return differing
