"""Round trips from the tap to one side and back.

What passes the tap towards a side is answered by that side, and the time between is twice the way from here
to there plus the side's own delay. The two halves of a connection are measured apart and never mixed: a capture taken
at one end sees about nothing for its own half. Three kinds of pairs serve:

* handshake: SYN and SYN/ACK; SYN/ACK and the acknowledgement that covers it;
* data: a segment sent for the first time, and the first acknowledgement that covers all of it. When one acknowledgement
  covers several segments it is paired with the newest, whose arrival set it off. Karn's rule (Karn & Partridge, SIGCOMM
  1987; RFC 6298 §3) is kept in a strict form: no segment at or below the high-water mark of the asking side may pass
  between the two, so neither a repeat nor the filling of a hole can be what was acknowledged;
* timestamps: the first segment that carries a timestamp value, and the first packet that echoes it and acknowledges the
  segment and something new (RFC 7323 §4). These hold through loss. Their resolution is the sender's clock tick.

Resets and second copies of frames neither ask nor answer, nor do acknowledgements of bytes that were never sent.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, U16, Mask
from netinterf.compiled import is_there
from netinterf.flows.blocks import TcpBlock, flow_spans, packed, running_top, tcp_block, top_before
from netinterf.flows.grouping import mix
from netinterf.flows.segments import round_trips
from netinterf.flows.unwrap import sound_rows
from netinterf.schema import Flows, Mark, Packets, RttKind, RttSamples, Sides, TcpFlag, TcpOption
from netinterf.table import Ragged
from netinterf.values import frozen
from netinterf.workers import each

__all__ = ["rtt_samples", "with_rtt"]

Pairs = tuple[tuple[I32, I32], ...]
"""Rows of packets that asked, and of those that answered."""

RETRANSMITTED = Mark.REPEAT.value | Mark.PARTIAL_REPEAT.value | Mark.FILL.value


@frozen(eq=False)
class AckColumns:
    """The rows of a block as what elicits acknowledgements and what gives them."""

    flags: U16
    marks: U16
    end: I64  # relative number after the segment
    ack: I64
    ack_eliciting: Mask  # brings bytes that an acknowledgement can cover
    acknowledges: Mask
    highest_ack: tuple[I64, I64]  # packed running maximum of acknowledgements by the server, by the client


def rtt_samples(packets: Packets, flows: Flows, by_flow: Ragged, sides: Sides) -> RttSamples:
    """Collect round-trip samples of all TCP flows.

    Args:
        packets: Packets with relative numbers and marks.
        flows: Their flows; not read, the rows of *by_flow* say enough.
        by_flow: Rows of packets of each flow, in time order.
        sides: Sides of the flows.

    Returns:
        Samples in the order of flows, then kinds; each names the answer, what it answered, and the side that answered.
    """
    del flows

    def sample(span: tuple[int, int]) -> RttSamples:
        pairs = pairs_in_c(packets, by_flow, span, sides) if is_there() else None
        if pairs is None:
            pairs = all_pairs(packets, tcp_block(packets, by_flow, *span), sides)
        parts = []
        for asked, answer in pairs[:2]:
            is_syn = packets.tcp_flags[asked] & TcpFlag.SYN.value != 0
            kind = np.where(is_syn, RttKind.HANDSHAKE.value, RttKind.DATA.value)
            parts.append(make_samples(packets, asked, answer, kind))
        asked, answer = pairs[2]
        parts.append(make_samples(packets, asked, answer, np.full(len(asked), RttKind.TIMESTAMP.value)))
        return RttSamples.concat(parts)

    return RttSamples.concat(each(sample, flow_spans(by_flow)))


def all_pairs(packets: Packets, block: TcpBlock, sides: Sides) -> Pairs:
    """Pair what was asked and what answered: by clients, by servers, and by timestamps."""
    acks = ack_columns(packets, block, sides)
    client, server = (covered(block, acks, outbound) for outbound in (True, False))
    stamped = echoed(packets, block, acks)
    return tuple((block.rows[asked], block.rows[answer]) for asked, answer in (client, server, stamped))


def pairs_in_c(packets: Packets, by_flow: Ragged, span: tuple[int, int], sides: Sides) -> Pairs | None:
    """Do the same in C, but for timestamps that do not rise; None where C leaves everything."""
    trips = round_trips(packets, by_flow, *span, sides.sent)
    if trips is None:
        return None
    asked, answer = trips.echoed
    if len(trips.left):
        block, left = tcp_block(packets, by_flow, *span), np.zeros(span[1] - span[0], np.bool_)
        left[trips.left] = True
        rest = block.part(left[block.flow])
        more = echoed(packets, rest, ack_columns(packets, rest, sides))
        asked, answer = (
            np.concatenate([rows, rest.rows[other]]) for rows, other in zip(trips.echoed, more, strict=True)
        )
    side = 2 * (packets.flow[asked] - span[0]) + ~packets.outbound[asked]
    order = np.argsort(mix(side.astype(np.uint64) << np.uint64(32) | packets.tsval[asked]))  # as `echoed` lists them
    return *trips.covered, (asked[order], answer[order])


def ack_columns(packets: Packets, block: TcpBlock, sides: Sides) -> AckColumns:
    """Tell which rows of a block elicit acknowledgements and which give them."""
    rows, out = block.rows, block.outbound
    flags, marks = packets.tcp_flags.take(rows), packets.marks.take(rows)
    length = packets.payload_length.take(rows).astype(np.int64)
    length += (flags & TcpFlag.SYN.value != 0).astype(np.int64) + (flags & TcpFlag.FIN.value != 0)
    ack = packets.relative_ack.take(rows)
    plain = (flags & TcpFlag.RST.value == 0) & (marks & Mark.DUPLICATE_FRAME.value == 0)
    seq = packets.relative_seq.take(rows)
    ack_eliciting = sound_rows(seq, block.side, plain) & (length > 0) & (marks & Mark.KEEP_ALIVE.value == 0)
    acknowledges = plain & (flags & TcpFlag.ACK.value != 0)
    acknowledges &= ack <= sides.sent[2 * block.first_flow : 2 * (block.first_flow + block.flows)][block.side ^ 1]
    highest_ack = (running_top(block.flow, ack, acknowledges & ~out), running_top(block.flow, ack, acknowledges & out))
    return AckColumns(flags, marks, seq + length, ack, ack_eliciting, acknowledges, highest_ack)


def covered(block: TcpBlock, acks: AckColumns, outbound: bool) -> tuple[I64, I64]:
    """Pair first transmissions of one direction with the first acknowledgement that covers them.

    Returns:
        Rows of the block that asked, and the rows that answered.
    """
    mine = block.outbound == outbound
    again = acks.marks & RETRANSMITTED != 0
    asked = np.flatnonzero(acks.ack_eliciting & mine & ~again)
    highest_ack = acks.highest_ack[0 if outbound else 1]
    answer = np.searchsorted(highest_ack, packed(block.flow[asked], acks.end[asked]))
    fits = answer < len(highest_ack)
    answer = np.where(fits, answer, asked)
    fits &= (answer > asked) & (block.flow[answer] == block.flow[asked])
    repeats = np.cumsum(again & mine)
    fits &= repeats[answer] == repeats[asked]
    # a SYN is answered by a SYN/ACK: anything else is about another connection (RFC 9293 §3.10.7.4)
    opening = acks.flags & (TcpFlag.SYN.value | TcpFlag.ACK.value)
    fits &= (opening[asked] != TcpFlag.SYN.value) | (opening[answer] == TcpFlag.SYN.value | TcpFlag.ACK.value)
    asked, answer = asked[fits], answer[fits]
    newest = np.ones(len(asked), np.bool_)
    newest[:-1] = answer[1:] != answer[:-1]
    return asked[newest], answer[newest]


def echoed(packets: Packets, block: TcpBlock, acks: AckColumns) -> tuple[I64, I64]:
    """Pair the first segment that carries a timestamp with the first packet that echoes it and acknowledges more.

    Segments and echoes with the same value are brought together by one sort of a mix of side and value, whose low bits
    say the row. Where these bits alone told two mixes apart, whole ones are sorted.
    """
    rows, side, out = block.rows, block.side, block.outbound
    stamped = packets.tcp_options.take(rows) & TcpOption.TIMESTAMPS.value != 0
    if not stamped.any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    sent, received = acks.highest_ack[1], acks.highest_ack[0]
    acked = np.where(out, top_before(sent, block.flow), top_before(received, block.flow))
    asks = np.flatnonzero(acks.ack_eliciting & stamped)
    echo = packets.tsecr.take(rows)
    echoes = np.flatnonzero(acks.acknowledges & stamped & (acks.ack > acked) & (echo != 0))
    asked = side.astype(np.uint64) << np.uint64(32) | packets.tsval.take(rows)
    answered = (side ^ 1).astype(np.uint64) << np.uint64(32) | echo
    mixed = mix(np.concatenate([asked[asks], answered[echoes]]))
    entry = np.concatenate([asks << 1 | 1, echoes << 1]).astype(np.uint64)
    bits = np.uint64((2 * len(rows)).bit_length())
    order = np.sort((mixed >> bits << bits) | entry)
    entry = order & ((np.uint64(1) << bits) - np.uint64(1))
    row, is_echo = (entry >> np.uint64(1)).astype(np.int64), entry & np.uint64(1) == 0
    key = np.where(is_echo, answered[row], asked[row])
    if ((key[1:] != key[:-1]) & (order[1:] >> bits == order[:-1] >> bits)).any():  # their mixes begin alike
        exact = np.lexsort((entry, mix(key)))
        row, is_echo, key = row[exact], is_echo[exact], key[exact]
    first = np.ones(len(key), np.bool_)
    first[1:] = key[1:] != key[:-1]
    return first_echoes(first, is_echo, row, acks)


def first_echoes(first: Mask, is_echo: Mask, row: I64, acks: AckColumns) -> tuple[I64, I64]:
    """Pick, in each group of equal timestamps, the first segment and the first echo after it."""
    starts = np.flatnonzero(first)
    head = np.repeat(starts, np.diff(starts, append=len(first)))
    echoes = np.cumsum(is_echo)
    # the first echo of its group, in a group that begins with a segment
    chosen = np.flatnonzero(is_echo & ~is_echo[head] & (echoes - echoes[head] == 1))
    asked, answer = row[head[chosen]], row[chosen]
    fits = acks.ack[answer] >= acks.end[asked]
    return asked[fits], answer[fits]


def make_samples(packets: Packets, asked: I32, answer: I32, kind: NDArray[np.integer]) -> RttSamples:
    """Write pairs of packets down as samples."""
    return RttSamples(
        packet=answer,
        asked=asked,
        side=2 * packets.flow[answer] + ~packets.outbound[answer],
        value=packets.time[answer] - packets.time[asked],
        kind=kind.astype(np.uint8),
    )


def with_rtt(sides: Sides, samples: RttSamples) -> Sides:
    """Fill in the least round trip of each side and how many samples there are.

    Args:
        sides: Sides without round trips.
        samples: Samples of these sides, of all kinds.
    """
    least = np.full(len(sides), np.iinfo(np.int64).max)
    np.minimum.at(least, samples.side, samples.value)
    count = np.bincount(samples.side, minlength=len(sides)).astype(np.uint32)
    return attrs.evolve(sides, rtt=np.where(count > 0, least, -1), rtt_samples=count)
